//! Settings of the kernel: what they are now, and what sysctl's files make of them at boot.

#![expect(clippy::disallowed_methods, reason = "root's files in /etc and /usr")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use pfcluster_guide::doctor::{AtBoot, KernelSetting, Known};

use super::Machine;
use crate::host::files::plain;

/// Where systemd looks, in this order: a file of an earlier one hides those of its name in later ones.
const DIRECTORIES: [&str; 5] =
    ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

/// `net.ipv4.ip_nonlocal_bind` and the like.
pub(super) fn setting(machine: &Machine, name: &str) -> Known<KernelSetting> {
    let now = machine.text(&format!("/proc/sys/{}", name.replace('.', "/")))?;
    Ok(KernelSetting { now: now.map(|text| text.trim().into()), at_boot: at_boot(machine, name)? })
}

/// The last file in order of the names counts. (/etc/sysctl.conf only counts where a link in one of the directories leads to
/// it, as on Debian up to 12 and on RHEL.)
fn at_boot(machine: &Machine, name: &str) -> Known<Option<AtBoot>> {
    let mut found = None;
    for path in in_order(machine).into_values() {
        let text = match fs::read(&path) {
            Ok(text) => text,
            // A link that leads nowhere sets nothing.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("cannot read {}: {}", path.display(), plain(&error)).into()),
        };
        if let Some(value) = value(&String::from_utf8_lossy(&text), name) {
            // An editor that is given a link may put a file in its place.
            let file = machine.name(&path.canonicalize().unwrap_or(path));
            found = Some(AtBoot { value: value.into(), file });
        }
    }
    Ok(found)
}

fn in_order(machine: &Machine) -> BTreeMap<std::ffi::OsString, PathBuf> {
    let mut files = BTreeMap::new();
    for directory in DIRECTORIES {
        for entry in fs::read_dir(machine.file(directory)).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "conf") {
                files.entry(entry.file_name()).or_insert(path);
            }
        }
    }
    files
}

/// What a file sets it to; the last line counts. `/` in names is `.`; a `-` before one means that failing is no error.
pub(super) fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    let mut settings = lines.filter_map(|line| line.split_once('='));
    let is_meant = |key: &str| key.trim().trim_start_matches('-').replace('/', ".") == name;
    settings.rfind(|(key, _)| is_meant(key)).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn lines_of_sysctl() {
        let text = "# net.a = 0\n;net.a=0\nnet.ab = 3\nnet.a = 1\n -net/a =2 \n";
        assert_eq!(value(text, "net.a"), Some("2"));
        assert_eq!(value(text, "net.b"), None);
        assert_eq!(value("net.a\n", "net.a"), None);
    }
}
