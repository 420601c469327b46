//! Making a cluster: the first server, and those that join it.

use std::net::Ipv4Addr;

use super::Name;
use crate::cluster::{Hostname, Zone};
use crate::decision::and;
use crate::runbook::RunbookError;
use crate::runbook::check::{Check, Expected, Fact};
use crate::runbook::draft::{Book, CLUSTER_CONF, Draft, PF_CONF, address, here, others};

const PFCONFIG_CONF: &str = "/usr/local/pf/conf/pfconfig.conf";

/// Guide 3.1 to 3.4.
pub(super) fn create_cluster(book: &mut Book<'_>) {
    let all = book.members();
    let Some(first) = all.first().cloned() else { return };
    let (first_only, rest) = ([first.clone()], others(&all, std::slice::from_ref(&first)));
    if all.len().is_multiple_of(2) || all.len() < 3 {
        book.before(
            "the guide asks for at least three servers, and an odd number of them: of two halves neither is a majority",
        );
    }
    book.before("`pfcluster check cluster.conf` on the file that you have prepared: mend what it finds first");
    book.before(
        "IPv6 is off on all servers (`pfcluster runbook disable-ipv6`), pfcluster is in /usr/local/bin on all of them",
    );
    prepare(book, &all);
    first_database(book, &first);
    configure(book, &first, &rest);
    if book.request.supervised {
        supervise(book, &first_only);
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

    let step = book.step("8.2", "See that the interfaces have the same names everywhere, and their addresses", hosts);
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
            .mend(
                "yum install percona-xtrabackup socat --enablerepo=percona-release-x86_64",
                "since 10.3 MariaDB's own tool copies",
            )
            .mend("apt-get -y install percona-xtrabackup-24", "since 10.3 MariaDB's own tool copies");
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
    let step = book.step("3.1", "Turn a cluster.conf that is there already off", &on);
    let kept = format!("{CLUSTER_CONF}.prepared");
    step.run(format!("[ -e {kept} ] || [ ! -e {CLUSTER_CONF} ] || sed -i.prepared 's/^[^#]/#&/' {CLUSTER_CONF}"))
        .pfcmd("configreload hard")
        .here(&on, Fact::Member(first.clone()), "no")
        .back(format!("mv {kept} {CLUSTER_CONF}"));

    let step = book.step("3.2", "Start the database alone, and secure it", &on);
    step.start_database().run("mysql_secure_installation").verify(Check::Serves { member: first.clone() });
    step.mend(
        "delete from mysql.user where user = ''",
        "`mysql_secure_installation` removes the users without a name; newer servers refuse this statement",
    );

    let step = book.step("3.2", "Make the user that the members' databases know each other by", &on);
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
    .look("`SELECT user, host FROM mysql.user` has pfcluster twice, and nobody without a name")
    .added("without these rights no member can copy its data to another");
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

/// pfcluster's supervisor in the place of PacketFence's.
fn supervise(book: &mut Book<'_>, hosts: &[Hostname]) {
    let step = book.step("", "Let pfcluster start the databases", hosts);
    step.run("[ -e /usr/local/pf/conf/pfcluster.key ] || pfcluster key new")
        .run(
            "grep -qsx /usr/local/pf/conf/pfcluster.key /usr/local/pf/conf/cluster-files.txt || echo \
             /usr/local/pf/conf/pfcluster.key >> /usr/local/pf/conf/cluster-files.txt",
        )
        .do_it("copy pfcluster's folder packetfence-mariadb.service.d to /etc/systemd/system/")
        .run("systemctl daemon-reload")
        .here(hosts, Fact::File("/usr/local/pf/conf/pfcluster.key".to_owned()), "yes")
        .here(
            hosts,
            Fact::File("/etc/systemd/system/packetfence-mariadb.service.d/20-supervise.conf".to_owned()),
            "yes",
        );
}

fn begin(book: &mut Book<'_>, first: &Hostname, rest: &[Hostname]) {
    let on = [first.clone()];
    let all = book.members();
    let step = book.step("3.4.2", "Have the cluster's services start at boot", &all);
    step.run("systemctl set-default packetfence-cluster.target")
        .here(&all, Fact::BootTarget, "packetfence-cluster.target")
        .back("systemctl set-default packetfence.target");
    if !rest.is_empty() {
        book.step("3.4.2", "Stop the databases of the other servers", rest).stop_database();
    }
    let step = book.step("3.4.2", "Begin the cluster's database", &on);
    step.run_here("systemctl stop packetfence-mariadb").pfcmd("generatemariadbconfig").force_new_cluster();
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

/// Guide 3.5.
pub(super) fn join_member(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let all = book.members();
    let Some(first) = all.first().cloned() else { return Err(RunbookError::NobodyLeft(Name::JoinMember)) };
    let joiners = if book.request.members.is_empty() {
        others(&all, std::slice::from_ref(&first))
    } else {
        others(&book.named(Name::JoinMember)?, std::slice::from_ref(&first))
    };
    if joiners.is_empty() {
        return Err(RunbookError::NobodyLeft(Name::JoinMember));
    }
    let on = [first.clone()];
    book.before(format!(
        "the database of {first} runs as the last steps of `pfcluster runbook create-cluster` have left it"
    ));
    book.before("if a server that joins is restarted on the way: `/usr/local/pf/bin/pfcmd service pf stop` there, and begin again");
    webservices(book, &first);
    let mut joined = vec![first.clone()];
    for joiner in &joiners {
        let own = address(book.request.cluster, joiner)?;
        join(book, &first, joiner, own, &joined)?;
        joined.push(joiner.clone());
    }
    if !book.request.supervised {
        let step = book.step("3.5.3", "Start the first server's database like the others'", &on);
        step.end_force(&joiners).together(&joined);
        if step.since(8, 3) {
            step.run("systemctl restart packetfence-iptables");
        }
    }
    same_versions(book, &first, &joined);
    let step = book.step("3.5.4", "Start PacketFence", &joiners);
    if step.since(8, 3) {
        step.pfcmd("service pf updatesystemd");
    }
    step.one_by_one().restart_pf().pfcmd("service pf status").verify(Check::VirtualAddresses);
    if !book.is_since(12, 0) {
        let step = book.step("3.5.4", "Close the configurator", &joined);
        step.since(12, 0);
        step.pfcmd("version > /usr/local/pf/conf/currently-at").here(
            &joined,
            Fact::File("/usr/local/pf/conf/currently-at".to_owned()),
            "yes",
        );
    }
    if book.is_since(10, 3) && !book.request.supervised {
        let step = book.step("", "Let galera-autofix watch", &on);
        step.since(10, 3);
        step.run("curl -X PATCH -d '{\"galera-autofix\":\"enabled\"}' localhost:22224/api/v1/config/base/services")
            .here(&on, Fact::PfConf("services", "galera-autofix"), "enabled")
            .warn("it may empty the data directory of a member that takes long to come up (bug B-45); pfcluster's supervisor never does");
    }
    book.step("3.5.4", "Join the domains", &joined)
        .do_it("on each server: Configuration, Policies and Access Control, Domains, Active Directory Domains")
        .look("each server has joined the domains that you use");
    book.step("3.6", "Give keepalived its own secret", &on)
        .do_it("go on with `pfcluster runbook secure-keepalived`")
        .here(&on, Fact::PfConf("active_active", "password"), "set");
    Ok(())
}

fn webservices(book: &mut Book<'_>, first: &Hostname) {
    let on = [first.clone()];
    let step = book.step("3.5.1", "Give the web services a user", &on);
    step.edit(PF_CONF, &["[webservices]", "user=USER", "pass=WEBPASSWORD"])
        .pfcmd("configreload hard")
        .pfcmd("service httpd.webservices restart")
        .verify(Check::Here {
            hosts: on.to_vec(),
            fact: Fact::PfConf("webservices", "user"),
            expected: Expected::IsNot(""),
        })
        .here(&on, Fact::PfConf("webservices", "pass"), "set");
}

/// A server, whose management address is `own`, takes the configuration of `from`, and then its data. `there` are in the
/// cluster already.
pub(super) fn join(
    book: &mut Book<'_>,
    from: &Hostname,
    joiner: &Hostname,
    own: Ipv4Addr,
    there: &[Hostname],
) -> Result<(), RunbookError> {
    let on = [joiner.clone()];
    let from_address = address(book.request.cluster, from)?;
    let step = book.step("3.5.2", format!("Take the configuration of {from} over"), &on);
    step.do_it(format!("on {from}, for comparison: `openssl x509 -in /usr/local/pf/conf/ssl/server.crt -noout -fingerprint -sha256`"))
        .run_here(&format!("pfcluster sync --from {from_address} --api-user USER"))
        .mend(
            &format!("/usr/local/pf/bin/cluster/sync --from={from_address} --api-user=USER --api-password=WEBPASSWORD"),
            "it ends well whatever failed (bug B-32), leaves half a configuration behind, shows the password to everybody on the \
             machine, and gives it to whoever answers",
        )
        .warn("what is replaced here is kept in /usr/local/pf/var/pfcluster/backup")
        .landmark(Check::here(&on, Fact::Member(joiner.clone()), "yes"));

    let step = book.step("3.5.2", "Start what the others need to reach it", &on);
    let proxy = step.proxy();
    step.run("systemctl stop packetfence-iptables")
        .run("systemctl restart packetfence-config")
        .pfcmd("configreload")
        .pfcmd(&format!("service {proxy} restart"))
        .pfcmd("service httpd.webservices restart")
        .run("ss -ltn 'sport = :9090'")
        .mend("netstat -nlp | grep 9090", "newer systems have no netstat");
    if step.since(12, 0) {
        step.look("something listens on port 9090");
    } else {
        step.look(format!(
            "something listens on {own}, port 9090; if not, see the management interface in cluster.conf"
        ));
    }
    if book.request.supervised {
        supervise(book, &on);
    }
    book.step("3.5.3", "See that there is a database to join", there).together(there);
    book.step("3.5.3", format!("Stop the database of {joiner}"), &on).stop_database();
    receive(book, "3.5.3", joiner, there).reached();
    Ok(())
}

/// A member, whose database is stopped, gets the data of `there`; its own go aside.
pub(super) fn receive<'b>(
    book: &'b mut Book<'_>,
    guide: &'static str,
    joiner: &Hostname,
    there: &[Hostname],
) -> &'b mut Draft {
    let mut together = book.members();
    together.retain(|host| host == joiner || there.contains(host));
    if !together.contains(joiner) {
        together.push(joiner.clone());
    }
    let step =
        book.step(guide, format!("Let {joiner} receive the data of {}", and(there)), std::slice::from_ref(joiner));
    step.set_data_aside()
        .forget_force()
        .start_database()
        .run("systemctl status packetfence-mariadb --no-pager")
        .verify(Check::Together { members: together, only: false })
        .warn("it takes minutes to an hour, as the database is large; whoever sends is slower meanwhile. Where it does not end, \
               /usr/local/pf/logs/mariadb_error.log says why")
        .irreversible(format!(
            "what only {joiner} held is no longer in service; its data stay in /var/lib/mysql.aside-TIME until you remove them"
        ))
}

/// One version of the configuration everywhere, before services start and look at it (bugs B-14, B-16).
pub(super) fn same_versions<'b>(book: &'b mut Book<'_>, from: &Hostname, members: &[Hostname]) -> &'b mut Draft {
    let step = book.step("7.2", "See that all have one version of the configuration", std::slice::from_ref(from));
    step.run("pfcluster conflict")
        .run(here(from, "pfcluster sync --as-master --dry-run"))
        .run(here(from, "pfcluster sync --as-master"))
        .verify(Check::SameConfiguration { members: members.to_vec() });
    if step.since(12, 0) {
        step.added("since 12.0 each `configreload` gives the member that it runs on a version of its own (bug B-16), and the next start \
             of PacketFence pushes whichever wins",
        )
    } else {
        step.added("the next start of PacketFence pushes whichever version wins, without a question (bug B-14)")
    }
}
