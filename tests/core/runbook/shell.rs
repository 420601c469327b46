//! Command lines, taken apart as a shell does, as far as runbooks need it.

use pfcluster_guide::runbook::{Action, Runbook};
use pfcluster_tests::guard::guard;

/// The command lines of a runbook, the way back and what is to be looked at included.
pub(crate) fn lines(book: &Runbook) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &book.steps {
        for action in step.actions.iter().chain(&step.back) {
            match action {
                Action::Run { command, .. } => lines.push(command.clone()),
                Action::Sql { client, .. } => lines.push(client.clone()),
                _ => {}
            }
        }
        lines.extend(step.verify.iter().filter_map(|verify| verify.check.command()));
    }
    lines
}

/// What stands between backticks in a text for people, if it is a command.
pub(crate) fn quoted(text: &str) -> Vec<String> {
    let starts = ["pfcluster ", "/usr/local/pf/", "systemctl ", "openssl "];
    let parts = text.split('`').skip(1).step_by(2);
    parts.filter(|part| starts.iter().any(|start| part.starts_with(start))).map(str::to_owned).collect()
}

/// The texts for people of a runbook.
pub(crate) fn texts(book: &Runbook) -> Vec<String> {
    let mut texts = book.before.clone();
    for step in &book.steps {
        texts.push(step.title.clone());
        texts.extend(step.warnings.iter().cloned().chain(step.irreversible.clone()));
        for action in step.actions.iter().chain(&step.back) {
            if let Action::Do { what } = action {
                texts.push(what.clone());
            }
        }
        texts.extend(step.verify.iter().map(|verify| verify.check.to_string()));
    }
    texts
}

/// The simple commands of a line, as words without their quotes; redirections and guards are left out.
pub(crate) fn commands(line: &str) -> Vec<Vec<String>> {
    let line = guard(line).map_or(line, |(_, command)| command);
    let mut commands: Vec<Vec<String>> = vec![Vec::new()];
    let mut skips = false;
    for (word, is_operator) in words(line) {
        match (&*word, is_operator) {
            (">" | ">>", true) => skips = true,
            (_, true) => commands.push(Vec::new()),
            _ if skips => skips = false,
            ("!" | "{" | "}", false) if commands.last().is_some_and(Vec::is_empty) => {}
            _ => commands.last_mut().expect("there is one").push(word),
        }
    }
    commands.retain(|words| words.first().is_some_and(|first| first != "["));
    commands
}

/// Words and operators.
fn words(line: &str) -> Vec<(String, bool)> {
    let mut out = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let word = word.get_or_insert_default();
                word.extend(chars.by_ref().take_while(|&c| c != '\''));
            }
            '"' => {
                let word = word.get_or_insert_default();
                word.extend(chars.by_ref().take_while(|&c| c != '"'));
            }
            '$' if chars.peek() == Some(&'(') => {
                let word = word.get_or_insert_default();
                word.push('$');
                for c in chars.by_ref() {
                    word.push(c);
                    if c == ')' {
                        break;
                    }
                }
            }
            '#' if word.is_none() => break,
            ' ' => out.extend(word.take().map(|word| (word, false))),
            '&' | '|' | ';' | '>' => {
                out.extend(word.take().map(|word| (word, false)));
                let mut operator = c.to_string();
                operator.extend(chars.next_if_eq(&c));
                out.push((operator, true));
            }
            _ => word.get_or_insert_default().push(c),
        }
    }
    out.extend(word.map(|word| (word, false)));
    out
}

#[test]
fn lines_are_taken_apart() {
    let line = "[ \"$(hostname)\" = pf1 ] || ! echo \"not run: this is $(hostname), not pf1\" && ! pgrep -l -x 'a|b' && mv -T /x \"/x.aside-$(date +%Y)\" >> /dev/null; { true || echo 'it is'; } # end";
    let expected: [&[&str]; 5] = [
        &["pgrep", "-l", "-x", "a|b"],
        &["mv", "-T", "/x", "/x.aside-$(date +%Y)"],
        &["true"],
        &["echo", "it is"],
        &[],
    ];
    assert_eq!(commands(line), &expected[..4]);
}
