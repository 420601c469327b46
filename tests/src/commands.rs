//! What the cases of tests/testdata/{document,cluster,checks} can ask.

use std::fmt::Write as _;

use pfcluster_core::check;
use pfcluster_core::cluster::{Cluster, Hostname, InterfaceName, Vip, add_member, remove_member};
use pfcluster_core::diagnostic::Diagnostics;
use pfcluster_core::document::{Document, NewSection};
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::pf_conf::{InterfaceKind, Roles, interfaces_of, roles};
use pfcluster_core::printable::printable;
use pfcluster_core::span::{LineIndex, Source};
use pfcluster_core::version::PfVersion;

use crate::{Case, decisions, program};

/// The output of a case.
///
/// # Errors
/// A sentence if the case asks for something that is not there.
pub fn output(case: &Case) -> Result<String, String> {
    let input = if case.has("escaped") { unescape(&case.input)? } else { case.input.clone().into_bytes() };
    let mut out = match case.command.as_str() {
        "parse" => parse(case, &input)?,
        "check" => check_files(case, &input)?,
        "show" => show(case, &input)?,
        "lists" => lists(case, &input)?,
        "interfaces" => interfaces(case, &input)?,
        "set" | "unset" | "remove-section" | "add-section" | "remove-member" | "add-member" => edit(case, &input)?,
        "rules" => check::rules()
            .iter()
            .fold(String::new(), |out, rule| out + &format!("{} {} {}\n", rule.code, rule.severity.name(), rule.name)),
        "pfcluster" => session(case)?,
        other => decisions::output(case).unwrap_or_else(|| Err(format!("there is no command `{other}`")))?,
    };
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    Ok(out)
}

/// `\n`, `\r`, `\t`, `\\` and `\xNN`; line ends of the test file itself do not count.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut bytes = text.bytes().filter(|&byte| byte != b'\n');
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next() {
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits: Vec<u8> = bytes.by_ref().take(2).collect();
                let digits = String::from_utf8_lossy(&digits).into_owned();
                u8::from_str_radix(&digits, 16).map_err(|_| format!("`\\x{digits}` is no byte"))?
            }
            other => return Err(format!("`\\` before {other:?}")),
        });
    }
    Ok(out)
}

fn situation(case: &Case) -> Result<Situation, String> {
    let version =
        case.value("version").map_or(Ok(PfVersion::NEWEST), str::parse).map_err(|e| format!("version: {e}"))?;
    let mut situation = Situation::of_version(version);
    situation.me = case.value("me").map(hostname).transpose()?;
    let disabled = case.value("disabled").unwrap_or_default();
    situation.disabled = disabled.split(',').filter(|host| !host.is_empty()).map(hostname).collect::<Result<_, _>>()?;
    let environment = case.words.iter().filter_map(|word| word.strip_prefix("env:")?.split_once('='));
    situation.environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(situation)
}

fn hostname(name: &str) -> Result<Hostname, String> {
    name.parse().map_err(|error| format!("{name}: {error}"))
}

/// cluster.conf, and after lines like `>>> pf.conf` the other files.
fn texts(input: &[u8]) -> Texts<'_> {
    let mut texts = Texts { cluster_conf: input, ..Texts::default() };
    let mut rest = input;
    let mut name: Option<&[u8]> = None;
    loop {
        let next = rest.windows(4).position(|window| window == b">>> ").filter(|&at| at == 0 || rest[at - 1] == b'\n');
        let text = &rest[..next.unwrap_or(rest.len())];
        match name {
            None => texts.cluster_conf = text,
            Some(b"pf.conf") => texts.pf_conf = Some(text),
            Some(b"pf.conf.defaults") => texts.pf_conf_defaults = Some(text),
            Some(b"pfconfig.conf") => texts.pfconfig_conf = Some(text),
            Some(other) => panic!("no such file: {}", printable(other)),
        }
        let Some(at) = next else { return texts };
        let line = &rest[at + 4..];
        let end = line.iter().position(|&byte| byte == b'\n').unwrap_or(line.len());
        name = Some(&line[..end]);
        rest = line.get(end + 1..).unwrap_or_default();
    }
}

