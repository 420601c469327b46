//! What `sync` and `conflict` find: this member, the others that it shares its configuration with, and how they are asked.

use std::net::Ipv4Addr;
use std::time::Duration;

use clap::ArgMatches;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::{ConfigVersion, ConflictMonitor, Reply};
use pfcluster_core::installation::Installation;
use pfcluster_core::pf_conf::seconds;
use pfcluster_core::sync::Scope;
use pfcluster_core::version::PfVersion;

use super::connection::{Access, Connection};
use super::gather::gather;
use super::{Global, is_given};
use crate::host::Root;
use crate::host::lock::Lock;
use crate::host::sync::{FILE_LIMIT, Items, Local, MemberReport, Met, Pushed, Sharing, SyncError, now, push, reply_of};
use crate::host::webservices::Patience;
use crate::output::{CommandError, Printer};
use crate::report::conflict::Versions;

/// What the push of another member may take, which moves all files to all members before it answers, unless `--timeout` says
/// otherwise.
const PUSH_LIMIT: Duration = Duration::from_secs(600);

/// This member among those that share one configuration.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) root: Root,
    pub(super) version: PfVersion,
    pub(super) sharing: Sharing,
    /// The virtual management address of the own zone.
    pub(super) vip: Option<Ipv4Addr>,
    /// How long a conflict is left alone.
    pub(super) threshold: Duration,
    pub(super) local: Local,
    pub(super) access: Access,
    /// What a question may take.
    pub(super) limit: Duration,
    /// What calls may take that move files.
    pub(super) patience: Patience,
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
        let sharing = Sharing::of(&installation.cluster, &host, &situation.disabled)?;
        let zone = installation.cluster.zone_of(host.as_str());
        let threshold =
            installation.pf_conf.as_ref().map(|conf| conf.text("active_active", "conflict_resolution_threshold"));
        let root = global.root();
        let access = connection.access(&root, installation.pf_conf.as_ref(), situation.version, printer)?;
        Ok(Scene {
            version: situation.version,
            sharing,
            vip: zone.and_then(|zone| Some(zone.vips.as_ref()?.management_ip?.value)),
            threshold: threshold.and_then(seconds).map_or(ConflictMonitor::THRESHOLD, Duration::from_secs),
            local: Local::open(&root, situation.version)?,
            access,
            limit: global.timeout(),
            patience: Patience::for_each(file_limit(global, matches)),
            push_limit: if is_given(matches, "timeout") { global.timeout() } else { PUSH_LIMIT },
            root,
        })
    }

    /// The versions of all: the own one from the disk, the others' from their web services.
    pub(super) fn ask(&mut self, printer: &mut Printer<'_>) -> Result<Asked, CommandError> {
        let others = self.access.meet(&self.sharing.others(), self.limit, printer)?;
        let own = self.local.version()?;
        let mut answers = others.versions.iter();
        let (mut replies, mut texts): (Vec<(Hostname, Reply)>, Vec<Option<String>>) = Default::default();
        for member in &self.sharing.members {
            let (reply, text) = if member.host == self.sharing.me.host {
                (self.local.reply()?, own.clone())
            } else {
                let answer = answers.next();
                (answer.map_or(Reply::Unreachable, reply_of), answer.and_then(|answer| answer.as_ref().ok().cloned()))
            };
            replies.push((member.host.clone(), reply));
            texts.push(text);
        }
        Ok(Asked { versions: Versions { me: self.sharing.me.host.clone(), now: now(), replies, texts }, others })
    }

    /// The lock that everybody takes who changes the configuration from here.
    pub(super) fn lock(&self) -> Result<Lock, CommandError> {
        Ok(Lock::take(&self.root)?.ok_or(SyncError::Busy)?)
    }

    /// What a push consists of.
    pub(super) fn items(&self, scope: &Scope) -> Result<Items, CommandError> {
        Ok(Items::of(scope, &self.local, self.version)?)
    }

    /// Has the others fetch the items; each that has all of them gets the version. `None`: no version changes.
    pub(super) fn push(
        &mut self,
        items: &Items,
        others: Met,
        version: Option<&ConfigVersion>,
        printer: &mut Printer<'_>,
    ) -> Result<Vec<MemberReport>, CommandError> {
        // The others fetch the files from this member's own web services.
        let me = (self.sharing.me.host.to_string(), self.sharing.me.address);
        let own = self.access.meet(&[me], self.limit, printer)?;
        let Pushed { reports, fine, .. } =
            push(&self.sharing, &self.local, items, &own, others, version, &self.patience)?;
        self.access.remember(&self.root, &fine)?;
        Ok(reports)
    }
}

/// What a call may take that moves a file.
pub(super) fn file_limit(global: &Global, matches: &ArgMatches) -> Duration {
    if is_given(matches, "timeout") { global.timeout() } else { FILE_LIMIT.max(global.timeout()) }
}
