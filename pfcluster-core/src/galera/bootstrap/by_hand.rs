//! How a person carries a decision out, where no supervisor does it: with systemd, MariaDB's client and PacketFence's own
//! `pf-mariadb`, in order.

use super::action::Action;
use super::facts::Facts;
use crate::cluster::Hostname;
use crate::decision::{Step, and};
use crate::galera::{Files, Found};

const STATE_ASIDE: &str = "mv --backup=numbered /var/lib/mysql/grastate.dat /var/lib/mysql/grastate.dat.aside";
const VIEW_ASIDE: &str = "mv --backup=numbered /var/lib/mysql/gvwstate.dat /var/lib/mysql/gvwstate.dat.aside";
const NOT_LAST: &str = "sed -i 's/^safe_to_bootstrap: 1/safe_to_bootstrap: 0/' /var/lib/mysql/grastate.dat";
/// The data directory, whole, and an empty one in its place; not under a server that runs. What comes after it in the same command
/// line happens only if it did.
pub(crate) const DATA_ASIDE: &str = "! pgrep -l -x 'mariadbd|mysqld' && mv -T /var/lib/mysql \"/var/lib/mysql.aside-$(date \
                                     +%Y%m%dT%H%M%S)\" && install -d -o mysql -g mysql -m 750 /var/lib/mysql";
const START: &str = "systemctl start packetfence-mariadb";
pub(super) const STOP: &str = "systemctl stop packetfence-mariadb";
/// A server that waits for others does not end when it is told to (measured: not in minutes). It serves no client, so it may be killed.
pub(crate) const STOP_WAITING: &str =
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
            discard.iter().for_each(|host| aside(&mut steps, host));
        }
        Action::Reform { members, joiners, .. } => {
            steps.push(Step::advice("start these without waiting for one another:"));
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
                    "so that {member} gets a new cluster UUID, and no member joins with more than it has:"
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
            steps
                .push(Step::advice("it must say Primary now; Galera can ignore the command and still report success:"));
            steps.push(Step::run(member, "mariadb -e \"SHOW STATUS LIKE 'wsrep_cluster_status'\""));
            join_later(&mut steps, joiners, facts);
            discard.iter().for_each(|host| aside(&mut steps, host));
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
    steps.push(chain(member, before.into_iter().chain([NEW_CLUSTER])));
    join_later(steps, joiners, facts);
    discard.iter().for_each(|host| aside(steps, host));
    if !joiners.is_empty() || !discard.is_empty() {
        steps.push(Step::advice(format!(
            "when another member has joined, end `pf-mariadb` on {member} with Ctrl-C, then:"
        )));
        steps.push(Step::run(member, START));
    }
}

fn join_later(steps: &mut Vec<Step>, joiners: &[Hostname], facts: &[Facts<'_>]) {
    if !joiners.is_empty() {
        steps.push(Step::advice(format!("when the database is in service, and not before, start {}:", and(joiners))));
    }
    join(steps, joiners, facts);
}

/// A joiner with an old view could come up as a cluster of its own.
fn join(steps: &mut Vec<Step>, joiners: &[Hostname], facts: &[Facts<'_>]) {
    // Both are in the order of cluster.conf.
    let mut facts = facts.iter();
    for host in joiners {
        let files = facts.find(|one| one.host == host).and_then(Facts::files);
        let view = files.filter(|files| files.gvwstate != Found::Absent).map(|_| VIEW_ASIDE);
        // Its files may be incomplete: it must receive everything.
        let is_incomplete = |files: &&Files| files.unsynced_transfer && files.grastate != Found::Absent;
        let state = files.filter(is_incomplete).map(|_| STATE_ASIDE);
        steps.push(chain(host, view.into_iter().chain(state).chain([START])));
    }
}

/// To let a member join without its own data, which are kept.
pub(super) fn aside(steps: &mut Vec<Step>, host: &Hostname) {
    steps.push(Step::advice(format!(
        "only if the data of {host} may go (they are kept aside), let it join without them:"
    )));
    steps.push(chain(host, [STOP, DATA_ASIDE, START]));
}

/// Commands of which each goes on only if the one before it did what it should: one line, so that a paste does not go on either.
fn chain<'a>(host: &Hostname, commands: impl IntoIterator<Item = &'a str>) -> Step {
    Step::run(host, commands.into_iter().collect::<Vec<_>>().join(" && "))
}
