//! The members that share the database, and how people name them.

use std::path::Path;

use pfcluster_core::cluster::{Cluster, Hostname, Member, NoDatabase};
use pfcluster_core::diagnostic::Diagnostics;
use pfcluster_core::installation::Situation;
use pfcluster_core::rule::Severity;

use crate::output::{CommandError, Printer};

/// The members that share the database, and how people name them.
pub(super) struct Names<'c> {
    cluster: &'c Cluster,
    situation: &'c Situation,
    members: Vec<&'c Member>,
}

impl<'c> Names<'c> {
    /// The database that this host has a part in. Any other host may ask as well, as long as there is only one.
    pub(super) fn of(cluster: &'c Cluster, situation: &'c Situation) -> Result<Names<'c>, CommandError> {
        let members = cluster.database_of(situation.me.as_ref()).map_err(|error| {
            let help = match error {
                NoDatabase::Several => "name a member of the zone that you mean with `--host`",
                NoDatabase::Nobody => "`pfcluster show` shows the members, `pfcluster check` what is wrong",
            };
            usage(error.to_string(), help)
        })?;
        Ok(Names { cluster, situation, members })
    }

    /// All of them, in order.
    pub(super) fn hosts(&self) -> impl Iterator<Item = &'c Hostname> {
        self.members.iter().map(|member| &member.host)
    }

    /// Those that this host counts in.
    pub(super) fn enabled(&self) -> impl Iterator<Item = &'c Hostname> {
        self.hosts().filter(|host| !self.situation.disabled.contains(*host))
    }

    /// The members that this host counts out.
    fn disabled(&self) -> impl Iterator<Item = &Hostname> {
        self.cluster.members().map(|member| &member.host).filter(|host| self.situation.disabled.contains(*host))
    }

    /// The member of this name, or the only one whose name begins with it and a dot.
    pub(super) fn find(&self, name: &str) -> Result<Hostname, CommandError> {
        self.find_among(name, &self.hosts().collect::<Vec<_>>())
    }

    /// The same among those that this host counts in.
    fn find_enabled(&self, name: &str) -> Result<Hostname, CommandError> {
        self.find_among(name, &self.enabled().collect::<Vec<_>>())
    }

    /// Several of those that this host counts in: `pf1,pf2.example.com`.
    pub(super) fn list_enabled(&self, list: &str) -> Result<Vec<Hostname>, CommandError> {
        let find = |name: &str| {
            if name.is_empty() {
                let help = "separate names by `,` and groups by `/`, as in `pf1,pf2/pf3`";
                return Err(usage("a host name is missing", help));
            }
            self.find_enabled(name)
        };
        list.split(',').map(|name| find(name.trim())).collect()
    }

    /// Says whom this host counts out, and that `cluster_conf` has errors, if it has: what is malformed is left out, so there
    /// may be fewer members than were meant.
    pub(super) fn tell_missing(
        &self,
        diagnostics: &Diagnostics,
        cluster_conf: Option<&Path>,
        printer: &mut Printer<'_>,
    ) -> Result<(), CommandError> {
        self.disabled().try_for_each(|host| {
            writeln!(printer.err, "note: {host} is disabled on this server, so it does not count")
        })?;
        if diagnostics.count(Severity::Error) > 0 {
            let file = cluster_conf.map(|file| format!(" {}", file.display())).unwrap_or_default();
            writeln!(printer.err, "hint: cluster.conf has errors: see `pfcluster check{file}`")?;
        }
        Ok(())
    }

    fn find_among(&self, name: &str, hosts: &[&Hostname]) -> Result<Hostname, CommandError> {
        named(name, hosts)?.ok_or_else(|| self.unknown(name, hosts))
    }

    fn unknown(&self, name: &str, hosts: &[&Hostname]) -> CommandError {
        const MOST: usize = 10;

        let shown = name.escape_debug();
        let is_named = |host: &Hostname| host.as_str() == name || host.as_str().split('.').next() == Some(name);
        let other = self.cluster.members().map(|member| &member.host).find(|host| is_named(host));
        let message = match other {
            Some(host) if self.situation.disabled.contains(host) => {
                format!("{host} is disabled on this server, so it does not count")
            }
            Some(host) => format!("{host} has no part in this database: its zone has another one"),
            None => format!("`{shown}` is not a member of the cluster"),
        };
        let most: Vec<&str> = hosts.iter().take(MOST).map(|host| host.as_str()).collect();
        let more = if hosts.len() > MOST { ", ..." } else { "" };
        usage(message, format!("the members are {}{more}", most.join(", ")))
    }
}

/// The host of this name, or the only one whose name begins with it and a dot.
pub(super) fn named(name: &str, hosts: &[&Hostname]) -> Result<Option<Hostname>, CommandError> {
    if let Some(host) = hosts.iter().find(|host| host.as_str() == name) {
        return Ok(Some((*host).clone()));
    }
    let begins = |host: &&&Hostname| host.as_str().split('.').next() == Some(name);
    match hosts.iter().filter(begins).collect::<Vec<_>>()[..] {
        [host] => Ok(Some((*host).clone())),
        [] => Ok(None),
        [first, second, ..] => Err(usage(format!("`{name}` may be {first} or {second}"), "give the whole name")),
    }
}

/// Arguments that make no sense, and what does.
pub(super) fn usage(message: impl Into<String>, help: impl Into<String>) -> CommandError {
    CommandError::Usage { message: message.into(), help: help.into() }
}
