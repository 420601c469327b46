//! How soon there is service again, and members that can't start.

use std::process::Child;
use std::time::{Duration, Instant};

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Result, together, wait_all_synced};

use super::{all, come_back, supervised, three, under_load, wait_service};
use crate::common::{goal, measured, nothing_lost, seconds};

/// Another program has Galera's port: no start works. Until the child is killed.
pub(super) fn take_port(host: &Host) -> Result<Child> {
    let child = host.command(&["socat", "TCP-LISTEN:4567,fork,reuseaddr", "EXEC:true"])?.spawn()?;
    let has =
        || host.output(&["sh", "-c", "ss -Hltn sport = :4567 | grep -q ."]).is_ok_and(|found| found.status.success());
    wait_until("the port is taken", DEADLINE, has, String::new)?;
    Ok(child)
}

/// It is free again.
pub(super) fn free_port(host: &Host, mut child: Child) -> Result {
    host.exec(&["pkill", "-f", "TCP-LISTEN:4567"])?;
    child.wait()?;
    Ok(())
}

/// Two are back before the third knows that they were away.
#[test]
fn two_are_power_cycled_within_four_seconds() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, _] = three(&lab)?;
    let writers = under_load(&lab);
    lab.cut_together(&[pf1, pf2])?;
    seconds(2);
    come_back(&[pf1, pf2])?;
    let back = Instant::now();
    // What the third says until it knows is worth nothing.
    seconds(1);
    wait_service(&[pf1, pf2])?;
    goal("two of three power-cycled", back.elapsed(), 10);
    wait_all_synced(&all(&lab))?;
    drop(writers);
    nothing_lost(&lab)
}

/// Nobody may join those of whom it only knows that they were in service a moment ago.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn all_databases_are_killed() -> Result {
    let lab = supervised()?;
    for (load, apart) in [(true, 0), (false, 0), (true, 700), (false, 1500)] {
        let writers = if load { under_load(&lab) } else { Vec::new() };
        if apart == 0 {
            together(&all(&lab), |host| host.signal_database("KILL"))?;
        } else {
            for host in all(&lab) {
                host.signal_database("KILL")?;
                std::thread::sleep(Duration::from_millis(apart));
            }
        }
        let killed = Instant::now();
        wait_service(&all(&lab))?;
        goal(&format!("all databases killed, {apart} ms apart, load {load}"), killed.elapsed(), 10);
        measured("all of them", format!("{:.1?} later", wait_all_synced(&all(&lab))?));
        drop(writers);
        super::recorded(&all(&lab))?;
    }
    nothing_lost(&lab)
}

/// One recovers its position and can't start. It does not keep the others down.
#[test]
fn a_port_is_taken_on_one() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    let writers = under_load(&lab);
    lab.cut_together(&all(&lab))?;
    drop(writers);
    together(&all(&lab), Host::boot)?;
    let port = take_port(pf1)?;
    together(&all(&lab), Host::supervise)?;
    let took = wait_service(&[pf2, pf3]);
    measured("pf1", pf1.log("supervisor"));
    goal("pf1 can't start", took?, 15);
    free_port(pf1, port)?;
    measured("its port is free", format!("{:.1?}", wait_all_synced(&all(&lab))?));
    nothing_lost(&lab)
}
