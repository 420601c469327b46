//! What `sync` and `conflict` find: this member, the others that it shares its configuration with, and how they are asked.

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

use clap::ArgMatches;
use pfcluster_core::cluster::{Hostname, Member};
use pfcluster_core::conflict::{ConfigVersion, ConflictMonitor, Reply};
use pfcluster_core::installation::Installation;
use pfcluster_core::pf_conf::seconds;
use pfcluster_core::sync::{Item, Scope, push_items};
use pfcluster_core::version::PfVersion;

use super::connection::{Access, Connection, Met};
use super::gather::gather;
use super::{Global, is_given};
use crate::host::Root;
use crate::host::lock::Lock;
use crate::host::sync::{
    Local, Me, MemberReport, Peer, compare, push, refresh, refuse_versions, reply_of, set_versions,
};
use crate::host::webservices::CallError;
use crate::report::conflict::Versions;
use crate::run::{CommandError, Printer};

/// What a call may take that moves a file, unless `--timeout` says otherwise.
const FILE_LIMIT: Duration = Duration::from_secs(60);

/// The same for the push of another member, which moves all files to all members before it answers.
const PUSH_LIMIT: Duration = Duration::from_secs(600);

/// This member among those that share one configuration.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) root: Root,
    pub(super) version: PfVersion,
    pub(super) me: Me,
    /// All enabled members, in order, this one among them.
    members: Vec<Me>,
    /// The virtual management address of the own zone.
    pub(super) vip: Option<Ipv4Addr>,
    /// How long a conflict is left alone.
    pub(super) threshold: Duration,
    pub(super) local: Local,
    pub(super) access: Access,
    /// What a question may take.
    pub(super) limit: Duration,
    /// What a call may take that moves a file.
    pub(super) file_limit: Duration,
    /// What another member's push may take.
    pub(super) push_limit: Duration,
}

/// What all members said, and their web services.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) versions: Versions,
    /// The others, in order.
    pub(super) others: Met,
}

impl Asked {
    /// Says why members are silent: the answer itself only says that they are.
    pub(super) fn explain(&self, printer: &mut Printer<'_>) -> Result<(), CommandError> {
        for (peer, version) in self.others.peers.iter().zip(&self.others.versions) {
            if let Err(error) = version {
                writeln!(printer.err, "note: {} ({}): {error}", peer.name, peer.address)?;
            }
        }
        Ok(())
    }
}

impl Scene {
    /// Reads the installation.
    pub(super) fn read(
        global: &Global,
        matches: &ArgMatches,
        connection: &Connection,
        printer: &mut Printer<'_>,
    ) -> Result<Scene, CommandError> {
        let gathered = gather(global, matches, None, printer)?;
        let situation = &gathered.situation;
        let installation = Installation::read(gathered.texts(), situation);
        let host = situation.me.as_ref().map_or_else(|| global.host(), |me| Ok(me.clone()))?;
        let view = installation.cluster.seen_by(&host, &situation.disabled).map_err(|error| CommandError::Usage {
            message: error.to_string(),
            help: "name a member with `--host`; `pfcluster show` lists them".to_owned(),
        })?;
        if !view.is_enabled(view.me()) {
            return Err(CommandError::Usage {
                message: format!("{host} is disabled on itself: it would act in the place of another member"),
                help: format!("run `pfcluster node {host} enable`"),
            });
        }
        let members: Vec<Me> = view.configuration_members().map(with_address).collect::<Result<_, _>>()?;
        let me = with_address(view.me())?;
        let threshold =
            installation.pf_conf.as_ref().map(|conf| conf.text("active_active", "conflict_resolution_threshold"));
        let root = global.root();
        let access = connection.access(&root, installation.pf_conf.as_ref(), situation.version, printer)?;
        Ok(Scene {
            version: situation.version,
            members,
            me,
            vip: view.zone().vips.as_ref().and_then(|vips| Some(vips.management_ip?.value)),
            threshold: threshold.and_then(seconds).map_or(ConflictMonitor::THRESHOLD, Duration::from_secs),
            local: Local::open(&root, situation.version)?,
            access,
            limit: global.timeout(),
            file_limit: file_limit(global, matches),
            push_limit: if is_given(matches, "timeout") { global.timeout() } else { PUSH_LIMIT },
            root,
        })
    }

    /// All other enabled members, in order.
    fn others(&self) -> Vec<(String, Ipv4Addr)> {
        let others = self.members.iter().filter(|member| member.host != self.me.host);
        others.map(|member| (member.host.to_string(), member.address)).collect()
    }

    /// The versions of all: the own one from the disk, the others' from their web services.
    pub(super) fn ask(&mut self, printer: &mut Printer<'_>) -> Result<Asked, CommandError> {
        let others = self.access.meet(&self.others(), self.limit, printer)?;
        let own = self.local.version()?;
        let mut answers = others.versions.iter();
        let (mut replies, mut texts): (Vec<(Hostname, Reply)>, Vec<Option<String>>) = Default::default();
        for member in &self.members {
            let (reply, text) = if member.host == self.me.host {
                (self.local.reply()?, own.clone())
            } else {
                let answer = answers.next();
                (answer.map_or(Reply::Unreachable, reply_of), answer.and_then(|answer| answer.as_ref().ok().cloned()))
            };
            replies.push((member.host.clone(), reply));
            texts.push(text);
        }
        Ok(Asked { versions: Versions { me: self.me.host.clone(), now: now(), replies, texts }, others })
    }

