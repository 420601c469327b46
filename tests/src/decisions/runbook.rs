//! How far somebody has come with a runbook: the command of tests/testdata/runbook/progress.
//!
//! ```text
//! progress upgrade me=pf3 version=14.0 to=14.1
//! pf1  primary sees=pf1,pf2,pf3
//! pf2  silent
//! pf3  primary sees=pf1,pf2,pf3
//! fact release 14.0
//! fact counts:pf1 disabled
//! ----
//! ...
//! ```
//!
//! The members are those of the lines, seen as in tests/testdata/status; `members=pf1,pf2` are those that the runbook is about.
//! A fact that has no line can't be seen.

use std::collections::BTreeMap;

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::document::Document;
use pfcluster_core::form::kind_of;
use pfcluster_core::span::Source;
use pfcluster_core::status::Seen;
use pfcluster_core::version::PfVersion;
use pfcluster_guide::runbook::{Fact, Found, Name, Observed, Request, Runbook, runbook};

use super::status;
use crate::Case;

pub(super) fn output(case: &Case) -> Option<Result<String, String>> {
    (case.command == "progress").then(|| progress(case))
}

fn progress(case: &Case) -> Result<String, String> {
    let is_fact = |line: &&str| line.starts_with("fact ");
    let cluster: Vec<&str> = case.input.lines().filter(|line| !is_fact(line)).collect();
    let (members, vips) = status::seen(&cluster.join("\n"))?;
    let text = cluster_conf(&members);
    let cluster = Cluster::from_document(&Document::parse(Source::ClusterConf, text.as_bytes()).value).value;
    let version =
        |key| case.value(key).map(str::parse::<PfVersion>).transpose().map_err(|error| format!("{key}: {error}"));
    let host = |name: &str| name.parse::<Hostname>().map_err(|error| format!("{name}: {error}"));
    let mut request = Request::new(&cluster, version("version")?.unwrap_or(PfVersion::NEWEST));
    request.supervised = case.has("supervised");
    request.to = version("to")?;
    let about = case.value("members").unwrap_or_default();
    request.members = about.split(',').filter(|name| !name.is_empty()).map(host).collect::<Result<_, _>>()?;
    let name: Name = case.words.first().ok_or("which runbook?")?.parse().map_err(|error| format!("{error}"))?;
    let book = runbook(name, &request).map_err(|error| error.to_string())?;
    let me = case.value("me").map(host).transpose()?;
    let facts = case.input.lines().filter(is_fact).map(fact).collect::<Result<BTreeMap<&str, &str>, _>>()?;
    let found = |fact: Fact| {
        let found = facts
            .get(&*key(&fact))
            .map_or(Found::Unknown("not seen".to_owned()), |value| Found::Value((*value).to_owned()));
        (fact, found)
    };
    let wanted = me.as_ref().map(|me| book.facts(me)).unwrap_or_default();
    let observed = Observed { me, members: &members, vips: &vips, facts: wanted.into_iter().map(found).collect() };
    Ok(text_of(&book, &observed))
}

/// `fact counts:pf1 disabled`.
fn fact(line: &str) -> Result<(&str, &str), String> {
    let rest = line.strip_prefix("fact ").unwrap_or(line);
    rest.split_once(' ').ok_or_else(|| format!("`{line}` has no value"))
}

fn key(fact: &Fact) -> String {
    match fact {
        Fact::Sysctl(key) => format!("sysctl:{key}"),
        Fact::Unit(unit) => format!("unit:{unit}"),
        Fact::BootTarget => "boot".to_owned(),
        Fact::ForcedStart => "forced".to_owned(),
        Fact::PfConf(section, key) => format!("pf.conf:{section}.{key}"),
        Fact::Release => "release".to_owned(),
        Fact::ClusterCheck => "check".to_owned(),
        Fact::Member(host) => format!("member:{host}"),
        Fact::Counts(host) => format!("counts:{host}"),
        Fact::Maintenance => "maintenance".to_owned(),
        Fact::File(path) => format!("file:{path}"),
        Fact::BackupAge => "backup".to_owned(),
        other => format!("{other:?}"),
    }
}

fn cluster_conf(members: &[Seen]) -> String {
    let section = |name: &str, ip: String| format!("[{name}]\nmanagement_ip={ip}\n[{name} interface eth0]\nip={ip}\n");
    let members = members.iter().zip(1..);
    let members = members.map(|(member, number)| section(member.host.as_str(), format!("10.0.0.{number}")));
    section("CLUSTER", "10.0.0.100".to_owned()) + &members.collect::<String>()
}

fn text_of(book: &Runbook, observed: &Observed<'_>) -> String {
    let progress = book.progress(observed);
    let mut out = String::new();
    for ((number, step), standing) in (1..).zip(&book.steps).zip(&progress.steps) {
        let shown = standing.by.map_or_else(String::new, |by| format!(" (by {})", by + 1));
        out += &format!("{number} {}: {}{shown}\n", step.title, kind_of(&standing.standing));
        let reasons = standing.checks.iter().filter(|check| !check.why.is_empty() && standing.by.is_none());
        reasons.for_each(|check| out += &format!("    {}: {}\n", kind_of(&check.standing), check.why));
    }
    let next = progress.next.map_or_else(|| "none".to_owned(), |next| (next + 1).to_string());
    out + &format!("{}, next {next}\n", kind_of(&progress.standing()))
}
