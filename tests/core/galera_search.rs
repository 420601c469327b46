//! Every history of three members within bounds, elections included: what must hold, holds in each.

use pfcluster_tests::galera::search::search;
use pfcluster_tests::galera::{Bounds, Cluster, World};

fn world(left: Bounds) -> World {
    let mut cluster = Cluster::in_service(3);
    cluster.window = 2;
    World { cluster, left, plan: None }
}

const NONE: Bounds = Bounds { faults: 0, commits: 0, late: 0, cuts: 0, plans: 0, forces: 0, records: 0, tears: 0 };

#[test]
fn try_it() {
    let number = |name: &str, or: u8| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let bounds = Bounds {
        faults: number("F", 2),
        commits: number("C", 1),
        late: number("L", 0),
        cuts: number("N", 0),
        plans: number("P", 0),
        forces: number("O", 0),
        records: number("R", 0),
        tears: number("T", 0),
        ..NONE
    };
    let mut first = world(bounds);
    first.cluster.slow_transfers = number("S", 0) == 1;
    first.cluster.hasty_floors = number("H", 0) == 1;
    let begin = std::time::Instant::now();
    let found = search(&first, std::env::var("MAX").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000));
    println!(
        "{bounds:?}: {} worlds, {} steps, depth {}, {} recovered in {} rounds, {:?}",
        found.worlds,
        found.steps,
        found.depth,
        found.recovered,
        found.rounds,
        begin.elapsed()
    );
    for (kind, story) in &found.stories {
        println!("=== {kind}\n{story}\n");
    }
    assert!(found.stories.is_empty());
}
