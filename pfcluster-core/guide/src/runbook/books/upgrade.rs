//! A new version of PacketFence on all members (guide 8.4), in two orders.

use super::Name;
use super::joining::{receive, same_versions};
use super::power::make_backup;
use crate::runbook::RunbookError;
use crate::runbook::check::{Check, Fact};
use crate::runbook::draft::{Book, Draft, address, others};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::command_line::{dump_once, here};
use pfcluster_core::decision::and;
use pfcluster_core::galera::bootstrap::NO_SERVER;

/// What the members are for in an upgrade.
struct Cast {
    all: Vec<Hostname>,
    /// The guide's C: it is upgraded first.
    first: Hostname,
    /// The guide's A and B.
    rest: Vec<Hostname>,
}

/// Guide 8.4. Both orders begin and end alike.
pub(super) fn upgrade(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let all = book.members();
    let first = if book.request.members.is_empty() { all.last().cloned() } else { Some(book.one(Name::Upgrade)?) };
    let Some(first) = first else { return Err(RunbookError::NobodyLeft(Name::Upgrade)) };
    let database = book.database_of(&first)?;
    let cast = Cast { rest: others(&all, std::slice::from_ref(&first)), all, first };
    book.before("read the upgrade notes of every version on the way (UPGRADE.asciidoc) before you begin, to the end");
    book.before("rehearse it on copies of the machines; the commands are those of the version that runs now, and the notes come first");
    let last = cast.rest.first().unwrap_or(&cast.first);
    book.before(format!(
        "`--to X.Y` (the new version) lets `--verify` tell where you are; run it on {last}, as the first and the last steps look the \
         same on the others"
    ));
    begin(book, &cast, &database);
    if book.request.keeps_quorum {
        with_quorum(book, &cast, &database)?;
    } else {
        apart(book, &cast, &database)?;
    }
    end(book, &cast, &database);
    Ok(())
}

fn begin(book: &mut Book<'_>, cast: &Cast, database: &[Hostname]) {
    book.step(
        "8.4",
        "Check that the cluster is healthy (do not upgrade a degraded one)",
        std::slice::from_ref(&cast.first),
    )
    .run("pfcluster status")
    .verify(Check::Together { members: database.to_vec(), only: true });
    book.step("8.4.1", "Take snapshots of all servers", &cast.all)
        .do_it("with the hypervisor, all of them; without one, backups that can bring a server back")
        .look("each server has a snapshot of today: past \"Start service\" there is no other way back");
    make_backup(book, &cast.all, "8.4.1");
    let step = book.step("8.4.1", "Dump the database, and keep the installation", std::slice::from_ref(&cast.first));
    step.run(dump_once("mysqldump --opt --single-transaction -u root -p pf", "/root/packetfence_db.sql.gz"))
        .run("zcat /root/packetfence_db.sql.gz | tail -n 1")
        .run("tar -C /usr/local -czf /root/packetfence.tar.gz --exclude='pf/logs' --exclude='pf/var' pf")
        .instead_of(
            "mysqldump --opt -u root -p pf | gzip > /root/packetfence_db.sql.gz",
            "it locks the tables one after the other while others write, and a dump that breaks off ends as well as a whole one",
        )
        .instead_of(
            "tar -C /usr/local -czf /root/packetfence.tar.gz pf --exclude='pf/logs' --exclude='pf/var'",
            "newer versions of tar ignore what stands behind the directory",
        )
        .look("the second command prints `-- Dump completed`");
    book.step("8.4.1", "Keep the installation of the others as well", &cast.rest)
        .run("tar -C /usr/local -czf /root/packetfence.tar.gz --exclude='pf/logs' --exclude='pf/var' pf")
        .here(&cast.rest, Fact::File("/root/packetfence.tar.gz".to_owned()), "yes");
    let step = book.step("8.4.2", "Turn the check of configurations off", &cast.all);
    let program = step.cron();
    step.do_it("once, in the web administration: Configuration, System Configuration, Maintenance, Cluster Check; or:")
        .edit(&format!("/usr/local/pf/conf/{program}.conf"), &["[cluster_check]", "status=disabled"])
        .pfcmd(&format!("service {program} restart"))
        .here(&cast.all, Fact::ClusterCheck, "disabled")
        .warn("it is off for the periodic check only: each start of PacketFence still looks, and pushes (bug B-14)")
        .instead_of("maintenance.cluster_check_interval=0", "that key has not been there since 7.0 (bug B-13)")
        .back_by("turn it on again");
    book.without_autofix(&cast.all);
}

