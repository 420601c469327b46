//! Taking a server out of service and back: PacketFence's `bin/cluster/maintenance` as data.
//!
//! [`plan`] gives the steps in PacketFence's order. PacketFence stops at the first command that fails and leaves the server
//! in between without a word about it (bug B-50). Here every step may be taken again, which is the way on, and [`back`] says
//! what undoes those that were taken, which is the way back.

use std::fmt;

use serde::Serialize;

use pfcluster_core::version::PfVersion;

/// Where PacketFence keeps the mark of a server in maintenance, relative to its install directory. Only the database's
/// supervisor looks at it: it does not start the database.
pub const FLAG_FILE: &str = "var/maintenance-mode";

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Out of service.
    Activate,
    /// Back into service.
    Deactivate,
}

impl Change {
    /// A stable word for it, which is also PacketFence's option.
    pub fn kind(self) -> &'static str {
        match self {
            Change::Activate => "activate",
            Change::Deactivate => "deactivate",
        }
    }

    fn opposite(self) -> Change {
        match self {
            Change::Activate => Change::Deactivate,
            Change::Deactivate => Change::Activate,
        }
    }
}

/// A program that a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// systemd's.
    Systemctl,
    /// PacketFence's own, `bin/pfcmd` of its install directory.
    Pfcmd,
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create the flag file.
    SetFlag,
    /// Remove the flag file.
    ClearFlag,
    /// Run a program. It has failed if its exit status is not 0.
    Run(Program, &'static [&'static str]),
}

/// A step as a person takes it, for PacketFence's usual install directory.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::SetFlag => write!(f, "touch /usr/local/pf/{FLAG_FILE}"),
            Step::ClearFlag => write!(f, "rm -f /usr/local/pf/{FLAG_FILE}"),
            Step::Run(Program::Systemctl, arguments) => write!(f, "systemctl {}", arguments.join(" ")),
            Step::Run(Program::Pfcmd, arguments) => write!(f, "/usr/local/pf/bin/pfcmd {}", arguments.join(" ")),
        }
    }
}

/// Tells whether monit is installed: it is if this succeeds.
pub const HAS_MONIT: (Program, &[&str]) = (Program::Systemctl, &["cat", "monit"]);

const STOP_MONIT: Step = Step::Run(Program::Systemctl, &["stop", "monit"]);
const START_MONIT: Step = Step::Run(Program::Systemctl, &["start", "monit"]);
const DISABLE_MONIT: Step = Step::Run(Program::Systemctl, &["disable", "monit"]);
const ENABLE_MONIT: Step = Step::Run(Program::Systemctl, &["enable", "monit"]);
const STOP_PF: Step = Step::Run(Program::Pfcmd, &["service", "pf", "stop"]);
const START_PF: Step = Step::Run(Program::Pfcmd, &["service", "pf", "start"]);
const START_CACHE: Step = Step::Run(Program::Systemctl, &["start", "packetfence-redis-cache"]);
const STOP_DATABASE: Step = Step::Run(Program::Systemctl, &["stop", "packetfence-mariadb"]);
const START_DATABASE: Step = Step::Run(Program::Systemctl, &["start", "packetfence-mariadb"]);
const BOOT_WITHOUT: Step = Step::Run(Program::Systemctl, &["set-default", "multi-user.target"]);
const BOOT_WITH: Step = Step::Run(Program::Systemctl, &["set-default", "packetfence-cluster.target"]);

/// The steps of a change, in PacketFence's order. Each may be taken again where it was taken before.
pub fn plan(change: Change, version: PfVersion, has_monit: bool) -> Vec<Step> {
    let monit = |steps: [Step; 2]| steps.into_iter().filter(move |_| has_monit);
    match change {
        Change::Activate => [Step::SetFlag]
            .into_iter()
            .chain(monit([STOP_MONIT, DISABLE_MONIT]))
            .chain([STOP_PF, STOP_DATABASE, BOOT_WITHOUT])
            .collect(),
        Change::Deactivate => [Step::ClearFlag]
            .into_iter()
            // Version 7 has the cache among the services of `pf`.
            .chain([START_CACHE].into_iter().filter(|_| version >= PfVersion::new(8, 0)))
            .chain([START_DATABASE, START_PF])
            .chain(monit([START_MONIT, ENABLE_MONIT]))
            .chain([BOOT_WITH])
            .collect(),
    }
}

/// What undoes the steps of `change` that were taken, in the order of the opposite change (while the flag is set, the database
/// does not start). A step that failed belongs to them: it may be half done.
pub fn back(change: Change, taken: &[Step], version: PfVersion) -> Vec<Step> {
    let mut steps = plan(change.opposite(), version, true);
    steps.retain(|step| taken.iter().any(|taken| undo(taken).contains(step)));
    steps
}

/// Empty for what does no harm in either state.
fn undo(step: &Step) -> &'static [Step] {
    match *step {
        Step::SetFlag => &[Step::ClearFlag],
        Step::ClearFlag => &[Step::SetFlag],
        STOP_MONIT => &[START_MONIT],
        START_MONIT => &[STOP_MONIT],
        DISABLE_MONIT => &[ENABLE_MONIT],
        ENABLE_MONIT => &[DISABLE_MONIT],
        STOP_PF => &[START_CACHE, START_PF],
        START_PF => &[STOP_PF],
        STOP_DATABASE => &[START_DATABASE],
        START_DATABASE => &[STOP_DATABASE],
        BOOT_WITHOUT => &[BOOT_WITH],
        BOOT_WITH => &[BOOT_WITHOUT],
        Step::Run(..) => &[],
    }
}

/// The services to restart on a server after it counts another member in or out (`bin/cluster/node`), one after the other:
/// they work with the members that they found when they started (guide 8.4).
pub fn services_that_count_members(version: PfVersion) -> &'static [&'static str] {
    if version >= PfVersion::new(12, 0) {
        &["radiusd", "pfdhcplistener", "haproxy-admin", "haproxy-db", "proxysql", "haproxy-portal", "keepalived"]
    } else if version >= PfVersion::new(10, 0) {
        &["haproxy-admin", "haproxy-db", "haproxy-portal", "keepalived"]
    } else if version >= PfVersion::new(8, 0) {
        &["haproxy-db", "haproxy-portal", "keepalived"]
    } else {
        &["haproxy", "keepalived"]
    }
}
