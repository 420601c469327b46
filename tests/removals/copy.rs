//! The copy of the sources that everything can be removed from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use crate::removal::{self, History, Removal, repository};

/// The test programs of the copy, by their targets; or why there are none.
static PROGRAMS: LazyLock<Result<BTreeMap<String, PathBuf>, String>> =
    LazyLock::new(|| build().map_err(|why| format!("the copy: {why}")));

/// The histories of this removal hold as long as it is not on, and break with it.
pub(crate) fn breaks(removal: &Removal) -> Result<(), String> {
    for history in &removal.histories {
        let (holds, told) = run(history, "")?;
        if !holds {
            return Err(format!("{} {} fails, though nothing is removed:\n{told}", history.target, history.name));
        }
        if run(history, &removal.id)?.0 {
            return Err(format!("{} {} does not break", history.target, history.name));
        }
    }
    Ok(())
}

/// True if the test holds; and what it says.
fn run(history: &History, removed: &str) -> Result<(bool, String), String> {
    let program = PROGRAMS.as_ref()?.get(&history.target).ok_or_else(|| format!("no target {}", history.target))?;
    let exact: &[&str] = if history.is_case() { &[] } else { &["--exact"] };
    let output = Command::new(program)
        .args(exact)
        .arg(&history.name)
        .current_dir(copy().join("tests"))
        .env("REMOVED", removed)
        .stdin(Stdio::null())
        .output()
        .map_err(|why| format!("{}: {why}", program.display()))?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    // Nothing else may have failed: a program that does not start, a test that is not there.
    if told.contains("\nrunning 1 test\n") {
        return Ok((output.status.success(), told));
    }
    Err(format!("not one test is called {}:\n{told}", history.name))
}

fn copy() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("removals")
}

/// Copies the sources, with every removal behind its switch, and builds the tests that are named.
fn build() -> Result<BTreeMap<String, PathBuf>, String> {
    let removals = removal::all();
    let copy = copy();
    let told = |why: std::io::Error| why.to_string();
    std::fs::remove_dir_all(&copy)
        .or_else(|why| if why.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(why) })
        .map_err(told)?;
    copy_crates(&repository(), &copy).map_err(told)?;
    let core = copy.join("pfcluster-core/src");
    for removal in &removals {
        let file = core.join(&removal.file);
        let source = std::fs::read_to_string(&file).map_err(told)?;
        if source.matches(&removal.old).count() != 1 {
            return Err(format!("{} does not apply", removal.id));
        }
        let new = removal.new.replace("REMOVED", &format!("crate::removed({:?})", removal.id));
        std::fs::write(&file, source.replace(&removal.old, &new)).map_err(told)?;
    }
    let library = core.join("lib.rs");
    let source = std::fs::read_to_string(&library).map_err(told)? + include_str!("switch.rs");
    std::fs::write(&library, source).map_err(told)?;

    let mut targets: Vec<&str> =
        removals.iter().flat_map(|removal| &removal.histories).map(|history| &*history.target).collect();
    targets.sort_unstable();
    targets.dedup();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--no-run", "--quiet", "--message-format", "json", "-p", "pfcluster-tests", "--target-dir"])
        // Beside the copy: what does not change is built once.
        .arg(copy.with_file_name("removals-target"))
        .args(targets.iter().flat_map(|target| ["--test", target]))
        .current_dir(&copy)
        .stdin(Stdio::null())
        .output()
        .map_err(told)?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        return Err(format!("it does not build\n{stderr}{}", rendered(&output.stdout)));
    }
    let programs: BTreeMap<String, PathBuf> = messages(&output.stdout)
        .filter_map(|message| {
            let executable = message["executable"].as_str()?;
            Some((message["target"]["name"].as_str()?.to_owned(), executable.into()))
        })
        .collect();
    Ok(programs)
}

/// Cargo's messages: one JSON document on each line.
fn messages(stdout: &[u8]) -> impl Iterator<Item = serde_json::Value> {
    stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}

/// What the compiler has to say.
fn rendered(stdout: &[u8]) -> String {
    messages(stdout)
        .filter(|message| message["message"]["level"] == "error")
        .filter_map(|message| Some(message["message"]["rendered"].as_str()?.to_owned()))
        .collect()
}

/// Copies the crates, and the files beside them; not what was built, and not version control.
fn copy_crates(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if path.join("Cargo.toml").is_file() {
            copy_folder(&path, &to.join(name))?;
        } else if path.is_file() {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (path, kind, to) = (entry.path(), entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&path, &to)?;
        } else if kind.is_file() {
            std::fs::copy(&path, to)?;
        }
    }
    Ok(())
}
