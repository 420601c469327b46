//! An install directory with a certificate: the files are written there, and the installed HAProxy reads them.

use std::path::{Path, PathBuf};
use std::process::Command;

use pfcluster_core::generate::{DaemonVersion, Dashboard, GenerateError, Rendered, Request};

use crate::haproxy_support::{Files, What, generate, version};

/// An install directory with a certificate.
pub(crate) struct Install {
    directory: tempfile::TempDir,
}

impl Install {
    pub(crate) fn new() -> Install {
        let directory = tempfile::Builder::new().prefix("pf").tempdir().expect("a scratch directory");
        for folder in ["conf/ssl", "var/run", "var/conf"] {
            std::fs::create_dir_all(directory.path().join(folder)).expect("a writable directory");
        }
        let (key, certificate) = (directory.path().join("key.pem"), directory.path().join("certificate.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=portal.example.com"])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .expect("`openssl` must be installed: these tests need a throwaway certificate");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let both = [certificate, key].map(|file| std::fs::read_to_string(file).expect("just written")).concat();
        std::fs::write(directory.path().join("conf/ssl/server.pem"), both).expect("a writable directory");
        Install { directory }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn generate(
        &self,
        what: What,
        files: &Files,
        host: &str,
        text: &str,
        choose: impl FnOnce(&mut Request<'_>),
    ) -> Result<Rendered, GenerateError> {
        generate(what, files, host, version(text), |request| {
            request.options.install_dir = self.path().display().to_string();
            request.options.haproxy = installed();
            choose(request);
        })
    }

    /// Writes the files; the first one's path.
    pub(crate) fn write(&self, rendered: &Rendered) -> PathBuf {
        for file in &rendered.files {
            std::fs::write(self.path().join(file.path), &file.text).expect("a writable directory");
        }
        self.path().join(rendered.files[0].path)
    }

    /// Exit status 0, and nothing to complain about.
    pub(crate) fn check(&self, rendered: &Rendered, what: &str) {
        let said = self.complaints(rendered, what);
        assert!(said.is_empty(), "{what}: {said:?}\n{}", rendered.files[0].text);
    }

    /// Exit status 0; the lines that complain.
    pub(crate) fn complaints(&self, rendered: &Rendered, what: &str) -> Vec<String> {
        let file = self.write(rendered);
        let output = haproxy().arg("-c").arg("-f").arg(&file).output().expect("haproxy runs");
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{what}: {said}\n{}", rendered.files[0].text);
        let complains = |line: &&str| ["[WARNING]", "[ALERT]"].iter().any(|word| line.contains(word));
        said.lines().filter(complains).map(str::to_owned).collect()
    }
}

pub(crate) fn haproxy() -> Command {
    Command::new("haproxy")
}

/// The installed HAProxy's version.
fn installed() -> DaemonVersion {
    let output = haproxy().arg("-v").output().expect("`haproxy` must be installed: these tests ask the real one");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let number = number.unwrap_or_else(|| panic!("no version in {text}"));
    number.split('-').next().unwrap_or_default().parse().unwrap_or_else(|_| panic!("{number} is no version"))
}

pub(crate) fn dashboard(user: &str, password: &str) -> Dashboard {
    Dashboard { user: user.to_owned(), password: password.to_owned() }
}