fn findings(diagnostics: &Diagnostics, documents: &[&Document<'_>]) -> String {
    diagnostics.iter().fold(String::new(), |out, diagnostic| {
        let place = |source: Source, span: pfcluster_core::span::Span| {
            let document = documents.iter().find(|document| document.source() == source);
            let position = document.map_or(LineIndex::new(b""), |document| document.line_index()).position(span.start);
            format!("{}:{}:{}", source.path().trim_start_matches("conf/"), position.line, position.column)
        };
        let (rule, severity) = (diagnostic.rule, diagnostic.severity().name());
        let at = place(diagnostic.source, diagnostic.span);
        let mut out = out + &format!("{at} {severity} {} {}\n", rule.code, diagnostic.message);
        for other in &diagnostic.related {
            let _ = writeln!(out, "  {} {}", place(other.source, other.span), other.message);
        }
        out
    })
}

fn parse(case: &Case, input: &[u8]) -> Result<String, String> {
    let parsed = Document::parse(Source::ClusterConf, input);
    let mut document = parsed.value;
    let mut diagnostics = parsed.diagnostics;
    if case.has("expand") {
        diagnostics.extend(document.expand(&situation(case)?.environment));
    }
    let mut out = String::new();
    for section in document.sections() {
        let _ = writeln!(out, "[{}]", printable(section.name()));
        for entry in section.entries() {
            let values: Vec<String> = entry.values().iter().map(|value| format!("\"{}\"", printable(value))).collect();
            let _ = writeln!(out, "  {} = {}", printable(entry.key()), values.join(" "));
        }
    }
    Ok(out + &findings(&diagnostics, &[&document]))
}

fn check_files(case: &Case, input: &[u8]) -> Result<String, String> {
    let installation = Installation::read(texts(input), &situation(case)?);
    let documents: Vec<&Document<'_>> = installation.documents.iter().collect();
    let out = findings(&installation.diagnostics, &documents);
    Ok(if out.is_empty() { "clean\n".to_owned() } else { out })
}

fn show(case: &Case, input: &[u8]) -> Result<String, String> {
    let situation = situation(case)?;
    let installation = Installation::read(texts(input), &situation);
    let cluster = &installation.cluster;
    let mut out = format!("{}\n", if cluster.is_clustered() { "clustered" } else { "not clustered" });
    for zone in cluster.zones() {
        let _ = writeln!(out, "zone {}", zone.name);
        let addresses = |addresses: &pfcluster_core::cluster::Addresses| {
            let ip = |ip: Option<std::net::Ipv4Addr>| ip.map_or_else(|| "-".to_owned(), |ip| ip.to_string());
            let interfaces = addresses.interfaces.iter();
            let interfaces =
                interfaces.map(|interface| format!(" {}={}", interface.name, ip(interface.ip.map(|ip| ip.value))));
            ip(addresses.management_ip.map(|ip| ip.value)) + &interfaces.collect::<String>()
        };
        if let Some(vips) = &zone.vips {
            let _ = writeln!(out, "  virtual {}", addresses(vips));
        }
        for network in &zone.networks {
            let settings: Vec<&str> = network.settings.iter().map(|setting| &*setting.key).collect();
            let _ = writeln!(out, "  network {} sets {}", network.network.value, settings.join(", "));
        }
        for member in &zone.members {
            let _ = writeln!(out, "  {} {}", member.host, addresses(&member.addresses));
        }
    }
    Ok(out)
}

/// The member lists and what follows from them, as `me=HOST` sees them.
fn lists(case: &Case, input: &[u8]) -> Result<String, String> {
    let situation = situation(case)?;
    let installation = Installation::read(texts(input), &situation);
    let me = situation.me.as_ref().ok_or("`lists` needs me=HOST")?;
    let view = installation.cluster.seen_by(me, &situation.disabled).map_err(|error| error.to_string())?;
    let names = |members: Vec<&pfcluster_core::cluster::Member>| {
        members.iter().map(|member| member.host.as_str()).collect::<Vec<_>>().join(" ")
    };
    let centralize = case.has("centralize_vips");
    let priority = |vip| {
        let member = view.me();
        let priority = view.vrrp_priority(member, vip, situation.version, centralize);
        priority.map_or_else(|| "none".to_owned(), |priority| priority.to_string())
    };
    let index = view.index().map_or_else(|| "none".to_owned(), |index| index.to_string());
    Ok(format!(
        "index {index}\nzone {}\nconfiguration {}\ndatabase {}\ndatabase order {}\n\
         priority management {} radius {} registration {}\n",
        names(view.zone_members().collect()),
        names(view.configuration_members().collect()),
        names(view.database_members().collect()),
        names(view.database_order()),
        priority(Vip::Management),
        priority(Vip::Radius),
        priority(Vip::Registration),
    ))
}

/// pf.conf's interfaces with cluster.conf's written over them, as `me=HOST` (or `me=CLUSTER`) has them.
fn interfaces(case: &Case, input: &[u8]) -> Result<String, String> {
    let me = case.value("me").ok_or("`interfaces` needs me=HOST or me=CLUSTER")?;
    let words = case.words.iter().filter(|word| !word.starts_with("me=")).cloned().collect();
    let situation = situation(&Case { words, ..case.clone() })?;
    let installation = Installation::read(texts(input), &situation);
    let cluster: &Cluster = &installation.cluster;
    let addresses = match me {
        "CLUSTER" => cluster.zones().first().and_then(|zone| zone.vips.as_ref()),
        host => cluster.member(host).map(|member| &member.addresses),
    };
    let addresses = addresses.ok_or_else(|| format!("there is no {me}"))?;
    let pf_conf = installation.pf_conf.as_ref().ok_or("`interfaces` needs a pf.conf")?;
    let list = interfaces_of(pf_conf, addresses, situation.version);
    let mut out = String::new();
    for interface in &list {
        let kinds: Vec<String> = interface.types().map(|(word, kind)| format!("{word}{}", unknown(kind))).collect();
        let mask = interface.mask().map_or_else(|| "-".to_owned(), |mask| mask.prefix_length().to_string());
        let ip = interface.ip().map_or_else(|| "-".to_owned(), |ip| ip.to_string());
        let _ = writeln!(out, "{} {ip}/{mask} {}", interface.name, kinds.join(","));
    }
    Ok(out + &roles_text(&roles(&list, cluster.is_clustered(), situation.version)))
}

fn unknown(kind: Option<InterfaceKind>) -> &'static str {
    if kind.is_none() { "?" } else { "" }
}

