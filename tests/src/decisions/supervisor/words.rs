//! The words of a supervisor's story, and how steps and records are shown in it.

use pfcluster_core::cluster::Hostname;
use pfcluster_core::galera::Records;
use pfcluster_core::supervisor::{Backup, Key, Keys, LastBackup, Saying, SigningKey, Start, Step};

use super::super::bootstrap::{host, hosts};
use super::Goes;

/// `none`, or `FILE@TIME`.
pub(super) fn backup(word: &str) -> Result<LastBackup, String> {
    if word == "none" {
        return Ok(LastBackup::Never);
    }
    let (file, time) = word.split_once('@').ok_or_else(|| format!("backup={word}: `none` or FILE@TIME"))?;
    let time = time.parse().map_err(|_| format!("backup={word}: {time} is no number"))?;
    Ok(LastBackup::Made(Backup { file: file.to_owned(), time }))
}

pub(super) fn keys(word: &str) -> Result<Keys, String> {
    let [current, next] = [7, 8].map(|byte| Key::new([byte; 32]));
    match word {
        "both" => Ok(Keys { current, next: Some(next) }),
        "next" => Ok(next.into()),
        _ => Err(format!("`keys {word}`: `both` or `next`")),
    }
}

/// A key of this member's own.
pub(super) fn signing(member: &Hostname, word: &str) -> Result<SigningKey, String> {
    let first = match word {
        "own" => 10,
        "another" => 20,
        _ => return Err(format!("`{word}` is no key: `own` or `another`")),
    };
    let place = member.as_str().bytes().find(u8::is_ascii_digit).unwrap_or_default();
    Ok(SigningKey::new([first + place - b'0'; 32]))
}

pub(super) fn goes(words: &[&str]) -> Result<Goes, String> {
    match words {
        ["go"] => Ok(Goes::Well),
        ["hang"] => Ok(Goes::Hangs),
        ["fail", why @ ..] => Ok(Goes::Fails(why.join(" "))),
        _ => Err(format!("`{}`: they `go`, `hang` or `fail WHY`", words.join(" "))),
    }
}

pub(super) fn saying(words: &[&str]) -> Result<Saying, String> {
    Ok(match words {
        ["assume-lost", names] => Saying::AssumeLost(hosts(names)?),
        ["discard", name] => Saying::Discard(host(name)?),
        ["trust", name] => Saying::Trust(host(name)?),
        ["end", name] => Saying::End(host(name)?),
        ["seed", name] => Saying::Seed(host(name)?),
        ["force", name] => Saying::Force(host(name)?),
        ["standalone"] => Saying::Standalone,
        _ => return Err(format!("`{}` is no operator's word", words.join(" "))),
    })
}

pub(super) fn step_shown(step: &Step) -> String {
    match step {
        Step::Record(records) => format!("write down {}", shown(records)),
        Step::SetViewAside => "set gvwstate.dat aside".to_owned(),
        Step::SetStateAside => "set grastate.dat aside".to_owned(),
        Step::SetDataAside => "set the data directory aside".to_owned(),
        Step::AllowBootstrap => "write safe_to_bootstrap: 1".to_owned(),
        Step::ForbidBootstrap => "write safe_to_bootstrap: 0".to_owned(),
        Step::ClearSeqno => "write seqno: -1".to_owned(),
        Step::WriteUuid(uuid) => format!("write uuid: {uuid} and seqno: -1"),
        Step::Start { how, position } => {
            let how = match how {
                Start::Normal => "start",
                Start::NewCluster => "start as the first",
                Start::Alone => "start without Galera",
            };
            position.map_or_else(|| how.to_owned(), |position| format!("{how} at {position}"))
        }
        Step::Promote => "make it primary".to_owned(),
        Step::Stop { kill_after: None } => "end the database".to_owned(),
        Step::Stop { kill_after: Some(limit) } => format!("end the database, within {} s", limit.as_secs()),
        Step::End { kill_after } => format!("end the database whatever it does, within {} s", kill_after.as_secs()),
    }
}

/// In the words of the cases.
pub(super) fn shown(records: &Records) -> String {
    let mut words = Vec::new();
    words.extend(records.last_recorded.map(|position| format!("recorded={position}")));
    words.extend(
        records.view.map(|record| format!("floor={}:{} of view {}", record.uuid, record.floor.get(), record.view.seq)),
    );
    words.extend(records.clean.map(|clean| {
        let last = if clean.last { "last" } else { "clean" };
        format!("{last}={}", clean.position)
    }));
    words.extend(records.forks.iter().map(|fork| format!("fork={}", fork.at)));
    words.extend((records.start_failures.count > 0).then(|| format!("failed={}", records.start_failures.count)));
    words.extend(records.joined_in_boot.map(|_| "joined".to_owned()));
    words.extend(records.ran_standalone.then(|| "ranalone".to_owned()));
    if words.is_empty() { "nothing".to_owned() } else { words.join(" ") }
}
