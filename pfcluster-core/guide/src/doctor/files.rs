//! The configuration files, and what was generated from them.

use super::finding::Outcome;
use super::{GeneratedState, Known, Server, known};
use pfcluster_core::decision::and;
use pfcluster_core::rule::Severity;

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

/// PacketFence writes these files itself when it starts a service: its own are no fault, an old one of pfcluster's is.
pub(super) fn generated_files(server: &Server<'_>) -> Known<Outcome> {
    let files = known(&server.facts.generated)?;
    let in_state = |state: GeneratedState| -> Vec<&str> {
        files.iter().filter(|file| file.state == state).map(|file| &*file.path).collect()
    };
    let [same, outdated, foreign, missing] =
        [GeneratedState::Same, GeneratedState::Outdated, GeneratedState::Foreign, GeneratedState::Missing]
            .map(in_state);
    let said = |files: &[&str], what: &str| (!files.is_empty()).then(|| format!("{what}: {}", and(files)));
    if same.is_empty() && outdated.is_empty() && !foreign.is_empty() {
        let parts = [said(&foreign, "PacketFence's own"), said(&missing, "written when their services start")];
        return Ok(Outcome::pass(parts.into_iter().flatten().collect::<Vec<_>>().join("; ")));
    }
    let wrong = [said(&missing, "missing"), said(&outdated, "not those of this configuration")];
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    Ok(if !wrong.is_empty() {
        Outcome::warn(wrong.join("; ")).run("pfcluster generate all --install")
    } else if foreign.is_empty() {
        Outcome::pass("all are what `pfcluster generate` writes")
    } else {
        Outcome::pass(format!("PacketFence's own: {}; the others are pfcluster's", and(&foreign)))
    })
}
