//! The model does what was measured on MariaDB 10.11.19 with Galera 26.4.23: one test for each fact of the list
//! (reference/galera.md) that is about behaviour, under its number.

use pfcluster_core::galera::{ClusterStatus, LocalState, Process as CoreProcess, Recovered};
use pfcluster_tests::galera::{
    Cluster, Data, Event, File, Harm, HistoryId, Place, Process, Refused, Set, Stage, State, Tear, Unsynced, View,
};

const PF1: Place = 0;
const PF2: Place = 1;
const PF3: Place = 2;

/// Three members in service at this number.
fn three_at(seqno: i32) -> Cluster {
    let mut cluster = Cluster::in_service(3);
    commits(&mut cluster, PF1, seqno - 1);
    cluster
}

fn commits(cluster: &mut Cluster, on: Place, number: i32) {
    for _ in 0..number {
        assert!(cluster.commit(on, Set::NOBODY), "pf{} gives no service", on + 1);
    }
}

fn start(cluster: &mut Cluster, places: &[Place]) {
    places.iter().for_each(|&place| assert_eq!(cluster.start(place, true), Ok(())));
}

fn flag(cluster: &Cluster, place: Place) -> bool {
    cluster.members[place].disk.grastate.read().expect("a whole file").flag
}

fn written(cluster: &Cluster, place: Place) -> i32 {
    cluster.members[place].disk.grastate.read().expect("a whole file").seqno
}

fn history(cluster: &Cluster, place: Place) -> HistoryId {
    cluster.members[place].disk.grastate.read().expect("a whole file").history
}

fn gvwstate(cluster: &Cluster, place: Place) -> Option<View> {
    cluster.members[place].disk.gvwstate.read().copied()
}

fn last(cluster: &Cluster, place: Place) -> Event {
    *cluster.rows(place).expect("rows").log.last().expect("events")
}

fn all_synced(cluster: &Cluster) -> bool {
    cluster.everybody().iter().all(|place| cluster.is_synced(place)) && cluster.primaries().len() == 1
}

/// pf1 crashes out of the view of three, then pf2 out of the view of two.
fn staggered_crash() -> Cluster {
    let mut cluster = three_at(11);
    cluster.crash(PF1);
    assert!(cluster.is_primary(PF2) && cluster.is_primary(PF3));
    cluster.crash(PF2);
    assert!(!cluster.is_primary(PF3));
    cluster.crash(PF3);
    assert_eq!(gvwstate(&cluster, PF1).map(|view| view.members), Some(Set::from([PF1, PF2, PF3])));
    assert_eq!(gvwstate(&cluster, PF2).map(|view| view.members), Some(Set::from([PF2, PF3])));
    assert_eq!(gvwstate(&cluster, PF2), gvwstate(&cluster, PF3));
    cluster
}

#[test]
fn fact_1_graceful_stops_leave_a_flag_with_the_last() {
    let mut cluster = three_at(12);
    cluster.leave(PF1);
    assert!(cluster.is_primary(PF2) && cluster.is_primary(PF3));
    cluster.leave(PF2);
    assert!(cluster.is_synced(PF3), "the survivor of graceful leaves is writable");
    assert!(flag(&cluster, PF3), "a running lone survivor has the flag already");
    assert_eq!(written(&cluster, PF3), -1);
    cluster.leave(PF3);
    let of_each = |what: fn(&Cluster, Place) -> i32| [PF1, PF2, PF3].map(|place| what(&cluster, place));
    assert_eq!(of_each(written), [12, 13, 14]);
    assert_eq!([PF1, PF2, PF3].map(|place| flag(&cluster, place)), [false, false, true]);
    assert!([PF1, PF2, PF3].iter().all(|&place| gvwstate(&cluster, place).is_none()));
    // Nobody bootstraps by itself: all three give up.
    start(&mut cluster, &[PF1, PF2, PF3]);
    assert!(cluster.primaries().is_empty());
    assert!([PF1, PF2, PF3].iter().all(|&place| cluster.give_up(place)));
}

