//! What has happened to clusters, played on the model: what the elections answer at each step, and whether the database
//! comes back with everything that a client was promised.

use pfcluster_core::galera::bootstrap::{Action, Need, Policy, Problem};
use pfcluster_tests::galera::evidence::host;
use pfcluster_tests::galera::{
    Bounds, Broken, Cluster, Data, Event, File, HistoryId, Part, Place, Set, Step, View, World, plain,
};

const PF1: Place = 0;
const PF2: Place = 1;
const PF3: Place = 2;
const ALL: [Place; 3] = [PF1, PF2, PF3];

/// Three members in service that hold ten commits.
fn three() -> Cluster {
    let mut cluster = Cluster::in_service(3);
    cluster.window = 3;
    commits(&mut cluster, PF1, 10);
    ALL.iter().for_each(|&place| cluster.flush(place));
    cluster
}

fn commits(cluster: &mut Cluster, on: Place, number: usize) -> Event {
    (0..number).for_each(|_| assert!(cluster.commit(on, Set::NOBODY), "pf{} gives no service", on + 1));
    *cluster.acknowledged.last().expect("a commit")
}

/// What a viewer answers if these answer it.
fn answer<const N: usize>(cluster: &Cluster, viewer: Place, asked: [Place; N]) -> Action {
    cluster.elect(viewer, Set::from(asked), &Policy::default()).action
}

fn waits(action: &Action, place: Place) -> bool {
    matches!(action, Action::Wait { awaited } if awaited.iter().any(|awaited| awaited.member == host(place)))
}

fn hosts<const N: usize>(places: [Place; N]) -> Vec<pfcluster_core::cluster::Hostname> {
    places.into_iter().map(host).collect()
}

fn has(cluster: &Cluster, place: Place, event: Event) -> bool {
    cluster.rows(place).is_some_and(|rows| rows.has(event))
}

/// Everybody decides with everybody's evidence and does its part, until all are in service.
fn comes_back(cluster: &mut Cluster) {
    for _ in 0..6 {
        for place in ALL {
            if !cluster.is_primary(place) {
                cluster.supervise(place, cluster.everybody());
            }
            cluster.finish_transfer(place);
        }
    }
    assert!(ALL.iter().all(|&place| cluster.is_synced(place)), "not in service:\n{cluster}");
    assert_eq!(cluster.primaries().len(), 1);
    let logs: Vec<_> = ALL.iter().map(|&place| &cluster.rows(place).expect("rows").log).collect();
    assert!(logs.iter().all(|log| *log == logs[0]), "rows differ:\n{cluster}");
    assert_eq!(cluster.broken, []);
}

fn restore_power(cluster: &mut Cluster) {
    ALL.iter().for_each(|&place| cluster.restore_power(place));
}

#[test]
fn two_members_killed_and_the_third_without_quorum() {
    let mut cluster = three();
    cluster.crash_of(Set::from([PF1, PF2]));
    assert!(!cluster.is_primary(PF3) && cluster.run(PF3).is_some());
    assert!(waits(&answer(&cluster, PF3, []), PF1));
    let Action::Promote { member, joiners, .. } = answer(&cluster, PF3, [PF1, PF2]) else { panic!("it must go on") };
    assert_eq!((member, joiners), (host(PF3), hosts([PF1, PF2])));
    comes_back(&mut cluster);
}

#[test]
fn a_joiner_whose_donor_stops_leaves_a_complete_view_without_data() {
    let mut cluster = three();
    [PF3, PF2].iter().for_each(|&place| cluster.leave(place));
    commits(&mut cluster, PF1, 3);
    (cluster.slow_transfers, cluster.cache) = (true, 0);
    assert_eq!(cluster.supervise(PF2, Set::from([PF1])), Part::Join);
    cluster.leave(PF1);
    let disk = &cluster.members[PF2].disk;
    assert_eq!(disk.gvwstate.read().map(|view| view.members), Some(Set::of(PF2)));
    let grastate = disk.grastate.read().expect("a whole file");
    assert!(grastate.flag && grastate.history == HistoryId::ZERO && disk.marker && disk.data == Data::Partial);
    for action in [answer(&cluster, PF2, [PF3]), answer(&cluster, PF2, []), answer(&cluster, PF1, [PF2])] {
        assert!(matches!(action, Action::Wait { .. }), "{action:?}");
    }
    let Action::Bootstrap { member, .. } = answer(&cluster, PF2, ALL) else { panic!("pf1 holds everything") };
    assert_eq!(member, host(PF1));
    comes_back(&mut cluster);
}

