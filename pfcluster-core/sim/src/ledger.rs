//! The ledger: which commits clients were told are safe, who holds each, and who lost it if nobody does.

use std::collections::BTreeMap;

use super::breach::Kind as Breach;
use super::galera::{Begun, Data, Harm, HistoryId, Place, Set};
use super::world::World;

/// Why the databases have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A process, a host or a disk failed: what only it held is lost with it, whatever anybody does.
    Fault,
    /// The network has fallen apart, or come together.
    Network,
    /// The group went on, or somebody did what was wanted.
    Group,
    /// A hand worked past the supervisors.
    Hand,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// No client was told that it is safe.
    #[default]
    Unsaid,
    /// Somebody holds it.
    Held,
    /// Its last copy went with a fault: it was not flushed, or its disk came back without it.
    Faulted,
    /// Galera went on without it, by itself.
    Galera,
    /// An operator gave it up.
    GivenUp,
    /// It was lost, and nothing excuses that.
    Lost,
}

/// The ledger.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    fates: Vec<Fate>,
    /// The copies of a commit that the start of a new history left where they were, as their members were disabled or had run alone.
    /// The same history goes on without them; no other one may.
    kept: BTreeMap<(usize, HistoryId), Set>,
}

impl Ledger {
    fn set(&mut self, event: usize, fate: Fate) {
        if self.fates.len() <= event {
            self.fates.resize(event + 64, Fate::Unsaid);
        }
        self.fates[event] = fate;
    }

    pub(super) fn count(&self, fate: Fate) -> usize {
        self.fates.iter().filter(|other| **other == fate).count()
    }

    fn held(&self) -> impl Iterator<Item = usize> {
        self.fates.iter().enumerate().filter(|(_, fate)| **fate == Fate::Held).map(|(event, _)| event)
    }
}

impl World {
    /// The last event was acknowledged.
    pub(super) fn acknowledged(&mut self) {
        let event = usize::from(self.galera.last_event().0);
        self.ledger.set(event, Fate::Held);
    }

    /// Who holds each event. `whole`: only in copies that were a state once.
    fn holders(&self, whole: bool) -> Vec<Set> {
        let mut holders = vec![Set::NOBODY; self.ledger.fates.len()];
        for (place, member) in self.galera.members.iter().enumerate() {
            let (Data::Rows(rows) | Data::NoHistory(rows)) = &member.disk.data else { continue };
            if whole && (member.disk.marker || member.disk.harm == Some(Harm::Torn)) {
                continue;
            }
            for event in rows.log.iter().chain(&rows.alone) {
                if let Some(of) = holders.get_mut(usize::from(event.0)) {
                    *of = of.with(place);
                }
            }
        }
        holders
    }

    /// Writes down which commits would be gone if the power of these went now, and no disk kept more than was flushed.
    pub(super) fn note_risk(&mut self, who: Set) {
        if self.diary.is_none() {
            return;
        }
        let holders = self.holders(false);
        let is_unflushed = |event: usize, place: Place| {
            let rows = self.galera.rows(place);
            let tail = rows.map(|rows| &rows.log[rows.log.len().saturating_sub(usize::from(rows.unflushed))..]);
            who.contains(place) && tail.is_some_and(|tail| tail.iter().any(|other| usize::from(other.0) == event))
        };
        let is_at_risk = |event: &usize| holders[*event].iter().all(|place| is_unflushed(*event, place));
        let at_risk: Vec<usize> = self.ledger.held().filter(is_at_risk).collect();
        if let Some(diary) = &mut self.diary {
            diary.at_risk.extend(at_risk);
        }
    }

    /// What must hold after each change of the databases.
    pub(super) fn check(&mut self, cause: Cause) {
        let begun = std::mem::take(&mut self.galera.begun);
        begun.iter().for_each(|begun| self.check_begun(begun));
        self.check_copies(cause);
        self.check_components();
    }

    /// The last copy of a commit goes only with a fault, or on a word.
    fn check_copies(&mut self, cause: Cause) {
        let holders = self.holders(false);
        let gone: Vec<usize> = self.ledger.held().filter(|event| holders[*event].is_empty()).collect();
        for event in gone {
            let fate = match cause {
                Cause::Fault => Fate::Faulted,
                Cause::Hand => Fate::GivenUp,
                _ if self.words.forged || self.words.any(self.now) => Fate::GivenUp,
                Cause::Group | Cause::Network => {
                    self.breaks(Breach::Wiped, format!("the last copy of commit e{event} is gone"));
                    Fate::Lost
                }
            };
            self.ledger.set(event, fate);
        }
    }

