//! Power cuts and graceful stops.

use std::time::{Duration, Instant};

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Result, Start, start_together, wait_all_synced};

use crate::common::{boot, disks, formed, measured, nothing_lost, on_disk, seconds};

/// reference 2: they form the last primary view again by themselves.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn all_three_lose_power_and_start_again() -> Result {
    let lab = formed()?;
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(3);
    let all: Vec<&Host> = lab.hosts.iter().collect();
    lab.cut_together(&all)?;
    drop(writers);
    disks(&lab, "after the power cut");
    for host in &lab.hosts {
        assert_eq!(host.grastate().map(|state| (state.seqno, state.safe)), Some((-1, false)));
        assert_eq!(host.view_members(), Some(3));
    }
    boot(&all)?;
    let began = Instant::now();
    start_together(&all, Start::Normal)?;
    wait_all_synced(&all)?;
    measured("all three form the cluster again", format!("{:.1?}", began.elapsed()));
    nothing_lost(&lab)
}

/// reference 3: the two with the newest view form it again; the first that went joins them.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_from_one_to_the_next() -> Result {
    let lab = formed()?;
    let [pf1, pf2, pf3] = [lab.host("pf1")?, lab.host("pf2")?, lab.host("pf3")?];
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(1);
    pf1.cut()?;
    measured("pf2 and pf3 without pf1", format!("{:.1?}", wait_all_synced(&[pf2, pf3])?));
    seconds(1);
    pf2.cut()?;
    measured("pf3 alone has no service", format!("{:.1?}", pf3.wait_status("wsrep_cluster_status", "non-Primary")?));
    pf3.cut()?;
    drop(writers);
    disks(&lab, "after the power cuts");
    assert_eq!([pf1, pf2, pf3].map(Host::view_members), [Some(3), Some(2), Some(2)]);
    boot(&[pf1, pf2, pf3])?;
    let began = Instant::now();
    start_together(&[pf2, pf3], Start::Normal)?;
    wait_all_synced(&[pf2, pf3])?;
    measured("pf2 and pf3 form the cluster again", format!("{:.1?}", began.elapsed()));
    pf1.start_database(Start::Normal)?;
    wait_all_synced(&[pf1, pf2, pf3])?;
    measured("with pf1", format!("{:.1?}", began.elapsed()));
    nothing_lost(&lab)
}

/// galera #354, #355: a state file that the power cut has emptied or torn, on one of three.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_state_file_is_torn() -> Result {
    for (file, bytes) in [("gvwstate.dat", 0), ("gvwstate.dat", 120), ("grastate.dat", 0), ("grastate.dat", 40)] {
        let lab = formed()?;
        let all: Vec<&Host> = lab.hosts.iter().collect();
        lab.cut_together(&all)?;
        let pf3 = lab.host("pf3")?;
        pf3.tear(file, bytes)?;
        let what = format!("{bytes} bytes of pf3's {file}");
        boot(&all)?;
        measured(&what, format!("recovered {}", pf3.recover()?.position.unwrap_or_default()));
        start_together(&all, Start::Normal).unwrap_or_else(|error| measured(&what, error));
        let over = || all.iter().all(|host| host.is_synced(3));
        let took = wait_until("service", Duration::from_secs(45), over, String::new);
        measured(&what, if took.is_ok() { format!("{took:.1?}") } else { "no service for 45 s".to_owned() });
        all.iter().for_each(|host| measured(host.name(), host.database_state()));
        measured(&what, on_disk(pf3));
        let log = pf3.log("mariadb");
        log.lines().filter(|line| line.contains("[ERROR]")).for_each(|line| measured("log", line));
    }
    Ok(())
}

/// reference 1: only the last to leave may found the cluster again, and it knows.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn all_three_stop_one_after_the_other() -> Result {
    let lab = formed()?;
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(1);
    for host in &lab.hosts {
        host.stop_database()?;
    }
    drop(writers);
    disks(&lab, "after the stops");
    let states: Vec<_> = lab.hosts.iter().filter_map(Host::grastate).collect();
    assert_eq!(states.iter().map(|state| state.safe).collect::<Vec<_>>(), [false, false, true]);
    assert!(states.is_sorted_by_key(|state| state.seqno) && states[0].seqno > 0, "{states:?}");
    assert!(lab.hosts.iter().all(|host| host.view_members().is_none()));
    let pf3 = lab.host("pf3")?;
    pf3.start_database(Start::NewCluster)?;
    pf3.wait_synced(1)?;
    start_together(&[lab.host("pf1")?, lab.host("pf2")?], Start::Normal)?;
    wait_all_synced(&lab.hosts.iter().collect::<Vec<_>>())?;
    nothing_lost(&lab)
}

/// The others have left gracefully; the last one, alone and with service, loses power and is started normally.
#[test]
fn a_lone_survivor_loses_power() -> Result {
    let lab = formed()?;
    let pf3 = lab.host("pf3")?;
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(1);
    lab.host("pf1")?.stop_database()?;
    lab.host("pf2")?.stop_database()?;
    pf3.wait_synced(1)?;
    seconds(1);
    measured("alone", on_disk(pf3));
    pf3.cut()?;
    drop(writers);
    measured("after the power cut", on_disk(pf3));
    assert_eq!(pf3.view_members(), Some(1));
    pf3.boot()?;
    pf3.start_database(Start::Normal)?;
    let ends = || pf3.is_synced(1) || !pf3.database_runs();
    let took = wait_until("it has service or ends", DEADLINE, ends, || pf3.database_state())?;
    measured("a lone survivor, started normally", format!("{} after {took:.1?}", pf3.database_state()));
    assert!(pf3.is_synced(1), "{}", pf3.log("mariadb"));
    let others = [lab.host("pf1")?, lab.host("pf2")?];
    start_together(&others, Start::Normal)?;
    wait_all_synced(&[others[0], others[1], pf3])?;
    nothing_lost(&lab)
}

/// reference 10: a start that finds nobody takes the position out of grastate.dat, and leaves the flag.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_normal_start_after_graceful_stops_fails() -> Result {
    let lab = formed()?;
    lab.hosts.iter().try_for_each(Host::stop_database)?;
    disks(&lab, "after the stops");
    for host in [lab.host("pf3")?, lab.host("pf1")?] {
        let Some(before) = host.grastate() else { panic!("no grastate.dat") };
        host.start_database(Start::Normal)?;
        let ends = || !host.database_runs();
        let took = wait_until("the database gives up", DEADLINE, ends, || host.database_state())?;
        measured("it gives up", format!("{took:.1?}"));
        measured("after the failed start", on_disk(host));
        assert_eq!(host.grastate().map(|state| (state.seqno, state.safe)), Some((-1, before.safe)));
        let recovered = host.recover()?;
        measured("recovered", recovered.position.as_deref().unwrap_or("nothing"));
        assert_eq!(recovered.seqno(), Some(before.seqno));
    }
    Ok(())
}
