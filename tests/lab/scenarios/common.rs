//! What the scenarios share.

use std::fmt::Display;
use std::time::{Duration, Instant};

use pfcluster_tests::lab::{Host, Lab, Options, Result};
use pfcluster_tests::program::program;

/// The guide's three servers.
pub(crate) fn guide() -> Options {
    Options { program: program().to_owned(), ..Options::default() }
}

/// The guide's three servers, on, their databases in one cluster.
pub(crate) fn formed() -> Result<Lab> {
    formed_with(&guide())
}

pub(crate) fn formed_with(options: &Options) -> Result<Lab> {
    let began = Instant::now();
    let lab = Lab::new(options)?;
    measured("the hosts are on", format!("{:.1?}", began.elapsed()));
    measured("the cluster forms", format!("{:.1?}", lab.form_cluster()?));
    Ok(lab)
}

/// What a scenario has found out.
pub(crate) fn measured(what: &str, value: impl Display) {
    println!("measured: {what}: {value}");
}

/// What the disk of a host says, for people.
pub(crate) fn on_disk(host: &Host) -> String {
    let text = std::fs::read_to_string(host.state_file("grastate.dat"));
    let grastate = match (host.grastate(), text) {
        (Some(grastate), _) => grastate.to_string(),
        (None, Ok(text)) => format!("grastate that holds only {text:?}"),
        (None, Err(_)) => "no grastate".to_owned(),
    };
    let view = host.view_members().map_or_else(|| "no gvwstate".to_owned(), |count| format!("gvwstate of {count}"));
    format!("{}: {grastate}; {view}", host.name())
}

/// Prints that of all.
pub(crate) fn disks(lab: &Lab, when: &str) {
    lab.hosts.iter().for_each(|host| measured(when, on_disk(host)));
}

/// Switches hosts on, without database.
pub(crate) fn boot(hosts: &[&Host]) -> Result {
    hosts.iter().try_for_each(|host| host.boot())
}

pub(crate) fn seconds(number: u64) {
    std::thread::sleep(Duration::from_secs(number));
}

/// Nothing acknowledged is missing, and all members hold the same.
pub(crate) fn nothing_lost(lab: &Lab) -> Result {
    let verdict = lab.verdict()?;
    measured("ledger", &verdict);
    assert!(verdict.acknowledged > 0, "nothing was written");
    assert!(verdict.is_good(), "{verdict}");
    Ok(())
}
