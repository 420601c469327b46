//! The prerequisites of a server: the command of tests/testdata/doctor.
//!
//! ```text
//! doctor boot-target
//! default-target multi-user.target
//! ----
//! fail boot-target: it boots into multi-user.target
//!   run: systemctl set-default packetfence-cluster.target
//! ```
//!
//! The server is pf1 of the guide's cluster, in perfect order, but for what the lines say. `FACT ? REASON` makes anything
//! unknown. `pf.conf` and `cluster.conf` replace text in these files, `~` standing for a blank (and `+` adds text
//! at the end). `doctor all` shows all checks, `doctor from-afar` those of another member.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use pfcluster_core::cluster::Hostname;
use pfcluster_core::decision::Step;
use pfcluster_core::form::kind_of;
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::status::Connections;
use pfcluster_core::supervisor::{Key, Keys};
use pfcluster_core::version::PfVersion;
use pfcluster_guide::doctor::{
    Account, AtBoot, Clock, Datadir, Facts, Family, File, Finding, Generated, GeneratedState, Holder, KernelSetting,
    Known, Library, Link, Listener, MemberKey, Monitoring, PROGRAMS, Permissions, SCRIPTS, Server, Settings,
    Supervisor, SupervisorKey, Transport, Used, check, examine, examine_from_afar,
};

use crate::Case;
use crate::program::examples;

const ROOT: &str = "/usr/local/pf";

pub(super) fn output(case: &Case) -> Option<Result<String, String>> {
    (case.command == "doctor").then(|| findings(case))
}

fn findings(case: &Case) -> Result<String, String> {
    let read = |name: &str| fs::read_to_string(examples().join("guide").join(name)).expect("an example");
    let mut world =
        World { cluster_conf: read("cluster.conf"), pf_conf: Some(own_secrets(&read("pf.conf"))), facts: healthy()? };
    case.input.lines().filter(|line| !line.trim().is_empty()).try_for_each(|line| world.change(line))?;
    let version = case.value("version").map_or(Ok(PfVersion::NEWEST), str::parse);
    let version = version.map_err(|error| format!("version: {error}"))?;
    let me: Hostname = parsed(case.value("me").unwrap_or("pf1.example.com"))?;
    let mut situation = Situation::of_version(version);
    situation.me = Some(me.clone());
    let pf_conf = world.pf_conf.as_deref().map(str::as_bytes);
    let texts = Texts { cluster_conf: world.cluster_conf.as_bytes(), pf_conf, ..Texts::default() };
    let installation = Installation::read(texts, &situation);
    let server = Server {
        root: ROOT,
        cluster: &installation.cluster,
        pf_conf: installation.pf_conf.as_ref(),
        diagnostics: &installation.diagnostics,
        me: &me,
        version,
        facts: &world.facts,
    };
    let findings = if case.has("from-afar") { examine_from_afar(&server) } else { examine(&server) };
    let wanted: Vec<&str> = case.words.iter().map(String::as_str).filter(|word| check(word).is_some()).collect();
    if wanted.is_empty() && !case.has("all") && !case.has("from-afar") {
        return Err("`doctor` needs a check, `all` or `from-afar`".to_owned());
    }
    let is_wanted = |finding: &&Finding| wanted.is_empty() || wanted.contains(&finding.check.id);
    Ok(findings.iter().filter(is_wanted).map(text).collect())
}

/// `USER`, and `tls` behind it.
fn monitoring(text: &str) -> Monitoring {
    let (user, tls) = text.split_once(' ').unwrap_or((text, ""));
    Monitoring { user: user.into(), is_over_tls: tls == "tls" }
}

/// The example's secrets are the guide's.
fn own_secrets(pf_conf: &str) -> String {
    pf_conf.replace("aMuchMoreSecurePassword", "kL4vWp2sXz").replace("pass=fence", "pass=Jq8dTn5mRb")
}

fn text(finding: &Finding) -> String {
    let mut out = format!("{} {}: {}\n", kind_of(&finding.verdict), finding.check.id, finding.seen);
    for step in &finding.remedy {
        out += &match step {
            Step::Do { what } => format!("  do: {what}\n"),
            command @ Step::Run { .. } => format!("  run: {command}\n"),
        };
    }
    out
}

