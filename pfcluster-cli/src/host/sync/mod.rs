//! The configuration, between members: pushed, pulled, compared.

mod error;
mod local;
mod pull;
mod push;
mod sharing;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::thread;
use std::time::{Duration, SystemTime};

use pfcluster_core::conflict::{ConfigVersion, Reply};
use pfcluster_core::sync::{Answer, Call, Item, SyncPath, content_of, is_missing_file, not_reached, version_of};

use super::webservices::{CallError, Client, Credentials, Fingerprint, Patience, Trust};

pub use error::{FINGERPRINT_COMMAND, SyncError};
pub use local::Local;
pub use pull::{Pulled, pull};
pub use push::{Items, Pushed, compare, push, scope};
pub use sharing::{Me, Met, Sharing, name_of};

/// What a call may take that moves a file, unless somebody says otherwise.
pub const FILE_LIMIT: Duration = Duration::from_secs(60);

/// A member and its web services.
#[derive(Debug)]
pub struct Peer {
    /// Its name; its address where no cluster.conf says a name.
    pub name: String,
    /// Its management address.
    pub address: Ipv4Addr,
    client: Client,
}

/// What became of the files of one member.
#[derive(Debug)]
#[non_exhaustive]
pub struct MemberReport {
    /// The member's name.
    pub name: String,
    /// Its management address.
    pub address: Ipv4Addr,
    /// Each file, in order.
    pub files: Vec<(SyncPath, FileState)>,
    /// What became of the version.
    pub version: VersionState,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It arrived.
    Done,
    /// It was the same already.
    Same,
    /// It differs, and was left as it is: the content that is there, if any, and the one that would replace it.
    Differs {
        /// There now.
        old: Option<Vec<u8>>,
        /// Would be there.
        new: Vec<u8>,
    },
    /// The member that it would come from has none.
    Absent,
    /// It did not arrive.
    Failed(String),
    /// The member stopped answering before.
    NotTried,
}

/// What became of the version of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionState {
    /// It was not to change.
    Untouched,
    /// It was set.
    Set,
    /// It stays as it was: this is the reason.
    NotSet(String),
}

impl MemberReport {
    /// Of these files, and no version.
    pub fn of_files(name: String, address: Ipv4Addr, files: Vec<(SyncPath, FileState)>) -> MemberReport {
        MemberReport { name, address, files, version: VersionState::Untouched }
    }

    fn of(peer: &Peer) -> MemberReport {
        MemberReport::of_files(peer.name.clone(), peer.address, Vec::new())
    }

    /// Of a member that gave no version, so that nothing was tried.
    pub fn silent(peer: &Peer, items: &[Item], error: &CallError) -> MemberReport {
        let files = items.iter().map(|item| (item.path.clone(), FileState::NotTried)).collect();
        MemberReport { files, version: VersionState::NotSet(error.to_string()), ..MemberReport::of(peer) }
    }

    /// True unless a file or the version did not arrive.
    pub fn is_fine(&self) -> bool {
        let has_failed = |state: &FileState| matches!(state, FileState::Failed(_) | FileState::NotTried);
        !self.files.iter().any(|(_, state)| has_failed(state)) && !matches!(self.version, VersionState::NotSet(_))
    }

    /// True if a file differs.
    pub fn differs(&self) -> bool {
        self.files.iter().any(|(_, state)| matches!(state, FileState::Differs { .. }))
    }
}

impl Peer {
    /// A member whose web services are at this address and port.
    pub fn new(name: String, address: Ipv4Addr, port: u16, credentials: &Credentials, trust: &Trust) -> Peer {
        Peer { name, address, client: Client::new(SocketAddrV4::new(address, port), credentials, trust) }
    }

    /// The version of its configuration, in its words.
    ///
    /// # Errors
    /// [`CallError`] if it gives none.
    pub fn version(&self, limit: Duration) -> Result<String, CallError> {
        Ok(version_of(&self.client.call(&Call::config_version(), limit)?)?)
    }

    /// Asks it to push its own configuration to all others. Returns the members that it could not reach, as it says.
    ///
    /// # Errors
    /// [`CallError`] if it does not answer, or refuses.
    pub fn ask_to_push(&self, limit: Duration) -> Result<Vec<String>, CallError> {
        Ok(not_reached(&self.client.call(&Call::push(), limit)?)?)
    }

    /// The certificate that it showed, if it was accepted for what it is.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.client.fingerprint()
    }

    fn call(&self, call: &Call, patience: &Patience) -> Result<Answer, CallError> {
        self.client.call(call, patience.next_call()?)
    }

    /// The content of a file; `None` if it has none.
    fn download(&self, path: &SyncPath, patience: &Patience) -> Result<Option<Vec<u8>>, CallError> {
        match self.call(&Call::download(path), patience) {
            Err(CallError::Answer(error)) if is_missing_file(&error) => Ok(None),
            answer => Ok(Some(content_of(&answer?)?)),
        }
    }
}

/// The versions of all, asked side by side: in the time that one may take.
pub fn versions(peers: &[Peer], limit: Duration) -> Vec<Result<String, CallError>> {
    thread::scope(|scope| {
        let asked: Vec<_> = peers.iter().map(|peer| scope.spawn(move || peer.version(limit))).collect();
        let lost = || Err(CallError::Silent("the question was lost".to_owned()));
        asked.into_iter().map(|asked| asked.join().unwrap_or_else(|_| lost())).collect()
    })
}

/// The time of day, as the version that a change would give now. `None` if the clock stands before 1970.
pub fn now() -> Option<ConfigVersion> {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    ConfigVersion::at(time).ok()
}

/// What a member's answer says about its version.
pub fn reply_of(version: &Result<String, CallError>) -> Reply {
    version.as_ref().map_or(Reply::Unreachable, |text| Reply::of_text(text))
}