#[test]
fn an_early_leaver_holds_more_than_the_crashed_last_view() {
    let mut cluster = three();
    let commit = commits(&mut cluster, PF2, 1);
    cluster.leave(PF1);
    cluster.cut_power_of(Set::from([PF2, PF3]), |_| 3);
    restore_power(&mut cluster);
    assert!(has(&cluster, PF1, commit) && !has(&cluster, PF2, commit) && !has(&cluster, PF3, commit));
    assert!(waits(&answer(&cluster, PF2, [PF3]), PF1), "both are below the floor of their view");
    let Action::Bootstrap { member, .. } = answer(&cluster, PF2, ALL) else { panic!("pf1 holds more") };
    assert_eq!(member, host(PF1));
    comes_back(&mut cluster);
    assert!(has(&cluster, PF3, commit));
}

#[test]
fn the_last_leaver_with_the_flag_lost_its_tail() {
    let mut cluster = three();
    let commit = commits(&mut cluster, PF3, 1);
    [PF1, PF2].iter().for_each(|&place| cluster.leave(place));
    cluster.cut_power_of(Set::of(PF3), |_| 3);
    restore_power(&mut cluster);
    assert!(cluster.members[PF3].disk.grastate.read().is_some_and(|grastate| grastate.flag));
    assert!(!has(&cluster, PF3, commit));
    assert!(waits(&answer(&cluster, PF3, [PF2]), PF1));
    assert!(waits(&answer(&cluster, PF3, [PF1]), PF2));
    let Action::Bootstrap { member, .. } = answer(&cluster, PF3, ALL) else { panic!("pf2 holds more") };
    assert_eq!(member, host(PF2));
    comes_back(&mut cluster);
    assert!(has(&cluster, PF3, commit));
}

#[test]
fn a_stale_old_view_with_a_higher_number() {
    let mut cluster = three();
    cluster.crash(PF1);
    commits(&mut cluster, PF2, 5);
    let view = cluster.members[PF1].disk.gvwstate.read().copied().expect("a view");
    cluster.members[PF1].disk.gvwstate = File::Whole(View { name: 57, ..view });
    cluster.crash_of(Set::from([PF2, PF3]));
    let Action::Reform { members, joiners, stop_first } = answer(&cluster, PF1, ALL) else { panic!("the last view") };
    assert_eq!((members, joiners, stop_first), (hosts([PF2, PF3]), hosts([PF1]), Vec::new()));
    // The floor of the view proves it without pf1.
    assert!(matches!(answer(&cluster, PF2, [PF3]), Action::Reform { .. }));
    assert!(matches!(answer(&cluster, PF2, [PF1]), Action::Wait { .. }));
    comes_back(&mut cluster);
}

#[test]
fn a_leftover_process_with_an_older_view_is_stopped_first() {
    let mut cluster = three();
    cluster.crash(PF1);
    commits(&mut cluster, PF2, 5);
    cluster.crash_of(Set::from([PF2, PF3]));
    // Somebody starts it by hand; it would block the others for ever.
    assert_eq!(cluster.start(PF1, true), Ok(()));
    let Action::Reform { stop_first, .. } = answer(&cluster, PF2, ALL) else { panic!("the last view") };
    assert_eq!(stop_first, hosts([PF1]));
    assert_eq!(cluster.supervise(PF2, Set::from(ALL)), Part::Nothing, "not before it has stopped");
    assert_eq!(cluster.supervise(PF1, Set::from(ALL)), Part::Stop);
    comes_back(&mut cluster);
}

