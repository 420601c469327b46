//! A member's own key: a holder of the shared key can't speak for a member whose key is pinned.

use std::collections::BTreeMap;

use ed25519_dalek::Signer as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use pfcluster_core::decision::Decision;
use pfcluster_core::galera::bootstrap::{Action, Reason};
use pfcluster_core::galera::{Evidence, Files, Found, Grastate, Observation, Position, Recovered, Uuid};
use pfcluster_core::supervisor::{Config, Event, Input, MessageError, OverrideStatus, Saying, SigningKey, Tick};
use pfcluster_testing::clusters::host;
use pfcluster_testing::evidence;
use pfcluster_tests::members::{KEY, Member, config, nothing, signing, signing_seed, stopped, talk, together};
use pfcluster_tests::property_config;
use proptest::prelude::*;
use sha2::Sha256;

/// How many bytes a tag has, and a public key with a signature.
const TAG: usize = 32;
const SEAL: usize = 96;

fn signed(at: usize, run: u64) -> Config {
    let mut config = config(at, 3, run);
    config.signing = Some(signing(at));
    config
}

/// All three keys are known to it.
fn with_pins(at: usize, run: u64) -> Config {
    let mut config = signed(at, run);
    config.pinned = [0, 1, 2].map(|at| (host(at), signing(at).public())).into();
    config
}

/// A database that stopped there, by recovery.
fn stopped_at(seqno: i64) -> Evidence {
    let uuid = Uuid::from_u128(0xA << 120);
    let grastate = Found::Read(Grastate { uuid, seqno: -1, safe_to_bootstrap: Some(false) });
    let recovered = Recovered::At(Position::new(uuid, seqno).expect("a position"));
    stopped(Files { grastate, recovered, ..Files::default() })
}

/// The same with the right tag.
fn tagged(mut text: Vec<u8>) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).expect("a key of any length");
    mac.update(&text);
    text.extend(mac.finalize().into_bytes());
    text
}

/// How many datagrams in the name of a member were dropped, because it did not sign them.
fn refused(member: &Member, at: usize) -> u64 {
    let status = member.supervisor.status(member.now);
    status.dropped.get(&MessageError::NotSigned { from: host(at) }).copied().unwrap_or_default()
}

/// Two members of three that pin what they see.
fn pair() -> [Member; 2] {
    [0, 1].map(|at| {
        let mut config = signed(at, at as u64 + 1);
        config.is_passive = false;
        Member::new(config, nothing(), Tick(0))
    })
}

#[test]
fn a_key_is_pinned_at_first_sight_once_its_holder_is_alive() {
    let [mut one, mut other] = pair();
    // Its first message gives no challenge back: anybody may have recorded it.
    other.pass(Tick(10));
    let (_, first) = other.sent.iter().find(|(to, _)| *to == host(0)).expect("it tells").clone();
    one.receives(&first);
    assert_eq!((one.knows(&host(1)).signing_key, one.pinned.len()), (None, 0));
    talk(&mut one, &mut other, 500);
    for (member, at) in [(&one, 1), (&other, 0)] {
        assert_eq!(member.pinned, BTreeMap::from([(host(at), signing(at).public())]));
        assert_eq!(member.knows(&host(at)).signing_key, Some(signing(at).public().fingerprint()));
        assert_eq!(member.knows(&member.me).signing_key, Some(signing(1 - at).public().fingerprint()));
        assert_eq!(member.dropped(), 0);
    }
}

/// One that decides and does nothing pins nothing: what it pins, it could not write down.
#[test]
fn one_that_is_passive_pins_nothing() {
    let mut one = Member::new(signed(0, 1), nothing(), Tick(0));
    let mut other = Member::new(signed(1, 2), nothing(), Tick(0));
    talk(&mut one, &mut other, 500);
    assert!(one.knows(&host(1)).has_supervisor && one.pinned.is_empty());
    assert_eq!(one.knows(&host(1)).signing_key, None);
}

/// Members without a key of their own, and members with one, understand each other.
#[test]
fn a_member_without_a_key_is_heard_as_before() {
    let [mut one, _] = pair();
    let mut other = Member::new(config(1, 3, 2), nothing(), Tick(0));
    talk(&mut one, &mut other, 500);
    assert!(one.knows(&host(1)).has_supervisor && other.knows(&host(0)).has_supervisor);
    assert_eq!((one.knows(&host(1)).signing_key, one.dropped(), other.dropped()), (None, 0, 0));
}

