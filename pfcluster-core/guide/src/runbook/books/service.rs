//! What is changed while the cluster is in service: configuration, keepalived's secret, dashboards.

use super::Name;
use crate::runbook::RunbookError;
use crate::runbook::check::{Check, Fact};
use crate::runbook::draft::{Book, PF_CONF, address, others};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::and;

const FILE_LIST: &str = "/usr/local/pf/conf/cluster-files.txt";

/// Guide 3.6.
pub(super) fn secure_keepalived(book: &mut Book<'_>) {
    let all = book.members();
    let Some(first) = all.first().cloned() else { return };
    let on = [first.clone()];
    book.before("only the first 8 characters of the secret count, and VRRP sends it in clear: it keeps strangers' mistakes out, not attackers (bug B-60)");
    let step = book.step("3.6", "Choose a secret of 8 characters", &on);
    step.do_it("in the web administration: Configuration, System Configuration, Cluster, Shared KEY; or:")
        .edit(PF_CONF, &["[active_active]", "password=SECRET"])
        .run("pfcluster check")
        .here(&on, Fact::PfConf("active_active", "password"), "set");
    push(book, &first, &all, "3.6");
    let mut order = all.clone();
    order.reverse();
    let step = book.step("3.6", "Restart keepalived, quickly one after the other", &order);
    step.pfcmd("service keepalived restart")
        .here(&all, Fact::Unit("packetfence-keepalived"), "active")
        .verify(Check::VirtualAddresses)
        .warn(
            "a member with another secret is not heard: until all are restarted, addresses are held twice. The one that holds \
             the addresses comes last",
        )
        .instead_of("any order", "restarted last, the member that holds the addresses keeps them");
}

/// One member's configuration on all others.
fn push(book: &mut Book<'_>, from: &Hostname, all: &[Hostname], guide: &'static str) {
    let on = [from.clone()];
    let step = book.step(guide, "Give it to the others", &on);
    step.pfcmd("configreload hard")
        .run_here("pfcluster sync --as-master --dry-run")
        .run_here("pfcluster sync --as-master")
        .verify(Check::SameConfiguration { members: all.to_vec() });
}

/// Guide 7.2 and 7.3.
pub(super) fn resync(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let (keeper, all) = (book.one(Name::Resync)?, book.members());
    let (on, rest) = ([keeper.clone()], others(&all, std::slice::from_ref(&keeper)));
    let step = book.step("7.2", "Check which member has which configuration, and what would be overwritten", &on);
    step.run("pfcluster conflict")
        .run_here("pfcluster sync --as-master --dry-run")
        .warn(format!("what {} have and {keeper} does not is overwritten there", and(&rest)))
        .look(format!("the configuration of {keeper} is the one to keep"));

    let step = book.step("7.3", "Optional: name files of your own that are to go along", &on);
    step.edit(FILE_LIST, &[FILE_LIST, "/usr/local/pf/raddb/modules/mschap"])
        .warn("only if there are any: switch modules, files of raddb; one full path a line, the list itself included")
        .back(format!("rm -i {FILE_LIST}"))
        .instead_of(
            "cluster-files.txt with blanks or empty lines",
            "PacketFence's program takes them for names (bug B-55); pfcluster does not",
        );

    let step = book.step("7.2", "Keep what the others have", &rest);
    step.run("tar -C /usr/local -czf \"/root/pf-conf-$(date +%Y%m%dT%H%M%S).tar.gz\" pf/conf")
        .look("each of the others has the archive in /root")
        .added("members overwrite their files in place, and keep nothing (bug B-26)");

    let step = book.step("7.2", format!("Push the configuration of {keeper}"), &on);
    step.run_here("pfcluster sync --as-master")
        .instead_of(
            "/usr/local/pf/bin/cluster/sync --as-master",
            "it ends well whatever failed (bug B-32), and a member that got half of it looks complete (bug B-15)",
        )
        .verify(Check::SameConfiguration { members: all.clone() })
        .back_by("on each of the others: unpack the archive of the step before, and push from there");

    let step = book.step("7.2", "Reload the configuration", &rest);
    step.pfcmd("configreload hard");
    super::joining::same_versions(book, &keeper, &all);
    Ok(())
}

/// Guide 7.4.
pub(super) fn dashboards(book: &mut Book<'_>) -> Result<(), RunbookError> {
    let all = book.members();
    let Some(first) = all.first().cloned() else { return Ok(()) };
    let on = [first.clone()];
    if !book.is_since(8, 0) {
        return Err(RunbookError::Version { version: book.request.version, what: "dashboards (they came with 8.0)" });
    }
    let has_admin = book.is_since(10, 0);
    let ports: &[(&str, u16)] = if has_admin {
        &[("haproxy-portal", 1025), ("haproxy-db", 1026), ("haproxy-admin", 1027)]
    } else {
        &[("haproxy-portal", 1025), ("haproxy-db", 1026)]
    };
    book.before("the dashboards show addresses and loads to all who know the password, without encryption: open the ports to administrators only");
    let step = book.step("7.4", "Give the dashboards a password of your own", &all);
    step.since(8, 0);
    step.since(10, 0);
    let files: Vec<String> = ports.iter().map(|(daemon, _)| format!("/usr/local/pf/conf/{daemon}.conf")).collect();
    for file in &files {
        step.edit(file, &["stats auth USER:PASSWORD"]);
    }
    step.warn("below `listen stats`, in the place of the line that is there; PASSWORD is one that is used nowhere else")
        .run(format!("grep -l 'stats auth admin:packetfence' {}", files.join(" ")))
        .look("the last command names no file")
        .instead_of(
            "uncomment listen stats in /usr/local/pf/conf/haproxy-portal.conf",
            "it is active already, on each member's own address, with admin and packetfence (bug B-35); only the firewall keeps it \
             closed",
        )
        .added("these templates are not synchronised (guide 7.3), so each member needs the change");

    let step = book.step("7.4", "Open the ports", &on);
    step.since(8, 0);
    step.since(10, 0);
    let rules: Vec<String> = ports
        .iter()
        .map(|(_, port)| format!("-A input-management-if --protocol tcp --match tcp --dport {port} --jump ACCEPT"))
        .collect();
    step.edit("/usr/local/pf/conf/iptables.conf", &rules)
        .warn("beside the other management rules; those that are there as comments lose their `#`")
        .run_here("pfcluster sync --as-master --file /usr/local/pf/conf/iptables.conf")
        .back_by("put `#` before these lines, and push and restart again");

    let ask = |host: &Hostname| {
        let own = address(book.request.cluster, host)?;
        let urls: Vec<String> = ports.iter().map(|(_, port)| format!("http://{own}:{port}/stats")).collect();
        Ok(format!("{host}: {} ask for the password", urls.join(", ")))
    };
    let asked: Vec<String> = all.iter().map(ask).collect::<Result<_, RunbookError>>()?;
    let step = book.step("7.4", "Restart HAProxy and the firewall", &all);
    step.one_by_one();
    step.since(8, 0);
    step.since(10, 0);
    for (daemon, _) in ports {
        step.pfcmd(&format!("service {daemon} restart"));
    }
    step.pfcmd("service iptables restart").verify(Check::VirtualAddresses);
    for what in asked {
        step.look(what);
    }
    step.instead_of(
        "http://pf.local:1025/stats",
        "each member has a dashboard of its own, at its own management address, for which there is no DNS name",
    );
    Ok(())
}
