//! A server that goes, a server that comes, in a cluster that is in service.

use std::net::Ipv4Addr;

use super::Name;
use super::joining::{join, same_versions};
use super::making::prepare;
use crate::runbook::RunbookError;
use crate::runbook::check::{Check, Fact};
use crate::runbook::draft::{Book, CLUSTER_CONF, address, others};
use pfcluster_core::cluster::{Cluster, Hostname, InterfaceName, Zone};
use pfcluster_core::decision::and;

/// Guide 7.1.
pub(super) fn remove_member(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let (gone, all) = (book.one(Name::RemoveMember)?, book.members());
    let on_gone = [gone.clone()];
    let rest = others(&all, &on_gone);
    let keeper = [rest[0].clone()];
    let in_database = book.database_of(&gone).unwrap_or_default();
    let database = others(&in_database, &on_gone);
    if database.len().is_multiple_of(2) && !database.is_empty() {
        book.before(format!(
            "{} databases are left, an even number: in a split into equal halves neither side has quorum. Add a member, or remove another \
             one",
            database.len()
        ));
    }
    book.before(format!("a backup that is not on {gone}: `pfcluster runbook backup`"));
    if database.len() < in_database.len() && !database.is_empty() {
        book.step("7.1", format!("Check that the others keep quorum without {gone}"), &keeper)
            .run("pfcluster status")
            .run(format!("pfcluster quorum --left {gone}"))
            .together(&database);
    }

    let step = book.step("7.1", format!("Stop PacketFence and the database on {gone}"), &on_gone);
    step.run_here("/usr/local/pf/bin/pfcmd service pf stop").stop_database();
    step.run_here("systemctl set-default multi-user.target")
        .back("systemctl set-default packetfence-cluster.target")
        .back("/usr/local/pf/bin/pfcmd service pf start")
        .instead_of(
            "shutdown -h now (alone)",
            "switched on again one day, the server would come up with the old cluster.conf, take virtual addresses and join the \
             database; and one that loses power on its way down counts as crashed",
        );
    if !database.is_empty() {
        step.landmark(Check::Together { members: database.clone(), only: true });
    }

    let step = book.step("7.1", format!("Switch {gone} off"), &on_gone);
    step.run_here("shutdown -h now").back_by(format!("switch {gone} on")).look(format!("{gone} is off"));

    let sections = sections(book, &gone);
    let step = book.step("7.1", format!("Take {gone} out of cluster.conf"), &keeper);
    step.keep(CLUSTER_CONF, &format!("{CLUSTER_CONF}.with-{gone}"))
        .do_it(format!("delete these sections, with what is below each: {}", sections.join(" ")))
        .run(format!("pfcluster check {CLUSTER_CONF}"))
        .warn(format!(
            "from here on `pfcluster runbook` knows {gone} from the file that was kept only: `pfcluster runbook remove-member {gone} --cluster-conf \
             {CLUSTER_CONF}.with-{gone} --root /usr/local/pf`"
        ))
        .back(format!("mv {CLUSTER_CONF}.with-{gone} {CLUSTER_CONF}"))
        .landmark(Check::here(&keeper, Fact::Member(gone.clone()), "no"));

    spread(book, &keeper[0], &rest);
    let step = book.step("7.1", "Restart PacketFence, so that it works with those that are left", &rest);
    step.one_by_one().restart_pf().pfcmd("service pf status").verify(Check::VirtualAddresses);
    if !database.is_empty() {
        step.together(&database);
    }
    if book.request.supervised && database.len() > 1 {
        change_key(book, &gone, &keeper);
    }
    Ok(())
}

