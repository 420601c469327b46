//! Zero UUIDs, inconsistency, tc.log.

use super::*;

/// R3 c: it died in a DDL statement; what it holds is exact, and those in service have it.
#[test]
fn one_dies_in_a_ddl_statement() {
    let mut world = measured();
    world.crash_in_ddl(Set::of(PF3));
    all_come_back(&mut world);
}

/// R3 a: a DDL statement runs on all at once.
#[test]
fn all_die_in_a_ddl_statement() {
    let mut world = measured();
    world.crash_in_ddl(ALL);
    all_come_back(&mut world);
}

/// R3 b: two of them, and the third has left before.
#[test]
fn the_last_two_die_in_a_ddl_statement() {
    let mut world = measured();
    world.stop_gracefully(PF3);
    world.run_for(15_000);
    world.crash_in_ddl(Set::from([PF1, PF2]));
    world.start(Set::of(PF3));
    all_come_back(&mut world);
}

/// It found that its rows differ: it comes back with a full transfer.
#[test]
fn an_inconsistent_member_comes_back() {
    let mut world = measured();
    world.happens_to(PF3, Kind::Inconsistent, 0);
    all_come_back(&mut world);
}

/// R2: one wrecked tc.log keeps all down; it holds nothing that anybody needs.
#[test]
fn a_wrecked_tc_log_keeps_nobody_down() {
    let mut world = measured();
    world.cut(ALL);
    world.change_disk(PF1, |disk| disk.harm = Some(pfcluster_tests::galera::Harm::TcLog));
    world.start(ALL);
    all_come_back(&mut world);
}

/// R5: an empty gvwstate.dat is not left beside a new cluster: all that begin so have one name.
#[test]
fn an_empty_gvwstate_gives_no_name() {
    let mut world = measured();
    world.cut(ALL);
    [PF1, PF2, PF3].iter().for_each(|&place| world.change_disk(place, |disk| disk.gvwstate = File::Torn));
    world.start(ALL);
    for _ in 0..400 {
        world.run_for(50);
        let is_nil = |place| world.galera.run(place).and_then(|run| run.view).is_some_and(|view| view.is_nil);
        assert!(![PF1, PF2, PF3].into_iter().any(is_nil), "{}", world.told());
    }
    all_come_back(&mut world);
}