#[test]
fn fact_2_all_killed_at_once_come_back_by_themselves() {
    let mut cluster = three_at(12);
    cluster.commit(PF2, Set::from([PF1, PF3]));
    cluster.crash_of(Set::first(3));
    assert_eq!([PF1, PF2, PF3].map(|place| (written(&cluster, place), flag(&cluster, place))), [(-1, false); 3]);
    assert!(gvwstate(&cluster, PF1).is_some() && gvwstate(&cluster, PF1) == gvwstate(&cluster, PF3));
    assert_eq!([PF1, PF2, PF3].map(|place| cluster.seqno(place)), [12, 13, 12]);
    start(&mut cluster, &[PF1, PF2]);
    assert!(cluster.primaries().is_empty(), "not before all members of the view are there");
    start(&mut cluster, &[PF3]);
    assert!(all_synced(&cluster));
    assert_eq!([PF1, PF2, PF3].map(|place| cluster.seqno(place)), [14; 3]);
    assert_eq!(cluster.rows(PF1), cluster.rows(PF2));
}

#[test]
fn fact_3_after_a_staggered_crash_the_old_view_blocks_the_others() {
    let mut cluster = staggered_crash();
    start(&mut cluster, &[PF1, PF2, PF3]);
    assert!(cluster.primaries().is_empty());
    assert!([PF1, PF2, PF3].iter().all(|&place| !cluster.run(place).expect("it runs").open), "sockets stay closed");
    assert!(![PF1, PF2, PF3].iter().any(|&place| cluster.give_up(place)), "with a view they wait on (fact 13)");
    // Cure: the member with the old view goes.
    cluster.crash(PF1);
    assert!(cluster.is_synced(PF2) && cluster.is_synced(PF3));
    start(&mut cluster, &[PF1]);
    assert!(all_synced(&cluster));
}

#[test]
fn fact_3_the_last_two_come_back_and_the_third_joins() {
    let mut cluster = staggered_crash();
    start(&mut cluster, &[PF2, PF3]);
    assert!(cluster.is_synced(PF2) && cluster.is_synced(PF3));
    start(&mut cluster, &[PF1]);
    assert!(all_synced(&cluster));
}

#[test]
fn fact_3_without_a_member_of_the_last_view_there_is_no_service() {
    let mut cluster = staggered_crash();
    start(&mut cluster, &[PF1, PF3]);
    assert!(cluster.primaries().is_empty());
    start(&mut cluster, &[PF2]);
    assert!(cluster.primaries().is_empty());
    let mut cluster = staggered_crash();
    start(&mut cluster, &[PF3]);
    assert!(cluster.primaries().is_empty());
    start(&mut cluster, &[PF1, PF2]);
    assert!(cluster.primaries().is_empty());
}

#[test]
fn fact_3_without_its_old_view_a_member_blocks_nobody_but_stays_outside() {
    let mut cluster = staggered_crash();
    cluster.members[PF1].disk.gvwstate = File::Absent;
    start(&mut cluster, &[PF1, PF2, PF3]);
    assert!(cluster.is_synced(PF2) && cluster.is_synced(PF3) && !cluster.is_primary(PF1));
    assert!(cluster.give_up(PF1));
    start(&mut cluster, &[PF1]);
    assert!(all_synced(&cluster));
}

#[test]
fn fact_3_a_bootstrap_of_the_highest_takes_everybody_in() {
    for keep_views in [false, true] {
        let mut cluster = staggered_crash();
        if !keep_views {
            cluster.members.iter_mut().for_each(|member| member.disk.gvwstate = File::Absent);
        }
        start(&mut cluster, &[PF1, PF2]);
        cluster.set_flag(PF3);
        assert_eq!(cluster.bootstrap(PF3, true), Ok(()));
        assert!(all_synced(&cluster));
    }
}

