//! What a person can do about it, in the order of the reasons; last, where data are at stake, the election.

use super::{Galera, Reason, Seen, Verdict};
use crate::cluster::Hostname;
use crate::command_line::chain;
use crate::decision::{Step, and};
use crate::galera::bootstrap::{DATA_ASIDE, NO_SERVER, START, STOP};

/// The steps for a verdict and its reasons.
pub(super) fn of(verdict: Verdict, reasons: &[Reason], counted: &[&Seen]) -> Vec<Step> {
    let mut steps = Vec::new();
    let needs_election = match verdict {
        Verdict::Split => {
            steps.push(Step::advice(
                "choose the side whose data are kept, and stop PacketFence on the others: what was written there since the split is \
                 lost",
            ));
            true
        }
        Verdict::ReadOnly | Verdict::Down => true,
        _ => false,
    };
    steps.extend(reasons.iter().flat_map(|reason| about(reason, verdict, counted)));
    let has_two_histories =
        reasons.iter().any(|reason| matches!(reason, Reason::Histories { .. } | Reason::ZeroUuid { .. }));
    if needs_election || has_two_histories {
        steps.extend(election(counted));
    }
    steps
}

/// Which member's data win is the election's to say.
fn election(counted: &[&Seen]) -> Vec<Step> {
    let evidence =
        |member: &&Seen| Step::run(&member.host, format!("pfcluster evidence --recover > {}.json", member.host));
    let mut steps: Vec<Step> = counted.iter().map(evidence).collect();
    steps.push(Step::advice("copy these files to one member, and run there:"));
    steps.push(Step::run_anywhere("pfcluster bootstrap --evidence *.json"));
    steps
}

fn about(reason: &Reason, verdict: Verdict, counted: &[&Seen]) -> Vec<Step> {
    let can_join = verdict == Verdict::Degraded
        && counted.iter().filter_map(|member| member.database.galera()).any(Galera::is_primary);
    let each = |members: &[Hostname], command: &str| members.iter().map(|host| Step::run(host, command)).collect();
    match reason {
        Reason::NobodyCounts => vec![Step::run_anywhere("pfcluster show")],
        Reason::NotPrimary { members } => vec![Step::advice(format!(
            "check that {} and the other members reach each other (TCP 4567): those with one cluster UUID merge automatically",
            and(members)
        ))],
        Reason::MayServe { members } => vec![Step::advice(format!(
            "check {} first (on the console): do not start or force a database while {} may be primary",
            and(members),
            if members.len() == 1 { "it" } else { "they" }
        ))],
        Reason::WithoutGalera { members } => vec![Step::advice(format!(
            "find out why {} {} without Galera (`galera_replication` of pf.conf, `wsrep_on` of mariadb.conf), and don't write there",
            and(members),
            if members.len() == 1 { "runs" } else { "run" }
        ))],
        Reason::Stopped { members } if can_join => {
            // In maintenance it would not start.
            let in_service = |host: &&Hostname| {
                counted.iter().all(|member| member.host != **host || member.maintenance != Some(true))
            };
            let start = |host| Step::run(host, "systemctl start packetfence-mariadb");
            members.iter().filter(in_service).map(start).collect()
        }
        Reason::Closed { members } => each(members, "systemctl status packetfence-mariadb"),
        Reason::Full { members } => full(members, verdict),
        Reason::Silent { members } => {
            vec![Step::advice(format!("check that {} can be reached (TCP 3306), then run this again", and(members)))]
        }
        Reason::SilentButSeen { members } => {
            vec![Step::advice(format!("fix the network or firewall from here to {} (TCP 3306)", and(members)))]
        }
        Reason::Refused { member, .. } => vec![Step::advice(format!(
            "check that the account that asks (`pfcluster doctor monitoring-account`) may log in to {member} from here, or \
             name another with `--mysql-defaults-file FILE`"
        ))],
        Reason::Garbled { member, .. } => {
            vec![Step::advice(format!("check what listens on {member}, TCP 3306, and the error log of MariaDB there"))]
        }
        Reason::NotAsked { .. } => vec![Step::run_anywhere("pfcluster check")],
        Reason::Inconsistent { member } if can_join => vec![
            Step::advice(format!(
                "only if the data of the others are right: resynchronise {member} from them (full state transfer, SST); its own data \
                 are moved, not deleted:"
            )),
            Step::run(member, chain(&[STOP, NO_SERVER, DATA_ASIDE, START])),
        ],
        Reason::NotReady { member } => vec![Step::advice(format!("check the error log of MariaDB on {member}"))],
        Reason::Strangers { member, addresses } => vec![Step::advice(format!(
            "find out on {member} whose addresses {} are (`wsrep_incoming_addresses`): of members on another interface, or of \
             servers that must leave this database cluster",
            addresses.join(", ")
        ))],
        Reason::OftenPaused { .. } => {
            vec![Step::advice("find out which member is slow (disk, load): the others wait for it")]
        }
        Reason::ConnectionsNearMax { member, .. } => vec![holders(member), raise()],
        Reason::Disabled { members } => {
            let enable = |host: &Hostname| Step::run_anywhere(format!("pfcluster node {host} enable"));
            let mut steps = vec![Step::advice(format!("to re-enable {}, when ready:", and(members)))];
            steps.extend(members.iter().map(enable));
            steps
        }
        Reason::Maintenance { members } => {
            let mut steps = vec![Step::advice("when the maintenance is over:")];
            steps.extend::<Vec<Step>>(each(members, "pfcluster maintenance --deactivate"));
            steps
        }
        Reason::Configurations { .. } => vec![Step::run_anywhere("pfcluster conflict")],
        Reason::VipHeldTwice { holders, .. } => {
            let mut steps = vec![Step::advice(format!(
                "check that VRRP passes between {}, and that keepalived runs there with one password:",
                and(holders)
            ))];
            steps.extend::<Vec<Step>>(each(holders, "systemctl status packetfence-keepalived"));
            steps
        }
        Reason::VipWithoutHolder { .. } => vec![Step::advice(
            "find out on each member that shares the address why it does not take it: `systemctl status packetfence-keepalived`",
        )],
        // Nothing is wrong, it ends by itself, or the election says what to do.
        Reason::Serves { .. }
        | Reason::NotSynced { .. }
        | Reason::Split { .. }
        | Reason::Histories { .. }
        | Reason::ZeroUuid { .. }
        | Reason::Stopped { .. }
        | Reason::Inconsistent { .. } => Vec::new(),
    }
}

/// Guide 8.5. One extra connection is there for a user with all privileges; then root is refused, too.
fn full(members: &[Hostname], verdict: Verdict) -> Vec<Step> {
    let mut steps: Vec<Step> = members.iter().map(holders).collect();
    steps.push(raise());
    if verdict == Verdict::Blocked {
        steps.push(Step::advice("if root is refused as well, restart the databases, one member at a time:"));
        steps.push(Step::run_anywhere("pfcluster runbook max-connections"));
    }
    steps
}

fn holders(member: &Hostname) -> Step {
    let command =
        "mariadb -e \"SELECT user, host, command, count(*) FROM information_schema.processlist GROUP BY 1, 2, 3\"";
    Step::run(member, command)
}

fn raise() -> Step {
    Step::advice(
        "raise `max_connections` of `[database_advanced]` in pf.conf, or stop the clients that hold too many connections",
    )
}
