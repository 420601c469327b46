//! What is generated for the daemons. An input is either four files (cluster.conf, pf.conf, networks.conf, a template of the
//! user's), of which the generated files must be what the daemons read; or one setting of pf.conf, hostile: first line
//! `set SECTION KEY VERSION`, then the value. Of the second the generated files have the same structure as of a harmless
//! value: one value stays one token.

#[allow(dead_code, reason = "the tests of the HAProxy files need more of it")]
#[path = "../../core/generate_haproxy/reader.rs"]
mod haproxy;
#[allow(dead_code, reason = "the tests of keepalived.conf need more of it")]
#[path = "../../core/generate_keepalived/reader.rs"]
mod keepalived;
#[path = "../../core/generate_mariadb/reader.rs"]
mod mariadb;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use pfcluster_core::document::Document;
use pfcluster_core::generate::{GenerateError, Rendered, Request, Template, all};
use pfcluster_core::installation::{Installation, Situation, Texts};
use pfcluster_core::span::Source;
use pfcluster_core::version::PfVersion;

/// The guide's three servers.
const CLUSTER_CONF: &str = include_str!("../../../pfcluster-cli/examples/guide/cluster.conf");
const PF_CONF: &str = include_str!("../../../pfcluster-cli/examples/guide/pf.conf");

/// The end of a value, which no value has.
const HERE: &str = "END_OF_IT";

/// Settings that are inserted as one value, each with a harmless one.
const SETTINGS: [(&str, &str, &str); 19] = [
    ("active_active", "password", "aB3dE6gH"),
    ("active_active", "virtual_router_id", "51"),
    ("active_active", "galera_replication_username", "replicator"),
    ("active_active", "galera_replication_password", "anotherPassword"),
    ("alerting", "fromaddr", "pf@example.com"),
    ("alerting", "smtpserver", "mail.example.com"),
    ("captive_portal", "ip_address", "192.0.2.7"),
    ("captive_portal", "rate_limiting_threshold", "50"),
    ("services_url", "httpd_dispatcher", "http://some.host:80"),
    ("services_url", "pfpki", "http://some.host:80"),
    ("services_url", "netdata", "http://some.host:80"),
    ("database_advanced", "key_buffer_size", "2"),
    ("database_advanced", "innodb_buffer_pool_size", "500"),
    ("database_advanced", "query_cache_size", "7"),
    ("database_advanced", "max_connections", "1001"),
    ("database_advanced", "max_allowed_packet", "123"),
    ("database_advanced", "performance_schema", "on"),
    ("database_advanced", "net_read_timeout", "50"),
    ("database_advanced", "net_write_timeout", "50"),
];

/// The target.
///
/// # Panics
/// If the input breaks the law.
pub fn run(bytes: &[u8]) {
    match bytes.strip_prefix(b"set ") {
        Some(rest) => setting(rest),
        None => installation(bytes),
    }
}