/// From its own key there is no way back to none.
#[test]
fn a_pinned_member_is_not_heard_unsigned() {
    let mut one = Member::new(with_pins(0, 1), nothing(), Tick(0));
    let mut thief = Member::new(config(1, 3, 2), nothing(), Tick(0));
    talk(&mut one, &mut thief, 2000);
    assert!(one.evidence_of(&host(1)).is_none() && !one.knows(&host(1)).has_supervisor);
    assert!(refused(&one, 1) > 1, "{:?}", one.supervisor.status(one.now).dropped);
    assert_eq!(one.knows(&host(1)).refused_keys, [], "it shows none");
}

/// pf2 is installed anew: it has another key, and is heard when that is accepted. Its peers' keys it pins at first sight.
#[test]
fn another_key_is_refused_until_it_is_accepted() {
    let mut one = Member::new(with_pins(0, 1), nothing(), Tick(0));
    let new = SigningKey::new([99; 32]);
    let mut theirs = signed(1, 2);
    (theirs.signing, theirs.is_passive) = (Some(new.clone()), false);
    let mut other = Member::new(theirs, stopped_at(60), Tick(0));
    talk(&mut one, &mut other, 2000);
    let known = one.knows(&host(1));
    assert!(!known.has_supervisor && refused(&one, 1) > 1);
    assert_eq!(known.signing_key, Some(signing(1).public().fingerprint()));
    assert_eq!(known.refused_keys, [new.public()], "its holder is alive");
    one.input(Input::PublicKeyAccepted { member: host(1), key: new.public() });
    assert_eq!(one.pinned.get(&host(1)), Some(&new.public()));
    let before = refused(&one, 1);
    talk(&mut one, &mut other, 1000);
    let known = one.knows(&host(1));
    assert!(known.has_supervisor && other.knows(&host(0)).has_supervisor);
    assert_eq!(known.signing_key, Some(new.public().fingerprint()));
    assert_eq!(refused(&one, 1), before);
    assert_eq!(other.pinned, BTreeMap::from([(host(0), signing(0).public())]));
    // What was refused is not shown for ever.
    one.pass(Tick(one.now.0 + 60_000));
    assert_eq!(one.knows(&host(1)).refused_keys, []);
}

/// A thief of the shared key shows keys of his own while the member that was installed anew shows its: that one can be accepted.
#[test]
fn the_key_that_a_person_compares_can_be_accepted_while_others_are_shown() {
    let mut one = Member::new(with_pins(0, 1), nothing(), Tick(0));
    let posing = |key: u8| {
        let mut theirs = signed(1, u64::from(key));
        theirs.signing = Some(SigningKey::new([key; 32]));
        Member::new(theirs, stopped_at(60), Tick(0))
    };
    let mut posers: Vec<Member> = (50..53).map(posing).collect();
    for now in (0..3_000).step_by(10) {
        posers.iter_mut().chain([&mut one]).for_each(|member| member.pass(Tick(now)));
        let to_pf2: Vec<_> = one.sent.drain(..).filter(|(to, _)| *to == host(1)).collect();
        for poser in &mut posers {
            to_pf2.iter().for_each(|(_, bytes)| poser.receives(bytes));
            poser.sent.drain(..).filter(|(to, _)| *to == host(0)).for_each(|(_, bytes)| one.receives(&bytes));
        }
    }
    let keys = [50, 51, 52].map(|key| SigningKey::new([key; 32]).public());
    let shown = one.knows(&host(1)).refused_keys;
    assert!(shown.len() == 3 && keys.iter().all(|key| shown.contains(key)), "{shown:?}");
    let status = one.supervisor.status(one.now);
    assert!(keys.iter().all(|key| status.refused_key(&host(1), key.fingerprint()) == Some(*key)));
}

/// What was said with the key that is given up does not count any more: it may have been a thief's.
#[test]
fn what_was_said_with_the_key_that_is_given_up_does_not_count() {
    let mut members = [0, 1].map(|at| Member::new(with_pins(at, at as u64 + 1), stopped_at(60), Tick(0)));
    members[1].input(Input::Said { id: 7, saying: Saying::AssumeLost(vec![host(2)]), user: Some(0) });
    together(&mut members, 1000);
    let words = |member: &Member| member.supervisor.status(member.now).words.len();
    assert!(members[0].evidence_of(&host(1)).is_some() && words(&members[0]) == 1);
    let new = SigningKey::new([99; 32]);
    members[0].input(Input::PublicKeyAccepted { member: host(1), key: new.public() });
    assert_eq!((members[0].evidence_of(&host(1)), words(&members[0])), (None, 0));
    // And it is heard at once with the new one.
    members[1].input(Input::SigningKeyRead { key: new });
    together(&mut members, 1000);
    assert!(members[0].evidence_of(&host(1)).is_some() && words(&members[0]) == 1);
}

