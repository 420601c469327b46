//! Programs: which are installed, and what those say that are asked.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use pfcluster_guide::doctor::{Family, Known, Library, PROGRAMS};

use super::Machine;
use crate::host::files::plain;
use crate::host::machine::{GALERA_PROVIDERS, program as system_program};
use crate::host::mariadb::Settings;

/// Where services find programs, whatever the search path of the user is.
const DIRECTORIES: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Those that are there.
pub(super) fn installed(machine: &Machine) -> BTreeSet<Box<str>> {
    let is_there = |name: &&str| DIRECTORIES.iter().any(|directory| machine.file(directory).join(name).is_file());
    PROGRAMS.into_iter().filter(is_there).map(Into::into).collect()
}

/// What /etc/os-release says.
pub(super) fn family(machine: &Machine) -> Known<Family> {
    let text = machine.text("/etc/os-release")?.unwrap_or_default();
    let words = text.lines().filter_map(|line| line.strip_prefix("ID=").or_else(|| line.strip_prefix("ID_LIKE=")));
    let words: Vec<&str> = words.flat_map(|line| line.trim_matches('"').split_whitespace()).collect();
    let is_one_of = |names: &[&str]| words.iter().any(|word| names.contains(word));
    if is_one_of(&["debian", "ubuntu"]) {
        Ok(Family::Debian)
    } else if is_one_of(&["rhel", "centos", "fedora"]) {
        Ok(Family::RedHat)
    } else {
        Err("this distribution's packages are not known".into())
    }
}

/// Galera's library: where mariadb.conf says, and where it is.
pub(super) fn library(machine: &Machine, settings: &Known<&Settings>) -> Known<Library> {
    let settings = settings.as_ref().map_err(Clone::clone)?;
    // Before PacketFence has written mariadb.conf, none is named.
    let named = settings.option("wsrep-provider").map_err(|error| Box::<str>::from(error.to_string()))?;
    let named = named.filter(|path| !path.is_empty() && path != "none");
    let configured = named.map(|path| {
        let is_there = machine.file(&path).is_file();
        (path.into(), is_there)
    });
    let installed = GALERA_PROVIDERS.into_iter().find(|path| machine.file(path).is_file());
    Ok(Library { configured, installed: installed.map(Into::into) })
}

/// What a program says on standard output; why it says nothing. One that takes too long is ended.
pub(super) fn answer(machine: &Machine, program: &str, arguments: &[&str], deadline: Instant) -> Known<Answer> {
    let system = || system_program(program).unwrap_or_else(|| Path::new("/usr/bin").join(program));
    let path = machine.programs.as_ref().map_or_else(system, |directory| directory.join(program));
    let fail = |why: &str| Box::<str>::from(format!("{program}: {why}"));
    let command = Command::new(path)
        .args(arguments)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = command.map_err(|error| fail(&plain(&error)))?;
    let (sender, receiver) = mpsc::channel();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    thread::spawn(move || {
        let mut texts = [String::new(), String::new()];
        // What is no text is no answer.
        let _ = out.map(|mut out| out.read_to_string(&mut texts[0]));
        let _ = err.map(|mut err| err.read_to_string(&mut texts[1]));
        // Nobody listens any more to an answer that comes too late.
        drop(sender.send(texts));
    });
    let heard = receiver.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    if heard.is_err() {
        // It may have just ended by itself.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| fail(&plain(&error)))?;
    let [out, err] = heard.map_err(|_| fail("it did not answer in time"))?;
    Ok(Answer { is_success: status.success(), out, err })
}

/// What a program said.
pub(super) struct Answer {
    pub(super) is_success: bool,
    pub(super) out: String,
    pub(super) err: String,
}

impl Answer {
    /// Its standard output, if it succeeded.
    pub(super) fn text(self) -> Known<String> {
        if self.is_success { Ok(self.out) } else { Err(self.complaint()) }
    }

    /// Its first words against what was asked.
    pub(super) fn complaint(&self) -> Box<str> {
        self.err.lines().next().unwrap_or("it failed without a word").into()
    }
}
