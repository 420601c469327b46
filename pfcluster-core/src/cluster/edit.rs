//! Members in and out of cluster.conf: only their own lines change.

use std::net::Ipv4Addr;

use super::{Cluster, Hostname, InterfaceName, ZoneName};
use crate::document::{Document, EditError, NewSection};

/// Why cluster.conf was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberEditError {
    /// The host is not in the file.
    #[error("{0} is not a member of the cluster")]
    NoSuchMember(Hostname),
    /// The host is already in the file.
    #[error("{0} is already a member of the cluster")]
    MemberExists(Hostname),
    /// The zone is not in the file.
    #[error("the cluster has no zone {0}")]
    NoSuchZone(ZoneName),
    /// The cluster has several zones: say which.
    #[error("the cluster has zones: say which one the member belongs to")]
    ZoneNeeded,
    /// The sections can't be written.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// The text of `document` without a member: its section and those of its interfaces are gone. Comments stay.
///
/// # Errors
/// [`MemberEditError`] if it is no member.
pub fn remove_member(document: &Document<'_>, host: &Hostname) -> Result<Vec<u8>, MemberEditError> {
    let cluster = Cluster::from_document(document).value;
    let zone = cluster.zone_of(host.as_str()).ok_or_else(|| MemberEditError::NoSuchMember(host.clone()))?;
    Ok(document.without_sections(&sections_of(document, &cluster.section_name(zone, host.as_str())))?)
}

/// The text of `document` with a new last member of a zone, below the zone's other sections. A single-zone cluster
/// needs no `zone`.
///
/// # Errors
/// [`MemberEditError`] if it is a member already, or the zone is missing.
pub fn add_member(
    document: &Document<'_>,
    zone: Option<&ZoneName>,
    host: &Hostname,
    management_ip: Ipv4Addr,
    interfaces: &[(InterfaceName, Ipv4Addr)],
) -> Result<Vec<u8>, MemberEditError> {
    let cluster = Cluster::from_document(document).value;
    if cluster.member(host.as_str()).is_some() {
        return Err(MemberEditError::MemberExists(host.clone()));
    }
    let zone = match (zone, cluster.zones()) {
        (Some(name), zones) => {
            zones.iter().find(|zone| zone.name == *name).ok_or_else(|| MemberEditError::NoSuchZone(name.clone()))?
        }
        (None, [only]) => only,
        (None, _) => return Err(MemberEditError::ZoneNeeded),
    };
    let owner = zone.members.last().map_or("CLUSTER", |member| member.host.as_str());
    let anchor = sections_of(document, &cluster.section_name(zone, owner)).pop();
    let name = cluster.section_name(zone, host.as_str());
    let mut sections =
        vec![NewSection { name: name.clone(), entries: vec![("management_ip".into(), management_ip.to_string())] }];
    for (interface, address) in interfaces {
        let entries = vec![("ip".into(), address.to_string())];
        sections.push(NewSection { name: format!("{name} interface {interface}"), entries });
    }
    Ok(document.with_sections(anchor, &sections)?)
}

/// The owner's own section and those of its interfaces and networks, in order of the file.
fn sections_of<'s>(document: &Document<'s>, owner: &str) -> Vec<&'s str> {
    let names = document.sections().filter_map(|section| std::str::from_utf8(section.name()).ok());
    let belongs = |name: &&str| name.strip_prefix(owner).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    names.filter(belongs).collect()
}
