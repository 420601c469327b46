//! Writing a runbook: steps, and what they have in common.

mod database;

use super::check::{Check, Fact};
use super::step::{Action, InsteadOf, Step, Verify, Versions};
use super::{Name, Request, RunbookError};
use crate::maintenance::services_that_count_members;
use pfcluster_core::cluster::{Cluster, Hostname, Member};
use pfcluster_core::command_line::{chain, here, is_for_one_host};
use pfcluster_core::version::PfVersion;

pub(super) const PFCMD: &str = "/usr/local/pf/bin/pfcmd";
pub(super) const PF_CONF: &str = "/usr/local/pf/conf/pf.conf";
pub(super) const CLUSTER_CONF: &str = "/usr/local/pf/conf/cluster.conf";
pub(super) const MONITORING_CNF: &str = "/usr/local/pf/conf/pfcluster-monitoring.cnf";

/// A runbook that is being written.
pub(super) struct Book<'r> {
    pub(super) request: &'r Request<'r>,
    pub(super) before: Vec<String>,
    drafts: Vec<Draft>,
}

impl<'r> Book<'r> {
    pub(super) fn new(request: &'r Request<'r>) -> Book<'r> {
        Book { request, before: Vec::new(), drafts: Vec::new() }
    }

    /// The next step.
    pub(super) fn step(&mut self, guide: &'static str, title: impl Into<String>, on: &[Hostname]) -> &mut Draft {
        let step = Step {
            title: title.into(),
            on: on.to_vec(),
            one_by_one: false,
            actions: Vec::new(),
            verify: Vec::new(),
            warnings: Vec::new(),
            irreversible: None,
            back: Vec::new(),
            instead_of: Vec::new(),
            guide,
            versions: Versions::ALL,
        };
        let (version, supervised) = (self.request.version, self.request.supervised);
        self.drafts.push(Draft { step, version, supervised });
        self.drafts.last_mut().expect("it was just put there")
    }

    pub(super) fn before(&mut self, sentence: impl Into<String>) {
        self.before.push(sentence.into());
    }

    /// Whether the version is this one or later, for steps that others do not have at all.
    pub(super) fn is_since(&self, major: u8, minor: u8) -> bool {
        self.request.version >= PfVersion::new(major, minor)
    }

    pub(super) fn finish(self) -> (Vec<String>, Vec<Step>) {
        (self.before, self.drafts.into_iter().map(|draft| draft.step).collect())
    }

    /// All members, in order.
    pub(super) fn members(&self) -> Vec<Hostname> {
        self.request.cluster.members().map(|member| member.host.clone()).collect()
    }

    /// The members that share the database of `member`.
    pub(super) fn database_of(&self, member: &Hostname) -> Result<Vec<Hostname>, RunbookError> {
        let members = self.request.cluster.database_of(Some(member)).unwrap_or_default();
        let hosts: Vec<Hostname> = members.into_iter().map(|member| member.host.clone()).collect();
        if hosts.contains(member) { Ok(hosts) } else { Err(RunbookError::NotInDatabase(member.clone())) }
    }

    /// The members that it is about, in the order of cluster.conf.
    pub(super) fn named(&self, name: Name) -> Result<Vec<Hostname>, RunbookError> {
        let members = self.members();
        if let Some(stranger) = self.request.members.iter().find(|host| !members.contains(host)) {
            return Err(RunbookError::NotAMember(stranger.clone()));
        }
        let named: Vec<Hostname> = members.into_iter().filter(|host| self.request.members.contains(host)).collect();
        if named.is_empty() { Err(RunbookError::Whom(name)) } else { Ok(named) }
    }

    /// The one member that it is about.
    pub(super) fn one(&self, name: Name) -> Result<Hostname, RunbookError> {
        match &self.named(name)?[..] {
            [one] => Ok(one.clone()),
            _ => Err(RunbookError::OnlyOne(name)),
        }
    }

    /// PacketFence's own repair empties data directories while others repair (bugs B-44, B-45).
    pub(super) fn without_autofix(&mut self, hosts: &[Hostname]) {
        if self.is_since(10, 0) && !self.request.supervised {
            let step = self.step("8.5", "Disable galera-autofix", hosts);
            step.since(10, 0);
            step.run("systemctl disable --now packetfence-galera-autofix")
                .here(hosts, Fact::Unit("packetfence-galera-autofix"), "inactive")
                .back("systemctl enable --now packetfence-galera-autofix")
                .added(
                    "it empties a data directory because some other member is primary, without looking whose \
                                  data are newer",
                );
        }
    }

    pub(super) fn with_autofix(&mut self, hosts: &[Hostname]) {
        if self.is_since(10, 0) && !self.request.supervised {
            let step = self.step("8.5", "Re-enable galera-autofix", hosts);
            step.since(10, 0);
            step.run("systemctl enable --now packetfence-galera-autofix").here(
                hosts,
                Fact::Unit("packetfence-galera-autofix"),
                "active",
            );
        }
    }
}

