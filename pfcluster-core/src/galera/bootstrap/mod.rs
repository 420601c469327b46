//! Bootstrap selection: after an outage, which member may bring the database back, and how (guide 4.2, 4.3, 5).
//!
//! These are the rules of record. Nobody acts on a timer or on silence: a start follows from proof that it loses nothing, or
//! from an operator's word, and every answer says why.
//!
//! # What is looked at
//!
//! Of each member: what its database process does (stopped, starting, bootstrapping, not responding, running), what its files say,
//! what its supervisor wrote down, whether it is in maintenance, whom it counts out ([`crate::galera::Evidence`]). **Unknown is not
//! absent**: a member that did not answer may be alive, and may hold more than everybody else.
//!
//! From that follows what a member *holds*:
//!
//! - a **position**, `uuid:seqno`, that can be trusted. Of a running server `wsrep_last_committed`; of a stopped one what
//!   `mariadbd --wsrep-recover` finds in `InnoDB`, and nothing else. The number in grastate.dat is no position: Galera writes it
//!   while the provider is paused (a backup, a donor), when a state request fails, and at a clean stop before the log of `InnoDB` is
//!   on disk;
//! - nothing, because the data directory is *empty*, or because it is an *arbitrator*;
//! - data of *no history*, which never were in a cluster;
//! - **unsafe** data, which are never started from: grastate.dat has the zero UUID (a crash in a DDL statement, or an
//!   inconsistency), is torn or missing beside data, or has another UUID than `InnoDB`; the server says Inconsistent; a state
//!   transfer to it broke off, or was not on disk yet when the power went. Unsafe data *may hold* their recovered position, or what
//!   was recorded, and nobody is chosen below it without a word;
//! - *unknown*: no answer, no files (a member without service that answers without them has answered only half: its position
//!   counts, but it is still waited for), a process that does not respond or begins a component, or a position that nobody has
//!   recovered yet. A recovery that failed is an error, not "no position".
//!
//! Three of these doubts end without a word. Beside the zero UUID the recovered position counts if the member was Synced in the view
//! that its gvwstate.dat names, as its supervisor wrote down, and it reaches that view's floor: it has all that it had there; unless
//! another member was in a later view, or in one of which nothing is recorded: then it may have been inconsistent. Beside another UUID in grastate.dat it counts if a fork of this member is recorded at just that position: a start with a new UUID was
//! interrupted before anything was committed. And a transfer that was not on disk is passed over if another member of the same last
//! view is safe and no less advanced: all that the view confirmed to clients is there.
//!
//! What was seen in service ([`crate::galera::Records::last_recorded`]) is no position: a power cut may have taken it
//! (`innodb_flush_log_at_trx_commit`). It is a warning, and in places a reason to wait.
//!
//! **Forks.** A start on a word, and one that a person makes by hand, is written down as a *fork*: its id, and the position where
//! history went on. Who goes along remembers it. A member whose data are of that UUID and that does not remember it *missed* it: it
//! is never chosen. (So did one that remembers it and is not above it, while others that remember it have another UUID: it meant to
//! join them.) If it holds more than the fork it has *diverged*: numbers no longer tell, and it joins only without its own data.
//! A fork of which all members are known and nothing is left counts no more. A full state transfer replaces what was written down of
//! the data before it, forks among it.
//!
//! **A new cluster UUID.** Galera lets a member of the same UUID in by its number alone. So a component that is started while
//! somebody may hold more, or has diverged, takes a new UUID: Galera itself then refuses an incremental transfer to whoever comes
//! back, also where no supervisor runs. grastate.dat is moved aside for that, and the server makes the UUID (seen of the real server
//! after every kind of stop). A UUID that ended so has a *successor*, and is no second history.
//!
//! **Last views.** gvwstate.dat names the last primary view that a member was in. A view is *complete* if each node of it is a
//! member that is stopped or without service and holds exactly that view: the whole name and the whole list, never the number
//! alone, which starts again with each bootstrap. An arbitrator keeps no file; one that runs stands for a missing node if the files
//! and records of everybody else show that their last view was another one, and none of their nodes is the missing one. A view of
//! one counts only beside the flag that Galera writes with it: else the file is a leftover. A complete view is *proven* if its best
//! position reaches a floor that was written down for it (whoever left before holds no more than that), or if everybody has answered. A floor does not count if one of its members wrote
//! down a higher one for another view: that came later, and the power went before its file was on disk.
//!
//! **Flags.** `safe_to_bootstrap: 1` says that a member was alone in its last primary view. It is *trusted* only if the stop was
//! clean as proved: the supervisor has persisted it with the recovered position; or, where none did, grastate.dat has
//! the position that `InnoDB` has. It is not trusted beside a gvwstate.dat, nor if the member missed a fork. Any other flag is
//! ignored, and said to be.
//!
//! # The rules
//!
//! The first that applies decides. Each is a function of the name that stands before it; `rules.rs` has their order, and says in
//! which file each is. Disabled members are never started, but what is known of them counts in rules 1, 6 and
//! wherever somebody may hold more; rule 4 waits for a transfer to or from them, too.
//!
//! 1. `members_differ`: Members read different members from cluster.conf, or one counts another out and not all sides agree: **refuse**. They
//!    would count two majorities. Disabled on both sides is the operator's agreed detachment (guide 8.4); a disabled member
//!    that does not answer is what disabling is for.
//! 2. `in_service`: An enabled member is in service (primary; Synced, Donor or Joined): the others **join** it. Named, and joined only on
//!    the operator's word and without their own data, are those of another history, above the primary, diverged, run without
//!    Galera, unsafe, or of no history. (Where grastate.dat is only torn or missing and the recovered position is not above,
//!    nothing can be lost: such a member joins and receives everything.) A primary with the zero UUID: **refuse**. Two in
//!    different histories, or neither listing the other: **wait**, and if it is still so [`SPLIT_CONFIRMED_AFTER`] later,
//!    **refuse**: it is a split brain. If only one lists the other, look again; if that stays so, it is one component behind an
//!    address that is not mapped. Primary but still receiving state: **wait**, for somebody has it.
//! 3. `only_member`: One enabled member: **standalone**. If there are others, their data and its own part here, and the answer says so.
//! 4. `transfer_runs`, `may_be_serving`: A state transfer runs, or a process may be serving and does not say so (it does not respond, or begins a component):
//!    **wait**. Acting during a transfer has killed real clusters, and a mute server is not a dead one. (The mark of a transfer on
//!    a stopped member only makes its copy unsafe; so does one on a waiting server if all members are known and none can give.)
//! 5. `ran_without_galera`: An enabled member ran without Galera: **refuse**. Its position stood still while its data went on.
//! 6. `different_cluster_uuids`: Positions of two histories, neither of which has the other as its successor: **refuse**.
//! 7. `network_cut`: All enabled members run without service, and do not all see each other: **wait** for the network; Galera merges by
//!    itself.
//! 8. `last_view`: One view is complete and proven: with a majority of the enabled members answering, none in it in maintenance or
//!    disabled, none known to hold more, and none silent whose supervisor was never heard where others were (what starts a
//!    database there may have begun alone), its members **re-form** it: they start at once, and Galera does the rest. If some of
//!    them run or are unsafe or fail to start, somebody else may hold more, an arbitrator stands for one, the view has one member
//!    only, or has not formed again when it was to ([`Policy::reform_failed`]), the highest is **promoted** (if it runs) or
//!    **bootstrapped**. Whoever else is there without service stops first: any extra process keeps a view from forming.
//! 9. `left_last`: One flag is trusted: with a majority answering, its member not in maintenance, none running, none known to hold
//!    more, and none having seen more: it is **bootstrapped**, even if a minority is unknown: it left last.
//!
//!    Two proofs of having left last (two views, two flags, or a view and a flag outside it) contradict each other: somebody was
//!    forced once. **Refuse**, whoever else answers; the same position does not prove the same data.
//! 10. `most_advanced`: All have answered: the highest position is **bootstrapped**, or **promoted** if it runs. Of equals one that is not
//!     in maintenance, then one whose starts do not fail, then one that runs, then the first of cluster.conf. Strictly the highest
//!     in maintenance: **wait**. Before that it is looked whether something would be left behind; then **refuse**: unsafe data or
//!     a disabled member may hold more; a member is empty and remembers more, or this and to have gone on alone (is its disk
//!     mounted?); members have diverged, and nobody who went along is chosen. All empty and nobody remembering anything: a
//!     **fresh** database on the first. Nobody to start from: **refuse**.
//! 11. `missing_members`: Else **wait** for those that are unknown, first for those of a view that others hold as their last: the last to run must
//!     be able to talk to each other (guide 4.3).
//! 12. `plan.rs`: After any start, a member that is above it, diverged, of another history, or unsafe joins only on an override and
//!     without its own data. And before it, each member that could bring a component back without the one that is started (a view
//!     that is or may become complete, a trusted flag) moves that proof away: two components must not come from what is known.
//!
//! Rules 8 and 9 assume that nobody was forced by hand on the members that are unknown; the answer says so. Rule 8 also assumes that a
//! view's file, or its record, was on the disk of one of its members when the power went.
//!
//! # The operator's word
//!
//! Rules 1 to 4 stand whatever is said, no unsafe member is ever started, and none in maintenance.
//!
//! - *Assume lost*: counts if it names everybody who is missing; rule 10 decides without them, and the answer says what may be
//!   lost: nothing (somebody can prove to have left last), what was under way (the others crashed out of one view that they
//!   were half of, so that the rest had no quorum), or anything. A member that has given evidence is not lost.
//! - *Discard*: what these members hold counts no more. Who gives no evidence may be in service all the same, and is waited for
//!   until it is assumed lost, too.
//! - *Standalone*: the one that ran alone has the data to keep. A new history begins, so that nobody of the old one can slip
//!   in by an incremental transfer.
//! - *Seed*: data of no history begin one. Everybody else must be empty, lost or given up.
//! - *Trust*: the recovered position of these members counts, although their grastate.dat has the zero UUID, is torn or missing.
//! - *End*: no rule looks at it. The supervisor ends that member's process, although it may be serving; then there is evidence.
//! - *Force* (`--force-new-cluster`): this member, whatever rules 5 to 11 say. Data of no history begin one; an empty member
//!   is taken only if all are known to be empty.
//!
//! # What holds
//!
//! - Never two starts, also not from two partial views of one truth; none while an enabled member is primary; none across two
//!   histories; none from a position that is zero or unknown, but for a fresh database; no unsafe, disabled or arbitrating member
//!   started, and none in maintenance.
//! - Without a word, no transaction that a client was told to be committed, and that is on any member's disk, is passed over in
//!   silence: not with all evidence, and not with any part of it.
//! - The same evidence gives the same answer, whoever asks.
//! - Waiting and refusing name the member, the reason, and what to do. When all members answer, with one history, none strictly
//!   highest in maintenance, no unsafe, empty or disabled one that had more than all others, none that diverged or ran alone, no
//!   process that is mute or transfers state, no cut between those that run, and no two proofs of having left last, there is no
//!   waiting and no refusing.
//!
//! A decision is made from a moment's evidence. Whoever carries it out makes sure that its own evidence is still the same, field
//! by field, looks once more for a primary component, has one decision under way at most, and writes down its fork together with
//! every fork that the evidence showed.
//!
//! # Stories
//!
//! Each of these broke a wording of the rules, and is a case in tests/testdata/bootstrap: a member with more than the crash has
//! left of the last view; a flag that a power cut made a lie; a number in grastate.dat that a backup wrote; a view with a higher
//! number from last year; a crash in a DDL statement on the member that holds most; a server that is mute and serves; a transfer that
//! was not on disk; a member back from before a force, with a higher number than those who went on; two members forced apart at one
//! place, and a third one with less than both; a flag and a view that both prove to be last.

