//! What all members' databases say, asked side by side, and what this member knows of itself.

mod told;

use std::collections::BTreeSet;
use std::io;
use std::iter;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use pfcluster_core::cluster::{Cluster, Hostname, Member};
use pfcluster_core::conflict::Reply;
use pfcluster_core::decision::Decision;
use pfcluster_core::galera::{StatusError, WsrepStatus};
use pfcluster_core::printable::printable;
use pfcluster_core::status::{Connections, Database, Galera, Holder, Reason, Seen, Server, Verdict, Vip, assess};
use pfcluster_core::supervisor::LastBackup;
use pfcluster_core::version::PfVersion;
use pfcluster_guide::maintenance::FLAG_FILE;

use super::backup;
use super::evidence::Note;
use super::mariadb::{Account, Answer, Overrides, Said, Settings, ask, ask_peer};
use super::processes::{Presence, presence};
use super::sync::{Peer, reply_of};
use super::webservices::CallError;
use super::{HostError, Root, files, machine, marks};

/// What is asked.
#[derive(Debug)]
pub struct Question<'q> {
    /// PacketFence's install directory.
    pub root: &'q Root,
    /// PacketFence's version.
    pub version: PfVersion,
    /// The cluster.
    pub cluster: &'q Cluster,
    /// The member that asks; another host can ask as well.
    pub me: &'q Hostname,
    /// The members that it counts out.
    pub disabled: &'q BTreeSet<Hostname>,
    /// The members that share the database.
    pub in_database: &'q [Hostname],
    /// Its own database; `None` if it is not known where that is: then it is asked as the others are.
    pub settings: Option<&'q Settings>,
    /// Who asks the others' databases; `None` if that is not known.
    pub account: Option<&'q Account>,
    /// Where backups are.
    pub backups: &'q Path,
    /// Where the socket of this machine's supervisor is.
    pub run_directory: &'q Path,
    /// How long all of it may take.
    pub limit: Duration,
}

/// What is known of one member.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MemberStatus {
    /// What the verdict goes by.
    pub seen: Seen,
    /// Its management address.
    pub address: Option<Ipv4Addr>,
    /// What its supervisor does, in a few words; `None` if none answered.
    pub supervisor: Option<String>,
    /// Its last backup of the database.
    pub last_backup: LastBackup,
}

/// What is known of the cluster.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Gathered {
    /// All members of cluster.conf, in its order.
    pub members: Vec<MemberStatus>,
    /// The virtual addresses of all zones.
    pub vips: Vec<Vip>,
    /// What could not be found out on this machine.
    pub notes: Vec<Note>,
}

impl Gathered {
    /// How the cluster is, and why.
    pub fn assessed(&self) -> Decision<Verdict, Reason> {
        let seen: Vec<_> = self.members.iter().map(|member| member.seen.clone()).collect();
        assess(&seen, &self.vips)
    }
}

/// Asks everybody, and `peers` for the version of their configuration. Ends within the limit, whoever answers: who has not by
/// then is silent. `resolve` finds the member that has a name or an address.
pub fn gather(question: &Question<'_>, peers: Vec<Peer>, resolve: &dyn Fn(&str) -> Option<Hostname>) -> Gathered {
    let mut notes = Vec::new();
    let deadline = Instant::now() + question.limit;
    let supervisor = told::ask(question.run_directory);
    let versions = ask_versions(peers, question.limit);
    let asked: Vec<&Member> = question.cluster.members().collect();
    let databases = databases(question, &asked, resolve, deadline);
    let members = asked.into_iter().zip(databases);
    let mut members: Vec<MemberStatus> =
        members.map(|(member, database)| member_status(question, member, database, &mut notes)).collect();
    let mut vips = vips(question);
    match until(&supervisor, deadline).next() {
        Some(Ok(Some(told))) => told::add(&told, &mut members, &mut vips, resolve),
        Some(Err(error)) => notes.push(note(&error)),
        Some(Ok(None)) | None => {}
    }
    let versions: Vec<(Peer, Result<String, CallError>)> = until(&versions, deadline).collect();
    for seen in members.iter_mut().map(|member| &mut member.seen) {
        let Some((peer, version)) = versions.iter().find(|(peer, _)| peer.name == seen.host.as_str()) else { continue };
        notes.extend(version.as_ref().err().and_then(|error| without_version(peer, error, &seen.database)));
        seen.configuration = Some(reply_of(version));
    }
    Gathered { members, vips, notes }
}

/// Asks the database of one member, and what this machine knows of it if it is its own. Ends within the limit.
pub fn of_member(
    question: &Question<'_>,
    member: &Member,
    resolve: &dyn Fn(&str) -> Option<Hostname>,
) -> (MemberStatus, Vec<Note>) {
    let mut notes = Vec::new();
    let deadline = Instant::now() + question.limit;
    let mut database = databases(question, &[member], resolve, deadline);
    let database = database.pop().unwrap_or_else(|| Database::NotAsked("the question was lost".into()));
    (member_status(question, member, database, &mut notes), notes)
}

