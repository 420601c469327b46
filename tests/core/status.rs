//! Laws of the verdict, over everything that can be seen of up to five members; and its reasons as JSON.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::{Decision, Step};
use pfcluster_core::form::{WithText, kind_of};
use pfcluster_core::galera::{ClusterStatus, LocalState, Running, Uuid};
use pfcluster_core::status::{Connections, Database, Galera, Reason, Seen, Server, Verdict, assess};
use pfcluster_tests::decisions::status::decide;
use pfcluster_tests::schema::schema;
use pfcluster_tests::{cases, files, property_config};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::Value;

fn host(number: usize) -> Hostname {
    format!("pf{}", number + 1).parse().expect("a host name")
}

fn galera(number: usize, count: usize) -> impl Strategy<Value = Galera> {
    let uuid = prop_oneof![6 => Just(1_u128), 1 => Just(2), 1 => Just(0)].prop_map(Uuid::from_u128);
    let status = prop_oneof![
        5 => Just(ClusterStatus::Primary), 2 => Just(ClusterStatus::NonPrimary), 1 => Just(ClusterStatus::Disconnected)
    ];
    let state = prop_oneof![
        6 => Just(LocalState::Synced),
        2 => select(&[LocalState::Initialized, LocalState::Joining, LocalState::Donor, LocalState::Inconsistent][..])
    ];
    let sees = prop_oneof![3 => Just((0..count).collect::<Vec<_>>()), 2 => subsequence((0..count).collect::<Vec<_>>(), 0..=count)];
    let others = prop_oneof![6 => Just(vec![]), 1 => Just(vec![Box::from("192.168.1.99")])];
    (uuid, status, state, sees, others, any::<bool>(), prop_oneof![4 => Just(0.0), 1 => 0.0..1.0]).prop_map(
        move |(uuid, status, state, mut sees, sees_others, sees_itself, paused)| {
            if sees_itself && !sees.contains(&number) {
                sees.push(number);
                sees.sort_unstable();
            }
            let size = u32::try_from(sees.len() + sees_others.len()).expect("a few");
            let sees = sees.into_iter().map(host).collect();
            Galera {
                running: Running { uuid, status, state, size, last_committed: 1200, sees, sees_others },
                ready: Some(state == LocalState::Synced),
                flow_control_paused: Some(paused),
                weight: Some(size),
            }
        },
    )
}

fn database(number: usize, count: usize) -> impl Strategy<Value = Database> {
    let why = || Box::from("for a reason");
    let connections = prop_oneof![3 => Just(12_u32), 1 => 0..1000_u32].prop_map(|used| Connections { used, max: 1000 });
    let galera = prop_oneof![8 => galera(number, count).prop_map(Some), 1 => Just(None)];
    prop_oneof![
        6 => (galera, proptest::option::of(connections))
            .prop_map(|(galera, connections)| Database::Running(Box::new(Server { galera, connections }))),
        1 => Just(Database::Closed),
        1 => Just(Database::Stopped),
        1 => Just(Database::Silent(why())),
        1 => select(vec![Database::Full, Database::Refused(why()), Database::Garbled(why()), Database::NotAsked(why())]),
    ]
}

fn members() -> impl Strategy<Value = Vec<Seen>> {
    (1..=5_usize).prop_flat_map(|count| {
        let members: Vec<_> = (0..count)
            .map(|number| {
                let flags = (prop::bool::weighted(0.9), prop::bool::weighted(0.95), prop::bool::weighted(0.05));
                (database(number, count), flags).prop_map(move |(database, (enabled, in_database, maintenance))| Seen {
                    host: host(number),
                    enabled,
                    in_database,
                    maintenance: Some(maintenance),
                    database,
                    configuration: None,
                })
            })
            .collect();
        members
    })
}

fn counted(members: &[Seen]) -> impl Iterator<Item = &Seen> {
    members.iter().filter(|member| member.enabled && member.in_database)
}

