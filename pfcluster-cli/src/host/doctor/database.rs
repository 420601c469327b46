//! This machine's database.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pfcluster_core::status::Connections;
use pfcluster_guide::doctor::{Account, Known, Settings as Set, Used, VARIABLES};

use super::Question;
use crate::host::mariadb::{Answer, Said, Settings, accounts, ask, variables};
use crate::host::processes::{Presence, presence};
use crate::host::status::safe;

/// What is known of a database.
pub(super) struct Database {
    pub(super) settings: Known<Set>,
    pub(super) status: Known<Option<BTreeMap<Box<str>, Box<str>>>>,
    pub(super) connections: Known<Option<Used>>,
    pub(super) accounts: Known<Vec<Account>>,
}

impl Database {
    /// One that does not say anything, for this reason.
    pub(super) fn silent(why: &str) -> Database {
        let why = safe(why);
        Database {
            settings: Err(why.clone()),
            status: Err(why.clone()),
            connections: Err(why.clone()),
            accounts: Err(why),
        }
    }

    /// One that has answered, with how it is set.
    pub(super) fn running(
        said: &Said,
        variables: Known<Vec<(String, String)>>,
        accounts: Known<Vec<Account>>,
    ) -> Database {
        let values = |rows: Vec<(String, String)>| {
            rows.into_iter().map(|(name, value)| (name.to_ascii_lowercase().into(), safe(&value))).collect()
        };
        let connections = said.connections().zip(said.max_connections);
        Database {
            settings: variables.map(|rows| Set { is_running: true, values: values(rows) }),
            status: Ok(Some(said.rows().map(|(name, value)| (name.into(), value.into())).collect())),
            connections: connections
                .map(|(used, max)| Some(Used::Some(Connections { used, max })))
                .ok_or_else(|| "it does not say how many connections it has".into()),
            accounts,
        }
    }

    /// One that takes no more connections, and so says nothing else.
    pub(super) fn full() -> Database {
        Database { connections: Ok(Some(Used::All)), ..Database::silent("the database takes no more connections") }
    }
}

pub(super) fn look(question: &Question<'_>, deadline: Instant) -> Database {
    let settings = match &question.settings {
        Ok(settings) => *settings,
        Err(why) => return Database::silent(why),
    };
    match ask(settings, left(deadline)) {
        Answer::Status(said) => Database::running(
            &said,
            variables(settings, &VARIABLES, left(deadline)).map_err(Into::into),
            accounts(settings, question.replication_user, left(deadline))
                .map(|rows| rows.into_iter().map(account).collect())
                .map_err(Into::into),
        ),
        Answer::NoServer => match presence(settings) {
            Presence::None => stopped(settings),
            Presence::There => without_answer(settings, "the database runs, but does not answer (yet)"),
            Presence::Unknown(why) => without_answer(settings, &why),
        },
        Answer::Full => Database { settings: configured(settings), ..Database::full() },
        Answer::Refused(why) => without_answer(settings, &format!("the database refuses to answer: {why}")),
        Answer::Silence(why) => without_answer(settings, &why),
        Answer::Another(datadir) => without_answer(
            settings,
            &format!(
                "the server on the socket has another data directory, {} (`--datadir`, `--socket`)",
                datadir.display()
            ),
        ),
    }
}

/// One that is stopped: mariadb.conf says how it will be set.
fn stopped(settings: &Settings) -> Database {
    Database {
        settings: configured(settings),
        status: Ok(None),
        connections: Ok(None),
        accounts: Err("no database runs".into()),
    }
}

fn without_answer(settings: &Settings, why: &str) -> Database {
    Database { settings: configured(settings), ..Database::silent(why) }
}

fn configured(settings: &Settings) -> Known<Set> {
    if settings.defaults_file.is_none() {
        return Err("there is no mariadb.conf yet".into());
    }
    let mut values = BTreeMap::new();
    for name in VARIABLES {
        let value = settings.option(&name.replace('_', "-")).map_err(|error| Box::<str>::from(error.to_string()))?;
        if let Some(value) = value {
            values.insert(name.into(), value.into());
        }
    }
    Ok(Set { is_running: false, values })
}

/// A user, its host, and the privileges that a transfer needs, each `Y` or `N`.
fn account([user, host, privileges @ ..]: [String; 6]) -> Account {
    const NAMES: [&str; 4] = ["RELOAD", "PROCESS", "LOCK TABLES", "REPLICATION CLIENT"];
    let lacks = NAMES.into_iter().zip(privileges).filter(|(_, has)| has != "Y").map(|(name, _)| name.into());
    Account { user: user.into(), host: host.into(), lacks: lacks.collect() }
}

/// What is left, and never nothing: a question in no time has no answer.
pub(super) fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(10))
}
