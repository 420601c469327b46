//! Every word over an alphabet, judged, on all cores.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::bootstrap::{Action, Policy, Seen};
use pfcluster_core::galera::{Evidence, Found, Observation, Process, Recovered, Uuid, select_bootstrap};
use pfcluster_testing::laws;

/// For each member, the evidence that it can give.
pub(crate) type Columns = Vec<Vec<Seen>>;

/// What an enumeration found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// How many states were decided.
    pub(crate) states: usize,
    /// How often each kind of answer came.
    pub(crate) answers: BTreeMap<String, usize>,
    /// For each law and kind of answer that breaks it: how often, and the first state.
    pub(crate) violations: BTreeMap<String, (usize, String)>,
}

impl Findings {
    pub(crate) fn add(&mut self, other: Findings) {
        self.states += other.states;
        other.answers.into_iter().for_each(|(kind, count)| *self.answers.entry(kind).or_default() += count);
        for (key, (count, first)) in other.violations {
            self.violations.entry(key).and_modify(|known| known.0 += count).or_insert((count, first));
        }
    }

    pub(crate) fn report(&self, name: &str) {
        println!("{name}: {} states", self.states);
        self.answers.iter().for_each(|(kind, count)| println!("  {count:>10} {kind}"));
        let mut text = String::new();
        for (key, (count, first)) in &self.violations {
            let _ = writeln!(text, "{count} times {key}\n{first}");
        }
        assert!(text.is_empty(), "{name}:\n{text}");
    }
}

/// Decides and judges every state of `columns` with every policy.
pub(crate) fn every_state(columns: &Columns, policies: &[Policy]) -> Findings {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Findings::default());
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        for _ in 0..threads {
            scope.spawn(|| {
                let mut columns = columns.clone();
                let mut seen: Vec<Seen> = columns.iter().map(|column| column[0].clone()).collect();
                let mut own = Findings::default();
                loop {
                    let first = next.fetch_add(1, Ordering::Relaxed);
                    if first >= columns[0].len() {
                        break;
                    }
                    seen[0] = columns[0][first].clone();
                    below(1, &mut columns, &mut seen, policies, &mut own);
                }
                found.lock().expect("no thread panics while it holds the lock").add(own);
            });
        }
    });
    found.into_inner().expect("all threads are done")
}

fn below(at: usize, columns: &mut Columns, seen: &mut Vec<Seen>, policies: &[Policy], found: &mut Findings) {
    if at == seen.len() {
        policies.iter().for_each(|policy| judge(seen, policy, found));
        return;
    }
    for letter in 0..columns[at].len() {
        std::mem::swap(&mut seen[at], &mut columns[at][letter]);
        below(at + 1, columns, seen, policies, found);
        std::mem::swap(&mut seen[at], &mut columns[at][letter]);
    }
}

pub(crate) fn judge(seen: &[Seen], policy: &Policy, found: &mut Findings) {
    let decision = select_bootstrap(seen, policy);
    found.states += 1;
    let kind = kind(&decision.action);
    match found.answers.get_mut(kind) {
        Some(count) => *count += 1,
        None => drop(found.answers.insert(kind.to_owned(), 1)),
    }
    let judged = laws::check(seen, policy, &decision).and_then(|()| laws::check_alive(seen, policy, &decision, false));
    if let Err(violation) = judged {
        let key = format!("{} / {kind}", violation.law);
        let entry = found.violations.entry(key).or_insert_with(|| (0, String::new()));
        entry.0 += 1;
        if entry.0 == 1 {
            entry.1 = format!("  {}\n  {}\n{}", violation.what, decision.action, shown(seen, policy));
        }
    }
}

/// The states, one member a line, in few words.
pub(crate) fn shown(seen: &[Seen], policy: &Policy) -> String {
    let mut text = String::new();
    if *policy != Policy::default() {
        let _ = writeln!(text, "  {policy:?}");
    }
    for one in seen {
        let enabled = if one.enabled { "" } else { " (disabled)" };
        let what = match &one.observation {
            Observation::Unknown(_) => "unknown".to_owned(),
            Observation::Known(evidence) => short(evidence),
        };
        let _ = writeln!(text, "  {}{enabled}: {what}", one.host);
    }
    text
}