fn answer(member: &Seen) -> Option<&Galera> {
    member.database.galera()
}

fn is_primary(member: &Seen) -> bool {
    answer(member).is_some_and(|galera| galera.running.status == ClusterStatus::Primary)
}

fn kinds(decision: &Decision<Verdict, Reason>) -> Vec<String> {
    let mut kinds: Vec<String> = decision.reasons.iter().map(kind_of).collect();
    kinds.sort_unstable();
    kinds
}

/// Every kind of reason is in the cases of testdata/status, and fits the schema.
#[test]
fn every_reason_fits_the_schema() {
    let mut schema = schema("status.json");
    let kinds_of = |schema: &Value| -> Vec<String> {
        let kind = &schema["properties"]["kind"];
        let words = kind["enum"].as_array().cloned().unwrap_or_else(|| vec![kind["const"].clone()]);
        words.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
    };
    let reasons = schema["$defs"]["reason"]["anyOf"].as_array().expect("a list");
    let mut all: Vec<String> = reasons.iter().flat_map(kinds_of).collect();
    all.sort();
    let whole = schema.as_object_mut().expect("an object");
    whole.retain(|key, _| key.starts_with('$'));
    whole.insert("$ref".to_owned(), "#/$defs/reason".into());
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let mut seen = Vec::new();
    for file in files("status") {
        let text = std::fs::read_to_string(&file).expect("a readable test file");
        for case in cases(&text).expect("complete cases") {
            for reason in decide(&case.input).expect("a case").reasons {
                let document = serde_json::json!(WithText(&reason));
                let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{errors:?} in {document:#}");
                seen.push(kind_of(&reason));
            }
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, all);
}

proptest! {
    #![proptest_config(property_config())]

    /// Healthy is only what is primary, synced, ready and in one history on every member.
    #[test]
    fn healthy_means_everybody(members in members()) {
        if assess(&members, &[]).action == Verdict::Healthy {
            let mut uuids = Vec::new();
            for member in members.iter().filter(|member| member.in_database) {
                let galera = answer(member).expect("it answers");
                prop_assert!(member.enabled && is_primary(member));
                prop_assert_eq!((galera.running.state, galera.ready), (LocalState::Synced, Some(true)));
                uuids.push(galera.running.uuid);
            }
            uuids.dedup();
            prop_assert_eq!(uuids.len(), 1);
            prop_assert!(!uuids[0].is_zero());
        }
    }

    /// Two histories are said, whoever has them, and are never healthy.
    #[test]
    fn two_histories_are_said(members in members()) {
        let mut uuids: Vec<Uuid> = counted(&members).filter_map(answer).map(|galera| galera.running.uuid).collect();
        uuids.retain(|uuid| !uuid.is_zero());
        uuids.sort_unstable();
        uuids.dedup();
        let decision = assess(&members, &[]);
        prop_assert_eq!(uuids.len() > 1, kinds(&decision).iter().any(|kind| kind == "histories"));
        prop_assert!(uuids.len() < 2 || decision.action != Verdict::Healthy);
    }

    /// Down is only what says so itself; silence, a refused login and a full server are not.
    #[test]
    fn silence_is_not_down(members in members()) {
        let decision = assess(&members, &[]);
        if decision.action == Verdict::Down {
            prop_assert!(counted(&members).all(|member| matches!(member.database, Database::Stopped | Database::Closed)));
        }
        // Whoever gets silent instead takes no certainty from the others' answers.
        for number in 0..members.len() {
            let mut fewer = members.clone();
            fewer[number].database = Database::Silent("for a reason".into());
            if fewer[number].enabled && fewer[number].in_database {
                let verdict = assess(&fewer, &[]).action;
                prop_assert!(!matches!(verdict, Verdict::Down | Verdict::Healthy), "{verdict:?}");
            }
        }
    }

    /// Who serves is never read-only, blocked or down; and nobody else makes it degraded or healthy.
    #[test]
    fn service_is_seen(members in members()) {
        let serves = counted(&members).any(|member| {
            is_primary(member) || matches!(&member.database, Database::Running(server) if server.galera.is_none())
        });
        let verdict = assess(&members, &[]).action;
        prop_assert_eq!(serves, matches!(verdict, Verdict::Healthy | Verdict::Degraded | Verdict::Split), "{:?}", verdict);
    }

    /// Two that see nobody but themselves, and serve, are split; where of any two one sees the other, nothing is.
    #[test]
    fn a_split_is_seen(members in members()) {
        let alone = |member: &&Seen| {
            let see = |other: &Seen| answer(other).is_some_and(|one| one.running.sees.contains(&member.host));
            is_primary(member)
                && answer(member).is_some_and(|one| one.running.sees == [member.host.clone()] && one.running.sees_others.is_empty())
                && counted(&members).all(|other| other.host == member.host || !see(other))
        };
        let decision = assess(&members, &[]);
        if counted(&members).filter(alone).count() > 1 {
            prop_assert_eq!(decision.action, Verdict::Split);
        }
        let sees = |one: &Seen, other: &Seen| answer(one).is_some_and(|galera| galera.running.sees.contains(&other.host));
        let primary: Vec<&Seen> = counted(&members).filter(|member| is_primary(member)).collect();
        let is_whole = primary.iter().all(|one| {
            primary.iter().all(|other| one.host == other.host || sees(one, other) || sees(other, one))
        });
        let without_galera = kinds(&decision).iter().any(|kind| kind == "without_galera");
        prop_assert!(!(is_whole && !without_galera && decision.action == Verdict::Split), "{:?}", decision);
    }

    /// The order of the members changes no verdict and no kind of reason.
    #[test]
    fn order_does_not_matter(members in members(), seed in vec(any::<u32>(), 5)) {
        let mut shuffled: Vec<(u32, Seen)> = seed.into_iter().zip(members.clone()).collect();
        shuffled.sort_by_key(|(place, _)| *place);
        let shuffled: Vec<Seen> = shuffled.into_iter().map(|(_, member)| member).collect();
        let (one, other) = (assess(&members, &[]), assess(&shuffled, &[]));
        prop_assert_eq!(one.action, other.action);
        prop_assert_eq!(kinds(&one), kinds(&other));
    }

    /// Who does not count changes nothing about the service of the others.
    #[test]
    fn who_is_disabled_does_not_count(members in members()) {
        let without: Vec<Seen> = counted(&members).cloned().collect();
        let service = |members: &[Seen]| match assess(members, &[]).action {
            // Somebody who is disabled is a complaint.
            Verdict::Healthy | Verdict::Degraded => Verdict::Degraded,
            other => other,
        };
        prop_assert_eq!(service(&members), service(&without));
    }

    /// Everything but health has a reason, and nothing is ever said to be started or emptied on a member that may serve: one that is
    /// inconsistent has left the others, and is stopped before.
    #[test]
    fn every_verdict_has_its_reasons(members in members()) {
        let decision = assess(&members, &[]);
        prop_assert!(!decision.reasons.is_empty());
        prop_assert_eq!(decision.action == Verdict::Healthy, decision.reasons.iter().all(|reason| !reason.is_complaint()));
        for step in &decision.remedy {
            let Step::Run { on: Some(on), command } = step else { continue };
            let member = members.iter().find(|member| member.host == *on).expect("a member");
            if command.contains("start packetfence-mariadb") && !command.contains("restart") {
                let is_inconsistent =
                    member.database.galera().is_some_and(|galera| galera.running.state == LocalState::Inconsistent);
                let is_stopped_first = command.contains("systemctl stop packetfence-mariadb && ");
                prop_assert!(member.database == Database::Stopped || is_inconsistent && is_stopped_first, "{command}");
            }
        }
    }
}
