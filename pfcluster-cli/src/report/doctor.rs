//! The answer of `doctor`, for people and for programs.

use std::io::{self, Write};

use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Step;
use pfcluster_core::form::kind_of;
use pfcluster_core::printable::printable;
use pfcluster_guide::doctor::{Finding, ONLY_THERE, Verdict};
use serde::Serialize;

use super::json::versioned;

/// What was found, server by server; the one that asked comes first.
#[derive(Debug)]
pub struct Report {
    /// The servers.
    pub servers: Vec<(Hostname, Vec<Finding>)>,
}

impl Report {
    /// As schemas/doctor.json says.
    pub fn json(&self) -> String {
        #[derive(Serialize)]
        struct Document<'r> {
            members: Vec<Member<'r>>,
            summary: Summary,
        }
        #[derive(Serialize)]
        struct Member<'r> {
            host: &'r Hostname,
            checks: &'r [Finding],
        }
        #[derive(Serialize)]
        struct Summary {
            pass: usize,
            warn: usize,
            fail: usize,
            unknown: usize,
        }
        let [pass, warn, fail, unknown] = self.counts();
        versioned(Document {
            members: self.servers.iter().map(|(host, checks)| Member { host, checks }).collect(),
            summary: Summary { pass, warn, fail, unknown },
        })
    }

    fn counts(&self) -> [usize; 4] {
        [Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Unknown].map(|verdict| self.count(verdict))
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
        let [pass, warn, fail, unknown] = self.counts();
        writeln!(out, "pass {pass}, warn {warn}, fail {fail}, unknown {unknown}")
    }
}

fn line(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let check = finding.check;
    writeln!(out, "  {:<7}  {}: {}", kind_of(&finding.verdict), check.id, shown(&finding.seen))?;
    if finding.verdict > Verdict::Unknown {
        writeln!(out, "             expected: {} (guide {})", check.about, check.guide)?;
    }
    finding.remedy.iter().try_for_each(|step| match step {
        Step::Do { what } => writeln!(out, "             manual: {}", shown(what)),
        command @ Step::Run { .. } => writeln!(out, "             run: {}", shown(&command.to_string())),
    })
}

/// What comes from files and other programs, safe for a terminal.
fn shown(text: &str) -> String {
    printable(text.as_bytes())
}