/// Where this machine's database is. Only root may read the server's option file: for others that is a note, and this member is
/// asked as the others are.
///
/// # Errors
/// [`HostError`] if a file can't be read that was named.
pub fn own_settings(root: &Root, overrides: &Overrides, notes: &mut Vec<Note>) -> Result<Option<Settings>, HostError> {
    match Settings::read(&root.file("var/conf/mariadb.conf"), overrides) {
        Err(error @ HostError::Read { .. }) if overrides.client_file.is_none() => {
            notes.push(note(&error));
            Ok(None)
        }
        settings => settings.map(Some),
    }
}

/// What could not be read on this machine.
fn note(error: &HostError) -> Note {
    Note { message: error.to_string(), help: error.help().to_owned() }
}

/// Asks in a thread of its own. Nobody listens any more to an answer that comes too late.
fn aside<T: Send + 'static>(sender: &Sender<T>, ask: impl FnOnce() -> T + Send + 'static) -> io::Result<()> {
    let sender = sender.clone();
    thread::Builder::new().spawn(move || drop(sender.send(ask()))).map(drop)
}

/// The answers that come in time.
fn until<T>(receiver: &Receiver<T>, deadline: Instant) -> impl Iterator<Item = T> + '_ {
    iter::from_fn(move || receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok())
}

// Configurations ------------------------------------------------------------------------------------------------------

/// The peers, with what each says of its version.
fn ask_versions(peers: Vec<Peer>, limit: Duration) -> Receiver<(Peer, Result<String, CallError>)> {
    let (sender, receiver) = mpsc::channel();
    for peer in peers {
        // One that can't be asked does not answer.
        let _ = aside(&sender, move || {
            let version = peer.version(limit);
            (peer, version)
        });
    }
    receiver
}

/// Why a member gave no version. That one is silent altogether is said elsewhere.
fn without_version(peer: &Peer, error: &CallError, database: &Database) -> Option<Note> {
    let help = match error {
        CallError::Silent(_) if matches!(database, Database::Silent(_)) => return None,
        CallError::Silent(_) | CallError::NotAsked(_) => {
            "see whether httpd.webservices runs there, and whether TCP 9090 leads there from here"
        }
        CallError::Untrusted(_) => "`pfcluster conflict` says how to accept it, if it is the member's",
        CallError::Answer(_) => "`pfcluster conflict` asks it again, also as another user",
    };
    let message = format!("{} ({}) did not report a version of its configuration: {error}", peer.name, peer.address);
    Some(Note { message, help: help.to_owned() })
}

// Databases -----------------------------------------------------------------------------------------------------------

/// The databases of these members, in order.
fn databases(
    question: &Question<'_>,
    members: &[&Member],
    resolve: &dyn Fn(&str) -> Option<Hostname>,
    deadline: Instant,
) -> Vec<Database> {
    let (sender, receiver) = mpsc::channel();
    let silent = || Database::Silent(format!("no answer within {} s", question.limit.as_secs()).into());
    let mut databases = Vec::new();
    for (number, member) in members.iter().enumerate() {
        databases.push(match probe(question, member) {
            Err(why) => Database::NotAsked(why.into()),
            Ok(probe) => {
                let limit = question.limit;
                match aside(&sender, move || (number, probe.ask(limit))) {
                    Ok(()) => silent(),
                    Err(error) => Database::NotAsked(files::plain(&error).into()),
                }
            }
        });
    }
    // With the last thread its answers end.
    drop(sender);
    for (number, heard) in until(&receiver, deadline) {
        databases[number] = database(heard, resolve);
    }
    databases
}

/// A question to one database, which a thread can take along.
enum Probe {
    /// This machine's, as the machine itself can ask; the other way, if there is one, where it is not let in.
    Own(Box<Settings>, Option<(Ipv4Addr, Account)>),
    Peer(Ipv4Addr, Account),
}

fn probe(question: &Question<'_>, member: &Member) -> Result<Probe, String> {
    if !question.in_database.contains(&member.host) {
        return Err("its zone has another database".to_owned());
    }
    let address = member.addresses.management_ip.map(|ip| ip.value);
    let over_tcp = address.zip(question.account.cloned());
    match (question.settings, over_tcp) {
        (Some(settings), over_tcp) if member.host == *question.me => {
            Ok(Probe::Own(Box::new(settings.clone()), over_tcp))
        }
        (_, Some((address, account))) => Ok(Probe::Peer(address, account)),
        (_, None) if address.is_none() => Err("cluster.conf has no address for it".to_owned()),
        (_, None) => Err("there is no account to ask with (`pfcluster doctor monitoring-account`)".to_owned()),
    }
}

/// What was heard of a database.
enum Heard {
    Answer(Answer),
    Stopped,
}