fn short(evidence: &Evidence) -> String {
    let letter = |uuid: Uuid| uuid.to_string()[..2].to_uppercase();
    let mut text = match &evidence.process {
        Process::Running(running) => {
            let sees: Vec<&str> = running.sees.iter().map(Hostname::as_str).collect();
            let (uuid, at) = (letter(running.uuid), running.last_committed);
            format!("{:?} {:?} {uuid}:{at} sees {}", running.status, running.state, sees.join(","))
        }
        other => format!("{other:?}"),
    };
    for (is, word) in [(evidence.maintenance, "maintenance"), (evidence.arbitrator, "arbitrator")] {
        if is {
            let _ = write!(text, ", {word}");
        }
    }
    if !evidence.disabled.is_empty() {
        let _ = write!(text, ", disables {:?}", evidence.disabled);
    }
    let Some(files) = &evidence.files else { return text + ", no files" };
    let _ = match &files.grastate {
        Found::Absent => write!(text, ", no grastate"),
        Found::Torn(_) => write!(text, ", grastate torn"),
        Found::Read(g) => write!(text, ", grastate {}:{} flag {:?}", letter(g.uuid), g.seqno, g.safe_to_bootstrap),
    };
    let _ = match &files.gvwstate {
        Found::Absent => Ok(()),
        Found::Torn(_) => write!(text, ", view torn"),
        Found::Read(view) => {
            let nodes: Vec<String> = view.members.iter().map(|node| node.to_string()[7..8].to_owned()).collect();
            let own = if view.members.contains(&view.my_uuid) { "" } else { " of another life" };
            write!(text, ", view {}#{}{{{}}}{own}", letter(view.view.uuid), view.view.seq, nodes.join(","))
        }
    };
    let _ = match &files.recovered {
        Recovered::At(position) => write!(text, ", recovered {}:{}", letter(position.uuid()), position.seqno()),
        other => write!(text, ", recovered {other:?}"),
    };
    for (is, word) in
        [(files.sst_marker, "marker"), (files.unsynced_transfer, "unsynced"), (files.datadir_empty, "empty")]
    {
        if is {
            let _ = write!(text, ", {word}");
        }
    }
    let records = &files.records;
    if let Some(view) = records.view {
        let _ = write!(text, ", recorded view #{} floor {} size {:?}", view.view.seq, view.floor, view.size);
    }
    if let Some(position) = records.last_recorded {
        let _ = write!(text, ", recorded {}:{}", letter(position.uuid()), position.seqno());
    }
    for fork in &records.forks {
        let _ = write!(text, ", fork {} at {}:{}", fork.id, letter(fork.at.uuid()), fork.at.seqno());
    }
    if let Some(clean) = records.clean {
        let _ = write!(text, ", stopped cleanly at {} last {}", clean.position.seqno(), clean.last);
    }
    if records.start_failures.count > 0 || !records.supervised.is_empty() {
        let _ = write!(text, ", {} failures, supervised {:?}", records.start_failures.count, records.supervised);
    }
    if records.ran_standalone {
        text.push_str(", ran alone");
    }
    text
}

/// The name of an answer, with what was refused and why.
pub(crate) fn kind(action: &Action) -> &'static str {
    use pfcluster_core::galera::bootstrap::Problem as P;
    match action {
        Action::Standalone { .. } => "Standalone",
        Action::Join { .. } => "Join",
        Action::Reform { .. } => "Reform",
        Action::Bootstrap { .. } => "Bootstrap",
        Action::Promote { .. } => "Promote",
        Action::Fresh { .. } => "Fresh",
        Action::Seed { .. } => "Seed",
        Action::Wait { .. } => "Wait",
        Action::Refuse { problem } => match problem {
            P::NoMembers => "Refuse NoMembers",
            P::MembersDiffer { .. } => "Refuse MembersDiffer",
            P::OneSidedDisable { .. } => "Refuse OneSidedDisable",
            P::SplitBrain { .. } => "Refuse SplitBrain",
            P::ZeroUuid { .. } => "Refuse ZeroUuid",
            P::StandaloneHistory { .. } => "Refuse StandaloneHistory",
            P::DivergentHistories { .. } => "Refuse DivergentHistories",
            P::TwoLastViews { .. } => "Refuse TwoLastViews",
            P::SeveralSafeToBootstrap { .. } => "Refuse SeveralSafeToBootstrap",
            P::Regression { .. } => "Refuse Regression",
            P::NoCandidate { .. } => "Refuse NoCandidate",
            P::UnsafeHoldsMore { .. } => "Refuse UnsafeHoldsMore",
            P::Diverged { .. } => "Refuse Diverged",
            P::DisabledHoldsMore { .. } => "Refuse DisabledHoldsMore",
            P::Unfit { .. } => "Refuse Unfit",
            _ => "Refuse",
        },
        _ => "new",
    }
}
