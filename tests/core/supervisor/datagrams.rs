//! What travels between two supervisors.

use hmac::{Hmac, KeyInit as _, Mac as _};
use pfcluster_core::galera::{
    CleanStop, Evidence, Files, Fork, Found, Gvwstate, Observation, Position, Process, Records, Recovered, Running,
    Seqno, StartFailures, Uuid, ViewId, ViewRecord,
};
use pfcluster_core::galera::{ClusterStatus, LocalState};
use pfcluster_core::supervisor::{Key, MOST_BYTES, MessageError};
use pfcluster_testing::clusters::host;
use pfcluster_testing::evidence;
use pfcluster_tests::property_config;
use proptest::prelude::*;
use sha2::Sha256;

use pfcluster_core::supervisor::Tick;
use pfcluster_tests::members::{KEY, Member, config, hosts, nothing, signing, stopped, talk};

/// How many bytes a tag has.
const TAG: usize = 32;
/// A stranger's, a file's or a person's text is cut after so many bytes.
const LONGEST_TEXT: usize = 60;

/// The tag of a text, made apart from the program.
fn tag(text: &[u8], key: &[u8; 32]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// The same datagram with another text and the right tag.
fn tagged(mut text: Vec<u8>) -> Vec<u8> {
    text.extend(tag(&text, &KEY));
    text
}

/// A datagram from the first to the second of three members that the second takes, and both.
fn datagram() -> (Vec<u8>, Member) {
    let mut one = Member::new(config(0, 3, 1), nothing(), Tick(0));
    let mut other = Member::new(config(1, 3, 2), nothing(), Tick(0));
    talk(&mut one, &mut other, 50);
    one.pass(Tick(500));
    let (_, bytes) = one.sent.iter().rfind(|(to, _)| *to == host(1)).expect("it tells every 0.4 s").clone();
    other.pass(Tick(501));
    (bytes, other)
}

/// What is dropped is counted for its reason, and nothing else comes of it.
#[expect(clippy::needless_pass_by_value, reason = "each call makes the error on the spot")]
fn is_dropped(receiver: &mut Member, bytes: &[u8], error: MessageError) {
    let before = receiver.knows(&host(0));
    let counted = |member: &Member| member.supervisor.status(member.now).dropped.get(&error).copied().unwrap_or(0);
    let (count, sent) = (counted(receiver), receiver.sent.len());
    receiver.receives(bytes);
    assert_eq!(counted(receiver), count + 1, "{error}");
    let after = receiver.knows(&host(0));
    assert_eq!((after.seen.observation, after.age), (before.seen.observation, before.age), "{error}");
    assert_eq!(receiver.sent.len(), sent, "a datagram that is dropped is not answered");
}

#[test]
fn the_tag_is_hmac_sha_256_of_all_before_it() {
    let (bytes, mut receiver) = datagram();
    let (text, tail) = bytes.split_at(bytes.len() - TAG);
    assert_eq!(tail, tag(text, &KEY));
    receiver.receives(&bytes);
    assert_eq!((receiver.dropped(), receiver.knows(&host(0)).has_supervisor), (0, true));
}

#[test]
fn forged_torn_and_foreign_datagrams_are_dropped_each_for_its_reason() {
    let (bytes, mut receiver) = datagram();
    let text = bytes[..bytes.len() - TAG].to_vec();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let error = if at < 4 { MessageError::NotAMessage } else { MessageError::Forged };
            is_dropped(&mut receiver, &flipped, error);
        }
    }
    for length in 0..bytes.len() {
        let error = if length < 4 + TAG { MessageError::NotAMessage } else { MessageError::Forged };
        is_dropped(&mut receiver, &bytes[..length], error);
    }
    let forged = [text.clone(), tag(&text, &[8; 32])].concat();
    is_dropped(&mut receiver, &forged, MessageError::Forged);
    // With the right tag: only who has the key can do that, but versions differ, and programs have errors.
    let mut other_version = text.clone();
    other_version[3] += 1;
    is_dropped(&mut receiver, &tagged(other_version), MessageError::NotAMessage);
    is_dropped(&mut receiver, &tagged([&text[..], b"more"].concat()), MessageError::Unreadable);
    is_dropped(&mut receiver, &tagged(text[..text.len() - 1].to_vec()), MessageError::Unreadable);
    is_dropped(&mut receiver, &tagged(text[..4].to_vec()), MessageError::Unreadable);
    is_dropped(&mut receiver, &vec![0; MOST_BYTES + 1], MessageError::TooLong);
    is_dropped(&mut receiver, &tagged([&text[..], &[0; MOST_BYTES]].concat()), MessageError::TooLong);
    // And after all that, the true one is still taken.
    receiver.receives(&bytes);
    assert!(receiver.knows(&host(0)).has_supervisor);
}

