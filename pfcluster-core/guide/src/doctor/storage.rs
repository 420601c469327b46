//! The data directory.

use super::finding::Outcome;
use super::{Datadir, Known, Server, known, word};

/// Galera's cache alone takes as much when the database starts (`gcache.size`).
const LEAST: u64 = 128 << 20;

fn datadir<'a>(server: &Server<'a>) -> Known<Option<&'a Datadir>> {
    Ok(known(&server.facts.datadir)?.as_ref())
}

fn no_directory() -> Outcome {
    Outcome::fail("there is no data directory")
        .advise("check that its disk is mounted before anything starts a database")
}

/// A database that can't write there does not start.
pub(super) fn datadir_owner(server: &Server<'_>) -> Known<Outcome> {
    let Some(Datadir { path, owner, .. }) = datadir(server)? else { return Ok(no_directory()) };
    Ok(if &**owner == "mysql" {
        Outcome::pass(format!("{path} is mysql's"))
    } else {
        Outcome::fail(format!("{path} is {owner}'s")).run(format!("chown -R mysql:mysql {}", word(path)))
    })
}

/// A state transfer beside data that were moved aside needs as much again.
pub(super) fn datadir_space(server: &Server<'_>) -> Known<Outcome> {
    let Some(Datadir { path, used, free, .. }) = datadir(server)? else { return Ok(no_directory()) };
    let (used, free) = (*known(used)?, *known(free)?);
    let seen = format!("{} has {} of data, and {} are free", path, size(used), size(free));
    let mend = "give the file system more space, or move old data aside to another one";
    Ok(if free < LEAST {
        Outcome::fail(seen).advise(mend)
    } else if free < used {
        Outcome::warn(seen).advise(mend)
    } else {
        Outcome::pass(seen)
    })
}

/// In the greatest unit of which there is at least one.
fn size(bytes: u64) -> String {
    let units = [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{} KiB", bytes >> 10),
    }
}
