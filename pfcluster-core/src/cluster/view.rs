//! The cluster as one member sees it: which members it counts, and what follows from its place among them.
//!
//! A member disables others by itself (`bin/cluster/node HOST disable`), so two members can see two clusters.

use std::collections::BTreeSet;

use super::{Cluster, Hostname, Member, Zone};
use crate::version::PfVersion;

/// What one member makes of the cluster.
#[derive(Clone, Copy, Debug)]
pub struct View<'c> {
    cluster: &'c Cluster,
    zone: &'c Zone,
    me: &'c Member,
    disabled: &'c BTreeSet<Hostname>,
}

/// The host is not in cluster.conf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a member of the cluster")]
pub struct NotAMember(pub Hostname);

/// Why it can't be said which members share the database that is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDatabase {
    /// Each zone has one of its own, and whoever asks is in none of them.
    #[error("each zone has a database of its own (`zone_dbs_only`)")]
    Several,
    /// There is none.
    #[error("no member has a part in the database")]
    Nobody,
}

/// A kind of virtual address, as far as VRRP priorities differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Vip {
    /// Of the management interface.
    Management,
    /// Of an interface of type `radius`.
    Radius,
    /// Of any other interface (registration, isolation, portal).
    Registration,
}

impl Cluster {
    /// The cluster as `host` sees it, while it counts the members in `disabled` out.
    ///
    /// # Errors
    /// [`NotAMember`] if the host is not in cluster.conf.
    pub fn seen_by<'c>(&'c self, host: &Hostname, disabled: &'c BTreeSet<Hostname>) -> Result<View<'c>, NotAMember> {
        match (self.zone_of(host.as_str()), self.member(host.as_str())) {
            (Some(zone), Some(me)) => Ok(View { cluster: self, zone, me, disabled }),
            _ => Err(NotAMember(host.clone())),
        }
    }

    /// The members that share the database that `me` has a part in, whether they are enabled or not. Any other host may ask
    /// as well, as long as there is only one database.
    ///
    /// # Errors
    /// [`NoDatabase`] if there is none, or there are several.
    pub fn database_of(&self, me: Option<&Hostname>) -> Result<Vec<&Member>, NoDatabase> {
        let own = me.filter(|me| self.member(me.as_str()).is_some());
        let mut with_database = self.zones.iter().filter(|zone| !zone.database.is_slave() && !zone.members.is_empty());
        let first = with_database.next().and_then(|zone| zone.members.first()).map(|member| &member.host);
        if own.is_none() && self.zone_dbs_only && with_database.next().is_some() {
            return Err(NoDatabase::Several);
        }
        let nobody = BTreeSet::new();
        let view = own.or(first).and_then(|host| self.seen_by(host, &nobody).ok());
        let hosts: Vec<&str> =
            view.iter().flat_map(|view| view.database_members()).map(|one| one.host.as_str()).collect();
        if hosts.is_empty() {
            Err(NoDatabase::Nobody)
        } else {
            Ok(hosts.into_iter().filter_map(|host| self.member(host)).collect())
        }
    }
}

impl<'c> View<'c> {
    /// The member that looks.
    pub fn me(self) -> &'c Member {
        self.me
    }

    /// Its zone.
    pub fn zone(self) -> &'c Zone {
        self.zone
    }

    /// True if this member counts `member` in.
    pub fn is_enabled(self, member: &Member) -> bool {
        !self.disabled.contains(&member.host)
    }

    /// Enabled members of the own zone: those that share virtual addresses, RADIUS and the portal.
    pub fn zone_members(self) -> impl Iterator<Item = &'c Member> {
        self.zone.members.iter().filter(move |member| self.is_enabled(member))
    }

    /// Enabled members of all zones: those that share one configuration.
    pub fn configuration_members(self) -> impl Iterator<Item = &'c Member> {
        self.cluster.members().filter(move |member| self.is_enabled(member))
    }

    /// Enabled members that share one Galera database: those of all zones, without the zones that only follow
    /// (`masterslavemode=SLAVE`); of the own zone only with `zone_dbs_only`.
    pub fn database_members(self) -> impl Iterator<Item = &'c Member> {
        let in_reach = move |zone: &&Zone| !self.cluster.zone_dbs_only || zone.name == self.zone.name;
        let zones = self.cluster.zones.iter().filter(in_reach).filter(|zone| !zone.database.is_slave());
        zones.flat_map(|zone| &zone.members).filter(move |member| self.is_enabled(member))
    }

    /// The database servers in the order in which HAProxy prefers them: the last of cluster.conf first, so that the
    /// member that holds the management address is not also the one that all queries go to.
    pub fn database_order(self) -> Vec<&'c Member> {
        let mut members: Vec<_> = self.database_members().collect();
        members.reverse();
        members
    }

    /// The place of this member among the enabled ones of its zone, from 0; `None` if it is disabled itself.
    ///
    /// (PacketFence computes -1 then, and takes the identity of the last server.)
    pub fn index(self) -> Option<usize> {
        self.index_of(self.me)
    }

    /// The place of a member among the enabled ones of the own zone, from 0.
    pub fn index_of(self, member: &Member) -> Option<usize> {
        self.zone_members().position(|other| other.host == member.host)
    }

    /// The VRRP priority of a member (of the own zone) for a virtual address: the highest holds it. `None` if disabled.
    ///
    /// Up to version 9 it is 100 - index everywhere. Later the registration addresses prefer the second server, so that
    /// the load is spread, unless `centralize_vips` (11.2 and later) keeps them together.
    pub fn vrrp_priority(self, member: &Member, vip: Vip, version: PfVersion, centralize_vips: bool) -> Option<i64> {
        let index = i64::try_from(self.index_of(member)?).ok()?;
        let enabled = i64::try_from(self.zone_members().count()).ok()?;
        let follows_index = match vip {
            Vip::Management => true,
            Vip::Radius => version >= PfVersion::new(10, 2),
            Vip::Registration => centralize_vips && version >= PfVersion::new(11, 2),
        };
        let place =
            if follows_index || version < PfVersion::new(10, 0) { index } else { registration_index(index, enabled) };
        Some(100 - place)
    }
}

/// PacketFence's `reg_cluster_index`: the first server comes late, the last one last, the second first.
fn registration_index(index: i64, enabled: i64) -> i64 {
    if index == 0 {
        enabled - 2
    } else if index == enabled - 1 {
        index
    } else {
        index - (enabled - 2)
    }
}
