//! How a person carries a decision out, where no supervisor does it: with systemd, MariaDB's client and PacketFence's own
//! `pf-mariadb`, in order.

use super::action::Action;
use super::facts::{Facts, Holds};
use crate::cluster::Hostname;
use crate::command_line;
use crate::decision::{Step, and};
use crate::galera::{Files, Found};

/// Taken again, or after another step did it, it does nothing and goes on.
pub const STATE_ASIDE: &str = "[ ! -e /var/lib/mysql/grastate.dat ] || mv --backup=numbered /var/lib/mysql/grastate.dat \
                                      /var/lib/mysql/grastate.dat.aside";
/// As [`STATE_ASIDE`]. An old view could come up as a cluster of its own.
pub const VIEW_ASIDE: &str = "[ ! -e /var/lib/mysql/gvwstate.dat ] || mv --backup=numbered /var/lib/mysql/gvwstate.dat \
                                     /var/lib/mysql/gvwstate.dat.aside";
/// A server that left last could start a cluster of its own. It fails where there is no grastate.dat.
pub const NOT_LAST: &str = "sed -i 's/^safe_to_bootstrap: 1/safe_to_bootstrap: 0/' /var/lib/mysql/grastate.dat";
/// No database runs here, however it was started.
pub const NO_SERVER: &str = "! pgrep -l -x 'mariadbd|mysqld' || ! echo \"not run: a database runs here\"";
/// The data directory, whole, and an empty one in its place; [`NO_SERVER`] stands before it. What comes after it in the same command
/// line happens only if it did.
pub const DATA_ASIDE: &str = "mv -T /var/lib/mysql \"/var/lib/mysql.aside-$(date \
                                     +%Y%m%dT%H%M%S)\" && install -d -o mysql -g mysql -m 750 /var/lib/mysql";
/// As PacketFence does it.
pub const START: &str = "systemctl start packetfence-mariadb";
/// As PacketFence does it.
pub const STOP: &str = "systemctl stop packetfence-mariadb";
/// A server that waits for others does not end when it is told to (measured: not in minutes). It serves no client, so it may be killed.
pub const STOP_WAITING: &str =
    "timeout 60 systemctl stop packetfence-mariadb || systemctl kill --signal=KILL packetfence-mariadb";
/// It runs in the foreground (guide 5.2).
const NEW_CLUSTER: &str = "/usr/local/pf/sbin/pf-mariadb --force-new-cluster";

/// The steps of a decision that starts something.
pub(super) fn steps(action: &Action, facts: &[Facts<'_>]) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(first) = stop_first(action) {
        return stop(first);
    }
    match action {
        Action::Standalone { member } => steps.push(Step::run(member, START)),
        Action::Join { joiners, discard, .. } => {
            join(&mut steps, joiners, facts);
            discard.iter().for_each(|host| aside(&mut steps, host, facts));
        }
        Action::Reform { members, joiners, .. } => {
            steps.push(Step::advice("start these at the same time (do not wait for one to finish):"));
            steps.extend(members.iter().map(|host| Step::run(host, START)));
            join_later(&mut steps, joiners, facts);
        }
        Action::Fresh { member, joiners, .. } => {
            new_cluster(&mut steps, member, None, joiners, &[], facts);
        }
        Action::Bootstrap { member, new_uuid, supersede_first, joiners, discard, .. } => {
            supersede(&mut steps, supersede_first, facts);
            let before = new_uuid.then(|| state_aside(member, facts)).flatten();
            if before.is_some() {
                steps.push(Step::advice(format!(
                    "so that {member} gets a new cluster UUID, and no member joins with transactions that it does not have:"
                )));
            }
            new_cluster(&mut steps, member, before, joiners, discard, facts);
        }
        Action::Seed { member, joiners, discard, .. } => {
            let before = state_aside(member, facts);
            if before.is_some() {
                steps.push(Step::advice(format!("so that {member} gets a new cluster UUID:")));
            }
            new_cluster(&mut steps, member, before, joiners, discard, facts);
        }
        Action::Promote { member, supersede_first, joiners, discard, .. } => {
            supersede(&mut steps, supersede_first, facts);
            let promote = "mariadb -e \"SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'\"";
            steps.push(Step::run(member, promote));
            steps.push(Step::advice(
                "check that it reports Primary now (Galera can ignore the command and still return success):",
            ));
            steps.push(Step::run(member, "mariadb -e \"SHOW STATUS LIKE 'wsrep_cluster_status'\""));
            join_later(&mut steps, joiners, facts);
            discard.iter().for_each(|host| aside(&mut steps, host, facts));
        }
        Action::Wait { .. } | Action::Refuse { .. } => {}
    }
    steps
}

fn stop_first(action: &Action) -> Option<&[Hostname]> {
    let first = match action {
        Action::Reform { stop_first, .. }
        | Action::Fresh { stop_first, .. }
        | Action::Bootstrap { stop_first, .. }
        | Action::Seed { stop_first, .. }
        | Action::Promote { stop_first, .. } => stop_first,
        Action::Standalone { .. } | Action::Join { .. } | Action::Wait { .. } | Action::Refuse { .. } => return None,
    };
    (!first.is_empty()).then_some(first)
}

