//! Others that would start, end or wipe this machine's database: PacketFence's own supervisor and its `galera-autofix`.

#![expect(clippy::disallowed_methods, reason = "the kernel's files in /proc")]

use std::fs;
use std::path::Path;

/// Somebody else who acts on the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rival {
    /// What it is.
    pub(super) what: String,
    /// How to end it.
    pub(super) help: &'static str,
}

const RIVALS: [(&str, &str); 2] = [
    (
        "galera-autofix",
        "on every member: `systemctl disable --now packetfence-galera-autofix`, and `pfcmd service galera-autofix` must not \
         manage it (services.galera-autofix=disabled in pf.conf)",
    ),
    ("pf-mariadb", "stop it (`systemctl stop packetfence-mariadb`), then start this one in its place"),
];

/// The first that runs.
pub(super) fn rival() -> Option<Rival> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    processes.filter(|process| !is_self(process)).find_map(|process| {
        let line = fs::read(process.join("cmdline")).ok()?;
        let words: Vec<String> =
            line.split(|byte| *byte == 0).take(3).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        // A script stands behind its interpreter; Perl programs rename themselves.
        let names = words.iter().filter_map(|word| Path::new(word.split(' ').next()?).file_name()?.to_str());
        let (name, help) = names.flat_map(|name| RIVALS.iter().filter(move |(rival, _)| *rival == name)).next()?;
        let pid = process.file_name()?.to_string_lossy().into_owned();
        Some(Rival { what: format!("{name} (process {pid})"), help })
    })
}

fn is_self(process: &Path) -> bool {
    process.file_name().is_some_and(|name| name.to_str() == Some(&std::process::id().to_string()))
}
