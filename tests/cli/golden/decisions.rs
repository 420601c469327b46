//! Every action, reason and event.

use std::time::Duration;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Step;
use pfcluster_core::galera::Silence;
use pfcluster_core::galera::bootstrap::{
    Action, Assumption, Awaited, Defect, FlagIgnored, Hindrance, History, Need, NotChosen, Problem, Proof, Reason,
    Risk, SplitSign, TieBreak, Unfit, Untrusted, Word,
};
use pfcluster_core::supervisor::{Event, Key, KeyIds, MessageError, Origin, Part, Saying, SigningKey, Spoken};
use pfcluster_testing::clusters::host;

use super::evidence::{CLUSTER, VIEW, position};

fn one() -> Hostname {
    host(0)
}

fn two() -> Vec<Hostname> {
    vec![host(1), host(2)]
}

const DEFECTS: [Defect; 9] = [
    Defect::ZeroUuid,
    Defect::TransferBroken,
    Defect::TransferUnsynced,
    Defect::TransferRuns,
    Defect::GrastateTorn,
    Defect::GrastateMissing,
    Defect::Contradiction,
    Defect::Inconsistent,
    Defect::Superseded,
];

fn needs() -> Vec<Need> {
    let silences = [
        Silence::NotAsked,
        Silence::NoAnswer,
        Silence::Refused,
        Silence::Garbled("it is not JSON".into()),
        Silence::NotCounted("it is 3 h old".into()),
    ];
    let mut needs: Vec<Need> = silences.into_iter().map(|silence| Need::Evidence { silence }).collect();
    needs.extend([
        Need::Files,
        Need::Recovery,
        Need::RecoveryThatWorks { why: "the server did not start".into() },
        Need::Answer,
        Need::Response,
        Need::NewComponent,
        Need::TransferEnd,
        Need::Service,
        Need::Network,
        Need::SecondLook,
        Need::MaintenanceEnd,
    ]);
    needs
}

fn assumptions() -> Vec<Assumption> {
    let mut all = vec![Assumption::NotForced { members: two() }];
    all.extend([Risk::None, Risk::Bounded, Risk::Unbounded].map(|risk| Assumption::Lost { members: two(), risk }));
    all.extend([Assumption::LeftBehind { members: two() }, Assumption::Forced { unknown: two() }]);
    all.push(Assumption::Forced { unknown: Vec::new() });
    all
}

fn problems() -> Vec<Problem> {
    let untrusted = |defect, position| Untrusted { member: one(), defect, position };
    let mut all = vec![
        Problem::NoMembers,
        Problem::MembersDiffer { one: one(), other: host(1) },
        Problem::OneSidedDisable { by: one(), out: host(1), against: host(2) },
        Problem::SplitBrain { one: one(), other: host(1) },
        Problem::ZeroUuid { member: one() },
        Problem::StandaloneHistory { members: two() },
        Problem::DivergentHistories { histories: vec![History { uuid: CLUSTER, members: two() }] },
        Problem::TwoLastViews { one: vec![one()], other: two() },
        Problem::SeveralSafeToBootstrap { members: two() },
        Problem::Regression { member: one(), recorded: Some(position(1204)) },
        Problem::Regression { member: one(), recorded: None },
        Problem::NoCandidate {
            members: vec![untrusted(Some(Defect::ZeroUuid), Some(position(1204))), untrusted(None, None)],
        },
        Problem::NobodyLeft { members: two() },
        Problem::Diverged { members: two(), fork: position(100) },
        Problem::DisabledHoldsMore { member: one(), position: position(1204), best: position(1200) },
    ];
    all.extend(DEFECTS.map(|defect| Problem::UnsafeHoldsMore {
        member: one(),
        defect,
        position: position(1204),
        best: position(1200),
    }));
    let unfit = [Unfit::NotEnabled, Unfit::Arbitrator, Unfit::Empty, Unfit::Discarded, Unfit::HasHistory];
    let unfit = unfit.into_iter().chain(DEFECTS.map(Unfit::Unsafe));
    all.extend(unfit.map(|why| Problem::Unfit { member: one(), why }));
    all
}