/// A recorded message with another key proves nothing: who shows it must be alive.
#[test]
fn a_key_that_was_recorded_is_not_shown() {
    let mut theirs = signed(1, 2);
    theirs.signing = Some(SigningKey::new([99; 32]));
    let mut other = Member::new(theirs, nothing(), Tick(0));
    let mut earlier = Member::new(signed(0, 1), nothing(), Tick(0));
    let recorded = talk(&mut earlier, &mut other, 1000);
    let mut one = Member::new(with_pins(0, 7), nothing(), Tick(0));
    recorded.iter().filter(|(to, _)| *to == host(0)).for_each(|(_, bytes)| one.receives(bytes));
    assert!(refused(&one, 1) > 1);
    assert_eq!(one.knows(&host(1)).refused_keys, []);
}

/// A member's own key is changed while it runs: it signs with the new one, and its peers drop that until they accept it.
#[test]
fn an_own_key_is_read_again() {
    let mut members = [0, 1].map(|at| Member::new(with_pins(at, at as u64 + 1), nothing(), Tick(0)));
    together(&mut members, 1000);
    let new = SigningKey::new([99; 32]);
    members[1].input(Input::SigningKeyRead { key: new.clone() });
    together(&mut members, 1000);
    assert_eq!(members[0].knows(&host(1)).refused_keys, [new.public()]);
    members[0].input(Input::PublicKeyAccepted { member: host(1), key: new.public() });
    together(&mut members, 6000);
    assert!(
        members.iter().all(|member| member.knows(&host(0)).has_supervisor && member.knows(&host(1)).has_supervisor)
    );
}

/// Of hosts that are no members of the database nothing is pinned, and what was pinned of them stays.
#[test]
fn keys_of_other_hosts_stay_in_the_file() {
    let mut config = signed(0, 1);
    config.pinned = [(host(7), signing(7).public())].into();
    let mut one = Member::new(config, nothing(), Tick(0));
    one.input(Input::PublicKeyAccepted { member: host(8), key: signing(8).public() });
    assert!(one.pinned.is_empty());
    one.input(Input::PublicKeyAccepted { member: host(1), key: signing(1).public() });
    assert_eq!(one.pinned, [7, 1].map(|at| (host(at), signing(at).public())).into());
}

/// A member that is renamed in cluster.conf is seen for the first time: that is told, as long as the old name's key is pinned.
#[test]
fn a_member_with_a_new_name_is_told_of_while_the_old_ones_key_is_pinned() {
    let told = |others: &[usize]| {
        let [_, mut other] = pair();
        let mut config = signed(0, 1);
        (config.is_passive, config.pinned) =
            (false, others.iter().map(|&at| (host(at), signing(at).public())).collect());
        let mut one = Member::new(config, nothing(), Tick(0));
        talk(&mut one, &mut other, 500);
        let is_told = |event: &&Event| matches!(event, Event::MayBeRenamed { .. });
        (one.told.iter().find(is_told).cloned(), one.supervisor.status(one.now).pinned_others)
    };
    assert_eq!(told(&[]), (None, vec![]));
    assert_eq!(told(&[2]), (None, vec![]), "a member of today");
    assert_eq!(told(&[7]), (Some(Event::MayBeRenamed { member: host(1), others: vec![host(7)] }), vec![host(7)]));
}

/// An operator has a pinned key forgotten: what was said with it too, and the next one is pinned at first sight.
#[test]
fn a_pinned_key_is_forgotten() {
    let [mut one, mut other] = pair();
    talk(&mut one, &mut other, 500);
    one.input(Input::PublicKeyForgotten { host: host(2) });
    assert_eq!(one.pinned.len(), 1, "none was pinned for that one");
    one.input(Input::PublicKeyForgotten { host: host(1) });
    assert_eq!((one.pinned.len(), one.evidence_of(&host(1))), (0, None));
    talk(&mut one, &mut other, 2_000);
    assert_eq!(one.knows(&host(1)).signing_key, Some(signing(1).public().fingerprint()));
}

