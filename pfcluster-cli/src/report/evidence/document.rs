//! The document: its fields and their words.

mod read;
mod records;
mod write;

pub(super) use self::records::RecordsDocument;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::Uuid;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};

use crate::host::evidence::Note;

/// One member's evidence, as schemas/evidence.json has it. What is not known is refused: a misspelt field would be
/// evidence that is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each tells of another thing")]
pub struct EvidenceDocument {
    // Left out inside a document of several members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(deserialize_with = "parsed")]
    host: Hostname,
    #[serde(default)]
    taken_at: Option<String>,
    #[serde(default, deserialize_with = "option_parsed")]
    boot_id: Option<Uuid>,
    #[serde(default, deserialize_with = "option_parsed")]
    gathering: Option<Uuid>,
    #[serde(default)]
    maintenance: bool,
    #[serde(default)]
    arbitrator: bool,
    #[serde(default, deserialize_with = "all_parsed")]
    disabled: Vec<Hostname>,
    #[serde(default)]
    members_hash: Option<String>,
    #[serde(default)]
    running: Option<RunningDocument>,
    #[serde(default)]
    starting: bool,
    #[serde(default)]
    bootstrapping: bool,
    #[serde(default)]
    not_responding: bool,
    #[serde(default)]
    files: Option<FilesDocument>,
    #[serde(default)]
    notes: Vec<Note>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunningDocument {
    #[serde(deserialize_with = "parsed")]
    uuid: Uuid,
    cluster_status: StatusWord,
    local_state: StateWord,
    cluster_size: u32,
    last_committed: i64,
    #[serde(default)]
    members: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatusWord {
    Primary,
    NonPrimary,
    Disconnected,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateWord {
    Initialized,
    Joining,
    Donor,
    Joined,
    Synced,
    Inconsistent,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each tells of another thing")]
struct FilesDocument {
    #[serde(default)]
    grastate: Option<Told<GrastateDocument>>,
    #[serde(default)]
    gvwstate: Option<Told<GvwstateDocument>>,
    #[serde(default)]
    recovered: Option<Told<PositionDocument>>,
    #[serde(default)]
    last_recorded: Option<PositionDocument>,
    #[serde(default)]
    view_record: Option<ViewRecordDocument>,
    #[serde(default)]
    clean_stop: Option<CleanStopDocument>,
    #[serde(default)]
    forks: Vec<ForkDocument>,
    #[serde(default)]
    sst_marker: bool,
    #[serde(default)]
    unsynced_transfer: bool,
    #[serde(default)]
    ran_standalone: bool,
    #[serde(default, deserialize_with = "all_parsed")]
    supervised: Vec<Hostname>,
    #[serde(default)]
    start_failures: Option<StartFailuresDocument>,
    #[serde(default)]
    datadir_empty: bool,
}

/// A value, or `{"error": "why there is none"}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Told<T> {
    Fault(Fault),
    Value(T),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fault {
    error: String,
}

// serde's own `untagged` would only say that nothing fits.
impl<'de, T: DeserializeOwned> Deserialize<'de> for Told<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let told = if value.get("error").is_some() {
            serde_json::from_value(value).map(Told::Fault)
        } else {
            serde_json::from_value(value).map(Told::Value)
        };
        told.map_err(D::Error::custom)
    }
}

impl<T> Told<T> {
    fn fault(error: &str) -> Told<T> {
        Told::Fault(Fault { error: error.to_owned() })
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrastateDocument {
    #[serde(deserialize_with = "parsed")]
    uuid: Uuid,
    seqno: i64,
    #[serde(default)]
    safe_to_bootstrap: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GvwstateDocument {
    #[serde(deserialize_with = "parsed")]
    my_uuid: Uuid,
    #[serde(deserialize_with = "parsed")]
    view_uuid: Uuid,
    view_seq: u32,
    #[serde(default)]
    bootstrap: bool,
    #[serde(deserialize_with = "all_parsed")]
    members: Vec<Uuid>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PositionDocument {
    #[serde(deserialize_with = "parsed")]
    uuid: Uuid,
    seqno: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ViewRecordDocument {
    #[serde(deserialize_with = "parsed")]
    view_uuid: Uuid,
    view_seq: u32,
    #[serde(deserialize_with = "parsed")]
    uuid: Uuid,
    floor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ForkDocument {
    #[serde(default = "no_id")]
    id: String,
    #[serde(deserialize_with = "parsed")]
    uuid: Uuid,
    seqno: i64,
    /// Written by earlier builds, and read over: a fork is told by its id.
    #[serde(default, skip_serializing)]
    present: Vec<String>,
    #[serde(default, skip_serializing)]
    known: bool,
}

fn no_id() -> String {
    "0".to_owned()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CleanStopDocument {
    #[serde(deserialize_with = "parsed")]
    uuid: Uuid,
    seqno: i64,
    last: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StartFailuresDocument {
    count: u8,
    why: String,
}

fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn option_parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse(&text)).transpose().map_err(D::Error::custom)
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("`{}`: {error}", text.escape_debug()))
}

fn perhaps_parsed<'de, D>(deserializer: D) -> Result<Option<Uuid>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(|error| D::Error::custom(format!("`{}`: {error}", text.escape_debug()))))
        .transpose()
}

fn all_parsed<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| parse(text)).collect::<Result<_, String>>().map_err(D::Error::custom)
}
