//! Who wins, who pushes, what is overwritten.

use super::{Action, ConfigVersion, Policy, Reason, Reply, SYNC, VERSION_FILE, VERSION_FILE_BEFORE_12};
use crate::cluster::Hostname;
use crate::decision::{Decision, Step, and};

/// What the caller of [`resolve`] got wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The member that decides has no reply among the others.
    #[error("{0} is not among the members")]
    NotAMember(Hostname),
    /// A member has two replies.
    #[error("{0} is there twice")]
    Duplicate(Hostname),
}

/// Compares the versions of all enabled members (guide 7.5) by the rules that stand at the head of [the
/// module](super).
///
/// `replies`: one for each enabled member, in the order of cluster.conf. `me` decides and is one of them; its version
/// comes from its own disk, not from its web services: pass [`Reply::Version`] or [`Reply::Unreadable`] for it. `now` is the
/// time of day by this member's clock, in the form of a version; without it nothing is said about clocks.
///
/// # Errors
/// [`ResolveError`] if `me` has no reply or a member has two.
pub fn resolve(
    replies: &[(Hostname, Reply)],
    me: &Hostname,
    now: Option<&ConfigVersion>,
    policy: Policy,
) -> Result<Decision<Action, Reason>, ResolveError> {
    check_hosts(replies, me)?;
    let groups = groups(replies);
    let answering: usize = groups.iter().map(|group| group.members.len()).sum();
    let mut decision = match &groups[..] {
        [one] if answering > 1 => {
            let (version, enabled) = (one.version.clone(), replies.len());
            let same = Reason::SameVersion { version, holders: answering, enabled };
            Decision { action: Action::InSync, reasons: vec![same], remedy: Vec::new() }
        }
        [] | [_] => {
            let answering = groups.first().and_then(|group| group.members.first()).map(|&host| host.clone());
            let too_few = Reason::TooFewVersions { answering, enabled: replies.len() };
            Decision { action: Action::NothingToCompare, reasons: vec![too_few], remedy: Vec::new() }
        }
        _ => conflict(replies, &groups, answering, me, policy),
    };
    let future = now.map(|now| in_the_future(&groups, now)).unwrap_or_default();
    if !future.is_empty() {
        // Before anything is pushed.
        decision
            .remedy
            .insert(0, Step::advice("set the clocks of all members right (NTP) before a version is trusted"));
    }
    decision.reasons.extend(future);
    decision.reasons.extend(unverified(replies));
    decision.remedy.extend(steps_for_the_silent(replies, me));
    Ok(decision)
}

fn check_hosts(replies: &[(Hostname, Reply)], me: &Hostname) -> Result<(), ResolveError> {
    let mut hosts: Vec<&Hostname> = replies.iter().map(|(host, _)| host).collect();
    hosts.sort_unstable();
    if let Some(pair) = hosts.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(ResolveError::Duplicate(pair[0].clone()));
    }
    hosts.binary_search(&me).map(|_| ()).map_err(|_| ResolveError::NotAMember(me.clone()))
}

/// A version, and in order the members that have it.
struct Group<'r> {
    version: &'r ConfigVersion,
    members: Vec<&'r Hostname>,
}

impl Group<'_> {
    fn hosts(&self) -> Vec<Hostname> {
        self.members.iter().map(|&host| host.clone()).collect()
    }
}

/// By version, the most recent last.
fn groups(replies: &[(Hostname, Reply)]) -> Vec<Group<'_>> {
    let mut known: Vec<(&ConfigVersion, &Hostname)> =
        replies.iter().filter_map(|(host, reply)| Some((reply.version()?, host))).collect();
    // Stable: the members of a version stay in order.
    known.sort_by_key(|(version, _)| *version);
    let same = known.chunk_by(|(one, _), (other, _)| one == other);
    same.map(|same| Group { version: same[0].0, members: same.iter().map(|(_, host)| *host).collect() }).collect()
}

