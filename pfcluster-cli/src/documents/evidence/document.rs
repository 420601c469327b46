//! The document: evidence with whose it is, when it was taken, and what a person should know beside it.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::{Evidence, Files, Process, Running, Uuid};
use pfcluster_core::printable::printable;
use serde::{Deserialize, Serialize};

use super::{EvidenceError, MemberEvidence, Note, Taken, VERSION, known_version};

/// One member's evidence, as schemas/evidence.json has it. What is not known is refused: a misspelt field would be
/// evidence that is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each tells of another thing")]
pub struct EvidenceDocument {
    // Left out inside a document of several members.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    host: Hostname,
    // Not flattened: what is misspelt is refused with its place.
    taken_at: Option<String>,
    boot_id: Option<Uuid>,
    gathering: Option<Uuid>,
    #[serde(default)]
    maintenance: bool,
    #[serde(default)]
    arbitrator: bool,
    #[serde(default)]
    disabled: Vec<Hostname>,
    members_hash: Option<String>,
    running: Option<Running>,
    #[serde(default)]
    starting: bool,
    #[serde(default)]
    bootstrapping: bool,
    #[serde(default)]
    not_responding: bool,
    files: Option<Files>,
    #[serde(default)]
    notes: Vec<Note>,
}

impl EvidenceDocument {
    /// The evidence of `host`, with what a person should know beside it.
    pub fn new(host: Hostname, taken: Taken, evidence: &Evidence, notes: Vec<Note>) -> EvidenceDocument {
        EvidenceDocument {
            version: Some(VERSION),
            host,
            taken_at: taken.at,
            boot_id: taken.boot_id,
            gathering: taken.gathering,
            maintenance: evidence.maintenance,
            arbitrator: evidence.arbitrator,
            disabled: evidence.disabled.clone(),
            members_hash: evidence.members_hash.as_deref().map(str::to_owned),
            running: match &evidence.process {
                Process::Running(running) => Some(running.clone()),
                Process::Starting | Process::Bootstrapping | Process::NotResponding | Process::Stopped => None,
            },
            starting: evidence.process == Process::Starting,
            bootstrapping: evidence.process == Process::Bootstrapping,
            not_responding: evidence.process == Process::NotResponding,
            files: evidence.files.clone(),
            notes,
        }
    }

    /// What it says. `resolve` finds the member that has a name or an address.
    ///
    /// # Errors
    /// [`EvidenceError`] if it says several things of the process.
    pub fn into_member(self, resolve: impl Fn(&str) -> Option<Hostname>) -> Result<MemberEvidence, EvidenceError> {
        self.version.map_or(Ok(()), known_version)?;
        let process = match (self.running, self.starting, self.bootstrapping, self.not_responding) {
            (Some(mut running), false, false, false) => {
                running.resolve(resolve);
                Process::Running(running)
            }
            (None, true, false, false) => Process::Starting,
            (None, false, true, false) => Process::Bootstrapping,
            (None, false, false, true) => Process::NotResponding,
            (None, false, false, false) => Process::Stopped,
            _ => return Err(EvidenceError::Process(self.host)),
        };
        let evidence = Evidence {
            process,
            files: self.files,
            maintenance: self.maintenance,
            arbitrator: self.arbitrator,
            disabled: self.disabled,
            members_hash: self.members_hash.map(|hash| printable(hash.as_bytes()).into()),
        };
        let taken = Taken { at: self.taken_at, boot_id: self.boot_id, gathering: self.gathering };
        Ok(MemberEvidence { host: self.host, taken, source: None, evidence })
    }
}
