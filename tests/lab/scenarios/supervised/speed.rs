//! How fast, beside the best that somebody could do who knows everything: all members are known to have crashed out of one
//! view, so their databases are started at once, each at its recovered position.

use std::time::{Duration, Instant};

use pfcluster_tests::lab::{Host, Lab, Result, Start, start_together, together, wait_all_synced};

use super::{all, recorded, supervised};
use crate::common::{boot, measured, nothing_lost, seconds};

const PAIRS: usize = 10;

/// Cuts the power of all, brings them back in this way, and tells how long that took.
fn round(lab: &Lab, load: bool, start: impl Fn(&[&Host]) -> Result) -> Result<Duration> {
    let writers = if load { lab.write_on_all(Duration::from_millis(5)) } else { Vec::new() };
    seconds(2);
    lab.cut_together(&all(lab))?;
    drop(writers);
    boot(&all(lab))?;
    let began = Instant::now();
    start(&all(lab))?;
    wait_all_synced(&all(lab))?;
    Ok(began.elapsed())
}

/// Galera itself takes one second more or less, so a median would jump between the two.
fn mean(mut times: Vec<Duration>) -> (Duration, String) {
    times.sort_unstable();
    let shown: Vec<String> = times.iter().map(|time| format!("{:.1}", time.as_secs_f64())).collect();
    let number = u32::try_from(times.len()).unwrap_or(u32::MAX);
    (times.iter().sum::<Duration>() / number, shown.join(" "))
}

#[test]
#[ignore = "slow: tests/lab/lab matrix"]
fn beside_a_perfectly_informed_script() -> Result {
    let lab = supervised()?;
    for load in [false, true] {
        let (mut ours, mut informed) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            ours.push(round(&lab, load, |hosts| together(hosts, Host::supervise))?);
            informed.push(round(&lab, load, |hosts| start_together(hosts, Start::Normal))?);
            // The next round needs what supervisors write down.
            together(&all(&lab), Host::supervise)?;
            recorded(&all(&lab))?;
        }
        let what = if load { "under load" } else { "idle" };
        let ((ours, our_times), (informed, their_times)) = (mean(ours), mean(informed));
        measured(&format!("{what}: supervisors"), format!("mean {ours:.1?} of {our_times}"));
        measured(&format!("{what}: informed script"), format!("mean {informed:.1?} of {their_times}"));
        measured(&format!("{what}: ratio"), format!("{:.2}", ours.as_secs_f64() / informed.as_secs_f64()));
    }
    nothing_lost(&lab)
}