#[test]
fn a_datagram_is_for_one_receiver_from_a_member() {
    let (bytes, mut second) = datagram();
    let mut third = Member::new(config(2, 3, 3), nothing(), Tick(501));
    is_dropped(&mut third, &bytes, MessageError::Misdirected);
    // Its own, reflected.
    let mut first = Member::new(config(0, 3, 1), nothing(), Tick(0));
    first.receives(&bytes);
    assert_eq!(first.supervisor.status(Tick(0)).dropped.get(&MessageError::Misdirected), Some(&1));
    // Somebody with the key who is no member.
    let mut stranger = Member::new(config(4, 5, 9), nothing(), Tick(0));
    stranger.pass(Tick(500));
    let (_, bytes) = stranger.sent.iter().find(|(to, _)| *to == host(1)).expect("it tells everybody").clone();
    is_dropped(&mut second, &bytes, MessageError::Misdirected);
}

/// Another key: nobody hears anybody, and each says why.
#[test]
fn other_keys_are_other_clusters() {
    let mut one = Member::new(config(0, 2, 1), nothing(), Tick(0));
    let mut theirs = config(1, 2, 2);
    theirs.keys = Key::new([8; 32]).into();
    let mut other = Member::new(theirs, nothing(), Tick(0));
    talk(&mut one, &mut other, 1000);
    for (member, peer) in [(&one, host(1)), (&other, host(0))] {
        assert!(!member.knows(&peer).has_supervisor);
        let dropped = member.supervisor.status(member.now).dropped;
        assert!(dropped.get(&MessageError::Forged).is_some_and(|count| *count > 1), "{dropped:?}");
    }
}

/// Who reads other members from cluster.conf is heard, but only that is known of it: places would mean other members.
#[test]
fn of_a_sender_with_other_members_only_that_is_known() {
    let mut one = Member::new(config(0, 2, 1), nothing(), Tick(0));
    let mut theirs = config(1, 2, 2);
    theirs.members_hash = "another".into();
    let mut other = Member::new(theirs, nothing(), Tick(0));
    talk(&mut one, &mut other, 1000);
    let evidence = one.evidence_of(&host(1)).expect("it is heard");
    assert_eq!(evidence.members_hash.as_deref(), Some("another"));
    assert_eq!((evidence.files, evidence.process), (None, Process::Starting));
}

/// As it arrives: texts are cut, strangers are few, and the sender's hash is said.
fn arrives(mut evidence: Evidence, members: usize) -> Evidence {
    let cut = |text: &str| -> Box<str> { text.chars().take(LONGEST_TEXT).collect::<String>().into() };
    evidence.members_hash = Some(config(0, members, 0).members_hash);
    let places = |list: &mut Vec<_>| {
        let hosts = hosts(members);
        list.sort_by_key(|host| hosts.iter().position(|other| other == host));
    };
    places(&mut evidence.disabled);
    if let Process::Running(running) = &mut evidence.process {
        running.sees_others = running.sees_others.iter().take(4).map(|other| cut(other)).collect();
        places(&mut running.sees);
    }
    if let Some(files) = &mut evidence.files {
        places(&mut files.records.supervised);
        files.records.start_failures.why = cut(&files.records.start_failures.why);
        // The sender's supervisor tells it from its records; `Uuid::ZERO` is the boot of these machines.
        files.unsynced_transfer = files.records.joined_in_boot.take().is_some_and(|boot| boot != Uuid::ZERO);
    }
    evidence
}

/// What no server and no file can say, and no reader lets through.
fn is_honest(evidence: &Evidence) -> bool {
    let counts = |running: &Running| running.last_committed >= -1;
    let reads = |files: &Files| {
        let grastate = files.grastate.read().is_none_or(|grastate| grastate.seqno >= -1);
        let gvwstate = files.gvwstate.read().is_none_or(|gvwstate| !gvwstate.members.is_empty());
        grastate && gvwstate
    };
    let runs = match &evidence.process {
        Process::Running(running) => counts(running),
        _ => true,
    };
    runs && evidence.files.as_ref().is_none_or(reads)
}

proptest! {
    #![proptest_config(property_config())]

    /// What a look finds on one member is what the other knows of it a moment later.
    #[test]
    fn evidence_arrives_as_it_was_found(
        (members, seen) in (2..=9_usize).prop_flat_map(|members| (Just(members), evidence::observation(members))),
    ) {
        let Observation::Known(found) = seen else { return Ok(()) };
        let mut one = Member::new(config(0, members, 1), *found.clone(), Tick(0));
        let mut other = Member::new(config(1, members, 2), nothing(), Tick(0));
        let sent = talk(&mut one, &mut other, 450);
        prop_assert!(sent.iter().all(|(_, bytes)| bytes.len() <= MOST_BYTES));
        if is_honest(&found) {
            prop_assert_eq!(other.evidence_of(&host(0)), Some(arrives(*found, members)));
            prop_assert_eq!(other.dropped(), 0);
        } else {
            // Nothing that no honest member can say is believed.
            prop_assert_eq!(other.evidence_of(&host(0)), None);
            prop_assert!(other.supervisor.status(other.now).dropped.contains_key(&MessageError::Unreadable));
        }
    }

    /// Whatever stands behind the right beginning, with the right tag: it is taken or dropped, and never the end of us.
    #[test]
    fn whatever_comes_with_the_right_tag_ends_nothing(mut text in prop::collection::vec(any::<u8>(), 0..200), keep in 0..200_usize) {
        let (bytes, mut receiver) = datagram();
        // Its beginning is that of a true one.
        let keep = keep.min(bytes.len() - TAG);
        text.splice(0..0, bytes[..keep].iter().copied());
        if keep < 4 {
            text.splice(0..0, *b"pfc\x03");
        }
        receiver.receives(&tagged(text));
        receiver.receives(&bytes);
        prop_assert!(receiver.knows(&host(0)).has_supervisor);
    }

    /// Whatever comes, with no tag at all.
    #[test]
    fn garbage_ends_nothing(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        let (_, mut receiver) = datagram();
        receiver.receives(&bytes);
        prop_assert_eq!(receiver.dropped(), 1);
    }
}

