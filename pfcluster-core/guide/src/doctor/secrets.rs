//! Secrets: PacketFence's and the guide's own, weak ones, ones that are cut, files that everybody may read. None is ever shown.

use super::finding::{Outcome, Sum};
use super::{Known, MemberKey, Server, Supervisor, SupervisorKey, known, word};
use pfcluster_core::decision::and;
use pfcluster_core::diagnostic::Diagnostic;
use pfcluster_core::rule::Severity;
use pfcluster_core::supervisor::KeyIds;
use pfcluster_core::version::PfVersion;

/// The rules of [`pfcluster_core::check`] that checks of this file are about.
const VRRP: [&str; 3] = ["PFC085", "PFC086", "PFC087"];
const REPLICATION: [&str; 2] = ["PFC072", "PFC073"];
const WEBSERVICES: [&str; 1] = ["PFC088"];

/// Shorter ones are guessed; VRRP carries no longer ones.
const SHORT: usize = 8;

/// True if one of the checks here shows what this rule finds.
pub(super) fn is_about(code: &str) -> bool {
    VRRP.contains(&code) || REPLICATION.contains(&code) || WEBSERVICES.contains(&code)
}

/// Whoever knows it takes the virtual addresses.
pub(super) fn vrrp_password(server: &Server<'_>) -> Known<Outcome> {
    let password = is_plain(server, "active_active", "password")?;
    let mut sum = found(server, &VRRP);
    if sum.is_empty() && password.chars().count() < SHORT {
        let seen = format!("it has fewer than the {SHORT} characters that VRRP carries");
        sum.add(Outcome::warn(seen).advise(format!("use {SHORT} letters and digits")));
    }
    if !sum.is_empty() {
        sum.then("when all members have the new one, on all of them at once:", server.restart("keepalived"));
    }
    Ok(sum.or_pass("not PacketFence's default, and not truncated"))
}

/// Whoever knows it reads the whole database.
pub(super) fn replication_password(server: &Server<'_>) -> Known<Outcome> {
    if let Some(outcome) = server.without_galera()? {
        return Ok(outcome);
    }
    let pf_conf = server.pf_conf()?;
    let password = is_plain(server, "active_active", "galera_replication_password")?;
    let mut sum = found(server, &REPLICATION);
    if sum.is_empty() {
        let user = pf_conf.text("active_active", "galera_replication_username");
        let how = "in pf.conf of all members, and in the database (ALTER USER), then restart the members one by one";
        if let Some(seen) = weak(password, user, &["aMuchMoreSecurePassword"]) {
            sum.add(Outcome::warn(seen).advise(format!("set another one: {how}")));
        }
    }
    Ok(sum.or_pass("neither the guide's nor short"))
}

/// Whoever knows it writes any file of PacketFence's.
pub(super) fn webservices_password(server: &Server<'_>) -> Known<Outcome> {
    let pf_conf = server.pf_conf()?;
    let password = is_plain(server, "webservices", "pass")?;
    let mut sum = found(server, &WEBSERVICES);
    if sum.is_empty() && !password.is_empty() {
        let user = pf_conf.text("webservices", "user");
        if let Some(seen) = weak(password, user, &["fence"]) {
            sum.add(
                Outcome::warn(seen)
                    .advise("set another one in `[webservices]` of pf.conf")
                    .run("pfcluster sync --as-master")
                    .advise("when all members have it, on all of them:")
                    .run(server.restart("httpd.webservices")),
            );
        }
    }
    let fine =
        if password.is_empty() { "PacketFence's own way, without a password" } else { "neither the guide's nor short" };
    Ok(sum.or_pass(fine))
}

/// What the rules for the files have found.
fn found(server: &Server<'_>, codes: &[&str]) -> Sum {
    let mut sum = Sum::new();
    let is_meant = |one: &&Diagnostic| codes.contains(&one.rule.code);
    for one in server.diagnostics.iter().filter(is_meant) {
        let outcome = match one.severity() {
            Severity::Error => Outcome::fail(one.message.clone()),
            Severity::Warning | Severity::Info => Outcome::warn(one.message.clone()),
        };
        sum.add(outcome.advise(one.help.clone()));
    }
    sum
}

/// What is weak about a password.
fn weak(password: &str, user: &str, examples: &[&str]) -> Option<String> {
    let password = password.trim();
    if examples.contains(&password) {
        return Some("it is the example password of the guide".to_owned());
    }
    if password.eq_ignore_ascii_case(user.trim()) {
        return Some("it is the user's name".to_owned());
    }
    (password.chars().count() < SHORT).then(|| format!("it has fewer than {SHORT} characters"))
}

/// What a template yields is known to PacketFence's services only.
fn is_plain<'c>(server: &Server<'c>, section: &str, key: &str) -> Known<&'c str> {
    let text = server.pf_conf()?.text(section, key);
    let is_template = server.version >= PfVersion::new(12, 0) && text.contains("[%");
    if is_template { Err("it comes from a template".into()) } else { Ok(text) }
}

