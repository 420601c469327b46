//! What a person can do where an election waits or refuses: the command to run, or the word to give and what it costs.

use super::action::{Action, Awaited, Need, Problem, Risk};
use super::elect::Election;
use crate::cluster::Hostname;
use crate::decision::{Step, and};

/// The steps for a decision. Decisions that act by themselves need none, but for data that only a person may give up.
pub(super) fn of(action: &Action, election: &Election<'_>) -> Vec<Step> {
    match action {
        Action::Wait { awaited } => waiting(awaited, election),
        Action::Refuse { problem } => refusing(problem),
        Action::Join { discard, .. }
        | Action::Bootstrap { discard, .. }
        | Action::Promote { discard, .. }
        | Action::Seed { discard, .. } => {
            let asked = discard.iter().filter(|host| !election.policy.discard.contains(*host));
            asked.flat_map(give_up).collect()
        }
        Action::Standalone { .. } | Action::Reform { .. } | Action::Fresh { .. } => Vec::new(),
    }
}

fn waiting(awaited: &[Awaited], election: &Election<'_>) -> Vec<Step> {
    let mut steps: Vec<Step> = awaited.iter().flat_map(|one| bring(&one.member, &one.need)).collect();
    let named = |is: fn(&Need) -> bool| -> Vec<Hostname> {
        awaited.iter().filter(|one| is(&one.need)).map(|one| one.member.clone()).collect()
    };
    let apart = named(|need| matches!(need, Need::Network));
    if !apart.is_empty() {
        let what = format!("mend the network to {} (TCP 4567): Galera merges by itself", and(&apart));
        steps.push(Step::advice(what));
    }
    // What can be brought is not to be given up; and somebody must be left.
    let unknown = named(|need| matches!(need, Need::Evidence { .. } | Need::RecoveryThatWorks { .. }));
    if unknown.len() == awaited.len() && election.enabled().any(|one| one.is_known()) {
        let loses = match election.risk() {
            Risk::None => "nothing is lost with them",
            Risk::Bounded => "transactions that were under way in the outage may be lost",
            Risk::Unbounded => "everything is lost that they committed after the others went down",
        };
        let names: Vec<&str> = unknown.iter().map(Hostname::as_str).collect();
        steps.push(Step::advice(format!("only if {} will never come back ({loses}):", and(&unknown))));
        steps.push(Step::run_anywhere(format!("pfcluster mariadb allow assume-lost {}", names.join(" "))));
    }
    steps
}

/// How to bring what is missing of a member.
fn bring(host: &Hostname, need: &Need) -> Vec<Step> {
    match need {
        Need::Evidence { .. } | Need::Files | Need::Recovery => {
            vec![Step::run(host, "pfcluster evidence --recover")]
        }
        Need::RecoveryThatWorks { .. } => vec![
            Step::advice(format!("see in the error log of MariaDB on {host} why the recovery fails, and mend it")),
            Step::run(host, "pfcluster evidence --recover"),
        ],
        Need::Answer => vec![
            Step::advice(format!(
                "let the database on {host} come up; if it never does, and receives no state, stop it:"
            )),
            Step::run(host, "systemctl stop packetfence-mariadb"),
            Step::run(host, "pfcluster evidence --recover"),
        ],
        Need::TransferEnd => vec![Step::advice(format!("let the state transfer on {host} end; don't stop it"))],
        // One step for all of them.
        Need::Network => Vec::new(),
        Need::SecondLook => vec![Step::run(host, "pfcluster evidence")],
        Need::MaintenanceEnd => vec![Step::run(host, "/usr/local/pf/bin/cluster/maintenance --deactivate")],
    }
}

fn give_up(host: &Hostname) -> [Step; 2] {
    [
        Step::advice(format!("to let {host} join without its own data, which are moved aside:")),
        Step::run_anywhere(format!("pfcluster mariadb allow discard {host}")),
    ]
}

fn force(host: &Hostname) -> [Step; 2] {
    [
        Step::advice(format!("to go on with the data of {host}, and with nobody else's:")),
        Step::run(host, "pfcluster mariadb supervise --force-new-cluster"),
    ]
}

