//! Power cuts and graceful stops, in every order.

use std::time::{Duration, Instant};

use pfcluster_tests::lab::{Host, Lab, Result, together, wait_all_synced};

use super::{all, come_back, recorded, recover, supervised, three, under_load};
use crate::common::{disks, measured, nothing_lost, seconds};

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

fn in_order(lab: &Lab, order: [usize; 3]) -> [&Host; 3] {
    order.map(|number| &lab.hosts[number])
}

#[test]
fn all_lose_power() -> Result {
    let lab = supervised()?;
    let writers = under_load(&lab);
    seconds(2);
    lab.cut_together(&all(&lab))?;
    drop(writers);
    disks(&lab, "after the power cut");
    recover(&all(&lab), "power cut of all")?;
    nothing_lost(&lab)
}

/// The third one, without service, must not wait for ever: it has all there is.
#[test]
fn all_but_one_lose_power() -> Result {
    let lab = supervised()?;
    let [pf1, pf2, pf3] = three(&lab)?;
    let writers = under_load(&lab);
    lab.cut_together(&[pf1, pf2])?;
    measured("pf3 is out of service", format!("{:.1?}", pf3.wait_status("wsrep_cluster_status", "non-Primary")?));
    drop(writers);
    come_back(&[pf1, pf2])?;
    let began = Instant::now();
    wait_all_synced(&all(&lab))?;
    measured("power cut of all but one", format!("all synced {:.1?} after the supervisors' start", began.elapsed()));
    nothing_lost(&lab)
}

/// One after the other, so that the first has an older view than the two that go on for a while. Started together by hand that
/// never ends: the older view blocks the newer one.
fn staggered(lab: &Lab, order: [usize; 3]) -> Result<[&Host; 3]> {
    let [first, second, third] = in_order(lab, order);
    let writers = under_load(lab);
    first.cut()?;
    wait_all_synced(&[second, third])?;
    recorded(&[second, third])?;
    second.cut()?;
    third.wait_status("wsrep_cluster_status", "non-Primary")?;
    third.cut()?;
    drop(writers);
    Ok([first, second, third])
}

#[test]
fn power_goes_from_one_to_the_next() -> Result {
    let lab = supervised()?;
    staggered(&lab, ORDERS[0])?;
    recover(&all(&lab), "staggered power cut")?;
    nothing_lost(&lab)
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_in_every_order() -> Result {
    let lab = supervised()?;
    for order in ORDERS {
        staggered(&lab, order)?;
        recover(&all(&lab), &format!("staggered power cut {order:?}"))?;
        nothing_lost(&lab)?;
        recorded(&all(&lab))?;
    }
    Ok(())
}

/// Some seconds apart, the supervisors start in every order: whoever comes first waits for proof, not for a timer.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_comes_back_in_every_order() -> Result {
    let lab = supervised()?;
    for order in ORDERS {
        staggered(&lab, ORDERS[0])?;
        for host in in_order(&lab, order) {
            come_back(&[host])?;
            seconds(4);
        }
        measured(&format!("started {order:?}"), format!("{:.1?} after the last", wait_all_synced(&all(&lab))?));
        nothing_lost(&lab)?;
        recorded(&all(&lab))?;
    }
    Ok(())
}

/// Each database ends with its supervisor.
fn stopped(lab: &Lab, order: [usize; 3]) -> Result {
    let writers = under_load(lab);
    in_order(lab, order).into_iter().try_for_each(Host::stop_supervisor)?;
    drop(writers);
    disks(lab, "after the stops");
    let last = in_order(lab, order)[2];
    assert!(last.grastate().is_some_and(|state| state.safe && state.seqno > 0), "{}", last.name());
    Ok(())
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn all_stop_and_start_at_once() -> Result {
    let lab = supervised()?;
    stopped(&lab, ORDERS[0])?;
    recover(&all(&lab), "graceful stops, started at once")?;
    nothing_lost(&lab)
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn all_stop_and_start_in_order() -> Result {
    let lab = supervised()?;
    for (stop, start) in
        [(ORDERS[0], ORDERS[0]), (ORDERS[0], ORDERS[5]), (ORDERS[5], ORDERS[0]), (ORDERS[5], ORDERS[5])]
    {
        stopped(&lab, stop)?;
        for host in in_order(&lab, start) {
            come_back(&[host])?;
            seconds(5);
        }
        let what = format!("stopped {stop:?}, started {start:?}");
        measured(&what, format!("{:.1?} after the last", wait_all_synced(&all(&lab))?));
        nothing_lost(&lab)?;
        recorded(&all(&lab))?;
    }
    Ok(())
}

/// reference 10: by hand, each was started alone and in vain; the position is gone from every grastate.dat.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn normal_starts_of_all_had_failed() -> Result {
    use pfcluster_tests::lab::command::wait_until;
    use pfcluster_tests::lab::{DEADLINE, Start};

    let lab = supervised()?;
    stopped(&lab, ORDERS[0])?;
    together(&all(&lab), |host| host.start_database(Start::Normal))?;
    for host in all(&lab) {
        wait_until("it gives up", DEADLINE, || !host.database_runs(), || host.database_state())?;
        assert_eq!(host.grastate().map(|state| state.seqno), Some(-1));
    }
    recover(&all(&lab), "after failed starts")?;
    nothing_lost(&lab)
}

/// Only the supervisors die, whenever that is; the databases go on, and whoever starts again goes on with them.
#[test]
fn supervisors_are_killed_at_any_moment() -> Result {
    let lab = supervised()?;
    let writers = under_load(&lab);
    for host in all(&lab) {
        host.kill_supervisor()?;
        assert!(host.is_synced(3), "{}", host.database_state());
        host.supervise()?;
    }
    wait_all_synced(&all(&lab))?;
    lab.cut_together(&all(&lab))?;
    drop(writers);
    together(&all(&lab), Host::boot)?;
    // Before the evidence is there, while it is exchanged, during the start, while the view forms.
    for milliseconds in [150, 450, 700, 1200, 2500] {
        together(&all(&lab), Host::supervise)?;
        std::thread::sleep(Duration::from_millis(milliseconds));
        together(&all(&lab), Host::kill_supervisor)?;
    }
    recover(&all(&lab), "supervisors killed five times")?;
    nothing_lost(&lab)
}

/// A second supervisor would act on the first one's doing.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn two_supervisors_on_one_member() -> Result {
    let lab = supervised()?;
    let pf1 = lab.host("pf1")?;
    let second = pf1.output(&["pfcluster", "mariadb", "supervise"])?;
    assert_eq!(second.status.code(), Some(2));
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another one supervises this database already"), "{said}");
    assert!(said.contains("pfcluster mariadb status"), "{said}");
    let looks = pf1.output(&["pfcluster", "mariadb", "supervise", "--dry-run"])?;
    assert_eq!(looks.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&looks.stdout).contains("Decision: pf1.example.com is in service"));
    assert!(pf1.is_synced(3));
    Ok(())
}
