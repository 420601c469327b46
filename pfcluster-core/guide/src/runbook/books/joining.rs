//! Servers join a cluster: its configuration first, then its data.

use std::net::Ipv4Addr;

use super::Name;
use crate::runbook::RunbookError;
use crate::runbook::check::{Check, Expected, Fact};
use crate::runbook::draft::{Book, Draft, PF_CONF, address, others};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::command_line::here;
use pfcluster_core::decision::and;

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
        let step = book.step("", "Enable galera-autofix", &on);
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
        .instead_of(
            &format!("/usr/local/pf/bin/cluster/sync --from={from_address} --api-user=USER --api-password=WEBPASSWORD"),
            "it ends well whatever failed (bug B-32), leaves half a configuration behind, shows the password to all users of the \
             machine, and sends it without checking who answers",
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
        .instead_of("netstat -nlp | grep 9090", "newer systems have no netstat");
    if step.since(12, 0) {
        step.look("something listens on port 9090");
    } else {
        step.look(format!(
            "something listens on {own}, port 9090; if not, see the management interface in cluster.conf"
        ));
    }
    if book.request.supervised {
        supervise(book, &on, false);
    }
    book.step("3.5.3", "Check that there is a database to join", there).together(there);
    book.step("3.5.3", format!("Stop the database of {joiner}"), &on).stop_database();
    let is_supervised = book.request.supervised;
    let step = receive(book, "3.5.3", joiner, there);
    if is_supervised {
        step.do_it(format!(
            "only if {joiner} was a member before, and its own key is another one now: on each of {}, `pfcluster key accept \
             {joiner}`; the id that it shows must be the one that `pfcluster mariadb status` shows on {joiner} as its own",
            and(there)
        ));
    }
    step.reached();
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
    let step = book.step(
        guide,
        format!("Resynchronise {joiner} from {} (full state transfer, SST)", and(there)),
        std::slice::from_ref(joiner),
    );
    step.join_without_data()
        .run("systemctl status packetfence-mariadb --no-pager")
        .verify(Check::Together { members: together, only: false })
        .warn("it takes from minutes to an hour, depending on the size of the database; the donor is slower meanwhile. If it does not end, \
               see /usr/local/pf/logs/mariadb_error.log")
        .irreversible(format!(
            "the cluster loses what only {joiner} has; its data stay in /var/lib/mysql.aside-TIME until you remove them"
        ))
}

/// One version of the configuration everywhere, before services start and look at it (bugs B-14, B-16).
pub(super) fn same_versions<'b>(book: &'b mut Book<'_>, from: &Hostname, members: &[Hostname]) -> &'b mut Draft {
    let step = book.step("7.2", "Check that all have one version of the configuration", std::slice::from_ref(from));
    step.run("pfcluster conflict")
        .run(here(std::slice::from_ref(from), "pfcluster sync --as-master --dry-run"))
        .run(here(std::slice::from_ref(from), "pfcluster sync --as-master"))
        .verify(Check::SameConfiguration { members: members.to_vec() });
    if step.since(12, 0) {
        step.added("since 12.0 each `configreload` gives the member that it runs on a version of its own (bug B-16), and the next start \
             of PacketFence pushes whichever wins",
        )
    } else {
        step.added("the next start of PacketFence pushes whichever version wins, without a question (bug B-14)")
    }
}

/// pfcluster's supervisor in the place of PacketFence's. `is_first`: no other member has the shared key yet.
pub(super) fn supervise(book: &mut Book<'_>, hosts: &[Hostname], is_first: bool) {
    let step = book.step("", "Let pfcluster start the databases", hosts);
    if is_first {
        step.run("[ -e /usr/local/pf/conf/pfcluster.key ] || pfcluster key new");
    } else {
        step.do_it(
            "only if /usr/local/pf/conf/pfcluster.key is not here: copy it from another member, owner and mode as there; one that is \
             made here would be another key",
        );
    }
    step.run(
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
