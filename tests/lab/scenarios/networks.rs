//! Partitions, VIPs, and HAProxy.

use std::net::Ipv4Addr;
use std::time::Duration;

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Job, Options, Result, To, wait_all_synced};

use crate::common::{formed, formed_with, guide, measured, nothing_lost, seconds};

/// reference 6: the minority loses service, the majority goes on; it heals by itself.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn one_is_cut_off_and_comes_back() -> Result {
    let lab = formed()?;
    let [pf1, pf2, pf3] = [lab.host("pf1")?, lab.host("pf2")?, lab.host("pf3")?];
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(1);
    lab.partition(&[&["pf3"], &["pf1", "pf2"]])?;
    measured("the minority loses service", format!("{:.1?}", pf3.wait_status("wsrep_cluster_status", "non-Primary")?));
    measured("the majority goes on", format!("{:.1?}", wait_all_synced(&[pf1, pf2])?));
    seconds(2);
    lab.heal()?;
    measured("healed", format!("{:.1?}", wait_all_synced(&[pf1, pf2, pf3])?));
    drop(writers);
    nothing_lost(&lab)
}

/// Two that do not hear each other, and a third that hears both.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn two_do_not_hear_each_other() -> Result {
    let lab = formed()?;
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(1);
    let [pf1, pf2] = [lab.plan.host("pf1")?, lab.plan.host("pf2")?];
    lab.network.block(&lab.plan, pf1, pf2)?;
    lab.network.block(&lab.plan, pf2, pf1)?;
    seconds(20);
    lab.hosts.iter().for_each(|host| measured(host.name(), host.database_state()));
    lab.heal()?;
    measured("healed", format!("{:.1?}", wait_all_synced(&lab.hosts.iter().collect::<Vec<_>>())?));
    drop(writers);
    nothing_lost(&lab)
}

/// pf1 still speaks, and no longer hears.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn one_is_deaf() -> Result {
    let lab = formed()?;
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(1);
    for other in ["pf2", "pf3"] {
        lab.network.block(&lab.plan, lab.plan.host(other)?, lab.plan.host("pf1")?)?;
    }
    seconds(20);
    lab.hosts.iter().for_each(|host| measured(host.name(), host.database_state()));
    lab.heal()?;
    measured("healed", format!("{:.1?}", wait_all_synced(&lab.hosts.iter().collect::<Vec<_>>())?));
    drop(writers);
    nothing_lost(&lab)
}

/// A member whose database does not move: the others go on without it, and it comes back.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_database_is_paused() -> Result {
    let lab = formed()?;
    let [pf1, pf2, pf3] = [lab.host("pf1")?, lab.host("pf2")?, lab.host("pf3")?];
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(1);
    pf3.signal_database("STOP")?;
    measured("the others go on", format!("{:.1?}", wait_all_synced(&[pf1, pf2])?));
    pf3.signal_database("CONT")?;
    measured("it comes back", format!("{:.1?}", wait_all_synced(&[pf1, pf2, pf3])?));
    drop(writers);
    nothing_lost(&lab)
}

/// Five members in one network, and five in two that a router joins: they form a cluster, and the smaller side of a
/// partition stops.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn five_members_are_parted() -> Result {
    let nac = ["nac1", "nac2", "nac3", "nac4", "nac5"];
    let zones = ["pf1-dc1", "pf2-dc1", "pf3-dc1", "pf1-dc2", "pf2-dc2"];
    for (example, names) in [("five-members", nac), ("two-zones", zones)] {
        let lab = formed_with(&Options { example: example.to_owned(), ..guide() })?;
        let writers = lab.write_on_all(Duration::from_millis(10));
        seconds(1);
        let (most, few) = names.split_at(3);
        lab.partition(&[most, few])?;
        for name in few {
            lab.host(name)?.wait_status("wsrep_cluster_status", "non-Primary")?;
        }
        let majority = most.iter().map(|name| lab.host(name)).collect::<Result<Vec<_>>>()?;
        measured(example, format!("the majority goes on after {:.1?}", wait_all_synced(&majority)?));
        seconds(1);
        lab.heal()?;
        let all: Vec<&Host> = lab.hosts.iter().collect();
        measured(example, format!("healed after {:.1?}", wait_all_synced(&all)?));
        drop(writers);
        nothing_lost(&lab)?;
    }
    Ok(())
}

const VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 10);

/// keepalived and HAProxy from the generated files: the VIP moves when its holder loses power, each host's HAProxy reaches
/// a database that lives, and a writer that uses nothing but the VIP loses nothing.
#[test]
fn the_holder_of_the_vip_loses_power() -> Result {
    let lab = formed()?;
    let [pf1, pf2, pf3] = [lab.host("pf1")?, lab.host("pf2")?, lab.host("pf3")?];
    lab.hosts.iter().try_for_each(Host::start_services)?;
    wait_for_holder("pf1 has the VIP", &lab.hosts, &|holders| holders == ["pf1"])?;
    let through = |host: &Host, address: &str| {
        host.exec(&["mariadb", "-h", address, "-ulab", "-plab", "-BNe", "SELECT @@wsrep_node_name"])
    };
    for host in &lab.hosts {
        // The same server for all: the last of cluster.conf.
        assert_eq!(through(host, "127.0.0.1")?.trim(), "pf3.example.com");
        assert_eq!(through(host, &VIP.to_string())?.trim(), "pf3.example.com");
    }
    let writer = Job::new(pf2, To::Address(VIP, 3306), &lab.ledgers(), Duration::from_millis(5)).start();
    seconds(2);
    pf1.cut()?;
    let took = wait_for_holder("another has the VIP", &lab.hosts, &|holders| holders.len() == 1)?;
    measured("the VIP has moved", format!("{took:.1?}"));
    wait_all_synced(&[pf2, pf3])?;
    seconds(3);
    // And now the database that all HAProxies prefer.
    pf3.stop_database()?;
    let goes_on = || through(pf2, "127.0.0.1").is_ok_and(|name| name.trim() == "pf2.example.com");
    let took = wait_until("HAProxy uses another database", DEADLINE, goes_on, || pf2.log("haproxy-db"))?;
    measured("HAProxy uses another database", format!("{took:.1?}"));
    seconds(2);
    drop(writer);
    nothing_lost(&lab)
}

fn wait_for_holder(what: &str, hosts: &[Host], is_so: &dyn Fn(&[&str]) -> bool) -> Result<Duration> {
    let holders = || hosts.iter().filter(|host| host.has(VIP)).map(Host::name).collect::<Vec<_>>();
    let logs = || hosts.iter().map(|host| host.log("keepalived")).collect::<Vec<_>>().join("\n\n");
    wait_until(what, DEADLINE, || is_so(&holders()), logs)
}