/// Whoever has it starts and stops databases.
pub(super) fn supervisor_key(server: &Server<'_>) -> Known<Outcome> {
    let supervisor = known(&server.facts.supervisor)?;
    let mut sum = Sum::new();
    sum.add(shared_key(supervisor));
    own_keys(&supervisor.signing).into_iter().for_each(|outcome| sum.add(outcome));
    for host in &supervisor.pinned_others {
        sum.add(
            Outcome::warn(format!("the key of {host} is pinned, which is not in cluster.conf"))
                .advise(format!(
                    "if {host} has another name now, check that the key that `pfcluster mariadb status` shows for that name is the \
                     one that it shows there as its own; then, and if {host} was removed:"
                ))
                .run(format!("pfcluster key forget {}", word(host))),
        );
    }
    Ok(sum.or_pass(""))
}

/// A holder of another member's own key speaks for that member, and so does the holder of the shared key where it has none.
fn own_keys(members: &[MemberKey]) -> Vec<Outcome> {
    let hosts = |is_meant: &dyn Fn(&MemberKey) -> bool| {
        let hosts: Vec<&str> = members.iter().filter(|one| is_meant(one)).map(|one| &*one.host).collect();
        hosts
    };
    let mut outcomes = Vec::new();
    let unsigned = hosts(&|one| one.signing_key.is_none());
    if !unsigned.is_empty() {
        let seen =
            format!("without a key of its own, so a holder of the shared key can speak for it: {}", and(&unsigned));
        outcomes.push(Outcome::pass(seen));
    }
    let refused = members.iter().flat_map(|one| one.refused_keys.iter().map(|refused| (&one.host, refused)));
    for (host, refused) in refused {
        let seen = format!("another key than before is shown in the name of {host}, and refused: {refused}");
        outcomes.push(
            Outcome::fail(seen)
                .advise(format!(
                    "only if {host} was installed anew, and `pfcluster mariadb status` on {host} shows this key as its own:"
                ))
                .run(format!("pfcluster key accept {} --id {refused}", word(host))),
        );
    }
    // Copies of one disk: what one of them signs, another one could have said.
    let has_twin = |one: &MemberKey| {
        let is_twin = |other: &MemberKey| other.host != one.host && other.signing_key == one.signing_key;
        one.signing_key.is_some() && members.iter().any(is_twin)
    };
    let twins = hosts(&has_twin);
    if !twins.is_empty() {
        outcomes.push(
            Outcome::fail(format!("the same key of their own: {}", and(&twins)))
                .advise("on all of these but one (the others then accept its new key: `pfcluster key accept HOST`):")
                .run("pfcluster key new --own --replace"),
        );
    }
    outcomes
}

/// The key that all supervisors have.
fn shared_key(supervisor: &Supervisor) -> Outcome {
    match &supervisor.key {
        SupervisorKey::Usable { keys: KeyIds { current, next: None } } => {
            Outcome::pass(format!("key {current} can be used"))
        }
        SupervisorKey::Usable { keys: KeyIds { current, next: Some(next) } } => {
            Outcome::warn(format!("its change has begun and not ended: key {current}, next key {next}"))
                .advise("when `pfcluster mariadb status` says that all members accept the next key, on one of them:")
                .run("pfcluster key rotate --finish")
                .run("pfcluster sync --as-master")
        }
        SupervisorKey::Unusable { why, help } => Outcome::fail(why.clone()).advise(help.clone()),
        SupervisorKey::Missing if !supervisor.is_used => Outcome::pass("not needed: the supervisor is not in use"),
        SupervisorKey::Missing => Outcome::fail("there is none, and the supervisor does not start without")
            .run("pfcluster key new")
            .advise("if another member has one, bring that here instead: all have the same"),
    }
}

/// PacketFence itself writes what is below var/ readable by everybody, whenever it starts a service: that warns only.
pub(super) fn secret_file_modes(server: &Server<'_>) -> Known<Outcome> {
    let mut sum = Sum::new();
    let generated = format!("{}/var/", server.root);
    for file in known(&server.facts.secret_files)? {
        let Some(permissions) = file.permissions.as_ref().filter(|one| one.mode & 0o007 != 0) else { continue };
        let seen =
            format!("{} is readable or writable by all users (mode {:04o})", file.path, permissions.mode & 0o7777);
        let is_generated = file.path.starts_with(&generated);
        let mut outcome = if is_generated { Outcome::warn(seen) } else { Outcome::fail(seen) };
        let path = word(&file.path);
        if file.path.ends_with("/pfcluster.key") {
            sum.add(outcome.run(format!("chmod 600 {path}")));
            continue;
        }
        // Who works with it must still be able to read it.
        let reader =
            if ["mariadb.conf", "db-update"].iter().any(|name| file.path.ends_with(name)) { "mysql" } else { "pf" };
        if *permissions.group != *reader {
            outcome = outcome.run(format!("chgrp {reader} {path}"));
        }
        sum.add(outcome.run(format!("chmod o= {path}")));
    }
    Ok(sum.or_pass("none is readable by all users"))
}
