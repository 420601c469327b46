//! Random histories.

use std::mem::{Discriminant, discriminant};
use std::ops::{Range, RangeInclusive};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{Event, Sight, World};
use pfcluster_core::galera::bootstrap::{Policy, select_bootstrap};

/// How much is lost in a crash, at most, is a matter of luck.
const LOSSES: [i64; 3] = [0, 1, 2];

/// What is known of each of so many members.
pub fn sights(members: usize) -> impl Strategy<Value = Vec<Sight>> {
    vec(prop_oneof![Just(Sight::None), Just(Sight::Part), Just(Sight::Whole)], members)
}

/// The worlds after random histories of so many events. Now and then somebody who sees a part of it asks for an election
/// and does what it says.
pub fn worlds(members: RangeInclusive<usize>, events: Range<usize>) -> impl Strategy<Value = World> {
    let beginning = (members, any::<bool>(), any::<bool>()).prop_map(|(size, arbitrator, records)| {
        let world = if arbitrator && size > 2 { World::with_arbitrator(size) } else { World::new(size) };
        if records { world } else { world.without_records() }
    });
    let step = (any::<Index>(), any::<Index>(), sights(8));
    (beginning, vec(step, events)).prop_map(|(world, steps)| {
        steps.into_iter().fold(world, |world, (class, event, sight)| next(&world, class, event, &sight))
    })
}

/// Kinds of events are equally likely: there are many more ways to crash than to stop.
fn next(world: &World, class: Index, event: Index, sight: &[Sight]) -> World {
    let mut kinds: Vec<(Discriminant<Event>, Vec<Event>)> = Vec::new();
    for event in world.events(&LOSSES) {
        match kinds.iter_mut().find(|(kind, _)| *kind == discriminant(&event)) {
            Some((_, events)) => events.push(event),
            None => kinds.push((discriminant(&event), vec![event])),
        }
    }
    let (choice, first) = (class.index(kinds.len() + 2), event);
    let Some((_, events)) = kinds.get(choice) else {
        let decision = select_bootstrap(&world.seen(sight), &Policy::default());
        return world.acted(&decision.action).unwrap_or_else(|| world.clone());
    };
    let at = first.index(events.len());
    let mut possible = events.iter().cycle().skip(at).take(events.len());
    possible.find_map(|event| world.after(event)).unwrap_or_else(|| world.clone())
}
