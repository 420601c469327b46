//! The hosts' disks: laid out, with a database that is made once for all labs; filled; put back to an earlier state.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use super::Options;
use super::command::run;
use super::database::Start;
use super::error::{LabError, Result};
use super::host::Host;
use super::plan::Plan;
use super::volume::Volume;

const INIT: &str = include_str!("../../lab/host/init");
const SYSTEMCTL: &str = include_str!("../../lab/host/systemctl");
const PFUPDATE: &str = include_str!("../../lab/host/pfupdate");
const TEMPLATE: &str = include_str!("../../lab/host/template.sql");

/// What is in every host's pf.conf beside the example: three databases fit into a small machine.
const SMALL: &str = "\n[database_advanced]\ninnodb_buffer_pool_size=64\nkey_buffer_size=4\nmax_connections=100\n";

/// The supervisors' secret: nobody else is on their network.
const KEY: &str = "5ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2e75ec2\n";

/// The disk of a host that is not said to be smaller, in megabytes: most of it is never written.
const MEGABYTES: u32 = 1024;

/// Everything of a host but its database. What survives a boot and is the host's own is on a disk that loses what was not
/// synced: the database, and PacketFence with what supervisors write down. Logs are the lab's, and survive everything.
///
/// # Errors
/// If the disk is full.
pub(crate) fn lay_out(host: &Host, plan: &Plan, options: &Options) -> Result {
    let folder = &host.folder;
    fs::create_dir_all(folder)?;
    host.disk().make(MEGABYTES)?;
    symlink("disk/pf", folder.join("pf"))?;
    let small = options.small_disks.iter().find(|(name, _)| host.plan.is_named(name));
    if let Some((_, megabytes)) = small {
        host.database_disk().make(*megabytes)?;
    }
    symlink(if small.is_some() { "database-disk" } else { "disk/lib" }, folder.join("lib"))?;
    for name in ["disk/pf", "disk/lib"] {
        fs::create_dir(folder.join(name))?;
    }
    for name in ["lib/mysql", "log", "bin", "etc", "pf/conf/ssl", "pf/var/conf", "pf/var/run", "pf/bin/cluster"] {
        fs::create_dir_all(folder.join(name))?;
    }
    own(&folder.join("lib/mysql"))?;
    own(&folder.join("log"))?;
    for name in ["cluster.conf", "pf.conf"] {
        fs::copy(plan.folder.join(name), folder.join("pf/conf").join(name))?;
    }
    fs::File::options().append(true).open(folder.join("pf/conf/pf.conf"))?.write_all(SMALL.as_bytes())?;
    fs::write(folder.join("pf/conf/pf-release"), format!("PacketFence {}.0\n", options.version))?;
    for (name, text) in [("bin/init", INIT), ("bin/systemctl", SYSTEMCTL), ("pf/bin/cluster/pfupdate", PFUPDATE)] {
        fs::write(folder.join(name), text)?;
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755))?;
    }
    let key = folder.join("pf/conf/pfcluster.key");
    fs::write(&key, KEY)?;
    fs::set_permissions(key, fs::Permissions::from_mode(0o600))?;
    let copied = fs::copy(&options.program, folder.join("bin/pfcluster"));
    copied.map_err(|error| LabError::about(&options.program.display().to_string(), error))?;
    let names = plan.hosts.iter().map(|host| format!("{} {} {}\n", host.management, host.hostname, host.name));
    fs::write(folder.join("etc/hosts"), format!("127.0.0.1 localhost\n{}", names.collect::<String>()))?;
    fs::write(folder.join("etc/resolv.conf"), "")?;
    fs::write(folder.join("etc/database-arguments"), options.database_arguments.join("\n"))?;
    Ok(())
}

