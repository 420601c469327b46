//! The servers' networks: zones, names of interfaces, IPv6.

use super::Name;
use super::joining::same_versions;
use crate::runbook::RunbookError;
use crate::runbook::check::{Check, Fact};
use crate::runbook::draft::{Book, CLUSTER_CONF, Draft, PF_CONF, others};
use pfcluster_core::cluster::{Hostname, Layout, ZoneName};

/// Since 8.2. The members that are there become a zone; servers elsewhere come later.
pub(super) fn move_to_multi_zone(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let cluster = book.request.cluster;
    if cluster.layout() == Layout::MultiZone {
        return Err(RunbookError::HasZones);
    }
    if !book.is_since(8, 2) {
        return Err(RunbookError::Version { version: book.request.version, what: "zones (they came with 8.2)" });
    }
    let all = book.members();
    let Some(first) = all.first().cloned() else { return Ok(()) };
    let zone = book.request.zone.as_ref().map_or("DC1", ZoneName::as_str);
    let on = [first.clone()];
    book.before("there stays one database and one configuration for all zones; virtual addresses, RADIUS and portal are each zone's own");
    book.before(
        "Galera wants less than 75 ms between all members; if the larger zone is lost, the smaller one is read-only",
    );
    let step = book.step("", "Check that the cluster is healthy", &on);
    step.run("pfcluster status").verify(Check::SameConfiguration { members: all.clone() });

    let step = book.step("", "Write cluster.conf with a zone", &on);
    step.since(8, 2);
    step.keep(CLUSTER_CONF, &format!("{CLUSTER_CONF}.without-zones"))
        .run(format!(
            "{{ printf '[general]\\nmulti_zone=enabled\\n\\n'; sed 's/^\\([[:space:]]*\\)\\[[[:space:]]*/\\1[{zone} /' \
             {CLUSTER_CONF}.without-zones; }} > {CLUSTER_CONF}"
        ))
        .run(format!("pfcluster check {CLUSTER_CONF}"))
        .run(format!("pfcluster show {CLUSTER_CONF}"))
        .warn(format!("every section begins with the zone's name now: [{zone} CLUSTER], [{zone} {first}]; a name of letters and digits only (bug B-07)"))
        .warn("no server may be named like a zone (bug B-08)")
        .back(format!("cp -a {CLUSTER_CONF}.without-zones {CLUSTER_CONF}"))
        .landmark(Check::here(&on, Fact::MultiZone, "yes"));

    let step = book.step("7.2", "Give it to the others, and read it", &on);
    step.run_here("pfcluster sync --as-master --dry-run")
        .run_here("pfcluster sync --as-master")
        .pfcmd("configreload hard")
        .verify(Check::SameConfiguration { members: all.clone() });
    let rest = others(&all, &on);
    if !rest.is_empty() {
        book.step("7.2", "Reload the configuration", &rest).pfcmd("configreload hard").landmark(Check::here(
            &rest,
            Fact::MultiZone,
            "yes",
        ));
        same_versions(book, &first, &all);
    }
    let step = book.step("", "Restart PacketFence", &all);
    step.one_by_one().restart_pf().pfcmd("service pf status").verify(Check::VirtualAddresses);
    book.step("", "Add the zones' servers", &on)
        .do_it("write `[ZONE CLUSTER]` with its addresses, also for a zone of one server; then `pfcluster runbook add-member HOST --zone ZONE`")
        .do_it("point the network equipment of each zone (RADIUS, CoA, DHCP relays) to the virtual addresses of all zones, its own first")
        .look("the number of databases is odd, over all zones");
    Ok(())
}