/// pf1 is behind by 20 when it is bootstrapped.
fn behind() -> Cluster {
    let mut cluster = three_at(50);
    cluster.crash(PF1);
    commits(&mut cluster, PF2, 19);
    cluster.crash_of(Set::from([PF2, PF3]));
    cluster.set_flag(PF1);
    assert_eq!(cluster.bootstrap(PF1, true), Ok(()));
    assert_eq!([PF1, PF2, PF3].map(|place| cluster.seqno(place)), [51, 70, 70]);
    cluster
}

#[test]
fn fact_4_a_member_that_holds_more_than_the_primary_aborts() {
    let mut cluster = behind();
    start(&mut cluster, &[PF2]);
    assert!(cluster.is_stopped(PF2));
    assert!(history(&cluster, PF2) == HistoryId::ZERO && written(&cluster, PF2) == -1);
    let held = last(&cluster, PF2);
    // A second start wipes its data by a full transfer.
    start(&mut cluster, &[PF2]);
    assert!(cluster.is_synced(PF2));
    assert!(!cluster.rows(PF2).expect("rows").has(held));
}

#[test]
fn fact_4_after_enough_new_writes_it_joins_and_nobody_sees_that_rows_differ() {
    let mut cluster = behind();
    commits(&mut cluster, PF1, 30);
    let held = last(&cluster, PF2);
    start(&mut cluster, &[PF2]);
    assert!(cluster.is_synced(PF2));
    assert_eq!(cluster.seqno(PF1), cluster.seqno(PF2));
    assert!(cluster.rows(PF2).expect("rows").has(held) && !cluster.rows(PF1).expect("rows").has(held));
}

#[test]
fn fact_5_a_bootstrap_without_the_flag_is_refused() {
    let mut cluster = three_at(12);
    [PF1, PF2, PF3].iter().for_each(|&place| cluster.leave(place));
    assert_eq!(cluster.bootstrap(PF1, true), Err(Refused::NotSafeToBootstrap));
    assert_eq!(cluster.bootstrap(PF3, true), Ok(()));
    start(&mut cluster, &[PF1, PF2]);
    assert!(all_synced(&cluster));
}

#[test]
fn fact_6_a_minority_waits_and_heals_by_itself() {
    let mut cluster = three_at(12);
    cluster.partition(&[Set::of(PF3)]);
    assert!(cluster.is_synced(PF1) && cluster.is_synced(PF2) && !cluster.is_primary(PF3));
    assert!(!cluster.commit(PF3, Set::NOBODY));
    commits(&mut cluster, PF1, 3);
    let CoreProcess::Running(running) = cluster.evidence(PF3).process else { panic!("it runs") };
    assert_eq!((running.status, running.state), (ClusterStatus::NonPrimary, LocalState::Initialized));
    assert_eq!(running.size, 1);
    cluster.heal();
    assert!(all_synced(&cluster));
    // All three from each other.
    cluster.partition(&[Set::of(PF1), Set::of(PF2), Set::of(PF3)]);
    assert!(cluster.primaries().is_empty());
    cluster.heal();
    assert!(all_synced(&cluster));
}

#[test]
fn fact_7_a_forced_split_stays_and_only_membership_tells() {
    let mut cluster = three_at(12);
    cluster.partition(&[Set::of(PF3)]);
    assert!(cluster.promote(PF3));
    commits(&mut cluster, PF1, 1);
    commits(&mut cluster, PF3, 1);
    cluster.heal();
    assert_eq!(cluster.primaries().len(), 2);
    let of = |place| match cluster.evidence(place).process {
        CoreProcess::Running(running) => running,
        _ => panic!("it runs"),
    };
    let (one, other) = (of(PF1), of(PF3));
    assert_eq!((one.status, one.state, one.uuid), (other.status, other.state, other.uuid));
    assert_eq!(one.last_committed, other.last_committed);
    assert_eq!((one.size, other.size), (2, 1));
    assert_ne!(last(&cluster, PF1), last(&cluster, PF3));
}

