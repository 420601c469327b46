//! `var/run/db-update`: makes a member without a majority read-only, when Galera says that something has changed.

use super::super::scene::Scene;
use super::super::template::fill;
use super::super::{Access, Deviation, GenerateError, GeneratedFile, Notice, Rendered};
use super::SOCKET;
use super::galera::Account;

pub(super) const PATH: &str = "var/run/db-update";

/// The script. What is put in stands in a here-document without expansions, or is a number or a name.
const SCRIPT: &str = include_str!("db-update.bash");

/// The script for a cluster of `members` databases.
pub(super) fn file(
    scene: &Scene<'_>,
    members: usize,
    account: &Account,
    rendered: &mut Rendered,
) -> Result<GeneratedFile, GenerateError> {
    let members = members.to_string();
    let tags = [
        ("hostname", scene.view.me().host.as_str()),
        ("members", &members),
        ("socket", SOCKET),
        ("user", &account.user),
        ("password", &account.password),
    ];
    let text = fill(PATH, SCRIPT, &tags)?;
    rendered.deviations.extend([MAJORITY, IN_BACKGROUND, PASSWORD]);
    rendered.notices.push(Notice {
        message: "with the read-only hook, the first member of a new cluster is read-only until a majority is there"
            .to_owned(),
        help: "start the others; the guide expects it so (4.2, 8.4.7)".to_owned(),
    });
    rendered.notices.push(Notice {
        message: "the read-only hook sets `read_only` as the replication user, which needs privileges for it"
            .to_owned(),
        help: "once, on one member: GRANT SUPER ON *.* TO the replication user at localhost; from MariaDB 10.5 on \
               GRANT SUPER, READ_ONLY ADMIN"
            .to_owned(),
    });
    Ok(GeneratedFile { path: PATH, text, access: Access::DatabaseScript })
}

const MAJORITY: Deviation = Deviation {
    original: "db-update makes a member read-only if it is not primary, or alone",
    here: "if it is not primary, or with no more than half of the enabled members",
    why: "the guide promises it for a group of no more than half (4.1); with up to three members it is the same",
};

const IN_BACKGROUND: Deviation = Deviation {
    original: "db-update sets read_only while Galera waits for it, as its arguments say",
    here: "it answers at once, then asks the database how things are and sets read_only, several times",
    why: "setting read_only waits for commits that wait for Galera; and a late call must not undo a newer one",
};

const PASSWORD: Deviation = Deviation {
    original: "db-update has the password on the client's command line, unquoted, and is readable by everybody",
    here: "the client reads it from the script through a file descriptor; only root and mysql read the script",
    why: "a command line is visible to every user",
};