/// New packages on these servers, whose services are stopped.
/// The database runs on where `in_cluster`; a `secondary` member gets its configuration from the first one.
fn packages<'b>(
    book: &'b mut Book<'_>,
    on: &[Hostname],
    guide: &'static str,
    in_cluster: bool,
    secondary: bool,
) -> &'b mut Draft {
    let to = book.request.to;
    let step = book.step(guide, format!("Upgrade the system and PacketFence on {}", and(on)), on);
    step.one_by_one().run("systemctl set-default multi-user.target");
    if secondary && step.since(11, 0) {
        step.run("export UPGRADE_CLUSTER_SECONDARY=yes").warn("all of it in one terminal: `export` holds there only");
    }
    step.run_only("on RHEL / CentOS", "yum upgrade --enablerepo=packetfence")
        .run_only("on Debian", "apt-get update")
        .run_only("on Debian", "apt-get dist-upgrade")
        .do_it("restart the server if the packages ask for it (`reboot`)")
        .run("systemctl set-default packetfence-cluster.target")
        .here(on, Fact::BootTarget, "packetfence-cluster.target")
        .back_by("the snapshot")
        .instead_of(
            "set-default only if you restart",
            "a server that restarts by accident would come up with half an upgrade",
        );
    if in_cluster {
        step.run("systemctl start packetfence-config packetfence-mariadb")
            .added("after a restart with multi-user.target, the database does not start by itself");
    }
    match to {
        Some(to) => step.landmark(Check::here(on, Fact::Release, to.to_string())),
        None => step.look("`cat /usr/local/pf/conf/pf-release` has the new version"),
    };
    step
}

/// The guide's order: the first one leaves, alone and with data of its own, and the others join it later.
fn apart(book: &mut Book<'_>, cast: &Cast, database: &[Hostname]) -> Result<(), RunbookError> {
    let (first, rest) = (&cast.first, &cast.rest);
    let on = std::slice::from_ref(first);
    let rest_database = others(database, on);
    detach(book, cast, &rest_database);
    switch_over(book, cast);

    // What the others need in order to be upgraded alone.
    let is_standalone = book.is_since(11, 0);
    for host in rest.iter().filter(|_| is_standalone) {
        let step =
            book.step("8.4.6", format!("Separate {host} from the others for its upgrade"), std::slice::from_ref(host));
        step.since(11, 0);
        for other in rest.iter().filter(|other| *other != host) {
            step.run(format!("pfcluster node {other} disable"));
        }
        step.run("systemctl start packetfence-mariadb")
            .verify(Check::Serves { member: host.clone() })
            .warn("its data are the old ones; they go aside later")
            .added("since 11.0 the packages change the database as well, and fail where it is not there");
    }
    let step = packages(book, rest, "8.4.6", false, true);
    step.warn("not the upgrade notes: configuration and database come from the first one");
    for host in rest {
        take_configuration(book, first, host)?;
    }
    clean_up(book, first);
    rejoin(book, cast, database);
    Ok(())
}

