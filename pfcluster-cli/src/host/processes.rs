//! Whether a database process has a data directory, also where it does not answer.
//!
//! Two signs are asked, since neither shows all: a server locks its tablespace and its Aria log for as long as it has them
//! open (seen also from other containers of this machine), and stands in its data directory from its first moment on, also
//! while it still receives them from another member.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::mariadb::Settings;

/// Whether there is a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// There is one.
    There,
    /// There is none.
    None,
    /// Not known, for this reason.
    Unknown(String),
}

/// Whether a database process has this data directory.
pub(super) fn presence(settings: &Settings) -> Presence {
    let mut unknown = None;
    let locked = [settings.tablespace.join("ibdata1"), settings.datadir.join("aria_log_control")];
    let signs = locked.iter().map(|path| lock(path)).chain([servers(&settings.datadir)]);
    for sign in signs {
        match sign {
            Presence::There => return Presence::There,
            Presence::Unknown(why) => unknown = unknown.or(Some(why)),
            Presence::None => {}
        }
    }
    unknown.map_or(Presence::None, Presence::Unknown)
}

/// Whether somebody holds a lock on the file.
fn lock(path: &Path) -> Presence {
    let held = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Presence::None,
        file => file.and_then(|file| Ok(fcntl_getlk(&file, &Flock::from(FlockType::WriteLock))?)),
    };
    match held {
        Ok(Some(_)) => Presence::There,
        Ok(None) => Presence::None,
        Err(error) => Presence::Unknown(format!("{}: {}", path.display(), super::files::plain(&error))),
    }
}

/// Whether a server stands in the directory.
fn servers(datadir: &Path) -> Presence {
    let id = |path: &Path| path.metadata().map(|data| (data.dev(), data.ino()));
    let Ok(ours) = id(datadir) else { return Presence::Unknown(format!("{}: not readable", datadir.display())) };
    let Ok(processes) = fs::read_dir("/proc") else { return Presence::Unknown("/proc is not readable".to_owned()) };
    // Where /proc hides the processes of others, finding none means nothing.
    if !Path::new("/proc/1/stat").exists() {
        return Presence::Unknown("/proc hides the processes of other users".to_owned());
    }
    let mut unknown = None;
    for process in processes.flatten().map(|entry| entry.path()) {
        let name = fs::read(process.join("comm")).unwrap_or_default();
        if !matches!(name.trim_ascii_end(), b"mariadbd" | b"mysqld") {
            continue;
        }
        let place = process.join("cwd");
        match id(&place) {
            Ok(place) if place == ours => return Presence::There,
            // One that has not yet gone to its data directory may be on its way to this one.
            Ok(_) if !is_data_directory(&place) => return Presence::There,
            Ok(_) => {}
            // It has just ended.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => {
                let pid = process.file_name().unwrap_or_default().to_string_lossy().into_owned();
                unknown = Some(format!("process {pid} is a database server, whose directory is not shown"));
            }
        }
    }
    unknown.map_or(Presence::None, Presence::Unknown)
}

fn is_data_directory(path: &Path) -> bool {
    ["ibdata1", "aria_log_control", "mysql"].iter().any(|name| path.join(name).exists())
}