struct World {
    cluster_conf: String,
    pf_conf: Option<String>,
    facts: Facts,
}

/// A server on which every check passes.
fn healthy() -> Result<Facts, String> {
    let set =
        || Ok::<_, String>(KernelSetting { now: Some("1".into()), at_boot: Some(at_boot("1@/etc/sysctl.conf")?) });
    let link = |name: &str, address: &str| -> Result<Link, String> {
        Ok(Link { name: name.into(), is_up: true, addresses: vec![network(address)?] })
    };
    let links = vec![
        link("lo", "127.0.0.1/8")?,
        link("eth0", "192.168.1.5/24")?,
        Link { name: "eth1".into(), is_up: true, addresses: Vec::new() },
        link("eth1.2", "192.168.2.5/24")?,
        link("eth1.3", "192.168.3.5/24")?,
    ];
    let file = |path: &str, mode| {
        let permissions = Some(Permissions { mode, group: "pf".into() });
        File { path: format!("{ROOT}/{path}").into(), permissions }
    };
    let listeners = [
        "tcp 192.168.1.5:3306 mariadbd 100",
        "tcp 127.0.0.1:3306 haproxy 200",
        "tcp 0.0.0.0:4567 mariadbd 100",
        "udp 0.0.0.0:4254 pfcluster 300",
        "tcp 192.168.1.5:9090 httpd 400",
    ];
    let settings = [
        ("binlog_format", "ROW"),
        ("innodb_autoinc_lock_mode", "2"),
        ("innodb_flush_log_at_trx_commit", "1"),
        ("wsrep_cluster_address", "gcomm://192.168.1.7,192.168.1.6,192.168.1.5"),
        ("wsrep_node_address", "192.168.1.5"),
        ("wsrep_on", "ON"),
        ("wsrep_provider", "/usr/lib/galera/libgalera_smm.so"),
        ("wsrep_sst_method", "mariabackup"),
    ];
    let status = [
        ("wsrep_cluster_state_uuid", "ec9a1a36-e6ed-11f1-823f-231ddacb0bd4"),
        ("wsrep_cluster_status", "Primary"),
        ("wsrep_local_state", "4"),
        ("wsrep_cluster_size", "3"),
        ("wsrep_last_committed", "1204"),
        ("wsrep_ready", "ON"),
    ];
    let account = |host: &str| Account { user: "pfcluster".into(), host: host.into(), lacks: Vec::new() };
    let mut facts = Facts::unknown("left out");
    facts.disabled = Ok(BTreeSet::new());
    facts.maintenance = Ok(false);
    facts.host_name = Ok("pf1.example.com".into());
    facts.family = Ok(Family::Debian);
    facts.nonlocal_bind = Ok(set()?);
    facts.disable_ipv6 = Ok(set()?);
    facts.links = Ok(links);
    facts.default_target = Ok("packetfence-cluster.target".into());
    facts.units = Ok(map(&[("packetfence-mariadb.service", "enabled"), ("mariadb.service", "disabled")]));
    facts.mariadb_arguments = Ok(None);
    facts.scripts = Ok(SCRIPTS.into_iter().map(|name| file(name, 0o755)).collect());
    facts.programs = Ok(PROGRAMS.into_iter().filter(|name| *name != "innobackupex").map(Into::into).collect());
    let library = "/usr/lib/galera/libgalera_smm.so";
    facts.library = Ok(Library { configured: Some((library.into(), true)), installed: Some(library.into()) });
    facts.listeners = Ok(listeners.into_iter().map(listener).collect::<Result<_, _>>()?);
    facts.supervisor =
        Ok(Supervisor { is_used: true, key: usable(false), signing: Vec::new(), pinned_others: Vec::new() });
    facts.secret_files = Ok(vec![file("conf/pf.conf", 0o660), file("var/conf/mariadb.conf", 0o640)]);
    let (used, free) = (Ok(2 << 30), Ok(40 << 30));
    facts.datadir = Ok(Some(Datadir { path: "/var/lib/mysql".into(), owner: "mysql".into(), used, free }));
    facts.settings = Ok(Settings { is_running: true, values: map(&settings) });
    facts.status = Ok(Some(map(&status)));
    facts.connections = Ok(Some(Used::Some(Connections { used: 12, max: 1000 })));
    facts.accounts = Ok(vec![account("%"), account("localhost")]);
    facts.monitoring = Ok(Some(monitoring("pfmonitor tls")));
    facts.generated = Ok(vec![generated("var/conf/keepalived.conf same")?, generated("var/conf/mariadb.conf same")?]);
    facts.clocks = Ok(vec![clock("pf2.example.com 0")?, clock("pf3.example.com -40")?]);
    Ok(facts)
}

