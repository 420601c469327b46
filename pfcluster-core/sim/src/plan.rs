//! What is going to happen, drawn from a seed before anything does: so that a history can be shrunk fault by fault.

use std::fmt;

use super::galera::Place;
use super::mind::Policy;
use super::phase::Phase;
use super::random::Random;

macro_rules! kinds {
    (
        $($(#[$doc:meta])* $name:ident = $text:literal, $group:ident;)*
        => as measured:
        $($(#[$new_doc:meta])* $new:ident = $new_text:literal, $new_group:ident;)*
    ) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* $($(#[$new_doc])* $new),* }

        impl Kind {
            /// All that every seed may know.
            pub const ALL: [Kind; [$(Kind::$name),*].len()] = [$(Kind::$name),*];
            /// Those that only seeds know in whose worlds Galera does what was measured on 2026-11-30 ([`Plan::as_measured`]).
            pub const NEW: [Kind; [$(Kind::$new),*].len()] = [$(Kind::$new),*];

            pub(super) fn group(self) -> Group {
                match self { $(Kind::$name => Group::$group,)* $(Kind::$new => Group::$new_group),* }
            }
        }

        impl fmt::Display for Kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Kind::$name => $text,)* $(Kind::$new => $new_text),* })
            }
        }
    };
}

/// Who or what does it: seeds differ in how much of each there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Machines and programs that stop.
    Hosts,
    /// The network.
    Network,
    /// What disks no longer hold as it was.
    Disks,
    /// People who do what is foreseen.
    Operators,
    /// People who work at the database past its supervisor.
    Hands,
}

