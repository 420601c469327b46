//! What operators do: maintenance, members that are disabled, a member that writes alone.

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Result, wait_all_synced};

use super::{all, come_back, recorded, recover, supervised, three, under_load};
use crate::common::{measured, nothing_lost, seconds};

const FLAG: &str = "/usr/local/pf/var/maintenance-mode";

fn disable(on: &Host, whom: &[&Host]) -> Result {
    whom.iter().try_for_each(|host| on.exec(&["touch", &mark(host)]).map(drop))
}

fn enable(on: &Host, whom: &[&Host]) -> Result {
    whom.iter().try_for_each(|host| on.exec(&["rm", &mark(host)]).map(drop))
}

fn mark(host: &Host) -> String {
    format!("/usr/local/pf/var/run/{}-cluster-disabled", host.plan.hostname)
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_member_in_maintenance_is_left_alone() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    pf3.exec(&["touch", FLAG])?;
    lab.cut_together(&all(&lab))?;
    come_back(&all(&lab))?;
    measured("without the one in maintenance", format!("{:.1?}", wait_all_synced(&[pf1, pf2])?));
    seconds(3);
    assert!(!pf3.database_runs(), "{}", pf3.log("supervisor"));
    pf3.exec(&["rm", FLAG])?;
    measured("when it is over", format!("{:.1?}", wait_all_synced(&all(&lab))?));
    Ok(())
}

/// A server that is away for long is disabled on the others; they do without it, also after a power cut.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_disabled_member_is_not_waited_for() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    pf3.stop_supervisor()?;
    pf3.cut()?;
    disable(pf1, &[pf3])?;
    disable(pf2, &[pf3])?;
    recorded(&[pf1, pf2])?;
    let writers = under_load(&lab);
    lab.cut_together(&[pf1, pf2])?;
    drop(writers);
    recover(&[pf1, pf2], "without the disabled one")?;
    // It comes back, and counts again.
    enable(pf1, &[pf3])?;
    enable(pf2, &[pf3])?;
    recover(&all(&lab), "with it")?;
    nothing_lost(&lab)
}

/// Guide 8.4: the upgrade's first server is detached, and runs alone. What it wrote is kept; the others join without theirs.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_detached_member_writes_alone() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    pf3.stop_supervisor()?;
    disable(pf3, &[pf1, pf2])?;
    disable(pf1, &[pf3])?;
    disable(pf2, &[pf3])?;
    pf3.supervise()?;
    let is_up = || pf3.query("INSERT IGNORE INTO lab.commits VALUES (3, 'pf3')").is_ok();
    wait_until("it runs alone", DEADLINE, is_up, || pf3.log("supervisor"))?;
    assert_eq!(pf3.wait_decision("standalone")?["records"]["ran_standalone"], true);
    pf1.query("INSERT INTO lab.commits VALUES (1, 'pf1')")?;
    // The upgrade goes on: the others stop, and all count each other again.
    pf1.stop_supervisor()?;
    pf2.stop_supervisor()?;
    enable(pf3, &[pf1, pf2])?;
    enable(pf1, &[pf3])?;
    enable(pf2, &[pf3])?;
    come_back(&[pf1, pf2])?;
    let status = pf1.wait_decision("refuse")?;
    assert_eq!(status["decision"]["action"]["problem"]["kind"], "standalone_history", "{status:#}");
    for (host, words) in [(pf3, &["standalone"][..]), (pf1, &["discard", "pf1"]), (pf2, &["discard", "pf2"])] {
        host.exec(&[&["pfcluster", "mariadb", "allow"], words, &["--yes"]].concat())?;
    }
    measured("all have what it wrote", format!("{:.1?}", wait_all_synced(&all(&lab))?));
    for host in all(&lab) {
        assert_eq!(host.query("SELECT id FROM lab.commits")?, ["3"], "{}", host.name());
    }
    Ok(())
}

/// `--force-new-cluster` counts once, and whatever the others hold goes only on a word.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_force_counts_once() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    pf1.stop_supervisor()?;
    pf2.query("INSERT INTO lab.commits VALUES (2, 'pf2')")?;
    pf2.stop_supervisor()?;
    pf3.stop_supervisor()?;
    pf1.supervise_with("--force-new-cluster")?;
    pf1.wait_synced(1)?;
    recorded(&[pf1])?;
    pf1.kill_supervisor()?;
    pf1.crash_database()?;
    // systemd would start the same command again.
    pf1.supervise_with("--force-new-cluster")?;
    let is_told =
        || pf1.log("supervisor").contains("`--force-new-cluster` was heard by an earlier start, and counts once");
    wait_until("it does not count again", DEADLINE, is_told, || pf1.log("supervisor"))?;
    come_back(&[pf2, pf3])?;
    pf1.wait_status("wsrep_cluster_status", "Primary")?;
    pf2.wait_shows("may join only without its data", |status| {
        status["decision"]["action"]["discard"] == serde_json::json!(["pf2.example.com", "pf3.example.com"])
    })?;
    for host in [pf2, pf3] {
        host.exec(&["pfcluster", "mariadb", "allow", "discard", host.name(), "--yes"])?;
    }
    wait_all_synced(&all(&lab))?;
    assert!(pf3.query("SELECT id FROM lab.commits")?.is_empty());
    Ok(())
}