/// The first one is upgraded, and then nobody counts on it, nor it on anybody.
fn detach(book: &mut Book<'_>, cast: &Cast, rest_database: &[Hostname]) {
    let (first, rest) = (&cast.first, &cast.rest);
    let on = std::slice::from_ref(first);
    let step = book.step("8.4.3", format!("Stop PacketFence on {first}"), on);
    step.run_here("/usr/local/pf/bin/pfcmd service pf stop")
        .back("/usr/local/pf/bin/pfcmd service pf start")
        .look(format!("{} answer RADIUS and portal", and(rest)));
    packages(book, on, "8.4.3", true, false)
        .do_it("follow the upgrade notes, but for the database's schema")
        .warn("its database may restart; it goes on with the others'");

    let step = book.step("8.4.4", format!("Work without {first}"), rest);
    step.one_by_one()
        .run(format!("pfcluster node {first} disable"))
        .restart_counting_services()
        .landmark(Check::here(rest, Fact::Counts(first.clone()), "disabled"))
        .warn("each server loses service while its services restart: one after the other, and each until it answers again")
        .back(format!("pfcluster node {first} enable"))
        .instead_of("/usr/local/pf/bin/cluster/node node-C-hostname disable", "it also disables the server that it runs on (bug B-10)");
    if step.since(8, 0) {
        step.instead_of(
            "/usr/local/pf/bin/pfcmd service haproxy restart",
            "there is no such service since 8.0 (bug B-36): it prints its usage, and nothing is restarted",
        );
    }

    let step = book.step("8.4.4", format!("Separate {first} from the others"), on);
    let mut commands: Vec<String> = rest.iter().map(|other| format!("pfcluster node {other} disable")).collect();
    commands.push("systemctl restart packetfence-mariadb".to_owned());
    step.run_chain(&commands.iter().map(String::as_str).collect::<Vec<_>>());
    for other in rest {
        step.back(format!("pfcluster node {other} enable"));
    }
    step.back_by("only if nothing was written there meanwhile: `systemctl restart packetfence-mariadb`; else discard its data, as it rejoins below");
    for other in rest {
        step.landmark(Check::here(on, Fact::Counts(other.clone()), "disabled"));
    }
    step.verify(Check::Serves { member: first.clone() })
        .verify(Check::Together { members: rest_database.to_vec(), only: true })
        .irreversible(format!(
            "what is written on {} from now on, until {first} takes over, will be lost: continue without delay",
            and(rest)
        ));
    let step = book.step("8.4.4", format!("Upgrade the database's schema on {first}"), on);
    if step.since(12, 0) {
        step.run("systemctl start packetfence-proxysql");
    }
    step.do_it("as the upgrade notes say, each version's script in order")
        .pfcmd("checkup")
        .look("the scripts ended without an error");
}

/// The moment without service.
fn switch_over(book: &mut Book<'_>, cast: &Cast) {
    let (first, rest) = (&cast.first, &cast.rest);
    let on = std::slice::from_ref(first);
    let step = book.step("8.4.4", "Stop service on the others", rest);
    step.pfcmd("service pf stop")
        .run("systemctl stop packetfence-mariadb")
        .verify(Check::NobodyServes { members: rest.clone() })
        .warn("from here to the end of the next step there is no service")
        .back("systemctl start packetfence-mariadb")
        .back("/usr/local/pf/bin/pfcmd service pf start");
    let step = book.step("8.4.4, 8.4.5", format!("Start service on {first}"), on);
    step.run_here("/usr/local/pf/bin/pfcmd service pf start")
        .pfcmd("service pf status")
        .look("devices are authenticated, the portal answers, the web administration shows the new version")
        .verify(Check::Serves { member: first.clone() })
        .irreversible("from the next step on, only the snapshots lead back: devices that registered meanwhile are known here only")
        .back("systemctl stop packetfence-mariadb")
        .back("/usr/local/pf/bin/pfcmd service pf stop")
        .back_by(format!(
            "then on {}: `systemctl start packetfence-mariadb`, and `/usr/local/pf/bin/pfcmd service pf start`",
            and(rest)
        ));
}

fn take_configuration(book: &mut Book<'_>, from: &Hostname, host: &Hostname) -> Result<(), RunbookError> {
    let ip = address(book.request.cluster, from)?;
    let step = book.step("8.4.6", format!("Give {host} the configuration of {from}"), std::slice::from_ref(host));
    step.run("systemctl restart packetfence-config")
        .run_here(&format!("pfcluster sync --from {ip} --api-user USER"))
        .pfcmd("configreload hard")
        .instead_of(
            &format!("/usr/local/pf/bin/cluster/sync --from={ip} --api-user=USER --api-password=WEBPASSWORD"),
            "it ends well whatever failed (bug B-32), and leaves half a configuration behind",
        )
        .warn("USER is that of the web services (Configuration, Webservices); the password is asked for")
        .back_by("what was replaced is in /usr/local/pf/var/pfcluster/backup");
    Ok(())
}