pub(crate) fn actions() -> Vec<Action> {
    let (member, stop_first, joiners, discard) = (one(), vec![host(1)], vec![host(2)], vec![host(3)]);
    let assumes = assumptions();
    let awaited = needs().into_iter().map(|need| Awaited { member: one(), need }).collect();
    let mut all = vec![
        Action::Bootstrap {
            member: member.clone(),
            new_uuid: true,
            stop_first: stop_first.clone(),
            supersede_first: two(),
            joiners: joiners.clone(),
            discard: discard.clone(),
            position: position(1204),
            assumes: assumes.clone(),
        },
        Action::Promote {
            member: member.clone(),
            stop_first: stop_first.clone(),
            supersede_first: two(),
            joiners: joiners.clone(),
            discard: discard.clone(),
            position: position(1204),
            assumes,
        },
        Action::Reform { members: two(), stop_first: stop_first.clone(), joiners: joiners.clone() },
        Action::Join { primary: one(), joiners: joiners.clone(), discard: discard.clone() },
        Action::Join { primary: one(), joiners: Vec::new(), discard: Vec::new() },
        Action::Fresh { member: member.clone(), stop_first: stop_first.clone(), joiners: joiners.clone() },
        Action::Seed { member: member.clone(), stop_first, joiners, discard },
        Action::Standalone { member },
        Action::Wait { awaited },
    ];
    all.extend(problems().into_iter().map(|problem| Action::Refuse { problem }));
    all
}

fn not_chosen() -> Vec<NotChosen> {
    let mut all = vec![
        NotChosen::Behind { by: 4 },
        NotChosen::LostTie,
        NotChosen::NotInLastView,
        NotChosen::Empty,
        NotChosen::NoHistory,
        NotChosen::Unsafe { defect: Defect::ZeroUuid, position: Some(position(1204)) },
        NotChosen::OtherHistory { position: position(1204) },
        NotChosen::Diverged { fork: 100, position: position(1204) },
        NotChosen::Succeeded { position: position(1204) },
        NotChosen::Standalone,
        NotChosen::Above { by: 4 },
        NotChosen::Maintenance,
        NotChosen::Disabled,
        NotChosen::Arbitrator,
        NotChosen::GivenUp,
        NotChosen::Running,
    ];
    all.extend(DEFECTS.map(|defect| NotChosen::Unsafe { defect, position: None }));
    all.extend(needs().into_iter().map(|need| NotChosen::Unknown { need }));
    all
}

pub(crate) fn reasons() -> Vec<Reason> {
    let member = one;
    let mut all = vec![
        Reason::InService { member: member(), position: position(1204) },
        Reason::OnlyMember { member: member(), disabled: two() },
        Reason::OnlyMember { member: member(), disabled: Vec::new() },
        Reason::Answered { known: 1, enabled: 3 },
        Reason::Answered { known: 2, enabled: 3 },
        Reason::Answered { known: 3, enabled: 3 },
        Reason::LastView { view: VIEW, members: two(), proof: Proof::EverybodyAnswered },
        Reason::LastView { view: VIEW, members: two(), proof: Proof::Floor { floor: 1190 } },
        Reason::LeftLast { member: member(), position: position(1204) },
        Reason::CannotStart { member: member(), failures: 3, why: "exit status 1".into() },
        Reason::NewUuid { members: two() },
        Reason::HighestPosition { member: member(), position: position(1204) },
        Reason::NobodyHasData,
        Reason::NotLost { member: member() },
        Reason::ViewIncomplete { view: VIEW, holders: two(), present: 2, size: 3 },
        Reason::ViewUnproven { view: VIEW, holders: two() },
        Reason::TailLost { member: member(), from: 1205, to: 1210 },
        Reason::SeesStranger { member: member(), address: "192.168.1.99".into() },
    ];
    let ties = [TieBreak::Maintenance, TieBreak::CanStart, TieBreak::Running, TieBreak::Order];
    all.extend(ties.map(|by| Reason::Tie { member: one(), with: two(), by }));
    let words = [Word::AssumeLost, Word::Discard, Word::Seed, Word::Standalone, Word::Force, Word::Trust];
    all.extend(words.map(|word| Reason::OperatorsWord { word, members: two() }));
    let flags = [
        FlagIgnored::NoCleanStop,
        FlagIgnored::LogNotWritten,
        FlagIgnored::WrittenLater,
        FlagIgnored::Unsafe,
        FlagIgnored::Superseded,
    ];
    all.extend(flags.map(|why| Reason::FlagIgnored { member: one(), why }));
    let hindrances = [
        Hindrance::Minority,
        Hindrance::Unsupervised { member: one() },
        Hindrance::Maintenance { member: one() },
        Hindrance::Disabled { member: one() },
        Hindrance::Runs { member: one() },
        Hindrance::HoldsMore { member: one() },
        Hindrance::SawMore { member: one() },
    ];
    all.extend(hindrances.map(|by| Reason::HeldBack { members: two(), by }));
    let signs = [SplitSign::Histories, SplitSign::Membership, SplitSign::OneSided];
    all.extend(signs.map(|sign| Reason::TwoPrimaries { one: one(), other: host(1), sign }));
    all.extend(not_chosen().into_iter().map(|why| Reason::NotChosen { member: one(), why }));
    all
}

