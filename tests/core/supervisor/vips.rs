//! Who holds a virtual address, and for how long: as one finds it, as the other hears it.

use std::net::Ipv4Addr;
use std::time::Duration;

use pfcluster_core::supervisor::Tick;
use pfcluster_testing::clusters::host;

use pfcluster_tests::members::{Member, config, nothing, talk};

const SECOND: Duration = Duration::from_secs(1);

fn vip(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 168, 1, number)
}

fn pair() -> (Member, Member) {
    (Member::new(config(0, 2, 1), nothing(), Tick(0)), Member::new(config(1, 2, 2), nothing(), Tick(0)))
}

/// The addresses that `member` knows another to hold, and for how many whole seconds.
fn held(member: &Member, at: usize) -> Option<Vec<(Ipv4Addr, u64)>> {
    let held = member.knows(&host(at)).held?;
    Some(held.into_iter().map(|(vip, held)| (vip, held.as_secs())).collect())
}

#[test]
fn it_is_told_who_holds_an_address_and_for_how_long() {
    let (mut one, mut other) = pair();
    talk(&mut one, &mut other, 3000);
    assert_eq!((held(&one, 0), held(&other, 0)), (None, None), "a host that can't tell holds nothing for certain");
    one.holds = Some(vec![]);
    talk(&mut one, &mut other, 3000);
    assert_eq!((held(&one, 0), held(&other, 0)), (Some(vec![]), Some(vec![])));
    one.holds = Some(vec![vip(10)]);
    talk(&mut one, &mut other, 10_000);
    one.holds = Some(vec![vip(10), vip(11)]);
    talk(&mut one, &mut other, 10_000);
    for member in [&one, &other] {
        let Some([(first, long), (second, short)]) =
            held(member, 0).as_deref().map(<[_; 2]>::try_from).and_then(Result::ok)
        else {
            panic!("two addresses: {:?}", held(member, 0))
        };
        assert_eq!((first, second), (vip(10), vip(11)));
        // A look may be a second late, what is told is in whole seconds, and the way takes its time.
        assert!((18..=20).contains(&long) && (8..=10).contains(&short), "{long} and {short}");
    }
    // An address that is lost and taken again begins anew.
    one.holds = Some(vec![vip(11)]);
    talk(&mut one, &mut other, 3000);
    one.holds = Some(vec![vip(10), vip(11)]);
    talk(&mut one, &mut other, 5000);
    let again = held(&other, 0).and_then(|held| held.first().copied());
    assert!(again.is_some_and(|(first, long)| first == vip(10) && (3..=5).contains(&long)), "{again:?}");
}

/// Nobody says any more that it has given the address away.
#[test]
fn of_a_silent_member_nothing_is_known() {
    let (mut one, mut other) = pair();
    one.holds = Some(vec![vip(10)]);
    talk(&mut one, &mut other, 3000);
    assert_eq!(held(&other, 0).map(|held| held.len()), Some(1));
    other.pass(other.now + 60 * SECOND);
    assert_eq!(held(&other, 0), None);
}

/// While a look takes its time, as one that recovers the position, addresses come and go.
#[test]
fn what_was_seen_too_long_ago_is_not_told() {
    let (mut one, mut other) = pair();
    one.holds = Some(vec![vip(10)]);
    talk(&mut one, &mut other, 3000);
    one.is_blind = true;
    talk(&mut one, &mut other, 60_000);
    assert_eq!((held(&one, 0), held(&other, 0)), (None, None));
    assert!(other.knows(&host(0)).has_supervisor, "it still is heard");
}

/// More addresses than fit into a datagram: elections come first.
#[test]
fn evidence_is_told_without_addresses_where_both_do_not_fit() {
    let (mut one, mut other) = pair();
    one.holds = Some((0..=255).map(vip).collect());
    talk(&mut one, &mut other, 3000);
    assert_eq!((held(&one, 0).map(|held| held.len()), held(&other, 0)), (Some(256), None));
    assert!(other.evidence_of(&host(0)).is_some());
    one.holds = Some((0..30).map(vip).collect());
    talk(&mut one, &mut other, 3000);
    assert_eq!(held(&other, 0).map(|held| held.len()), Some(30));
}