/// A throwaway certificate for the portal and the administration interface.
///
/// # Errors
/// If openssl is not installed.
pub(crate) fn certificate(hosts: &[Host]) -> Result {
    let Some(first) = hosts.first() else { return Ok(()) };
    let ssl = first.folder.join("pf/conf/ssl");
    let (key, pem) = (ssl.join("server.key").display().to_string(), ssl.join("server.pem"));
    let output = pem.display().to_string();
    let subject = ["-subj", "/CN=pf.example.com", "-keyout", &key, "-out", &output];
    run("openssl", &[&["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"], &subject[..]].concat())?;
    let both = fs::read_to_string(&pem)? + &fs::read_to_string(&key)?;
    hosts.iter().try_for_each(|host| Ok(fs::write(host.folder.join("pf/conf/ssl/server.pem"), &both)?))
}

/// The database that a new lab's members begin with: made by the first host the first time, kept in `base` for the
/// next labs.
///
/// # Errors
/// If MariaDB does not make it.
pub(crate) fn template(base: &Path, maker: &Host) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    (run("mariadbd", &["--version"])?, TEMPLATE, 1).hash(&mut hasher);
    let path = base.join(format!("template-{:016x}", hasher.finish()));
    if path.exists() {
        return Ok(path);
    }
    let datadir = maker.datadir();
    let to = format!("--datadir={}", datadir.display());
    run("mariadb-install-db", &["--no-defaults", "--user=mysql", &to, "--skip-test-db", "--skip-name-resolve"])?;
    maker.start_database(Start::NewCluster)?;
    let ready = || maker.exec(&["mariadb", "-e", "SELECT 1"]).is_ok();
    super::command::wait_until("a new database", super::host::DEADLINE, ready, || maker.log("mariadb"))?;
    maker.exec(&["mariadb", "-e", TEMPLATE])?;
    maker.stop_database()?;
    for name in ["galera.cache", "ibtmp1", "mysql.sock"] {
        let _ = fs::remove_file(datadir.join(name));
    }
    let unfinished = base.join("unfinished-template");
    let _ = fs::remove_dir_all(&unfinished);
    copy(&datadir, &unfinished)?;
    for entry in fs::read_dir(base)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("template-") {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    fs::rename(&unfinished, &path)?;
    Ok(path)
}

impl Host {
    /// Puts the template into the database's folder.
    ///
    /// # Errors
    /// If the disk is full.
    pub(crate) fn restore_template(&self, template: &Path) -> Result {
        self.erase_database()?;
        let everything = format!("{}/.", template.display());
        run("cp", &["-a", &everything, &self.datadir().display().to_string()]).map(drop)
    }

    /// Takes everything out of the database's folder. The database must not run.
    ///
    /// # Errors
    /// If something can't be removed.
    pub fn erase_database(&self) -> Result {
        let folder = self.datadir().display().to_string();
        run("find", &[&folder, "-mindepth", "1", "-delete"]).map(drop)
    }

    /// The disk of all that the host keeps.
    pub(crate) fn disk(&self) -> Volume {
        Volume::of(&self.folder, "disk")
    }

    /// The small one that it may have for the database's folder and what is kept beside it.
    pub(crate) fn database_disk(&self) -> Volume {
        Volume::of(&self.folder, "database-disk")
    }

    /// Those that it has.
    pub(crate) fn disks(&self) -> impl Iterator<Item = Volume> {
        [self.disk(), self.database_disk()].into_iter().filter(Volume::exists)
    }

    /// Fills the database's disk to the last byte: its own, or the one where supervisors write, too.
    ///
    /// # Errors
    /// If it is full.
    pub fn fill_disk(&self) -> Result {
        self.filled_disk().fill()
    }

    /// Takes away what [`Host::fill_disk`] has put there.
    ///
    /// # Errors
    /// If it is not full.
    pub fn free_disk(&self) -> Result {
        self.filled_disk().free()
    }

    fn filled_disk(&self) -> Volume {
        Some(self.database_disk()).filter(Volume::exists).unwrap_or_else(|| self.disk())
    }
}

fn own(path: &Path) -> Result {
    run("chown", &["mysql:mysql", &path.display().to_string()]).map(drop)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let words = ["-a", "--no-target-directory", &from.display().to_string(), &to.display().to_string()];
    run("cp", &words).map(drop).map_err(|error| std::io::Error::other(error.0))
}