pub(crate) fn remedy() -> Vec<Step> {
    let run = |on| Step::Run { on, command: "systemctl start packetfence-mariadb".to_owned() };
    vec![run(Some(one())), run(None), Step::Do { what: "decide which data to keep".to_owned() }]
}

const PARTS: [Part; 11] = [
    Part::Stop,
    Part::End,
    Part::Supersede,
    Part::Reform,
    Part::Join,
    Part::JoinWithoutData,
    Part::Bootstrap,
    Part::Promote,
    Part::Fresh,
    Part::Seed,
    Part::Alone,
];

pub(crate) fn sayings() -> Vec<Saying> {
    vec![
        Saying::AssumeLost(two()),
        Saying::Discard(one()),
        Saying::Trust(one()),
        Saying::End(one()),
        Saying::Seed(one()),
        Saying::Standalone,
        Saying::Force(one()),
    ]
}

pub(crate) fn events() -> Vec<Event> {
    let why = || "exit status 1".into();
    let part = Part::Join;
    let mut all = vec![Event::Decided {
        action: Action::Join { primary: one(), joiners: two(), discard: Vec::new() },
        reasons: vec![Reason::InService { member: one(), position: position(1204) }, Reason::NobodyHasData],
        remedy: remedy(),
    }];
    all.extend(PARTS.map(|part| Event::Acts { part, overrides: Vec::new() }));
    let origin = |user| Origin { member: one(), user };
    let left = Duration::from_secs(899);
    let given = Spoken { id: 7, saying: Saying::Discard(one()), origin: origin(Some(0)), left };
    all.push(Event::Acts { part: Part::JoinWithoutData, overrides: vec![given] });
    all.extend([
        Event::WouldAct { part },
        Event::Failed { part, why: why(), again: Some(8) },
        Event::CalledOff { part },
        Event::InService,
        Event::OutOfService,
        Event::Ended { why: why() },
        Event::NotRecorded { why: why() },
        Event::Heard { from: one() },
        Event::ComponentDoubtful,
        Event::NoWitness,
        Event::Diverged,
        Event::ForkLearned { at: position(12), from: vec![host(1)] },
        Event::MayBeRenamed { member: host(1), others: vec![host(4)] },
        Event::KeyForgotten { host: host(4) },
        Event::OverridesDropped { from: one() },
        Event::ViewFileStale,
        Event::NotSynced { why: why() },
        Event::ReformFailed,
        Event::TooLarge,
    ]);
    all.extend(sayings().into_iter().zip([Some(0), None, Some(1000)].into_iter().cycle()).flat_map(
        |(saying, user)| {
            let origin = origin(user);
            [
                Event::Said { saying: saying.clone(), origin: origin.clone() },
                Event::Needed { saying: saying.clone(), origin: origin.clone() },
                Event::Served { saying, origin },
            ]
        },
    ));
    let [current, next] = [7, 8].map(|byte| Key::new([byte; 32]).id());
    all.extend([None, Some(next)].map(|next| Event::KeysRead { keys: KeyIds { current, next } }));
    all.push(Event::KeyAccepted { next });
    let [key, before] = [7, 8].map(|byte| SigningKey::new([byte; 32]).public().fingerprint());
    all.push(Event::SigningKeyRead { key });
    all.extend([None, Some(before)].map(|before| Event::Pinned { member: host(1), key, before }));
    let errors = [
        MessageError::TooLong,
        MessageError::NotAMessage,
        MessageError::Forged,
        MessageError::Misdirected,
        MessageError::Unreadable,
        MessageError::NotSigned { from: host(1) },
    ];
    all.extend(errors.map(|error| Event::Dropped { error, count: 4 }));
    all
}
