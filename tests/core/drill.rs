//! Rehearsals: what must hold of every day, and how the virtual addresses move.

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::document::Document;
use pfcluster_core::span::Source;
use pfcluster_sim::drill::{Day, DrillError, Flush, MOST, Scenario, Setting};
use pfcluster_sim::galera::Set;
use pfcluster_sim::{Condition, Entry, Happening, Policy};
use pfcluster_testing::clusters::described;
use pfcluster_tests::property_config;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;

/// The scripts take up to 20 minutes for eight members; then service has 4 minutes, and the addresses one.
const LONGEST: u64 = 25 * 60_000;

fn hosts(members: usize) -> Vec<Hostname> {
    (1..=members).map(|number| format!("pf{number}.example.com").parse().expect("a host name")).collect()
}

/// So many members with one virtual address, which the first prefers to hold.
fn setting(members: usize, seed: u64) -> Setting {
    let hosts = hosts(members);
    let candidates = hosts.iter().cloned().zip((0..).map(|place: u64| 100 - place)).collect();
    Setting { hosts, addresses: vec![candidates], flush: Flush::EachSecond, seed }
}

fn day(members: usize, scenario: &Scenario) -> Day {
    setting(members, 1).rehearse(scenario, Policy::Ours).expect("it can be played")
}

/// When something of this kind happened first.
fn when(day: &Day, is: fn(&Happening) -> bool) -> u64 {
    let moment = day.moments.iter().find(|moment| matches!(&moment.entry, Entry::Happens(what) if is(what)));
    moment.expect("it happened").at
}

/// When the first address got these holders, from this moment on.
fn held_from(day: &Day, from: u64, holders: Set) -> u64 {
    let page = day.pages.iter().find(|page| page.at >= from && page.holders[0] == holders);
    page.unwrap_or_else(|| panic!("never held by {holders} after {from}")).at
}

/// Three advertisements of five seconds, and less than one more.
#[test]
fn an_address_follows_a_lost_holder_after_three_advertisements() {
    let scenario = Scenario::Lose { hosts: vec!["pf1.example.com".parse().expect("a host name")] };
    let day = day(3, &scenario);
    let lost = when(&day, |what| matches!(what, Happening::PowerGoes(_)));
    let taken = held_from(&day, lost, Set::of(1)) - lost;
    assert!((10_000..=16_000).contains(&taken), "{taken}");
}

/// Who is shut down says goodbye; who comes back waits 30 s, and then for the holder's silence.
#[test]
fn an_address_follows_a_goodbye_at_once_and_comes_back_late() {
    let day = day(3, &Scenario::GracefulShutdown { order: hosts(3) });
    let shut_down = when(&day, |what| matches!(what, Happening::ShutDown(0)));
    assert!(held_from(&day, shut_down, Set::of(1)) - shut_down <= 1_250);
    let day = self::day(3, &Scenario::Random);
    assert!(day.pages.iter().all(|page| page.holders[0].len() <= 3));
    assert_eq!(day.pages.last().expect("there are pages").holders[0], Set::of(0));
}

#[test]
fn both_sides_of_a_partition_hold_the_address() {
    let [one, two, three] = <[Hostname; 3]>::try_from(hosts(3)).expect("three");
    let day = day(3, &Scenario::Partition { groups: vec![vec![one], vec![two, three]] });
    let [parted, healed] = [
        when(&day, |what| matches!(what, Happening::Partitioned(_))),
        when(&day, |what| matches!(what, Happening::Healed)),
    ];
    assert!(held_from(&day, parted, Set::from([0, 1])) < healed);
    // The next advertisement of the first ends it.
    assert!(held_from(&day, healed, Set::of(0)) - healed <= 5_250);
    assert!(!day.is_split() && day.returned.is_some(), "two holders of an address are no two databases");
}

#[test]
fn a_split_brain_is_told_as_one_and_needs_somebody() {
    for members in [2, 3, 5] {
        let day = day(members, &Scenario::SplitBrain);
        assert!(day.is_split() && day.returned.is_none(), "{members}");
        assert!(day.standing.iter().all(|(_, decision)| decision.action.to_string().contains("split brain")));
        assert!(day.standing.iter().all(|(_, decision)| !decision.remedy.is_empty()));
    }
}

#[test]
fn an_upgrade_is_led_to_its_end() {
    for members in [2, 3, 5] {
        let day = day(members, &Scenario::Upgrade);
        let last = members - 1;
        assert!(day.returned.is_some() && day.commits.given_up > 0 && day.commits.lost == 0, "{members}: {day:?}");
        assert!(day.pages.iter().any(|page| page.members[last].database == Condition::Alone));
    }
}