fn refusing(problem: &Problem) -> Vec<Step> {
    match problem {
        Problem::NoMembers => vec![Step::run_anywhere("/usr/local/pf/bin/cluster/node")],
        Problem::MembersDiffer { one, other } => vec![
            Step::advice(format!("compare conf/cluster.conf of {one} and {other}")),
            Step::advice("on the one whose file is right:"),
            Step::run_anywhere("/usr/local/pf/bin/cluster/sync --as-master"),
        ],
        Problem::OneSidedDisable { by, out, against } => vec![
            Step::advice(format!("either count {out} in again:")),
            Step::run(by, format!("/usr/local/pf/bin/cluster/node {out} enable")),
            Step::advice(if against == out {
                format!("or let {out} count {by} out as well:")
            } else {
                format!("or count {out} out on {against} as well:")
            }),
            if against == out {
                Step::run(out, format!("/usr/local/pf/bin/cluster/node {by} disable"))
            } else {
                Step::run(against, format!("/usr/local/pf/bin/cluster/node {out} disable"))
            },
        ],
        Problem::SplitBrain { one, other } => vec![
            Step::advice(format!("choose whose data to keep: of {one} or of {other} (guide 5.3)")),
            Step::advice("on every member of the other side:"),
            Step::run_anywhere("systemctl stop packetfence-mariadb"),
            Step::run_anywhere("pfcluster mariadb allow discard HOST"),
        ],
        Problem::ZeroUuid { member } => vec![
            Step::advice(format!(
                "stop {member}: it was started without its recovered position, and rows part from now on"
            )),
            Step::run(member, "systemctl stop packetfence-mariadb"),
            Step::run(member, "pfcluster evidence --recover"),
        ],
        Problem::StandaloneHistory { members } => {
            let mut steps = vec![Step::advice(format!(
                "{} ran without Galera and may hold changes that nobody else has; decide whose data to keep",
                and(members)
            ))];
            if let [_] = &members[..] {
                steps.push(Step::advice(
                    "to keep them (the others then join without their own data, each on your word):",
                ));
                steps.push(Step::run_anywhere("pfcluster mariadb allow standalone"));
            }
            steps.extend(members.iter().flat_map(give_up));
            steps
        }
        Problem::DivergentHistories { histories } => {
            let mut steps = vec![Step::advice("decide which history to keep; give up the members of the others:")];
            let members = histories.iter().flat_map(|history| &history.members);
            steps.extend(members.map(|host| Step::run_anywhere(format!("pfcluster mariadb allow discard {host}"))));
            steps
        }
        Problem::TwoLastViews { one, other } => {
            let mut steps = vec![Step::advice(format!(
                "{} and {} were in service apart from each other; decide whose data to keep, and give up the others:",
                and(one),
                and(other)
            ))];
            steps.extend(
                one.iter()
                    .chain(other)
                    .map(|host| Step::run_anywhere(format!("pfcluster mariadb allow discard {host}"))),
            );
            steps
        }
        Problem::SeveralSafeToBootstrap { members } => {
            let mut steps =
                vec![Step::advice("each was in service alone; decide whose data to keep, and give up the others:")];
            steps.extend(
                members.iter().map(|host| Step::run_anywhere(format!("pfcluster mariadb allow discard {host}"))),
            );
            steps
        }
        Problem::Regression { member, .. } => vec![
            Step::advice(format!("see whether the disk of {member} is mounted at its data directory")),
            Step::run(member, "findmnt --target /var/lib/mysql"),
            Step::advice("if its data are lost for good:"),
            Step::run_anywhere(format!("pfcluster mariadb allow discard {member}")),
        ],
        Problem::NoCandidate { members } => {
            let mut steps = vec![Step::advice(
                "a crash during a DDL statement, or failed state transfers, can leave zero UUIDs everywhere: look at the \
                 data of each member before you trust one",
            )];
            for one in members {
                match (one.defect, one.position) {
                    (None, _) => {
                        steps.push(Step::advice(format!("to begin a new history with the data of {}:", one.member)));
                        steps.push(Step::run_anywhere(format!("pfcluster mariadb allow seed {}", one.member)));
                    }
                    (Some(_), Some(position)) => steps.push(Step::advice(format!(
                        "to trust the data of {}: write `uuid: {}` and `seqno: -1` into its grastate.dat, then ask again",
                        one.member,
                        position.uuid()
                    ))),
                    (Some(_), None) => {}
                }
            }
            steps
        }
        Problem::UnsafeHoldsMore { member, .. } => {
            let mut steps = vec![Step::advice(format!(
                "look at the data of {member}: they may hold committed transactions that nobody else has"
            ))];
            steps.extend(give_up(member));
            steps
        }
        Problem::CutOff { members, present, .. } => {
            let mut steps = Vec::new();
            if present.iter().any(|host| !members.contains(host)) {
                steps.push(Step::advice(format!(
                    "bring back {}, who went on from there; or decide whose data to keep",
                    and(present)
                )));
            }
            steps.extend(members.iter().flat_map(force));
            steps
        }
        Problem::DisabledHoldsMore { member, .. } => {
            let mut steps = vec![
                Step::advice(format!("count {member} in again, on every member:")),
                Step::run_anywhere(format!("/usr/local/pf/bin/cluster/node {member} enable")),
            ];
            steps.push(Step::advice(format!("to go on without what {member} holds:")));
            steps.push(Step::run_anywhere(format!("pfcluster mariadb allow discard {member}")));
            steps
        }
        Problem::Unfit { member, .. } => vec![
            Step::advice(format!("name another member than {member}; what each holds:")),
            Step::run_anywhere("pfcluster bootstrap"),
        ],
    }
}
