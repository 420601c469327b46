//! A database that does not answer may serve all the same: nobody ends it, and nobody starts beside it.

use std::process::Child;

use mysql::prelude::Queryable as _;
use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Lab, Options, Result, together, wait_all_synced};

use super::starts::{free_port, take_port};
use super::{all, come_back, recorded, recover, supervised, supervised_with, three, write_some};
use crate::common::{guide, measured, nothing_lost, seconds};

/// pf2 alone is in service; the starts of the others fail.
fn alone(lab: &Lab) -> Result<Vec<Child>> {
    let [pf1, pf2, pf3] = three(lab)?;
    write_some(lab, pf2, 50)?;
    pf1.stop_supervisor()?;
    pf3.stop_supervisor()?;
    pf2.wait_synced(1)?;
    recorded(&[pf2])?;
    write_some(lab, pf2, 50)?;
    let ports = vec![take_port(pf1)?, take_port(pf3)?];
    Ok(ports)
}

fn pid(host: &Host) -> Result<String> {
    host.exec(&["pgrep", "-x", "mariadbd"])
}

/// For so long its database is the same process; then it answers again, and nothing was lost.
fn is_left_alone(lab: &Lab, ports: Vec<Child>, answers_again: impl FnOnce(&Host) -> Result) -> Result {
    let [pf1, pf2, pf3] = three(lab)?;
    let before = pid(pf2)?;
    come_back(&[pf1, pf3])?;
    for _ in 0..45 {
        seconds(1);
        let log = pf2.log("supervisor");
        assert!(
            pid(pf2).is_ok_and(|now| now == before) && !log.contains("Z stop the database"),
            "pf2 was ended\n{log}"
        );
    }
    answers_again(pf2)?;
    [pf1, pf3].into_iter().zip(ports).try_for_each(|(host, port)| free_port(host, port))?;
    wait_all_synced(&all(lab))?;
    assert_eq!(pid(pf2)?, before, "pf2 was ended");
    nothing_lost(lab)
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn the_one_in_service_is_frozen() -> Result {
    let lab = supervised()?;
    let ports = alone(&lab)?;
    lab.host("pf2")?.signal_database("STOP")?;
    is_left_alone(&lab, ports, |pf2| pf2.signal_database("CONT"))
}

/// Every thread of the pool is busy: sessions go on, logins hang.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn the_one_in_service_has_no_thread_left() -> Result {
    let mut options: Options = guide();
    let pool = ["--thread-handling=pool-of-threads", "--thread-pool-size=1", "--thread-pool-max-threads=12"];
    options.database_arguments.extend(pool.map(str::to_owned));
    let lab = supervised_with(&options)?;
    let ports = alone(&lab)?;
    let pf2 = lab.host("pf2")?;
    let mut sessions = (0..30).map(|_| pf2.connect()).collect::<std::result::Result<Vec<_>, _>>()?;
    let pids: Vec<u32> = sessions.iter().map(mysql::Conn::connection_id).collect();
    let sleepers = std::thread::spawn(move || {
        std::thread::scope(|scope| {
            for session in &mut sessions {
                scope.spawn(|| session.query_drop("SELECT SLEEP(50)"));
            }
        });
    });
    measured("sessions", pids.len());
    wait_until("logins hang", DEADLINE, || pf2.connect().is_err(), || pf2.database_state())?;
    let answers = |pf2: &Host| wait_until("it answers", DEADLINE, || pf2.connect().is_ok(), String::new).map(drop);
    is_left_alone(&lab, ports, answers)?;
    let _ = sleepers.join();
    Ok(())
}

/// pf1's disk hangs and its database is frozen: what its supervisor once told is no news. The others, who were in a later view
/// of their own, come back without it.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn the_disk_of_one_hangs() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    write_some(&lab, pf2, 50)?;
    let records = "/usr/local/pf/var/pfcluster/records.json";
    pf1.exec(&["sh", "-c", &format!("mv {records} {records}.away && mkfifo {records}")])?;
    seconds(3);
    pf1.signal_database("STOP")?;
    wait_all_synced(&[pf2, pf3])?;
    recorded(&[pf2, pf3])?;
    write_some(&lab, pf2, 50)?;
    together(&[pf2, pf3], |host| host.signal_database("KILL"))?;
    seconds(1);
    let back = wait_all_synced(&[pf2, pf3]);
    let told = pf2.exec(&["pfcluster", "mariadb", "status"])?;
    assert!(!told.contains("allow discard pf2"), "{told}");
    measured("without the one whose disk hangs", format!("{:.1?}", back?));
    // It is switched off, and comes back.
    pf1.cut()?;
    pf1.boot()?;
    pf1.exec(&["sh", "-c", &format!("[ ! -p {records} ] || mv {records}.away {records}")])?;
    recover(&[pf1, pf2, pf3], "with it").or_else(|_| wait_all_synced(&all(&lab)).map(drop))?;
    nothing_lost(&lab)
}
