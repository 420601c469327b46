//! Every case of tests/testdata is a test of its own: `cargo test -p pfcluster-tests --test testdata -- duplicate`.

use std::path::Path;

use libtest_mimic::{Arguments, Trial};
use pfcluster_core::check;
use pfcluster_guide::doctor::CHECKS;
use pfcluster_tests::commands::output;
use pfcluster_tests::{Case, cases, files, rewritten};

const FOLDERS: [&str; 15] = [
    "document",
    "cluster",
    "checks",
    "quorum",
    "conflict",
    "galera",
    "bootstrap",
    "supervisor",
    "maintenance",
    "runbook/progress",
    "status",
    "doctor",
    "sync",
    "drill",
    "cli",
];

/// Rules that no fixture can show, and why.
const WITHOUT_FIXTURE: [(&str, &str); 1] =
    [("PFC114", "a file of 4 GiB is no fixture: a unit test of pfcluster-core/src/document/fault.rs shows it")];

fn main() {
    let arguments = Arguments::from_args();
    // REWRITE=1 writes all files anew, REWRITE=document those whose path holds the word.
    if let Ok(part) = std::env::var("REWRITE") {
        let all = FOLDERS.iter().flat_map(|folder| files(folder));
        all.filter(|path| part == "1" || path.to_string_lossy().contains(&part)).for_each(|path| rewrite(&path));
    }
    let mut trials: Vec<Trial> =
        FOLDERS.iter().flat_map(|folder| files(folder)).flat_map(|path| trials_of(&path)).collect();
    trials.extend(check::rules().into_iter().map(|rule| {
        let name = format!("every rule has a fixture and a near miss::{} {}", rule.code, rule.name);
        Trial::test(name, move || has_fixture_and_near_miss(rule).map_err(Into::into))
    }));
    trials.extend(CHECKS.iter().map(|check| {
        let name = format!("every check has a failing case and a near miss::{}", check.id);
        Trial::test(name, move || has_failing_case_and_near_miss(check.id).map_err(Into::into))
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn trials_of(path: &Path) -> Vec<Trial> {
    let file = path.strip_prefix(pfcluster_tests::testdata()).unwrap_or(path).display().to_string();
    let text = std::fs::read_to_string(path).expect("a readable test file");
    match cases(&text) {
        Err(error) => vec![Trial::test(file, move || Err(error.into()))],
        Ok(cases) => cases
            .into_iter()
            .map(|case| {
                let why = case.why.lines().next().unwrap_or(&case.command).to_owned();
                Trial::test(format!("{file}:{} {why}", case.line), move || run(&case).map_err(Into::into))
            })
            .collect(),
    }
}

fn run(case: &Case) -> Result<(), String> {
    if case.why.is_empty() {
        return Err("the case does not say why it is there: begin it with `# ...`".to_owned());
    }
    let actual = output(case)?;
    if actual == case.expected {
        return Ok(());
    }
    Err(format!("{}\nexpected:\n{}\nactual:\n{actual}", case.why, case.expected))
}

fn rewrite(path: &Path) {
    let text = std::fs::read_to_string(path).expect("a readable test file");
    let cases = cases(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let outputs: Vec<String> = cases
        .iter()
        .map(|case| output(case).unwrap_or_else(|error| panic!("{}:{}: {error}", path.display(), case.line)))
        .collect();
    std::fs::write(path, rewritten(&text, &outputs)).expect("a writable test file");
}

/// checks/CODE-NAME.txt has a case in which the rule speaks and one in which it just does not, and the rule's manual has
/// all of its parts. With the rule taken out of the program, the first of the two fails.
fn has_fixture_and_near_miss(rule: &check::Rule) -> Result<(), String> {
    let manual = rule.explanation.join("\n");
    if let Some(part) = ["Example", "What to do:"].into_iter().find(|part| !manual.contains(part)) {
        return Err(format!("the manual of {} has no `{part}`", rule.code));
    }
    if WITHOUT_FIXTURE.iter().any(|(code, _)| *code == rule.code) {
        return Ok(());
    }
    let name = format!("checks/{}-{}.txt", rule.code, rule.name);
    let text =
        std::fs::read_to_string(pfcluster_tests::testdata().join(&name)).map_err(|error| format!("{name}: {error}"))?;
    let cases = cases(&text)?;
    let speaks = |case: &&Case| case.expected.contains(&format!("{} {} ", rule.severity.name(), rule.code));
    if !cases.iter().any(|case| speaks(&case)) {
        return Err(format!("{name}: no case shows the rule"));
    }
    let is_near_miss = |case: &&Case| case.why.to_lowercase().starts_with("near miss") && !speaks(case);
    if !cases.iter().any(|case| is_near_miss(&case)) {
        return Err(format!("{name}: no case begins with `# Near miss` and stays silent"));
    }
    Ok(())
}

/// doctor/*.txt has a case of the check alone in which it does not pass, and one in which it just does.
fn has_failing_case_and_near_miss(id: &str) -> Result<(), String> {
    let mut own = Vec::new();
    for path in files("doctor") {
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        own.extend(cases(&text)?.into_iter().filter(|case| case.has(id)));
    }
    let comes_to = |case: &&Case, verdicts: &[&str]| {
        let says = |verdict: &&str| case.expected.lines().any(|line| line.starts_with(&format!("{verdict} {id}: ")));
        verdicts.iter().any(says)
    };
    if !own.iter().any(|case| comes_to(&case, &["warn", "fail"])) {
        return Err(format!("no case of tests/testdata/doctor shows `{id}` warn or fail"));
    }
    let is_near_miss = |case: &&Case| case.why.to_lowercase().starts_with("near miss") && comes_to(case, &["pass"]);
    if !own.iter().any(|case| is_near_miss(&case)) {
        return Err(format!("no case of `{id}` in tests/testdata/doctor begins with `# Near miss` and passes"));
    }
    Ok(())
}