/// The signature is that of the member's key over all before it, and the tag is around it.
#[test]
fn a_signature_covers_all_but_the_tag() {
    let mut one = Member::new(with_pins(0, 1), nothing(), Tick(0));
    let mut other = Member::new(with_pins(1, 2), nothing(), Tick(0));
    talk(&mut one, &mut other, 50);
    other.finds = stopped_at(70);
    other.pass(Tick(2000));
    one.pass(Tick(2001));
    let (_, bytes) = other.sent.iter().rfind(|(to, _)| *to == host(0)).expect("it tells").clone();
    let text = &bytes[..bytes.len() - TAG];
    let (before, signature) = text.split_last_chunk::<64>().expect("a signature");
    let key = ed25519_dalek::SigningKey::from_bytes(&signing_seed(1));
    assert!(before.ends_with(key.verifying_key().as_bytes()));
    assert_eq!(*signature, key.sign(before).to_bytes());
    for at in 0..text.len() {
        let mut changed = text.to_vec();
        changed[at] ^= 1;
        let (known, dropped) = (one.evidence_of(&host(1)), one.dropped());
        one.receives(&tagged(changed));
        assert_eq!((one.evidence_of(&host(1)), one.dropped()), (known, dropped + 1), "byte {at}");
    }
    one.receives(&bytes);
    let recovered = |evidence: Evidence| evidence.files.map(|files| files.recovered);
    assert_eq!(one.evidence_of(&host(1)).and_then(recovered), recovered(stopped_at(70)));
}

/// What a thief of the shared key does, who sees all datagrams and sits on the way.
#[derive(Clone, Debug)]
enum Attack {
    /// Poses as a member with a supervisor of its own, without a key or with one of its own, for so many milliseconds.
    Pose { at: usize, key: Option<u8>, finds: Box<Evidence>, says: Option<usize>, run: u64, lasts: u64 },
    /// Sends a true datagram again.
    Replay { which: usize },
    /// Sends a true datagram with another byte, and the right tag.
    Change { which: usize, at: usize, by: u8 },
    /// Sends a true datagram without its signature.
    Strip { which: usize },
    /// Sends a true message signed with another key.
    SignAnew { which: usize, key: u8 },
}

fn sayings() -> [Saying; 6] {
    [
        Saying::AssumeLost(vec![host(0)]),
        Saying::AssumeLost(vec![host(1), host(2)]),
        Saying::Discard(host(0)),
        Saying::Discard(host(1)),
        Saying::Force(host(1)),
        Saying::Standalone,
    ]
}

fn attacks() -> impl Strategy<Value = Vec<Attack>> {
    let key = || prop_oneof![Just(None), (50..53_u8).prop_map(Some)];
    let finds = prop_oneof![
        (0..100_i64).prop_map(stopped_at),
        evidence::observation(3).prop_filter_map("some evidence", |observation| match observation {
            Observation::Known(evidence) => Some(*evidence),
            Observation::Unknown(_) => None,
        }),
    ];
    let says = prop::option::of(0..sayings().len());
    let pose =
        (1..3_usize, key(), finds, says, any::<u64>(), 50..1500_u64).prop_map(|(at, key, finds, says, run, lasts)| {
            Attack::Pose { at, key, finds: Box::new(finds), says, run, lasts }
        });
    let which = any::<usize>;
    let attack = prop_oneof![
        4 => pose,
        1 => which().prop_map(|which| Attack::Replay { which }),
        2 => (which(), which(), 1..=255_u8).prop_map(|(which, at, by)| Attack::Change { which, at, by }),
        1 => which().prop_map(|which| Attack::Strip { which }),
        1 => (which(), 50..53_u8).prop_map(|(which, key)| Attack::SignAnew { which, key }),
    ];
    prop::collection::vec(attack, 1..8)
}

/// pf1 and its true peers, and what was sent to pf1.
struct World {
    members: Vec<Member>,
    to_pf1: Vec<Vec<u8>>,
    is_pf2_there: bool,
}

/// What pf1 goes by, and what it comes to.
type Mind = (Vec<Observation>, Vec<OverrideStatus>, Option<Decision<Action, Reason>>);

impl World {
    fn new(is_pf2_there: bool) -> World {
        let member = |(at, seqno): (usize, i64)| Member::new(with_pins(at, at as u64 + 1), stopped_at(seqno), Tick(0));
        let mut world =
            World { members: [(0, 50), (1, 60), (2, 70)].map(member).into(), to_pf1: Vec::new(), is_pf2_there };
        world.pass(1000, None);
        world
    }

