//! What was seen in the lab (tests/lab/scenarios), in the simulated world: the same story, the same outcome. And what the
//! simulated world has found, each as the shortest story that shows it.

#[path = "cases/files.rs"]
mod files;
#[path = "cases/found.rs"]
mod found;
#[path = "cases/measured.rs"]
mod measured;
#[path = "cases/missing.rs"]
mod missing;
#[path = "cases/network.rs"]
mod network;
#[path = "cases/operator.rs"]
mod operator;
#[path = "cases/power.rs"]
mod power;

use pfcluster_core::galera::bootstrap::{Action, Awaited, Problem};
use pfcluster_core::supervisor::Saying;
use pfcluster_tests::galera::evidence::host;
use pfcluster_tests::galera::{Data, Disk, File, Grastate, HistoryId, Place, Set};
use pfcluster_tests::sim::{Expect as _, Fate, Kind, Phase, Plan, World};

const PF1: Place = 0;
const PF2: Place = 1;
const PF3: Place = 2;
const ALL: Set = Set::first(3);

/// Every order of three.
const ORDERS: [[Place; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

fn calm() -> World {
    World::calm(3)
}

fn awaits(world: &World, viewer: Place, whom: &[Place]) -> bool {
    let is = |awaited: &[Awaited]| whom.iter().all(|&place| awaited.iter().any(|one| one.member == host(place)));
    matches!(world.decision(viewer), Some(Action::Wait { awaited }) if is(&awaited))
}

fn refuses(world: &World, viewer: Place, is: fn(&Problem) -> bool) -> bool {
    matches!(world.decision(viewer), Some(Action::Refuse { problem }) if is(&problem))
}

/// Their power goes one after the other, each time after the others have noticed.
fn staggered(world: &mut World, order: [Place; 3]) {
    for place in order {
        world.cut(Set::of(place));
        world.run_for(9_000);
    }
}