kinds! {
    /// `kill -9` of the database.
    CrashDatabase = "database crashes", Hosts;
    /// The power of one host goes.
    PowerCut = "power cut", Hosts;
    /// The power of all hosts goes, at once or one after the other.
    PowerCutOfAll = "power cut of all", Hosts;
    /// The supervisor is told to end, its database with it.
    GracefulStop = "graceful stop", Hosts;
    /// The database does not move for a while.
    FreezeDatabase = "database freezes", Hosts;
    /// The supervisor does not move for a while.
    FreezeSupervisor = "supervisor freezes", Hosts;
    /// The supervisor dies, its database with it.
    CrashUnit = "unit crashes", Hosts;
    /// The supervisor dies, and its database lives on.
    CrashSupervisor = "supervisor crashes", Hosts;
    /// Looking and acting take ten times as long.
    SlowDisk = "slow disk", Hosts;
    /// Nothing can be written down.
    FullDisk = "full disk", Hosts;
    /// The host's clock jumps, or runs too fast or too slowly.
    WrongClock = "wrong clock", Hosts;
    /// The next state transfer to this host breaks off.
    TransferFails = "transfer fails", Hosts;
    /// The database takes no more clients.
    TooManyClients = "too many clients", Hosts;
    /// The network falls apart in two.
    Partition = "partition", Network;
    /// One host is cut off.
    CutOff = "host cut off", Network;
    /// Everybody is cut off from everybody.
    AllApart = "all links cut", Network;
    /// One hears another, which does not hear it.
    OneWay = "one-way link to another member", Network;
    /// Two do not hear each other, others hear both.
    TwoApart = "link to another member cut", Network;
    /// The databases' network goes, not that of the supervisors.
    GaleraCut = "Galera's network cut", Network;
    /// The supervisors' network goes, not that of the databases.
    ManagementCut = "management network cut", Network;
    /// Datagrams are lost.
    Loss = "packet loss", Network;
    /// Datagrams come twice.
    Doubling = "duplicated packets", Network;
    /// Datagrams overtake each other.
    Disorder = "reordered packets", Network;
    /// Datagrams come late.
    Delay = "delayed packets", Network;
    /// Old datagrams come again.
    Replay = "replayed packets", Network;
    /// Datagrams come that nobody who has the key has made, or not for this host.
    Forgery = "forged packets", Network;
    /// The power goes, and a state file is torn or gone.
    TornFile = "torn file", Disks;
    /// The power goes, and the data directory comes back as it was some time ago.
    StaleBackup = "stale backup", Disks;
    /// The power goes, and the data directory comes back empty.
    EmptyDisk = "empty disk", Disks;
    /// `bin/cluster/maintenance --activate`, for a while.
    Maintenance = "maintenance", Operators;
    /// `bin/cluster/node HOST disable`, on one side or on all.
    Disable = "disable", Operators;
    /// A member is detached and upgraded alone (guide 8.4).
    Upgrade = "upgrade (8.4)", Operators;
    /// A word: members are given up.
    AssumeLost = "override: assume lost", Operators;
    /// A word: data are given up.
    Discard = "override: discard", Operators;
    /// A word: a member begins, whatever the others hold.
    Force = "override: force", Operators;
    /// A word that fits a rare moment: seed, standalone.
    OtherWord = "override: seed, standalone", Operators;
    /// The database is stopped by hand.
    StopByHand = "stopped by hand", Hands;
    /// The database is started normally by hand.
    StartByHand = "started by hand", Hands;
    /// A new cluster is forced by hand, past all rules.
    BootstrapByHand = "bootstrap by hand", Hands;
    /// `pc.bootstrap=YES` by hand.
    PromoteByHand = "promoted by hand", Hands;
    => as measured:
    /// A clean stop, and the power goes before it is on the disk.
    CutAfterStop = "stop, then power cut", Hosts;
    /// A backup pauses the provider for a while.
    Backup = "backup", Hosts;
    /// The next state request of this host fails.
    RequestFails = "state request fails", Hosts;
    /// The script of the next transfer to this host fails before it has done anything.
    ScriptFails = "script fails", Hosts;
    /// The database lets nobody in and serves on.
    HangDatabase = "database hangs", Hosts;
    /// The database does not move, and nothing ends it.
    StuckDatabase = "database in D state", Hosts;
    /// The supervisor's login is refused for a while.
    RefuseLogin = "login refused", Hosts;
    /// No look ends.
    HangDisk = "disk hangs", Hosts;
    /// A recovery of the position takes long.
    SlowRecovery = "slow recovery", Hosts;
    /// A recovery of the position fails, and a start would work.
    RecoveryFails = "recovery fails", Hosts;
    /// Starts fail, and a recovery works.
    StartsFail = "starts fail", Hosts;
    /// All databases die at once; their supervisors live.
    CrashOfAll = "all databases crash", Hosts;
    /// All hosts but one lose power, and are back before it has noticed.
    PowerCycle = "others power-cycled", Hosts;
    /// The database dies in a DDL statement.
    CrashInDdl = "crash in DDL", Hosts;
    /// The power of all hosts goes in a DDL statement.
    PowerCutInDdl = "power cut in DDL", Hosts;
    /// gvwstate.dat is not written: the disk is full.
    FreezeView = "gvwstate.dat frozen", Hosts;
    /// The host leaves the group and is back within a second.
    Blink = "short view", Network;
    /// The power goes, and tc.log can't be read.
    WreckTcLog = "tc.log wrecked", Disks;
    /// The database finds that its rows differ.
    Inconsistent = "inconsistent", Disks;
    /// `pc.bootstrap=YES` by hand, and clients commit at once.
    PromoteAndCommit = "promoted, commits", Hands;
}

/// Something that is going to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In which of the bad days.
    pub day: usize,
    /// How many milliseconds after the day's beginning, at the earliest.
    pub at: u64,
    /// It waits for this moment of its host's supervisor: the worst one.
    pub moment: Option<Phase>,
    /// To whom.
    pub on: Place,
    /// What.
    pub kind: Kind,
    /// From this its details follow.
    pub dice: u64,
}

/// What a seed comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// Whose rules the members live by.
    pub policy: Policy,
    /// How many members there are.
    pub members: usize,
    /// How many of the last commits a power cut may cost: 0 for `innodb_flush_log_at_trx_commit=1`.
    pub window: u8,
    /// A crash of the database may cost them too (`innodb_flush_log_at_trx_commit=0`).
    pub crash_costs: bool,
    /// How many events a donor's cache reaches back.
    pub cache: u16,
    /// How many bad days there are. After each, everything is mended, and service has to return.
    pub days: usize,
    /// Hosts whose power is gone when a day is mended come back so much later at most, each in its time.
    pub late: u64,
    /// Galera and the hosts do what was measured on 2026-11-30 ([`super::galera::measured`]); else they are kinder.
    pub as_measured: bool,
    /// What happens, in order.
    pub faults: Vec<Fault>,
}