#[test]
fn fact_8_a_member_joins_incrementally_or_in_full() {
    for cache in [u16::MAX, 2] {
        let mut cluster = three_at(12);
        (cluster.slow_transfers, cluster.cache) = (true, cache);
        cluster.leave(PF1);
        commits(&mut cluster, PF2, 5);
        start(&mut cluster, &[PF1]);
        let full = cache == 2;
        assert_eq!(cluster.run(PF1).map(|run| run.state), Some(State::Joining(PF2, full)));
        assert_eq!(cluster.members[PF1].disk.data == Data::Partial, full);
        assert_eq!(cluster.run(PF2).map(|run| run.state), Some(State::Donor));
        assert!(cluster.members[PF1].disk.marker && history(&cluster, PF1) == HistoryId::ZERO);
        commits(&mut cluster, PF3, 2);
        assert!(cluster.finish_transfer(PF1));
        assert!(all_synced(&cluster) && cluster.rows(PF1) == cluster.rows(PF2));
        assert!(!cluster.members[PF1].disk.marker && history(&cluster, PF1) != HistoryId::ZERO);
    }
}

#[test]
fn fact_9_without_the_recovered_position_history_gets_the_zero_uuid() {
    let mut cluster = three_at(12);
    cluster.commit(PF1, Set::from([PF2, PF3]));
    cluster.crash_of(Set::first(3));
    [PF1, PF2, PF3].iter().for_each(|&place| assert_eq!(cluster.start(place, false), Ok(())));
    assert!(all_synced(&cluster));
    assert!([PF1, PF2, PF3].iter().all(|&place| history(&cluster, place) == HistoryId::ZERO));
    assert_ne!(cluster.rows(PF1), cluster.rows(PF2), "rows part");
    cluster.crash_of(Set::first(3));
    assert_eq!(cluster.at(PF1), None, "the zero UUID survives");
}

#[test]
fn fact_10_a_failed_start_costs_the_number_and_keeps_the_flag() {
    let mut cluster = three_at(12);
    [PF1, PF2, PF3].iter().for_each(|&place| cluster.leave(place));
    start(&mut cluster, &[PF1, PF2, PF3]);
    assert!([PF1, PF2, PF3].iter().all(|&place| cluster.give_up(place)));
    assert_eq!(
        [PF1, PF2, PF3].map(|place| (written(&cluster, place), flag(&cluster, place))),
        [(-1, false), (-1, false), (-1, true)]
    );
    assert!([PF1, PF2, PF3].iter().all(|&place| gvwstate(&cluster, place).is_none()));
    assert_eq!([PF1, PF2, PF3].map(|place| cluster.seqno(place)), [12, 13, 14], "--wsrep-recover tells still");
}

#[test]
fn fact_11_an_empty_data_directory_has_no_history() {
    let cluster = Cluster::installed(1);
    let files = cluster.evidence(PF1).files.expect("files");
    assert!(files.datadir_empty);
    assert_eq!(files.recovered, Recovered::NoHistory);
}

#[test]
fn fact_13_without_a_view_a_process_gives_up_and_with_one_it_waits() {
    let mut cluster = staggered_crash();
    cluster.members[PF1].disk.gvwstate = File::Absent;
    start(&mut cluster, &[PF1, PF3]);
    assert!(cluster.give_up(PF1) && !cluster.give_up(PF3));
    assert!(cluster.is_stopped(PF1) && !cluster.is_stopped(PF3));
}

#[test]
fn fact_14_a_joiner_in_transfer_has_no_socket_open() {
    let mut cluster = three_at(12);
    cluster.slow_transfers = true;
    cluster.leave(PF1);
    commits(&mut cluster, PF2, 3);
    start(&mut cluster, &[PF1]);
    let evidence = cluster.evidence(PF1);
    assert_eq!(evidence.process, CoreProcess::Starting);
    assert!(evidence.files.expect("files").sst_marker);
    assert!(matches!(cluster.members[PF1].process, Process::Running(_)));
    cluster.finish_transfer(PF1);
    assert!(matches!(cluster.evidence(PF1).process, CoreProcess::Running(_)));
}