/// While PacketFence is stopped, so is what answers the others.
fn exchange(book: &mut Book<'_>, on: &[Hostname]) {
    let step = book.step("8.4.6", "Start the services that exchange the configuration", on);
    let proxy = step.proxy();
    step.pfcmd(&format!("service {proxy} restart")).pfcmd("service httpd.webservices restart");
}

/// Optional: less to copy.
fn clean_up(book: &mut Book<'_>, first: &Hostname) {
    const TABLES: [&str; 4] = ["radius_audit_log", "ip4log_history", "ip4log_archive", "locationlog_archive"];
    let on = std::slice::from_ref(first);
    let archive = "/root/packetfence_archive.sql.gz";
    let step = book.step("8.4.7", "Optional: empty what only reports need, so that less is copied", on);
    let dump = format!("mysqldump --opt --single-transaction -u root -p pf {}", TABLES.join(" "));
    step.run_here(&dump_once(&dump, archive))
        .run(format!("zcat {archive} | tail -n 1"))
        .sql(
            &here(std::slice::from_ref(first), "mysql -u root -p pf"),
            &TABLES.map(|table| format!("truncate {table};")),
        )
        .warn("only after the second command has printed `-- Dump completed`")
        .irreversible("auditing and history before today are in the dump only")
        .back(format!("zcat {archive} | mysql -u root -p pf"))
        .look("you have decided whether to do it")
        .instead_of("mysql> truncate TABLE_NAME; (without a dump)", "what is truncated is gone, on all members");
}

/// The others come back to the first one, without their old data.
fn rejoin(book: &mut Book<'_>, cast: &Cast, database: &[Hostname]) {
    let (first, rest, all, to) = (&cast.first, &cast.rest, &cast.all, book.request.to);
    let on = std::slice::from_ref(first);
    for host in all {
        let step = book.step("8.4.7", format!("Re-enable all members on {host}"), std::slice::from_ref(host));
        for other in all.iter().filter(|other| *other != host) {
            step.run(format!("pfcluster node {other} enable"));
            step.here(std::slice::from_ref(host), Fact::Counts(other.clone()), "enabled");
        }
        step.instead_of(
            "on A and B only node C",
            "one that counts another one out while it is counted in has another place in the order, \
                                              and ids and priorities collide (bug B-57)",
        );
    }
    let waiting = others(database, on);
    if !waiting.is_empty() {
        book.step("8.4.7", "Stop the databases of the others", &waiting).stop_database();
    }
    let step = book.step("8.4.7", format!("Bootstrap the cluster from {first}"), on);
    step.run("systemctl stop packetfence-mariadb")
        .force_new_cluster(&[NO_SERVER, "/usr/local/pf/bin/pfcmd generatemariadbconfig"])
        .warn("once only: a second time, when others have joined, it makes a split brain")
        .verify(Check::Together { members: on.to_vec(), only: false })
        .warn("there is no database for a moment")
        .instead_of(
            "the database is read-only meanwhile (guide 8.4.7)",
            "it is not, in any version since 7.3 (bug B-62)",
        );
    let mut up = vec![first.clone()];
    for host in &waiting {
        receive(book, "8.4.7", host, &up).is_upgraded(host, to);
        up.push(host.clone());
    }
    if !book.request.supervised && !waiting.is_empty() {
        let step = book.step("8.4.7", format!("Start the database of {first} like the others'"), on);
        step.end_force(&waiting).together(database);
    }
    exchange(book, rest);
    same_versions(book, first, all);
    book.step("8.4.7", "Start PacketFence on the others", rest).one_by_one().restart_pf().pfcmd("service pf status");
    book.step("8.4.8", format!("Restart PacketFence on {first}, so that it knows the others"), on)
        .restart_pf()
        .pfcmd("service pf status");
}

