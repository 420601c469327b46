//! The file of `conflict --versions`.

use std::path::Path;

use clap::ArgMatches;
use pfcluster_core::conflict::ResolveError;

use crate::commands::gather::read_input;
use crate::commands::{Global, is_given};
use crate::host::HostError;
use crate::output::{CommandError, Printer};
use crate::report::conflict::{Versions, VersionsFile};

/// The form of the file, for a person who writes one.
pub(super) const FILE_HELP: &str = "\
The versions' file, with all enabled members in the order of cluster.conf:

  {\"version\": 1, \"local\": \"pf1.example.com\", \"now\": \"1510000400\", \"members\": [
    {\"host\": \"pf1.example.com\", \"config_version\": \"1510000000.12345\"},
    {\"host\": \"pf2.example.com\", \"config_version\": null}]}

null: the member does not answer. `local` is the member that decides, `now` its time of day \
(`date +%s`); both may be left out. The version is what this prints on the member:

  cat /usr/local/pf/var/conf/config_version
  cat /usr/local/pf/var/config_version         (before PacketFence 12)

Exit status: 0 in sync, 1 conflict or nothing to compare, 2 it could not be done.";

/// The versions that a file gives.
pub(super) fn read_versions(
    path: &Path,
    global: &Global,
    matches: &ArgMatches,
    printer: &mut Printer<'_>,
) -> Result<Versions, CommandError> {
    let bytes = read_input(path, printer)?;
    let file = VersionsFile::read(&bytes).map_err(|error| content(path, error.to_string()))?;
    let me = match &file.local {
        Some(local) if !is_given(matches, "host") => local.clone(),
        _ => global.host()?,
    };
    Ok(Versions::new(me, file.now.clone(), file.into_members()))
}

/// The file's members make no decision.
pub(super) fn unfit(path: &Path, error: &ResolveError) -> CommandError {
    match error {
        ResolveError::NotAMember(_) => CommandError::Usage {
            message: format!("{}: {error}", path.display()),
            help: "name the member that decides with `--host`, or as `local` in the file".to_owned(),
        },
        _ => content(path, error.to_string()),
    }
}

fn content(path: &Path, reason: String) -> CommandError {
    let help = "see `pfcluster conflict --help` for the form of the file".to_owned();
    CommandError::Host(HostError::Content { path: path.to_owned(), reason, help })
}