/// A step that is being written.
pub(super) struct Draft {
    step: Step,
    version: PfVersion,
    pub(super) supervised: bool,
}

impl Draft {
    /// Whether the version is this one or later. That the step depends on it is written down.
    pub(super) fn since(&mut self, major: u8, minor: u8) -> bool {
        let versions = &mut self.step.versions;
        let limit = PfVersion::new(major, minor);
        let is_since = self.version >= limit;
        if is_since {
            versions.from = versions.from.max(limit);
        } else {
            versions.before = Some(versions.before.map_or(limit, |before| before.min(limit)));
        }
        is_since
    }

    pub(super) fn one_by_one(&mut self) -> &mut Draft {
        self.step.one_by_one = self.step.on.len() > 1;
        self
    }

    /// What changes a server does so on the hosts of the step alone.
    pub(super) fn run(&mut self, command: impl Into<String>) -> &mut Draft {
        let command = command.into();
        let command = if is_for_one_host(&command) { here(&self.step.on, &command) } else { command };
        self.step.actions.push(Action::Run { command, only: None });
        self
    }

    /// Only on systems of one kind.
    pub(super) fn run_only(&mut self, only: &'static str, command: impl Into<String>) -> &mut Draft {
        self.run(command);
        if let Some(Action::Run { only: condition, .. }) = self.step.actions.last_mut() {
            *condition = Some(only);
        }
        self
    }

    pub(super) fn pfcmd(&mut self, arguments: &str) -> &mut Draft {
        self.run(format!("{PFCMD} {arguments}"))
    }

    /// A command that would do harm on any other machine: there it does nothing.
    pub(super) fn run_here(&mut self, command: &str) -> &mut Draft {
        self.step.actions.push(Action::Run { command: here(&self.step.on, command), only: None });
        self
    }

    /// Commands of which each runs only if all before it did what they should: one line, for this step's hosts alone.
    pub(super) fn run_chain(&mut self, commands: &[&str]) -> &mut Draft {
        let command = chain(commands);
        self.run_here(&command)
    }

    /// Such a line, only where something holds.
    pub(super) fn run_chain_only(&mut self, only: &'static str, commands: &[&str]) -> &mut Draft {
        self.step.actions.push(Action::Run { command: here(&self.step.on, &chain(commands)), only: Some(only) });
        self
    }

    pub(super) fn sql(&mut self, client: &str, statements: &[impl AsRef<str>]) -> &mut Draft {
        let statements = statements.iter().map(|one| one.as_ref().to_owned()).collect();
        self.step.actions.push(Action::Sql { client: client.to_owned(), statements });
        self
    }

    pub(super) fn edit(&mut self, file: &str, lines: &[impl AsRef<str>]) -> &mut Draft {
        let lines = lines.iter().map(|line| line.as_ref().to_owned()).collect();
        self.step.actions.push(Action::Edit { file: file.to_owned(), lines });
        self
    }

    pub(super) fn do_it(&mut self, what: impl Into<String>) -> &mut Draft {
        self.step.actions.push(Action::Do { what: what.into() });
        self
    }

    pub(super) fn verify(&mut self, check: Check) -> &mut Draft {
        self.step.verify.push(Verify { check, is_landmark: false });
        self
    }

