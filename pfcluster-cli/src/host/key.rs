//! The key that the cluster's supervisors share: `ROOT/conf/pfcluster.key`.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;

use pfcluster_core::supervisor::Key;
use rustix::rand::{GetRandomFlags, getrandom};

use super::install::place;
use super::{HostError, Root, files};

/// Its place below the install directory, as cluster-files.txt has to name it.
pub const NAME: &str = "conf/pfcluster.key";

/// Where it is.
pub fn path(root: &Root) -> PathBuf {
    root.file(NAME)
}

/// The key.
///
/// # Errors
/// [`HostError`] if there is none, or it is readable by others than its owner and group.
pub fn read(root: &Root) -> Result<Key, HostError> {
    let path = path(root);
    let Some(text) = files::read_if_there(&path)? else {
        return Err(HostError::Read {
            path,
            reason: "there is no such file".to_owned(),
            help: "make it on one member with `pfcluster key new`, and bring it to the others (`pfcluster sync`)"
                .to_owned(),
        });
    };
    let fail = |reason: String, help: &str| HostError::Content { path: path.clone(), reason, help: help.to_owned() };
    if path.metadata().is_ok_and(|data| data.mode() & 0o007 != 0) {
        let mend =
            format!("chmod o= {}; if somebody may have read it, make another with `pfcluster key new`", path.display());
        return Err(fail("everybody on this machine may read it or write it".to_owned(), &mend));
    }
    String::from_utf8_lossy(&text).parse().map_err(|error: pfcluster_core::supervisor::KeyError| {
        fail(error.to_string(), "take it from another member, or make another with `pfcluster key new`")
    })
}

/// Makes a new key. One that is there stays, unless it is to be replaced.
///
/// # Errors
/// [`HostError::Write`].
pub fn create(root: &Root, replace: bool) -> Result<PathBuf, HostError> {
    let path = path(root);
    if !replace && path.symlink_metadata().is_ok() {
        return Err(HostError::Write {
            path,
            reason: "there is one already".to_owned(),
            help: "keep it; or make another with `--replace`, and bring that to all members before their supervisors \
                   start again"
                .to_owned(),
        });
    }
    let key = Key::new(random().map_err(|reason| HostError::Write {
        path: path.clone(),
        reason,
        help: "see that the kernel gives random numbers".to_owned(),
    })?);
    // PacketFence's other secrets belong to pf, whose services synchronise them.
    let owner = super::machine::user_ids("pf").filter(|_| rustix::process::geteuid().is_root());
    place(&path, key.to_text().as_bytes(), Permissions::from_mode(0o600), owner)?;
    Ok(path)
}

/// Random bytes of the kernel's.
pub(super) fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        filled +=
            getrandom(&mut bytes[filled..], GetRandomFlags::empty()).map_err(|error| files::plain(&error.into()))?;
    }
    Ok(bytes)
}
