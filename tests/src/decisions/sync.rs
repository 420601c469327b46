//! What members synchronise: the commands of tests/testdata/sync.
//!
//! `paths`: a name on each line. `listed [escaped]`: what conf/cluster-files.txt holds.
//!
//! `push [version=X] [store=CLASS] [file=PATH] [upstream]`: what cluster-files.txt lists; the output is what a member is asked,
//! as pf1.example.com at 192.168.1.5 would. `pull [version=X]`: the same input.
//!
//! `answer status=N [of=METHOD]`: the body of a response.
//!
//! `changed`: a time on each line, in seconds with nine digits behind the point; the output is the version that it gives.
//!
//! `own-check`: the task file, and after a line `>>> defaults` its defaults.

use std::time::Duration;

use pfcluster_core::conflict::{ConfigVersion, checks_itself};
use pfcluster_core::printable::printable;
use pfcluster_core::sync::{
    Answer, Scope, SyncPath, SyncPathError, content_of, is_done, is_missing_file, listed_files, pull_paths, push_items,
    store_of, version_of,
};
use pfcluster_core::version::PfVersion;

use crate::Case;
use crate::commands::unescape;

pub(super) fn output(case: &Case) -> Option<Result<String, String>> {
    match case.command.as_str() {
        "paths" => Some(Ok(case.input.lines().map(path).collect())),
        "listed" => Some(listed(case)),
        "push" => Some(pushed(case)),
        "pull" => Some(pulled(case)),
        "answer" => Some(answered(case)),
        "changed" => Some(case.input.lines().map(changed).collect()),
        "own-check" => Some(Ok(own_check(case))),
        _ => None,
    }
}

fn lines(all: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    all.into_iter().fold(String::new(), |out, one| out + &format!("{one}\n"))
}

fn path(text: &str) -> String {
    let parsed: Result<SyncPath, SyncPathError> = text.parse();
    let said = match parsed {
        Ok(path) => {
            format!("{:?}, {}{}", path.place(), path.relative(), if path.is_opaque() { ", never shown" } else { "" })
        }
        Err(error) => format!("refused: {error}"),
    };
    format!("{text}: {said}\n")
}

fn listed(case: &Case) -> Result<String, String> {
    let text = if case.has("escaped") { unescape(&case.input)? } else { case.input.clone().into_bytes() };
    Ok(match listed_files(&text) {
        Ok(files) => lines(files),
        Err(error) => format!("refused: {error}\n"),
    })
}

fn version(case: &Case) -> Result<PfVersion, String> {
    case.value("version").map_or(Ok(PfVersion::NEWEST), str::parse).map_err(|error| format!("version: {error}"))
}

fn pushed(case: &Case) -> Result<String, String> {
    let version = version(case)?;
    let scope = match (case.value("store"), case.value("file")) {
        (Some(class), _) => match store_of(class, version) {
            Some(store) => Scope::Store(store),
            None => return Ok("no such store\n".to_owned()),
        },
        (None, Some(path)) => Scope::File(path.parse().map_err(|error| format!("{path}: {error}"))?),
        (None, None) => Scope::Everything { with_upstream_database: case.has("upstream") },
    };
    let listed = listed_files(case.input.as_bytes()).map_err(|error| error.to_string())?;
    let me = "pf1.example.com".parse().map_err(|error| format!("{error}"))?;
    let items = push_items(&scope, &listed, version);
    let calls = items.iter().flat_map(|item| item.calls(&me, [192, 168, 1, 5].into()));
    Ok(lines(calls.map(|call| String::from_utf8_lossy(&call.body()).into_owned())))
}

fn pulled(case: &Case) -> Result<String, String> {
    let listed = listed_files(case.input.as_bytes()).map_err(|error| error.to_string())?;
    Ok(lines(pull_paths(&listed, version(case)?)))
}

fn answered(case: &Case) -> Result<String, String> {
    let status = case.value("status").unwrap_or("200").parse().map_err(|error| format!("status: {error}"))?;
    let answer = match Answer::read(status, case.input.trim_end().as_bytes()) {
        Ok(answer) => answer,
        Err(error) => {
            let missing = if is_missing_file(&error) { "no such file: " } else { "" };
            return Ok(format!("{missing}{error}\n"));
        }
    };
    let said = match case.value("of") {
        Some("version") => version_of(&answer),
        Some("content") => content_of(&answer).map(|bytes| printable(&bytes)),
        _ => Ok(if is_done(&answer) { "done" } else { "not done" }.to_owned()),
    };
    Ok(said.unwrap_or_else(|error| error.to_string()) + "\n")
}

fn changed(line: &str) -> Result<String, String> {
    let (seconds, nanoseconds) = line.split_once('.').ok_or("a time has a point")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
    let time = Duration::from_secs(number(seconds)?) + Duration::from_nanos(number(nanoseconds)?);
    Ok(format!("{line}: {}\n", ConfigVersion::at(time).map_or_else(|error| error.to_string(), |it| it.to_string())))
}

fn own_check(case: &Case) -> String {
    let texts: Vec<&[u8]> = case.input.split(">>> defaults\n").map(str::as_bytes).collect();
    if checks_itself(&texts) { "on\n" } else { "off\n" }.to_owned()
}
