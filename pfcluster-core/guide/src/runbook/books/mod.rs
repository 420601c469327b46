//! The procedures, by theme.

mod database;
mod joining;
mod layout;
mod making;
mod members;
mod power;
mod service;
mod upgrade;

use super::draft::Book;
use super::{Name, RunbookError};

/// How many members cluster.conf must have for it.
pub(super) fn least_members(name: Name) -> usize {
    match name {
        Name::JoinMember
        | Name::RemoveMember
        | Name::MemberMissing
        | Name::ElectMaster
        | Name::SplitBrain
        | Name::FullRecovery
        | Name::Resync
        | Name::Upgrade => 2,
        _ => 1,
    }
}

/// It is about all members, unless some are named.
pub(super) fn takes_members(name: Name) -> bool {
    matches!(name, Name::JoinMember | Name::Upgrade | Name::RenameInterfaces | Name::DisableIpv6)
}

pub(super) fn write(name: Name, book: &mut Book<'_>) -> Result<(), RunbookError> {
    match name {
        Name::CreateCluster => making::create_cluster(book),
        Name::JoinMember => joining::join_member(book)?,
        Name::SecureKeepalived => service::secure_keepalived(book),
        Name::Shutdown => power::shutdown(book)?,
        Name::Startup => power::startup(book),
        Name::PowerCut => power::power_cut(book)?,
        Name::RemoveMember => members::remove_member(book)?,
        Name::AddMember => members::add_member(book)?,
        Name::Resync => service::resync(book)?,
        Name::MemberMissing => database::member_missing(book)?,
        Name::ElectMaster => database::elect_master(book)?,
        Name::SplitBrain => database::split_brain(book)?,
        Name::FullRecovery => database::full_recovery(book)?,
        Name::Maintenance => power::maintenance(book)?,
        Name::Backup => power::backup(book),
        Name::Upgrade => upgrade::upgrade(book)?,
        Name::MaxConnections => database::max_connections(book),
        Name::Dashboards => service::dashboards(book)?,
        Name::MoveToMultiZone => layout::move_to_multi_zone(book)?,
        Name::RenameInterfaces => layout::rename_interfaces(book)?,
        Name::DisableIpv6 => layout::disable_ipv6(book)?,
    }
    Ok(())
}
