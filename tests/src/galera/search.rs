//! Every history within bounds, breadth first: the first story found for a broken promise is a shortest one.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use super::{Broken, Cluster, Set, Step, World, plain};
use pfcluster_core::galera::Policy;
use pfcluster_core::galera::bootstrap::Action;

/// What a search has found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// How many worlds there are.
    pub worlds: usize,
    /// How many steps lead from one to another.
    pub steps: usize,
    /// The longest of the shortest histories.
    pub depth: usize,
    /// The shortest story for each kind of broken promise.
    pub stories: Vec<(String, String)>,
    /// The most rounds of elections that it took to be in service again.
    pub rounds: usize,
    /// From how many worlds that was tried.
    pub recovered: usize,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { worlds, steps, depth, rounds, recovered, .. } = self;
        write!(
            f,
            "{worlds} worlds, {steps} steps, the deepest {depth}; {recovered} came back in {rounds} rounds at most"
        )
    }
}

/// A world, and how it was reached.
struct Reached {
    world: World,
    from: Option<(usize, Step)>,
}

/// Walks through every history that begins here; no further than a broken promise.
pub fn search(first: &World) -> Found {
    let first = World { cluster: plain(first.cluster.clone()), ..first.clone() };
    let mut found = Found::default();
    let mut known: HashMap<World, usize> = HashMap::from([(first.clone(), 0)]);
    let mut reached = vec![Reached { world: first, from: None }];
    let mut level = 0..1;
    while !level.is_empty() {
        let results = expand(&reached[level.clone()]);
        let begin = reached.len();
        for (at, Expanded { next, alive }) in level.clone().zip(results) {
            match alive {
                Some(Ok(rounds)) => {
                    found.rounds = found.rounds.max(rounds);
                    found.recovered += 1;
                }
                Some(Err(stuck)) => tell(&mut found, &reached, at, "service does not come back", &stuck),
                None => {}
            }
            for (step, world) in next {
                found.steps += 1;
                let broken = world.cluster.broken.clone();
                if broken.is_empty() {
                    if !known.contains_key(&world) {
                        known.insert(world.clone(), reached.len());
                        reached.push(Reached { world, from: Some((at, step)) });
                    }
                } else if !found.stories.iter().any(|(name, _)| *name == kind(&broken)) {
                    let end = format!("{step}\n{}  BROKEN: {}\n", world.cluster, broken[0]);
                    tell(&mut found, &reached, at, &kind(&broken), &end);
                }
            }
        }
        level = begin..reached.len();
        found.depth += usize::from(!level.is_empty());
        if !found.stories.is_empty() {
            break;
        }
    }
    found.worlds = reached.len();
    found
}

struct Expanded {
    next: Vec<(Step, World)>,
    alive: Option<Result<usize, String>>,
}

fn expand(reached: &[Reached]) -> Vec<Expanded> {
    let one = |reached: &Reached| {
        let world = &reached.world;
        let next = world.steps().into_iter().filter_map(|step| Some((step, world.after(step)?))).collect();
        Expanded { next, alive: recovers(&world.cluster) }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = reached.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let work: Vec<_> =
            reached.chunks(share).map(|part| scope.spawn(move || part.iter().map(one).collect::<Vec<_>>())).collect();
        work.into_iter().flat_map(|part| part.join().expect("the search does not panic")).collect()
    })
}

/// If all members have power, the network is whole and nobody has forced anything: how many rounds of elections, each
/// member with everybody's evidence, bring everybody into service but those whose data can't be trusted: these wait for the
/// operator's word, and if they may hold more than the others, everybody does.
pub fn recovers(cluster: &Cluster) -> Option<Result<usize, String>> {
    let whole = cluster.members.iter().all(|member| member.powered && member.side == 0 && !member.maintenance);
    if !whole || cluster.forces > 0 {
        return None;
    }
    let mut cluster = cluster.clone();
    let everybody = cluster.everybody();
    for round in 0..10 {
        let is_well = |place| cluster.is_synced(place) || cluster.is_stopped(place) && !cluster.is_trusted(place);
        if everybody.iter().all(is_well) && cluster.primaries().len() == 1 {
            return Some(Ok(round));
        }
        everybody.iter().for_each(|place| cluster.apply(place));
        for place in everybody.iter() {
            if !cluster.is_primary(place) {
                cluster.supervise(place, everybody);
            }
            cluster.finish_transfer(place);
            cluster.settle(Set::NOBODY);
        }
        everybody.iter().for_each(|place| {
            cluster.give_up(place);
        });
        if let Some(broken) = cluster.broken.first() {
            return Some(Err(format!("{cluster}  BROKEN: {broken}")));
        }
    }
    let answers: Vec<Action> =
        everybody.iter().map(|place| cluster.elect(place, everybody, &Policy::default()).action).collect();
    let somebody_is_doubtful = everybody.iter().any(|place| !cluster.is_trusted(place));
    if somebody_is_doubtful && answers.iter().all(|answer| matches!(answer, Action::Refuse { .. })) {
        return Some(Ok(0));
    }
    let mut story = format!("{cluster}");
    for (place, answer) in answers.iter().enumerate() {
        let _ = writeln!(story, "  pf{} says {answer:?}", place + 1);
    }
    Some(Err(story))
}

fn kind(broken: &[Broken]) -> String {
    match broken[0] {
        Broken::TwoPrimaries => "two primary components",
        Broken::LostCommit(..) => "a lost commit",
        Broken::JoinLoses(..) => "joining loses a commit",
        Broken::ZeroUuid(_) => "the zero UUID",
    }
    .to_owned()
}

/// Writes the story of a broken promise down, if it is the first of its kind.
fn tell(found: &mut Found, reached: &[Reached], at: usize, kind: &str, end: &str) {
    if found.stories.iter().any(|(name, _)| name == kind) {
        return;
    }
    let mut steps = Vec::new();
    let mut here = at;
    while let Some((from, step)) = reached[here].from {
        steps.push((step, here));
        here = from;
    }
    let mut story = format!("    at first\n{}", reached[here].world.cluster);
    for (number, (step, here)) in steps.iter().rev().enumerate() {
        let _ = writeln!(story, "{:>3} {step}\n{}", number + 1, reached[*here].world.cluster);
    }
    story += &format!("  then {end}");
    found.stories.push((kind.to_owned(), story));
}
