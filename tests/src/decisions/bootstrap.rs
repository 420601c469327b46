//! The election: the command of tests/testdata/bootstrap.
//!
//! ```text
//! bootstrap [steps] [lost=pf3] [discard=pf3] [trust=pf3] [force=pf1] [seed=pf1] [standalone] [confirmed] [reform-failed] [supervised]
//! pf1  stopped  A:1200  flag=0
//! pf2  crashed  A:1204  view=5{2,3}  floor=1190
//! pf3  unknown
//! ----
//! ```
//!
//! One line for each member, in the order of cluster.conf: its name, what its database does, and what else is known.
//!
//! | word | meaning |
//! |---|---|
//! | `unknown`, `silent`, `refused`, `garbled` | nothing is known: not asked, no answer, refused, not readable |
//! | `twice` | there are two files of it that differ |
//! | `stopped` | no process; with `A:1204` after a clean stop at this position, as recovery shows |
//! | `crashed` | no process; grastate.dat has -1, `A:1204` was recovered |
//! | `recovered=A:1200`, `no`, `failed`, `none` | recovery found another position, was not run, failed, found no cluster UUID |
//! | `starting` | a process that was never in a component; files as for `crashed` |
//! | `bootstrapping`, `mute` | a process that was started as the first of a component; one that may be serving and does not respond |
//! | `primary`, `nonprimary`, `disconnected` | it runs, at this position; `sees=pf1,pf2`, `stranger=ADDRESS` |
//! | `synced`, `donor`, `joining`, `joined`, `initialized`, `inconsistent` | its local state, if not the usual one |
//! | `zero`, `torn`, `nograstate` | grastate.dat has the zero UUID, is torn, is missing |
//! | `flag=1`, `marker`, `unsynced`, `empty` | `safe_to_bootstrap: 1`, a state transfer that failed or runs, one that was not on disk when the power went, an empty data directory |
//! | `view=5{2,3}`, `view=x5{2,3}`, `view=torn`, `node=4` | gvwstate.dat: number and nodes of the view, another one of that number, torn; its own node, if not its place in the list |
//! | `floor=1190`, `alone=1190` | recorded for its view, for a view in which it was alone |
//! | `last=A:1204`, `clean=A:1204` | recorded: the last stop was clean, and `safe_to_bootstrap` was 1 or 0 then |
//! | `recorded=A:1300`, `fork=A:100`, `fork=A:100#2`, `ranalone`, `failed=3`, `supervised=pf2,pf3`, `joined=old` | other records of its supervisor; `#2`: another fork at that position; `joined`: in which boot it joined |
//! | `maintenance`, `arbitrator`, `disabled`, `disables=pf3`, `members=x` | as they say; `members`: the hash of its members |

use std::collections::BTreeSet;

use pfcluster_cli::report::bootstrap::led;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Decision;
use pfcluster_core::galera::bootstrap::{Action, CarriedOutBy, Policy, Reason, Seen};
use pfcluster_core::galera::{
    CleanStop, ClusterStatus, Evidence, Files, Fork, Found, Grastate, Gvwstate, LocalState, Observation, Position,
    Process, Recovered, Running, Seqno, Silence, StartFailures, Uuid, ViewId, ViewRecord, select_bootstrap,
};

use crate::Case;

pub(super) fn output(case: &Case) -> Option<Result<String, String>> {
    (case.command == "bootstrap").then(|| bootstrap(case))
}

/// The decision that a case asks for.
///
/// # Errors
/// A sentence about a line that can't be read.
pub fn decision(case: &Case) -> Result<Decision<Action, Reason>, String> {
    let seen: Vec<Seen> =
        case.input.lines().enumerate().map(|(at, line)| member(at, line)).collect::<Result<_, _>>()?;
    let hosts = |key: &str| hosts(case.value(key).unwrap_or_default());
    let one = |key: &str| case.value(key).map(host).transpose();
    let policy = Policy {
        assume_lost: hosts("lost")?.into_iter().collect::<BTreeSet<_>>(),
        discard: hosts("discard")?.into_iter().collect(),
        trust: hosts("trust")?.into_iter().collect(),
        end: BTreeSet::new(),
        seed: one("seed")?,
        standalone: case.has("standalone"),
        force: one("force")?,
        reform_failed: case.has("reform-failed"),
        split_confirmed: case.has("confirmed"),
        carried_out_by: if case.has("supervised") { CarriedOutBy::Supervisors } else { CarriedOutBy::Person },
    };
    Ok(select_bootstrap(&seen, &policy))
}

