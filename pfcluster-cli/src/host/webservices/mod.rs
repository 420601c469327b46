//! A member's web services (httpd.webservices): JSON-RPC over HTTPS, to a server whose certificate is known.
//!
//! The certificate is compared before anything is sent, so that nobody but a member gets to see the user and the password.

mod credentials;
mod patience;
mod tls;
mod trust;

use std::io;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::sync::{Answer, AnswerError, Call};
use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, TcpConnector};

use super::{HostError, files};
use tls::{Pinned, Verifier};

pub use credentials::Credentials;
pub use patience::Patience;
pub use trust::{Fingerprint, FingerprintError, Pins, Trust};

/// The longest answer with a file that is read: it travels as a JSON text, up to six times as long as it is.
const LONGEST_FILE: u64 = 256 << 20;

/// The longest of all other answers.
const LONGEST: u64 = 1 << 20;

/// One member's web services.
#[derive(Debug)]
pub struct Client {
    address: SocketAddrV4,
    agent: Agent,
    verifier: Arc<Verifier>,
    credentials: Credentials,
}

/// Why a member did not do what it was asked. As text: a sentence about the member.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// There was no answer, or not all of it.
    #[error("{0}")]
    Silent(String),
    /// There was no time to ask it: why.
    #[error("not asked: {0}")]
    NotAsked(&'static str),
    /// Its certificate is not known. Nothing was sent.
    #[error("its certificate is not known: {0}")]
    Untrusted(Fingerprint),
    /// It answered, but not as it should.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

impl CallError {
    /// True if the next call will hardly fare better.
    pub fn is_final(&self) -> bool {
        !matches!(self, CallError::Answer(error) if *error != AnswerError::Credentials)
    }
}

impl Client {
    /// The web services at `address`.
    pub fn new(address: SocketAddrV4, credentials: &Credentials, trust: &Trust) -> Client {
        let verifier = Arc::new(Verifier::new(*address.ip(), trust));
        let connector = ().chain(TcpConnector::default()).chain(Pinned::new(Arc::clone(&verifier)));
        let config = Config::builder()
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("pfcluster/", env!("CARGO_PKG_VERSION")))
            // A connection that was kept may be closed by the server just as the next call goes out.
            .max_idle_connections(0)
            .build();
        let agent = Agent::with_parts(config, connector, DefaultResolver::default());
        Client { address, agent, verifier, credentials: credentials.clone() }
    }

    /// The certificate that the member showed last, if it was accepted for what it is.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.verifier.accepted()
    }

    /// Calls, and waits for the answer `limit` in all.
    ///
    /// # Errors
    /// [`CallError`] if there is none, or none that makes sense.
    pub fn call(&self, call: &Call, limit: Duration) -> Result<Answer, CallError> {
        let longest = if call.is_download() { LONGEST_FILE } else { LONGEST };
        let failed = |error| self.silent(error, limit);
        let mut request = self
            .agent
            .post(format!("https://{}/", self.address))
            .config()
            .timeout_global(Some(limit))
            .build()
            .content_type(Call::CONTENT_TYPE)
            .header("Accept", Call::CONTENT_TYPE)
            .header("Request", call.method());
        if let Some((user, password)) = self.credentials.parts() {
            request = request
                .header("Authorization", format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))));
        }
        let mut response = request.send(call.body()).map_err(failed)?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(longest).read_to_vec().map_err(failed)?;
        Ok(Answer::read(status, &body)?)
    }

    fn silent(&self, error: ureq::Error, limit: Duration) -> CallError {
        if let Some(fingerprint) = self.verifier.refused() {
            return CallError::Untrusted(fingerprint);
        }
        let too_late = || format!("no answer within {} s", limit.as_secs_f32());
        CallError::Silent(match error {
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

/// The port of all members' web services.
///
/// # Errors
/// [`HostError::Content`] if pf.conf has something else in its place.
pub fn port(pf_conf: Option<&PfConf>) -> Result<u16, HostError> {
    const PORT: u16 = 9090;

    let text = pf_conf.map_or("", |pf_conf| pf_conf.text("webservices", "port").trim());
    if text.is_empty() {
        return Ok(PORT);
    }
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| HostError::Content {
        path: "pf.conf".into(),
        reason: format!("`{}` in `[webservices] port` is no port", text.escape_debug()),
        help: format!("write a number from 1 to 65535; PacketFence's own is {PORT}"),
    })
}