/// At least two versions are known.
fn conflict(
    replies: &[(Hostname, Reply)],
    groups: &[Group<'_>],
    answering: usize,
    me: &Hostname,
    policy: Policy,
) -> Decision<Action, Reason> {
    let (winner, why) = winner(groups, answering, replies.len(), policy);
    let member = winner.members.iter().copied().find(|&host| host == me).unwrap_or(winner.members[0]);
    // The text as the one who pushes has it.
    let own_text = replies.iter().find(|(host, _)| host == member).and_then(|(_, reply)| reply.version());
    let overwrites = replies.iter().filter_map(|(host, reply)| {
        let version = reply.version().filter(|version| *version != winner.version)?;
        Some((host.clone(), version.clone()))
    });
    let action = Action::Push {
        member: member.clone(),
        version: own_text.unwrap_or(winner.version).clone(),
        overwrites: overwrites.collect(),
    };
    let pusher = if member == me {
        Reason::Pushes { member: me.clone() }
    } else {
        Reason::IsAsked { member: member.clone(), by: me.clone() }
    };
    let losers = groups.iter().rev().filter(|group| group.version != winner.version);
    let overwritten = losers.map(|group| Reason::Overwritten {
        version: group.version.clone(),
        members: group.hosts(),
        newer: group.version > winner.version,
    });
    let mut remedy = Vec::new();
    if let Some(newest) = groups.last().filter(|group| group.version != winner.version) {
        let holder = newest.members[0];
        let version = newest.version;
        remedy.push(Step::advice(format!(
            "either keep the newer configuration {version}: run `{SYNC}` on {holder}, and nothing else of this list; or overwrite \
             it:"
        )));
    }
    remedy.push(Step::run(member, SYNC));
    Decision { action, reasons: [why, pusher].into_iter().chain(overwritten).collect(), remedy }
}

/// The version that wins, and why.
fn winner<'g, 'r>(
    groups: &'g [Group<'r>],
    answering: usize,
    enabled: usize,
    policy: Policy,
) -> (&'g Group<'r>, Reason) {
    let most_recent = &groups[groups.len() - 1];
    let version = |group: &Group<'_>| group.version.clone();
    if enabled <= 2 {
        return (most_recent, Reason::TwoMembers { version: version(most_recent) });
    }
    let silent = enabled - answering;
    if silent > answering {
        return (most_recent, Reason::SilentOutnumber { version: version(most_recent), silent, answering });
    }
    let holders = groups.iter().map(|group| group.members.len()).max().unwrap_or_default();
    let largest = |group: &&Group<'_>| group.members.len() == holders;
    let largest_recent = groups.iter().rfind(largest).unwrap_or(most_recent);
    match policy {
        Policy::Guide => {
            let tied = groups.iter().filter(largest).count();
            let version = version(largest_recent);
            let why = match tied {
                1 => Reason::MostMembers { version, holders, enabled },
                _ => Reason::Tie { version, tied, holders },
            };
            (largest_recent, why)
        }
        Policy::Majority if holders * 2 > enabled => {
            (largest_recent, Reason::Majority { version: version(largest_recent), holders, enabled })
        }
        Policy::Majority => {
            (most_recent, Reason::NoMajority { version: version(most_recent), largest: holders, enabled })
        }
    }
}

/// Versions that are further ahead of `now` than clocks that are kept right can be.
fn in_the_future(groups: &[Group<'_>], now: &ConfigVersion) -> Vec<Reason> {
    let ahead = groups.iter().rev().filter_map(|group| {
        let seconds = group.version.seconds_since(now).filter(|seconds| *seconds >= super::CLOCK_TOLERANCE)?;
        Some(Reason::InTheFuture { version: group.version.clone(), members: group.hosts(), seconds })
    });
    ahead.collect()
}

fn unverified(replies: &[(Hostname, Reply)]) -> impl Iterator<Item = Reason> + '_ {
    replies.iter().filter_map(|(host, reply)| {
        let error = match reply {
            Reply::Version(_) => return None,
            Reply::Unreadable(error) => Some(*error),
            Reply::Unreachable => None,
        };
        Some(Reason::Unverified { member: host.clone(), error })
    })
}

/// What to look at where there is no version.
fn steps_for_the_silent(replies: &[(Hostname, Reply)], me: &Hostname) -> Vec<Step> {
    let of = |wanted: fn(&Reply) -> bool| {
        replies.iter().filter(move |(_, reply)| wanted(reply)).map(|(host, _)| host.clone())
    };
    let peers: Vec<Hostname> = of(|reply| matches!(reply, Reply::Unreachable)).filter(|host| host != me).collect();
    let mut files: Vec<Hostname> = of(|reply| matches!(reply, Reply::Unreadable(_))).collect();
    if replies.iter().any(|(host, reply)| host == me && matches!(reply, Reply::Unreachable)) {
        // Nobody needs web services for the own file.
        files.insert(0, me.clone());
    }
    let mut steps = Vec::new();
    if !peers.is_empty() {
        let (peers_text, runs) = (and(&peers), if peers.len() == 1 { "runs" } else { "run" });
        steps.push(Step::advice(format!("check that {peers_text} {runs}, and that {me} reaches port 9090 there")));
        let status = "/usr/local/pf/bin/pfcmd service httpd.webservices status";
        steps.extend(peers.iter().map(|host| Step::run(host, status)));
    }
    if !files.is_empty() {
        steps.push(Step::advice(format!(
            "look into {VERSION_FILE} (before PacketFence 12: {VERSION_FILE_BEFORE_12}) on {}: it holds one number such \
             as 1510000000.12345",
            and(&files)
        )));
    }
    steps
}
