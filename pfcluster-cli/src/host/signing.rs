//! This member's own key, which signs what its supervisor sends, and the keys that it knows of the other members: outside
//! PacketFence's tree, in a directory that only root may enter. Neither is ever synchronised.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use pfcluster_core::cluster::Hostname;
use pfcluster_core::supervisor::{PublicKey, SigningKey, SigningKeyError};

use super::directory::{Directory, Fresh, failed};
use super::{HostError, files, key};

/// What names another directory.
const OPTION: &str = "--state-directory";

/// Where they are.
pub const STATE_DIRECTORY: &str = "/var/lib/pfcluster";

/// The own key.
const OWN: &str = "signing.key";
/// The other members' public keys: `HOST PUBLICKEY` on each line.
const PINNED: &str = "pinned-keys";
/// What the file before had.
const PINNED_BEFORE: &str = "pinned-keys.before";

/// Only root's.
const PRIVATE: Fresh = Fresh { mode: 0o600, owner: None };

/// Where the own key is.
pub fn path(state: &Path) -> PathBuf {
    state.join(OWN)
}

/// The own key; `None` if there is none yet.
///
/// # Errors
/// [`HostError`] if it can't be used, or others may know it.
pub fn read(state: &Path) -> Result<Option<SigningKey>, HostError> {
    let path = path(state);
    let fail = |reason: &str, help: String| HostError::Content { path: path.clone(), reason: reason.to_owned(), help };
    let another = "`pfcluster key new --own --replace`, then `pfcluster key accept` on the other members";
    let Some(file) = existing(state)?.map(|directory| directory.file(OWN)).transpose()?.flatten() else {
        return Ok(None);
    };
    let data = file.metadata().map_err(|error| fail(&files::plain(&error), "check the file system".to_owned()))?;
    if data.mode() & 0o077 != 0 || data.uid() != rustix::process::geteuid().as_raw() {
        let help = format!("make another: {another}");
        return Err(fail("others than its user may know it", help));
    }
    let text = files::read_open(file, &path, files::LONGEST_SECRET)?;
    let help = || format!("bring it back from a backup, or make another: {another}");
    let read =
        String::from_utf8_lossy(&text).parse::<SigningKey>().map_err(|error| fail(&error.to_string(), help()))?;
    if read == SigningKey::new([0; 32]) {
        return Err(fail("it has only zeros, which are easily guessed", help()));
    }
    Ok(Some(read))
}

/// Makes a new key. One that is there stays, unless it is to be replaced.
///
/// # Errors
/// [`HostError::Write`].
pub fn create(state: &Path, replace: bool) -> Result<SigningKey, HostError> {
    let directory = Directory::private(state, OPTION)?;
    let fail = |reason: String, help: &str| HostError::Write { path: path(state), reason, help: help.to_owned() };
    if !replace && directory.holds(OWN)? {
        return Err(fail(
            "there is one already".to_owned(),
            "keep it; or make another with `--replace`, and accept that on the other members (`pfcluster key accept`)",
        ));
    }
    let seed = key::random().map_err(|reason| fail(reason, "check that the kernel gives random numbers"))?;
    let key = SigningKey::new(seed);
    directory.replace(OWN, key.to_text().as_bytes(), PRIVATE, None)?;
    Ok(key)
}

/// The keys of other members that were pinned before; none if there is no file. `members`: those of cluster.conf, whose names must be
/// written as there.
///
/// # Errors
/// [`HostError`] if the file can't be read or understood. To take that for nothing would be to trust again at first sight.
pub fn pinned(state: &Path, members: &[Hostname]) -> Result<BTreeMap<Hostname, PublicKey>, HostError> {
    let Some(text) = existing(state)?.map(|directory| directory.read(PINNED)).transpose()?.flatten() else {
        return Ok(BTreeMap::new());
    };
    let text = String::from_utf8_lossy(&text);
    let is_same = |one: &Hostname, other: &Hostname| one.as_str().eq_ignore_ascii_case(other.as_str());
    let mut all = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let fail = |reason: String| HostError::Content {
            path: state.join(PINNED),
            reason: format!("line {number}: {reason}"),
            help: format!(
                "correct it ({PINNED_BEFORE} beside it is older), or remove it: that member's key is then trusted at first sight"
            ),
        };
        let (host, key) = line.split_once(' ').ok_or_else(|| fail("it is not `HOST PUBLICKEY`".to_owned()))?;
        let host = host.parse::<Hostname>().map_err(|error| fail(error.to_string()))?;
        let key = key.parse().map_err(|error: SigningKeyError| fail(error.to_string()))?;
        if let Some(member) = members.iter().find(|member| **member != host && is_same(member, &host)) {
            return Err(fail(format!("{host} is written otherwise in cluster.conf: {member}")));
        }
        if all.keys().any(|other| is_same(other, &host)) {
            return Err(fail(format!("{host} has a line already")));
        }
        all.insert(host, key);
    }
    Ok(all)
}

/// Pins this key of a member, durably.
///
/// # Errors
/// [`HostError`]; what was written before is still there then.
pub(super) fn pin(state: &Path, member: &Hostname, key: PublicKey) -> Result<(), HostError> {
    let mut all = pinned(state, &[])?;
    all.insert(member.clone(), key);
    write_pinned(state, &all)
}

/// Forgets the key that is pinned for a host, durably. A supervisor that runs has to be asked for it instead, or it writes its own again.
///
/// # Errors
/// [`HostError`]; what was written before is still there then.
pub fn forget(state: &Path, host: &Hostname) -> Result<(), HostError> {
    let mut all = pinned(state, &[])?;
    all.remove(host);
    write_pinned(state, &all)
}

/// Writes them down, durably; what was written before stays beside them.
///
/// # Errors
/// [`HostError::Write`]; what was written before is still there then.
pub(super) fn write_pinned(state: &Path, pinned: &BTreeMap<Hostname, PublicKey>) -> Result<(), HostError> {
    let directory = Directory::private(state, OPTION)?;
    let lines: Vec<String> = pinned.iter().map(|(host, key)| format!("{host} {key}\n")).collect();
    let text = lines.concat();
    match directory.read(PINNED)? {
        Some(before) if before == text.as_bytes() => return Ok(()),
        Some(before) => directory.replace(PINNED_BEFORE, &before, PRIVATE, None)?,
        None => {}
    }
    directory.replace(PINNED, text.as_bytes(), PRIVATE, None)
}

/// Tells one state of the own key's file from another; `None` if there is none, or it can't be seen.
pub(super) fn stamp(state: &Path) -> Option<key::Stamp> {
    existing(state).ok()??.file(OWN).ok()?.as_ref().and_then(key::stamp_of)
}

fn existing(state: &Path) -> Result<Option<Directory>, HostError> {
    match Directory::itself(state) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map_err(failed(state))?.only_own(OPTION).map(Some),
    }
}
