//! `pfcluster node`: which members this server counts in.

use clap::{ArgMatches, Args, ValueEnum};
use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::document::Document;
use pfcluster_core::span::Source;
use pfcluster_guide::maintenance::services_that_count_members;
use serde::Serialize;

use super::names::{named, usage};
use super::{AnswerFormat, Global};
use crate::host::marks;
use crate::output::{CommandError, ExitStatus, Printer};
use crate::report::json;

/// Show, disable or re-enable members on this server
///
/// A server that disables another one works as if it were not there, as PacketFence's `bin/cluster/node` has it. Each server
/// decides for itself: repeat it on every server that should ignore that member.
#[derive(Debug, Args)]
#[command(after_long_help = HELP)]
pub(crate) struct Node {
    /// A member [default: all of them]
    #[arg(value_name = "HOST")]
    first: Option<String>,
    /// `disable` or `enable`; it may also stand before HOST
    #[arg(value_name = "CHANGE", requires = "first")]
    second: Option<String>,
    /// Output format
    #[arg(short = 'f', long, value_enum, default_value_t = AnswerFormat::Text)]
    pub(super) format: AnswerFormat,
}

const HELP: &str = "\
Nothing is restarted: running services keep the old member list until they are restarted.

Exit status: 0 done, 2 it could not be done (no such member, disabling oneself, no permission).";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Change {
    /// Use it again
    Enable,
    /// Ignore it
    Disable,
}

impl Node {
    /// The member, and what is to become of it.
    fn asked(&self) -> Result<(Option<&str>, Option<Change>), CommandError> {
        let change = |word: &str| Change::from_str(word, false).ok();
        match (self.first.as_deref(), self.second.as_deref()) {
            (first, None) | (None, first) => Ok((first, None)),
            (Some(first), Some(second)) => match (change(first), change(second)) {
                (_, Some(change)) => Ok((Some(first), Some(change))),
                (Some(change), None) => Ok((Some(second), Some(change))),
                (None, None) => Err(usage(
                    format!("`{}` is neither `disable` nor `enable`", second.escape_debug()),
                    format!("`pfcluster node {first} disable`, for one"),
                )),
            },
        }
    }

    pub(super) fn run(
        &self,
        global: &Global,
        _matches: &ArgMatches,
        printer: &mut Printer<'_>,
    ) -> Result<ExitStatus, CommandError> {
        let (member, change) = self.asked()?;
        let root = global.root();
        let text = root.read_required(Source::ClusterConf)?;
        let cluster = Cluster::from_document(&Document::parse(Source::ClusterConf, &text).value).value;
        let all: Vec<&Hostname> = cluster.members().map(|member| &member.host).collect();
        let shown = match member {
            Some(name) => vec![named(name, &all)?.ok_or_else(|| unknown(name, &all))?],
            None => all.into_iter().cloned().collect(),
        };
        let mut changed = false;
        if let (Some(change), [host]) = (change, &shown[..]) {
            let before = root.disabled_members()?.contains(host);
            let mark = marks::disabled(host);
            match change {
                Change::Disable if *host == global.host()? => return Err(oneself(host)),
                Change::Disable => marks::set(&root, &mark)?,
                Change::Enable => marks::clear(&root, &mark)?,
            }
            changed = before != (change == Change::Disable);
        }
        let disabled = root.disabled_members()?;
        match self.format {
            AnswerFormat::Json => {
                let members = shown.iter().map(|host| Counted { host, enabled: !disabled.contains(host) });
                writeln!(printer.out, "{}", json::versioned(Counting { members: members.collect(), changed }))?;
            }
            // PacketFence's line, with its blank at the end; and a change without a word.
            AnswerFormat::Text if change.is_none() => {
                for host in &shown {
                    let state = if disabled.contains(host) { "disabled" } else { "enabled" };
                    writeln!(printer.out, "Node {host} is currently {state} ")?;
                }
            }
            AnswerFormat::Text => {}
        }
        if changed {
            let services = services_that_count_members(global.version(&root)?);
            writeln!(
                printer.err,
                "hint: to apply it, restart these, one after the other (`pfcmd service NAME restart`): {}",
                services.join(", ")
            )?;
        }
        Ok(ExitStatus::Fine)
    }
}

fn unknown(name: &str, all: &[&Hostname]) -> CommandError {
    let members: Vec<&str> = all.iter().map(|host| host.as_str()).collect();
    CommandError::Usage {
        message: format!("`{}` is not a member of the cluster", name.escape_debug()),
        help: match members[..] {
            [] => "cluster.conf has no members: see `pfcluster check`".to_owned(),
            _ => format!("the members are {}", members.join(", ")),
        },
    }
}

/// PacketFence lets it happen, and then takes itself for the last server of cluster.conf.
fn oneself(host: &Hostname) -> CommandError {
    CommandError::Usage {
        message: format!("cannot disable the local server ({host})"),
        help: "run it on the other members; to take this server out of service, `pfcluster maintenance --activate`"
            .to_owned(),
    }
}

/// As schemas/node.json says.
#[derive(Serialize)]
struct Counting<'n> {
    members: Vec<Counted<'n>>,
    changed: bool,
}

#[derive(Serialize)]
struct Counted<'n> {
    host: &'n Hostname,
    enabled: bool,
}
