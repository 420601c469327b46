//! Which members serve together.

use super::{Reason, Seen};
use crate::cluster::Hostname;
use crate::galera::Uuid;
use crate::quorum::{Voter, Weight, what_if};

/// Members that serve together, as far as they were seen.
pub(super) struct Component {
    /// Those that answered, in order.
    pub(super) members: Vec<Hostname>,
    uuid: Option<Uuid>,
    /// One of them says clearly whom it sees.
    is_clear: bool,
}

/// The components that serve, in order of their first members.
pub(super) fn components(counted: &[&Seen]) -> Vec<Component> {
    let serving = || counted.iter().filter(|member| member.database.serves());
    // Whoever sees another is in its component, so one pass over those that were found before is enough for each.
    let mut found: Vec<Vec<&Seen>> = Vec::new();
    for member in serving() {
        let (mut together, apart): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|others| others.iter().any(|other| are_together(member, other)));
        found = apart;
        found.push(together.drain(..).flatten().chain([*member]).collect());
    }
    let (clear, unclear): (Vec<Component>, Vec<Component>) =
        found.iter().map(|members| Component::of(counted, members)).partition(|one| one.is_clear);
    let mut components = clear;
    for one in unclear {
        // Who does not say whom it sees may be in any component of its history.
        match components.iter_mut().find(|other| other.uuid == one.uuid) {
            Some(other) => other.take(counted, one),
            None => components.push(one),
        }
    }
    components.sort_by_key(|one| counted.iter().position(|member| one.members.first() == Some(&member.host)));
    components
}

fn are_together(one: &Seen, other: &Seen) -> bool {
    one.database.sees(&other.host) || other.database.sees(&one.host)
}

impl Component {
    fn of(counted: &[&Seen], members: &[&Seen]) -> Component {
        let says_clearly = |member: &&Seen| match member.database.galera() {
            // Nobody is with a server that runs without Galera.
            None => true,
            Some(galera) => galera.running.sees.contains(&member.host) && galera.running.sees_others.is_empty(),
        };
        let hosts: Vec<&Hostname> = members.iter().map(|member| &member.host).collect();
        let in_order = counted.iter().map(|member| &member.host).filter(|host| hosts.contains(host));
        Component {
            members: in_order.cloned().collect(),
            uuid: members.iter().find_map(|member| Some(member.database.galera()?.running.uuid)),
            is_clear: members.iter().any(says_clearly),
        }
    }

    fn take(&mut self, counted: &[&Seen], other: Component) {
        self.members.extend(other.members);
        self.members.sort_by_key(|host| counted.iter().position(|member| member.host == *host));
    }

    /// Who serves, and what may fail next.
    pub(super) fn reason(&self, counted: &[&Seen]) -> Option<Reason> {
        let galera = counted.iter().filter(|member| self.members.contains(&member.host));
        let galera = galera.filter_map(|member| member.database.galera()).max_by_key(|galera| galera.running.size)?;
        let size = galera.running.size;
        // Without a clear list, as with an arbitrator, nobody knows whose vote is whose.
        let is_listed = u32::try_from(galera.running.sees.len()) == Ok(size);
        let weight = galera.weight.is_none_or(|weight| weight == size).then_some(Weight::DEFAULT);
        let voters: Vec<Voter> = galera.running.sees.iter().map(|host| Voter { host: host.clone(), weight }).collect();
        let tolerance = what_if(&voters, &[]).ok().and_then(|answer| answer.before.tolerance);
        let may_crash = tolerance.filter(|_| is_listed && weight.is_some()).map(|tolerance| tolerance.crash_at_once);
        Some(Reason::Serves { members: self.members.clone(), size, may_crash })
    }
}
