//! Evidence as JSON: what `evidence` prints and `bootstrap --evidence` reads (schemas/evidence.json). One form for both
//! ways, so that what one member writes another one reads.

mod document;
mod several;

use pfcluster_core::cluster::{Cluster, Hostname};
use pfcluster_core::galera::{Evidence, Records, Uuid};
use pfcluster_core::printable::printable;
use serde::{Deserialize, Serialize};

use super::VERSION;

pub use document::EvidenceDocument;
pub use several::{AgeLimit, Several};

/// Something that could not be found out, or that a person should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// What.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// When evidence was taken, by which clock, and together with what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// In seconds since 1970, by the clock of the machine that took it; `None` if that is not known.
    pub at: Option<String>,
    /// The boot of that machine: within one boot, times can be compared.
    pub boot_id: Option<Uuid>,
    /// A random token that is the same in all evidence that was gathered together: it is of one moment, whatever the clock says.
    pub gathering: Option<Uuid>,
}

impl Taken {
    /// In whole seconds since 1970.
    pub fn seconds(&self) -> Option<i64> {
        self.at.as_ref()?.split('.').next()?.parse().ok()
    }

    /// So many seconds earlier, by the same clock in the same gathering.
    #[must_use]
    pub fn earlier(&self, by: u64) -> Taken {
        let at = self.seconds().and_then(|now| now.checked_sub_unsigned(by));
        Taken { at: at.map(|at| at.to_string()), ..self.clone() }
    }
}

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
    /// Evidence of this member that says more than one thing of its process.
    #[error("{0}: `starting`: a server runs, starts, bootstraps, or is not responding: one of them")]
    Process(Hostname),
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

/// What a supervisor writes down, as a document of its own. What is not known is refused: a misspelt field would be a record
/// that is missing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsDocument {
    version: u64,
    #[serde(flatten)]
    records: Records,
}

impl RecordsDocument {
    /// These records as a document.
    pub fn new(records: &Records) -> RecordsDocument {
        RecordsDocument { version: VERSION, records: records.clone() }
    }
}

/// The text of a supervisor's file.
pub fn records_text(records: &Records) -> String {
    super::text(&RecordsDocument::new(records)) + "\n"
}

/// What such a text says.
///
/// # Errors
/// [`EvidenceError`], with the place.
pub fn read_records(text: &[u8]) -> Result<Records, EvidenceError> {
    /// What every build has written. Evidence may leave it out; a file of records without it is another file.
    #[derive(Deserialize)]
    struct Always {
        #[serde(rename = "forks")]
        _forks: serde::de::IgnoredAny,
        #[serde(rename = "ran_standalone")]
        _ran_standalone: serde::de::IgnoredAny,
    }

    serde_json::from_slice::<Always>(text)?;
    let document: RecordsDocument = serde_json::from_slice(text)?;
    known_version(document.version).map(|()| document.records)
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
