//! What a person can do where an election waits or refuses: how to bring what is missing, or which word to give and what it
//! costs. Commands never name all members as ones to be emptied: somebody would run them all.

use super::action::{Action, Awaited, Defect, Need, Problem, Risk, Untrusted};
use super::by_hand::{self, DATA_ASIDE, STOP};
use super::elect::Election;
use super::facts::Facts;
use super::{CarriedOutBy, SPLIT_CONFIRMED_AFTER};
use crate::cluster::Hostname;
use crate::conflict::SYNC;
use crate::decision::{Step, and};
use crate::galera::Silence;

/// The steps for a decision.
pub(super) fn of(action: &Action, election: &Election<'_>) -> Vec<Step> {
    match action {
        Action::Wait { awaited } => waiting(awaited, election),
        Action::Refuse { problem } => refusing(problem, election),
        // It does the rest itself.
        _ if is_supervised(election) => let_go(action, election),
        _ => by_hand::steps(action, election.facts),
    }
}

fn is_supervised(election: &Election<'_>) -> bool {
    election.policy.carried_out_by == CarriedOutBy::Supervisors
}

/// What a supervisor must not do without a word: let a member join without its data.
fn let_go(action: &Action, election: &Election<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    for host in action.discard().iter().filter(|host| !election.policy.discard.contains(*host)) {
        let what = format!("only if the data of {host} may go (they are kept aside), let it join without them:");
        steps.push(Step::advice(what));
        steps.push(ask_on(election, "discard", host));
    }
    steps
}

fn waiting(awaited: &[Awaited], election: &Election<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    if awaited.iter().any(|one| one.need == Need::SecondLook) && !is_supervised(election) {
        steps.push(Step::advice(format!(
            "keep these files of evidence, collect it again after {} s, and decide with the files of both times:",
            SPLIT_CONFIRMED_AFTER.as_secs()
        )));
    }
    steps.extend(awaited.iter().flat_map(|one| bring(&one.member, &one.need, election)));
    let named = |is: fn(&Need) -> bool| -> Vec<Hostname> {
        awaited.iter().filter(|one| is(&one.need)).map(|one| one.member.clone()).collect()
    };
    let apart = named(|need| matches!(need, Need::Network));
    if !apart.is_empty() {
        let what = format!("mend the network to {} (TCP 4567): Galera merges by itself", and(&apart));
        steps.push(Step::advice(what));
    }
    // What can be brought is not to be given up; and somebody must be left.
    let is_lost = |need: &Need| match need {
        Need::Evidence { silence } => !matches!(silence, Silence::NotCounted(_)),
        need => matches!(need, Need::RecoveryThatWorks { .. }),
    };
    let unknown = named(is_lost);
    if unknown.len() == awaited.len() && election.enabled().any(Facts::is_known) {
        let loses = match election.risk() {
            Risk::None => "nothing is lost with them, unless a new cluster was forced there",
            Risk::Bounded => "transactions that were under way in the outage may be lost",
            Risk::Unbounded => "everything is lost that they committed after the others went down",
        };
        let hosts: Vec<&str> = unknown.iter().map(Hostname::as_str).collect();
        steps.push(Step::advice(format!("only if {} will never come back ({loses}):", and(&unknown))));
        steps.push(ask(election, "assume-lost", &hosts));
    }
    steps
}

/// How to bring what is missing of a member.
fn bring(host: &Hostname, need: &Need, election: &Election<'_>) -> Vec<Step> {
    match need {
        Need::Evidence { silence: Silence::NotCounted(_) } => {
            vec![Step::advice(format!("remove the files of evidence of {host}, and collect it again:")), recover(host)]
        }
        Need::Evidence { .. } | Need::Files | Need::Recovery => vec![recover(host)],
        Need::RecoveryThatWorks { .. } => vec![
            Step::advice(format!("see in the error log of MariaDB on {host} why the recovery fails, and mend it:")),
            recover(host),
        ],
        Need::Answer => vec![
            Step::advice(format!(
                "let the database on {host} come up; if it never does, and receives no state, stop it:"
            )),
            Step::run(host, STOP),
            recover(host),
        ],
        Need::Response => vec![
            Step::advice(format!(
                "check what holds the database on {host} up: its error log, its disk, its connections (a full thread pool); it \
                 may be serving clients"
            )),
            Step::run(host, "mariadb-admin ping"),
            Step::advice(format!(
                "only if it serves nobody: end it, or power {host} off if it does not end, then ask again:"
            )),
            if is_supervised(election) {
                Step::run(host, format!("pfcluster mariadb allow end {host}"))
            } else {
                Step::run(host, STOP)
            },
            recover(host),
        ],
        Need::NewComponent => vec![
            Step::advice(format!("let the database on {host} come up; it starts a new primary component")),
            recover(host),
        ],
        Need::TransferEnd => vec![Step::advice(format!("let the state transfer on {host} end; don't stop it"))],
        Need::Service => vec![Step::advice(format!("let {host} come into service; don't stop it"))],
        // One step for all of them.
        Need::Network => Vec::new(),
        Need::SecondLook => vec![Step::run(host, "pfcluster evidence")],
        Need::MaintenanceEnd => vec![Step::run(host, "/usr/local/pf/bin/cluster/maintenance --deactivate")],
    }
}

