//! Which certificates belong to members: the one that all members share, those seen before, those that the user names.

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::host::directory::{Directory, Fresh};
use crate::host::{HostError, Root};

/// The certificate that members share: it is synchronised with the configuration.
const CERTIFICATE: &str = "conf/ssl/server.crt";

/// Where the fingerprints of members are remembered: an address and a fingerprint on each line.
const PINS: &str = "var/pfcluster/pins";

/// The SHA-256 of a certificate. As text: as `openssl x509 -fingerprint -sha256` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint([u8; 32]);

/// A text is no [`Fingerprint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits, with or without colons between them")]
pub struct FingerprintError;

impl Fingerprint {
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Fingerprint {
        Fingerprint(Sha256::digest(certificate).into())
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Fingerprint, FingerprintError> {
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| FingerprintError)?;
        Ok(Fingerprint(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs: Vec<String> = self.0.iter().map(|byte| format!("{byte:02X}")).collect();
        f.write_str(&pairs.join(":"))
    }
}

/// Which certificates are accepted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Trust {
    known: Vec<Fingerprint>,
    pins: Pins,
    blind: bool,
}

impl Trust {
    /// What this host knows: its own certificate, which members share, and those that it remembers.
    ///
    /// # Errors
    /// [`HostError`] if a file that is there can't be read or understood.
    pub fn of_host(root: &Root) -> Result<Trust, HostError> {
        let mut known = Vec::new();
        if let Some(text) = root.read(CERTIFICATE)? {
            let certificate = CertificateDer::from_pem_slice(&text).map_err(|_| HostError::Content {
                path: root.file(CERTIFICATE),
                reason: "it holds no certificate in PEM form".to_owned(),
                help: "put the certificate of httpd.webservices there, or move the file away".to_owned(),
            })?;
            known.push(Fingerprint::of(&certificate));
        }
        Ok(Trust { known, pins: Pins::read(root)?, blind: false })
    }

    /// Accepts this certificate too, from anybody.
    pub fn accept(&mut self, fingerprint: Fingerprint) {
        self.known.push(fingerprint);
    }

    /// Accepts every certificate, unseen.
    pub fn accept_everything(&mut self) {
        self.blind = true;
    }

    pub(super) fn knows(&self, address: Ipv4Addr, fingerprint: Fingerprint) -> bool {
        self.known.contains(&fingerprint) || self.pins.0.get(&address) == Some(&fingerprint)
    }

    pub(super) fn is_blind(&self) -> bool {
        self.blind
    }
}

/// The certificates that members showed when something went well.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pins(BTreeMap<Ipv4Addr, Fingerprint>);

impl Pins {
    /// The remembered ones; none if there is no file.
    ///
    /// # Errors
    /// [`HostError`] if the file can't be read, or a line of it is none of ours.
    pub fn read(root: &Root) -> Result<Pins, HostError> {
        let Some(text) = Directory::open(root.directory())?.read(PINS)? else { return Ok(Pins::default()) };
        Pins::parse(&text).map_err(|line| HostError::Content {
            path: root.file(PINS),
            reason: format!("line {line} has no address with a fingerprint"),
            help: "remove the line, or the file: members' certificates are asked about again".to_owned(),
        })
    }

    /// The error is the number of a line, from 1, that is none of ours.
    pub(in crate::host) fn parse(text: &[u8]) -> Result<Pins, usize> {
        let parsed = |line: &str| -> Option<(Ipv4Addr, Fingerprint)> {
            let (address, fingerprint) = line.split_once(' ')?;
            Some((address.parse().ok()?, fingerprint.parse().ok()?))
        };
        let text = String::from_utf8_lossy(text);
        let lines = (1..).zip(text.lines());
        lines.map(|(number, line)| parsed(line).ok_or(number)).collect::<Result<_, _>>().map(Pins)
    }

    pub(in crate::host) fn to_text(&self) -> String {
        let line = |text: String, (address, fingerprint): (&Ipv4Addr, &Fingerprint)| {
            text + &format!("{address} {fingerprint}\n")
        };
        self.0.iter().fold(String::new(), line)
    }

    /// Remembers these certificates beside, and instead of, those of earlier.
    ///
    /// # Errors
    /// [`HostError`] if the file can't be read or written.
    pub fn remember(root: &Root, seen: impl IntoIterator<Item = (Ipv4Addr, Fingerprint)>) -> Result<(), HostError> {
        let before = Pins::read(root)?;
        let mut pins = before.clone();
        pins.0.extend(seen);
        if pins == before {
            return Ok(());
        }
        let private = |mode| Fresh { mode, owner: None };
        Directory::open(root.directory())?.write(PINS, pins.to_text().as_bytes(), private(0o600), private(0o700))
    }
}
