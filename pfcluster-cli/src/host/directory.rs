//! Directories held open. Files are read and written through them, step by step from the install directory and following no
//! link: PacketFence's directories belong to its own user, who could otherwise turn a path around while root walks it.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

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

    fn at(path: &Path) -> io::Result<Directory> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Directory { descriptor: rustix::fs::open(path, flags, Mode::empty())?, path: path.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The plain file at `relative`; `None` if it, or a directory on the way, is not there.
    pub(super) fn read(&self, relative: &str) -> Result<Option<Vec<u8>>, HostError> {
        match self.walk(relative, None)? {
            Some((parent, name)) => parent.read_here(name),
            None => Ok(None),
        }
    }

    /// Puts `bytes` in the place of the plain file at `relative`, whole or not at all. A file that is there keeps its mode
    /// and its owner; one that is not gets those of `fresh`, as missing directories get those of `directories`.
    pub(super) fn write(
        &self,
        relative: &str,
        bytes: &[u8],
        fresh: Fresh,
        directories: Fresh,
    ) -> Result<(), HostError> {
        let Some((parent, name)) = self.walk(relative, Some(directories))? else {
            return Err(failed(&self.path.join(relative))(io::ErrorKind::NotFound.into()));
        };
        let fresh = match parent.look_at(name)? {
            Some(stat) => Fresh { mode: stat.st_mode & 0o7777, owner: Some((stat.st_uid, stat.st_gid)) },
            None => fresh,
        };
        parent.place(name, bytes, fresh)
    }

    /// A file below this directory, opened for locking; made if it is not there.
    pub(super) fn lock_file(&self, relative: &str) -> Result<File, HostError> {
        let private = Fresh { mode: 0o700, owner: None };
        let fail = failed(&self.path.join(relative));
        let Some((parent, name)) = self.walk(relative, Some(private))? else {
            return Err(fail(io::ErrorKind::NotFound.into()));
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
                (Err(error), _) if is_link(&error) => return Err(link(&path)),
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

    /// What is there under this name; an error unless it is a plain file.
    fn look_at(&self, name: &str) -> Result<Option<rustix::fs::Stat>, HostError> {
        let path = self.path.join(name);
        match rustix::fs::statat(&self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(failed(&path)(error.into())),
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile => Ok(Some(stat)),
            Ok(_) => Err(link(&path)),
        }
    }

    fn read_here(&self, name: &str) -> Result<Option<Vec<u8>>, HostError> {
        if self.look_at(name)?.is_none() {
            return Ok(None);
        }
        let path = self.path.join(name);
        // What is no plain file any more must not hold the reader up.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.descriptor, name, flags, Mode::empty()).map_err(io::Error::from);
        let mut bytes = Vec::new();
        let read = opened.and_then(|file| File::from(file).read_to_end(&mut bytes));
        read.map_err(|error| unreadable(&path, &error))?;
        Ok(Some(bytes))
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

fn link(path: &Path) -> HostError {
    let (reason, help) = match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => ("it is a directory", "name a file"),
        _ => ("it is no plain file", "remove what is there; links are not followed"),
    };
    HostError::Write { path: path.to_owned(), reason: reason.to_owned(), help: help.to_owned() }
}

fn unreadable(path: &Path, error: &io::Error) -> HostError {
    let help = match error.kind() {
        io::ErrorKind::NotFound => "check the name (`--root DIR` for another install directory)",
        io::ErrorKind::PermissionDenied => "run it as root or as the user pf",
        _ => "see that the file system is mounted and in order",
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
            _ => "see that the file system is mounted and in order; the file is as it was".to_owned(),
        },
    }
}
