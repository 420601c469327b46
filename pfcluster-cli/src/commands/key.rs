//! `pfcluster key`: the secret that the supervisors share, and each member's own key.

use clap::{Args, Subcommand};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::supervisor::Fingerprint;
use serde::Deserialize;

use super::Global;
use super::mariadb::{confirmed, no_supervisor, rejected};
use crate::host::supervise::control::{self, Request};
use crate::host::{key, signing};
use crate::output::{CommandError, ExitStatus, Printer};

/// The supervisors' shared key, and each member's own
#[derive(Debug, Args)]
pub(crate) struct Key {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make ROOT/conf/pfcluster.key
    ///
    /// Once, on one member. Then name it in conf/cluster-files.txt, so that `pfcluster sync` brings it to the others. A member's own
    /// key, which never leaves it, is made by its supervisor.
    New {
        /// Make this member's own key instead, /var/lib/pfcluster/signing.key. With `--replace`, the other members drop what it says
        /// until its new key is accepted on each of them (`key accept`)
        #[arg(long)]
        own: bool,
        /// Replace the one that is there. Until all members have the new one, those with different keys don't hear each other:
        /// `rotate` changes it without that
        #[arg(long)]
        replace: bool,
    },
    /// Change the key of a running cluster, in two steps
    ///
    /// First without an option, on one member: a next key is added to ROOT/conf/pfcluster.key. Bring the file to the other members;
    /// their supervisors read it within seconds. Then, when all accept the next key, with `--finish`, and bring the file to the
    /// others again. Members with the file of either step understand each other.
    Rotate {
        /// Take the current key away, when all members are seen to accept the next one
        #[arg(long)]
        finish: bool,
        /// Do not wait for this member: bring the file to it before its supervisor starts again
        #[arg(long, value_name = "HOST", requires = "finish")]
        without: Vec<String>,
    },
    /// Hear a member that has another key of its own than before
    ///
    /// After it was installed anew, or got another key: on each other member, whose supervisors drop until then what is said in its
    /// name. Accepted is the key that is shown now. Compare its id with the one that `pfcluster mariadb status` shows on HOST itself
    /// as its own: a thief of the shared key can show one, too.
    Accept {
        /// The member
        #[arg(value_name = "HOST")]
        member: String,
        /// Accept only the key with this id
        #[arg(long, value_name = "ID")]
        id: Option<Fingerprint>,
        /// Don't ask
        #[arg(short = 'y', long, requires = "id")]
        yes: bool,
    },
    /// Forget the key that is pinned for a host
    ///
    /// After the host was removed from cluster.conf, or renamed in it: on each member. For a member of today `accept` is meant: a key
    /// that is forgotten is followed by the next one that is shown, whose ever that is.
    Forget {
        /// The host, by its whole name
        #[arg(value_name = "HOST")]
        name: Hostname,
        /// Don't ask
        #[arg(short = 'y', long)]
        yes: bool,
    },
}

impl Key {
    pub(super) fn run(&self, global: &Global, printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
        let root = global.root();
        match &self.verb {
            Verb::New { own: true, replace } => {
                let public = signing::create(&global.state_directory, *replace)?.public();
                let path = signing::path(&global.state_directory);
                writeln!(printer.err, "note: {} is new: {}", path.display(), public.fingerprint())?;
                if *replace {
                    writeln!(
                        printer.err,
                        "hint: on each other member: `pfcluster key accept HOST`, with this member's name"
                    )?;
                }
            }
            Verb::Accept { member, id, yes } => return accept(global, member, *id, *yes, printer),
            Verb::Forget { name, yes } => return forget(global, name, *yes, printer),
            Verb::New { own: false, replace } => {
                let path = key::create(&root, *replace)?;
                writeln!(printer.err, "note: {} is new", path.display())?;
                writeln!(
                    printer.err,
                    "hint: name it in {}, so that `pfcluster sync --as-master` brings it to all members",
                    root.file("conf/cluster-files.txt").display()
                )?;
            }
            Verb::Rotate { finish: false, .. } => {
                let ids = key::begin_rotation(&root)?;
                let next = ids.next.map(|id| id.to_string()).unwrap_or_default();
                writeln!(printer.err, "note: {next} is the next key, {} is still in use", ids.current)?;
                writeln!(
                    printer.err,
                    "hint: bring {} to the other members (`pfcluster sync --as-master`); when `pfcluster mariadb status` shows \
                     that all accept it: `pfcluster key rotate --finish`",
                    key::path(&root).display()
                )?;
            }
            Verb::Rotate { finish: true, without } => {
                let keys = key::read(&root)?;
                let Some(next) = keys.ids().next else {
                    return Err(CommandError::Usage {
                        message: "no rotation has begun: there is no next key".to_owned(),
                        help: "begin one with `pfcluster key rotate`".to_owned(),
                    });
                };
                let members = members(global)?;
                let without = without.iter().map(|name| Ok(named(members.clone(), name)?.host));
                let without: Vec<String> = without.collect::<Result<_, CommandError>>()?;
                let mut missing = not_accepting(members, &next.to_string());
                missing.retain(|host| !without.contains(host));
                if !missing.is_empty() {
                    return Err(CommandError::Usage {
                        message: format!("{} not seen to accept the next key {next}", missing.join(", ")),
                        help: "bring the file to it and check that its supervisor runs; or name a member to which you will \
                               bring it by hand: `--without HOST`"
                            .to_owned(),
                    });
                }
                key::finish_rotation(&root, next)?;
                writeln!(printer.err, "note: {next} is the only key now")?;
                writeln!(
                    printer.err,
                    "hint: bring {} to the other members again (`pfcluster sync --as-master`)",
                    key::path(&root).display()
                )?;
            }
        }
        Ok(ExitStatus::Fine)
    }
}