/// The disk of the member that is gone has the key, and its copies may.
fn change_key(book: &mut Book<'_>, gone: &Hostname, keeper: &[Hostname]) {
    let step = book.step("", format!("Change the key of the supervisors, which {gone} still has"), keeper);
    step.run_here("pfcluster key rotate")
        .run_here("pfcluster sync --as-master")
        .run("pfcluster mariadb status")
        .do_it("go on when that says that all members accept the next key: within seconds where their supervisors run")
        .run_here("pfcluster key rotate --finish")
        .run_here("pfcluster sync --as-master")
        .warn(
            "the supervisors read the file by themselves; none has to be started again, and the databases don't notice",
        )
        .warn(format!(
            "the own key of {gone} stays pinned, and counts for nothing while {gone} is not a member; on each other member, when \
             its supervisor has read the new cluster.conf: `pfcluster key forget {gone}`"
        ))
        .look("`pfcluster mariadb status` shows one key, and all members' supervisors");
}

/// The names of a member's sections.
fn sections(book: &Book<'_>, host: &Hostname) -> Vec<String> {
    let cluster = book.request.cluster;
    let (zone, member) = (cluster.zone_of(host.as_str()), cluster.member(host.as_str()));
    let name = section_name(cluster, zone, host);
    let interfaces = member.into_iter().flat_map(|member| &member.addresses.interfaces);
    [format!("[{name}]")].into_iter().chain(interfaces.map(|one| format!("[{name} interface {}]", one.name))).collect()
}

/// The name of a member's own section.
fn section_name(cluster: &Cluster, zone: Option<&Zone>, host: &Hostname) -> String {
    zone.map_or_else(|| host.to_string(), |zone| cluster.section_name(zone, host.as_str()))
}

/// A changed cluster.conf goes to all, and all read it, with one version at the end.
fn spread(book: &mut Book<'_>, keeper: &Hostname, rest: &[Hostname]) {
    let on = [keeper.clone()];
    let step = book.step("7.1", "Reload the configuration, and synchronise it to the others", &on);
    step.pfcmd("configreload hard")
        .run_here("pfcluster sync --as-master --dry-run")
        .run_here("pfcluster sync --as-master")
        .instead_of(
            "/usr/local/pf/bin/cluster/sync --as-master",
            "it ends well whatever failed (bug B-32), and peers that got half of it look complete (bug B-15)",
        )
        .verify(Check::SameConfiguration { members: rest.to_vec() });
    let readers = others(rest, &on);
    if !readers.is_empty() {
        book.step("7.1", "Reload the configuration", &readers).pfcmd("configreload hard");
        same_versions(book, keeper, rest);
    }
}

/// Guide 3.4.2 and 3.5, beside members that are in service.
pub(super) fn add_member(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let [new] = &book.request.members[..] else {
        let is_missing = book.request.members.is_empty();
        return Err(if is_missing {
            RunbookError::Whom(Name::AddMember)
        } else {
            RunbookError::OnlyOne(Name::AddMember)
        });
    };
    let new = new.clone();
    let rest = others(&book.members(), std::slice::from_ref(&new));
    let Some(keeper) = rest.first().cloned() else { return Err(RunbookError::NobodyLeft(Name::AddMember)) };
    let (on_new, on_keeper) = ([new.clone()], [keeper.clone()]);
    let (own, lines) = new_sections(book, &new, &keeper)?;
    let mut all = rest.clone();
    all.push(new.clone());
    let database = book.database_of(&keeper)?;
    let database = others(&database, &on_new);
    if database.len() % 2 == 1 {
        book.before(format!(
            "this makes {} databases, an even number: in a split into equal halves neither side has quorum. Add two",
            database.len() + 1
        ));
    }
    book.before(format!(
        "a backup: `pfcluster runbook backup`; {new} has PacketFence {} and pfcluster",
        book.request.version
    ));
    book.step("3.5.3", "Check that the cluster is healthy (do not join a degraded one)", &on_keeper)
        .run("pfcluster status")
        .together(&database);
    prepare(book, &on_new);
    let step = book.step("3.4.2", format!("Write {new} into cluster.conf, below the others"), &on_keeper);
    step.keep(CLUSTER_CONF, &format!("{CLUSTER_CONF}.without-{new}"))
        .edit(CLUSTER_CONF, &lines)
        .run(format!("pfcluster check {CLUSTER_CONF}"))
        .back(format!("mv {CLUSTER_CONF}.without-{new} {CLUSTER_CONF}"))
        .warn("below all others of its zone: the order of the members is meaning, priorities follow from it")
        .verify(Check::here(&on_keeper, Fact::Member(new.clone()), "yes"));
    let step = book.step("7.2", "Reload the configuration, and synchronise it to the others", &on_keeper);
    step.pfcmd("configreload hard")
        .run_here("pfcluster sync --as-master")
        .warn(format!("{new} does not answer yet, and is named as failed: that is right; any other name is not"))
        .verify(Check::SameConfiguration { members: rest.clone() });
    let readers = others(&rest, &on_keeper);
    if !readers.is_empty() {
        book.step("7.2", "Reload the configuration", &readers).pfcmd("configreload hard");
    }
    book.step("3.5", format!("Restart the services that count members, so that they know {new}"), &rest)
        .one_by_one()
        .restart_counting_services()
        .verify(Check::VirtualAddresses);
    join(book, &keeper, &new, own, &database)?;
    same_versions(book, &keeper, &all);
    let step = book.step("3.5.4", format!("Start PacketFence on {new}"), &on_new);
    step.run("systemctl set-default packetfence-cluster.target")
        .restart_pf()
        .pfcmd("service pf status")
        .here(&on_new, Fact::BootTarget, "packetfence-cluster.target")
        .look(format!("{new} has joined the domains that you use, and `pfcluster quorum` counts {}", and(&all)));
    Ok(())
}

