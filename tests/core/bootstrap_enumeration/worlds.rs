//! Every short history of a small cluster, and every part of the evidence that it leaves behind.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pfcluster_core::galera::bootstrap::{Action, Policy, Seen};
use pfcluster_core::galera::select_bootstrap;
use pfcluster_testing::laws;
use pfcluster_testing::worlds::{Event, Sight, World};

use super::search::{kind, shown};

/// How a world came about, the first event first.
type Path = Vec<String>;

/// What the histories showed.
#[derive(Debug, Default)]
pub(crate) struct Histories {
    pub(crate) worlds: usize,
    pub(crate) decisions: usize,
    pub(crate) answers: BTreeMap<&'static str, usize>,
    violations: BTreeMap<String, (usize, usize, String)>,
    next: Vec<(World, Path)>,
}

impl Histories {
    fn add(&mut self, other: Histories) {
        self.worlds += other.worlds;
        self.decisions += other.decisions;
        other.answers.into_iter().for_each(|(kind, count)| *self.answers.entry(kind).or_default() += count);
        for (key, (count, length, first)) in other.violations {
            let known = self.violations.entry(key).or_insert((0, usize::MAX, String::new()));
            known.0 += count;
            if length < known.1 {
                (known.1, known.2) = (length, first);
            }
        }
        self.next.extend(other.next);
    }

    fn broken(&mut self, law: &str, path: &Path, what: impl FnOnce() -> String) {
        let known = self.violations.entry(law.to_owned()).or_insert((0, usize::MAX, String::new()));
        known.0 += 1;
        if path.len() < known.1 {
            (known.1, known.2) = (path.len(), format!("  after {}\n{}", path.join(", "), what()));
        }
    }

    pub(crate) fn report(&self, name: &str) {
        println!("{name}: {} worlds, {} decisions", self.worlds, self.decisions);
        self.answers.iter().for_each(|(kind, count)| println!("  {count:>10} {kind}"));
        let mut text = String::new();
        for (law, (count, _, first)) in &self.violations {
            let _ = writeln!(text, "{count} times {law}\n{first}");
        }
        assert!(text.is_empty(), "{name}:\n{text}");
    }
}

/// How far to go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits<'a> {
    /// How many events.
    pub(crate) depth: usize,
    /// How many transactions a crash can cost a member.
    pub(crate) losses: &'a [i64],
    /// Which events happen.
    pub(crate) events: fn(&Event) -> bool,
    /// Whether what is decided is also done.
    pub(crate) act: bool,
}

/// All histories from these beginnings.
pub(crate) fn histories(beginnings: Vec<World>, limits: Limits<'_>) -> Histories {
    let mut all = Histories::default();
    let visited: Mutex<HashSet<u64>> = Mutex::new(beginnings.iter().map(digest).collect());
    let is_new =
        |world: &World| visited.lock().expect("no thread panics while it holds the lock").insert(digest(world));
    let mut now: Vec<(World, Path)> = beginnings.into_iter().map(|world| (world, Path::new())).collect();
    for depth in 0..=limits.depth {
        let (next, found) = (AtomicUsize::new(0), Mutex::new(Histories::default()));
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
                scope.spawn(|| {
                    let mut own = Histories::default();
                    while let Some((world, path)) = now.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let starts = judge(world, path, &mut own);
                        if depth < limits.depth {
                            own.next.extend(successors(world, path, &starts, limits, &is_new));
                        }
                    }
                    found.lock().expect("no thread panics while it holds the lock").add(own);
                });
            }
        });
        all.add(found.into_inner().expect("all threads are done"));
        now = std::mem::take(&mut all.next);
    }
    all
}

fn digest(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

fn successors(
    world: &World,
    path: &Path,
    starts: &[Action],
    limits: Limits<'_>,
    is_new: &impl Fn(&World) -> bool,
) -> Vec<(World, Path)> {
    let with = |step: String| [&path[..], &[step]].concat();
    let mut next = Vec::new();
    for event in world.events(limits.losses).into_iter().filter(limits.events) {
        if let Some(world) = world.after(&event).filter(is_new) {
            next.push((world, with(format!("{event:?}"))));
        }
    }
    for action in starts.iter().filter(|_| limits.act) {
        if let Some(world) = world.acted(action).filter(is_new) {
            next.push((world, with(format!("[{action}]"))));
        }
    }
    next
}

/// All parts of the evidence: of each member nothing, a part, or everything.
fn sights(size: usize) -> impl Iterator<Item = Vec<Sight>> {
    let mut all = vec![Vec::new()];
    for _ in 0..size {
        let with =
            |sofar: &Vec<Sight>| [Sight::None, Sight::Part, Sight::Whole].map(|sight| [&sofar[..], &[sight]].concat());
        all = all.iter().flat_map(with).collect();
    }
    // Whoever decides knows something of somebody.
    all.into_iter().skip(1)
}

/// Judges every decision in a world; the starts that are decided in it.
fn judge(world: &World, path: &Path, found: &mut Histories) -> Vec<Action> {
    let policy = Policy::default();
    let mut starts: Vec<(Action, Vec<Seen>)> = Vec::new();
    found.worlds += 1;
    for sight in sights(world.nodes.len()) {
        let seen = world.seen(&sight);
        let decision = select_bootstrap(&seen, &policy);
        found.decisions += 1;
        *found.answers.entry(kind(&decision.action)).or_default() += 1;
        let shown = || format!("  {}\n{}", decision.action, shown(&seen, &policy));
        let mut judged = laws::check(&seen, &policy, &decision);
        if sight.iter().all(|sight| *sight == Sight::Whole) {
            judged = judged.and_then(|()| laws::check_alive(&seen, &policy, &decision, true));
        }
        if let Err(violation) = judged {
            let law = format!("{} / {}", violation.law, kind(&decision.action));
            found.broken(&law, path, || format!("  {violation}\n{}", shown()));
        }
        if let Err(violation) = world.check(&decision.action) {
            found.broken(violation.law, path, || format!("  {violation}\n{}", shown()));
        }
        if world.source(&decision.action).is_none() {
            continue;
        }
        if starts.iter().any(|(known, _)| *known == decision.action) {
            continue;
        }
        let same = |other: &Action| world.is_same_start(other, &decision.action);
        if let Some((other, before)) = starts.iter().find(|(other, _)| !same(other)) {
            let what = || format!("{}  but {other}\n{}", shown(), super::search::shown(before, &policy));
            found.broken(&format!("two starts / {} {}", kind(other), kind(&decision.action)), path, what);
        }
        starts.push((decision.action, seen));
    }
    starts.into_iter().map(|(action, _)| action).collect()
}
