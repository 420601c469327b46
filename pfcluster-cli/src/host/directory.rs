//! Directories held open: the one door to PacketFence's tree and to other directories of users that are not root. Files are
//! read, made and removed through them, step by step and following no link: their owners could otherwise turn a path around
//! while root walks it.

use std::fs::{DirBuilder, File, FileTimes, Permissions};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{AtFlags, FileType, Mode, OFlags};

use super::{HostError, files};

/// A directory held open.
#[derive(Debug)]
pub(super) struct Directory {
    descriptor: OwnedFd,
    /// For messages only.
    path: PathBuf,
}

/// Mode and owner (user, group) of what is made anew. Without an owner it belongs to whoever runs this.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fresh {
    pub(super) mode: u32,
    pub(super) owner: Option<(u32, u32)>,
}

/// How often a name for a temporary file may be taken already.
const ATTEMPTS: u32 = 100;

impl Directory {
    /// The directory at `path`. Links in this path are followed: it is the caller's word.
    pub(super) fn open(path: &Path) -> Result<Directory, HostError> {
        Directory::at(path).map_err(|error| unreadable(path, &error))
    }

    /// The directory at `path`, itself not through a link.
    pub(super) fn itself(path: &Path) -> io::Result<Directory> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Directory { descriptor: rustix::fs::open(path, flags, Mode::empty())?, path: path.to_owned() })
    }

    /// The directory at `path`, made if it is not there. One into which others could put things is not used. `option`: what names
    /// another.
    pub(super) fn private(path: &Path, option: &str) -> Result<Directory, HostError> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.map_err(failed(path))?,
        }
        Directory::itself(path).map_err(failed(path))?.only_own(option)
    }

    /// The same, if no other user can put things into it.
    pub(super) fn only_own(self, option: &str) -> Result<Directory, HostError> {
        let path = &self.path;
        let ((owner, _), mode) = self.owner_and_mode().map_err(failed(path))?;
        let refuse = |reason: String| {
            let help = format!("remove {}, or name another directory with `{option}`", path.display());
            Err(HostError::Write { path: path.clone(), reason, help })
        };
        if owner != rustix::process::geteuid().as_raw() {
            let name = super::machine::user_name(owner).unwrap_or_else(|| owner.to_string());
            return refuse(format!("it belongs to the user {name}"));
        }
        if mode & 0o022 != 0 {
            return refuse("others may write to it".to_owned());
        }
        Ok(self)
    }

    pub(super) fn at(path: &Path) -> io::Result<Directory> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Directory { descriptor: rustix::fs::open(path, flags, Mode::empty())?, path: path.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its owner and its mode.
    pub(super) fn owner_and_mode(&self) -> io::Result<((u32, u32), u32)> {
        let stat = rustix::fs::fstat(&self.descriptor)?;
        Ok(((stat.st_uid, stat.st_gid), stat.st_mode & 0o7777))
    }

    /// Gives the directory itself this owner and mode.
    pub(super) fn give(&self, owner: (u32, u32), mode: u32) -> io::Result<()> {
        own(&self.descriptor, owner)?;
        Ok(rustix::fs::fchmod(&self.descriptor, Mode::from_raw_mode(mode))?)
    }

    /// The plain file at `relative`; `None` if it, or a directory on the way, is not there.
    pub(super) fn read(&self, relative: &str) -> Result<Option<Vec<u8>>, HostError> {
        match self.file(relative)? {
            Some(file) => files::read_open(file, &self.path.join(relative), files::LONGEST).map(Some),
            None => Ok(None),
        }
    }

    /// The plain file at `relative`, open for reading; `None` if it, or a directory on the way, is not there.
    pub(super) fn file(&self, relative: &str) -> Result<Option<File>, HostError> {
        match self.walk(relative, None)? {
            Some((parent, name)) => parent.open_here(name),
            None => Ok(None),
        }
    }

    /// True if there is anything at `relative`.
    pub(super) fn holds(&self, relative: &str) -> Result<bool, HostError> {
        let Some((parent, name)) = self.walk(relative, None)? else { return Ok(false) };
        match rustix::fs::statat(&parent.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => Ok(false),
            Err(error) => Err(unreadable(&self.path.join(relative), &error.into())),
            Ok(_) => Ok(true),
        }
    }

    /// Makes the plain file at `relative` with the mode and owner of `fresh`, unless it is there, and sets its time to now.
    /// Missing directories are made if it is said how.
    pub(super) fn touch(&self, relative: &str, fresh: Fresh, directories: Option<Fresh>) -> Result<(), HostError> {
        let fail = failed(&self.path.join(relative));
        let Some((parent, name)) = self.walk(relative, directories)? else {
            return Err(fail(rustix::io::Errno::NOENT.into()));
        };
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let open = |flags| rustix::fs::openat(&parent.descriptor, name, flags, Mode::from_raw_mode(fresh.mode));
        let in_the_way = || in_the_way(&self.path.join(relative));
        let is_new = parent.look_at(name).map_err(|_| in_the_way())?.is_none();
        let file = if is_new { open(flags | OFlags::CREATE | OFlags::EXCL) } else { open(flags) };
        let file = File::from(file.map_err(|error| fail(error.into()))?);
        // It may have become something else in between.
        if !file.metadata().map_err(&fail)?.is_file() {
            return Err(in_the_way());
        }
        if let Some(owner) = fresh.owner.filter(|_| is_new) {
            own(&file, owner).map_err(&fail)?;
        }
        let now = SystemTime::now();
        file.set_times(FileTimes::new().set_accessed(now).set_modified(now)).map_err(&fail)?;
        file.sync_all().map_err(&fail)?;
        rustix::fs::fsync(&parent.descriptor).map_err(|error| fail(error.into()))
    }

    /// Removes the file at `relative`, if it is there; a link itself, and no directory.
    pub(super) fn remove_file(&self, relative: &str) -> Result<(), HostError> {
        let fail = failed(&self.path.join(relative));
        let Some((parent, name)) = self.walk(relative, None)? else { return Ok(()) };
        match rustix::fs::unlinkat(&parent.descriptor, name, AtFlags::empty()) {
            Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(rustix::io::Errno::ISDIR) => Err(in_the_way(&self.path.join(relative))),
            removed => removed.and_then(|()| rustix::fs::fsync(&parent.descriptor)).map_err(|error| fail(error.into())),
        }
    }

    /// Puts `bytes` in the place of what is at `relative`, whole or not at all: always with the mode and owner of `fresh`.
    /// Missing directories are made if it is said how.
    pub(super) fn replace(
        &self,
        relative: &str,
        bytes: &[u8],
        fresh: Fresh,
        directories: Option<Fresh>,
    ) -> Result<(), HostError> {
        match self.walk(relative, directories)? {
            Some((parent, name)) => parent.place(name, bytes, fresh),
            None => Err(failed(&self.path.join(relative))(rustix::io::Errno::NOENT.into())),
        }
    }

    /// How a secret is to be in the place of the plain file at `relative`: as `fresh` if that has an owner of its own or there
    /// is no file, else with that file's owner and of its mode what `most` allows.
    pub(super) fn as_secret(&self, relative: &str, fresh: Fresh, most: u32) -> Result<Fresh, HostError> {
        let Some((parent, name)) = self.walk(relative, None)? else { return Ok(fresh) };
        Ok(match parent.look_at(name)? {
            Some(stat) if fresh.owner.is_none() => {
                Fresh { mode: stat.st_mode & most, owner: Some((stat.st_uid, stat.st_gid)) }
            }
            _ => fresh,
        })
    }

    /// Takes from the plain file at `relative` what `most` does not allow.
    pub(super) fn narrow(&self, relative: &str, most: u32) -> Result<(), HostError> {
        let Some(file) = self.file(relative)? else { return Ok(()) };
        let fail = failed(&self.path.join(relative));
        let mode = file.metadata().map_err(&fail)?.mode() & 0o7777;
        if mode & !most == 0 {
            return Ok(());
        }
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode & most)).map_err(|error| fail(error.into()))
    }

    /// Puts `bytes` in the place of the plain file at `relative`, whole or not at all. A file that is there keeps its mode,
    /// but no set-id bits, and its owner; one that is not gets those of `fresh`, as missing directories get those of
    /// `directories`.
    pub(super) fn write(
        &self,
        relative: &str,
        bytes: &[u8],
        fresh: Fresh,
        directories: Fresh,
    ) -> Result<(), HostError> {
        let Some((parent, name)) = self.walk(relative, Some(directories))? else {
            return Err(failed(&self.path.join(relative))(rustix::io::Errno::NOENT.into()));
        };
        let fresh = match parent.look_at(name)? {
            Some(stat) => Fresh { mode: stat.st_mode & 0o777, owner: Some((stat.st_uid, stat.st_gid)) },
            None => fresh,
        };
        parent.place(name, bytes, fresh)
    }

    /// Renames what is in this directory; what had the new name before is replaced.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.descriptor, from, &self.descriptor, to)?)
    }

    /// Locks the directory itself, for as long as it is held open. False if somebody else has it locked.
    pub(super) fn try_lock(&self) -> io::Result<bool> {
        match rustix::fs::flock(&self.descriptor, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes all that the page cache has of the file system that it is on to disk.
    pub(super) fn sync_file_system(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.descriptor)?)
    }

    /// A file below this directory, opened for locking; made if it is not there.
    pub(super) fn lock_file(&self, relative: &str) -> Result<File, HostError> {
        let private = Fresh { mode: 0o700, owner: None };
        let fail = failed(&self.path.join(relative));
        let Some((parent, name)) = self.walk(relative, Some(private))? else {
            return Err(fail(rustix::io::Errno::NOENT.into()));
        };
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&parent.descriptor, name, flags, Mode::from_raw_mode(0o600));
        opened.map(File::from).map_err(|error| fail(error.into()))
    }

    /// Makes the directory at `relative`, which must not be there, and those on the way. `None` if it is there.
    pub(super) fn make(&self, relative: &str, fresh: Fresh) -> Result<Option<Directory>, HostError> {
        let Some((parent, name)) = self.walk(relative, Some(fresh))? else { return Ok(None) };
        match parent.make_here(name, fresh) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
            made => made.and_then(|()| parent.enter(name)).map(Some).map_err(failed(&parent.path.join(name))),
        }
    }

    /// The names of the directories in the directory at `relative`, sorted; none if it is not there.
    pub(super) fn directories(&self, relative: &str) -> Result<Vec<String>, HostError> {
        let path = self.path.join(relative);
        let Some((parent, name)) = self.walk(relative, None)? else { return Ok(Vec::new()) };
        let directory = match parent.enter(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entered => entered.map_err(|error| unreadable(&path, &error))?,
        };
        let mut names = Vec::new();
        let entries =
            rustix::fs::Dir::read_from(&directory.descriptor).map_err(|error| unreadable(&path, &error.into()))?;
        for entry in entries {
            let name =
                entry.map_err(|error| unreadable(&path, &error.into()))?.file_name().to_string_lossy().into_owned();
            if !matches!(&*name, "." | "..") && directory.enter(&name).is_ok() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Removes the directory at `relative` with all that is in it.
    pub(super) fn remove(&self, relative: &str) -> Result<(), HostError> {
        let Some((parent, name)) = self.walk(relative, None)? else { return Ok(()) };
        parent.remove_here(name).map_err(failed(&self.path.join(relative)))
    }

    fn remove_here(&self, name: &str) -> io::Result<()> {
        let directory = self.enter(name)?;
        let entries: Vec<_> = rustix::fs::Dir::read_from(&directory.descriptor)?.collect::<Result<_, _>>()?;
        for entry in entries {
            let name = entry.file_name().to_string_lossy();
            if matches!(&*name, "." | "..") {
                continue;
            }
            match rustix::fs::unlinkat(&directory.descriptor, &*name, AtFlags::empty()) {
                Err(rustix::io::Errno::ISDIR) => directory.remove_here(&name)?,
                removed => removed?,
            }
        }
        Ok(rustix::fs::unlinkat(&self.descriptor, name, AtFlags::REMOVEDIR)?)
    }

    /// The directory that holds `relative`, and the name in it. Missing directories are made if it is said how.
    fn walk<'p>(&self, relative: &'p str, fresh: Option<Fresh>) -> Result<Option<(Directory, &'p str)>, HostError> {
        let mut steps: Vec<&str> = relative.split('/').collect();
        let name = steps.pop().unwrap_or_default();
        let mut here = self.again().map_err(|error| unreadable(&self.path, &error))?;
        for step in steps {
            let path = here.path.join(step);
            here = match (here.enter(step), fresh) {
                (Err(error), None) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                (Err(error), Some(fresh)) if error.kind() == io::ErrorKind::NotFound => {
                    match here.make_here(step, fresh) {
                        // Somebody else was faster.
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => here.enter(step),
                        made => made.and_then(|()| here.enter(step)),
                    }
                    .map_err(failed(&path))?
                }
                (Err(error), Some(_)) if is_link(&error) => return Err(not_plain(&path)),
                (Err(error), None) if is_link(&error) => return Err(files::not_plain(&path)),
                (entered, _) => entered.map_err(|error| unreadable(&path, &error))?,
            };
        }
        Ok(Some((here, name)))
    }

    fn again(&self) -> io::Result<Directory> {
        Ok(Directory { descriptor: self.descriptor.try_clone()?, path: self.path.clone() })
    }

    fn enter(&self, name: &str) -> io::Result<Directory> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(&self.descriptor, name, flags, Mode::empty())?;
        Ok(Directory { descriptor, path: self.path.join(name) })
    }

    fn make_here(&self, name: &str, fresh: Fresh) -> io::Result<()> {
        rustix::fs::mkdirat(&self.descriptor, name, Mode::from_raw_mode(fresh.mode & 0o777))?;
        let Some(owner) = fresh.owner else { return Ok(()) };
        let directory = self.enter(name)?;
        own(&directory.descriptor, owner)?;
        Ok(rustix::fs::fchmod(&directory.descriptor, Mode::from_raw_mode(fresh.mode))?)
    }

    /// What is to be replaced under this name; an error unless it is a plain file.
    fn look_at(&self, name: &str) -> Result<Option<rustix::fs::Stat>, HostError> {
        let path = self.path.join(name);
        match rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(&path)(error.into())),
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => Ok(Some(stat)),
            Ok(_) => Err(not_plain(&path)),
        }
    }

    fn open_here(&self, name: &str) -> Result<Option<File>, HostError> {
        let path = self.path.join(name);
        // What is no plain file must not hold the reader up.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.descriptor, name, flags, Mode::empty()).map_err(io::Error::from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if is_link(&error) || is_socket(&error) => return Err(files::not_plain(&path)),
            opened => File::from(opened.map_err(|error| unreadable(&path, &error))?),
        };
        let is_plain = file.metadata().map_err(|error| unreadable(&path, &error))?.is_file();
        if is_plain { Ok(Some(file)) } else { Err(files::not_plain(&path)) }
    }

    /// A temporary file beside the target, 0600 from the start; owner, mode, fsync, rename, fsync of the directory.
    fn place(&self, name: &str, bytes: &[u8], fresh: Fresh) -> Result<(), HostError> {
        let fail = failed(&self.path.join(name));
        let (mut file, temporary) = self.temporary().map_err(&fail)?;
        let written = file.write_all(bytes).and_then(|()| {
            if let Some(owner) = fresh.owner {
                own(&file, owner)?;
            }
            rustix::fs::fchmod(&file, Mode::from_raw_mode(fresh.mode))?;
            file.sync_all()?;
            Ok(rustix::fs::renameat(&self.descriptor, &*temporary, &self.descriptor, name)?)
        });
        if let Err(error) = written {
            // The first error is the one to tell.
            let _ = rustix::fs::unlinkat(&self.descriptor, &*temporary, AtFlags::empty());
            return Err(fail(error));
        }
        rustix::fs::fsync(&self.descriptor).map_err(|error| fail(error.into()))
    }

    fn temporary(&self) -> io::Result<(File, String)> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for attempt in 0..ATTEMPTS {
            let name = format!(".pfcluster-{}-{attempt}", std::process::id());
            match rustix::fs::openat(&self.descriptor, &*name, flags, Mode::from_raw_mode(0o600)) {
                Err(rustix::io::Errno::EXIST) => {}
                opened => return Ok((opened?.into(), name)),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// Puts `bytes` in the place of the file at `path`, whole or not at all. Links on the way to its directory are followed: the
/// path is the caller's word, and nobody else writes to its directories.
#[expect(clippy::needless_pass_by_value, reason = "callers make the permissions on the spot")]
pub(super) fn place(
    path: &Path,
    bytes: &[u8],
    permissions: Permissions,
    owner: Option<(u32, u32)>,
) -> Result<(), HostError> {
    let fail = failed(path);
    let name =
        path.file_name().and_then(|name| name.to_str()).ok_or_else(|| fail(io::ErrorKind::InvalidInput.into()))?;
    let parent = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let directory = Directory::at(parent).map_err(&fail)?;
    directory.place(name, bytes, Fresh { mode: permissions.mode() & 0o7777, owner })
}

/// A directory, with those above it; links are followed as in [`place`].
pub(super) fn create_directory(path: &Path, mode: u32) -> Result<(), HostError> {
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(failed(path))
}

/// Gives a file to its owner, where it is not already: only root may.
fn own(file: impl std::os::fd::AsFd, (user, group): (u32, u32)) -> io::Result<()> {
    let stat = rustix::fs::fstat(&file)?;
    if (stat.st_uid, stat.st_gid) == (user, group) {
        return Ok(());
    }
    let owner = (rustix::fs::Uid::from_raw(user), rustix::fs::Gid::from_raw(group));
    Ok(rustix::fs::fchown(&file, Some(owner.0), Some(owner.1))?)
}

fn is_link(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// What `open` says of a socket, and of a pipe that nobody reads.
fn is_socket(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error())
}

fn not_plain(path: &Path) -> HostError {
    match files::what_it_is(path) {
        reason @ "it is a directory" => {
            HostError::Write { path: path.to_owned(), reason: reason.to_owned(), help: "name a file".to_owned() }
        }
        _ => in_the_way(path),
    }
}

fn in_the_way(path: &Path) -> HostError {
    HostError::Write {
        path: path.to_owned(),
        reason: "it is no plain file".to_owned(),
        help: "remove what is there; links are not followed".to_owned(),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> HostError {
    let help = match error.kind() {
        io::ErrorKind::NotFound => "check the name (`--root DIR` for another install directory)",
        io::ErrorKind::PermissionDenied => "run it as root or as the user pf",
        _ => "check that the file system is mounted and in order",
    };
    HostError::Read { path: path.to_owned(), reason: files::plain(error), help: help.to_owned() }
}

/// Why `path` was not written.
pub(super) fn failed(path: &Path) -> impl Fn(io::Error) -> HostError + use<> {
    let path = path.to_owned();
    move |error| HostError::Write {
        path: path.clone(),
        reason: files::plain(&error),
        help: match error.kind() {
            io::ErrorKind::PermissionDenied => "run it as root".to_owned(),
            io::ErrorKind::StorageFull => "make room on the file system; the file is as it was".to_owned(),
            _ => "check that the file system is mounted and in order; the file is as it was".to_owned(),
        },
    }
}