/// A key, and perhaps the one that is to take its place.
fn usable(is_rotated: bool) -> SupervisorKey {
    let next = is_rotated.then(|| Key::new([8; 32]));
    SupervisorKey::Usable { keys: Keys { current: Key::new([7; 32]), next }.ids() }
}

impl World {
    fn change(&mut self, line: &str) -> Result<(), String> {
        let (fact, rest) = line.split_once(' ').unwrap_or((line, ""));
        if let Some(why) = rest.strip_prefix("? ") {
            return self.forget(fact, why);
        }
        let words: Vec<&str> = rest.split_whitespace().collect();
        let facts = &mut self.facts;
        match fact {
            "pf.conf" if rest == "none" => self.pf_conf = None,
            "pf.conf" => replace(self.pf_conf.as_mut().ok_or("there is no pf.conf")?, &words)?,
            "cluster.conf" => replace(&mut self.cluster_conf, &words)?,
            "disabled" => drop(there(&mut facts.disabled)?.insert(parsed(rest)?)),
            "maintenance" => facts.maintenance = Ok(true),
            "host-name" => facts.host_name = Ok(rest.into()),
            "family" => facts.family = Ok(Family::RedHat),
            "nonlocal-bind" => facts.nonlocal_bind = Ok(kernel(&words)?),
            "disable-ipv6" => facts.disable_ipv6 = Ok(kernel(&words)?),
            "link" => link(there(&mut facts.links)?, &words)?,
            "default-target" => facts.default_target = Ok(rest.into()),
            "unit" => entry(there(&mut facts.units)?, &words)?,
            "mariadb-arguments" => facts.mariadb_arguments = Ok(Some(rest.into())),
            "script" => file(there(&mut facts.scripts)?, &words)?,
            "secret-file" => file(there(&mut facts.secret_files)?, &words)?,
            "without" => drop(there(&mut facts.programs)?.remove(rest)),
            "library" => facts.library = Ok(library(&words)?),
            "listener" => there(&mut facts.listeners)?.push(listener(rest)?),
            "nobody-on" => {
                let port: u16 = parsed(rest)?;
                there(&mut facts.listeners)?.retain(|one| one.port != port);
            }
            "key" => {
                let unusable =
                    SupervisorKey::Unusable { why: "it is no key".into(), help: "take it from another member".into() };
                let key = match rest {
                    "missing" => SupervisorKey::Missing,
                    "rotated" => usable(true),
                    _ => unusable,
                };
                there(&mut facts.supervisor)?.key = key;
            }
            "signs" => {
                let id = |word: &&&str| (**word != "nothing").then(|| Box::from(**word));
                let (Some(host), key) = (words.first(), words.get(1)) else { return Err("signs HOST ID".to_owned()) };
                there(&mut facts.supervisor)?.signing.push(MemberKey {
                    host: (*host).into(),
                    signing_key: key.as_ref().and_then(id),
                    refused_keys: words.get(2).as_ref().and_then(id).into_iter().collect(),
                });
            }
            "pinned-other" => there(&mut facts.supervisor)?.pinned_others.push(rest.into()),
            "no-supervisor" => there(&mut facts.supervisor)?.is_used = false,
            "datadir" => facts.datadir = Ok(datadir(&words)?),
            "option-file" => there(&mut facts.settings)?.is_running = false,
            "setting" => entry(&mut there(&mut facts.settings)?.values, &words)?,
            "status" if rest == "none" => facts.status = Ok(None),
            "status" => entry(there(&mut facts.status)?.as_mut().ok_or("there is no status")?, &words)?,
            "connections" => facts.connections = Ok(connections(rest)?),
            "account" => account(there(&mut facts.accounts)?, &words)?,
            "monitoring" => facts.monitoring = Ok(Some(rest).filter(|rest| *rest != "none").map(monitoring)),
            "no-generated" => there(&mut facts.generated)?.clear(),
            "generated" => there(&mut facts.generated)?.push(generated(rest)?),
            "clock" => there(&mut facts.clocks)?.push(clock(rest)?),
            other => return Err(format!("there is no fact `{other}`")),
        }
        Ok(())
    }

