//! The network between the hosts: directed links on two planes, and what can be wrong with each.

use super::galera::{Place, Set};
use super::random::Random;

/// Two networks run between the hosts, and either can fail alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plane {
    /// Datagrams of the supervisors, and their questions to databases.
    Management,
    /// TCP 4567: the group of the databases.
    Galera,
}

/// What is wrong with a directed link, and until when.
#[derive(Clone, Copy, Debug, Default)]
struct Link {
    cut: u64,
    galera_cut: u64,
    lossy: u64,
    doubling: u64,
    disordered: u64,
    slow: u64,
}

/// Trouble with datagrams that a link can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Loss,
    Doubling,
    Disorder,
    Delay,
}

/// All links, and the datagrams that somebody has recorded.
#[derive(Clone, Debug)]
pub(super) struct Network {
    links: Vec<Vec<Link>>,
    /// Old datagrams, to be replayed: by sender, receiver.
    recorded: Vec<(Place, Place, Vec<u8>)>,
    at: usize,
}

/// How many old datagrams are kept.
const RECORDED: usize = 64;

impl Network {
    pub(super) fn new(members: usize) -> Network {
        Network { links: vec![vec![Link::default(); members]; members], recorded: Vec::new(), at: 0 }
    }

    pub(super) fn heal(&mut self) {
        let members = self.links.len();
        self.links = vec![vec![Link::default(); members]; members];
    }

    /// Nothing goes from here to there until then.
    pub(super) fn cut(&mut self, from: Place, to: Place, planes: &[Plane], until: u64) {
        let link = &mut self.links[from][to];
        for plane in planes {
            let cut = if *plane == Plane::Galera { &mut link.galera_cut } else { &mut link.cut };
            *cut = until.max(*cut);
        }
    }

    pub(super) fn trouble(&mut self, from: Place, to: Place, trouble: Trouble, until: u64) {
        let link = &mut self.links[from][to];
        *match trouble {
            Trouble::Loss => &mut link.lossy,
            Trouble::Doubling => &mut link.doubling,
            Trouble::Disorder => &mut link.disordered,
            Trouble::Delay => &mut link.slow,
        } = until;
    }

    /// True if both directions of the link are open, as TCP needs.
    pub(super) fn connects(&self, one: Place, other: Place, plane: Plane, now: u64) -> bool {
        let open = |from: Place, to: Place| {
            let link = &self.links[from][to];
            now >= if plane == Plane::Galera { link.galera_cut } else { link.cut }
        };
        one == other || open(one, other) && open(other, one)
    }

    /// When the datagram's copies arrive: never, once, or twice.
    pub(super) fn carry(&mut self, from: Place, to: Place, bytes: &[u8], now: u64, random: &mut Random) -> Vec<u64> {
        if random.percent(5) {
            self.record(from, to, bytes);
        }
        let link = self.links[from][to];
        if now < link.cut || now < link.lossy && random.percent(60) {
            return Vec::new();
        }
        let copies = if now < link.doubling && random.percent(50) { 2 } else { 1 };
        let delay = |random: &mut Random| {
            let mut delay = random.between(0, 2);
            if now < link.disordered {
                delay += random.between(0, 900);
            }
            if now < link.slow {
                delay += random.between(1_000, 7_000);
            }
            now + delay
        };
        (0..copies).map(|_| delay(random)).collect()
    }

    fn record(&mut self, from: Place, to: Place, bytes: &[u8]) {
        let entry = (from, to, bytes.to_vec());
        if self.recorded.len() < RECORDED {
            self.recorded.push(entry);
        } else {
            self.recorded[self.at % RECORDED] = entry;
            self.at += 1;
        }
    }

    /// An old datagram that was sent to this member, or to anybody.
    pub(super) fn old(&self, to: Option<Place>, random: &mut Random) -> Option<Vec<u8>> {
        let fits: Vec<&Vec<u8>> = self
            .recorded
            .iter()
            .filter(|(_, other, _)| to.is_none_or(|to| to == *other))
            .map(|(_, _, bytes)| bytes)
            .collect();
        (!fits.is_empty()).then(|| fits[random.below(fits.len())].clone())
    }

    /// The part of Galera's network that each member is in. Its members relay for each other: who is joined through a third
    /// one is in the same part. Who is in `apart` reaches nobody.
    pub(super) fn parts(&self, apart: Set, now: u64) -> Vec<u8> {
        let members = self.links.len();
        let mut parts: Vec<u8> = (0..8).take(members).collect();
        for _ in 0..members {
            for one in 0..members {
                for other in 0..members {
                    let apart = one != other && (apart.contains(one) || apart.contains(other));
                    if !apart && self.connects(one, other, Plane::Galera, now) {
                        parts[one] = parts[one].min(parts[other]);
                    }
                }
            }
        }
        parts
    }
}