mod action;
mod by_hand;
mod facts;
mod last_to_leave;
mod loss;
mod most_advanced;
mod overrides;
mod plan;
mod reason;
mod remedy;
mod rules;
mod text;
mod why;

use std::collections::BTreeSet;
use std::time::Duration;

pub use action::{Action, Assumption, Awaited, Defect, History, Need, Problem, Proof, Risk, Unfit, Untrusted};
pub use by_hand::{DATA_ASIDE, NO_SERVER, NOT_LAST, START, STATE_ASIDE, STOP, STOP_WAITING, VIEW_ASIDE};
pub use loss::{Loss, Lost, losses};
pub use reason::{FlagIgnored, Hindrance, NotChosen, Reason, SplitSign, TieBreak, Word};

use crate::cluster::Hostname;
use crate::decision::Decision;
use crate::galera::{Observation, Position};

/// How long two members must have been primary without listing each other before that is a split brain: Galera's
/// `evs.inactive_timeout` and a second.
pub const SPLIT_CONFIRMED_AFTER: Duration = Duration::from_secs(16);

/// A member of the cluster, and what is known of its database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its host name.
    pub host: Hostname,
    /// True if the one who asks counts it in (`bin/cluster/node`).
    pub enabled: bool,
    /// What is known.
    pub observation: Observation,
}

