//! The configuration files, and what was generated from them.

use super::finding::Outcome;
use super::{GeneratedState, Known, Server, known};
use crate::decision::and;
use crate::rule::Severity;

/// Faults of the files. Those that a check of its own is about are left to that.
pub(super) fn configuration(server: &Server<'_>) -> Known<Outcome> {
    let others = || server.diagnostics.iter().filter(|one| !super::secrets::is_about(one.rule.code));
    let count = |severity| others().filter(|one| one.severity() == severity).count();
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    Ok(match (errors, warnings) {
        (0, 0) if server.pf_conf.is_none() => {
            return Err("cluster.conf has neither errors nor warnings, but there is no pf.conf".into());
        }
        (0, 0) => Outcome::pass("neither errors nor warnings"),
        (0, _) => Outcome::warn(counted(warnings, "warning")).run("pfcluster check"),
        _ => Outcome::fail(format!("{}, {}", counted(errors, "error"), counted(warnings, "warning")))
            .run("pfcluster check"),
    })
}

/// PacketFence writes these files again whenever it starts a service: a file of its own is no fault, an old one of pfcluster's
/// is.
pub(super) fn generated_files(server: &Server<'_>) -> Known<Outcome> {
    let files = known(&server.facts.generated)?;
    let in_state = |state: GeneratedState| -> Vec<String> {
        files.iter().filter(|file| file.state == state).map(|file| file.path.to_string()).collect()
    };
    let (missing, outdated) = (in_state(GeneratedState::Missing), in_state(GeneratedState::Outdated));
    let wrong = [(&missing, "missing"), (&outdated, "not those of this configuration")];
    let wrong: Vec<String> = wrong
        .into_iter()
        .filter(|(files, _)| !files.is_empty())
        .map(|(files, what)| format!("{what}: {}", and(files)))
        .collect();
    if !wrong.is_empty() {
        return Ok(Outcome::warn(wrong.join("; ")).run("pfcluster generate all --install"));
    }
    let foreign = in_state(GeneratedState::Foreign);
    Ok(Outcome::pass(if foreign.is_empty() {
        "all are what `pfcluster generate` writes".to_owned()
    } else {
        format!("PacketFence's own: {} (`pfcluster generate all --explain` says how they differ)", and(&foreign))
    }))
}
