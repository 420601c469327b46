//! Who shares one configuration with this member, and what they say.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use pfcluster_core::cluster::{Cluster, Hostname, Member};

use super::{Peer, SyncError, versions};
use crate::host::webservices::CallError;

/// A member as others know it.
#[derive(Clone, Debug)]
pub struct Me {
    /// Its name.
    pub host: Hostname,
    /// Its management address.
    pub address: Ipv4Addr,
}

/// A member that acts, and those that share its configuration.
#[derive(Clone, Debug)]
pub struct Sharing {
    /// The member that acts.
    pub me: Me,
    /// All enabled members, in order, that one among them.
    pub members: Vec<Me>,
}

impl Sharing {
    /// Those with whom `host` shares its configuration, while it counts the members in `disabled` out.
    ///
    /// # Errors
    /// [`SyncError`] if it may not act, or a member can't be asked.
    pub fn of(cluster: &Cluster, host: &Hostname, disabled: &BTreeSet<Hostname>) -> Result<Sharing, SyncError> {
        let view = cluster.seen_by(host, disabled)?;
        if !view.is_enabled(view.me()) {
            return Err(SyncError::Disabled(host.clone()));
        }
        let members = view.configuration_members().map(with_address).collect::<Result<_, _>>()?;
        Ok(Sharing { me: with_address(view.me())?, members })
    }

    /// All but the one that acts, in order.
    pub fn others(&self) -> Vec<(String, Ipv4Addr)> {
        let others = self.members.iter().filter(|member| member.host != self.me.host);
        others.map(|member| (member.host.to_string(), member.address)).collect()
    }
}

fn with_address(member: &Member) -> Result<Me, SyncError> {
    let address = member.addresses.management_ip.ok_or_else(|| SyncError::NoAddress(member.host.clone()))?;
    Ok(Me { host: member.host.clone(), address: address.value })
}

/// The name of the member with this address, from which `me` is to pull. A server that is about to join has no cluster yet:
/// there, any address will do.
///
/// # Errors
/// [`SyncError`] if it is nobody else's.
pub fn name_of(address: Ipv4Addr, cluster: &Cluster, me: Option<&Hostname>) -> Result<String, SyncError> {
    let has_address = |member: &&Member| member.addresses.management_ip.as_ref().is_some_and(|ip| ip.value == address);
    match cluster.members().find(has_address) {
        Some(member) if Some(&member.host) == me => Err(SyncError::Itself(address)),
        Some(member) => Ok(member.host.to_string()),
        None if !cluster.is_clustered() => Ok(address.to_string()),
        None => Err(SyncError::Stranger(address)),
    }
}

/// Members that were asked for their versions.
#[derive(Debug)]
pub struct Met {
    /// Who was asked.
    pub peers: Vec<Peer>,
    /// What each said, in the same order.
    pub versions: Vec<Result<String, CallError>>,
}

impl Met {
    /// Asks all of them side by side.
    pub fn ask(peers: Vec<Peer>, limit: Duration) -> Met {
        Met { versions: versions(&peers, limit), peers }
    }

    /// The first whose certificate is not known.
    ///
    /// # Errors
    /// [`SyncError::Certificate`] if there is one.
    pub fn all_known(&self) -> Result<(), SyncError> {
        let mut both = self.peers.iter().zip(&self.versions);
        let stranger = both.find_map(|(peer, version)| match version {
            Err(CallError::Untrusted(fingerprint)) => Some((peer, *fingerprint)),
            _ => None,
        });
        stranger.map_or(Ok(()), |(peer, fingerprint)| {
            Err(SyncError::Certificate { name: peer.name.clone(), address: peer.address, fingerprint })
        })
    }

    /// Those that answered, and those that did not.
    pub(super) fn split(self) -> (Vec<Peer>, Vec<(Peer, CallError)>) {
        let (mut answering, mut silent) = (Vec::new(), Vec::new());
        for (peer, version) in self.peers.into_iter().zip(self.versions) {
            match version {
                Ok(_) => answering.push(peer),
                Err(error) => silent.push((peer, error)),
            }
        }
        (answering, silent)
    }
}
