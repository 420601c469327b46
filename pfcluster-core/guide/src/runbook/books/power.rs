//! Down, up, out of service for a while; and backups.

use super::Name;
use super::database::{carry_out, evidence};
use crate::runbook::RunbookError;
use crate::runbook::check::{Check, Expected, Fact};
use crate::runbook::draft::{Book, Draft, address, others};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::and;

/// Guide 6.1.
pub(super) fn shutdown(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let all = book.members();
    if let Some(last) = all.last() {
        book.before(format!("the order is free; write it down: {last}, which leaves last here, comes up first (`pfcluster runbook startup`)"));
    }
    book.before("while a majority stays up, there is nothing to write down: a member that comes back joins by itself");
    for (at, host) in all.iter().enumerate() {
        let rest = &all[at + 1..];
        let database = book.database_of(host).unwrap_or_default();
        let left: Vec<Hostname> = rest.iter().filter(|other| database.contains(other)).cloned().collect();
        let on = std::slice::from_ref(host);
        let previous = at.checked_sub(1).map(|previous| &all[previous]);
        let gone = previous.map(|previous| Ok((previous, address(book.request.cluster, previous)?))).transpose()?;
        let step = book.step("6.1", format!("Shut {host} down"), on);
        if let Some((previous, ip)) = gone {
            step.run(format!("ping -c 3 {ip}")).warn(format!("only when {previous} no longer answers"));
        }
        step.run_chain(&["systemctl stop packetfence-mariadb", "shutdown -h now"]).back_by(format!("switch {host} on"));
        if left.is_empty() {
            step.look(format!("{host} is off"));
        } else {
            step.landmark(Check::Together { members: left, only: true });
        }
        step.instead_of(
            "shutdown -h now (alone)",
            "a database that takes longer to stop than the system waits is killed, and then counts as crashed",
        );
    }
    Ok(())
}

/// Guide 6.2, 4.2, 4.3.
pub(super) fn startup(book: &mut Book<'_>) {
    let all = book.members();
    let mut order = all.clone();
    order.reverse();
    let Some(first) = order.first().cloned() else { return };
    if book.request.supervised {
        start_supervised(book, &all, &order);
        return;
    }
    let database = book.database_of(&first).unwrap_or_else(|_| all.clone());
    book.before(format!(
        "{first} was the last to leave, if `pfcluster runbook shutdown` was followed; if not, the first step tells which one was"
    ));
    book.before("if one of them lives, the others join it by themselves: go on with the second step");
    let step = book.step("4.2, 4.3", "If you don't know which member was the last to leave: find out", &order);
    step.run("ls -l /var/lib/mysql/gvwstate.dat")
        .run("grep safe_to_bootstrap: /var/lib/mysql/grastate.dat")
        .warn("it needs the servers switched on; their databases wait for each other meanwhile")
        .warn("with gvwstate.dat it crashed; with `safe_to_bootstrap: 1` alone among them it was the last to leave, and its database is started first")
        .instead_of(
            "cat /var/lib/mysql/grastate.dat | grep 'safe_to_bootstrap:'",
            "after a crash it says 0 on all of them; what they hold has to be compared, and `pfcluster bootstrap` does that",
        )
        .look(format!("{first} has `safe_to_bootstrap: 1`; if another one has, start with that; if none: `pfcluster runbook power-cut`"));
    let mut up: Vec<Hostname> = Vec::new();
    for host in &order {
        let on = std::slice::from_ref(host);
        up.push(host.clone());
        let step = book.step("6.2", format!("Switch {host} on"), on);
        step.do_it(format!("switch {host} on, and log in by SSH"));
        units(step, on);
        step.run("pfcluster status");
        let members: Vec<Hostname> =
            all.iter().filter(|one| up.contains(one) && database.contains(one)).cloned().collect();
        if database.contains(host) {
            step.verify(Check::Together { members, only: false });
            step.instead_of(
                "show status like 'wsrep%'",
                "`pfcluster status` asks all members at once, and tells what belongs together",
            );
        }
    }
    healthy(book, &first, &all, &database);
}

