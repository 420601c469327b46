//! Whose files are, and who may read them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Instant;

use pfcluster_guide::doctor::{
    self, Datadir, Known, MONITORING_FILE, MemberKey, Permissions, SCRIPTS, Supervisor, SupervisorKey,
};
use rustix::fs::statvfs;
use serde::Deserialize;

use super::Machine;
use crate::host::files::plain;
use crate::host::machine::{group_name, user_name};
use crate::host::supervise::control::{self, Request};
use crate::host::{Root, key};

/// Files with secrets, relative to the install directory.
const SECRETS: [&str; 12] = [
    "conf/pf.conf",
    "conf/pfconfig.conf",
    key::NAME,
    MONITORING_FILE,
    "conf/local_secret",
    "conf/unified_api_system_pass",
    "conf/ssl/server.key",
    "conf/ssl/server.pem",
    "raddb/certs/server.key",
    "var/conf/keepalived.conf",
    "var/conf/mariadb.conf",
    "var/run/db-update",
];

/// Signs that pfcluster's supervisor starts the database.
const DROP_IN: &str = "/etc/systemd/system/packetfence-mariadb.service.d/20-supervise.conf";
const UNIT: &str = "pfcluster-mariadb.service";

pub(super) fn scripts(root: &Root) -> Known<Vec<doctor::File>> {
    SCRIPTS.into_iter().map(|name| file(root, name)).collect()
}

/// Those that are there.
pub(super) fn secret_files(root: &Root) -> Known<Vec<doctor::File>> {
    let files = SECRETS.into_iter().map(|name| file(root, name)).collect::<Known<Vec<doctor::File>>>()?;
    Ok(files.into_iter().filter(|file| file.permissions.is_some()).collect())
}

fn file(root: &Root, name: &str) -> Known<doctor::File> {
    let path = root.file(name);
    let permissions = match path.metadata() {
        Ok(data) => {
            let group = group_name(data.gid()).unwrap_or_else(|| data.gid().to_string());
            Some(Permissions { mode: data.mode() & 0o7777, group: group.into() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(unseen(&path, &error)),
    };
    Ok(doctor::File { path: path.to_string_lossy().into(), permissions })
}

pub(super) fn supervisor(
    machine: &Machine,
    root: &Root,
    run_directory: &Path,
    units: &Known<BTreeMap<Box<str>, Box<str>>>,
) -> Known<Supervisor> {
    let is_enabled =
        units.as_ref().is_ok_and(|units| units.get(UNIT).is_some_and(|state| state.starts_with("enabled")));
    let is_used = is_enabled || is_there(&machine.file(DROP_IN))? || is_there(&control::path(run_directory))?;
    let path = key::path(root);
    let key = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => SupervisorKey::Missing,
        Err(error) => return Err(unseen(&path, &error)),
        Ok(data) if data.is_file() && rustix::fs::access(&path, rustix::fs::Access::READ_OK).is_err() => {
            return Err(unseen(&path, &io::ErrorKind::PermissionDenied.into()));
        }
        Ok(_) => key::read(root).map_or_else(
            |error| SupervisorKey::Unusable { why: error.to_string().into(), help: error.help().into() },
            |keys| SupervisorKey::Usable { keys: keys.ids() },
        ),
    };
    let (signing, pinned_others) = own_keys(run_directory);
    Ok(Supervisor { is_used, key, signing, pinned_others })
}

/// What is needed of schemas/mariadb-status.json.
#[derive(Deserialize)]
struct Told {
    members: Vec<Member>,
    pinned_others: Vec<Box<str>>,
}

#[derive(Deserialize)]
struct Member {
    host: Box<str>,
    signing_key: Option<Box<str>>,
    refused_keys: Vec<Box<str>>,
}

/// The members' own keys, as this machine's supervisor knows them, and the other hosts whose keys it has pinned. One of another version
/// says nothing.
fn own_keys(run_directory: &Path) -> (Vec<MemberKey>, Vec<Box<str>>) {
    let told = control::ask(run_directory, &Request::Status { json: true }).ok().flatten();
    let told = told.and_then(|told| serde_json::from_str::<Told>(&told).ok());
    let member = |Member { host, signing_key, refused_keys }| MemberKey { host, signing_key, refused_keys };
    told.map(|told| (told.members.into_iter().map(member).collect(), told.pinned_others)).unwrap_or_default()
}

fn is_there(path: &Path) -> Known<bool> {
    path.try_exists().map_err(|error| unseen(path, &error))
}

fn unseen(path: &Path, error: &io::Error) -> Box<str> {
    format!("cannot see {}: {}", path.display(), plain(error)).into()
}

pub(super) fn datadir(path: &Path, deadline: Instant) -> Known<Option<Datadir>> {
    let data = match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        data => data.map_err(|error| unseen(path, &error))?,
    };
    let free = statvfs(path).map_err(|error| unseen(path, &error.into()));
    Ok(Some(Datadir {
        path: path.to_string_lossy().into(),
        owner: user_name(data.uid()).unwrap_or_else(|| data.uid().to_string()).into(),
        used: used(path, deadline),
        free: free.map(|system| system.f_bavail.saturating_mul(system.f_frsize)),
    }))
}

/// The bytes of all files in it. Links are not followed.
fn used(directory: &Path, deadline: Instant) -> Known<u64> {
    let mut total = 0;
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        let fail = |error: &io::Error| unseen(&directory, error);
        for entry in fs::read_dir(&directory).map_err(|error| fail(&error))? {
            if Instant::now() >= deadline {
                return Err("there are more files in the data directory than can be counted in time".into());
            }
            let entry = entry.map_err(|error| fail(&error))?;
            match entry.metadata() {
                Ok(data) if data.is_dir() => directories.push(entry.path()),
                // What is not there on the disk takes no space in a copy either.
                Ok(data) => total += data.blocks() * 512,
                // A database removes files while it runs.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(fail(&error)),
            }
        }
    }
    Ok(total)
}