fn recover(host: &Hostname) -> Step {
    Step::run(host, "pfcluster evidence --recover")
}

/// The same question with a word of the operator. A supervisor that gets it shows what comes of it before it acts.
fn ask(election: &Election<'_>, word: &str, about: &[&str]) -> Step {
    let words = |hosts: String| if hosts.is_empty() { word.to_owned() } else { format!("{word} {hosts}") };
    if is_supervised(election) {
        return Step::run_anywhere(format!("pfcluster mariadb allow {}", words(about.join(" "))));
    }
    // Supervisors remember what they were told. The command does not: all that was said is said again.
    let policy = election.policy;
    let sets = [("assume-lost", &policy.assume_lost), ("discard", &policy.discard), ("trust", &policy.trust)];
    let mut asked = String::new();
    for (said, hosts) in sets {
        let mut hosts: Vec<&str> = hosts.iter().map(Hostname::as_str).collect();
        if said == word {
            let new: Vec<&str> = about.iter().filter(|host| !hosts.contains(host)).copied().collect();
            hosts.extend(new);
        }
        if !hosts.is_empty() {
            asked += &format!(" --{said} {}", hosts.join(","));
        }
    }
    if sets.iter().all(|(said, _)| *said != word) {
        asked += &format!(" --{}", words(about.join(",")));
    }
    Step::run_anywhere(format!("pfcluster bootstrap{asked} --evidence *.json"))
}

/// A supervisor does this to its own data only, and only if it is given to it.
fn ask_on(election: &Election<'_>, word: &str, host: &Hostname) -> Step {
    if is_supervised(election) {
        return Step::run(host, format!("pfcluster mariadb allow {word} {host}"));
    }
    ask(election, word, &[host.as_str()])
}

/// Data that are not to be kept are still kept aside.
fn aside_on_each(steps: &mut Vec<Step>, whose: &str) {
    steps.push(Step::advice(format!("on each of {whose}, so that its data are kept aside, and then ask again:")));
    steps.push(Step::run_anywhere(format!("{STOP} && {DATA_ASIDE}")));
}

fn give_up(steps: &mut Vec<Step>, election: &Election<'_>, host: &Hostname) {
    steps.push(Step::advice(format!("to see what comes of going on without the data of {host}:")));
    steps.push(ask(election, "discard", &[host.as_str()]));
}

