//! A member's web services (httpd.webservices): JSON-RPC over HTTPS, to a server whose certificate is known.
//!
//! The certificate is compared before anything is sent, so that nobody but a member gets to see the user and the password.

mod credentials;
mod patience;
mod request;
mod tls;
mod trust;

use std::net::SocketAddrV4;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::sync::{Answer, AnswerError, Call, UPSTREAM_DATABASE};

use super::{HostError, worker};

pub use credentials::Credentials;
pub use patience::Patience;
pub(super) use request::{Request, Response};
pub use trust::{Fingerprint, FingerprintError, Pins, Trust};

/// The longest answer with fingerbank's large database: it travels as a JSON text, up to six times as long as it is.
const LONGEST_DATABASE: u64 = 256 << 20;

/// The longest answer with another file.
const LONGEST_FILE: u64 = 48 << 20;

/// The longest of all other answers.
const LONGEST: u64 = 1 << 20;

/// One member's web services.
#[derive(Debug)]
pub struct Client {
    address: SocketAddrV4,
    credentials: Credentials,
    trust: Trust,
    accepted: Mutex<Option<Fingerprint>>,
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
        let (credentials, trust) = (credentials.clone(), trust.clone());
        Client { address, credentials, trust, accepted: Mutex::default() }
    }

    /// The certificate that the member showed last, if it was accepted for what it is.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        *self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls, and waits for the answer `limit` in all. Another process does, without privileges.
    ///
    /// # Errors
    /// [`CallError`] if there is none, or none that makes sense.
    pub fn call(&self, call: &Call, limit: Duration) -> Result<Answer, CallError> {
        let credentials = self.credentials.parts().map(|(user, password)| (user.to_owned(), password.to_owned()));
        let request = Request {
            address: self.address,
            trust: self.trust.clone(),
            credentials,
            method: call.method().to_owned(),
            body: String::from_utf8_lossy(&call.body()).into_owned(),
            longest: match call.downloaded_file() {
                Some(UPSTREAM_DATABASE) => LONGEST_DATABASE,
                Some(_) => LONGEST_FILE,
                None => LONGEST,
            },
            limit,
        };
        let response =
            worker::call(&request, limit).map_err(|why| CallError::Silent(why.unwrap_or_else(|| too_late(limit))))?;
        *self.accepted.lock().unwrap_or_else(PoisonError::into_inner) = response.accepted;
        response.into_answer()
    }
}

fn too_late(limit: Duration) -> String {
    format!("no answer within {} s", limit.as_secs_f32())
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
