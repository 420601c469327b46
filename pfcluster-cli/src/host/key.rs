//! The key that the cluster's supervisors share, and while it is changed the next one: `ROOT/conf/pfcluster.key`.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use pfcluster_core::supervisor::{Key, KeyError, KeyId, KeyIds, Keys};
use rustix::rand::{GetRandomFlags, getrandom};

use super::directory::Fresh;
use super::{HostError, Root, files};

/// Its place below the install directory, as cluster-files.txt has to name it.
pub const NAME: &str = "conf/pfcluster.key";

/// Where it is.
pub fn path(root: &Root) -> PathBuf {
    root.file(NAME)
}

/// The keys of the file.
///
/// # Errors
/// [`HostError`] if there is none, or others than its owner may know it.
pub fn read(root: &Root) -> Result<Keys, HostError> {
    match look(root)? {
        (keys, false) => Ok(keys),
        (_, true) => Err(HostError::Content {
            path: path(root),
            reason: "its group may read it or write it, and the database's user may be in that group".to_owned(),
            help: only_its_owner(root),
        }),
    }
}

/// The same for the supervisor. PacketFence's synchronisation leaves the file with the mode 0660, whatever it had: the supervisor puts
/// another one in its place, which only its owner may read, so that what was opened before does not show what is written later. True
/// if it did.
///
/// # Errors
/// As [`read`], and if that file can't be written.
pub(super) fn take_in(root: &Root) -> Result<(Keys, bool), HostError> {
    let (keys, is_shared) = look(root)?;
    if is_shared {
        write(root, &keys)?;
    }
    Ok((keys, is_shared))
}

fn only_its_owner(root: &Root) -> String {
    format!("chmod 600 {}; if others may have read it, change it: `pfcluster key rotate`", path(root).display())
}

/// The keys, and whether the file's group may read or write it.
fn look(root: &Root) -> Result<(Keys, bool), HostError> {
    let path = path(root);
    let fail = |reason: String, help: &str| HostError::Content { path: path.clone(), reason, help: help.to_owned() };
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
        return Err(fail("all users of this machine may read it or write it".to_owned(), &only_its_owner(root)));
    }
    if !is_trusted(data.uid()) {
        let owner = super::machine::user_name(data.uid()).unwrap_or_else(|| data.uid().to_string());
        let help = format!("chown root {}, if the key is the cluster's; else `pfcluster key new`", path.display());
        return Err(fail(format!("it belongs to the user {owner}, not to root or pf"), &help));
    }
    let text = files::read_open(file, &path, files::LONGEST_SECRET)?;
    let keys: Keys = String::from_utf8_lossy(&text).parse().map_err(|error: KeyError| {
        fail(error.to_string(), "take it from another member, or make another with `pfcluster key new`")
    })?;
    let zeros = Key::new([0; 32]);
    if keys.current == zeros || keys.next == Some(zeros) {
        return Err(fail(
            "it has only zeros, which anybody can guess".to_owned(),
            "take it from another member, or make another with `pfcluster key new --replace`",
        ));
    }
    Ok((keys, data.mode() & 0o070 != 0))
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
    write(root, &fresh(root)?.into())?;
    Ok(path)
}

/// The first step of a rotation: beside the current key there is a next one, which is accepted from now on. Returns both ids.
///
/// # Errors
/// [`HostError`] if there is no usable key, or a rotation has begun already.
pub fn begin_rotation(root: &Root) -> Result<KeyIds, HostError> {
    let Keys { current, next } = read(root)?;
    if let Some(next) = next {
        return Err(HostError::Write {
            path: path(root),
            reason: format!("a rotation has begun: {} is the next key", next.id()),
            help: "end it with `pfcluster key rotate --finish`".to_owned(),
        });
    }
    let keys = Keys { current, next: Some(fresh(root)?) };
    write(root, &keys)?;
    Ok(keys.ids())
}

/// The second step: the current key goes, `next` takes its place.
///
/// # Errors
/// [`HostError`] if the file has another next key by now, or none.
pub fn finish_rotation(root: &Root, next: KeyId) -> Result<(), HostError> {
    match read(root)?.next.filter(|key| key.id() == next) {
        Some(key) => write(root, &key.into()),
        None => Err(HostError::Write {
            path: path(root),
            reason: format!("its next key is not {next} any more"),
            help: "try again".to_owned(),
        }),
    }
}

fn fresh(root: &Root) -> Result<Key, HostError> {
    let bytes = random().map_err(|reason| HostError::Write {
        path: path(root),
        reason,
        help: "check that the kernel gives random numbers".to_owned(),
    })?;
    Ok(Key::new(bytes))
}

fn write(root: &Root, keys: &Keys) -> Result<(), HostError> {
    // PacketFence's other secrets belong to pf, whose services synchronise them.
    let owner = super::machine::user_ids("pf").filter(|_| rustix::process::geteuid().is_root());
    root.open()?.replace(NAME, keys.to_text().as_bytes(), Fresh { mode: 0o600, owner }, None)
}

/// Tells one state of a file from another.
pub(super) type Stamp = (u64, u64, i64, i64);

/// Tells one state of the file from another; `None` if there is none, or it can't be seen.
pub(super) fn stamp(root: &Root) -> Option<Stamp> {
    root.open().ok()?.file(NAME).ok()?.as_ref().and_then(stamp_of)
}

pub(super) fn stamp_of(file: &File) -> Option<Stamp> {
    let data = file.metadata().ok()?;
    Some((data.ino(), data.size(), data.ctime(), data.ctime_nsec()))
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