    /// The last check did not hold when the procedure began.
    pub(super) fn reached(&mut self) -> &mut Draft {
        self.step.verify.iter_mut().next_back().into_iter().for_each(|verify| verify.is_landmark = true);
        self
    }

    /// The member has the new version by now, which it did not have when the procedure began.
    pub(super) fn is_upgraded(&mut self, host: &Hostname, to: Option<PfVersion>) -> &mut Draft {
        if let Some(to) = to {
            self.landmark(Check::here(std::slice::from_ref(host), Fact::Release, to.to_string()));
        }
        self
    }

    /// It did not hold when the procedure began.
    pub(super) fn landmark(&mut self, check: Check) -> &mut Draft {
        self.step.verify.push(Verify { check, is_landmark: true });
        self
    }

    pub(super) fn here(&mut self, hosts: &[Hostname], fact: Fact, value: &str) -> &mut Draft {
        self.verify(Check::here(hosts, fact, value))
    }

    pub(super) fn together(&mut self, members: &[Hostname]) -> &mut Draft {
        self.verify(Check::Together { members: members.to_vec(), only: false })
    }

    pub(super) fn look(&mut self, what: impl Into<String>) -> &mut Draft {
        self.verify(Check::Look { what: what.into() })
    }

    pub(super) fn warn(&mut self, sentence: impl Into<String>) -> &mut Draft {
        self.step.warnings.push(sentence.into());
        self
    }

    pub(super) fn irreversible(&mut self, sentence: impl Into<String>) -> &mut Draft {
        self.step.irreversible = Some(sentence.into());
        self
    }

    /// The way back is as dangerous on another machine as the way there.
    pub(super) fn back(&mut self, command: impl Into<String>) -> &mut Draft {
        let command = here(&self.step.on, &command.into());
        self.step.back.push(Action::Run { command, only: None });
        self
    }

    pub(super) fn back_by(&mut self, what: impl Into<String>) -> &mut Draft {
        self.step.back.push(Action::Do { what: what.into() });
        self
    }

    pub(super) fn instead_of(&mut self, original: &str, why: impl Into<String>) -> &mut Draft {
        self.step.instead_of.push(InsteadOf { original: Some(original.to_owned()), why: why.into() });
        self
    }

    /// The original has no such step.
    pub(super) fn added(&mut self, why: impl Into<String>) -> &mut Draft {
        self.step.instead_of.push(InsteadOf { original: None, why: why.into() });
        self
    }

    /// The services that work with the members that they found when they started.
    pub(super) fn restart_counting_services(&mut self) -> &mut Draft {
        for (major, minor) in [(8, 0), (10, 0), (12, 0)] {
            self.since(major, minor);
        }
        let version = self.version;
        for service in services_that_count_members(version) {
            self.pfcmd(&format!("service {service} restart"));
        }
        self
    }

    pub(super) fn restart_pf(&mut self) -> &mut Draft {
        self.pfcmd("service pf restart")
            .warn("a start resolves configuration conflicts at once (bug B-14): the versions must be equal before")
    }

    /// What leads to the database.
    pub(super) fn proxy(&mut self) -> &'static str {
        match (self.since(8, 0), self.since(12, 0)) {
            (_, true) => "proxysql",
            (true, false) => "haproxy-db",
            (false, false) => "haproxy",
        }
    }

    /// The periodic program that has the check of configurations.
    pub(super) fn cron(&mut self) -> &'static str {
        if self.since(10, 2) { "pfcron" } else { "pfmon" }
    }
}

/// A member's management address.
pub(super) fn address(cluster: &Cluster, host: &Hostname) -> Result<std::net::Ipv4Addr, RunbookError> {
    let address = cluster.member(host.as_str()).and_then(|member: &Member| member.addresses.management_ip.as_ref());
    address.map(|address| address.value).ok_or_else(|| RunbookError::NoAddress(host.clone()))
}

/// Those of `all` that are not in `without`.
pub(super) fn others(all: &[Hostname], without: &[Hostname]) -> Vec<Hostname> {
    all.iter().filter(|host| !without.contains(host)).cloned().collect()
}
