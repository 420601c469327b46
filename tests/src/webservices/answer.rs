//! What PacketFence's methods answer, and what they do.

use std::net::SocketAddrV4;
use std::sync::PoisonError;
use std::time::Duration;

use pfcluster_cli::host::webservices::{Client, Credentials, Trust};
use pfcluster_cli::host::worker::{self, Program};
use pfcluster_core::cluster::Hostname;
use pfcluster_core::sync::{Call, content_of};
use serde_json::{Value, json};

use crate::program::program;

use super::server::{Request, StandIn};
use super::{PASSWORD, USER, VERSION_FILE};

/// A response without its HTTP.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) is_json: bool,
    pub(super) body: String,
}

/// `packet:fence-4711-Sesame` in base64, by openssl.
const AUTHORIZATION: &str = "Basic cGFja2V0OmZlbmNlLTQ3MTEtU2VzYW1l";

/// How long a member waits for another one.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn answer(member: &StandIn, request: &Request) -> Response {
    if request.header("Authorization") != Some(AUTHORIZATION) {
        let body = "<html><h1>Unauthorized</h1></html>".to_owned();
        return Response { status: 401, is_json: false, body };
    }
    // With anything behind it the request is one of SOAP.
    if !request.head.starts_with("POST / HTTP/1.1\r\n")
        || request.header("Content-Type") != Some("application/json-rpc")
    {
        return Response { status: 415, is_json: false, body: "<html>SOAP</html>".to_owned() };
    }
    match request.json() {
        Value::Object(fields) if fields.contains_key("method") => {}
        Value::Null => return error(415, -32700, "no JSON"),
        _ => return error(415, -32600, "no request"),
    }
    match call(member, request) {
        Ok(result) => {
            Response { status: 200, is_json: true, body: format!(r#"{{"jsonrpc":"2.0","id":0,"result":{result}}}"#) }
        }
        Err(Failure::Unknown) => error(404, -32601, "no such method"),
        Err(Failure::Died(words)) => died(&words),
    }
}

/// A method that died says so with the place in its program.
pub(super) fn died(words: &str) -> Response {
    error(500, -32000, &format!("{words} at /usr/local/pf/lib/pf/api.pm line 4711.\n"))
}

fn error(status: u16, code: i64, message: &str) -> Response {
    let document = json!({ "jsonrpc": "2.0", "id": 0, "error": { "code": code, "message": message }, "data": null });
    Response { status, is_json: true, body: document.to_string() }
}

enum Failure {
    Unknown,
    Died(String),
}

fn call(member: &StandIn, request: &Request) -> Result<Value, Failure> {
    let argument = |name: &str| request.argument(name);
    let nothing = || Ok(json!([]));
    match request.method().as_str() {
        "get_config_version" => {
            let version = std::fs::read(member.root.join(VERSION_FILE));
            Ok(version.map_or(json!([{ "version": 0 }]), |version| json!([{ "version": latin1(&version) }])))
        }
        "set_config_version" => {
            let Some(version) = argument("version") else { return nothing() };
            member.write(VERSION_FILE, version.as_bytes());
            Ok(json!([1]))
        }
        "download_configfile" => {
            let Some(path) = argument("conf_file") else { return nothing() };
            let bytes = std::fs::read(member.local(&path));
            let bytes = bytes.map_err(|_| Failure::Died(format!("Config file {path} doesn't exist")))?;
            Ok(json!([latin1(&bytes)]))
        }
        "distant_download_configfile" => {
            let (Some(path), Some(from)) = (argument("conf_file"), argument("from")) else { return nothing() };
            fetch(member, &path, from.parse().map_err(|_| Failure::Died("no address".to_owned()))?)
        }
        "notify_configfile_changed" => {
            let (Some(path), Some(server)) = (argument("conf_file"), argument("server")) else { return nothing() };
            let others = member.others.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let known = others.0.into_iter().find(|(host, _)| *host == server);
            let known = known.ok_or_else(|| Failure::Died("Master server is not in configuration".to_owned()))?;
            fetch(member, &path, known.1)
        }
        "expire" => Ok(json!([{ "error": 0 }])),
        "sync_config_as_master" => Ok(json!([push(member)])),
        _ => Err(Failure::Unknown),
    }
}

/// Each byte is the character of its number.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}

fn client(member: &StandIn, address: std::net::Ipv4Addr) -> Client {
    let port = member.others.lock().unwrap_or_else(PoisonError::into_inner).1;
    // This process can't work itself.
    worker::start_with(vec![Program::at(program().to_owned())]);
    let mut trust = Trust::default();
    // PacketFence looks at no certificate.
    trust.accept_everything();
    Client::new(SocketAddrV4::new(address, port), &Credentials::new(USER, PASSWORD), &trust)
}

fn fetch(member: &StandIn, path: &str, from: std::net::Ipv4Addr) -> Result<Value, Failure> {
    let wanted = path.parse().map_err(|error| Failure::Died(format!("{path}: {error}")))?;
    let answer = client(member, from).call(&Call::download(&wanted), LIMIT);
    let bytes = answer
        .map_err(|error| Failure::Died(error.to_string()))
        .and_then(|answer| content_of(&answer).map_err(|error| Failure::Died(error.to_string())))?;
    let target = member.local(path);
    let written = target.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(target, bytes));
    written.map_err(|error| Failure::Died(error.to_string()))?;
    Ok(json!([1]))
}

/// PacketFence's own push, as far as tests look at it: the version right after the first store. Returns who failed.
fn push(member: &StandIn) -> Vec<String> {
    let me: Hostname = member.host.parse().expect("a host name");
    let path = "/usr/local/pf/conf/pf.conf".parse().expect("a path");
    let version = String::from_utf8_lossy(&member.read(VERSION_FILE)).parse().expect("a version");
    let others = member.others.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
    let fails = |address| {
        let client = client(member, address);
        let calls =
            [Call::expire("config::Pf", true), Call::fetch_from_member(&path, &me), Call::set_config_version(&version)];
        calls.iter().any(|call| client.call(call, LIMIT).is_err())
    };
    others.into_iter().filter(|(_, address)| fails(*address)).map(|(host, _)| host).collect()
}
