//! A member that never comes back, or comes back with what the others did without.

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Result, wait_all_synced};
use serde_json::Value;

use super::{all, come_back, recover, stays_down, supervised, three, under_load};
use crate::common::{measured, nothing_lost, seconds};

/// Whom the decision waits for.
fn awaited(status: &Value) -> Vec<&str> {
    let list = status["decision"]["action"]["for"].as_array();
    list.into_iter().flatten().filter_map(|one| one["member"].as_str()).collect()
}

fn allow(host: &Host, words: &[&str]) -> Result {
    host.exec(&[&["pfcluster", "mariadb", "allow"], words, &["--yes"]].concat()).map(drop)
}

/// Who left first has nothing that the others lack, and the last one's grastate.dat proves it.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn the_first_to_stop_never_comes_back() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    let writers = under_load(&lab);
    for host in [pf1, pf2, pf3] {
        host.stop_supervisor()?;
    }
    drop(writers);
    pf1.cut()?;
    recover(&[pf2, pf3], "without the first to stop")?;
    // And then it does.
    recover(&all(&lab), "with it")?;
    nothing_lost(&lab)
}

/// The last one may hold more: nobody starts before an operator gives that up, and it does not slip in afterwards.
#[test]
fn the_last_to_stop_never_comes_back() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    pf1.stop_supervisor()?;
    pf2.stop_supervisor()?;
    pf3.query("INSERT INTO lab.commits VALUES (7, 'pf3')")?;
    pf3.stop_supervisor()?;
    pf3.cut()?;
    come_back(&[pf1, pf2])?;
    let waits = || pf1.supervisor_status().is_some_and(|status| awaited(&status) == ["pf3.example.com"]);
    wait_until("pf1 waits for pf3 alone", DEADLINE, waits, || pf1.log("supervisor"))?;
    stays_down(&[pf1, pf2], 5);
    // It counts on the one that starts: the most advanced.
    for host in [pf1, pf2] {
        allow(host, &["assume-lost", "pf3"])?;
    }
    measured("with the override", format!("{:.1?}", wait_all_synced(&[pf1, pf2])?));
    pf1.query("INSERT INTO lab.commits VALUES (8, 'pf1')")?;
    come_back(&[pf3])?;
    pf3.wait_shows("may join only without its data", |status| {
        status["decision"]["action"]["discard"] == serde_json::json!(["pf3.example.com"])
    })?;
    seconds(3);
    assert!(!pf3.database_runs(), "{}", pf3.log("supervisor"));
    allow(pf3, &["discard", "pf3"])?;
    wait_all_synced(&all(&lab))?;
    for host in all(&lab) {
        assert_eq!(host.query("SELECT id FROM lab.commits ORDER BY id")?, ["8"], "{}", host.name());
    }
    let aside = pf3.exec(&["sh", "-c", "ls -d /var/lib/mysql.aside-*"])?;
    measured("what pf3 held is kept in", aside.trim());
    Ok(())
}

/// All crashed out of one view. Without the third nobody can know whether it has a transaction that was under way.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn one_never_comes_back_after_a_power_cut() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    let writers = under_load(&lab);
    lab.cut_together(&all(&lab))?;
    drop(writers);
    come_back(&[pf1, pf2])?;
    let waits = || pf2.supervisor_status().is_some_and(|status| awaited(&status) == ["pf3.example.com"]);
    wait_until("pf2 waits for pf3 alone", DEADLINE, waits, || pf2.log("supervisor"))?;
    stays_down(&[pf1, pf2], 5);
    for host in [pf1, pf2] {
        allow(host, &["assume-lost", "pf3"])?;
    }
    measured("with the override", format!("{:.1?}", wait_all_synced(&[pf1, pf2])?));
    // It comes back after all: with what the others have, or with more, which then is not lost without a word.
    come_back(&[pf3])?;
    let status = pf3.wait_decision("join")?;
    if status["decision"]["action"]["discard"] == serde_json::json!(["pf3.example.com"]) {
        measured("pf3 holds", "more than the others");
        allow(pf3, &["discard", "pf3"])?;
    }
    wait_all_synced(&all(&lab)).map(drop)
}
