//! The guard of a runbook's command line.

/// The hosts that the line is for, and what it does there, if it does nothing anywhere else but say so.
pub fn guard(line: &str) -> Option<(Vec<&str>, &str)> {
    let one = line.strip_prefix("[ \"$(hostname)\" = ").and_then(|rest| rest.split_once(" ] || "));
    let several = || line.strip_prefix("[[ \" ").and_then(|rest| rest.split_once(" \" = *\" $(hostname) \"* ]] || "));
    let (names, rest) = one.or_else(several)?;
    let wrong = if one.is_some() { format!(", not {names}") } else { String::new() };
    let command = rest.strip_prefix(&*format!("! echo \"not run: this is $(hostname){wrong}\" && "))?;
    Some((names.split(' ').collect(), command))
}
