//! The machine itself.

#![expect(clippy::disallowed_methods, reason = "root's files in /etc, and the kernel's")]

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use pfcluster_core::galera::Uuid;

/// The machine's host name, as `hostname` prints it.
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The kernel's name for the time since it was started; `None` if it does not say. Within one boot, times can be compared.
pub fn boot_id() -> Option<Uuid> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim_end().parse().ok()
}

/// The number of a group of /etc/group; `None` if there is no such group, or groups come from elsewhere.
pub fn group_id(name: &str) -> Option<u32> {
    let groups = std::fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

/// The name of a group of /etc/group.
pub(super) fn group_name(id: u32) -> Option<String> {
    let groups = std::fs::read_to_string("/etc/group").ok()?;
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

/// The numbers of a user of /etc/passwd and of its group; `None` if there is no such user, or users come from elsewhere.
pub fn user_ids(name: &str) -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_meant = fields.next() == Some(name);
        let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        is_meant.then_some((user, group))
    })
}

/// The IPv4 addresses that this machine has, on whatever interface; `None` if the kernel does not show them. (Binding to an
/// address tells nothing: cluster members may bind to those of others, `net.ipv4.ip_nonlocal_bind`.)
pub fn own_addresses() -> Option<BTreeSet<Ipv4Addr>> {
    Some(local_addresses(&std::fs::read_to_string("/proc/net/fib_trie").ok()?))
}

/// The local addresses in the kernel's routes.
pub(super) fn local_addresses(routes: &str) -> BTreeSet<Ipv4Addr> {
    let mut addresses = BTreeSet::new();
    let mut last: Option<Ipv4Addr> = None;
    for line in routes.lines().map(str::trim) {
        match line.strip_prefix("|-- ") {
            Some(address) => last = address.parse().ok(),
            None if line == "/32 host LOCAL" => addresses.extend(last),
            None => {}
        }
    }
    addresses
}

/// Where services find programs, in order, and where RHEL has mariadbd. PATH is of the user that starts this, and what root runs is
/// not for others to choose.
pub(super) const PROGRAM_DIRECTORIES: [&str; 7] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/libexec"];

/// The system's program of this name; `None` if it is not installed.
pub(super) fn program(name: &str) -> Option<PathBuf> {
    PROGRAM_DIRECTORIES.iter().map(|directory| Path::new(directory).join(name)).find(|path| path.is_file())
}

/// What `PROGRAM -v` says, standard output and standard error together; `None` if it is not installed.
pub fn version_text(name: &str) -> Option<String> {
    let program = program(name)?;
    let output = std::process::Command::new(program).arg("-v").stdin(std::process::Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// Where Galera's library may be: Debian's place, then RHEL's.
pub(super) const GALERA_PROVIDERS: [&str; 3] =
    ["/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so", "/usr/lib64/galera/libgalera_smm.so"];

/// Where Galera's library is on this machine; `None` if it is not installed.
pub fn galera_provider() -> Option<&'static str> {
    GALERA_PROVIDERS.into_iter().find(|path| std::path::Path::new(path).is_file())
}
