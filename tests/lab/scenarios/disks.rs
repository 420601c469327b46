//! What is on a disk after the power went, and what no longer is.

use std::time::{Duration, SystemTime};

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Lab, Options, Result, Start, Writer, start_together, wait_all_synced};

use crate::common::{
    as_shipped, boot, disks, formed, formed_with, guide, make_forgetful, measured, on_disk, only_the_last_is_lost,
    seconds,
};

/// PacketFence has `innodb_flush_log_at_trx_commit=2`: one member's log ends earlier than what it had acknowledged. The
/// others have the rest.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn one_loses_the_end_of_its_log() -> Result {
    let lab = formed()?;
    let pf3 = lab.host("pf3")?;
    make_forgetful(pf3)?;
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(2);
    restored(&lab, writers)?;
    let verdict = lab.verdict()?;
    measured("ledger", &verdict);
    assert!(verdict.is_good(), "{verdict}");
    Ok(())
}

/// All three lose the end of their logs, each at another place: what none has left is gone, whoever decides.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn all_lose_the_end_of_their_logs() -> Result {
    let lab = formed_with(&as_shipped())?;
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(3);
    let power_went = restored(&lab, writers)?;
    // What is missing was never on a disk.
    only_the_last_is_lost(&lab, power_went, Duration::from_secs(3))
}

/// The power of all goes; they form their last view again by themselves. Returns when it went.
fn restored(lab: &Lab, writers: Vec<Writer>) -> Result<SystemTime> {
    let all: Vec<&Host> = lab.hosts.iter().collect();
    lab.cut_together(&all)?;
    let power_went = SystemTime::now();
    drop(writers);
    disks(lab, "after the power cut");
    boot(&all)?;
    for host in &all {
        measured(&format!("{} recovers", host.name()), host.recover()?.position.unwrap_or_default());
    }
    start_together(&all, Start::Normal)?;
    measured("all three form the cluster again", format!("{:.1?}", wait_all_synced(&all)?));
    Ok(power_went)
}

pub(crate) const BIG: &str = "CREATE TABLE lab.big (id INT PRIMARY KEY, filler VARCHAR(400) NOT NULL);
    INSERT INTO lab.big SELECT seq, REPEAT('x', 400) FROM seq_1_to_100000;
    INSERT INTO lab.big SELECT seq, REPEAT('y', 400) FROM seq_100001_to_200000";

/// A statement that changes a table is under way when the power goes. Galera has written zeros into all state files, and
/// the members, started as the unit starts them, agree that there is no history: *service with a zero cluster*.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_during_a_ddl_statement() -> Result {
    let lab = formed()?;
    let all: Vec<&Host> = lab.hosts.iter().collect();
    lab.hosts[0].long_query(&format!("USE lab; {BIG}"))?;
    let before = lab.hosts[0].status("wsrep_last_committed");
    measured("last committed before it", &before);
    std::thread::scope(|scope| {
        scope.spawn(|| lab.hosts[0].long_query("ALTER TABLE lab.big ENGINE=InnoDB, FORCE, ALGORITHM=COPY"));
        let alters = |host: &Host| {
            let running = host.query("SHOW PROCESSLIST").unwrap_or_default();
            running.iter().any(|row| row.contains("ALTER TABLE") && !row.contains("Waiting"))
        };
        wait_until("all three alter the table", DEADLINE, || all.iter().all(|host| alters(host)), String::new)?;
        disks(&lab, "during the statement");
        lab.cut_together(&all)
    })?;
    disks(&lab, "after the power cut");
    boot(&all)?;
    for host in &all {
        assert!(host.grastate().is_some_and(|state| state.is_zero()));
        let recovered = host.recover()?;
        measured(&format!("{} recovers", host.name()), recovered.position.as_deref().unwrap_or_default());
        assert_eq!(recovered.seqno(), before.parse().ok());
        measured("after the recovery", on_disk(host));
    }
    start_together(&all, Start::Normal)?;
    let over = || all.iter().all(|host| host.is_synced(3)) || all.iter().all(|host| !host.database_runs());
    let took = wait_until("service or none", DEADLINE, over, || on_disk(all[0]));
    measured("started normally", format!("{took:.1?}"));
    for host in &all {
        measured(host.name(), host.database_state());
        let cluster = host.status("wsrep_cluster_state_uuid");
        measured("its cluster", &cluster);
        assert!(cluster.bytes().all(|byte| matches!(byte, b'0' | b'-')), "{cluster}");
    }
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(2);
    drop(writers);
    seconds(1);
    measured("tables after two seconds of writing", lab.verdict()?);
    lab.cut_together(&all)?;
    disks(&lab, "after another power cut");
    boot(&all[..1])?;
    measured("pf1 recovers", all[0].recover()?.position.unwrap_or_default());
    Ok(())
}

/// Only one member's database is killed during such a statement; the others go on.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn one_database_is_killed_during_a_ddl_statement() -> Result {
    let lab = formed()?;
    let pf3 = lab.host("pf3")?;
    lab.hosts[0].long_query(&format!("USE lab; {BIG}"))?;
    std::thread::scope(|scope| {
        let alter = scope.spawn(|| lab.hosts[0].long_query("ALTER TABLE lab.big ENGINE=InnoDB, FORCE, ALGORITHM=COPY"));
        let zero = || pf3.grastate().is_some_and(|state| state.is_zero());
        wait_until("grastate.dat of pf3 names no cluster", DEADLINE, zero, || on_disk(pf3))?;
        seconds(1);
        pf3.crash_database()?;
        measured("the statement on pf1", format!("{:?}", alter.join().map(|result| result.map(|_| "done"))));
        Result::Ok(())
    })?;
    measured("after kill -9", on_disk(pf3));
    let recovered = pf3.recover()?;
    measured("recovered", recovered.position.as_deref().unwrap_or("nothing"));
    pf3.start_database(Start::Normal)?;
    let over = || pf3.is_synced(3) || !pf3.database_runs();
    measured("started again", format!("{:.1?}", wait_until("an end", DEADLINE, over, || pf3.database_state())));
    measured("pf3", pf3.database_state());
    let log = pf3.log("mariadb");
    log.lines().filter(|line| line.contains("SST") || line.contains("IST")).for_each(|line| measured("log", line));
    measured("tables", lab.verdict()?);
    Ok(())
}

/// The database's disk is full to the last byte, then is not.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn a_disk_is_full() -> Result {
    let lab = formed_with(&Options { small_disks: vec![("pf3".to_owned(), 500)], ..guide() })?;
    let pf3 = lab.host("pf3")?;
    let writers = lab.write_on_all(Duration::from_millis(5));
    seconds(1);
    pf3.fill_disk()?;
    // Row by row it would take long to need a new page.
    let result = lab.hosts[0].long_query(&format!("USE lab; {BIG}"));
    measured("a big table is written on pf1", format!("{:?}", result.map(|_| "done")));
    seconds(10);
    lab.hosts.iter().for_each(|host| measured(host.name(), host.database_state()));
    measured("on the full disk", on_disk(pf3));
    let log = pf3.log("mariadb");
    log.lines().filter(|line| line.contains("ERROR")).for_each(|line| measured("log", line));
    pf3.crash_database()?;
    pf3.free_disk()?;
    pf3.start_database(Start::Normal)?;
    let all: Vec<&Host> = lab.hosts.iter().collect();
    measured("with room again", format!("{:.1?}", wait_all_synced(&all)?));
    drop(writers);
    let verdict = lab.verdict()?;
    measured("ledger", &verdict);
    assert!(verdict.is_good(), "{verdict}");
    Ok(())
}