/// A process that is stopped may have come into a component meanwhile: what is to be done then is decided anew.
fn stop(hosts: &[Hostname]) -> Vec<Step> {
    let mut steps: Vec<Step> = hosts.iter().map(|host| Step::run(host, STOP_WAITING)).collect();
    steps.push(Step::advice("then collect the evidence again, and decide again with it:"));
    steps.extend(hosts.iter().map(|host| Step::run(host, "pfcluster evidence")));
    steps
}

/// A view that could be restored beside the start is set aside, and so is the proof of having left last.
fn supersede(steps: &mut Vec<Step>, hosts: &[Hostname], facts: &[Facts<'_>]) {
    for host in hosts {
        let files = facts.iter().find(|one| one.host == host).and_then(Facts::files);
        let view = files.filter(|files| files.gvwstate != Found::Absent).map(|_| VIEW_ASIDE);
        steps.push(chain(host, view.into_iter().chain([NOT_LAST])));
    }
}

/// A server without grastate.dat makes a new cluster UUID.
fn state_aside(host: &Hostname, facts: &[Facts<'_>]) -> Option<&'static str> {
    let files = facts.iter().find(|one| one.host == host).and_then(Facts::files)?;
    (files.grastate != Found::Absent).then_some(STATE_ASIDE)
}

fn new_cluster(
    steps: &mut Vec<Step>,
    member: &Hostname,
    before: Option<&str>,
    joiners: &[Hostname],
    discard: &[Hostname],
    facts: &[Facts<'_>],
) {
    // Pasted twice, it takes no file away under the server that it started.
    steps.push(chain(member, [NO_SERVER].into_iter().chain(before).chain([NEW_CLUSTER])));
    join_later(steps, joiners, facts);
    discard.iter().for_each(|host| aside(steps, host, facts));
    if !joiners.is_empty() || !discard.is_empty() {
        steps.push(Step::advice(format!(
            "when another member is synced, stop `pf-mariadb` on {member} (Ctrl-C), then:"
        )));
        steps.push(Step::run(member, START));
    }
}

fn join_later(steps: &mut Vec<Step>, joiners: &[Hostname], facts: &[Facts<'_>]) {
    if !joiners.is_empty() {
        steps.push(Step::advice(format!(
            "only when the cluster is primary (`pfcluster status`), start {}:",
            and(joiners)
        )));
    }
    join(steps, joiners, facts);
}

/// A joiner with an old view could come up as a cluster of its own.
fn join(steps: &mut Vec<Step>, joiners: &[Hostname], facts: &[Facts<'_>]) {
    for host in joiners {
        let files = facts.iter().find(|one| one.host == host).and_then(Facts::files);
        let view = files.filter(|files| files.gvwstate != Found::Absent).map(|_| VIEW_ASIDE);
        if is_replaced(host, facts) {
            steps.push(chain(host, [NO_SERVER, DATA_ASIDE, START]));
            continue;
        }
        // Its files may be incomplete: it must receive everything.
        let is_incomplete = |files: &&Files| files.unsynced_transfer && files.grastate != Found::Absent;
        let state = files.filter(is_incomplete).map(|_| STATE_ASIDE);
        steps.push(chain(host, view.into_iter().chain(state).chain([START])));
    }
}

/// Another member's position is trusted on an override, and this one's data are no better proved: a state transfer takes their
/// place, so they are kept.
pub(super) fn is_replaced(host: &Hostname, facts: &[Facts<'_>]) -> bool {
    let is_unsafe = |one: &Facts<'_>| one.host == host && matches!(one.holds, Holds::Unsafe(..));
    facts.iter().any(|one| one.by_trust && one.host != host) && facts.iter().any(is_unsafe)
}

/// To let a member join without its own data, which are kept.
fn aside(steps: &mut Vec<Step>, host: &Hostname, facts: &[Facts<'_>]) {
    let is_allowed = facts.iter().any(|one| one.host == host && one.given_up);
    steps.push(Step::advice(if is_allowed {
        format!("discard the data of {host}, as you allowed (moved, not deleted); it rejoins with a full state transfer (SST):")
    } else {
        may_discard(host)
    }));
    steps.push(chain(host, [STOP, NO_SERVER, DATA_ASIDE, START]));
}

/// The condition before the steps that discard a member's data.
pub(super) fn may_discard(host: &Hostname) -> String {
    format!(
        "only if the data of {host} may be discarded (moved, not deleted; the cluster loses what only {host} has), let it rejoin \
         with a full state transfer (SST):"
    )
}

/// Commands of which each goes on only if the one before it did what it should: one line, so that a paste does not go on either.
fn chain<'a>(host: &Hostname, commands: impl IntoIterator<Item = &'a str>) -> Step {
    Step::run(host, command_line::chain(&commands.into_iter().collect::<Vec<_>>()))
}
