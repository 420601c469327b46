//! Making a cluster of the first server.

use super::joining::supervise;
use crate::runbook::check::{Check, Expected, Fact};
use crate::runbook::draft::{Book, CLUSTER_CONF, MONITORING_CNF, PF_CONF, others};
use pfcluster_core::cluster::{Hostname, Zone};
use pfcluster_core::galera::bootstrap::NO_SERVER;

const PFCONFIG_CONF: &str = "/usr/local/pf/conf/pfconfig.conf";

/// Guide 3.1 to 3.4.
pub(super) fn create_cluster(book: &mut Book<'_>) {
    let all = book.members();
    let Some(first) = all.first().cloned() else { return };
    let (first_only, rest) = ([first.clone()], others(&all, std::slice::from_ref(&first)));
    if all.len().is_multiple_of(2) || all.len() < 3 {
        book.before(
            "the guide asks for at least three servers, and an odd number of them: in a split into equal halves neither side has quorum",
        );
    }
    book.before("`pfcluster check cluster.conf` on the file that you have prepared: fix what it finds first");
    book.before(
        "IPv6 is off on all servers (`pfcluster runbook disable-ipv6`), pfcluster is in /usr/local/bin on all of them",
    );
    prepare(book, &all);
    first_database(book, &first);
    configure(book, &first, &rest);
    if book.request.supervised {
        supervise(book, &first_only, true);
    }
    begin(book, &first, &rest);
}

/// What every server needs, whether it begins a cluster or joins one.
pub(super) fn prepare(book: &mut Book<'_>, hosts: &[Hostname]) {
    let zones: Vec<&Zone> = book.request.cluster.zones().iter().collect();
    let mut interfaces: Vec<String> = zones
        .iter()
        .flat_map(|zone| zone.vips.iter().flat_map(|vips| &vips.interfaces))
        .map(|one| one.name.to_string())
        .collect();
    interfaces.sort();
    interfaces.dedup();

    let step = book.step("8.2", "Check that the interfaces have the same names everywhere, and their addresses", hosts);
    step.run("hostname").run("ip -4 -brief address");
    for interface in &interfaces {
        step.here(hosts, Fact::File(format!("/sys/class/net/{interface}")), "yes");
    }
    step.look("`hostname` prints the name that cluster.conf has, letter by letter");
    if !interfaces.is_empty() {
        step.do_it(format!("where one of {} is missing: `pfcluster runbook rename-interfaces`", interfaces.join(", ")));
    }

    let step = book.step("3.1", "Install what copies the database to a new member", hosts);
    if step.since(10, 3) {
        step.run_only("on RHEL / CentOS", "yum install MariaDB-backup socat")
            .run_only("on Debian", "apt-get -y install mariadb-backup socat")
            .here(hosts, Fact::File("/usr/bin/mariabackup".to_owned()), "yes")
            .instead_of(
                "yum install percona-xtrabackup socat --enablerepo=percona-release-x86_64",
                "since 10.3 MariaDB's own tool copies",
            )
            .instead_of("apt-get -y install percona-xtrabackup-24", "since 10.3 MariaDB's own tool copies");
    } else {
        step.run_only(
            "on RHEL / CentOS",
            "yum install \
             http://www.percona.com/downloads/percona-release/redhat/0.1-3/percona-release-0.1-3.noarch.rpm",
        )
        .run_only("on RHEL / CentOS", "sed -i 's/enabled = 1/enabled = 0/g' /etc/yum.repos.d/percona-release.repo")
        .run_only("on RHEL / CentOS", "yum install percona-xtrabackup socat --enablerepo=percona-release-x86_64")
        .run_only("on Debian", "wget https://repo.percona.com/apt/percona-release_0.1-4.$(lsb_release -sc)_all.deb")
        .run_only("on Debian", "dpkg -i percona-release_0.1-4.$(lsb_release -sc)_all.deb")
        .run_only("on Debian", "apt-get update")
        .run_only("on Debian", "apt-get -y install percona-xtrabackup-24")
        .here(hosts, Fact::File("/usr/bin/xtrabackup".to_owned()), "yes");
    }

    let step = book.step("3.3", "Let services bind to addresses that are elsewhere for the moment", hosts);
    let line = "net.ipv4.ip_nonlocal_bind = 1";
    step.run(format!("grep -qx '{line}' /etc/sysctl.conf || echo '{line}' >> /etc/sysctl.conf"))
        .run("sysctl -p")
        .here(hosts, Fact::Sysctl("net.ipv4.ip_nonlocal_bind"), "1")
        .back("sed -i '/^net.ipv4.ip_nonlocal_bind/d' /etc/sysctl.conf");

    let step = book.step("3.3", "Leave the database to PacketFence's own unit", hosts);
    step.run("systemctl disable mariadb")
        .run("systemctl stop mariadb")
        .here(hosts, Fact::Unit("mariadb"), "inactive")
        .back("systemctl enable mariadb");
}

