//! Which backup a member has: as one finds it, as the other hears it.

use std::time::Duration;

use pfcluster_core::supervisor::{Backup, LastBackup, MOST_BYTES, Tick};
use pfcluster_testing::clusters::host;

use pfcluster_tests::members::{Member, config, nothing, talk};

fn backup(file: &str) -> LastBackup {
    LastBackup::Made(Backup { file: file.to_owned(), time: 1_764_030_600 })
}

fn pair() -> (Member, Member) {
    (Member::new(config(0, 2, 1), nothing(), Tick(0)), Member::new(config(1, 2, 2), nothing(), Tick(0)))
}

/// The backup of the first, as both know it.
fn known(one: &Member, other: &Member) -> [LastBackup; 2] {
    [one, other].map(|member| member.knows(&host(0)).backup)
}

#[test]
fn it_is_told_which_backup_is_the_last() {
    let (mut one, mut other) = pair();
    talk(&mut one, &mut other, 3000);
    assert_eq!(known(&one, &other), [LastBackup::Unknown, LastBackup::Unknown], "a host that can't tell may have one");
    let name = "packetfence-exportable-backup-2025-11-25_00h30.tgz";
    for found in [LastBackup::Never, backup(name), backup("another"), LastBackup::Never] {
        one.backup = found.clone();
        talk(&mut one, &mut other, 3000);
        assert_eq!(known(&one, &other), [found.clone(), found]);
        assert_eq!(one.knows(&host(1)).backup, LastBackup::Unknown, "that is the first one's alone");
    }
    one.backup = LastBackup::Unknown;
    talk(&mut one, &mut other, 3000);
    assert_eq!(known(&one, &other), [LastBackup::Unknown, LastBackup::Unknown], "what it told before does not stay");
}

#[test]
fn of_a_silent_member_no_backup_is_known() {
    let (mut one, mut other) = pair();
    one.backup = backup("a");
    talk(&mut one, &mut other, 3000);
    assert_eq!(other.knows(&host(0)).backup, backup("a"));
    other.pass(other.now + Duration::from_secs(60));
    assert_eq!(other.knows(&host(0)).backup, LastBackup::Unknown);
}

/// A name as long as a file system allows, with what else there is to tell: elections come first, then addresses.
#[test]
fn a_backup_gives_way_to_evidence_and_addresses() {
    let (mut one, mut other) = pair();
    let long = backup(&"x".repeat(255));
    one.backup = long.clone();
    let mut sent = talk(&mut one, &mut other, 3000);
    assert_eq!(other.knows(&host(0)).backup, long.clone());
    // With so many addresses there is room for one of the two.
    one.holds = Some((0..180).map(|number| [192, 168, 1, number].into()).collect());
    sent.extend(talk(&mut one, &mut other, 3000));
    let known = other.knows(&host(0));
    assert_eq!((known.backup, known.held.map(|held| held.len())), (LastBackup::Unknown, Some(180)));
    assert!(other.evidence_of(&host(0)).is_some());
    assert_eq!(one.knows(&host(0)).backup, long, "the own one is known all the same");
    assert!(sent.iter().all(|(_, bytes)| bytes.len() <= MOST_BYTES));
}