    /// History goes on from a member: nobody may hold more, but who was given up.
    fn check_begun(&mut self, begun: &Begun) {
        let Begun { first, members, elected } = *begun;
        let holders = self.holders(true);
        let missing: Vec<usize> = self.ledger.held().filter(|event| !holders[*event].contains(first)).collect();
        // Who was detached and ran alone keeps what it wrote, until a word says what becomes of it.
        let alone = self.everybody().iter().filter(|&place| self.hosts[place].records.ran_standalone).collect();
        let counted_out =
            self.galera.members[first].disabled.and(if self.words.detached { alone } else { Set::NOBODY });
        for event in missing {
            let history = self.galera.rows(first).map(|rows| rows.history);
            let kept = history.and_then(|history| self.ledger.kept.get(&(event, history)).copied());
            let Some(holder) = holders[event].without(counted_out.and(kept.unwrap_or(Set::NOBODY))).iter().next()
            else {
                let is_other = |place| self.galera.rows(place).is_some_and(|rows| Some(rows.history) != history);
                if let Some(history) = history.filter(|_| holders[event].iter().all(is_other)) {
                    self.ledger.kept.insert((event, history), holders[event]);
                }
                continue;
            };
            let now = self.now;
            let gives_up = |holder| self.words.gives_up(&self.name(holder), &self.name(first), now);
            // Who starts on an override is told which disabled members are left behind.
            let left = self.galera.members[first].disabled.and(self.hosts[first].counted_out);
            let is_told = |holder| self.words.any(now) && left.contains(holder);
            // Of a force that none of them has heard of, nobody who answers can tell: the decision says that it assumes there was none.
            let is_unheard = members.iter().all(|place| self.hosts[place].records.forks.is_empty());
            let was_forced = |holder| is_unheard && self.words.forces(&self.name(holder), now);
            let may_go_without = |holder| gives_up(holder) || is_told(holder) || was_forced(holder);
            let is_excused = self.words.forged || holders[event].iter().all(may_go_without);
            let fate = match elected {
                _ if is_excused => Fate::GivenUp,
                false => Fate::Galera,
                true => {
                    let [first, holder] = [first, holder].map(|place| self.name(place));
                    let members = self.names.joined(members);
                    self.breaks(
                        Breach::LeftBehind,
                        format!("{members} went on from {first} without commit e{event}, which {holder} holds"),
                    );
                    Fate::Lost
                }
            };
            self.ledger.set(event, fate);
        }
    }

    fn check_components(&mut self) {
        let primaries = self.galera.primaries();
        if primaries.len() > 1 && !self.words.may_split(self.now) && !self.is_split {
            let sides: Vec<String> = primaries.iter().map(|view| self.names.joined(view.members)).collect();
            self.breaks(Breach::TwoPrimaries, format!("primary components {}", sides.join(" and ")));
        }
        // A split that was excused once stays so until it is over.
        self.is_split = primaries.len() > 1;
        let synced: Vec<Place> = self.everybody().iter().filter(|&place| self.galera.is_synced(place)).collect();
        for (at, &one) in synced.iter().enumerate() {
            if self.galera.at(one).is_none() && !self.words.forged {
                self.breaks(Breach::ZeroUuid, format!("{} is primary with the zero UUID", self.name(one)));
            }
            if self.words.may_mix(self.now) {
                continue;
            }
            let Some(rows) = self.galera.rows(one) else { continue };
            let same = |other: &&Place| {
                self.galera.run(**other).map(|run| run.view) == self.galera.run(one).map(|run| run.view)
            };
            for &other in synced[at + 1..].iter().filter(same) {
                let Some(others) = self.galera.rows(other) else { continue };
                let common = rows.log.len().min(others.log.len());
                if rows.log[..common] != others.log[..common] {
                    let [one, other] = [one, other].map(|place| self.name(place));
                    let what = format!("{one} and {other} are in one component with different rows");
                    self.breaks(Breach::Diverged, what);
                    return;
                }
            }
        }
    }

    /// Everybody in service holds all that is not lost.
    pub(super) fn check_whole(&mut self) {
        let holders = self.holders(true);
        let everybody = self.everybody();
        let missing = self.ledger.held().find(|event| !everybody.is_within(holders[*event]));
        if let Some(event) = missing {
            let who = self.names.joined(holders[event]);
            self.breaks(Breach::Missing, format!("all are in service, and only {who} has commit e{event}"));
        }
    }
}