    /// Time goes on; a poser, if there is one, hears what pf1 sends to the member, and pf1 hears it.
    fn pass(&mut self, milliseconds: u64, mut poser: Option<&mut Member>) {
        let begin = self.members[0].now.0;
        for now in (begin..=begin + milliseconds).step_by(10) {
            self.members.iter_mut().for_each(|member| member.pass(Tick(now)));
            let under_way: Vec<_> = self.members.iter_mut().flat_map(|member| member.sent.drain(..)).collect();
            if let Some(poser) = &mut poser {
                poser.pass(Tick(now));
                let me = poser.me.clone();
                under_way.iter().filter(|(to, _)| *to == me).for_each(|(_, bytes)| poser.receives(bytes));
                poser
                    .sent
                    .drain(..)
                    .filter(|(to, _)| *to == host(0))
                    .for_each(|(_, bytes)| self.members[0].receives(&bytes));
            }
            for (to, bytes) in under_way {
                if to == host(0) {
                    self.to_pf1.push(bytes.clone());
                }
                if to == host(1) && !self.is_pf2_there {
                    continue;
                }
                let to = self.members.iter_mut().find(|member| member.me == to);
                to.into_iter().for_each(|member| member.receives(&bytes));
            }
        }
    }

    fn attack(&mut self, attack: &Attack) {
        let text = |which: usize| {
            let bytes = &self.to_pf1[which % self.to_pf1.len()];
            bytes[..bytes.len() - TAG].to_vec()
        };
        let sent = match attack {
            Attack::Pose { at, key, finds, says, run, lasts } => {
                let mut theirs = config(*at, 3, *run);
                theirs.signing = key.map(|byte| SigningKey::new([byte; 32]));
                let mut poser = Member::new(theirs, (**finds).clone(), self.members[0].now);
                if let Some(says) = says {
                    poser.input(Input::Said { id: *run, saying: sayings()[*says].clone(), user: Some(0) });
                }
                return self.pass(*lasts, Some(&mut poser));
            }
            Attack::Replay { which } => tagged(text(*which)),
            Attack::Change { which, at, by } => {
                let mut text = text(*which);
                let at = at % text.len();
                text[at] ^= by;
                tagged(text)
            }
            Attack::Strip { which } => {
                let text = text(*which);
                tagged(text[..text.len() - SEAL].to_vec())
            }
            Attack::SignAnew { which, key } => {
                let mut text = text(*which);
                text.truncate(text.len() - SEAL);
                let key = ed25519_dalek::SigningKey::from_bytes(&[*key; 32]);
                text.extend(key.verifying_key().as_bytes());
                text.extend(key.sign(&text).to_bytes());
                tagged(text)
            }
        };
        self.members[0].receives(&sent);
    }

    fn mind(&self) -> Mind {
        let status = self.members[0].supervisor.status(self.members[0].now);
        (status.members.into_iter().map(|member| member.seen.observation).collect(), status.words, status.decision)
    }
}

proptest! {
    #![proptest_config(property_config())]

    /// Once the keys of all peers are pinned, a thief of the shared key changes nothing of what a member knows and decides: whatever
    /// he sends, evidence or overrides, in whoever's name, all is as if he were not there.
    #[test]
    fn a_thief_of_the_shared_key_changes_no_decision(attacks in attacks(), is_pf2_there in any::<bool>()) {
        let [mut attacked, mut quiet] = [0, 1].map(|_| World::new(is_pf2_there));
        for attack in &attacks {
            attacked.attack(attack);
            if let Attack::Pose { lasts, .. } = attack {
                quiet.pass(*lasts, None);
            }
            prop_assert_eq!(attacked.mind(), quiet.mind(), "{:?}", attack);
        }
        let pins = |world: &World| world.members[0].knows(&host(1)).signing_key;
        prop_assert_eq!(pins(&attacked), pins(&quiet));
    }
}

/// The law above can fail: the same thief, while pf2's key is not known, has pf1 believe him.
#[test]
fn before_the_key_is_known_a_thief_is_believed() {
    let mut one = Member::new(signed(0, 1), stopped_at(60), Tick(0));
    let mut thief = Member::new(config(1, 3, 2), stopped_at(50), Tick(0));
    talk(&mut one, &mut thief, 1000);
    let files = one.evidence_of(&host(1)).and_then(|evidence| evidence.files);
    assert_eq!(files.map(|files| files.recovered), stopped_at(50).files.map(|files| files.recovered));
}

/// A thief can't learn what challenges a member will send: they are made with its own key.
#[test]
fn challenges_cannot_be_computed_from_the_shared_key() {
    let first = |signing: Option<SigningKey>| {
        let mut config = config(0, 3, 1);
        config.signing = signing;
        let member = Member::new(config, nothing(), Tick(0));
        let (_, bytes) = &member.sent[0];
        // From, to, run, number, nonce, echo.
        let (envelope, _) =
            postcard::take_from_bytes::<(u64, u64, u64, u64, u64, Option<u64>)>(&bytes[4..]).expect("an envelope");
        envelope.4
    };
    assert_ne!(first(Some(signing(0))), first(None));
    assert_ne!(first(Some(signing(0))), first(Some(signing(1))));
}