fn accept(
    global: &Global,
    name: &str,
    id: Option<Fingerprint>,
    yes: bool,
    printer: &mut Printer<'_>,
) -> Result<ExitStatus, CommandError> {
    let member = named(members(global)?, name)?;
    let host = member.host;
    let nothing = |message: String| CommandError::Usage {
        message,
        help: format!("check that the supervisor of {host} runs; `pfcluster mariadb status` shows the keys"),
    };
    let shown = match (id.map(|id| id.to_string()), &member.refused_keys[..]) {
        (Some(id), keys) if keys.contains(&id) => id,
        (Some(id), _) => return Err(nothing(format!("{host} shows no key {id} that is refused here"))),
        (None, []) => return Err(nothing(format!("{host} shows no key that is refused here"))),
        (None, [one]) => one.clone(),
        (None, keys) => {
            return Err(CommandError::Usage {
                message: format!("several keys are shown in the name of {host}: {}", keys.join(", ")),
                help: format!("name the one that `pfcluster mariadb status` on {host} shows as its own: `--id ID`"),
            });
        }
    };
    if let Some(pinned) = &member.signing_key {
        writeln!(printer.err, "{host} had the key {pinned}")?;
    }
    writeln!(printer.err, "{host} shows the key {shown}")?;
    writeln!(printer.err, "\nOnly if `pfcluster mariadb status` on {host} shows this key as its own, accept it.")?;
    if !yes && !confirmed(name, printer)? {
        writeln!(printer.err, "note: no key was accepted")?;
        return Ok(ExitStatus::No);
    }
    let request = Request::Accept { member: host.clone(), key: shown.clone() };
    let answer = control::ask(&global.run_directory, &request)?.ok_or_else(no_supervisor)?;
    if !answer.is_empty() {
        return Err(rejected(&answer));
    }
    writeln!(printer.err, "note: {host} is heard here with the key {shown} from now on")?;
    Ok(ExitStatus::Fine)
}

fn forget(global: &Global, host: &Hostname, yes: bool, printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
    let pinned = signing::pinned(&global.state_directory, &[])?;
    let Some(key) = pinned.get(host) else {
        let hosts: Vec<&str> = pinned.keys().map(Hostname::as_str).collect();
        return Err(CommandError::Usage {
            message: format!("no key is pinned for {host}"),
            help: if hosts.is_empty() { "none is pinned".to_owned() } else { format!("pinned: {}", hosts.join(", ")) },
        });
    };
    writeln!(printer.err, "{host} had the key {}", key.fingerprint())?;
    writeln!(printer.err, "\nThe next key that is shown in the name of {host} is pinned at first sight.")?;
    if !yes && !confirmed(host.as_str(), printer)? {
        writeln!(printer.err, "note: no key was forgotten")?;
        return Ok(ExitStatus::No);
    }
    match control::ask(&global.run_directory, &Request::Forget { host: host.to_string() })? {
        Some(answer) if !answer.is_empty() => return Err(rejected(&answer)),
        Some(_) => {}
        None => signing::forget(&global.state_directory, host)?,
    }
    writeln!(printer.err, "note: the key of {host} is forgotten here")?;
    Ok(ExitStatus::Fine)
}

/// The member of this name: the whole one, or its first part where no other member has that.
fn named(mut members: Vec<Member>, name: &str) -> Result<Member, CommandError> {
    let is_short = |member: &Member| member.host.split('.').next() == Some(name);
    if members.iter().any(|member| member.host == name) {
        members.retain(|member| member.host == name);
    } else {
        members.retain(is_short);
    }
    match (members.pop(), &members[..]) {
        (Some(member), []) => Ok(member),
        (None, _) => Err(CommandError::Usage {
            message: format!("`{}` is not a member of the database", name.escape_debug()),
            help: "name another member".to_owned(),
        }),
        (Some(last), others) => {
            let hosts: Vec<&str> = others.iter().chain([&last]).map(|member| &*member.host).collect();
            Err(CommandError::Usage {
                message: format!("`{}` is the first part of several names: {}", name.escape_debug(), hosts.join(", ")),
                help: "give the whole name".to_owned(),
            })
        }
    }
}

/// What is needed of schemas/mariadb-status.json.
#[derive(Deserialize)]
struct Status {
    members: Vec<Member>,
}

#[derive(Clone, Deserialize)]
struct Member {
    host: String,
    keys: Option<Ids>,
    signing_key: Option<String>,
    refused_keys: Vec<String>,
}

#[derive(Clone, Deserialize)]
struct Ids {
    current: String,
    next: Option<String>,
}

/// What this machine's supervisor knows of all members.
fn members(global: &Global) -> Result<Vec<Member>, CommandError> {
    let answer = control::ask(&global.run_directory, &Request::Status { json: true })?;
    let answer = answer.ok_or_else(no_supervisor)?;
    let status: Status = serde_json::from_str(&answer).map_err(|error| CommandError::Usage {
        message: format!("the supervisor's answer can't be understood: {error}"),
        help: "is it of another version? restart it".to_owned(),
    })?;
    Ok(status.members)
}

/// The members that this machine's supervisor has not seen to accept a key.
fn not_accepting(members: Vec<Member>, id: &str) -> Vec<String> {
    let accepts = |ids: &Ids| ids.current == id || ids.next.as_deref() == Some(id);
    let missing = members.into_iter().filter(|member| !member.keys.as_ref().is_some_and(accepts));
    missing.map(|member| member.host).collect()
}