/// The database stays whole and in service: a majority is upgraded member by member, then all change over at once.
fn with_quorum(book: &mut Book<'_>, cast: &Cast, database: &[Hostname]) -> Result<(), RunbookError> {
    let mut order = cast.rest.clone();
    order.reverse();
    order.insert(0, cast.first.clone());
    let majority = order.len() / 2 + 1;
    let (early, late) = order.split_at(majority.min(order.len() - 1));
    let on = std::slice::from_ref(&cast.first);
    book.before(
        "nothing is lost in this order, and there is no full state transfer; fewer servers are in service meanwhile",
    );
    book.before("not if the notes replace MariaDB by another major version: then without `--keep-quorum`");
    for host in early {
        let left = others(&order, early);
        let on = std::slice::from_ref(host);
        let step = book.step("8.4.3", format!("Stop PacketFence on {host}"), on);
        step.run_here("/usr/local/pf/bin/pfcmd service pf stop")
            .back("/usr/local/pf/bin/pfcmd service pf start")
            .look(format!("{} answers RADIUS and portal", and(&left)));
        let step = packages(book, on, "8.4.3", true, *host != cast.first);
        step.together(database).warn(
            "PacketFence stays stopped here, the database runs: the next server only when all databases are synced",
        );
        if *host == cast.first {
            step.do_it("follow the upgrade notes, but for the database's schema");
        }
    }
    let step = book.step("8.4.4", "Stop service on those that have the old version", late);
    step.pfcmd("service pf stop")
        .warn("from here to the end of the start of PacketFence below there is no service; the databases go on")
        .back("/usr/local/pf/bin/pfcmd service pf start")
        .together(database);
    let step = book.step("8.4.4", "Upgrade the database's schema, once for all", on);
    step.do_it("as the upgrade notes say, each version's script in order; Galera brings it to the other members")
        .pfcmd("checkup")
        .together(database)
        .look("the scripts ended without an error")
        .irreversible("the old version can't work with the new schema: from here on only snapshots of all servers, taken at one time, lead back")
        .back_by("all servers off, and all back to their snapshots");
    exchange(book, early);
    for host in early.iter().filter(|host| **host != cast.first) {
        take_configuration(book, &cast.first, host)?;
    }
    if early.len() > 1 {
        same_versions(book, &cast.first, early).warn(format!(
            "{} does not answer, and is named as failed: that is right; any other name is not",
            and(late)
        ));
    }
    let step = book.step("8.4.4, 8.4.5", "Start PacketFence on those that have the new version", early);
    step.one_by_one()
        .warn("a start resolves configuration conflicts at once (bug B-14): the versions must be equal before")
        .pfcmd("service pf start")
        .pfcmd("service pf status")
        .verify(Check::VirtualAddresses)
        .look("devices are authenticated, the portal answers, the web administration shows the new version");
    for host in late {
        let on = std::slice::from_ref(host);
        let step = packages(book, on, "8.4.6", true, true);
        step.together(database);
        take_configuration(book, &cast.first, host)?;
        exchange(book, on);
        same_versions(book, &cast.first, &cast.all);
        book.step("8.4.7", format!("Start PacketFence on {host}"), on).restart_pf().pfcmd("service pf status");
    }
    Ok(())
}

fn end(book: &mut Book<'_>, cast: &Cast, database: &[Hostname]) {
    let to = book.request.to;
    let step = book.step("8.4.8", "Check that the cluster is complete", std::slice::from_ref(&cast.first));
    step.run("pfcluster status")
        .verify(Check::Together { members: database.to_vec(), only: true })
        .verify(Check::VirtualAddresses)
        .verify(Check::SameConfiguration { members: cast.all.clone() });
    // On the first one it is so from its own upgrade on.
    if let Some(to) = to {
        step.landmark(Check::here(&cast.rest, Fact::Release, to.to_string()));
    }
    let step = book.step("8.4.8", "Turn the check of configurations on again", &cast.all);
    let program = step.cron();
    step.do_it("once, where it was turned off; or:")
        .edit(&format!("/usr/local/pf/conf/{program}.conf"), &["[cluster_check]", "status=enabled"])
        .pfcmd(&format!("service {program} restart"))
        .here(&cast.all, Fact::ClusterCheck, "enabled");
    book.with_autofix(&cast.all);
}