impl Probe {
    fn ask(self, limit: Duration) -> Heard {
        let started = Instant::now();
        match self {
            Probe::Peer(address, account) => Heard::Answer(ask_peer(address, &account, limit)),
            Probe::Own(settings, over_tcp) => match (ask(&settings, limit), over_tcp) {
                (Answer::Refused(why), Some((address, account))) => {
                    match ask_peer(address, &account, limit.saturating_sub(started.elapsed())) {
                        // It listens on its socket only.
                        Answer::NoServer => Heard::Answer(Answer::Refused(why)),
                        answer => Heard::Answer(answer),
                    }
                }
                (Answer::NoServer, _) if presence(&settings) == Presence::None => Heard::Stopped,
                (answer, _) => Heard::Answer(answer),
            },
        }
    }
}

/// Foreign words are made safe to show here, and no longer than somebody reads.
pub(super) fn safe(text: &str) -> Box<str> {
    const MOST: usize = 200;

    let cut = text.char_indices().nth(MOST).map_or(text, |(end, _)| &text[..end]);
    printable(cut.as_bytes()).into()
}

fn database(heard: Heard, resolve: &dyn Fn(&str) -> Option<Hostname>) -> Database {
    match heard {
        Heard::Stopped => Database::Stopped,
        Heard::Answer(answer) => match answer {
            Answer::Status(said) => server(&said, resolve).unwrap_or_else(|why| Database::Garbled(safe(&why))),
            Answer::Full => Database::Full,
            Answer::NoServer => Database::Closed,
            Answer::Refused(why) => Database::Refused(safe(&why)),
            Answer::Silence(why) => Database::Silent(safe(&why)),
            Answer::Another(datadir) => Database::Garbled(safe(&format!(
                "the server on the socket has another data directory, {}: name the right one with `--datadir DIR` or \
                 `--socket FILE`",
                datadir.display()
            ))),
        },
    }
}

fn server(said: &Said, resolve: &dyn Fn(&str) -> Option<Hostname>) -> Result<Database, String> {
    let galera = match WsrepStatus::from_rows(said.rows()) {
        Ok(status) => {
            let mut galera = Galera::of(&status, resolve);
            galera.running.sees_others = galera.running.sees_others.iter().map(|other| safe(other)).collect();
            Some(galera)
        }
        Err(StatusError::NotGalera) => None,
        Err(error) => return Err(error.to_string()),
    };
    let connections = said.connections().zip(said.max_connections).map(|(used, max)| Connections { used, max });
    Ok(Database::Running(Box::new(Server { galera, connections })))
}

fn member_status(question: &Question<'_>, member: &Member, database: Database, notes: &mut Vec<Note>) -> MemberStatus {
    let mut status = MemberStatus {
        seen: Seen {
            host: member.host.clone(),
            enabled: !question.disabled.contains(&member.host),
            in_database: question.in_database.contains(&member.host),
            maintenance: None,
            database,
            configuration: None,
        },
        address: member.addresses.management_ip.map(|ip| ip.value),
        supervisor: None,
        last_backup: LastBackup::Unknown,
    };
    if member.host == *question.me {
        let mut note = |message: String| notes.push(Note { message, help: "run it as root".to_owned() });
        let flag = question.root.file(FLAG_FILE);
        match marks::is_set(&flag) {
            Ok(is_set) => status.seen.maintenance = Some(is_set),
            Err(error) => note(format!("cannot read {}: {}", flag.display(), files::plain(&error))),
        }
        match own_configuration(question) {
            Ok(configuration) => status.seen.configuration = configuration,
            Err(why) => note(why),
        }
        match backup::last(question.backups) {
            Ok(backup) => status.last_backup = backup.into(),
            Err(why) => note(why),
        }
    }
    status
}

/// `None` if PacketFence has written none yet.
fn own_configuration(question: &Question<'_>) -> Result<Option<Reply>, String> {
    let is_new = question.version >= PfVersion::new(12, 0);
    let name = if is_new { "var/conf/config_version" } else { "var/config_version" };
    let text = question.root.read(name).map_err(|error| error.to_string())?;
    Ok(text.map(|text| Reply::of_text(&String::from_utf8_lossy(&text))))
}

/// The virtual addresses, as far as this machine tells. Whether others hold one their supervisors know.
fn vips(question: &Question<'_>) -> Vec<Vip> {
    let own = machine::own_addresses();
    let mut vips = Vec::new();
    for zone in question.cluster.zones() {
        let sharing =
            || zone.members.iter().map(|member| &member.host).filter(|host| !question.disabled.contains(*host));
        let asks = sharing().any(|host| host == question.me);
        for interface in zone.vips.iter().flat_map(|vips| &vips.interfaces) {
            let Some(address) = interface.ip.map(|ip| ip.value) else { continue };
            let holds = own.as_ref().filter(|_| asks).map(|own| own.contains(&address));
            let holder = Holder { host: question.me.clone(), since: None };
            vips.push(Vip {
                interface: interface.name,
                address,
                holders: if holds == Some(true) { vec![holder] } else { Vec::new() },
                unknown: sharing().filter(|host| holds.is_none() || *host != question.me).cloned().collect(),
            });
        }
    }
    vips
}
