//! The answer of `doctor`, for people and for programs.

use std::io::{self, Write};

use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Step;
use pfcluster_core::doctor::{Finding, ONLY_THERE, Verdict};
use pfcluster_core::printable::printable;
use serde_json::{Value, json};

use super::json::text as pretty;

/// What was found, server by server; the one that asked comes first.
#[derive(Debug)]
pub struct Report {
    /// The servers.
    pub servers: Vec<(Hostname, Vec<Finding>)>,
}

impl Report {
    /// As schemas/doctor.json says.
    pub fn json(&self) -> String {
        let servers = self.servers.iter().map(|(host, findings)| {
            let checks: Vec<Value> = findings.iter().map(document).collect();
            json!({ "host": host, "checks": checks })
        });
        pretty(&json!({
            "version": 1,
            "members": servers.collect::<Vec<_>>(),
            "summary": {
                "pass": self.count(Verdict::Pass),
                "warn": self.count(Verdict::Warn),
                "fail": self.count(Verdict::Fail),
                "unknown": self.count(Verdict::Unknown),
            },
        }))
    }

    /// How many findings have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings().filter(|finding| finding.verdict == verdict).count()
    }

    fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.servers.iter().flat_map(|(_, findings)| findings)
    }

    /// A line for each check; what mends it below those that need it.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for (host, findings) in &self.servers {
            writeln!(out, "{host}")?;
            let is_there = |finding: &&Finding| finding.verdict == Verdict::Unknown && finding.seen == ONLY_THERE;
            findings.iter().filter(|finding| !is_there(finding)).try_for_each(|finding| line(finding, out))?;
            let there: Vec<&str> = findings.iter().filter(is_there).map(|finding| finding.check.id).collect();
            if !there.is_empty() {
                writeln!(out, "  unknown  {} checks are {ONLY_THERE}: run `pfcluster doctor` there", there.len())?;
            }
            writeln!(out)?;
        }
        let [pass, warn, fail, unknown] =
            [Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Unknown].map(|verdict| self.count(verdict));
        writeln!(out, "pass {pass}, warn {warn}, fail {fail}, unknown {unknown}")
    }
}

fn line(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let check = finding.check;
    writeln!(out, "  {:<7}  {}: {}", finding.verdict.kind(), check.id, shown(&finding.seen))?;
    if finding.verdict > Verdict::Unknown {
        writeln!(out, "             must be: {} (guide {})", check.about, check.guide)?;
    }
    finding.remedy.iter().try_for_each(|step| match step {
        Step::Do { what } => writeln!(out, "             do: {}", shown(what)),
        command => writeln!(out, "             run: {}", shown(&command.to_string())),
    })
}

/// What comes from files and other programs, safe for a terminal.
fn shown(text: &str) -> String {
    printable(text.as_bytes())
}

fn document(finding: &Finding) -> Value {
    let step = |step: &Step| match step {
        Step::Do { what } => json!({ "do": what }),
        command => json!({ "run": command.to_string() }),
    };
    json!({
        "id": finding.check.id,
        "verdict": finding.verdict.kind(),
        "seen": finding.seen,
        "must_be": finding.check.about,
        "guide": finding.check.guide,
        "remedy": finding.remedy.iter().map(step).collect::<Vec<_>>(),
    })
}
