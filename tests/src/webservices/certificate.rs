//! Self-signed certificates, as PacketFence's installation makes them: a CA of itself, with nobody's name.

use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

/// A certificate with its key.
pub struct Certificate {
    pem: Vec<u8>,
    key: Vec<u8>,
    fingerprint: String,
}

impl Certificate {
    /// The one that members share.
    pub fn shared() -> &'static Certificate {
        static SHARED: OnceLock<Certificate> = OnceLock::new();
        SHARED.get_or_init(Certificate::new)
    }

    /// One that no member knows.
    pub fn foreign() -> &'static Certificate {
        static FOREIGN: OnceLock<Certificate> = OnceLock::new();
        FOREIGN.get_or_init(Certificate::new)
    }

    /// The one that members share, in the hands of somebody who does not have its key.
    pub fn stolen() -> &'static Certificate {
        static STOLEN: OnceLock<Certificate> = OnceLock::new();
        STOLEN.get_or_init(|| {
            let (shared, foreign) = (Certificate::shared(), Certificate::foreign());
            let (pem, key, fingerprint) = (shared.pem.clone(), foreign.key.clone(), shared.fingerprint.clone());
            Certificate { pem, key, fingerprint }
        })
    }

    /// A new one, by openssl.
    fn new() -> Certificate {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let openssl = |arguments: &str| {
            let output = Command::new("openssl")
                .args(arguments.split(' '))
                .current_dir(directory.path())
                .stderr(Stdio::null())
                .output()
                .expect("openssl is installed: tests/install");
            assert!(output.status.success(), "openssl {arguments}");
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        };
        openssl("req -x509 -newkey rsa:2048 -nodes -subj /CN=pf -days 9 -keyout key -out crt");
        let fingerprint = openssl("x509 -in crt -noout -fingerprint -sha256");
        let read = |name: &str| std::fs::read(directory.path().join(name)).expect("openssl wrote it");
        let fingerprint = fingerprint.rsplit('=').next().unwrap_or_default().to_owned();
        Certificate { pem: read("crt"), key: read("key"), fingerprint }
    }

    /// In PEM form.
    pub fn pem(&self) -> &[u8] {
        &self.pem
    }

    /// Its SHA-256 as openssl prints it.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    pub(super) fn server(&self) -> Arc<ServerConfig> {
        let certificate = CertificateDer::from_pem_slice(&self.pem).expect("openssl's own form");
        let key = PrivateKeyDer::from_pem_slice(&self.key).expect("openssl's own form");
        let provider = ring::default_provider();
        let key = provider.key_provider.load_private_key(key).expect("openssl's own form");
        let pair = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
        let config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .expect("the provider's own versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(pair));
        Arc::new(config)
    }
}
