//! Evidence as JSON: what `evidence` prints and `bootstrap --evidence` reads (schemas/evidence.json). One form for both
//! ways, so that what one member writes another one reads.

mod document;
mod several;

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::galera::{Evidence, Records};
use pfcluster_core::printable::printable;
use serde::Deserialize;

use crate::host::evidence::Taken;

pub use document::EvidenceDocument;
pub use several::{AgeLimit, Several};

/// The version that every document carries.
const VERSION: u64 = 1;

/// Evidence of one member, with whose it is and when it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberEvidence {
    /// The member.
    pub host: Hostname,
    /// When it was taken.
    pub taken: Taken,
    /// The file that it is from, for people.
    pub source: Option<Box<str>>,
    /// What the member says.
    pub evidence: Evidence,
}

/// Why a text is no evidence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// Not the JSON of evidence; says where.
    #[error("{}", printable(.0.to_string().as_bytes()))]
    Json(#[from] serde_json::Error),
    /// A version that this program does not know.
    #[error("`version` is {0}, but this program knows only {VERSION}")]
    Version(u64),
    /// `version` is missing.
    #[error("`version` is missing")]
    NoVersion,
    /// A value that fits its place but makes no sense there.
    #[error("{host}: `{field}`: {reason}")]
    Value {
        /// Whose evidence.
        host: Hostname,
        /// Where in it.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A record that makes no sense.
    #[error("`{field}`: {reason}")]
    Record {
        /// Where.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Two pieces of evidence of one member.
    #[error("{0} is there twice")]
    Twice(Hostname),
}

/// Reads one document, or several in `{"version": 1, "members": [...]}`. `resolve` knows which member of cluster.conf has
/// a name or an address that a server sees ([`members_by_name`]).
///
/// # Errors
/// [`EvidenceError`], with the place.
pub fn read(text: &[u8], resolve: impl Fn(&str) -> Option<Hostname>) -> Result<Vec<MemberEvidence>, EvidenceError> {
    /// As much as tells one document from several.
    #[derive(Deserialize)]
    struct Head {
        version: Option<u64>,
        members: Option<serde::de::IgnoredAny>,
    }

    let head: Head = serde_json::from_slice(text)?;
    known_version(head.version.ok_or(EvidenceError::NoVersion)?)?;
    let documents = match head.members {
        None => vec![serde_json::from_slice(text)?],
        Some(_) => serde_json::from_slice::<Members>(text)?.members,
    };
    let mut read: Vec<MemberEvidence> = Vec::with_capacity(documents.len());
    for document in documents {
        let member = document.into_member(&resolve)?;
        if read.iter().any(|other| other.host == member.host) {
            return Err(EvidenceError::Twice(member.host));
        }
        read.push(member);
    }
    Ok(read)
}

/// What a supervisor writes down, as the text of its file.
pub fn records_text(records: &Records) -> String {
    super::json::text(&document::RecordsDocument::new(records)) + "\n"
}

/// The same as a value in another document.
pub(crate) fn records_value(records: &Records) -> serde_json::Value {
    serde_json::json!(document::RecordsDocument::new(records))
}

/// What such a text says.
///
/// # Errors
/// [`EvidenceError`], with the place.
pub fn read_records(text: &[u8]) -> Result<Records, EvidenceError> {
    serde_json::from_slice::<document::RecordsDocument>(text)?.into_records()
}

/// Evidence of several members in one document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    #[serde(rename = "version")]
    _version: u64,
    members: Vec<EvidenceDocument>,
}

fn known_version(version: u64) -> Result<(), EvidenceError> {
    if version == VERSION { Ok(()) } else { Err(EvidenceError::Version(version)) }
}

/// Finds members by their host name or any of their addresses.
pub fn members_by_name(cluster: &Cluster) -> impl Fn(&str) -> Option<Hostname> {
    move |name: &str| {
        let has_it = |addresses: &pfcluster_core::cluster::Addresses| {
            let ips = addresses.interfaces.iter().filter_map(|interface| interface.ip);
            addresses.management_ip.into_iter().chain(ips).any(|ip| ip.value.to_string() == name)
        };
        let found = cluster.members().find(|member| member.host.as_str() == name || has_it(&member.addresses));
        found.map(|member| member.host.clone())
    }
}
