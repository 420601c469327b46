//! The file of `conflict --versions`.

use std::path::Path;

use clap::ArgMatches;
use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::{ConfigVersion, Reply, ResolveError};
use serde::{Deserialize, Deserializer, de};

use crate::commands::gather::read_input;
use crate::commands::{Global, is_given};
use crate::host::HostError;
use crate::report::conflict::Versions;
use crate::run::{CommandError, Printer};

/// The form of the file, for a person who writes one.
pub(super) const FILE_HELP: &str = "\
The versions' file, with all enabled members in the order of cluster.conf:

  {\"version\": 1, \"local\": \"pf1.example.com\", \"now\": \"1510000400\", \"members\": [
    {\"host\": \"pf1.example.com\", \"config_version\": \"1510000000.12345\"},
    {\"host\": \"pf2.example.com\", \"config_version\": null}]}

null: the member does not answer. `local` is the member that decides, `now` its time of day
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
    let file: VersionsFile = serde_json::from_slice(&bytes).map_err(|error| content(path, error.to_string()))?;
    if file.version != 1 {
        return Err(content(path, format!("`version` is {}, but this program knows only 1", file.version)));
    }
    let me = match file.local {
        Some(local) if !is_given(matches, "host") => local,
        _ => global.host()?,
    };
    let reply = |text: &Option<String>| text.as_deref().map_or(Reply::Unreachable, Reply::of_text);
    let replies = file.members.iter().map(|member| (member.host.clone(), reply(&member.config_version))).collect();
    let texts = file.members.into_iter().map(|member| member.config_version).collect();
    Ok(Versions { me, now: file.now, replies, texts })
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

/// The file of `--versions`; described in schemas/versions.json. What is not known is refused: a misspelt field would be
/// a member that does not answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VersionsFile {
    version: u64,
    #[serde(default, deserialize_with = "parsed")]
    local: Option<Hostname>,
    #[serde(default, deserialize_with = "parsed")]
    now: Option<ConfigVersion>,
    members: Vec<MemberEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberEntry {
    #[serde(deserialize_with = "host")]
    host: Hostname,
    // With a function of its own the field must be there, be it null.
    #[serde(deserialize_with = "Option::deserialize")]
    config_version: Option<String>,
}

fn host<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hostname, D::Error> {
    parse(&String::deserialize(deserializer)?)
}

fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    Option::<String>::deserialize(deserializer)?.map(|text| parse(&text)).transpose()
}

fn parse<T, E>(text: &str) -> Result<T, E>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
    E: de::Error,
{
    text.parse().map_err(|error| E::custom(format!("`{}`: {error}", text.escape_debug())))
}
