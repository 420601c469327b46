//! grastate.dat has a number that `InnoDB` does not have: Galera writes it while the provider is paused (every backup, every donor)
//! and on a clean stop, before `InnoDB`'s log is on the disk. Then the power goes.

use std::process::Child;
use std::time::{Duration, Instant, SystemTime};

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Lab, Result, together, wait_all_synced};

use super::{
    all, come_back, recorded, recover, stays_down, supervised, supervised_with, three, under_load, write_some,
    writers_on,
};
use crate::common::{
    as_shipped, disks, make_forgetful, measured, nothing_lost, on_disk, only_the_last_is_lost, seconds,
};

/// The number in grastate.dat, if it has one.
fn number(host: &Host) -> Option<i64> {
    host.grastate().map(|state| state.seqno).filter(|seqno| *seqno >= 0)
}

/// `FLUSH TABLES WITH READ LOCK` pauses the provider for as long as the session lives.
fn pause(host: &Host) -> Result<mysql::Conn> {
    use mysql::prelude::Queryable as _;
    let mut session = host.connect()?;
    session.query_drop("FLUSH TABLES WITH READ LOCK")?;
    wait_until("the number is in grastate.dat", DEADLINE, || number(host).is_some(), || on_disk(host))?;
    Ok(session)
}

fn begin_backup(host: &Host) -> Result<Child> {
    let backup = "rm -rf /tmp/backup; exec mariabackup --backup --target-dir=/tmp/backup --user=lab --password=lab \
                  --socket=/var/lib/mysql/mysql.sock >/var/log/backup.log 2>&1";
    Ok(host.command(&["sh", "-c", backup])?.spawn()?)
}

/// What a member recovers is what it had; what its state file says is more.
fn claims_more(host: &Host) -> Result {
    let recovered = host.recover()?.seqno();
    measured(host.name(), format!("recovers {recovered:?}, grastate.dat says {:?}", number(host)));
    assert!(recovered < number(host), "the scenario needs a number that InnoDB does not have");
    Ok(())
}

/// pf1 is paused and keeps nothing of what it had; the others have all on their disks. It must not pass for one that has what
/// its file says: neither when one is chosen, nor when it joins and asks for what comes after that number.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_while_one_is_paused() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    make_forgetful(pf1)?;
    let writers = writers_on(&lab, &[pf2, pf3]);
    seconds(2);
    let session = pause(pf1)?;
    lab.cut_together(&all(&lab))?;
    drop((writers, session));
    disks(&lab, "after the power cut");
    together(&all(&lab), Host::boot)?;
    claims_more(pf1)?;
    recover(&all(&lab), "power cut while one is paused")?;
    nothing_lost(&lab)
}

/// The same when only pf1 loses power: the others go on, and their caches have what it asks for.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn only_the_paused_one_loses_power() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    make_forgetful(pf1)?;
    write_some(&lab, pf2, 200)?;
    let session = pause(pf1)?;
    pf1.cut()?;
    drop(session);
    wait_all_synced(&[pf2, pf3])?;
    write_some(&lab, pf2, 50)?;
    pf1.boot()?;
    claims_more(pf1)?;
    recover(&all(&lab), "power cut of the paused one")?;
    nothing_lost(&lab)
}

/// A backup on each, with PacketFence's setting. (Where all are paused, nothing tells a crash from a clean stop but
/// gvwstate.dat.)
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_during_backups() -> Result {
    let lab = supervised_with(&as_shipped())?;
    for which in [&all(&lab)[..1], &all(&lab)] {
        let writers = under_load(&lab);
        let backups = which.iter().map(|host| begin_backup(host)).collect::<Result<Vec<Child>>>()?;
        wait_until(
            "one is paused",
            DEADLINE,
            || which.iter().any(|host| number(host).is_some()),
            || on_disk(which[0]),
        )?;
        lab.cut_together(&all(&lab))?;
        let power_went = SystemTime::now();
        drop(writers);
        backups.into_iter().for_each(|mut backup| drop(backup.wait()));
        disks(&lab, "after the power cut");
        recover(&all(&lab), &format!("power cut during {} backups", which.len()))?;
        only_the_last_is_lost(&lab, power_went, Duration::from_secs(3))?;
        recorded(&all(&lab))?;
        lab.forget_ledgers()?;
    }
    Ok(())
}

/// Freezes the database at the moment that its state file has a number, and cuts the power of these.
fn cut_in_the_stop(lab: &Lab, host: &Host, hosts: &[&Host]) -> Result {
    std::thread::scope(|scope| {
        scope.spawn(|| host.stop_supervisor());
        let began = Instant::now();
        while number(host).is_none() && began.elapsed() < DEADLINE {
            std::hint::spin_loop();
        }
        host.signal_database("STOP")?;
        lab.cut_together(hosts)
    })
}

/// A clean stop is cut off between Galera's number and `InnoDB`'s log; the member comes back to those that go on.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_in_a_clean_stop() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    make_forgetful(pf1)?;
    write_some(&lab, pf2, 200)?;
    cut_in_the_stop(&lab, pf1, &[pf1])?;
    measured("after the power cut", on_disk(pf1));
    wait_all_synced(&[pf2, pf3])?;
    write_some(&lab, pf2, 50)?;
    pf1.boot()?;
    claims_more(pf1)?;
    recover(&all(&lab), "power cut in a clean stop")?;
    nothing_lost(&lab)
}

/// The same in the last stop of all: what pf1 has is more than what the last one really has, and less than what its file says.
/// Without pf1 the others must wait for it.
#[test]
fn power_goes_in_the_last_clean_stop() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    make_forgetful(pf2)?;
    pf3.stop_supervisor()?;
    write_some(&lab, pf1, 200)?;
    pf1.stop_supervisor()?;
    cut_in_the_stop(&lab, pf2, &all(&lab))?;
    disks(&lab, "after the power cut");
    together(&[pf2, pf3], Host::boot)?;
    claims_more(pf2)?;
    come_back(&[pf2, pf3])?;
    stays_down(&[pf2, pf3], 15);
    recover(&all(&lab), "with the one that has the rows")?;
    nothing_lost(&lab)
}