/// What the operator has said, and what was seen before. By default nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// These members are lost: do without what they hold. Counts only if it names everybody who is missing.
    pub assume_lost: BTreeSet<Hostname>,
    /// The data of these members are given up.
    pub discard: BTreeSet<Hostname>,
    /// The recovered position of these members counts, although grastate.dat has the zero UUID, is torn or missing.
    pub trust: BTreeSet<Hostname>,
    /// The database process of these members is to be ended, although it may be serving clients. No rule looks at it: who
    /// carries decisions out does.
    pub end: BTreeSet<Hostname>,
    /// The data of this member, which belong to no history, begin a new one (guide 3.4).
    pub seed: Option<Hostname>,
    /// The member that ran without Galera has the data to keep.
    pub standalone: bool,
    /// `--force-new-cluster` on this member (guide 3.4, 5.2).
    pub force: Option<Hostname>,
    /// The last view was to form again and did not, for so long that it never will: its highest is started instead.
    pub reform_failed: bool,
    /// Two primary components were seen in evidence that was taken [`SPLIT_CONFIRMED_AFTER`] before this one, too.
    pub split_confirmed: bool,
    /// What a person can be told to do depends on this, and nothing else.
    pub carried_out_by: CarriedOutBy,
}

/// Who carries a decision out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CarriedOutBy {
    /// A person, command by command.
    #[default]
    Person,
    /// Supervisors: a person can give them an override (`pfcluster mariadb allow`).
    Supervisors,
}

