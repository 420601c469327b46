//! The other members, as far as their databases say it, or this machine's supervisor knows it.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::Process;
use pfcluster_guide::doctor::{Clock, Facts, Known, ONLY_THERE, VARIABLES};

use super::database::{Database, left};
use crate::documents::evidence;
use crate::host::files::plain;
use crate::host::mariadb::{Account, Answer, ask_peer, peer_clock, peer_variables};
use crate::host::status::safe;
use crate::host::supervise::control::{self, Request};

/// The other members, and how they are asked.
#[derive(Debug)]
pub struct Others<'q> {
    /// Each with its management address, if cluster.conf has one and they share a database.
    pub members: Vec<(Hostname, Known<Ipv4Addr>)>,
    /// Who asks their databases; `None` if that is not known.
    pub account: Option<&'q Account>,
    /// Where the socket of this machine's supervisor is.
    pub run_directory: &'q Path,
    /// How long all of it may take.
    pub limit: Duration,
}

/// Asks all of them side by side. Who has not answered within the limit is silent.
pub fn ask_others(others: &Others<'_>, resolve: &dyn Fn(&str) -> Option<Hostname>) -> Vec<(Facts, Clock)> {
    let deadline = Instant::now() + others.limit;
    let supervisor = ask_supervisor(others.run_directory);
    let (sender, receiver) = mpsc::channel();
    let mut answers: Vec<(Facts, Clock)> = Vec::new();
    for (number, (host, address)) in others.members.iter().enumerate() {
        let why = match (address, others.account) {
            (Err(why), _) => why.clone(),
            (Ok(_), None) => "there is no account to ask its database with: see monitoring-account".into(),
            (Ok(address), Some(account)) => {
                let (sender, address, account) = (sender.clone(), *address, account.clone());
                // Nobody listens any more to an answer that comes too late.
                let ask = move || drop(sender.send((number, ask(address, &account, deadline))));
                match thread::Builder::new().spawn(ask) {
                    Ok(_) => format!("its database did not answer within {} s", others.limit.as_secs()).into(),
                    Err(error) => plain(&error).into(),
                }
            }
        };
        answers.push(facts(host, Database::silent(&why), Err(why)));
    }
    // With the last thread its answers end.
    drop(sender);
    while let Ok((number, (database, ahead))) =
        receiver.recv_timeout(deadline.saturating_duration_since(Instant::now()))
    {
        answers[number] = facts(&others.members[number].0, database, ahead);
    }
    if let Ok(told) = supervisor.recv_timeout(left(deadline)) {
        supervised(&told, &mut answers, resolve);
    }
    answers
}

fn facts(host: &Hostname, database: Database, ahead: Known<i64>) -> (Facts, Clock) {
    let mut facts = Facts::unknown(ONLY_THERE);
    facts.settings = database.settings;
    facts.status = database.status;
    facts.connections = database.connections;
    (facts, Clock { host: host.clone(), ahead })
}

fn ask(address: Ipv4Addr, account: &Account, deadline: Instant) -> (Database, Known<i64>) {
    let silent = |why: String| (Database::silent(&why), Err(safe(&why)));
    match ask_peer(address, account, left(deadline)) {
        Answer::Status(said) => {
            let variables = peer_variables(address, account, &VARIABLES, left(deadline)).map_err(Into::into);
            let clock = ahead(address, account, deadline);
            (Database::running(&said, variables, Err(ONLY_THERE.into())), clock)
        }
        Answer::Full => (Database::full(), Err("its database takes no more connections".into())),
        Answer::NoServer => silent(format!("nothing listens on {address}:3306")),
        Answer::Refused(why) => silent(format!("its database refuses to answer: {why}")),
        Answer::Silence(why) => silent(format!("its database does not answer: {why}")),
        Answer::Another(_) => silent("its database has another data directory".to_owned()),
    }
}

/// By how much its clock is ahead of this one, in milliseconds. The time of the question and of the answer are taken off.
fn ahead(address: Ipv4Addr, account: &Account, deadline: Instant) -> Known<i64> {
    let before = now();
    let theirs = peer_clock(address, account, left(deadline))?;
    let after = now();
    Ok(if theirs > after { theirs - after } else { (theirs - before).min(0) })
}

/// Milliseconds since 1970 (UTC).
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What this machine's supervisor has heard of all members. Without one there is no answer.
fn ask_supervisor(run_directory: &Path) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let run_directory = run_directory.to_owned();
    thread::spawn(move || {
        if let Ok(Some(told)) = control::ask(&run_directory, &Request::Evidence) {
            // Nobody listens any more to an answer that comes too late.
            drop(sender.send(told));
        }
    });
    receiver
}

fn supervised(told: &str, answers: &mut [(Facts, Clock)], resolve: &dyn Fn(&str) -> Option<Hostname>) {
    // One that is of another version, and says something else, says nothing.
    for known in evidence::read(told.as_bytes(), resolve).unwrap_or_default() {
        let Some((facts, _)) = answers.iter_mut().find(|(_, clock)| clock.host == known.host) else { continue };
        facts.maintenance = Ok(known.evidence.maintenance);
        if facts.status.is_err() && known.evidence.process == Process::Stopped {
            facts.status = Ok(None);
        }
    }
}
