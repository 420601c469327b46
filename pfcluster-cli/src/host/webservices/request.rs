//! One call as a worker carries it out: all that a member's web services send is read there.

use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pfcluster_core::printable::printable;
use pfcluster_core::sync::{Answer, AnswerError, Call};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Connector as _, NextTimeout, TcpConnector};

use super::tls::{Pinned, Verifier};
use super::{CallError, Fingerprint, Trust};
use crate::host::files;

/// A call, and how the member is known.
#[derive(Serialize, Deserialize)]
pub(in crate::host) struct Request {
    pub(super) address: SocketAddrV4,
    pub(super) trust: Trust,
    /// The user and the password.
    pub(super) credentials: Option<(String, String)>,
    pub(super) method: String,
    pub(super) body: String,
    /// The longest answer that is read, in bytes.
    pub(super) longest: u64,
    pub(super) limit: Duration,
}

/// What came of it.
#[derive(Serialize, Deserialize)]
pub(in crate::host) struct Response {
    /// The certificate that the member showed, if it was accepted for what it is.
    pub(super) accepted: Option<Fingerprint>,
    pub(super) outcome: Result<Vec<Value>, Problem>,
}

/// A [`CallError`] on its way.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Problem {
    Silent(String),
    Untrusted(Fingerprint),
    Credentials,
    Refused { code: i64, message: String },
    Status(u16),
    Form,
}

impl Response {
    /// What it answers.
    pub(in crate::host) fn into_answer(self) -> Result<Answer, CallError> {
        Ok(Answer(self.outcome?))
    }
}

/// The texts are made fit to be shown here: a worker is taken for what the server that it asked may have made of it.
impl From<Problem> for CallError {
    fn from(problem: Problem) -> CallError {
        CallError::Answer(match problem {
            Problem::Silent(why) => return CallError::Silent(printable(why.as_bytes())),
            Problem::Untrusted(fingerprint) => return CallError::Untrusted(fingerprint),
            Problem::Credentials => AnswerError::Credentials,
            Problem::Refused { code, message } => AnswerError::Refused { code, message: printable(message.as_bytes()) },
            Problem::Status(status) => AnswerError::Status(status),
            Problem::Form => AnswerError::Form,
        })
    }
}

impl From<AnswerError> for Problem {
    fn from(error: AnswerError) -> Problem {
        match error {
            AnswerError::Credentials => Problem::Credentials,
            AnswerError::Refused { code, message } => Problem::Refused { code, message },
            AnswerError::Status(status) => Problem::Status(status),
            _ => Problem::Form,
        }
    }
}

impl Request {
    /// The longest answer that is read, in bytes.
    pub(in crate::host) fn longest(&self) -> u64 {
        self.longest
    }

    /// Calls, and waits for the answer.
    pub(in crate::host) fn carry_out(&self) -> Response {
        let verifier = Arc::new(Verifier::new(*self.address.ip(), &self.trust));
        let outcome = self.call(&verifier);
        Response { accepted: verifier.accepted(), outcome }
    }

    fn call(&self, verifier: &Arc<Verifier>) -> Result<Vec<Value>, Problem> {
        let failed = |error| self.problem(error, verifier);
        let mut request = agent(self.address, verifier)
            .post(format!("https://{}/", self.address))
            .config()
            .timeout_global(Some(self.limit))
            .build()
            .content_type(Call::CONTENT_TYPE)
            .header("Accept", Call::CONTENT_TYPE)
            .header("Request", &self.method);
        if let Some((user, password)) = &self.credentials {
            request = request
                .header("Authorization", format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))));
        }
        let mut response = request.send(self.body.as_bytes()).map_err(failed)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(self.longest).read_to_vec().map_err(failed)?;
        Ok(Answer::read(status, &body)?.0)
    }

    fn problem(&self, error: ureq::Error, verifier: &Verifier) -> Problem {
        if let Some(fingerprint) = verifier.refused() {
            return Problem::Untrusted(fingerprint);
        }
        let too_late = || super::too_late(self.limit);
        Problem::Silent(match error {
            ureq::Error::Timeout(_) => too_late(),
            ureq::Error::Io(error) => match error.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => too_late(),
                io::ErrorKind::UnexpectedEof => "it ends the connection before its answer is complete".to_owned(),
                _ => files::plain(&error),
            },
            ureq::Error::BodyExceedsLimit(longest) => format!("its answer is longer than {} MiB", longest >> 20),
            ureq::Error::Protocol(_) => "its answer is no HTTP, or not complete".to_owned(),
            other => other.to_string(),
        })
    }
}

fn agent(address: SocketAddrV4, verifier: &Arc<Verifier>) -> Agent {
    let connector = ().chain(TcpConnector::default()).chain(Pinned::new(Arc::clone(verifier)));
    let config = Config::builder()
        .https_only(true)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .user_agent(concat!("pfcluster/", env!("CARGO_PKG_VERSION")))
        .max_idle_connections(0)
        .build();
    Agent::with_parts(config, connector, Known(address))
}

/// The address is known: nothing is resolved, for which ureq would start a thread.
#[derive(Debug)]
struct Known(SocketAddrV4);

impl Resolver for Known {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(self.0.into());
        Ok(addresses)
    }
}