fn first_database(book: &mut Book<'_>, first: &Hostname) {
    let on = [first.clone()];
    let step = book.step("3.1", "Comment out an existing cluster.conf", &on);
    let kept = format!("{CLUSTER_CONF}.prepared");
    step.run(format!("[ -e {kept} ] || [ ! -e {CLUSTER_CONF} ] || sed -i.prepared 's/^[^#]/#&/' {CLUSTER_CONF}"))
        .pfcmd("configreload hard")
        .here(&on, Fact::Member(first.clone()), "no")
        .back(format!("mv {kept} {CLUSTER_CONF}"));

    let step = book.step("3.2", "Start the database alone, and secure it", &on);
    step.start_database().run("mysql_secure_installation").verify(Check::Serves { member: first.clone() });
    step.instead_of(
        "delete from mysql.user where user = ''",
        "`mysql_secure_installation` removes the users without a name; newer servers refuse this statement",
    );

    let step = book.step("3.2", "Create the replication user", &on);
    step.sql(
        "mysql -u root -p",
        &[
            "CREATE USER 'pfcluster'@'%' IDENTIFIED BY 'PASSWORD';",
            "CREATE USER 'pfcluster'@'localhost' IDENTIFIED BY 'PASSWORD';",
            "GRANT PROCESS, RELOAD, LOCK TABLES, REPLICATION CLIENT, SUPER ON *.* TO 'pfcluster'@'%';",
            "GRANT PROCESS, RELOAD, LOCK TABLES, REPLICATION CLIENT, SUPER ON *.* TO 'pfcluster'@'localhost';",
            "FLUSH PRIVILEGES;",
        ],
    )
    .warn("PASSWORD: one of your own, of letters and digits only: it is handed to shells and put into option files")
    .look("`SELECT user, host FROM mysql.user` has pfcluster twice, and no user without a name")
    .added("without these rights no member can copy its data to another");

    let step = book.step("3.2", "Make the account that pfcluster asks the databases with, without any privilege", &on);
    step.sql("mysql -u root -p", &["CREATE USER 'pfmonitor'@'%' IDENTIFIED BY 'MONITORPASSWORD';"])
        .warn("MONITORPASSWORD: one of its own: it goes to each address of a member")
        .added("nothing proves who listens at a member's address, and the user pfcluster may do everything");
}