/// The management address of the new member, and its sections.
fn new_sections(book: &Book<'_>, new: &Hostname, keeper: &Hostname) -> Result<(Ipv4Addr, Vec<String>), RunbookError> {
    let (cluster, request) = (book.request.cluster, book.request);
    let zone = match &request.zone {
        Some(name) => {
            let found = cluster.zones().iter().find(|zone| zone.name == *name);
            Some(found.ok_or_else(|| RunbookError::NoSuchZone(name.clone()))?)
        }
        None => cluster.zone_of(keeper.as_str()),
    };
    // The members that are there have what the new one is to have.
    let like = zone.and_then(|zone| zone.members.iter().find(|member| member.host != *new));
    let Some(like) = like.or_else(|| cluster.member(keeper.as_str())) else {
        return Err(RunbookError::NobodyLeft(Name::AddMember));
    };
    let names: Vec<InterfaceName> = like.addresses.interfaces.iter().map(|one| one.name).collect();
    if let Some((stranger, _)) = request.addresses.iter().find(|(name, _)| !names.contains(name)) {
        return Err(RunbookError::NoSuchInterface(*stranger));
    }
    let listed = cluster.member(new.as_str());
    let address_on = |name: InterfaceName| {
        let given = request.addresses.iter().find(|(given, _)| *given == name).map(|(_, ip)| *ip);
        given.or_else(|| listed?.addresses.interface(name)?.ip.map(|ip| ip.value))
    };
    let (known, missing): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| address_on(*name).is_some());
    let addresses: Vec<_> = known.into_iter().filter_map(|name| Some((name, address_on(name)?))).collect();
    let managed = address(cluster, &like.host)?;
    let is_managed = |name: InterfaceName| {
        like.addresses.interface(name).and_then(|one| one.ip).is_some_and(|ip| ip.value == managed)
    };
    let own = addresses.iter().find(|(name, _)| is_managed(*name)).or(addresses.first()).map(|(_, ip)| *ip);
    let Some(own) = own.filter(|_| missing.is_empty()) else { return Err(RunbookError::Addresses(missing)) };
    let name = section_name(cluster, zone, new);
    let mut lines = vec![format!("[{name}]"), format!("management_ip={own}")];
    for (interface, ip) in addresses {
        lines.extend([format!("[{name} interface {interface}]"), format!("ip={ip}")]);
    }
    Ok((own, lines))
}
