//! What a power cut leaves of files that nobody syncs in time.

use pfcluster_tests::lab::command::wait_until;
use pfcluster_tests::lab::{DEADLINE, Host, Result};

use super::{all, recorded, recover, supervised, three, under_load};
use crate::common::{disks, measured, nothing_lost};
use crate::disks::BIG;

/// tc.log on one of three: there is no recovery and no start with it, and nothing in it.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn the_log_of_prepared_transactions_is_damaged() -> Result {
    let lab = supervised()?;
    let [_, _, pf3] = three(&lab)?;
    for damage in [Vec::new(), vec![0_u8; 24576]] {
        let writers = under_load(&lab);
        lab.cut_together(&all(&lab))?;
        drop(writers);
        std::fs::metadata(pf3.state_file("tc.log"))?;
        std::fs::write(pf3.state_file("tc.log"), &damage)?;
        recover(&all(&lab), &format!("tc.log of {} NULs", damage.len()))?;
        recorded(&all(&lab))?;
    }
    nothing_lost(&lab)
}

/// A statement that changes a table runs on all members at once: no state file names a cluster any more.
#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn power_goes_during_a_ddl_statement() -> Result {
    let lab = supervised()?;
    let [pf1, ..] = three(&lab)?;
    pf1.long_query(&format!("USE lab; {BIG}"))?;
    drop(under_load(&lab));
    recorded(&all(&lab))?;
    std::thread::scope(|scope| {
        scope.spawn(|| pf1.long_query("ALTER TABLE lab.big ADD COLUMN more INT, FORCE, ALGORITHM=COPY"));
        let alters = |host: &Host| {
            let running = host.query("SHOW PROCESSLIST").unwrap_or_default();
            running.iter().any(|row| row.contains("ALTER TABLE") && !row.contains("Waiting"))
        };
        wait_until("all three alter the table", DEADLINE, || all(&lab).iter().all(|host| alters(host)), String::new)?;
        lab.cut_together(&all(&lab))
    })?;
    disks(&lab, "after the power cut");
    assert!(all(&lab).iter().all(|host| host.grastate().is_some_and(|state| state.is_zero())));
    recover(&all(&lab), "power cut during a DDL statement")?;
    measured(
        "columns",
        pf1.query("SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'big'")?.join(" "),
    );
    nothing_lost(&lab)
}
