//! What is given on another member allows nothing here: the shared key proves that a datagram is of a member, not of which. A host
//! that has the key poses as two members here (attack M2 of the security review).

use pfcluster_core::galera::{
    ClusterStatus, Evidence, Files, Found, Grastate, LocalState, Observation, Position, Process, Recovered, Running,
    Uuid,
};
use pfcluster_core::supervisor::{Event, Input, Origin, Part, Saying, Step, Tick};
use pfcluster_testing::clusters::host;
use pfcluster_testing::evidence;
use pfcluster_tests::members::{Member, config, nothing, stopped, talk, together};
use pfcluster_tests::property_config;
use proptest::prelude::*;

const OURS: Uuid = Uuid::from_u128(0xA << 120);
const THEIRS: Uuid = Uuid::from_u128(0xB << 120);

/// A member that acts, and two that others pose as.
fn cluster(own: Evidence, posed: [Evidence; 2]) -> [Member; 3] {
    let mut acting = config(0, 3, 1);
    acting.is_passive = false;
    let [one, other] = posed;
    [
        Member::new(acting, own, Tick(0)),
        Member::new(config(1, 3, 2), one, Tick(0)),
        Member::new(config(2, 3, 3), other, Tick(0)),
    ]
}

fn data() -> Evidence {
    let at = Position::new(OURS, 30).expect("a position");
    let grastate = Grastate { uuid: OURS, seqno: 30, safe_to_bootstrap: Some(false) };
    stopped(Files { grastate: Found::Read(grastate), recovered: Recovered::At(at), ..Files::default() })
}

fn in_service() -> Evidence {
    let running = Running {
        uuid: THEIRS,
        status: ClusterStatus::Primary,
        state: LocalState::Synced,
        size: 2,
        last_committed: 20,
        sees: vec![host(1), host(2)],
        sees_others: Vec::new(),
    };
    Evidence { process: Process::Running(running), ..nothing() }
}

fn parts(member: &Member) -> Vec<Part> {
    member.acts.iter().map(|(part, _)| *part).collect()
}

#[test]
fn a_discard_that_posed_members_were_given_moves_nothing() {
    let mut members = cluster(data(), [in_service(), in_service()]);
    for (id, posed) in (1..).zip(&mut members[1..]) {
        posed.input(Input::Said { id, saying: Saying::Discard(host(0)), user: Some(0) });
    }
    together(&mut members, 20_000);
    assert_eq!(parts(&members[0]), []);
    let status = members[0].supervisor.status(members[0].now);
    let asked: Vec<_> = status.words.iter().map(|word| (&word.given.origin, word.needed_on.as_ref())).collect();
    let [one, other] = [1, 2].map(|at| Origin { member: host(at), user: Some(0) });
    assert_eq!(asked, [(&one, Some(&host(0))), (&other, Some(&host(0)))], "it says who asks, and where it would count");
    // The same, given where the data are.
    members[0].input(Input::Said { id: 9, saying: Saying::Discard(host(0)), user: Some(1000) });
    together(&mut members, 2_000);
    assert_eq!(parts(&members[0])[..1], [Part::JoinWithoutData]);
    let own = members[0].supervisor.status(members[0].now).words;
    let own = own.iter().find(|word| word.given.id == 9).expect("it is valid until the data are gone");
    assert_eq!((&own.given.origin.member, own.given.origin.user, &own.needed_on), (&host(0), Some(1000), &None));
}

/// All that five members allow to say: 40 overrides.
fn sayings() -> Vec<Saying> {
    let about = |at: usize| {
        [Saying::Discard(host(at)), Saying::Trust(host(at)), Saying::End(host(at)), Saying::Seed(host(at))]
            .into_iter()
            .chain([Saying::Force(host(at)), Saying::AssumeLost(vec![host(at)])])
            .chain((0..at).map(move |other| Saying::AssumeLost(vec![host(other), host(at)])))
    };
    (0..5).flat_map(about).collect()
}

fn said_by(member: &Member, from: usize) -> usize {
    let is_from = |event: &&Event| matches!(event, Event::Said { origin, .. } if origin.member == host(from));
    member.told.iter().filter(is_from).count()
}

/// Root on one member sends as many overrides as fit, and others the next second: each was a line of the log.
#[test]
fn more_overrides_than_an_operator_gives_are_dropped() {
    let [mut one, mut other] = [0, 1].map(|at| Member::new(config(at, 5, at as u64 + 1), nothing(), Tick(0)));
    talk(&mut one, &mut other, 1_000);
    for (id, saying) in (1..).zip(sayings()) {
        other.input(Input::Said { id, saying, user: Some(0) });
    }
    talk(&mut one, &mut other, 2_000);
    // Given again, each is another one.
    for (id, saying) in (1_000..).zip(sayings()) {
        other.input(Input::Said { id, saying, user: Some(0) });
    }
    talk(&mut one, &mut other, 2_000);
    assert_eq!((sayings().len(), said_by(&one, 1)), (40, 16));
    let dropped: Vec<_> = one.told.iter().filter(|event| matches!(event, Event::OverridesDropped { .. })).collect();
    assert_eq!(dropped, [&Event::OverridesDropped { from: host(1) }], "one line");
    assert!(one.supervisor.status(one.now).words.len() <= 16);
}

