//! Who holds a virtual address: VRRP (RFC 3768) as keepalived does it with the files that are generated here, which say
//! `state BACKUP` and `preempt_delay 30`.

use super::galera::{Place, Set};

/// Milliseconds between advertisements, as PacketFence has them.
const ADVERT: u64 = 5_000;

/// Who has not heard a holder for three advertisements takes the address.
const DOWN: u64 = 3 * ADVERT;

/// So long a member that comes up leaves the address where it is.
const PREEMPT_DELAY: u64 = 30_000;

/// One virtual address, and the members that may hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Router {
    candidates: Vec<Candidate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate {
    place: Place,
    priority: u64,
    /// Its services run since then.
    well_since: Option<u64>,
    /// It has last heard somebody who holds the address, or begun to wait, then.
    heard: u64,
    /// It holds the address; its next advertisement is due then.
    next_advert: Option<u64>,
}

impl Router {
    /// An address whose candidates have these priorities; whose is the highest holds it from long ago.
    pub(super) fn new(candidates: &[(Place, u64)], now: u64) -> Router {
        let candidate = |&(place, priority): &(Place, u64)| Candidate {
            place,
            priority,
            well_since: Some(now.saturating_sub(PREEMPT_DELAY)),
            heard: now,
            next_advert: None,
        };
        let mut candidates: Vec<Candidate> = candidates.iter().map(candidate).collect();
        if let Some(first) = candidates.iter_mut().max_by_key(|one| (one.priority, std::cmp::Reverse(one.place))) {
            first.next_advert = Some(now);
        }
        Router { candidates }
    }

    /// Time has come to `now`. `well`: whose services run; `gone`: whose power is gone, so that they could not say goodbye.
    pub(super) fn tick(&mut self, now: u64, well: Set, gone: Set, connects: impl Fn(Place, Place) -> bool) {
        for at in 0..self.candidates.len() {
            self.rise_or_fall(at, now, well, gone, &connects);
        }
        for at in 0..self.candidates.len() {
            let one = self.candidates[at];
            let skew = 256_u64.saturating_sub(one.priority) * 1_000 / 256;
            let is_silent = now >= one.heard + DOWN + skew;
            if one.well_since.is_some() && one.next_advert.is_none() && is_silent {
                self.candidates[at].next_advert = Some(now);
            }
        }
        // Whoever takes over says so at once.
        let is_due = |one: &Candidate| one.next_advert.is_some_and(|when| when <= now);
        while let Some(at) = self.candidates.iter().position(is_due) {
            self.candidates[at].next_advert = Some(now + ADVERT);
            self.advertise(at, now, &connects);
        }
    }

    fn rise_or_fall(&mut self, at: usize, now: u64, well: Set, gone: Set, connects: &impl Fn(Place, Place) -> bool) {
        let one = self.candidates[at];
        match (one.well_since, well.contains(one.place)) {
            (None, true) => {
                (self.candidates[at].well_since, self.candidates[at].heard) = (Some(now), now);
            }
            (Some(_), false) => {
                (self.candidates[at].well_since, self.candidates[at].next_advert) = (None, None);
                if one.next_advert.is_some() && !gone.contains(one.place) {
                    // Its last advertisement has priority 0: the others need not wait.
                    let hears = |other: &&mut Candidate| connects(one.place, other.place);
                    self.candidates.iter_mut().filter(hears).for_each(|other| other.heard = now.saturating_sub(DOWN));
                }
            }
            _ => {}
        }
    }

    /// Whoever hears it and has a lower priority is no holder. Whoever has a higher one discards it as soon as it may take over, so
    /// that the silence ends for it like any other.
    fn advertise(&mut self, at: usize, now: u64, connects: &impl Fn(Place, Place) -> bool) {
        let from = self.candidates[at];
        let outranks = |other: &Candidate| (other.priority, from.place) > (from.priority, other.place);
        for other in self.candidates.iter_mut().filter(|other| other.place != from.place) {
            let Some(well_since) = other.well_since.filter(|_| connects(from.place, other.place)) else { continue };
            if !outranks(other) {
                (other.next_advert, other.heard) = (None, now);
            } else if other.next_advert.is_none() && now < well_since + PREEMPT_DELAY {
                other.heard = now;
            }
        }
    }

    /// Who holds it: several, where they do not hear each other.
    pub(super) fn holders(&self) -> Set {
        self.candidates.iter().filter(|one| one.next_advert.is_some()).map(|one| one.place).collect()
    }
}
