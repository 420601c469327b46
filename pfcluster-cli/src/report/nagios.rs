//! One line for a monitoring system, as its plugins write it: state, sentence, performance data.

use pfcluster_core::status::{Database, NEAR_PERCENT, OFTEN_PAUSED, Verdict};
use pfcluster_core::supervisor::LastBackup;

use super::status::Report;
use crate::output::ExitStatus;

/// What a verdict is for monitoring.
pub(crate) fn exit_status(verdict: Verdict) -> ExitStatus {
    match verdict {
        Verdict::Healthy => ExitStatus::Fine,
        Verdict::Degraded => ExitStatus::No,
        Verdict::ReadOnly | Verdict::Blocked | Verdict::Down | Verdict::Split => ExitStatus::Critical,
        _ => ExitStatus::Unknown,
    }
}

fn word(status: ExitStatus) -> &'static str {
    match status {
        ExitStatus::Fine => "OK",
        ExitStatus::No => "WARNING",
        ExitStatus::Failed | ExitStatus::Critical => "CRITICAL",
        ExitStatus::Unknown => "UNKNOWN",
    }
}

/// The line of an answer.
pub(crate) fn line(report: &Report) -> String {
    let verdict = report.decision.action;
    let complaints = report.decision.reasons.iter().filter(|reason| reason.is_complaint());
    let mut sentences: Vec<String> = complaints.map(ToString::to_string).collect();
    if sentences.is_empty() {
        sentences = report.decision.reasons.iter().map(ToString::to_string).collect();
    }
    let state = word(exit_status(verdict));
    let said = format!(
        "PFCLUSTER {state} - {}: {}",
        pfcluster_core::form::kind_of(&verdict).replace('_', "-"),
        sentences.join("; ")
    );
    format!("{} | {}", without_bar(&said), data(report).join(" "))
}

/// The line where there is no answer.
pub(crate) fn unknown(message: &str) -> String {
    without_bar(&format!("PFCLUSTER UNKNOWN - {}", message.replace('\n', " ")))
}

/// The bar is where performance data begin.
fn without_bar(text: &str) -> String {
    text.replace('|', "/")
}

/// `'label'=value[unit];warning;critical;minimum;maximum`.
fn data(report: &Report) -> Vec<String> {
    let counted = || {
        let members = report.answers.members.iter().map(|member| &member.seen);
        members.filter(|member| member.enabled && member.in_database)
    };
    let all = counted().count();
    let primary = counted().filter(|member| member.database.kind() == "primary").count();
    let silent = counted().filter(|member| matches!(member.database, Database::Silent(_))).count();
    let mut data = vec![format!("primary={primary};{all}:;1:;0;{all}"), format!("silent={silent};0;;0;{all}")];
    for member in counted() {
        let Database::Running(server) = &member.database else { continue };
        let host = &member.host;
        if let Some(connections) = server.connections {
            let near = u64::from(connections.max) * u64::from(NEAR_PERCENT) / 100;
            let (used, max) = (connections.used, connections.max);
            data.push(format!("'{host} connections'={used};{near};{max};0;{max}"));
        }
        if let Some(paused) = server.galera.as_ref().and_then(|galera| galera.flow_control_paused) {
            data.push(format!("'{host} paused'={paused};{OFTEN_PAUSED};;0;1"));
        }
    }
    // In a cluster one member makes them for all.
    let times = report.answers.members.iter().filter_map(|member| match &member.last_backup {
        LastBackup::Made(backup) => Some(backup.time),
        LastBackup::Unknown | LastBackup::Never => None,
    });
    if let Some(newest) = times.max() {
        data.push(format!("backup_age={}s;;;0", report.now.saturating_sub(newest)));
    }
    data
}