/// An operator who gives the same override every minute is understood each time.
#[test]
fn as_many_as_an_operator_gives_are_taken() {
    let [mut one, mut other] = [0, 1].map(|at| Member::new(config(at, 5, at as u64 + 1), nothing(), Tick(0)));
    talk(&mut one, &mut other, 1_000);
    for id in 1..=40 {
        other.input(Input::Said { id, saying: Saying::Standalone, user: Some(0) });
        talk(&mut one, &mut other, 1_000);
        assert_eq!(one.supervisor.status(one.now).words.len(), 1, "{id}");
        let until = Tick(one.now.0 + 60_000);
        one.pass(until);
        other.pass(until);
        (one.sent, other.sent) = Default::default();
        talk(&mut one, &mut other, 1_000);
    }
    assert_eq!(said_by(&one, 1), 40);
}

/// A member sends only what was given to it: nobody can say in its name where another override comes from.
#[test]
fn the_member_of_an_origin_is_the_sender() {
    let mut members = cluster(data(), [nothing(), nothing()]);
    members[1].input(Input::Said { id: 5, saying: Saying::Discard(host(2)), user: None });
    together(&mut members, 1_000);
    for member in [&members[0], &members[2]] {
        let words = member.supervisor.status(member.now).words;
        let origins: Vec<_> = words.iter().map(|word| &word.given.origin).collect();
        assert_eq!(origins, [&Origin { member: host(1), user: None }]);
    }
}

fn saying() -> impl Strategy<Value = Saying> {
    let member = || (0..3_usize).prop_map(host);
    prop_oneof![
        prop::collection::vec(member(), 1..3).prop_map(Saying::AssumeLost),
        member().prop_map(Saying::Discard),
        member().prop_map(Saying::Seed),
        member().prop_map(Saying::Trust),
        member().prop_map(Saying::End),
        member().prop_map(Saying::Force),
        Just(Saying::Standalone),
    ]
}

fn found() -> impl Strategy<Value = Evidence> {
    evidence::observation(3).prop_map(|observation| match observation {
        Observation::Known(evidence) => *evidence,
        Observation::Unknown(_) => nothing(),
    })
}

/// What the attack needs, as often as anything else.
fn own() -> impl Strategy<Value = Evidence> {
    prop_oneof![Just(data()), found()]
}

fn posed() -> impl Strategy<Value = (Evidence, Evidence)> {
    let nothing = || prop_oneof![Just(nothing()), found()];
    prop_oneof![Just((in_service(), in_service())), (nothing(), nothing())]
}

fn ends_what_may_serve(step: &Step) -> bool {
    matches!(step, Step::End { .. } | Step::Stop { kill_after: None })
}

proptest! {
    #![proptest_config(property_config())]

    /// Whatever two members say of themselves, and whatever is given on them: the third one moves no data aside, ends nothing that
    /// may serve, and gives its data no new cluster UUID.
    #[test]
    fn what_is_given_elsewhere_destroys_nothing_here(
        own in own(),
        posed in posed(),
        given in prop::collection::vec((1..3_usize, saying()), 0..5),
    ) {
        let mut members = cluster(own, [posed.0, posed.1]);
        for (id, (on, saying)) in (1..).zip(given) {
            members[on].input(Input::Said { id, saying, user: Some(0) });
        }
        together(&mut members, 18_000);
        for (part, steps) in &members[0].acts {
            prop_assert!(!matches!(part, Part::JoinWithoutData | Part::End | Part::Seed), "{part}");
            prop_assert!(!steps.contains(&Step::SetDataAside), "{part}");
            prop_assert!(!steps.iter().any(ends_what_may_serve), "{part}: {steps:?}");
        }
    }

    /// Nor does it start anything that it would not start without them.
    #[test]
    fn what_is_given_elsewhere_starts_nothing_here(
        own in own(),
        posed in posed(),
        given in prop::collection::vec((1..3_usize, saying()), 1..5),
    ) {
        let (one, other) = posed;
        // What a member is given about itself is evidence of that member.
        let given = given.into_iter().filter(|(on, saying)| saying.about() != Some(&host(*on)));
        let mut with = cluster(own.clone(), [one.clone(), other.clone()]);
        let mut without = cluster(own, [one, other]);
        for (id, (on, saying)) in (1..).zip(given) {
            with[on].input(Input::Said { id, saying, user: Some(0) });
        }
        together(&mut with, 3_000);
        together(&mut without, 3_000);
        let starts = |member: &Member| parts(member).iter().copied().filter(|part| part.starts()).collect::<Vec<_>>();
        let (with, without) = (starts(&with[0]), starts(&without[0]));
        prop_assert!(with.iter().all(|part| without.contains(part)), "{with:?}, and without overrides {without:?}");
    }
}
