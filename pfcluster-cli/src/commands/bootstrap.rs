//! `pfcluster bootstrap`: which member may start the database after an outage, and why.

use std::path::PathBuf;

use clap::{ArgMatches, Args};
use jiff::Timestamp;
use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::galera::bootstrap::Action;
use pfcluster_core::galera::{Policy, select_bootstrap};
use pfcluster_core::installation::Installation;

use super::gather::{gather, read_input};
use super::names::Names;
use super::{AnswerFormat, Global};
use crate::documents::evidence::{self, AgeLimit, MemberEvidence, Several, members_by_name};
use crate::host::HostError;
use crate::host::evidence::{self as host_evidence, Question, Recovery, Taken};
use crate::host::supervise::control::{self, Request};
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::bootstrap::{self as report, Shown};

/// Which member may start the database after an outage, and why
///
/// Decides from the members' evidence (guide 4.2, 4.3, 5), says why, why each other member lost, and what to do where it
/// waits or refuses. It changes nothing. A member that has not reported is unknown, not down.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct Bootstrap {
    /// A cluster.conf [default: that of ROOT]; `-` is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// What `pfcluster evidence` printed on the members; `-` is standard input [default: what this member's supervisor
    /// knows of all; without one this member's own, and nothing is known of the others]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    evidence: Vec<PathBuf>,
    /// Evidence of a file that is older does not count, and its member is unknown: `90s`, `30m`, `2h`, `1d`
    #[arg(long, value_name = "AGE", default_value = "1h", value_parser = max_age, requires = "evidence")]
    max_age: u32,
    /// Members that are permanently lost (preview of the decision without them)
    #[arg(long, value_name = "HOST", num_args = 1.., value_delimiter = ',')]
    assume_lost: Vec<String>,
    /// Members whose data are discarded (preview)
    #[arg(long, value_name = "HOST", num_args = 1.., value_delimiter = ',')]
    discard: Vec<String>,
    /// Members whose recovered position is trusted, although grastate.dat has the zero UUID, is damaged or is missing
    /// (preview)
    #[arg(long, value_name = "HOST", num_args = 1.., value_delimiter = ',')]
    trust: Vec<String>,
    /// Force bootstrap from this member, as by `pf-mariadb --force-new-cluster`: transactions that only others have are
    /// lost (preview)
    #[arg(long, value_name = "HOST")]
    force: Option<String>,
    /// Start a new cluster from the data of this member, which never was in one (guide 3.4; preview)
    #[arg(long, value_name = "HOST", conflicts_with = "force")]
    seed: Option<String>,
    /// Keep the data of the member that ran without Galera (preview)
    #[arg(long)]
    standalone: bool,
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

const HELP: &str = "\
To get the evidence, run this on each member, and bring the files to one place:

  pfcluster evidence > $(hostname).json

Evidence counts if it is not older than `--max-age`, and at most 5 minutes in the future. Files that are \
all of one gathering (one token, `gathering`, as in what a supervisor knows of all members) count whatever \
their clock says. Of two files of one member the newer counts, if both are of one boot or one gathering; \
if not, and they differ, neither does. A member whose evidence does not count is unknown.

Two primary components that are in two files of each of their members, 16 seconds apart, are a split \
brain.

Exit status: 0 there is something to do or everything is in service, 1 wait or refuse, 2 it could not \
be done.";

impl Bootstrap {
    pub(super) fn run(
        &self,
        global: &Global,
        matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let gathered = gather(global, matches, self.file.as_deref(), printer)?;
        let installation = Installation::read(gathered.texts(), &gathered.situation);
        let cluster = &installation.cluster;
        let me = gathered.situation.me.as_ref();
        let names = Names::of(cluster, &gathered.situation)?;
        let members: Vec<Hostname> = names.hosts().cloned().collect();
        let now = Timestamp::now().as_second();
        let evidence = if self.evidence.is_empty() {
            self.own(global, cluster, &members, printer)?
        } else {
            let age_limit = Some(AgeLimit { now, most: self.max_age });
            Several { all: self.read(cluster, &members, printer)?, age_limit }
        };
        if evidence.counts_by_gathering_only() {
            writeln!(
                printer.err,
                "note: by its clock this evidence is older than `--max-age`, or from the future; it counts, as it is all of one \
                 gathering: give newer evidence if a database has run since"
            )?;
        }
        let disabled =
            me.and_then(|me| evidence.disabled_by(me)).unwrap_or_else(|| gathered.situation.disabled.clone());
        let seen = evidence.seen(&members, &disabled);
        let split_confirmed = evidence.confirms_split(&members, &disabled);
        let policy = Policy { split_confirmed, ..self.words(&names)? };
        let decision = select_bootstrap(&seen, &policy);
        let age = |host| Some(now.saturating_sub(evidence.newest(host)?.taken.seconds()?));
        let shown: Vec<Shown<'_>> = seen.iter().map(|seen| Shown { seen, age: age(&seen.host) }).collect();
        match self.format {
            AnswerFormat::Json => writeln!(printer.out, "{}", report::json(&decision, &shown))?,
            AnswerFormat::Text => report::text(&decision, &shown, printer.color, printer.out)?,
        }
        Ok(match decision.action {
            Action::Wait { .. } | Action::Refuse { .. } => ExitStatus::No,
            _ => ExitStatus::Fine,
        })
    }