    /// The lock that everybody takes who changes the configuration from here.
    pub(super) fn lock(&self) -> Result<Lock, CommandError> {
        lock(&self.root)
    }

    /// What a push consists of: the files that are here, and those that were asked for and are not.
    pub(super) fn items(&self, scope: &Scope) -> Result<(Vec<Item>, Vec<Item>), CommandError> {
        let mut here = Vec::new();
        let mut missing = Vec::new();
        for item in push_items(scope, &self.local.listed_files()?, self.version) {
            match self.local.read(&item.path)? {
                Some(_) => here.push(item),
                None if item.is_asked_for => missing.push(item),
                None => {}
            }
        }
        Ok((here, missing))
    }

    /// This member's own web services: the others fetch the files from them.
    pub(super) fn meet_myself(&mut self, printer: &mut Printer<'_>) -> Result<Met, CommandError> {
        let me = (self.me.host.to_string(), self.me.address);
        let met = self.access.meet(&[me], self.limit, printer)?;
        if let Some(Err(error)) = met.versions.first() {
            return Err(CommandError::Member {
                kind: "member",
                message: format!(
                    "the own web services of {} ({}) are not in order, and the other members fetch the files there: {error}",
                    self.me.host, self.me.address
                ),
                help:
                    "run `/usr/local/pf/bin/pfcmd service httpd.webservices restart`, and see that pf.conf has their \
                       user and password"
                        .to_owned(),
            });
        }
        Ok(met)
    }

    /// Has the others fetch the items; each that has all of them gets the version. `None`: no version changes.
    pub(super) fn push(
        &mut self,
        items: &[Item],
        others: Met,
        version: Option<&ConfigVersion>,
        printer: &mut Printer<'_>,
    ) -> Result<Vec<MemberReport>, CommandError> {
        let myself = self.meet_myself(printer)?;
        let mut reports: Vec<MemberReport> =
            myself.peers.iter().map(|own| refresh(own, items, self.file_limit)).collect();
        let (peers, silent) = others.split();
        let before = self.local.version()?;
        let mut pushed = push(&peers, items, &self.me, self.file_limit);
        match version {
            None => {}
            Some(_) if self.local.version()? != before => refuse_versions(
                &mut pushed,
                "the configuration of the member that pushes was changed meanwhile: push again",
            ),
            Some(version) => {
                let is_new = before.is_none_or(|before| before.parse() != Ok(version.clone()));
                // With nobody who has all of it, a new version here would only make this member the odd one out.
                if is_new && pushed.iter().any(MemberReport::is_fine) {
                    self.local.set_version(version)?;
                }
                set_versions(&peers, &mut pushed, version, self.file_limit);
            }
        }
        let fine = peers.iter().zip(&pushed).filter(|(_, report)| report.is_fine()).map(|(peer, _)| peer);
        self.access.remember(&self.root, fine)?;
        // Of this member only what went wrong.
        reports.retain(|report| !report.files.is_empty());
        reports.extend(self.in_order(pushed, &silent, items));
        Ok(reports)
    }

    /// What a push would change on the others.
    pub(super) fn compare(&self, items: &[Item], others: Met) -> Result<Vec<MemberReport>, CommandError> {
        let (peers, silent) = others.split();
        let compared = compare(&peers, items, &self.local, self.file_limit)?;
        Ok(self.in_order(compared, &silent, items))
    }

    /// With the members that do not answer, in the order of cluster.conf.
    fn in_order(
        &self,
        mut reports: Vec<MemberReport>,
        silent: &[(Peer, CallError)],
        items: &[Item],
    ) -> Vec<MemberReport> {
        reports.extend(silent.iter().map(|(peer, error)| MemberReport::silent(peer, items, error)));
        reports.sort_by_key(|report| self.members.iter().position(|member| member.host.as_str() == report.name));
        reports
    }
}

/// The lock, or who may have it.
pub(super) fn lock(root: &Root) -> Result<Lock, CommandError> {
    Lock::take(root)?.ok_or_else(|| CommandError::Usage {
        message: "another pfcluster changes the configuration from this host just now".to_owned(),
        help: "wait until it is done".to_owned(),
    })
}

/// What a call may take that moves a file.
pub(super) fn file_limit(global: &Global, matches: &ArgMatches) -> Duration {
    if is_given(matches, "timeout") { global.timeout() } else { FILE_LIMIT.max(global.timeout()) }
}

/// The time of day, as the version that a change would give now. `None` if the clock stands before 1970.
pub(super) fn now() -> Option<ConfigVersion> {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    ConfigVersion::at(time).ok()
}

fn with_address(member: &Member) -> Result<Me, CommandError> {
    let Some(address) = member.addresses.management_ip else {
        return Err(CommandError::Usage {
            message: format!("cluster.conf: {} has no management_ip, so it can't be asked", member.host),
            help: "`pfcluster check` shows what is wrong with cluster.conf".to_owned(),
        });
    };
    Ok(Me { host: member.host.clone(), address: address.value })
}
