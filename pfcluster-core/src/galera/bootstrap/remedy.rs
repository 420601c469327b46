//! What a person can do where an election waits or refuses: how to bring what is missing, or which word to give and what it
//! costs. Commands never name all members as ones to be emptied: somebody would run them all.

use super::action::{Action, Awaited, Defect, Need, Problem, Risk, Untrusted};
use super::by_hand::{self, STOP};
use super::facts::Facts;
use super::rules::Election;
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
        steps.push(Step::advice(by_hand::may_discard(host)));
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
        let to = if apart.len() == 1 { "to" } else { "between" };
        let what = format!("restore the network {to} {} (TCP 4567); Galera then merges automatically", and(&apart));
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
            Risk::None => "no transaction is lost, unless a new cluster was forced there",
            Risk::Bounded => "transactions that were under way in the outage may be lost",
            Risk::Unbounded => "whatever was committed there after the others went down is lost",
        };
        let hosts: Vec<&str> = unknown.iter().map(Hostname::as_str).collect();
        let are = if unknown.len() == 1 { "is" } else { "are" };
        steps.push(Step::advice(format!("only if {} {are} permanently lost ({loses}):", and(&unknown))));
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
            Step::advice(format!(
                "find out in the MariaDB error log on {host} why the recovery fails, fix it, then run:"
            )),
            recover(host),
        ],
        Need::Answer => vec![
            Step::advice(format!(
                "wait until the database on {host} is up; if it does not come up, and receives no state transfer, stop it:"
            )),
            Step::run(host, STOP),
            recover(host),
        ],
        Need::Response => vec![
            Step::advice(format!(
                "check what blocks the database on {host}: its error log, its disk, its connections (a full thread pool); it may \
                 be serving clients"
            )),
            Step::run(host, "mariadb-admin ping"),
            Step::advice(format!(
                "only if it serves no clients: stop it, or power {host} off if it does not stop, then collect its evidence:"
            )),
            if is_supervised(election) {
                Step::run(host, format!("pfcluster mariadb allow end {host}"))
            } else {
                Step::run(host, STOP)
            },
            recover(host),
        ],
        Need::NewComponent => vec![
            Step::advice(format!("wait until the database on {host} is up; it starts a new primary component")),
            recover(host),
        ],
        Need::TransferEnd => {
            vec![Step::advice(format!("wait until the state transfer on {host} ends; do not stop it"))]
        }
        Need::Service => vec![Step::advice(format!("wait until {host} is synced; do not stop it"))],
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

/// The commands that move data follow when it is said whose: without a host they would be run where a terminal is open.
fn discard_others(steps: &mut Vec<Step>, election: &Election<'_>) {
    steps.push(Step::advice(
        "run nothing on the members whose data you keep; to preview the decision without the data of HOST (each member whose data you \
         do NOT keep; they are moved, not deleted):",
    ));
    steps.push(ask(election, "discard", &["HOST"]));
}

fn give_up(steps: &mut Vec<Step>, election: &Election<'_>, host: &Hostname) {
    steps.push(Step::advice(format!("to preview the decision without the data of {host}:")));
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
            steps.push(Step::run_anywhere(format!("{SYNC} --file /usr/local/pf/conf/cluster.conf")));
        }
        Problem::OneSidedDisable { by, out, against } => one_sided(&mut steps, by, out, against),
        Problem::SplitBrain { one, other } => {
            steps.push(Step::advice(format!("choose whose data to keep: those of {one} or of {other} (guide 5.3)")));
            discard_others(&mut steps, election);
        }
        Problem::ZeroUuid { member } => {
            steps.push(Step::advice("its data diverge from those of the others from now on; stop it:"));
            steps.push(Step::run(member, STOP));
            steps.push(recover(member));
        }
        Problem::StandaloneHistory { members } => {
            steps.push(Step::advice(format!(
                "{} may have changes that no other member has; choose whose data to keep",
                and(members)
            )));
            if let [one] = &members[..] {
                steps.push(Step::advice(format!("to preview the decision that keeps the data of {one}:")));
                steps.push(match ask(election, "standalone", &[]) {
                    Step::Run { command, .. } if is_supervised(election) => Step::run(one, command),
                    step => step,
                });
            }
            members.iter().for_each(|host| give_up(&mut steps, election, host));
        }
        Problem::DivergentHistories { .. } => {
            steps.push(Step::advice("choose the cluster (UUID) whose data to keep"));
            discard_others(&mut steps, election);
        }
        Problem::TwoLastViews { .. } | Problem::SeveralSafeToBootstrap { .. } => {
            steps.push(Step::advice("each was primary without the others; choose whose data to keep"));
            discard_others(&mut steps, election);
        }
        Problem::Regression { member, .. } => {
            steps.push(Step::advice(format!(
                "check whether the file system of the data directory is mounted on {member}:"
            )));
            steps.push(Step::run(member, "findmnt --target /var/lib/mysql"));
            give_up(&mut steps, election, member);
        }
        Problem::NoCandidate { members } => no_candidate(&mut steps, election, members),
        Problem::NobodyLeft { members } => {
            steps.push(Step::advice(format!(
                "leave out the override that discards the data of {}, or re-enable a disabled member:",
                and(members)
            )));
            let enable = members.iter().map(|host| format!("/usr/local/pf/bin/cluster/node {host} enable"));
            steps.extend(enable.map(Step::run_anywhere));
        }
        Problem::UnsafeHoldsMore { member, .. } => {
            steps.push(Step::advice(format!(
                "look at the data of {member}: they may have committed transactions that no other member has"
            )));
            give_up(&mut steps, election, member);
        }
        Problem::Diverged { members, .. } => {
            steps.push(Step::advice(
                "repair a member of the new cluster, or choose whose data to keep; to preview a start from these instead:",
            ));
            let force = |host| Step::run_anywhere(format!("pfcluster bootstrap --force {host} --evidence *.json"));
            steps.extend(members.iter().map(force));
        }
        Problem::DisabledHoldsMore { member, .. } => {
            steps.push(Step::advice(format!("re-enable {member}, on every member:")));
            steps.push(Step::run_anywhere(format!("/usr/local/pf/bin/cluster/node {member} enable")));
            give_up(&mut steps, election, member);
        }
        Problem::Unfit { member, .. } => {
            steps.push(Step::advice(format!("name another member than {member}; to see the state of each:")));
            steps.push(Step::run_anywhere("pfcluster bootstrap --evidence *.json"));
        }
    }
    steps
}

fn one_sided(steps: &mut Vec<Step>, by: &Hostname, out: &Hostname, against: &Hostname) {
    steps.push(Step::advice(format!("either re-enable {out}:")));
    steps.push(Step::run(by, format!("/usr/local/pf/bin/cluster/node {out} enable")));
    if against == out {
        steps.push(Step::advice(format!("or disable {by} on {out} as well:")));
        steps.push(Step::run(out, format!("/usr/local/pf/bin/cluster/node {by} disable")));
    } else if by != out {
        steps.push(Step::advice(format!("or disable {out} on {against} as well:")));
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
                steps.push(Step::advice(format!("to preview a new cluster from the data of {}:", one.member)));
                steps.push(ask_on(election, "seed", &one.member));
            }
            (Some(Defect::ZeroUuid), Some(position)) if Some(position) == best => {
                steps.push(Step::advice(format!(
                    "{} is the most advanced of them, at {position}; to preview the decision that trusts it, while the data of \
                     the others are discarded:",
                    one.member
                )));
                steps.push(ask_on(election, "trust", &one.member));
                best = None;
            }
            (Some(_), _) => {}
        }
    }
}