#[test]
fn a_member_in_maintenance_inside_the_last_view() {
    let mut cluster = three();
    cluster.crash(PF1);
    commits(&mut cluster, PF2, 5);
    cluster.crash_of(Set::from([PF2, PF3]));
    cluster.members[PF3].maintenance = true;
    let Action::Bootstrap { member, joiners, .. } = answer(&cluster, PF2, ALL) else { panic!("pf2 holds the same") };
    assert_eq!((member, joiners), (host(PF2), hosts([PF1])));
    // Where it alone holds the most, its maintenance has to end.
    let mut cluster = three();
    cluster.crash(PF1);
    cluster.commit(PF3, Set::of(PF2));
    cluster.crash_of(Set::from([PF2, PF3]));
    cluster.members[PF3].maintenance = true;
    let Action::Wait { awaited } = answer(&cluster, PF2, ALL) else { panic!("pf3 holds more") };
    assert_eq!((&awaited[0].member, &awaited[0].need), (&host(PF3), &Need::MaintenanceEnd));
    cluster.members[PF3].maintenance = false;
    comes_back(&mut cluster);
}

#[test]
fn a_power_cut_during_a_state_transfer() {
    let mut cluster = three();
    cluster.leave(PF1);
    commits(&mut cluster, PF2, 5);
    (cluster.slow_transfers, cluster.cache) = (true, 0);
    assert_eq!(cluster.supervise(PF1, Set::from(ALL)), Part::Join);
    assert!(cluster.members[PF1].disk.marker);
    assert!(matches!(answer(&cluster, PF1, ALL), Action::Join { .. } | Action::Wait { .. }));
    cluster.cut_power_of(Set::from(ALL), |_| 0);
    restore_power(&mut cluster);
    // The last view has three members, and one of them holds half a copy: the others must not wait for it for ever.
    comes_back(&mut cluster);
}

#[test]
fn a_diverged_member_returns_many_commits_later() {
    let mut cluster = three();
    let commit = commits(&mut cluster, PF1, 1);
    cluster.cut_power_of(Set::from(ALL), |place| if place == PF1 { 0 } else { 3 });
    [PF2, PF3].iter().for_each(|&place| cluster.restore_power(place));
    assert!(waits(&answer(&cluster, PF2, [PF3]), PF1));
    assert!(cluster.force(PF2, Set::from([PF3])));
    assert!(cluster.given_up.contains(&commit));
    assert_eq!(cluster.supervise(PF3, Set::from([PF2])), Part::Join);
    commits(&mut cluster, PF2, 40);
    cluster.restore_power(PF1);
    // Its number is far below the primary's now; an incremental transfer would leave its rows different.
    let Action::Join { joiners, discard, .. } = answer(&cluster, PF1, ALL) else { panic!("pf2 is in service") };
    assert_eq!((joiners, discard), (Vec::new(), hosts([PF1])));
    assert_eq!(cluster.supervise(PF1, Set::from(ALL)), Part::Nothing);
    // Not even if only pf3 tells, which joined afterwards.
    assert_eq!(cluster.supervise(PF1, Set::of(PF3)), Part::Nothing);
    cluster.discard(PF1);
    comes_back(&mut cluster);
}

#[test]
fn a_one_sided_disable() {
    let mut cluster = three();
    cluster.crash_of(Set::from(ALL));
    cluster.members[PF1].disabled = Set::of(PF3);
    for viewer in ALL {
        let action = answer(&cluster, viewer, ALL);
        assert!(matches!(action, Action::Refuse { problem: Problem::OneSidedDisable { .. } }), "{action:?}");
    }
    cluster.members[PF1].disabled = Set::NOBODY;
    comes_back(&mut cluster);
}

/// A floor is what was applied when the change of view was, and not before: `local_recv_queue` may still hold commits
/// that an earlier leaver has applied.
#[test]
fn a_floor_that_was_written_down_too_early_loses_a_commit() {
    for hasty in [true, false] {
        let mut cluster = three();
        cluster.hasty_floors = hasty;
        cluster.commit(PF1, Set::from([PF2, PF3]));
        cluster.crash(PF1);
        cluster.crash_of(Set::from([PF2, PF3]));
        [PF2, PF3].iter().for_each(|&place| {
            cluster.supervise(place, Set::from([PF2, PF3]));
        });
        let lost = cluster.broken.iter().any(|broken| matches!(broken, Broken::LostCommit(..)));
        assert_eq!((lost, cluster.is_primary(PF2)), (hasty, hasty), "{cluster}");
        if !hasty {
            comes_back(&mut cluster);
        }
    }
}