/// What the daemons see of the files: for each, what stands on its lines, in how many words.
type Shape = Vec<(&'static str, Vec<String>)>;

fn setting(bytes: &[u8]) {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let Ok(Ok([section, key, version])) =
        std::str::from_utf8(&bytes[..end]).map(|line| <[&str; 3]>::try_from(line.split(' ').collect::<Vec<_>>()))
    else {
        return;
    };
    let Some(&(section, key, harmless)) = SETTINGS.iter().find(|known| (known.0, known.1) == (section, key)) else {
        return;
    };
    let Some(version) = ["8", "12", "14"].into_iter().find(|known| *known == version) else { return };
    let value = &bytes[end + 1..];
    if value.windows(HERE.len()).any(|window| window == HERE.as_bytes()) {
        return;
    }
    let usual = usual_shape(section, key, harmless, version);
    match with_setting(section, key, value, version) {
        Ok(rendered) => {
            let shape = shape(&rendered);
            // Blank: as if it were not set, which other defaults follow from.
            assert!(shape == usual || value.trim_ascii().is_empty(), "{key}: {shape:#?}\n{usual:#?}");
        }
        Err(GenerateError::Unusable { section: named, key: named_key, reason, help, .. }) => {
            assert_eq!((named.as_str(), named_key.as_str()), (section, key));
            super::assert_printable(&(reason + &help));
        }
        Err(GenerateError::Missing { what, .. }) => assert!(what.contains(key), "{what}"),
        Err(other) => panic!("{other}"),
    }
}

/// That of the harmless value, made once.
fn usual_shape(section: &'static str, key: &'static str, harmless: &str, version: &'static str) -> Shape {
    static KNOWN: Mutex<BTreeMap<(&str, &str, &str), Shape>> = Mutex::new(BTreeMap::new());

    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let shape = known.entry((section, key, version)).or_insert_with(|| {
        let rendered = with_setting(section, key, harmless.as_bytes(), version);
        shape(&rendered.unwrap_or_else(|error| panic!("{section}.{key}={harmless}: {error}")))
    });
    shape.clone()
}

fn with_setting(section: &str, key: &str, value: &[u8], version: &str) -> Result<Rendered, GenerateError> {
    let start = format!("{key}=");
    let kept = PF_CONF.lines().filter(|line| section != "active_active" || !line.starts_with(&start));
    let mut pf_conf = kept.fold(String::new(), |text, line| text + line + "\n").into_bytes();
    pf_conf.extend_from_slice(format!("[{section}]\n{key}=<<{HERE}\n").as_bytes());
    pf_conf.extend_from_slice(value);
    pf_conf.extend_from_slice(format!("\n{HERE}\n").as_bytes());
    let version = version.parse().expect("a version");
    generate([CLUSTER_CONF.as_bytes(), &pf_conf, b"", b""], Some("pf2.example.com"), version).expect("a member")
}

fn installation(bytes: &[u8]) {
    let files = super::files(bytes);
    let file = |at: usize| files.get(at).copied().unwrap_or_default();
    for version in [PfVersion::new(8, 0), PfVersion::NEWEST] {
        match generate([file(0), file(1), file(2), file(3)], None, version) {
            None => {}
            Some(Ok(rendered)) if file(3).is_empty() => drop(shape(&rendered)),
            // What stands in a template is the user's.
            Some(Ok(rendered)) => rendered.notices.iter().for_each(|notice| super::assert_printable(&notice.message)),
            Some(Err(error)) => {
                super::assert_one_line(&error.to_string());
                super::assert_printable(error.help());
            }
        }
    }
}

/// For the member of this name, or the first. `None` if there is none.
fn generate(
    [cluster_conf, pf_conf, networks, template]: [&[u8]; 4],
    me: Option<&str>,
    version: PfVersion,
) -> Option<Result<Rendered, GenerateError>> {
    let texts = Texts { cluster_conf, pf_conf: Some(pf_conf), ..Texts::default() };
    let installation = Installation::read(texts, &Situation::of_version(version));
    let networks = Document::parse(Source::NetworksConf, networks).value;
    let first = || installation.cluster.members().next().map(|member| member.host.clone());
    let me = me.map_or_else(first, |me| me.parse().ok())?;
    let mut request = Request::new(&installation.cluster, installation.pf_conf.as_ref()?, &me, version);
    request.networks_conf = Some(&networks);
    request.options.readonly_hook = true;
    if !template.is_empty() {
        let text = String::from_utf8_lossy(template).into_owned();
        request.options.templates = vec![Template { path: "conf/keepalived.conf".to_owned(), text }];
    }
    Some(all(&request))
}

/// Reads every file as its daemon does.
fn shape(rendered: &Rendered) -> Shape {
    let mut shape = Shape::new();
    for file in &rendered.files {
        super::assert_printable(&file.text.replace('\t', " "));
        let lines = match file.path.rsplit('/').next().unwrap_or_default() {
            "keepalived.conf" => {
                let read = keepalived::read(&file.text);
                nodes(&read.unwrap_or_else(|error| panic!("{error}\n{}", file.text)), "")
            }
            "mariadb.conf" => options(&file.text),
            "db-update" => hook(&file.text),
            "haproxy-db.conf" | "haproxy-portal.conf" | "haproxy-admin.conf" => sections(&file.text),
            // The script: each string is one, whatever is in it.
            _ => file.text.lines().map(without_strings).collect(),
        };
        shape.push((file.path, lines));
    }
    shape
}

/// Blocks of keepalived's whose lines begin with a value, not with a word of its language.
const LISTS: [&str; 5] =
    ["notification_email", "static_ipaddress", "static_routes", "unicast_peer", "virtual_ipaddress"];

fn nodes(nodes: &[keepalived::Node], above: &str) -> Vec<String> {
    let is_list = LISTS.contains(&above.rsplit('/').next().unwrap_or_default());
    let mut lines = Vec::new();
    for node in nodes {
        let first = node.words.first().filter(|_| !is_list).map_or("*", String::as_str);
        let name = format!("{above}/{first}");
        lines.push(format!("{name} {}", node.words.len()));
        lines.extend(self::nodes(&node.inside, &name));
    }
    lines
}

fn sections(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for section in haproxy::laws(text) {
        lines.push(format!("{} {}", section.kind, section.name));
        lines.extend(section.lines.iter().map(|line| format!("  {} {}", line[0], line.len())));
    }
    lines
}

fn options(text: &str) -> Vec<String> {
    let read = mariadb::read_options(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let keys = |(section, keys): (&String, &BTreeMap<String, Option<String>>)| {
        keys.keys().map(|key| format!("[{section}] {key}")).collect::<Vec<_>>()
    };
    read.iter().flat_map(keys).collect()
}

/// The shell script that Galera calls: its here-document has options, the rest is always the same.
fn hook(text: &str) -> Vec<String> {
    let (before, rest) = text.split_once("<<'OPTIONS'\n").expect("a here-document");
    let (inside, after) = rest.split_once("\nOPTIONS\n").expect("its end");
    let mut lines = options(&format!("{inside}\n"));
    lines.extend(before.lines().chain(after.lines()).map(str::to_owned));
    lines
}

/// A line of Lua, without what is in its strings.
fn without_strings(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join("\"")
}
