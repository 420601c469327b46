//! The calls of PacketFence's web services that synchronisation needs, and what comes back: JSON-RPC 2.0.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::SyncPath;
use crate::cluster::Hostname;
use crate::conflict::ConfigVersion;
use crate::printable::printable;

/// A call: what is posted to a member's port 9090 over HTTPS.
///
/// Named arguments are one flat list of names and values; PacketFence accepts no JSON object for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    method: &'static str,
    params: Vec<Value>,
}

impl Call {
    /// The header `Content-Type`, exactly: with anything added, PacketFence takes the request for one of another protocol.
    pub const CONTENT_TYPE: &'static str = "application/json-rpc";

    /// Asks for the version of the member's configuration.
    pub fn config_version() -> Call {
        Call::new("get_config_version", vec![])
    }

    /// Gives the member's configuration this version.
    pub fn set_config_version(version: &ConfigVersion) -> Call {
        Call::new("set_config_version", vec!["version".into(), version.as_str().into()])
    }

    /// Asks for the content of a file.
    pub fn download(path: &SyncPath) -> Call {
        Call::new("download_configfile", vec!["conf_file".into(), path.as_str().into()])
    }

    /// Asks the member to fetch a file from the address.
    pub fn fetch_from(path: &SyncPath, from: Ipv4Addr) -> Call {
        let params = ["conf_file".into(), path.as_str().into(), "from".into(), from.to_string().into()];
        Call::new("distant_download_configfile", params.into())
    }

    /// Asks the member to fetch a store's file from the member of this name, as its own cluster.conf knows it.
    pub fn fetch_from_member(path: &SyncPath, member: &Hostname) -> Call {
        let params = ["conf_file".into(), path.as_str().into(), "server".into(), member.as_str().into()];
        Call::new("notify_configfile_changed", params.into())
    }

    /// Marks a cached form stale (`light`), or builds it anew.
    pub fn expire(namespace: &str, light: bool) -> Call {
        Call::new("expire", vec!["namespace".into(), namespace.into(), "light".into(), u8::from(light).into()])
    }

    /// Asks the member to push its own configuration to all others.
    pub fn push() -> Call {
        Call::new("sync_config_as_master", vec![])
    }

    fn new(method: &'static str, params: Vec<Value>) -> Call {
        Call { method, params }
    }

    /// The method: also the value of the header `Request`, under which PacketFence logs the call.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The file that the answer holds, by its name on the wire; `None` if it holds none.
    pub fn downloaded_file(&self) -> Option<&str> {
        self.params.get(1).filter(|_| self.method == "download_configfile")?.as_str()
    }

    /// The body of the request.
    pub fn body(&self) -> Vec<u8> {
        let body = json!({ "jsonrpc": "2.0", "id": 0, "method": self.method, "params": self.params });
        body.to_string().into_bytes()
    }
}

/// What a call returns: a list of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer(pub Vec<Value>);

/// Why an answer is none. As text: a sentence about the member, without a secret of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// 401.
    #[error("it refuses the user and the password of the web services")]
    Credentials,
    /// The method failed there, or there is none.
    #[error("it says: {message}")]
    Refused {
        /// JSON-RPC's number.
        code: i64,
        /// What it says, made fit to be shown.
        message: String,
    },
    /// Another status without an explanation.
    #[error("it answers with HTTP status {0}")]
    Status(u16),
    /// The body is no JSON, or has no result.
    #[error("its answer is no JSON-RPC")]
    Form,
    /// The result is not of the kind that the method has.
    #[error("its answer to `{method}` makes no sense")]
    Value {
        /// The method.
        method: &'static str,
    },
}

impl Answer {
    /// Reads a response: its status and its body.
    ///
    /// # Errors
    /// [`AnswerError`] if the call failed there, or the response makes no sense.
    pub fn read(status: u16, body: &[u8]) -> Result<Answer, AnswerError> {
        if status == 401 {
            return Err(AnswerError::Credentials);
        }
        let document: Option<Value> = serde_json::from_slice(body).ok();
        let error = document.as_ref().and_then(|document| document.get("error")).filter(|error| !error.is_null());
        if let Some(error) = error {
            let message = error.get("message").and_then(Value::as_str).unwrap_or("no reason");
            return Err(AnswerError::Refused {
                code: error.get("code").and_then(Value::as_i64).unwrap_or_default(),
                message: short(message),
            });
        }
        if status != 200 {
            return Err(AnswerError::Status(status));
        }
        match document {
            Some(Value::Object(mut fields)) => match (fields.get("id").cloned(), fields.remove("result")) {
                (Some(id), Some(Value::Array(values))) if id == 0 => Ok(Answer(values)),
                _ => Err(AnswerError::Form),
            },
            _ => Err(AnswerError::Form),
        }
    }
}

/// A member's words: one line, not longer than a person reads, without where in its program it died.
fn short(message: &str) -> String {
    const MOST: usize = 300;

    let line = message.lines().next().unwrap_or_default().trim();
    let line = line.rfind(" at /").filter(|_| line.contains(" line ")).map_or(line, |end| &line[..end]);
    match line.char_indices().nth(MOST) {
        Some((end, _)) => printable(&line.as_bytes()[..end]) + "...",
        None => printable(line.as_bytes()),
    }
}

/// True if a [`Call::download`] failed because the member has no such file.
pub fn is_missing_file(error: &AnswerError) -> bool {
    matches!(error, AnswerError::Refused { message, .. }
        if message.contains("doesn't exist") || message.contains("does not exist"))
}

/// What [`Call::config_version`] returns: the version as the member wrote it, or PacketFence's 0.
///
/// # Errors
/// [`AnswerError::Value`] if there is none.
pub fn version_of(answer: &Answer) -> Result<String, AnswerError> {
    match answer.0.first().and_then(|first| first.get("version")) {
        Some(Value::String(version)) => Ok(version.clone()),
        Some(Value::Number(version)) => Ok(version.to_string()),
        _ => Err(AnswerError::Value { method: "get_config_version" }),
    }
}

/// What [`Call::download`] returns: the bytes of the file. Each travels as the character of its number.
///
/// # Errors
/// [`AnswerError::Value`] if there is no text, or it has a character that is no byte.
pub fn content_of(answer: &Answer) -> Result<Vec<u8>, AnswerError> {
    let bytes = match &answer.0[..] {
        [Value::String(text)] => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
        _ => None,
    };
    bytes.ok_or(AnswerError::Value { method: "download_configfile" })
}

/// What [`Call::push`] returns: the names of the members that the pushing member did not reach, printable.
///
/// # Errors
/// [`AnswerError::Value`] if it returns something else than a list of names, or nothing.
pub fn not_reached(answer: &Answer) -> Result<Vec<String>, AnswerError> {
    let Some(list) = answer.0.first() else { return Ok(Vec::new()) };
    let names = list.as_array().ok_or(AnswerError::Value { method: Call::push().method() })?;
    Ok(names.iter().map(|name| short(name.as_str().unwrap_or_default())).collect())
}

/// True if a call that returns 1 did. PacketFence returns nothing, and no error, where it misses an argument.
pub fn is_done(answer: &Answer) -> bool {
    matches!(&answer.0[..], [done] if done == 1 || done == "1")
}
