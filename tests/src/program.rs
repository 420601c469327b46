//! The real program, run as a user runs it: in a directory of its own, with nothing of ours in its environment.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The built program. Building it here keeps `cargo test -p pfcluster-tests` honest: it never runs an old one.
///
/// # Panics
/// If it does not build.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // Another build: to see that an attack still works on it.
        if let Some(other) = std::env::var_os("PFCLUSTER_PROGRAM") {
            return other.into();
        }
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", "pfcluster-cli", "--bin", "pfcluster"]);
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        // What cargo tells a test of its package: a build script that looks at it (ring's) would run again, and what depends on it be
        // built again, each time that a test builds and each time that a person does.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
                build.env_remove(name);
            }
        }
        assert!(build.status().expect("cargo runs").success(), "pfcluster does not build");
        let test = std::env::current_exe().expect("a test has a path");
        // target/debug/deps/TEST, or target/debug/STAND-IN, beside target/debug/pfcluster
        let profile = test.ancestors().skip(1).find(|directory| !directory.ends_with("deps"));
        profile.expect("a test is below the target directory").with_file_name("debug").join("pfcluster")
    })
}

/// The built program at another path: one that every user may run.
///
/// # Panics
/// If it can't be put there.
pub fn program_at(path: &Path) {
    if std::fs::hard_link(program(), path).is_err() {
        let status = Command::new("install").args(["-m", "755"]).arg(program()).arg(path).status();
        assert!(status.expect("`install` runs").success(), "the program can't be copied");
    }
}

/// Writes a script that can be run. Another process writes it: a descriptor that is open for writing here would be inherited by what
/// another thread starts at that moment, and the script could not be run meanwhile (`Text file busy`).
///
/// # Panics
/// If it can't be written.
pub fn script(path: &Path, text: &str) {
    let mut install = Command::new("install");
    install.args(["-m", "755", "/dev/stdin"]).arg(path).stdin(Stdio::piped());
    let mut child = install.spawn().expect("`install` runs");
    child.stdin.take().expect("it is piped").write_all(text.as_bytes()).expect("`install` reads");
    assert!(child.wait().expect("`install` ends").success(), "{} can't be written", path.display());
}

/// Runs the program in `directory` with an empty environment but for `variables`.
///
/// # Panics
/// If it can't be started.
pub fn run(directory: &Path, arguments: &[&str], stdin: &[u8], variables: &[(&str, &str)]) -> Output {
    let input = directory.join(".stdin");
    std::fs::write(&input, stdin).expect("a writable directory");
    Command::new(program())
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(std::fs::File::open(&input).expect("the file was just written"))
        .output()
        .expect("the program starts")
}

/// Puts the files of an input into `directory`: each begins with a line `>>> PATH`; what stands before the first goes to
/// the program's standard input, and is returned.
///
/// # Panics
/// If they can't be written.
pub fn lay_out(directory: &Path, input: &str) -> Vec<u8> {
    let mut parts = input.split(">>> ");
    let stdin = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (path, text) = part.split_once('\n').unwrap_or((part, ""));
        let path = directory.join(path.trim());
        std::fs::create_dir_all(path.parent().unwrap_or(directory)).expect("a writable directory");
        std::fs::write(path, text).expect("a writable directory");
    }
    stdin
}

/// The repository's example clusters.
pub fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pfcluster-cli/examples")
}