fn roles_text(roles: &Roles) -> String {
    let one = |name: Option<InterfaceName>| name.into_iter().collect::<Vec<_>>();
    let lists = [
        ("management", one(roles.management)),
        ("internal", roles.internal.clone()),
        ("vlan enforcement", roles.vlan_enforcement.clone()),
        ("inline enforcement", roles.inline_enforcement.clone()),
        ("listen", roles.listen.clone()),
        ("dhcp listener", roles.dhcp_listener.clone()),
        ("monitor", one(roles.monitor)),
        ("high availability", roles.high_availability.clone()),
        ("portal", roles.portal.clone()),
        ("radius", roles.radius.clone()),
        ("dns", roles.dns.clone()),
        ("dhcp", roles.dhcp.clone()),
    ];
    let filled = lists.into_iter().filter(|(_, names)| !names.is_empty());
    filled.fold(String::new(), |out, (role, names)| {
        let names: Vec<&str> = names.iter().map(InterfaceName::as_str).collect();
        out + &format!("{role}: {}\n", names.join(" "))
    })
}

/// An edit; the output is the lines that it changed.
fn edit(case: &Case, input: &[u8]) -> Result<String, String> {
    let document = Document::parse(Source::ClusterConf, input).value;
    let section = || Ok::<_, String>(case.value("section").ok_or("section=NAME is missing")?.replace('+', " "));
    let word = |key: &str| case.value(key).ok_or(format!("{key}=... is missing"));
    let edited = match case.command.as_str() {
        "set" => document.with_value(&section()?, word("key")?, word("value")?).map_err(|error| error.to_string()),
        "unset" => document.without_key(&section()?, word("key")?).map_err(|error| error.to_string()),
        "remove-section" => document.without_sections(&[&section()?]).map_err(|error| error.to_string()),
        "add-section" => {
            let entries = case.value("entry").and_then(|entry| entry.split_once(':'));
            let entries = entries.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
            let after = case.value("after").map(|after| after.replace('+', " "));
            let section = NewSection { name: section()?, entries };
            document.with_sections(after.as_deref(), &[section]).map_err(|error| error.to_string())
        }
        "remove-member" => remove_member(&document, &hostname(word("host")?)?).map_err(|error| error.to_string()),
        _ => {
            let zone = case.value("zone").map(|zone| zone.parse().map_err(|error| format!("{error}"))).transpose()?;
            let ip = word("ip")?.parse().map_err(|error| format!("{error}"))?;
            let interfaces = case.words.iter().filter_map(|word| word.strip_prefix("on:")?.split_once('='));
            let interfaces = interfaces.map(|(name, ip)| Some((name.parse().ok()?, ip.parse().ok()?)));
            let interfaces: Vec<_> = interfaces.collect::<Option<_>>().ok_or("on:INTERFACE=ADDRESS is wrong")?;
            add_member(&document, zone.as_ref(), &hostname(word("host")?)?, ip, &interfaces)
                .map_err(|error| error.to_string())
        }
    };
    Ok(match edited {
        Ok(text) => changed_lines(input, &text),
        Err(refused) => format!("refused: {refused}\n"),
    })
}

