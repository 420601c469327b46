//! Cut networks, forged datagrams, and a split brain.

use std::time::Duration;

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Result, wait_all_synced};

use super::{all, recorded, recover, stays_down, supervised, three, under_load};
use crate::common::{measured, nothing_lost, seconds};

#[test]
fn one_is_cut_off_and_comes_back() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    let writers = under_load(&lab);
    lab.partition(&[&["pf1", "pf2"], &["pf3"]])?;
    wait_all_synced(&[pf1, pf2])?;
    pf3.wait_status("wsrep_cluster_status", "non-Primary")?;
    stays_down(&[pf3], 8);
    lab.heal()?;
    measured("healed", format!("{:.1?}", wait_all_synced(&all(&lab))?));
    drop(writers);
    nothing_lost(&lab)
}

/// Nobody hears anybody for longer than any of the supervisors' times: nobody does anything, and Galera merges by itself.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn all_are_cut_off_from_each_other() -> Result {
    let lab = supervised()?;
    let writers = under_load(&lab);
    lab.partition(&[&["pf1"], &["pf2"], &["pf3"]])?;
    for host in all(&lab) {
        host.wait_status("wsrep_cluster_status", "non-Primary")?;
    }
    stays_down(&all(&lab), 30);
    lab.heal()?;
    measured("healed", format!("{:.1?}", wait_all_synced(&all(&lab))?));
    drop(writers);
    nothing_lost(&lab)
}

/// Only one direction between two of them is dead.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn one_direction_is_cut() -> Result {
    let lab = supervised()?;
    let writers = under_load(&lab);
    lab.network.block(&lab.plan, lab.plan.host("pf3")?, lab.plan.host("pf1")?)?;
    seconds(25);
    all(&lab).iter().for_each(|host| measured(host.name(), host.database_state()));
    lab.heal()?;
    measured("healed", format!("{:.1?}", wait_all_synced(&all(&lab))?));
    drop(writers);
    nothing_lost(&lab)
}

/// Noise, and messages of an earlier time, while all depends on the evidence.
#[test]
fn forged_and_garbage_datagrams() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, _] = three(&lab)?;
    let writers = under_load(&lab);
    lab.cut_together(&all(&lab))?;
    drop(writers);
    all(&lab).iter().try_for_each(|host| host.boot())?;
    // A right beginning, and a tag that is not right; then noise of every length; until it is ended.
    let noise = "while :; do for i in $(seq 400); do for to in 192.168.1.5 192.168.1.7; do \
                 { printf 'pfc\\001'; head -c $((i * 3)) /dev/urandom; } | socat -u - UDP-SENDTO:$to:4254; \
                 head -c $((i * 4)) /dev/urandom | socat -u - UDP-SENDTO:$to:4254; done; done; done";
    let mut sender = pf2.command(&["timeout", "300", "sh", "-c", noise])?.spawn()?;
    recover(&all(&lab), "beside forged datagrams")?;
    let dropped = || {
        let status = pf1.supervisor_status().unwrap_or_default();
        let list = status["dropped"].as_array().cloned().unwrap_or_default();
        list.iter().filter_map(|one| one["count"].as_u64()).sum::<u64>()
    };
    // The supervisor hears of one a second; the others end in the receiver.
    wait_until("some were dropped", DEADLINE, || dropped() > 5, || pf1.log("supervisor"))?;
    measured("dropped by pf1", dropped());
    let _ = sender.kill();
    sender.wait()?;
    nothing_lost(&lab)
}

/// reference 7: somebody forces the minority by hand, and the network heals. Both sides show the same UUID and the same
/// position with different data. Nobody acts, all say so, and the side that goes never slips in with what it has.
#[test]
fn a_forced_split_is_told_and_not_healed() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    lab.partition(&[&["pf1", "pf2"], &["pf3"]])?;
    pf3.wait_status("wsrep_cluster_status", "non-Primary")?;
    wait_all_synced(&[pf1, pf2])?;
    pf3.query("SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'")?;
    pf3.wait_synced(1)?;
    recorded(&[pf1, pf2])?;
    recorded(&[pf3])?;
    pf1.query("INSERT INTO lab.commits VALUES (1, 'pf1')")?;
    pf3.query("INSERT INTO lab.commits VALUES (3, 'pf3')")?;
    lab.heal()?;
    for host in all(&lab) {
        let status = host.wait_decision("refuse")?;
        assert_eq!(status["decision"]["action"]["problem"]["kind"], "split_brain", "{status:#}");
    }
    assert!(pf1.is_synced(2) && pf2.is_synced(2) && pf3.is_synced(1));
    let forks = || pf3.supervisor_status().is_some_and(|status| status["records"]["forks"] != serde_json::json!([]));
    wait_until("pf3 has written the fork down", DEADLINE, forks, || pf3.log("supervisor"))?;
    // The operator takes one side down. Many commits later its number is no higher than the others'.
    pf3.stop_supervisor()?;
    for id in 10..30 {
        pf1.query(&format!("INSERT INTO lab.commits VALUES ({id}, 'pf1')"))?;
    }
    pf3.supervise()?;
    pf3.wait_shows("may join only without its data", |status| {
        status["decision"]["action"]["discard"] == serde_json::json!(["pf3.example.com"])
    })?;
    seconds(3);
    assert!(!pf3.database_runs(), "{}", pf3.log("supervisor"));
    pf3.exec(&["pfcluster", "mariadb", "allow", "discard", "pf3", "--yes"])?;
    measured("one side joins the other", format!("{:.1?}", wait_all_synced(&all(&lab))?));
    for host in all(&lab) {
        assert_eq!(host.query("SELECT id FROM lab.commits WHERE id < 10")?, ["1"], "{}", host.name());
    }
    Ok(())
}

/// While nothing happens, nothing is done: an hour would be the same.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn nothing_happens() -> Result {
    let lab = supervised()?;
    let log =
        |host: &pfcluster_tests::lab::Host| host.log("supervisor").lines().filter(|line| line.contains("Z ")).count();
    std::thread::sleep(Duration::from_secs(12));
    let before: Vec<usize> = all(&lab).into_iter().map(log).collect();
    std::thread::sleep(Duration::from_secs(20));
    assert_eq!(all(&lab).into_iter().map(log).collect::<Vec<_>>(), before);
    Ok(())
}