/// Guide 4.2, 4.3 and 5.2: whatever made the database go down everywhere.
pub(super) fn power_cut(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let all = book.members();
    let Some(first) = all.first().cloned() else { return Ok(()) };
    let database = book.database_of(&first).unwrap_or_else(|_| all.clone());
    book.before(
        "no transaction that a member still has is lost, unless a line that begins with DATA LOSS says so before",
    );
    book.before("a server that can't be switched on: `pfcluster runbook member-missing HOST` instead");
    if book.request.supervised {
        start_supervised(book, &all, &all);
        return Ok(());
    }
    let step = book.step("4.2", "Switch all servers on", &all);
    step.do_it("switch them on, all of them, and log in by SSH");
    let step = book.step("4.2", "Give them two minutes to come up by themselves", std::slice::from_ref(&first));
    step.run("pfcluster status")
        .do_it("if a member's database is primary, or becomes so within two minutes, the others join it by themselves: go on with the last step")
        .added("where all lost power at the same moment, Galera restores their last primary component as soon as all of it are there")
        .look("no member's database is primary");
    book.without_autofix(&database);
    book.step("5.2", "Stop the databases, which wait for each other", &database).stop_waiting_database();
    evidence(book, &database, &first, "", "it says which member is bootstrapped, or which start together, and why")?;
    carry_out(book, &database, &first)?;
    book.with_autofix(&database);
    healthy(book, &first, &all, &database);
    Ok(())
}

/// The units that a server is ready with (guide 6.2.1).
fn units(step: &mut Draft, on: &[Hostname]) {
    let proxy = if step.since(8, 0) { "packetfence-haproxy-db" } else { "packetfence-haproxy" };
    for unit in ["packetfence-mariadb", "packetfence-config", proxy] {
        step.run(format!("systemctl status {unit} --no-pager")).here(on, Fact::Unit(unit), "active");
    }
}

/// Supervisors find out by themselves who begins.
fn start_supervised(book: &mut Book<'_>, all: &[Hostname], order: &[Hostname]) {
    let first = order[0].clone();
    let database = book.database_of(&first).unwrap_or_else(|_| all.to_vec());
    let step = book.step("6.2, 4.2, 4.3", "Switch all of them on", order);
    step.do_it("switch them on, in any order, and log in to one of them by SSH").instead_of(
        "one after the other, the last first",
        "the supervisors compare the state of all members, and start the right one, also after a crash",
    );
    let step = book.step("6.2", "Check what the supervisors do", std::slice::from_ref(&first));
    step.run("pfcluster mariadb status")
        .together(&database)
        .warn("where it waits or refuses, it says for which member, and which override it needs: `pfcluster mariadb allow --help`");
    let step = book.step("6.2", "Check that the services run", order);
    units(step, order);
    healthy(book, &first, all, &database);
}

fn healthy(book: &mut Book<'_>, from: &Hostname, all: &[Hostname], database: &[Hostname]) {
    let step = book.step("6.2", "Check that the cluster is complete", std::slice::from_ref(from));
    step.run("pfcluster status")
        .together(database)
        .verify(Check::VirtualAddresses)
        .verify(Check::SameConfiguration { members: all.to_vec() });
}

