//! Every history of three members within bounds, elections included: what must hold, holds in each, and service comes
//! back. The numbers of worlds are exact: where one changes, the model, the rules or the bounds have changed.
//!
//! `GALERA_SEARCH=deep cargo test -p pfcluster-tests --test core -- galera_search --nocapture` goes further.

use pfcluster_tests::galera::search::{Found, search};
use pfcluster_tests::galera::{Bounds, Cluster, World};

const NOTHING: Bounds = Bounds { faults: 0, commits: 0, late: 0, cuts: 0, plans: 0, forces: 0, records: 0, tears: 0 };

fn first(left: Bounds) -> World {
    let mut cluster = Cluster::in_service(3);
    cluster.window = 2;
    World { cluster, left, plan: None }
}

fn walk(first: &World) -> Found {
    let begin = std::time::Instant::now();
    let found = search(first);
    for (kind, story) in &found.stories {
        println!("=== {kind}\n{story}");
    }
    println!("{:?}: {found}, {:?}", first.left, begin.elapsed());
    found
}

fn holds(first: &World, worlds: usize) {
    let found = walk(first);
    assert_eq!(found.stories.len(), 0, "promises are broken; the stories are above");
    assert!(found.rounds <= 3, "it took {} rounds of elections", found.rounds);
    assert_eq!(found.worlds, worlds);
}

#[test]
fn members_crash_stop_and_lose_power() {
    holds(&first(Bounds { faults: 2, commits: 2, ..NOTHING }), 17_619);
}

#[test]
fn three_faults_in_a_row() {
    holds(&first(Bounds { faults: 3, ..NOTHING }), 16_958);
}

#[test]
fn commits_are_applied_late() {
    holds(&first(Bounds { faults: 2, commits: 1, late: 1, ..NOTHING }), 18_949);
}

#[test]
fn members_are_cut_off() {
    holds(&first(Bounds { faults: 1, commits: 2, cuts: 2, ..NOTHING }), 65_510);
}

#[test]
fn members_are_slow_to_act_on_what_they_decided() {
    holds(&first(Bounds { faults: 2, commits: 1, plans: 1, ..NOTHING }), 30_425);
}

#[test]
fn members_are_slow_to_act_and_cut_off() {
    holds(&first(Bounds { faults: 1, commits: 1, cuts: 1, plans: 1, ..NOTHING }), 15_006);
}

#[test]
fn state_transfers_take_their_time() {
    let mut first = first(Bounds { faults: 2, commits: 1, ..NOTHING });
    first.cluster.slow_transfers = true;
    holds(&first, 28_017);
}

#[test]
fn state_transfers_are_in_full_and_take_their_time() {
    let mut first = first(Bounds { faults: 2, commits: 1, ..NOTHING });
    (first.cluster.slow_transfers, first.cluster.cache) = (true, 0);
    holds(&first, 24_290);
}

#[test]
fn power_cuts_harm_files() {
    holds(&first(Bounds { faults: 2, commits: 1, tears: 1, ..NOTHING }), 14_901);
}

#[test]
fn the_operator_forces_a_new_cluster() {
    holds(&first(Bounds { faults: 1, commits: 1, cuts: 1, forces: 1, ..NOTHING }), 17_470);
}

/// The search finds what it is to find: a mistake of the supervisors that costs a commit.
#[test]
fn floors_that_are_written_down_too_early_lose_a_commit() {
    let mut first = first(Bounds { faults: 3, commits: 1, late: 1, ..NOTHING });
    first.cluster.hasty_floors = true;
    let found = walk(&first);
    assert!(found.stories.iter().any(|(kind, _)| kind == "a lost commit"));
}

#[test]
fn further() {
    if std::env::var("GALERA_SEARCH").is_ok_and(|depth| depth == "deep") {
        for bounds in [
            Bounds { faults: 3, commits: 1, ..NOTHING },
            Bounds { faults: 2, commits: 2, late: 1, ..NOTHING },
            Bounds { faults: 2, commits: 1, cuts: 1, ..NOTHING },
            Bounds { faults: 1, commits: 1, cuts: 2, plans: 1, ..NOTHING },
            Bounds { faults: 2, commits: 1, tears: 1, records: 1, ..NOTHING },
            Bounds { faults: 3, commits: 2, ..NOTHING },
            Bounds { faults: 2, commits: 2, cuts: 1, ..NOTHING },
            Bounds { faults: 3, commits: 1, late: 1, ..NOTHING },
            Bounds { faults: 2, commits: 1, cuts: 1, plans: 1, ..NOTHING },
            Bounds { faults: 2, commits: 1, cuts: 1, forces: 1, ..NOTHING },
            Bounds { faults: 4, commits: 1, ..NOTHING },
        ] {
            assert_eq!(walk(&first(bounds)).stories.len(), 0);
        }
    }
}
