//! The machine itself.

#![expect(clippy::disallowed_methods, reason = "root's files in /etc, and the kernel's")]

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pfcluster_core::galera::Uuid;

/// The machine's host name, as `hostname` prints it.
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The kernel's name for the time since it was started; `None` if it does not say. Within one boot, times can be compared.
pub fn boot_id() -> Option<Uuid> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim_end().parse().ok()
}

/// The seconds since 1970 (UTC) by this machine's clock; 0 if that stands before.
pub fn since_1970() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// The number of a group of /etc/group; `None` if there is no such group, or groups come from elsewhere.
pub fn group_id(name: &str) -> Option<u32> {
    Some(entry("/etc/group", |group| group.name == name)?.id)
}

/// The name of a group of /etc/group.
pub(super) fn group_name(id: u32) -> Option<String> {
    Some(entry("/etc/group", |group| group.id == id)?.name)
}

/// The numbers of a user of /etc/passwd and of its group; `None` if there is no such user, or users come from elsewhere.
pub fn user_ids(name: &str) -> Option<(u32, u32)> {
    let user = entry("/etc/passwd", |user| user.name == name && user.group.is_some())?;
    Some((user.id, user.group?))
}

/// The name of a user of /etc/passwd.
pub(super) fn user_name(id: u32) -> Option<String> {
    Some(entry("/etc/passwd", |user| user.id == id)?.name)
}

/// A line of /etc/passwd or /etc/group.
struct Entry {
    name: String,
    id: u32,
    /// The number of a user's group.
    group: Option<u32>,
}

/// The first line that is meant. What is malformed is passed over.
fn entry(path: &str, is_meant: impl Fn(&Entry) -> bool) -> Option<Entry> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut entries = text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?.to_owned(), fields.nth(1)?.parse().ok()?);
        Some(Entry { name, id, group: fields.next().and_then(|group| group.parse().ok()) })
    });
    entries.find(is_meant)
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