/// The most that nine members can have to say: running, in a view of nine, each with its fork, every text as long as can be.
#[test]
fn the_fullest_evidence_of_nine_members_fits() {
    const MEMBERS: usize = 9;

    let history = Uuid::from_u128(u128::MAX);
    let far = Seqno::new(i64::MAX).expect("a sequence number");
    let nodes: Vec<Uuid> = (0..MEMBERS).map(|at| Uuid::from_u128(u128::MAX - MEMBERS as u128 + at as u128)).collect();
    let view = ViewId { uuid: nodes[0], seq: u32::MAX };
    let position = |seqno| Position::new(history, seqno).expect("a position");
    let fork = |seqno: i64| Fork { id: u64::MAX, at: position(seqno) };
    let found = Evidence {
        process: Process::Running(Running {
            uuid: history,
            status: ClusterStatus::Primary,
            state: LocalState::Donor,
            size: u32::MAX,
            last_committed: i64::MAX,
            sees: hosts(MEMBERS),
            sees_others: vec!["255.255.255.255:65535".into(); 20],
        }),
        files: Some(Files {
            grastate: Found::Torn("ä".repeat(200).into()),
            gvwstate: Found::Read(Gvwstate { my_uuid: nodes[0], view, bootstrap: true, members: nodes }),
            recovered: Recovered::Failed("x".repeat(500).into()),
            sst_marker: true,
            unsynced_transfer: true,
            datadir_empty: false,
            records: Records {
                last_recorded: Position::new(history, i64::MAX),
                clean: Some(CleanStop { position: position(i64::MAX), last: true }),
                supervised: hosts(MEMBERS),
                start_failures: StartFailures { count: u8::MAX, why: "x".repeat(LONGEST_TEXT).into() },
                joined_in_boot: None,
                view: Some(ViewRecord { view, uuid: history, floor: far, size: Some(u32::MAX) }),
                forks: (i64::MAX - 8..i64::MAX).map(fork).collect(),
                ran_standalone: true,
            },
        }),
        maintenance: true,
        arbitrator: true,
        disabled: hosts(MEMBERS),
        members_hash: None,
    };
    let mut signed = config(0, MEMBERS, u64::MAX);
    signed.signing = Some(signing(0));
    let mut one = Member::new(signed, found.clone(), Tick(0));
    let mut other = Member::new(config(1, MEMBERS, u64::MAX - 1), nothing(), Tick(0));
    let sent = talk(&mut one, &mut other, 1000);
    let longest = sent.iter().map(|(_, bytes)| bytes.len()).max().expect("they talk");
    assert!(longest <= MOST_BYTES, "{longest}");
    let arrived = other.evidence_of(&host(0)).expect("it fits");
    assert_eq!(arrived.process, arrives(found.clone(), MEMBERS).process);
    let (arrived, found) = (arrived.files.expect("files"), found.files.expect("files"));
    assert_eq!((&arrived.gvwstate, &arrived.records), (&found.gvwstate, &found.records));
    assert_eq!(arrived.recovered, Recovered::Failed("x".repeat(LONGEST_TEXT).into()));
    assert_eq!(arrived.grastate, Found::Torn("ä".repeat(LONGEST_TEXT / 2).into()), "cut between characters");
}

/// With more than fits, the others hear that somebody is there, and nothing that was cut off.
#[test]
fn evidence_that_does_not_fit_is_unknown() {
    let fork = |back: i64| Fork {
        id: u64::MAX,
        at: Position::new(Uuid::from_u128(u128::MAX), i64::MAX - back).expect("a position"),
    };
    let records = Records { forks: (0..100).map(fork).collect(), ..Records::default() };
    let found = stopped(Files { records, ..Files::default() });
    let mut one = Member::new(config(0, 3, 1), found, Tick(0));
    let mut other = Member::new(config(1, 3, 2), nothing(), Tick(0));
    let sent = talk(&mut one, &mut other, 1000);
    assert!(sent.iter().all(|(_, bytes)| bytes.len() <= MOST_BYTES));
    assert_eq!((other.evidence_of(&host(0)), other.dropped()), (None, 0));
    assert!(one.evidence_of(&host(1)).is_some(), "it still hears the other");
}
