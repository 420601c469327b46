//! `pfcluster demo`: all that needs no host, on a built-in example, in a scratch directory.

#![expect(clippy::disallowed_methods, reason = "a directory of its own that it has just made")]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use clap::{Args, FromArgMatches, ValueEnum};

use super::{Cli, command_line};
use crate::host::HostError;
use crate::output::{CommandError, ExitStatus, Printer};

/// Try everything that needs no host, on a built-in example
///
/// Writes the example to a scratch directory, checks it, shows it and generates a daemon's configuration from it, then
/// checks a copy with typical mistakes in it, and brings the database back after a power cut.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The example
    #[arg(value_enum, default_value_t = Example::Guide)]
    example: Example,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Example {
    /// The three servers of the Clustering Guide
    Guide,
    /// Five members
    FiveMembers,
    /// Two sites with a network each (8.2 and later)
    TwoZones,
}

/// An example's files, and a line of its cluster.conf that a mistake is made in: what stands there, what is put there.
struct Files {
    cluster_conf: &'static str,
    pf_conf: &'static str,
    /// The members' evidence after a power cut.
    power_cut: &'static str,
    host: &'static str,
    mistakes: [(&'static str, &'static str); 3],
}

impl Example {
    fn files(self) -> Files {
        match self {
            Example::Guide => Files {
                cluster_conf: include_str!("../../examples/guide/cluster.conf"),
                pf_conf: include_str!("../../examples/guide/pf.conf"),
                power_cut: include_str!("../../examples/guide/power-cut.json"),
                host: "pf1.example.com",
                mistakes: [
                    ("[pf1.example.com]\n", "[pf1.example.com] # the first server\n"),
                    ("ip=192.168.2.6\n", "ip=192.168.2.5\n"),
                    ("[CLUSTER interface eth1.3]\nip=192.168.3.10\n", ""),
                ],
            },
            Example::FiveMembers => Files {
                cluster_conf: include_str!("../../examples/five-members/cluster.conf"),
                pf_conf: include_str!("../../examples/five-members/pf.conf"),
                power_cut: include_str!("../../examples/five-members/power-cut.json"),
                host: "nac1.corp.example",
                mistakes: [
                    ("[nac5.corp.example]\nmanagement_ip=10.0.0.15\n", ""),
                    ("ip=10.0.1.12\n", "ip=10.0.1.12 # portal\n"),
                    ("ip=10.0.2.13\n", "ip=10.0.3.13\n"),
                ],
            },
            Example::TwoZones => Files {
                cluster_conf: include_str!("../../examples/two-zones/cluster.conf"),
                pf_conf: include_str!("../../examples/two-zones/pf.conf"),
                power_cut: include_str!("../../examples/two-zones/power-cut.json"),
                host: "pf1-dc1.example.com",
                mistakes: [
                    ("[DC2 CLUSTER]\n", "[DC2 Cluster]\n"),
                    ("[DC1 pf3-dc1.example.com]\n", "[DC1 pf2-dc2.example.com]\n"),
                    ("ip=192.168.22.11\n", "ip=192.168.22.1l\n"),
                ],
            },
        }
    }
}

impl Demo {
    pub(super) fn run(&self, printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
        let files = self.example.files();
        let scratch =
            tempfile::Builder::new().prefix("pfcluster-demo-").tempdir().map_err(|error| scratch_error(&error))?;
        let root = scratch.path();
        write_files(root, &files).map_err(|error| scratch_error(&error))?;
        let broken = root.join("cluster.conf.broken");
        let text =
            files.mistakes.iter().fold(files.cluster_conf.to_owned(), |text, (from, to)| text.replacen(from, to, 1));
        fs::write(&broken, text).map_err(|error| scratch_error(&error))?;
        fs::write(root.join("power-cut.json"), files.power_cut).map_err(|error| scratch_error(&error))?;

        writeln!(printer.out, "The example, conf/cluster.conf:\n")?;
        files.cluster_conf.lines().try_for_each(|line| writeln!(printer.out, "    {line}"))?;
        let steps: [(&str, &[&str]); 5] = [
            ("Is anything wrong with it? Nothing: check is silent", &["check"]),
            ("What the members make of it", &["show"]),
            (
                "How the first member's HAProxy finds the database (`generate all --install` writes all of it)",
                &["generate", "haproxy-db", "--stdout", "--haproxy-version", "2.6"],
            ),
            (
                "Three typical mistakes in it, each of which PacketFence meets with silence",
                &["check", "cluster.conf.broken"],
            ),
            (
                "A power cut: which member may start the database, from what `pfcluster evidence` printed on each",
                &["bootstrap", "--evidence", "power-cut.json"],
            ),
        ];
        let expected = [ExitStatus::Fine, ExitStatus::Fine, ExitStatus::Fine, ExitStatus::No, ExitStatus::Fine];
        let mut as_expected = true;
        for ((title, args), expected) in steps.into_iter().zip(expected) {
            writeln!(printer.out, "\n{title}:\n\n    $ pfcluster {}\n", args.join(" "))?;
            as_expected &= step(root, files.host, args, printer)? == expected;
        }
        writeln!(
            printer.out,
            "\nWhat a finding means: `pfcluster check --explain PFC102`. Your own cluster: `pfcluster check`."
        )?;
        Ok(if as_expected { ExitStatus::Fine } else { ExitStatus::No })
    }
}

/// Runs one command as a user would, with the scratch directory for PacketFence's.
fn step(root: &Path, host: &str, args: &[&str], printer: &mut Printer<'_>) -> Result<ExitStatus, CommandError> {
    let mut full: Vec<OsString> = vec!["pfcluster".into(), args[0].into(), "--root".into(), root.into()];
    full.extend(["--host".into(), host.into()]);
    // The user stands in the scratch directory; this process may stand anywhere.
    let place = |arg: &&str| if root.join(arg).is_file() { root.join(arg).into() } else { OsString::from(arg) };
    full.extend(args[1..].iter().map(place));
    let parsed = command_line().try_get_matches_from(full);
    let parsed = parsed.and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = parsed.map_err(|error| CommandError::Usage {
        message: error.to_string(),
        help: "see `pfcluster --help`".to_owned(),
    })?;
    let mut written = Vec::new();
    let mut inner = Printer { stdin: &mut io::empty(), out: &mut written, err: &mut io::sink(), color: printer.color };
    let status = cli.run(&matches, &mut inner)?;
    let text = String::from_utf8_lossy(&written).replace(&format!("{}/", root.display()), "");
    text.lines().try_for_each(|line| writeln!(printer.out, "{}", format!("    {line}").trim_end()))?;
    Ok(status)
}

fn write_files(root: &Path, files: &Files) -> io::Result<()> {
    let conf = root.join("conf");
    fs::create_dir(&conf)?;
    fs::write(conf.join("cluster.conf"), files.cluster_conf)?;
    fs::write(conf.join("pf.conf"), files.pf_conf)
}

fn scratch_error(error: &io::Error) -> CommandError {
    CommandError::Host(HostError::Read {
        path: std::env::temp_dir(),
        reason: format!("the scratch directory can't be used: {error}"),
        help: "set TMPDIR to a directory that can be written".to_owned(),
    })
}