fn bootstrap(case: &Case) -> Result<String, String> {
    let decision = decision(case)?;
    let mut out = format!("{}\n", decision.action);
    for reason in &decision.reasons {
        out += &format!("  {}\n", led(reason, &decision.action));
    }
    if let Action::Bootstrap { assumes, .. } | Action::Promote { assumes, .. } = &decision.action {
        assumes.iter().for_each(|assumption| out += &format!("  assumes: {assumption}\n"));
    }
    // How a person would carry out a start is the same in every case: only those of by_hand.txt show it.
    if matches!(decision.action, Action::Wait { .. } | Action::Refuse { .. }) || case.has("steps") {
        decision.remedy.iter().for_each(|step| out += &format!("  > {step}\n"));
    }
    Ok(readable(out))
}

/// UUIDs as the letters that they stand for.
pub(super) fn readable(mut text: String) -> String {
    for letter in LETTERS.chars() {
        text = text.replace(&uuid(letter).to_string(), &letter.to_string());
    }
    text.replace(".example.com", "")
}

const LETTERS: &str = "ABCDvx";

fn uuid(letter: char) -> Uuid {
    let byte = u128::from(letter as u8);
    Uuid::from_u128(byte << 120 | 0x11f1_8000 << 48 | byte)
}

fn node(number: u32) -> Uuid {
    Uuid::from_u128(u128::from(number) << 96 | 0x11f1_8000 << 32)
}

pub(super) fn host(name: &str) -> Result<Hostname, String> {
    format!("{name}.example.com").parse().map_err(|error| format!("{name}: {error}"))
}

pub(super) fn hosts(names: &str) -> Result<Vec<Hostname>, String> {
    names.split(',').filter(|name| !name.is_empty()).map(host).collect()
}

/// What is said of a member, word by word.
struct Said<'a>(Vec<&'a str>);