/// Guide 8.2.
pub(super) fn rename_interfaces(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let all = book.members();
    let renames = book.request.renames.clone();
    if renames.is_empty() {
        return Err(RunbookError::Renames);
    }
    let on = if book.request.members.is_empty() { all } else { book.named(Name::RenameInterfaces)? };
    book.before("for CentOS 7 and its like, on servers whose names differ (`pfcluster runbook rename-interfaces HOST`); each one restarts: one after the other, each until it is back");
    book.before("have a console at hand: a wrong name cuts the network");
    let scripts = "/etc/sysconfig/network-scripts";
    for host in &on {
        let here = std::slice::from_ref(host);
        let database = book.database_of(host).unwrap_or_default();
        let rest = others(&database, here);
        if !rest.is_empty() {
            book.step("8.2", format!("Check that the others keep quorum without {host}"), here)
                .run("pfcluster status")
                .run(format!("pfcluster quorum --left {host}"))
                .verify(Check::Together { members: rest, only: false });
        }
        let step = book.step("8.2", format!("Turn the system's own names off on {host}"), here);
        step.keep("/etc/default/grub", "/etc/default/grub.with-names")
            .do_it("in /etc/default/grub, put net.ifnames=0 into GRUB_CMDLINE_LINUX, beside what is there")
            .run("grep net.ifnames=0 /etc/default/grub")
            .run("grub2-mkconfig -o /boot/grub2/grub.cfg")
            .back("cp -a /etc/default/grub.with-names /etc/default/grub")
            .back("grub2-mkconfig -o /boot/grub2/grub.cfg");
        let step = book.step("8.2", format!("Rename the interfaces on {host}"), here);
        let kept = format!("{PF_CONF}.with-old-names");
        step.keep(PF_CONF, &kept);
        for (old, new) in &renames {
            let (old_script, new_script) = (format!("{scripts}/ifcfg-{old}"), format!("{scripts}/ifcfg-{new}"));
            // Names have no other character that means something to sed.
            let names = format!("s/\\b{}\\b/{new}/g", old.as_str().replace('.', "\\."));
            step.keep(&old_script, &format!("/root/ifcfg-{old}.old"))
                .run_here(&format!("mv -n {old_script} {new_script}"))
                .run_here(&format!("sed -i '{names}' {new_script}"))
                .run_here(&format!("sed -i '{names}' {PF_CONF}"))
                .back(format!("mv {new_script} /root/ifcfg-{new}.new"))
                .back(format!("cp -a /root/ifcfg-{old}.old {old_script}"))
                .here(here, Fact::File(new_script), "yes");
        }
        step.back(format!("cp -a {kept} {PF_CONF}")).instead_of(
            "sed -i.bak in network-scripts",
            "the copy that it leaves there, ifcfg-NAME.bak, is taken for another interface's file",
        );
        let step = restart(book, host, "8.2");
        for (_, new) in &renames {
            step.landmark(Check::here(here, Fact::File(format!("/sys/class/net/{new}")), "yes"));
        }
    }
    Ok(())
}

/// A restart that the cluster does not notice.
fn restart<'b>(book: &'b mut Book<'_>, host: &Hostname, guide: &'static str) -> &'b mut Draft {
    let database = book.database_of(host).unwrap_or_default();
    let step = book.step(guide, format!("Restart {host}"), std::slice::from_ref(host));
    step.run_chain(&["systemctl stop packetfence-mariadb", "reboot"]);
    if !database.is_empty() {
        step.together(&database);
    }
    step.instead_of(
        "reboot (alone)",
        "a database that takes longer to stop than the system waits is killed, and then counts as crashed",
    )
}

/// Guide 8.3.
pub(super) fn disable_ipv6(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let all = book.members();
    let on = if book.request.members.is_empty() { all } else { book.named(Name::DisableIpv6)? };
    let line = "net.ipv6.conf.all.disable_ipv6 = 1";
    let step = book.step("8.3", "Turn IPv6 off, now and at boot", &on);
    step.run(format!("grep -qx '{line}' /etc/sysctl.conf || echo '{line}' >> /etc/sysctl.conf"))
        .run("sysctl -p")
        .here(&on, Fact::Sysctl("net.ipv6.conf.all.disable_ipv6"), "1")
        .back("sed -i '/^net.ipv6.conf.all.disable_ipv6/d' /etc/sysctl.conf")
        .instead_of("the line, appended again and again", "once is enough");
    for host in &on {
        restart(book, host, "8.3")
            .look(format!("`ip -6 -brief address` prints nothing on {host}"))
            .warn("one server after the other, each until its database is synced: restarted together, there is no service")
            .instead_of("reboot on all servers", "it is off already; the restart only shows that it stays off, and can wait for a quiet hour");
    }
    Ok(())
}