#[test]
fn a_donor_is_synced_again_once_no_joiner_is_left() {
    let mut cluster = Cluster::in_service(4);
    cluster.slow_transfers = true;
    cluster.leave(PF1);
    cluster.leave(PF2);
    commits(&mut cluster, PF3, 3);
    start(&mut cluster, &[PF1, PF2]);
    let [first, second] = [PF1, PF2].map(|place| cluster.run(place).expect("a run").state);
    let (State::Joining(donor, _), State::Joining(other, _)) = (first, second) else { panic!("{first:?}, {second:?}") };
    assert_eq!(donor, other, "both from one donor");
    assert!(cluster.finish_transfer(PF1));
    assert_eq!(cluster.run(donor).map(|run| run.state), Some(State::Donor), "it still gives to the other");
    cluster.crash(PF2);
    assert_eq!(cluster.run(donor).map(|run| run.state), Some(State::Synced));
}

#[test]
fn a_power_cut_costs_what_was_not_flushed_and_no_more() {
    let mut cluster = three_at(12);
    cluster.window = 2;
    commits(&mut cluster, PF1, 2);
    cluster.flush(PF3);
    cluster.cut_power_of(Set::first(3), |_| 9);
    assert_eq!([PF1, PF2, PF3].map(|place| cluster.seqno(place)), [12, 12, 14]);
    let mut cluster = three_at(12);
    cluster.cut_power(PF1, 0, Tear::Gvwstate);
    assert_eq!(cluster.members[PF1].disk.gvwstate, File::Torn);
}

#[test]
fn quorum_counts_those_who_said_goodbye_once() {
    let mut cluster = Cluster::in_service(3);
    let view = cluster.primaries()[0];
    // 2*1 + 1 > 3 is false: one leaves and one crashes in the same change.
    assert!(!cluster.has_quorum(view, Set::of(PF1), Set::of(PF2)));
    assert!(cluster.has_quorum(view, Set::of(PF1), Set::from([PF2, PF3])));
    assert!(cluster.has_quorum(view, Set::from([PF1, PF2]), Set::NOBODY));
    cluster.members[PF1].weight = 3;
    assert!(cluster.has_quorum(view, Set::of(PF1), Set::NOBODY));
    let two = Cluster::in_service(2);
    let view = two.primaries()[0];
    assert!(two.has_quorum(view, Set::of(PF1), Set::of(PF2)));
    assert!(!two.has_quorum(view, Set::of(PF1), Set::NOBODY));
}

/// H3, R1: what was measured on 2026-11-30, and the model did not do before.
fn as_measured(seqno: i32) -> Cluster {
    Cluster { as_measured: true, window: 2, slow_transfers: true, ..three_at(seqno) }
}

#[test]
fn a_clean_stop_is_on_the_disk_before_what_innodb_holds() {
    let mut cluster = as_measured(12);
    commits(&mut cluster, PF1, 2);
    cluster.leave(PF3);
    assert_eq!((written(&cluster, PF3), cluster.seqno(PF3)), (14, 14));
    cluster.cut_power(PF3, 9, Tear::Nothing);
    cluster.restore_power(PF3);
    assert_eq!((written(&cluster, PF3), cluster.seqno(PF3), gvwstate(&cluster, PF3)), (14, 12, None));
    // Galera goes on from the number, and what lies between never comes.
    start(&mut cluster, &[PF3]);
    assert!(cluster.finish_transfer(PF3) && all_synced(&cluster));
    assert_eq!(cluster.seqno(PF3), cluster.seqno(PF1));
    assert_eq!(cluster.rows(PF3).expect("rows").log[12..14], [Event::MISSING; 2]);
    assert_ne!(cluster.rows(PF3), cluster.rows(PF1));
}