/// The position that a member holds and that can be trusted, if there is one.
pub(crate) fn safe_position(seen: &Seen) -> Option<Position> {
    facts::Facts::of(0, seen, &Policy::default()).safe()
}

/// Decides which member may bring the database back, and how.
///
/// `seen` has every member of the database once, in the order of cluster.conf: the first is the management member. The
/// same evidence gives the same answer, whoever asks.
pub fn select_bootstrap(seen: &[Seen], policy: &Policy) -> Decision<Action, Reason> {
    let mut facts: Vec<facts::Facts<'_>> =
        (0..).zip(seen).map(|(place, seen)| facts::Facts::of(place, seen, policy)).collect();
    facts::find_old_marks(&mut facts);
    facts::doubt_outlived(&mut facts, &policy.trust);
    facts::mark_missed_forks(&mut facts, &policy.assume_lost);
    facts::pass_over_unsynced(&mut facts);
    let election = rules::Election::new(&facts, policy);
    let answer = election.decide();
    let mut reasons = answer.reasons;
    let trusted: Vec<Hostname> = facts.iter().filter(|one| one.by_trust).map(|one| one.host.clone()).collect();
    if answer.source.is_some() && !trusted.is_empty() {
        reasons.push(Reason::OperatorsWord { word: reason::Word::Trust, members: trusted });
    }
    if let Some(source) = &answer.source {
        reasons.extend(source.losers(&facts, &answer.action));
        reasons.extend(election.warnings(source));
    }
    if !answer.unproved.is_empty() {
        reasons.push(Reason::NewUuid { members: answer.unproved });
    }
    let remedy = remedy::of(&answer.action, &election);
    Decision { action: answer.action, reasons, remedy }
}
