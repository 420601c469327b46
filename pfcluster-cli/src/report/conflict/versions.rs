//! The members' versions as JSON: what `conflict --versions` reads (schemas/versions.json).

use pfcluster_core::cluster::Hostname;
use pfcluster_core::conflict::{ConfigVersion, Reply};
use pfcluster_core::printable::printable;
use serde::{Deserialize, Deserializer, de};

/// What the members say, as far as it is shown or decided upon.
#[derive(Debug)]
pub struct Versions {
    /// The member that decides.
    pub me: Hostname,
    /// Its time of day.
    pub now: Option<ConfigVersion>,
    /// All enabled members, in order.
    pub replies: Vec<(Hostname, Reply)>,
    /// What the members said in so many words, in the same order.
    pub texts: Vec<Option<String>>,
}

impl Versions {
    /// What each of the members says, in order; `None` for one that does not answer.
    pub fn new(me: Hostname, now: Option<ConfigVersion>, members: Vec<(Hostname, Option<String>)>) -> Versions {
        let reply = |text: &Option<String>| text.as_deref().map_or(Reply::Unreachable, Reply::of_text);
        let replies = members.iter().map(|(host, text)| (host.clone(), reply(text))).collect();
        Versions { me, now, replies, texts: members.into_iter().map(|(_, text)| text).collect() }
    }
}

/// Why a text is no file of versions.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VersionsError {
    /// Not the JSON of versions; says where.
    #[error("{}", printable(.0.to_string().as_bytes()))]
    Json(#[from] serde_json::Error),
    /// A form that this program does not know.
    #[error("`version` is {0}, but this program knows only 1")]
    Version(u64),
}

/// The file of `--versions`. What is not known is refused: a misspelt field would be a member that does not answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionsFile {
    version: u64,
    /// The member that decides, if the file says it.
    #[serde(default, deserialize_with = "parsed")]
    pub local: Option<Hostname>,
    /// Its time of day.
    #[serde(default, deserialize_with = "parsed")]
    pub now: Option<ConfigVersion>,
    members: Vec<MemberEntry>,
}

impl VersionsFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`VersionsError`], with the place.
    pub fn read(text: &[u8]) -> Result<VersionsFile, VersionsError> {
        let file: VersionsFile = serde_json::from_slice(text)?;
        if file.version == 1 { Ok(file) } else { Err(VersionsError::Version(file.version)) }
    }

    /// What each member says, in order.
    pub fn into_members(self) -> Vec<(Hostname, Option<String>)> {
        self.members.into_iter().map(|member| (member.host, member.config_version)).collect()
    }
}

#[derive(Debug, Deserialize)]
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