fn configure(book: &mut Book<'_>, first: &Hostname, rest: &[Hostname]) {
    let on = [first.clone()];
    let step = book.step("3.3.1", "Go through the configurator, and leave the services stopped", &on);
    step.do_it("in the configurator, up to step 7 (Services)")
        .do_it("give the management interface the additional type high availability")
        .run("systemctl restart packetfence-mariadb")
        .verify(Check::Serves { member: first.clone() });
    if !rest.is_empty() {
        let step = book.step("3.3.1", "Configure the network interfaces, and nothing more", rest);
        step.do_it("in the configurator step 2 (network), unless the addresses are there already")
            .run("ip -4 -brief address");
        step.look("each server has its own addresses of cluster.conf");
    }

    let step = book.step("3.4.1, 3.5.1", "Write the cluster's users into the configuration", &on);
    let is_proxied = step.since(12, 0);
    let host = if is_proxied { "100.64.0.1" } else { "127.0.0.1" };
    let mut lines = vec!["[database]".to_owned(), format!("host={host}")];
    let mut mysql = vec!["[mysql]".to_owned(), format!("host={host}")];
    if is_proxied {
        lines.push("port=6033".to_owned());
        mysql.push("port=6033".to_owned());
    }
    for line in [
        "[active_active]",
        "galera_replication_username=pfcluster",
        "galera_replication_password=PASSWORD",
        "[webservices]",
        "user=USER",
        "pass=WEBPASSWORD",
    ] {
        lines.push(line.to_owned());
    }
    if is_proxied {
        lines.extend(["[advanced]", "configurator=disabled"].map(str::to_owned));
    }
    if step.since(10, 0) {
        lines.extend(["[services]", "galera-autofix=disabled"].map(str::to_owned));
    }
    step.edit(PF_CONF, &lines)
        .edit(PFCONFIG_CONF, &mysql)
        .run("systemctl restart packetfence-config")
        .pfcmd("configreload hard")
        .warn("errors about writing to the cache are to be expected: the database is not reachable at its new address yet")
        .here(&on, Fact::PfConf("database", "host"), host)
        .here(&on, Fact::PfconfigConf("mysql", "host"), host)
        .verify(Check::Here {
            hosts: on.to_vec(),
            fact: Fact::PfConf("active_active", "galera_replication_username"),
            expected: Expected::IsNot(""),
        })
        .verify(Check::Here {
            hosts: on.to_vec(),
            fact: Fact::PfConf("webservices", "user"),
            expected: Expected::IsNot(""),
        })
        .here(&on, Fact::PfConf("webservices", "pass"), "set");

    let step = book.step("3.4.2", "Put cluster.conf into its place, and check it", &on);
    let kept = format!("{CLUSTER_CONF}.prepared");
    step.do_it(format!("if it is not the prepared file: write cluster.conf to {kept}"))
        .run(format!("pfcluster check {kept}"))
        .run(format!("install -o pf -g pf -m 660 {kept} {CLUSTER_CONF}"))
        .pfcmd("configreload hard")
        .pfcmd("checkup")
        .warn("errors about the database are to be expected, others are not")
        .landmark(Check::here(&on, Fact::Member(first.clone()), "yes"));
}

fn begin(book: &mut Book<'_>, first: &Hostname, rest: &[Hostname]) {
    let on = [first.clone()];
    let all = book.members();
    let step = book.step("3.4.1", "Name the account that asks the other members' databases", &all);
    step.run(format!("install -m 600 /dev/null {MONITORING_CNF}"))
        .edit(MONITORING_CNF, &["[client]", "user=pfmonitor", "password=MONITORPASSWORD"])
        .added("without it the user pfcluster asks them");
    let step = book.step("3.4.2", "Have the cluster's services start at boot", &all);
    step.run("systemctl set-default packetfence-cluster.target")
        .here(&all, Fact::BootTarget, "packetfence-cluster.target")
        .back("systemctl set-default packetfence.target");
    if !rest.is_empty() {
        book.step("3.4.2", "Stop the databases of the other servers", rest).stop_database();
    }
    let step = book.step("3.4.2", "Begin the cluster's database", &on);
    step.run("systemctl stop packetfence-mariadb")
        .force_new_cluster(&[NO_SERVER, "/usr/local/pf/bin/pfcmd generatemariadbconfig"])
        .warn("once only: a second time, when others have joined, it makes a split brain");
    step.landmark(Check::Together { members: on.to_vec(), only: true });

    let step = book.step("3.4.2", "Start PacketFence", &on);
    step.pfcmd("service pf restart").pfcmd("service pf status").run("ip -4 -brief address");
    step.look(format!(
        "`service pf status` has keepalived and radiusd-load_balancer started, and {first} holds the virtual addresses"
    ))
    .verify(Check::VirtualAddresses)
    .together(&on);
    if !rest.is_empty() {
        book.step("3.5", "Let the other servers join", &on)
            .do_it("go on with `pfcluster runbook join-member`, without a restart of this server in between")
            .warn(format!(
                "if {first} is restarted before another one has joined, its database has to begin again: the step \"Begin the \
                 cluster's database\""
            ))
            .together(&all);
    }
}