/// THE SWITCH: true if the seeds of [`Plan::new`] live in worlds as measured, with [`Kind::NEW`] among their faults. It stays off
/// until the rules are those of design/decisions.md, section 6.
pub const DRAWS_NEW: bool = false;

/// How long the bad part of a day is, in milliseconds.
pub(super) const BAD: u64 = 14_000;

impl Plan {
    /// The plan of a seed, with so many faults.
    pub fn new(seed: u64, faults: usize) -> Plan {
        Plan::drawn(seed, faults, DRAWS_NEW)
    }

    /// The plan of a seed in a world as measured, whatever [`DRAWS_NEW`] says.
    pub fn measured(seed: u64, faults: usize) -> Plan {
        Plan::drawn(seed, faults, true)
    }

    fn drawn(seed: u64, faults: usize, as_measured: bool) -> Plan {
        let mut random = Random::new(seed);
        let days = faults.div_ceil(50).max(1);
        let members = random.one(&[3, 3, 3, 3, 3, 3, 5, 2]);
        let (window, crash_costs) = random.one(&[(0, false), (4, false), (4, false), (3, true)]);
        let cache = random.one(&[u16::MAX, u16::MAX, 12]);
        let kinds = Plan::kinds(&mut random, as_measured);
        let faults = (0..faults).map(|number| {
            let day = number * days / faults;
            let kind = random.one(&kinds);
            // Half of them wait for the worst moment.
            let moment = random.percent(50).then(|| random.one(&Phase::ALL));
            let at = random.between(0, if moment.is_some() { BAD / 2 } else { BAD });
            Fault { day, at, moment, on: random.below(members), kind, dice: random.bits() }
        });
        let mut faults: Vec<Fault> = faults.collect();
        faults.sort_by_key(|fault| (fault.day, fault.at));
        Plan { seed, policy: Policy::Ours, members, window, crash_costs, cache, days, late: 0, as_measured, faults }
    }

    /// A plan of one day on which only hosts and networks fail. On every other such day all lose power in the end, and come back
    /// in their own time.
    pub fn of_failures(seed: u64, faults: usize) -> Plan {
        let plan = Plan::new(seed, faults);
        let mut random = Random::new(seed ^ 0xfa11);
        let kinds: Vec<Kind> =
            Kind::ALL.into_iter().filter(|kind| matches!(kind.group(), Group::Hosts | Group::Network)).collect();
        let faults = plan.faults.iter().map(|fault| Fault { kind: random.one(&kinds), moment: None, ..*fault });
        let mut faults: Vec<Fault> = faults.collect();
        if random.percent(50) {
            let (kind, on, dice) = (Kind::PowerCutOfAll, random.below(plan.members), random.bits());
            faults.push(Fault { day: 0, at: BAD - 7_000, moment: None, on, kind, dice });
            faults.retain(|fault| fault.at <= BAD - 7_000);
        }
        Plan { faults, late: 180_000, ..plan }
    }

    /// The kinds that this seed knows: a world with all of them at once never gets far.
    fn kinds(random: &mut Random, as_measured: bool) -> Vec<Kind> {
        let (disks, operators, hands) = (random.percent(40), random.percent(35), random.percent(15));
        let share = random.one(&[25, 50, 80]);
        let new: &[Kind] = if as_measured { &Kind::NEW } else { &[] };
        let kinds = Kind::ALL.into_iter().chain(new.iter().copied()).filter(|kind| {
            let in_group = match kind.group() {
                Group::Hosts | Group::Network => true,
                Group::Disks => disks,
                Group::Operators => operators,
                Group::Hands => hands,
            };
            in_group && random.percent(share)
        });
        let kinds: Vec<Kind> = kinds.collect();
        if kinds.is_empty() { vec![Kind::PowerCut, Kind::CrashDatabase, Kind::Partition] } else { kinds }
    }
}