fn refusing(problem: &Problem, election: &Election<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    match problem {
        Problem::NoMembers => steps.push(Step::run_anywhere("/usr/local/pf/bin/cluster/node")),
        Problem::MembersDiffer { one, other } => {
            steps.push(Step::advice(format!(
                "compare conf/cluster.conf of {one} and {other}; on the one whose file is right:"
            )));
            steps.push(Step::run_anywhere(SYNC));
        }
        Problem::OneSidedDisable { by, out, against } => one_sided(&mut steps, by, out, against),
        Problem::SplitBrain { one, other } => {
            steps.push(Step::advice(format!("choose whose data to keep: those of {one} or of {other} (guide 5.3)")));
            aside_on_each(&mut steps, "the other side's members");
        }
        Problem::ZeroUuid { member } => {
            steps.push(Step::advice("its rows and those of the others part from now on; stop it:"));
            steps.push(Step::run(member, STOP));
            steps.push(recover(member));
        }
        Problem::StandaloneHistory { members } => {
            steps.push(Step::advice(format!(
                "{} may hold changes that nobody else has; decide whose data to keep",
                and(members)
            )));
            if let [one] = &members[..] {
                steps.push(Step::advice(format!("to see what comes of keeping those of {one}:")));
                steps.push(match ask(election, "standalone", &[]) {
                    Step::Run { command, .. } if is_supervised(election) => Step::run(one, command),
                    step => step,
                });
            }
            members.iter().for_each(|host| give_up(&mut steps, election, host));
        }
        Problem::DivergentHistories { .. } => {
            steps.push(Step::advice("decide which history to keep"));
            aside_on_each(&mut steps, "the other histories' members");
        }
        Problem::TwoLastViews { .. } | Problem::SeveralSafeToBootstrap { .. } => {
            steps.push(Step::advice("each was in service apart from the others; decide whose data to keep"));
            aside_on_each(&mut steps, "the others");
        }
        Problem::Regression { member, .. } => {
            steps.push(Step::advice(format!("see whether the disk of {member} is mounted at its data directory:")));
            steps.push(Step::run(member, "findmnt --target /var/lib/mysql"));
            give_up(&mut steps, election, member);
        }
        Problem::NoCandidate { members } => no_candidate(&mut steps, election, members),
        Problem::NobodyLeft { members } => {
            steps.push(Step::advice(format!(
                "take back the word about {}; who is disabled is counted in with:",
                and(members)
            )));
            let enable = members.iter().map(|host| format!("/usr/local/pf/bin/cluster/node {host} enable"));
            steps.extend(enable.map(Step::run_anywhere));
        }
        Problem::UnsafeHoldsMore { member, .. } => {
            steps.push(Step::advice(format!(
                "look at the data of {member}: they may hold committed transactions that nobody else has"
            )));
            give_up(&mut steps, election, member);
        }
        Problem::Diverged { members, .. } => {
            steps.push(Step::advice("bring back a member that went on from there, or decide whose data to keep"));
            let force = |host| Step::run_anywhere(format!("pfcluster bootstrap --force {host} --evidence *.json"));
            steps.extend(members.iter().map(force));
        }
        Problem::DisabledHoldsMore { member, .. } => {
            steps.push(Step::advice(format!("count {member} in again, on every member:")));
            steps.push(Step::run_anywhere(format!("/usr/local/pf/bin/cluster/node {member} enable")));
            give_up(&mut steps, election, member);
        }
        Problem::Unfit { member, .. } => {
            steps.push(Step::advice(format!("name another member than {member}; what each holds:")));
            steps.push(Step::run_anywhere("pfcluster bootstrap --evidence *.json"));
        }
    }
    steps
}

fn one_sided(steps: &mut Vec<Step>, by: &Hostname, out: &Hostname, against: &Hostname) {
    steps.push(Step::advice(format!("either count {out} in again:")));
    steps.push(Step::run(by, format!("/usr/local/pf/bin/cluster/node {out} enable")));
    if against == out {
        steps.push(Step::advice(format!("or let {out} count {by} out as well:")));
        steps.push(Step::run(out, format!("/usr/local/pf/bin/cluster/node {by} disable")));
    } else if by != out {
        steps.push(Step::advice(format!("or count {out} out on {against} as well:")));
        steps.push(Step::run(against, format!("/usr/local/pf/bin/cluster/node {out} disable")));
    }
}

fn no_candidate(steps: &mut Vec<Step>, election: &Election<'_>, members: &[Untrusted]) {
    steps.push(Step::advice(
        "a crash during a DDL statement, or state transfers that failed, leave zero UUIDs, even everywhere: look at the data \
         before you trust any",
    ));
    let positions = members.iter().filter(|one| one.defect == Some(Defect::ZeroUuid)).filter_map(|one| one.position);
    let mut best = positions.max_by_key(|position| position.seqno());
    for one in members {
        match (one.defect, one.position) {
            (None, _) => {
                steps.push(Step::advice(format!(
                    "to see what comes of beginning a new history with the data of {}:",
                    one.member
                )));
                steps.push(ask_on(election, "seed", &one.member));
            }
            (Some(Defect::ZeroUuid), Some(position)) if Some(position) == best => {
                steps.push(Step::advice(format!(
                    "{} is the most advanced of them, at {position}; to see what comes of trusting it, the others joining \
                     without their data:",
                    one.member
                )));
                steps.push(ask_on(election, "trust", &one.member));
                best = None;
            }
            (Some(_), _) => {}
        }
    }
}
