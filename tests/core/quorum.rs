//! Who has quorum: every small world against Galera as its source has it, laws, what may fail next, the program's JSON.

mod galera;
mod laws;
mod schema;
mod sweep;
mod tolerance;

use std::sync::LazyLock;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::quorum::{Absence, Outcome, State, ViewChange, Voter, Weight};

/// A set of members: bit 0 is the first.
type Set = u32;

/// Weights, in order; `None` is unknown.
type Weights = Vec<Option<u8>>;

fn host(number: usize) -> Hostname {
    // The sweeps name the same few members millions of times.
    static FEW: LazyLock<Vec<Hostname>> = LazyLock::new(|| (0..Set::BITS as usize).map(named).collect());
    FEW.get(number).cloned().unwrap_or_else(|| named(number))
}

fn named(number: usize) -> Hostname {
    format!("pf{}", number + 1).parse().expect("a host name")
}

fn voters(weights: &[Option<u8>]) -> Vec<Voter> {
    let voter = |(number, weight): (usize, &Option<u8>)| {
        let mut voter = Voter::new(host(number));
        voter.weight = weight.map(Weight::new);
        voter
    };
    weights.iter().enumerate().map(voter).collect()
}

fn members(set: Set) -> impl Iterator<Item = usize> {
    (0..Set::BITS as usize).filter(move |number| set >> number & 1 == 1)
}

fn hosts(set: Set) -> Vec<Hostname> {
    members(set).map(host).collect()
}

fn all(count: usize) -> Set {
    (1 << count) - 1
}

/// What happens at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Change {
    down: Set,
    left: Set,
    groups: Vec<Set>,
}

impl Change {
    fn view_change(&self) -> ViewChange {
        let split = self.groups.iter().map(|&group| hosts(group)).collect();
        ViewChange { down: hosts(self.down), left: hosts(self.left), split: Some(split) }
    }

    /// Everything that can become of the members in `up`: each goes down, leaves, or stays in one of up to as many groups
    /// as there are members.
    fn every(up: Set) -> Vec<Change> {
        let mut changes = vec![Change::default()];
        for number in members(up) {
            changes = changes.into_iter().flat_map(|change| change.with(1 << number)).collect();
        }
        changes
    }

    /// One member more, in each of its possible places.
    fn with(self, member: Set) -> Vec<Change> {
        let mut places = vec![
            Change { down: self.down | member, ..self.clone() },
            Change { left: self.left | member, ..self.clone() },
        ];
        for at in 0..self.groups.len() {
            let mut change = self.clone();
            change.groups[at] |= member;
            places.push(change);
        }
        let mut change = self;
        change.groups.push(member);
        places.push(change);
        places
    }
}

/// The groups of an outcome with whether each is primary, in order of their first members.
fn groups(outcome: &Outcome) -> Vec<(Set, bool)> {
    let set = |hosts: &[Hostname]| hosts.iter().map(number).fold(0, |set, number| set | 1 << number);
    outcome.groups.iter().map(|group| (set(&group.members), group.state == State::Primary)).collect()
}

fn number(host: &Hostname) -> usize {
    host.as_str()[2..].parse::<usize>().expect("a number") - 1
}

/// Who is down, and who of them left.
fn absent(outcome: &Outcome) -> (Set, Set) {
    let set = |absence| {
        let absent = outcome.absent.iter().filter(|absent| absent.absence == absence);
        absent.fold(0, |set, absent| set | 1 << number(&absent.host))
    };
    (set(Absence::Crashed), set(Absence::Left))
}

/// All sequences of `count` of these weights.
fn every_weights(alphabet: &[Option<u8>], count: usize) -> Vec<Weights> {
    let longer = |weights: Vec<Weights>, _| {
        let extend = |weights: Weights| alphabet.iter().map(move |&weight| [&weights[..], &[weight]].concat());
        weights.into_iter().flat_map(extend).collect()
    };
    (0..count).fold(vec![Vec::new()], longer)
}
