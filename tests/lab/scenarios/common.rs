//! What the scenarios share.

use std::fmt::Display;
use std::time::{Duration, Instant, SystemTime};

use pfcluster_tests::lab::{Host, Lab, Options, Result};
use pfcluster_tests::program::program;

/// The guide's three servers; what was acknowledged is on the disk of the member that acknowledged it.
pub(crate) fn guide() -> Options {
    let durable = vec!["--innodb-flush-log-at-trx-commit=1".to_owned()];
    Options { program: program().to_owned(), database_arguments: durable, ..Options::default() }
}

/// The same with `innodb_flush_log_at_trx_commit=2`, as PacketFence has it: a power cut takes the last second.
pub(crate) fn as_shipped() -> Options {
    Options { database_arguments: Vec::new(), ..guide() }
}

/// What was written so far is on the disk. A stand-in for a web service syncs nothing itself.
pub(crate) fn sync() -> Result {
    assert!(std::process::Command::new("sync").status()?.success());
    Ok(())
}

/// From now on this member's `InnoDB` keeps nearly nothing over a power cut: what may be lost within a second is lost for certain.
/// What Galera writes into its state files stays.
pub(crate) fn make_forgetful(host: &Host) -> Result {
    // A server that was started with 1 writes its log past the page cache.
    let forgetful = "SET GLOBAL innodb_log_file_buffering = ON; SET GLOBAL innodb_flush_log_at_trx_commit = 2;
                     SET GLOBAL innodb_flush_log_at_timeout = 2700";
    host.query(forgetful).map(drop)
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

/// Nothing is missing that was acknowledged more than this long before the power went, and all members hold the same.
pub(crate) fn only_the_last_is_lost(lab: &Lab, power_went: SystemTime, most: Duration) -> Result {
    let verdict = lab.verdict()?;
    measured("ledger", &verdict);
    let lost = verdict.first_missing.and_then(|first| power_went.duration_since(first).ok()).unwrap_or_default();
    measured("acknowledged before the power cut, and lost", format!("the last {lost:.1?}"));
    assert!(verdict.acknowledged > 0, "nothing was written");
    assert!(verdict.refused_but_there.is_empty() && verdict.is_alike() && lost <= most, "{verdict}");
    Ok(())
}

/// A time that is to be kept: half as much again is for a machine that is shared. Everything else that is measured is only told.
pub(crate) fn goal(what: &str, took: Duration, seconds: u64) {
    measured(what, format!("{took:.1?} (goal {seconds} s)"));
    assert!(took <= Duration::from_secs(seconds * 3 / 2), "{what}: {took:.1?}, and {seconds} s is the goal");
}