/// The program itself, as a user runs it. The input's files are in its directory, and the examples of the repository below
/// `examples/`. The output: its exit status, what it answers behind `|`, and what else it says behind `!`.
fn session(case: &Case) -> Result<String, String> {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let input = if case.has("escaped") { unescape(&case.input)? } else { case.input.clone().into_bytes() };
    let stdin = program::lay_out(directory.path(), &String::from_utf8(input).map_err(|error| error.to_string())?);
    std::os::unix::fs::symlink(program::examples(), directory.path().join("examples")).expect("a writable directory");
    let is_variable = |word: &&str| {
        word.split_once('=').is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
    };
    let words: Vec<&str> = case.words.iter().map(String::as_str).collect();
    let variables: Vec<(&str, &str)> =
        words.iter().copied().filter(is_variable).filter_map(|word| word.split_once('=')).collect();
    let arguments: Vec<&str> = words.iter().copied().filter(|word| *word != "escaped" && !is_variable(word)).collect();
    let output = program::run(directory.path(), &arguments, &stdin, &variables);
    let mut out =
        format!("exit {}\n", output.status.code().map_or_else(|| "by a signal".to_owned(), |code| code.to_string()));
    for (mark, text) in [('|', &output.stdout), ('!', &output.stderr)] {
        for line in String::from_utf8_lossy(text).lines() {
            let line = line.replace(&*directory.path().to_string_lossy(), "DIR");
            out += format!("{mark} {line}").trim_end();
            out.push('\n');
        }
    }
    Ok(out)
}

/// Lines that are gone with `-`, new ones with `+`, each with its number; control characters shown.
fn changed_lines(old: &[u8], new: &[u8]) -> String {
    let lines = |text: &[u8]| text.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (old, new) = (lines(old), lines(new));
    let same_start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[same_start..], &new[same_start..]);
    // The longest common subsequence, small files only.
    let mut common = vec![vec![0_usize; new_rest.len() + 1]; old_rest.len() + 1];
    for (i, a) in old_rest.iter().enumerate().rev() {
        for (j, b) in new_rest.iter().enumerate().rev() {
            common[i][j] = if a == b { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut out = String::new();
    while i < old_rest.len() || j < new_rest.len() {
        let take_old = i < old_rest.len() && (j == new_rest.len() || common[i + 1][j] >= common[i][j + 1]);
        if i < old_rest.len() && j < new_rest.len() && old_rest[i] == new_rest[j] {
            (i, j) = (i + 1, j + 1);
        } else if take_old {
            let _ = writeln!(out, "-{} {}", same_start + i + 1, printable(&old_rest[i]));
            i += 1;
        } else {
            let _ = writeln!(out, "+{} {}", same_start + j + 1, printable(&new_rest[j]));
            j += 1;
        }
    }
    out
}