/// Guide 5.6.
pub(super) fn maintenance(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let host = book.one(Name::Maintenance)?;
    let database = book.database_of(&host).unwrap_or_default();
    let (on, rest) = ([host.clone()], others(&database, std::slice::from_ref(&host)));
    let step = book.step("5.6", format!("Check that the others keep quorum without {host}"), &on);
    step.run("pfcluster status").run(format!("pfcluster quorum --left {host}"));
    if database.len() > 1 {
        step.together(&database);
        if rest.len() < 2 {
            step.warn(format!("{} is alone then: if it goes, there is no database", and(&rest)));
        }
    }
    let step = book.step("5.6", format!("Take {host} out of service"), &on);
    step.run("pfcluster maintenance")
        .run_here("pfcluster maintenance --activate")
        .landmark(Check::here(&on, Fact::Maintenance, "yes"))
        .verify(Check::Stopped { members: on.to_vec() })
        .here(&on, Fact::BootTarget, "multi-user.target")
        .back("pfcluster maintenance --deactivate")
        .instead_of(
            "/usr/local/pf/bin/cluster/maintenance --activate",
            "where one of its commands fails, it stops there without a word about what is done and what is not (bug B-50)",
        )
        .instead_of(
            "the management member makes a cluster of its own unless it is in maintenance (guide 5.2)",
            "no version does that (bug B-42); since 10.3 one with `safe_to_bootstrap: 1` does (bug B-40), and maintenance keeps it from it",
        );
    if !rest.is_empty() {
        step.verify(Check::Together { members: rest.clone(), only: false });
    }
    book.step("5.6", "Do the work", &on)
        .do_it("it may be restarted as often as needed: nothing of PacketFence starts")
        .look("the work is done");
    let step = book.step("5.6", format!("Bring {host} back"), &on);
    step.run("pfcluster conflict")
        .warn("a start resolves configuration conflicts at once (bug B-14): see `pfcluster conflict` before")
        .run_here("pfcluster maintenance --deactivate")
        .instead_of("/usr/local/pf/bin/cluster/maintenance --deactivate", "it can stop half way without a word as well")
        .here(&on, Fact::Maintenance, "no")
        .here(&on, Fact::BootTarget, "packetfence-cluster.target")
        .back("pfcluster maintenance --activate")
        .verify(Check::VirtualAddresses);
    if !database.is_empty() {
        step.together(&database);
    }
    Ok(())
}

/// Guide 6.3.
pub(super) fn backup(book: &mut Book<'_>) {
    let all = book.members();
    let Some(first) = all.first().cloned() else { return };
    book.before(
        "each night at 00:30 every server does this by itself; the newest is in the last column of `pfcluster status`",
    );
    make_backup(book, &all, "6.3");
    book.step("6.3", "Take them elsewhere", &all)
        .do_it(
            "copy the two newest files of /root/backup to another machine: a disk that fails takes its backups along",
        )
        .look("the files are on another machine, and one of them has been unpacked for a test");
    let database = book.database_of(&first).unwrap_or_default();
    let step = book.step("6.3", "Check that the cluster is complete again", std::slice::from_ref(&first));
    step.run("pfcluster status");
    if !database.is_empty() {
        step.together(&database);
    }
}

/// PacketFence's own program. In a cluster it dumps the database on one member only.
pub(super) fn make_backup(book: &mut Book<'_>, hosts: &[Hostname], guide: &'static str) {
    let step = book.step(guide, "Make backups with PacketFence's own program", hosts);
    let (program, files) = if step.since(14, 0) {
        ("/usr/local/pf/addons/exportable-backup.sh", "packetfence-exportable-backup-DATE.tgz")
    } else {
        (
            "/usr/local/pf/addons/database-backup-and-maintenance.sh",
            "packetfence-db-dump-innobackup-DATE.xbstream.gz (or packetfence-db-dump-DATE.sql.gz) and packetfence-files-dump-DATE.tgz",
        )
    };
    step.one_by_one()
        .run("df -h /root /var/lib/mysql")
        .run(program)
        .run("ls -l /root/backup")
        .warn("the member that dumps the database is desynced meanwhile; it catches up by itself")
        .look(format!("/root/backup has {files} of now, on one member with the database"))
        .verify(Check::Here { hosts: hosts.to_vec(), fact: Fact::BackupAge, expected: Expected::AtMost(24) });
}