#[test]
fn a_pause_writes_the_number_and_a_crash_keeps_it() {
    let mut cluster = as_measured(12);
    cluster.pause(PF2);
    assert_eq!(written(&cluster, PF2), 12);
    commits(&mut cluster, PF1, 1);
    assert_eq!([PF1, PF2].map(|place| cluster.seqno(place)), [13, 12], "it applies nothing");
    assert!(!cluster.commit(PF2, Set::NOBODY));
    cluster.resume(PF2);
    assert_eq!((written(&cluster, PF2), cluster.seqno(PF2)), (-1, 13));
    cluster.pause(PF2);
    cluster.crash(PF2);
    assert_eq!(written(&cluster, PF2), 13);
    assert!(gvwstate(&cluster, PF2).is_some());
}

#[test]
fn a_failed_request_looks_like_a_clean_stop_of_the_last() {
    let mut cluster = as_measured(12);
    cluster.leave(PF3);
    cluster.leave(PF1);
    commits(&mut cluster, PF2, 5);
    cluster.requests_fail = Set::of(PF1);
    start(&mut cluster, &[PF1]);
    cluster.leave(PF2);
    assert!(cluster.is_stopped(PF1));
    assert_eq!((written(&cluster, PF1), flag(&cluster, PF1)), (13, true));
    assert_eq!(gvwstate(&cluster, PF1).map(|view| view.members), Some(Set::of(PF1)));
}

#[test]
fn a_failed_transfer_leaves_no_mark_and_a_power_cut_does() {
    let joining = || {
        let mut cluster = as_measured(12);
        (cluster.cache, cluster.scripts_fail) = (2, Set::NOBODY);
        cluster.leave(PF3);
        commits(&mut cluster, PF1, 5);
        start(&mut cluster, &[PF3]);
        assert!(cluster.run(PF1).is_some_and(|run| run.paused), "its donor is paused");
        cluster
    };
    for stage in [Stage::Emptied, Stage::Filled] {
        let mut cluster = joining();
        cluster.fail_transfer(PF3, stage);
        let disk = &cluster.members[PF3].disk;
        assert!(!disk.marker && history(&cluster, PF3) == HistoryId::ZERO);
        assert_eq!(disk.data == Data::Partial, stage == Stage::Emptied);
        assert!(cluster.run(PF1).is_some_and(|run| !run.paused && run.state == State::Synced));
    }
    let mut cluster = joining();
    cluster.crash(PF3);
    assert!(!cluster.members[PF3].disk.marker);
    let mut cluster = joining();
    cluster.cut_power(PF3, 0, Tear::Nothing);
    assert!(cluster.members[PF3].disk.marker);
    let mut cluster = joining();
    assert!(cluster.finish_transfer(PF3) && cluster.members[PF3].disk.unsynced);
    cluster.crash(PF3);
    assert!(cluster.members[PF3].disk.unsynced, "the page cache survives a kill");
    cluster.lose_unsynced(PF3, Unsynced::Torn);
    assert_eq!(cluster.members[PF3].disk.harm, Some(Harm::Torn));
}

#[test]
fn a_new_cluster_beside_an_empty_gvwstate_has_the_name_of_all_such() {
    let mut cluster = as_measured(12);
    cluster.cut_power_of(Set::first(3), |_| 0);
    for place in [PF1, PF2] {
        cluster.restore_power(place);
        cluster.members[place].disk.gvwstate = File::Torn;
        cluster.set_flag(place);
        assert_eq!(cluster.bootstrap(place, true), Ok(()));
        cluster.crash(place);
    }
    let read = |place| cluster.evidence(place).files.expect("files").gvwstate.read().cloned().expect("a view");
    assert_eq!(read(PF1), read(PF2), "two nodes of one name, in one view of one");
}

#[test]
fn an_inconsistent_server_stays_and_says_so() {
    let mut cluster = as_measured(12);
    cluster.become_inconsistent(PF3);
    let CoreProcess::Running(running) = cluster.evidence(PF3).process else { panic!("it runs") };
    assert_eq!((running.status, running.state), (ClusterStatus::Disconnected, LocalState::Inconsistent));
    assert_eq!((running.last_committed, history(&cluster, PF3)), (-1, HistoryId::ZERO));
    assert!(cluster.is_synced(PF1) && cluster.group(PF1).len() == 2);
}