    /// What the operator says.
    fn words(&self, names: &Names<'_>) -> Result<Policy, CommandError> {
        let all = |list: &[String]| list.iter().map(|name| names.find(name)).collect::<Result<_, _>>();
        let one = |name: &Option<String>| name.as_ref().map(|name| names.find(name)).transpose();
        Ok(Policy {
            assume_lost: all(&self.assume_lost)?,
            discard: all(&self.discard)?,
            trust: all(&self.trust)?,
            force: one(&self.force)?,
            seed: one(&self.seed)?,
            standalone: self.standalone,
            ..Policy::default()
        })
    }

    /// Without any evidence given, what this machine knows.
    fn own(
        &self,
        global: &Global,
        cluster: &Cluster,
        members: &[Hostname],
        printer: &mut Printer<'_>,
    ) -> Result<Several, CommandError> {
        let host = global.host()?;
        if self.file.is_some() || !members.contains(&host) {
            return Err(CommandError::Usage {
                message: "there is no evidence to decide from".to_owned(),
                help: "name what `pfcluster evidence --recover` printed on the members with `--evidence FILE...`"
                    .to_owned(),
            });
        }
        if let Some(known) = from_supervisor(global, cluster, members, printer)? {
            return Ok(known);
        }
        let root = global.root();
        let settings = global.database(&root)?;
        let question =
            Question { root: &root, cluster, settings: &settings, limit: global.timeout(), recovery: Recovery::Leave };
        let gathered = host_evidence::gather(&question, members_by_name(cluster), &mut |_| ())?;
        writeln!(
            printer.err,
            "note: this is what {host} knows by itself; give the others' evidence with `--evidence FILE...`"
        )?;
        gathered.notes.iter().try_for_each(|note| writeln!(printer.err, "note: {}: {}", note.message, note.help))?;
        let own = MemberEvidence { host, taken: Taken::now(), source: None, evidence: gathered.evidence };
        Ok(Several { all: vec![own], age_limit: None })
    }

    fn read(
        &self,
        cluster: &Cluster,
        members: &[Hostname],
        printer: &mut Printer<'_>,
    ) -> Result<Vec<MemberEvidence>, CommandError> {
        let mut all = Vec::new();
        for path in &self.evidence {
            let content = |reason: String, help: &str| {
                CommandError::Host(HostError::Content { path: path.clone(), reason, help: help.to_owned() })
            };
            let text = read_input(path, printer)?;
            let read = evidence::read(&text, members_by_name(cluster)).map_err(|error| {
                content(error.to_string(), "take the evidence again with `pfcluster evidence --recover`")
            })?;
            if let Some(other) = read.iter().find(|one| !members.contains(&one.host)) {
                let reason = format!("{} is no database member of cluster.conf", other.host);
                return Err(content(reason, "name the right install directory with `--root`, or leave the file out"));
            }
            let source = path.display().to_string();
            all.extend(read.into_iter().map(|one| MemberEvidence { source: Some(source.as_str().into()), ..one }));
        }
        Ok(all)
    }
}

/// Seconds of an age like `90s`, `30m`, `2h`, `1d`.
fn max_age(text: &str) -> Result<u32, &'static str> {
    const FORM: &str = "write it like 90s, 30m, 2h or 1d";
    let unit = match text.bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3600,
        Some(b'd') => 86_400,
        _ => return Err(FORM),
    };
    let number = &text[..text.len() - 1];
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u32 = number.parse().ok().filter(|_| is_number).ok_or(FORM)?;
    number.checked_mul(unit).ok_or("it is too long: leave the evidence out instead, or take it again")
}

/// What this machine's supervisor knows of all members. `None` if there is none, or it is another cluster's.
fn from_supervisor(
    global: &Global,
    cluster: &Cluster,
    members: &[Hostname],
    printer: &mut Printer<'_>,
) -> Result<Option<Several>, CommandError> {
    let text = match control::ask(&global.run_directory, &Request::Evidence) {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(None),
        Err(error) => {
            writeln!(printer.err, "note: {error}: {}", error.help())?;
            return Ok(None);
        }
    };
    let known = evidence::read(text.as_bytes(), members_by_name(cluster)).unwrap_or_default();
    let is_ours = !known.is_empty() && known.iter().all(|one| members.contains(&one.host));
    if is_ours {
        writeln!(printer.err, "note: this is what the supervisor knows; `pfcluster mariadb status` says what it does")?;
    }
    // It was gathered at this moment.
    Ok(is_ours.then_some(Several { all: known, age_limit: None }))
}
