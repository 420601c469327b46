//! The key that the cluster's supervisors share: `ROOT/conf/pfcluster.key`.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use pfcluster_core::supervisor::Key;
use rustix::rand::{GetRandomFlags, getrandom};

use super::directory::Fresh;
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
/// [`HostError`] if there is none, or others than its owner and group may know it.
pub fn read(root: &Root) -> Result<Key, HostError> {
    let path = path(root);
    let fail = |reason: String, help: &str| HostError::Content { path: path.clone(), reason, help: help.to_owned() };
    let mend =
        format!("chmod o=,g-w {}; if others may have read it, make another with `pfcluster key new`", path.display());
    let Some(file) = root.open()?.file(NAME)? else {
        return Err(HostError::Read {
            path: path.clone(),
            reason: "there is no such file".to_owned(),
            help: "make it on one member with `pfcluster key new`, and bring it to the others (`pfcluster sync`)"
                .to_owned(),
        });
    };
    let data = file.metadata().map_err(|error| fail(files::plain(&error), "check the file system"))?;
    if data.mode() & 0o007 != 0 {
        return Err(fail("everybody on this machine may read it or write it".to_owned(), &mend));
    }
    if data.mode() & 0o020 != 0 {
        return Err(fail("its group may write it".to_owned(), &mend));
    }
    if !is_trusted(data.uid()) {
        let owner = super::mariadb::user_name(data.uid()).unwrap_or_else(|| data.uid().to_string());
        let help = format!("chown root {}, if the key is the cluster's; else `pfcluster key new`", path.display());
        return Err(fail(format!("it belongs to the user {owner}, not to root or pf"), &help));
    }
    let text = files::read_open(file, &path, files::LONGEST_SECRET)?;
    let key: Key = String::from_utf8_lossy(&text).parse().map_err(|error: pfcluster_core::supervisor::KeyError| {
        fail(error.to_string(), "take it from another member, or make another with `pfcluster key new`")
    })?;
    if key == Key::new([0; 32]) {
        return Err(fail(
            "it has only zeros, which anybody can guess".to_owned(),
            "take it from another member, or make another with `pfcluster key new --replace`",
        ));
    }
    Ok(key)
}

/// Root's, pf's (who synchronises it), or of the user that runs this.
fn is_trusted(owner: u32) -> bool {
    let pf = super::machine::user_ids("pf").map(|(user, _)| user);
    owner == 0 || Some(owner) == pf || owner == rustix::process::geteuid().as_raw()
}

/// Makes a new key. One that is there stays, unless it is to be replaced.
///
/// # Errors
/// [`HostError::Write`].
pub fn create(root: &Root, replace: bool) -> Result<PathBuf, HostError> {
    let path = path(root);
    let install = root.open()?;
    if !replace && install.holds(NAME)? {
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
    install.replace(NAME, key.to_text().as_bytes(), Fresh { mode: 0o600, owner }, None)?;
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
