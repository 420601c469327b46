//! TLS to a server that is known by its certificate's fingerprint alone: members' certificates are mostly self-signed,
//! without the name or the address of anybody.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::{Fingerprint, Trust};

/// What TLS accepts from one member.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Trust,
    address: Ipv4Addr,
    provider: CryptoProvider,
    seen: Mutex<Seen>,
}

/// The last certificate.
#[derive(Clone, Copy, Debug, Default)]
enum Seen {
    #[default]
    Nothing,
    Accepted(Fingerprint),
    Refused(Fingerprint),
}

impl Verifier {
    pub(super) fn new(address: Ipv4Addr, trust: &Trust) -> Verifier {
        Verifier { trust: trust.clone(), address, provider: ring::default_provider(), seen: Mutex::default() }
    }

    pub(super) fn accepted(&self) -> Option<Fingerprint> {
        match self.seen() {
            Seen::Accepted(fingerprint) => Some(fingerprint),
            Seen::Nothing | Seen::Refused(_) => None,
        }
    }

    pub(super) fn refused(&self) -> Option<Fingerprint> {
        match self.seen() {
            Seen::Refused(fingerprint) => Some(fingerprint),
            Seen::Nothing | Seen::Accepted(_) => None,
        }
    }

    fn seen(&self) -> Seen {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let fingerprint = Fingerprint::of(certificate);
        let is_known = self.trust.knows(self.address, fingerprint);
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = match is_known {
            true => Seen::Accepted(fingerprint),
            // Accepted unseen: nothing that should be remembered.
            false if self.trust.is_blind() => Seen::Nothing,
            false => Seen::Refused(fingerprint),
        };
        if is_known || self.trust.is_blind() {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    // Whoever shows the certificate must have its key.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The part of ureq's chain of connectors that puts TLS on a TCP connection.
#[derive(Debug)]
pub(super) struct Pinned(Arc<Verifier>);

impl Pinned {
    pub(super) fn new(verifier: Arc<Verifier>) -> Pinned {
        Pinned(verifier)
    }
}

impl<In: Transport> Connector<In> for Pinned {
    type Out = Tls;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Tls>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        let config = ClientConfig::builder_with_provider(Arc::new(self.0.provider.clone()))
            .with_safe_default_protocol_versions()
            .map_err(other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&self.0) as Arc<dyn ServerCertVerifier>)
            .with_no_client_auth();
        let mut connection =
            ClientConnection::new(Arc::new(config), ServerName::IpAddress(self.0.address.into())).map_err(other)?;
        let mut socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        socket.set_timeout(what_is_left(details));
        connection.complete_io(&mut socket)?;
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Tls { buffers, stream: StreamOwned::new(connection, socket) }))
    }
}

/// The time that is left after the TCP connection: one deadline for both.
fn what_is_left(details: &ConnectionDetails<'_>) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(limit), Instant::Exact(start), Instant::Exact(now)) =
        (timeout.after, details.now, (details.current_time)())
    {
        timeout.after = Duration::Exact(limit.saturating_sub(now.saturating_duration_since(start)));
    }
    timeout
}

fn other(error: rustls::Error) -> ureq::Error {
    ureq::Error::Other(Box::new(error))
}

/// A connection with TLS on it.
pub(super) struct Tls {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Transport for Tls {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