impl<'a> Said<'a> {
    fn has(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    fn all(&self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter_map(move |word| word.strip_prefix(key)?.strip_prefix('='))
    }

    fn value(&self, key: &'a str) -> Option<&'a str> {
        self.all(key).next()
    }

    fn number(&self, key: &'a str) -> Result<Option<i64>, String> {
        self.value(key).map(|value| value.parse().map_err(|_| format!("{key}={value} is no number"))).transpose()
    }

    /// `A:1204`, if it is there.
    fn position(&self) -> Result<Option<(Uuid, i64)>, String> {
        let is_position = |word: &&&str| word.as_bytes().get(1) == Some(&b':');
        self.0.iter().find(is_position).map(|word| place(word)).transpose()
    }
}

fn place(word: &str) -> Result<(Uuid, i64), String> {
    let (letter, number) = word.split_once(':').ok_or(format!("`{word}` is no position"))?;
    let letter = letter.chars().next().filter(|letter| LETTERS.contains(*letter)).ok_or(format!("`{word}`: A to D"))?;
    Ok((uuid(letter), number.parse().map_err(|_| format!("`{word}` has no number"))?))
}

/// One line.
pub(super) fn member(at: usize, line: &str) -> Result<Seen, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (&[name, state], rest) = words.split_first_chunk::<2>().ok_or(format!("`{line}` says too little"))?;
    let said = Said(rest.to_vec());
    known_words(&said)?;
    let enabled = !said.has("disabled");
    let silence = match state {
        "unknown" => Some(Silence::NotAsked),
        "silent" => Some(Silence::NoAnswer),
        "refused" => Some(Silence::Refused),
        "garbled" => Some(Silence::Garbled("it is no JSON".into())),
        "twice" => {
            let why = format!("two files of {} that differ, and no clock tells which is newer", host(name)?);
            Some(Silence::NotCounted(why.into()))
        }
        _ => None,
    };
    let observation = match silence {
        Some(silence) => Observation::Unknown(silence),
        None => Observation::Known(Box::new(evidence(at, state, &said)?)),
    };
    Ok(Seen { host: host(name)?, enabled, observation })
}

/// A misspelt word must not pass for silence.
fn known_words(said: &Said<'_>) -> Result<(), String> {
    const PLAIN: &str = " synced donor joining joined initialized inconsistent zero torn nograstate marker unsynced empty ranalone \
                         maintenance arbitrator disabled nofiles ";
    const KEYS: &str = " flag view node floor alone last clean recorded recovered fork failed supervised joined sees stranger \
                        disables members ";
    let is_known = |word: &&str| match word.split_once('=') {
        Some((key, _)) => KEYS.contains(&format!(" {key} ")),
        None => word.contains(':') || PLAIN.contains(&format!(" {word} ")),
    };
    match said.0.iter().find(|word| !is_known(word)) {
        Some(word) => Err(format!("`{word}` is no word of these cases")),
        None => Ok(()),
    }
}

fn evidence(at: usize, state: &str, said: &Said<'_>) -> Result<Evidence, String> {
    let process = match state {
        "stopped" | "crashed" => Process::Stopped,
        "starting" => Process::Starting,
        "bootstrapping" => Process::Bootstrapping,
        "mute" => Process::NotResponding,
        "primary" => Process::Running(running(ClusterStatus::Primary, LocalState::Synced, said)?),
        "nonprimary" => Process::Running(running(ClusterStatus::NonPrimary, LocalState::Initialized, said)?),
        "disconnected" => Process::Running(running(ClusterStatus::Disconnected, LocalState::Initialized, said)?),
        other => return Err(format!("`{other}` is nothing that a database does")),
    };
    Ok(Evidence {
        process,
        files: if said.has("nofiles") { None } else { Some(files(at, state, said)?) },
        maintenance: said.has("maintenance"),
        arbitrator: said.has("arbitrator"),
        disabled: hosts(said.value("disables").unwrap_or_default())?,
        members_hash: said.value("members").map(Into::into),
    })
}

fn running(status: ClusterStatus, usual: LocalState, said: &Said<'_>) -> Result<Running, String> {
    const STATES: [(&str, LocalState); 6] = [
        ("initialized", LocalState::Initialized),
        ("joining", LocalState::Joining),
        ("donor", LocalState::Donor),
        ("joined", LocalState::Joined),
        ("synced", LocalState::Synced),
        ("inconsistent", LocalState::Inconsistent),
    ];
    let (uuid, last_committed) = said.position()?.unwrap_or((Uuid::ZERO, -1));
    let sees = hosts(said.value("sees").unwrap_or_default())?;
    Ok(Running {
        uuid: if said.has("zero") { Uuid::ZERO } else { uuid },
        status,
        state: STATES.iter().find(|(name, _)| said.has(name)).map_or(usual, |(_, state)| *state),
        size: u32::try_from(sees.len()).unwrap_or(0),
        last_committed,
        sees,
        sees_others: said.all("stranger").map(Into::into).collect(),
    })
}

fn files(at: usize, state: &str, said: &Said<'_>) -> Result<Files, String> {
    let position = said.position()?;
    let clean = state == "stopped";
    let safe_to_bootstrap = said.number("flag")?.or(Some(0)).map(|flag| flag == 1);
    let (uuid, seqno) = match position {
        _ if said.has("zero") => (Uuid::ZERO, -1),
        Some((uuid, seqno)) if clean => (uuid, seqno),
        Some((uuid, _)) => (uuid, -1),
        None => (Uuid::ZERO, -1),
    };
    let empty = said.has("empty");
    let grastate = match () {
        () if said.has("torn") => Found::Torn("line 4 has no end".into()),
        () if said.has("nograstate") || empty => Found::Absent,
        () => Found::Read(Grastate { uuid, seqno, safe_to_bootstrap }),
    };
    let recovered = match (said.value("recovered"), position) {
        (Some("no"), _) => Recovered::NotRun,
        (Some("failed"), _) => Recovered::Failed("the server did not start".into()),
        (Some("none"), _) => Recovered::NoHistory,
        (Some(word), _) => {
            let (uuid, seqno) = place(word)?;
            Recovered::At(Position::new(uuid, seqno).ok_or(format!("`{word}` is no position"))?)
        }
        (None, Some((uuid, seqno))) if matches!(state, "crashed" | "stopped" | "starting") => {
            Position::new(uuid, seqno).map_or(Recovered::NotRun, Recovered::At)
        }
        (None, None) if said.has("marker") => Recovered::NoHistory,
        (None, _) => Recovered::NotRun,
    };
    let mut files = Files {
        grastate,
        gvwstate: said.value("view").map_or(Ok(Found::Absent), |view| gvwstate(at, view, said))?,
        recovered,
        sst_marker: said.has("marker"),
        unsynced_transfer: said.has("unsynced"),
        datadir_empty: empty,
        ..Files::default()
    };
    records(&mut files, position, said)?;
    Ok(files)
}

fn gvwstate(at: usize, view: &str, said: &Said<'_>) -> Result<Found<Gvwstate>, String> {
    if view == "torn" {
        return Ok(Found::Torn("it has no `#vwend`".into()));
    }
    let wrong = || format!("`view={view}`: write `view=5{{1,2}}`");
    let (name, members) = view.strip_suffix('}').and_then(|view| view.split_once('{')).ok_or_else(wrong)?;
    let (letter, seq) = name.strip_prefix('x').map_or(('v', name), |seq| ('x', seq));
    let numbers = members.split(',').map(|number| number.parse().map_err(|_| wrong()));
    let mut members = numbers.map(|number| number.map(node)).collect::<Result<Vec<Uuid>, String>>()?;
    members.sort();
    let place = u32::try_from(at).unwrap_or(0) + 1;
    let own = said.number("node")?.and_then(|number| u32::try_from(number).ok()).unwrap_or(place);
    let view = ViewId { uuid: uuid(letter), seq: seq.parse().map_err(|_| wrong())? };
    Ok(Found::Read(Gvwstate { my_uuid: node(own), view, bootstrap: false, members }))
}

fn records(files: &mut Files, position: Option<(Uuid, i64)>, said: &Said<'_>) -> Result<(), String> {
    files.records.last_recorded =
        said.value("recorded").map(place).transpose()?.and_then(|(uuid, seqno)| Position::new(uuid, seqno));
    let uuid = position.map(|(uuid, _)| uuid).or(files.records.last_recorded.map(Position::uuid)).unwrap_or(Uuid::ZERO);
    let held = files.gvwstate.read().map(|gvwstate| (gvwstate.view, gvwstate.members.len()));
    let record = |floor: i64, alone: bool| {
        let (view, members) = held.unwrap_or((ViewId { uuid: Uuid::ZERO, seq: 0 }, 1));
        let size = if alone { Some(1) } else { u32::try_from(members).ok() };
        Seqno::new(floor).map(|floor| ViewRecord { view, uuid, floor, size })
    };
    files.records.view = match (said.number("floor")?, said.number("alone")?) {
        (Some(floor), _) => record(floor, false),
        (None, Some(floor)) => record(floor, true),
        (None, None) => None,
    };
    files.records.ran_standalone = said.has("ranalone");
    let stop = |key, last| -> Result<Option<CleanStop>, String> {
        let at = said.value(key).map(place).transpose()?.and_then(|(uuid, seqno)| Position::new(uuid, seqno));
        Ok(at.map(|position| CleanStop { position, last }))
    };
    files.records.clean = stop("last", true)?.or(stop("clean", false)?);
    files.records.supervised = hosts(said.value("supervised").unwrap_or_default())?;
    if let Some(count) = said.number("failed")? {
        let count = u8::try_from(count).map_err(|_| format!("failed={count} is too many"))?;
        files.records.start_failures = StartFailures { count, why: "exit status 1".into() };
    }
    files.records.joined_in_boot = said.value("joined").map(|_| Uuid::from_u128(7));
    for fork in said.all("fork") {
        let (at, id) = fork.split_once('#').unwrap_or((fork, "1"));
        let id = id.parse().map_err(|_| format!("`fork={fork}`: write `fork=A:100` or `fork=A:100#2`"))?;
        let (uuid, seqno) = place(at)?;
        let at = Position::new(uuid, seqno).ok_or_else(|| format!("`fork={fork}` is at no position"))?;
        files.records.forks.push(Fork { id, at });
    }
    Ok(())
}
