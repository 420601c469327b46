//! Network namespaces of the tests with real daemons. Each is named `PREFIX-PID-…` after the process that made it, so that a
//! later run finds what a killed one has left.

use std::path::Path;
use std::process::Command;

/// True if a namespace or folder is named `PREFIX-PID-…`, and the process is gone.
pub fn is_left_over(name: &str, prefix: &str) -> bool {
    let pid = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')?.split('-').next());
    pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists())
}

/// The namespaces that killed runs have left.
///
/// # Panics
/// If `ip` is not installed.
pub fn left_over(prefix: &str) -> Vec<String> {
    let listed = Command::new("ip").args(["netns", "list"]).output().expect("`ip` must be installed");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let names = listed.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| is_left_over(name, prefix)).map(str::to_owned).collect()
}

/// What runs in a namespace.
///
/// # Panics
/// If `ip` is not installed.
pub fn pids(namespace: &str) -> Vec<u32> {
    let output = Command::new("ip").args(["netns", "pids", namespace]).output().expect("`ip` must be installed");
    String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.trim().parse().ok()).collect()
}
