//! The programs that carry a database from one member to another, and Galera itself.

use super::finding::Outcome;
use super::{Family, Known, Server, known, word};
use pfcluster_core::version::PfVersion;

/// Without them no member can join whose data are too old, or gone.
pub(super) fn transfer_tools(server: &Server<'_>) -> Known<Outcome> {
    if let Some(outcome) = server.without_galera()? {
        return Ok(outcome);
    }
    let installed = known(&server.facts.programs)?;
    let has = |any: &[&str]| any.iter().any(|program| installed.contains(*program));
    let method = method(server);
    // Any program of a row will do; the last two are Debian's and RHEL's packages.
    let needed: &[(&[&str], [&str; 2])] = match &*method {
        "mariabackup" => &[
            (&["mariabackup", "mariadb-backup"], ["mariadb-backup", "mariadb-backup"]),
            (&["socat"], ["socat", "socat"]),
        ],
        "xtrabackup" | "xtrabackup-v2" => &[
            (&["innobackupex", "xtrabackup"], ["percona-xtrabackup-24", "percona-xtrabackup"]),
            (&["socat"], ["socat", "socat"]),
        ],
        "rsync" | "rsync_wan" => &[(&["rsync"], ["rsync", "rsync"])],
        // Through the client, which is always there.
        "mysqldump" => &[],
        other => return Err(format!("pfcluster does not know what `wsrep_sst_method={other}` needs").into()),
    };
    let missing: Vec<_> = needed.iter().filter(|(programs, _)| !has(programs)).collect();
    if missing.is_empty() {
        return Ok(Outcome::pass(format!("all that {method} needs")));
    }
    let programs: Vec<&str> = missing.iter().map(|(programs, _)| programs[0]).collect();
    let packages: Vec<[&str; 2]> = missing.iter().map(|(_, packages)| *packages).collect();
    let outcome = Outcome::fail(format!("{method} needs {}: not installed", programs.join(" and ")));
    Ok(install(server, outcome, &packages))
}

/// What mariadb.conf says, else what PacketFence would write into it.
fn method(server: &Server<'_>) -> Box<str> {
    let settings = server.facts.settings.as_ref().ok();
    let set = settings.and_then(|settings| settings.values.get("wsrep_sst_method"));
    set.cloned().unwrap_or_else(|| {
        let is_new = server.version >= PfVersion::new(10, 3);
        if is_new { "mariabackup" } else { "xtrabackup" }.into()
    })
}

/// Without it MariaDB starts outside the cluster, or not at all.
pub(super) fn galera_library(server: &Server<'_>) -> Known<Outcome> {
    if let Some(outcome) = server.without_galera()? {
        return Ok(outcome);
    }
    let library = known(&server.facts.library)?;
    Ok(match (&library.configured, &library.installed) {
        (Some((path, true)), _) => Outcome::pass(path.clone()),
        (Some((path, false)), Some(installed)) => {
            Outcome::fail(format!("mariadb.conf names {path}, which is not there; {installed} is"))
                .run("pfcluster generate mariadb --install")
        }
        (None, Some(installed)) => Outcome::pass(installed.clone()),
        (configured, None) => {
            let named = configured.as_ref().map(|(path, _)| format!(" at {path}, which mariadb.conf names"));
            let outcome = Outcome::fail(format!("it is not installed{}", named.unwrap_or_default()));
            install(server, outcome, &[["galera-4", "galera-4"]])
        }
    })
}

fn install(server: &Server<'_>, outcome: Outcome, packages: &[[&str; 2]]) -> Outcome {
    let names = |family: usize| packages.iter().map(|names| word(names[family])).collect::<Vec<_>>().join(" ");
    match server.facts.family {
        Ok(Family::Debian) => outcome.run(format!("apt-get install -y {}", names(0))),
        Ok(Family::RedHat) => outcome.run(format!("yum install -y {}", names(1))),
        Err(_) => outcome.advise(format!("install {}", names(0))),
    }
}