    fn forget(&mut self, fact: &str, why: &str) -> Result<(), String> {
        let none = Facts::unknown(why);
        let facts = &mut self.facts;
        match fact {
            "disabled" => facts.disabled = none.disabled,
            "maintenance" => facts.maintenance = none.maintenance,
            "family" => facts.family = none.family,
            "links" => facts.links = none.links,
            "units" => facts.units = none.units,
            "settings" => facts.settings = none.settings,
            "status" => facts.status = none.status,
            "accounts" => facts.accounts = none.accounts,
            "clocks" => facts.clocks = none.clocks,
            "everything" => *facts = none,
            "holders" => there(&mut facts.listeners)?.iter_mut().for_each(|one| one.holder = Err(why.into())),
            other => return Err(format!("`{other}` is never unknown here")),
        }
        Ok(())
    }
}

fn there<T>(fact: &mut Known<T>) -> Result<&mut T, String> {
    fact.as_mut().map_err(|why| why.to_string())
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(word: &str) -> Result<T, String> {
    word.parse().map_err(|error| format!("`{word}`: {error}"))
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<Box<str>, Box<str>> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

/// `OLD NEW`, `OLD` (which is taken out), or `+ NEW`, a line at the end.
fn replace(text: &mut String, words: &[&str]) -> Result<(), String> {
    let plain = |word: &str| word.replace('~', " ").replace("\\n", "\n");
    match words {
        ["+", new] => *text += &format!("{}\n", plain(new)),
        [old, new @ ..] if text.contains(&plain(old)) => {
            *text = text.replace(&plain(old), &new.first().map(|new| plain(new)).unwrap_or_default());
        }
        _ => return Err(format!("{words:?} changes nothing")),
    }
    Ok(())
}

/// `NAME VALUE`, or `NAME` for none.
fn entry(map: &mut BTreeMap<Box<str>, Box<str>>, words: &[&str]) -> Result<(), String> {
    match words {
        [name, value] => drop(map.insert((*name).into(), (*value).into())),
        [name] => drop(map.remove(*name)),
        _ => return Err("NAME VALUE is missing".to_owned()),
    }
    Ok(())
}

fn at_boot(text: &str) -> Result<AtBoot, String> {
    let (value, file) = text.split_once('@').ok_or("VALUE@FILE is missing")?;
    Ok(AtBoot { value: value.into(), file: file.into() })
}

/// `now=VALUE boot=VALUE@FILE`, each left out where there is none.
fn kernel(words: &[&str]) -> Result<KernelSetting, String> {
    let value = |key: &str| words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
    Ok(KernelSetting { now: value("now").map(Into::into), at_boot: value("boot").map(at_boot).transpose()? })
}

fn network(text: &str) -> Result<(std::net::Ipv4Addr, u32), String> {
    let (address, length) = text.split_once('/').ok_or("ADDRESS/LENGTH is missing")?;
    Ok((parsed(address)?, parsed(length)?))
}

/// `NAME gone`, `NAME down`, `NAME ADDRESS/LENGTH...`
fn link(links: &mut Vec<Link>, words: &[&str]) -> Result<(), String> {
    let [name, words @ ..] = words else { return Err("the link has no name".to_owned()) };
    if *words == ["gone"] {
        links.retain(|link| *link.name != **name);
        return Ok(());
    }
    if !links.iter().any(|link| *link.name == **name) {
        links.push(Link { name: (*name).into(), is_up: true, addresses: Vec::new() });
    }
    let link = links.iter_mut().find(|link| *link.name == **name).ok_or("no link")?;
    if *words == ["down"] {
        link.is_up = false;
        return Ok(());
    }
    link.addresses = words.iter().map(|word| network(word)).collect::<Result<_, _>>()?;
    Ok(())
}

/// `PATH MODE GROUP`, the group `pf` if it is left out, or `PATH` for one that is missing.
fn file(files: &mut Vec<File>, words: &[&str]) -> Result<(), String> {
    let path = format!("{ROOT}/{}", words.first().ok_or("the file has no name")?);
    files.retain(|file| *file.path != *path);
    let mode = words.get(1).map(|mode| u32::from_str_radix(mode, 8).map_err(|error| format!("{mode}: {error}")));
    let group = words.get(2).copied().unwrap_or("pf");
    let permissions = mode.transpose()?.map(|mode| Permissions { mode, group: group.into() });
    files.push(File { path: path.into(), permissions });
    Ok(())
}

/// `configured=PATH` (`absent=PATH` if it is not there) `installed=PATH`
fn library(words: &[&str]) -> Result<Library, String> {
    let mut library = Library::default();
    for word in words {
        match word.split_once('=').ok_or("KEY=PATH is missing")? {
            ("configured", path) => library.configured = Some((path.into(), true)),
            ("absent", path) => library.configured = Some((path.into(), false)),
            (_, path) => library.installed = Some(path.into()),
        }
    }
    Ok(library)
}

/// `tcp|udp ADDRESS:PORT NAME PID`
fn listener(text: &str) -> Result<Listener, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [transport, place, name, pid] = words[..] else { return Err(format!("`{text}` is no listener")) };
    let transport = if transport == "tcp" { Transport::Tcp } else { Transport::Udp };
    let (address, port) = place.rsplit_once(':').ok_or("ADDRESS:PORT is missing")?;
    let holder = Holder { name: name.into(), pid: parsed(pid)? };
    Ok(Listener { transport, address: parsed(address)?, port: parsed(port)?, holder: Ok(holder) })
}

/// `none`, or `OWNER USED FREE` in MiB.
fn datadir(words: &[&str]) -> Result<Option<Datadir>, String> {
    let [owner, used, free] = words else { return Ok(None) };
    let bytes = |text: &str| Ok::<_, String>(parsed::<u64>(text)? << 20);
    let (used, free) = (Ok(bytes(used)?), Ok(bytes(free)?));
    Ok(Some(Datadir { path: "/var/lib/mysql".into(), owner: (*owner).into(), used, free }))
}

/// `all`, `none`, or `USED/MAX`.
fn connections(text: &str) -> Result<Option<Used>, String> {
    Ok(match text.split_once('/') {
        Some((used, max)) => Some(Used::Some(Connections { used: parsed(used)?, max: parsed(max)? })),
        None => (text == "all").then_some(Used::All),
    })
}

/// `USER@HOST`, then what it lacks, or `gone`.
fn account(accounts: &mut Vec<Account>, words: &[&str]) -> Result<(), String> {
    let (user, host) = words.first().and_then(|name| name.split_once('@')).ok_or("USER@HOST is missing")?;
    accounts.retain(|one| (&*one.user, &*one.host) != (user, host));
    if words.get(1) != Some(&"gone") {
        let lacks = words[1..].iter().map(|word| word.replace('_', " ").into()).collect();
        accounts.push(Account { user: user.into(), host: host.into(), lacks });
    }
    Ok(())
}

fn generated(text: &str) -> Result<Generated, String> {
    let (path, state) = text.split_once(' ').ok_or("PATH STATE is missing")?;
    let state = match state {
        "same" => GeneratedState::Same,
        "outdated" => GeneratedState::Outdated,
        "foreign" => GeneratedState::Foreign,
        "missing" => GeneratedState::Missing,
        other => return Err(format!("`{other}` is no state")),
    };
    Ok(Generated { path: path.into(), state })
}

/// `HOST MILLISECONDS`, or `HOST` and why it is not known.
fn clock(text: &str) -> Result<Clock, String> {
    let (host, ahead) = text.split_once(' ').ok_or("HOST MILLISECONDS is missing")?;
    Ok(Clock { host: parsed(host)?, ahead: ahead.parse().map_err(|_| ahead.into()) })
}