#[test]
fn what_a_disk_keeps_is_the_setting() {
    let gone = |flush: Flush| {
        let days = (0..40).map(|seed| {
            let setting = Setting { flush, ..setting(3, seed) };
            setting.rehearse(&Scenario::PowerCut, Policy::Ours).expect("it can be played")
        });
        days.fold([0, 0, 0], |[risk, unflushed, lost], day| {
            [risk + day.commits.at_risk, unflushed + day.commits.unflushed, lost + day.commits.lost]
        })
    };
    assert_eq!(gone(Flush::Always), [0, 0, 0]);
    let [risk, unflushed, lost] = gone(Flush::EachSecond);
    assert!(risk > unflushed && unflushed > 0 && lost == 0, "{risk}, {unflushed}, {lost}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let all = hosts(3);
    let refused = |members: usize, scenario: Scenario| {
        setting(members, 1).rehearse(&scenario, Policy::Ours).expect_err("it makes no sense")
    };
    assert_eq!(refused(1, Scenario::PowerCut), DrillError::Members(1));
    assert_eq!(refused(MOST + 1, Scenario::PowerCut), DrillError::Members(MOST + 1));
    assert_eq!(refused(3, Scenario::Lose { hosts: all.clone() }), DrillError::NobodyLeft);
    assert_eq!(refused(3, Scenario::Lose { hosts: Vec::new() }), DrillError::Nobody);
    assert_eq!(refused(2, Scenario::Lose { hosts: vec![all[2].clone()] }), DrillError::Unknown(all[2].clone()));
    let order = vec![all[0].clone(), all[0].clone(), all[1].clone()];
    assert_eq!(refused(3, Scenario::GracefulShutdown { order }), DrillError::Twice(all[0].clone()));
    let groups = vec![vec![all[0].clone()], vec![all[1].clone()]];
    assert_eq!(refused(3, Scenario::Partition { groups }), DrillError::Missing(vec![all[2].clone()]));
    assert_eq!(refused(3, Scenario::Partition { groups: vec![all] }), DrillError::OneGroup);
    let upgrade = setting(3, 1).rehearse(&Scenario::Upgrade, Policy::PfMariadb);
    assert_eq!(upgrade.expect_err("it needs words"), DrillError::OnlyOurs);
}

/// A scenario that fits these members, by some dice.
fn scenario(kind: usize, hosts: &[Hostname], dice: &[Index]) -> Scenario {
    let mut order: Vec<Hostname> = Vec::new();
    let mut left = hosts.to_vec();
    for die in dice.iter().cycle() {
        if left.is_empty() {
            break;
        }
        order.push(left.remove(die.index(left.len())));
    }
    let cut = 1 + dice[0].index(hosts.len() - 1);
    match kind {
        0 => Scenario::PowerCut,
        1 => Scenario::GracefulShutdown { order },
        2 => Scenario::Lose { hosts: order[..cut].to_vec() },
        3 => Scenario::Partition { groups: vec![order[..cut].to_vec(), order[cut..].to_vec()] },
        4 => Scenario::Upgrade,
        5 => Scenario::SplitBrain,
        _ => Scenario::Random,
    }
}

fn check(setting: &Setting, scenario: &Scenario, policy: Policy) -> Result<Day, TestCaseError> {
    let day = setting.rehearse(scenario, policy).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let members = setting.hosts.len();
    prop_assert!(day.pages.first().is_some_and(|page| page.at == 0));
    prop_assert!(day.pages.is_sorted_by(|one, next| one.at < next.at));
    prop_assert!(day.moments.is_sorted_by_key(|moment| moment.at));
    let is_whole = day.pages.iter().all(|page| page.members.len() == members && page.holders.len() == 1);
    prop_assert!(is_whole);
    prop_assert!(day.pages.last().is_some_and(|page| page.at <= day.length));
    prop_assert!(day.without_service() <= day.length);
    prop_assert!(day.commits.gone() <= day.commits.acknowledged);
    Ok(day)
}

proptest! {
    // A case is a day of up to eight members, twice.
    #![proptest_config(ProptestConfig { cases: property_config().cases / 4, ..property_config() })]

    /// On every cluster each scenario ends in time, by our rules without a broken promise, and is the same day each time.
    #[test]
    fn every_day_ends(
        described in described(),
        kind in 0..7_usize,
        dice in proptest::collection::vec(any::<Index>(), 8),
        seed in any::<u64>(),
        flush in proptest::sample::select(vec![Flush::Always, Flush::EachSecond, Flush::Never]),
    ) {
        let document = Document::parse(Source::ClusterConf, described.text.as_bytes()).value;
        let cluster = Cluster::from_document(&document).value;
        let hosts: Vec<Hostname> =
            cluster.database_of(None).expect("it has members").iter().map(|member| member.host.clone()).collect();
        prop_assume!((2..=MOST).contains(&hosts.len()));
        let scenario = scenario(kind, &hosts, &dice);
        let candidates = hosts.iter().cloned().zip((0..).map(|place: u64| 100 - place)).collect();
        let setting = Setting { hosts, addresses: vec![candidates], flush, seed };
        let day = check(&setting, &scenario, Policy::Ours)?;
        prop_assert!(day.length <= LONGEST, "{}", day.length);
        prop_assert!(day.breach.is_none(), "{:?}", day.breach);
        prop_assert_eq!(day.commits.lost, 0);
        let again = check(&setting, &scenario, Policy::Ours)?;
        prop_assert_eq!((&again.moments, &again.pages, again.commits), (&day.moments, &day.pages, day.commits));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: property_config().cases / 16, ..property_config() })]

    /// By the rules of others it may not go well, but it ends.
    #[test]
    fn every_day_of_others_ends(members in 2..=5_usize, kind in 0..4_usize, dice in proptest::collection::vec(any::<Index>(), 8), seed in any::<u64>()) {
        let setting = setting(members, seed);
        let scenario = if kind == 0 { Scenario::Random } else { scenario(kind, &setting.hosts, &dice) };
        for policy in [Policy::PfMariadb, Policy::GaleraAutofix, Policy::HighestThatAnswers] {
            check(&setting, &scenario, policy)?;
        }
    }
}