/// Found by the search: between a decision and its execution the member was in service and lost it again. Its supervisor
/// must decide anew.
#[test]
fn a_decision_is_void_when_its_own_member_has_changed() {
    let mut cluster = Cluster::in_service(3);
    cluster.partition(&[Set::of(PF1)]);
    cluster.crash(PF2);
    let bounds = Bounds { plans: 1, cuts: 1, ..Bounds::default() };
    let world = World { cluster: plain(cluster), left: bounds, plan: None };
    let mut world = world.after(Step::Plan(PF3, Set::of(PF2))).expect("it decides to go on");
    assert_eq!(world.plan, Some((PF3, Set::of(PF2), Part::Promote)));
    for step in [Step::Supervise(PF3, Set::of(PF2)), Step::Supervise(PF2, Set::of(PF3)), Step::Heal, Step::Isolate(PF3)]
    {
        world = world.after(step).expect("something happens");
        assert_eq!(world.plan, None);
    }
    assert_eq!((world.cluster.primaries().len(), world.cluster.is_primary(PF3)), (1, false));
    // What would happen otherwise.
    world.cluster.carry_out(PF3, Set::of(PF2), Part::Promote);
    assert!(world.cluster.broken.contains(&Broken::TwoPrimaries));
}

/// pf3 after chapter 8.4.4 of the guide: detached, upgraded, and written to alone.
fn detached() -> (Cluster, Event) {
    let mut cluster = three();
    [PF1, PF2].iter().for_each(|&place| cluster.members[place].disabled = Set::of(PF3));
    // In between, the disable is one-sided: nobody starts anything.
    let action = answer(&cluster, PF3, ALL);
    assert!(matches!(action, Action::Refuse { problem: Problem::OneSidedDisable { .. } }), "{action:?}");
    cluster.members[PF3].disabled = Set::from([PF1, PF2]);
    cluster.leave(PF3);
    assert_eq!(cluster.supervise(PF3, Set::from(ALL)), Part::Alone);
    assert!(cluster.is_synced(PF1) && cluster.is_synced(PF2));
    let commit = commits(&mut cluster, PF3, 3);
    [PF1, PF2].iter().for_each(|&place| cluster.leave(place));
    (cluster, commit)
}

#[test]
fn the_upgrade_of_the_guide_goes_wrong_and_the_two_go_on() {
    let (mut cluster, _) = detached();
    cluster.leave(PF3);
    let Action::Bootstrap { member, .. } = answer(&cluster, PF1, ALL) else { panic!("pf2 left last") };
    assert_eq!(member, host(PF2));
    // What pf3 wrote alone does not show in its position: with the old UUID it could come in by that.
    assert_eq!(cluster.supervise(PF2, Set::from(ALL)), Part::BootstrapAnew);
    assert_eq!(cluster.supervise(PF1, Set::from(ALL)), Part::Join);
    assert!(cluster.is_synced(PF1) && cluster.is_synced(PF2));
}

#[test]
fn the_upgrade_of_the_guide_goes_well_and_the_two_take_the_data_of_the_third() {
    let (mut cluster, commit) = detached();
    cluster.members.iter_mut().for_each(|member| member.disabled = Set::NOBODY);
    cluster.leave(PF3);
    for viewer in ALL {
        let action = answer(&cluster, viewer, ALL);
        assert!(matches!(action, Action::Refuse { problem: Problem::StandaloneHistory { .. } }), "{action:?}");
    }
    assert!(cluster.force(PF3, Set::from(ALL)));
    assert!(cluster.is_synced(PF3) && has(&cluster, PF3, commit));
    // Their data must go before they join.
    let Action::Join { joiners, discard, .. } = answer(&cluster, PF1, ALL) else { panic!("pf3 is in service") };
    assert_eq!((joiners, discard), (Vec::new(), hosts([PF1, PF2])));
    [PF1, PF2].iter().for_each(|&place| cluster.discard(place));
    comes_back(&mut cluster);
    assert!(has(&cluster, PF1, commit) && has(&cluster, PF2, commit));
}
