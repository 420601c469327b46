//! How members are asked: with which user and password, and which certificates are accepted.

use std::ffi::OsString;
use std::io::BufRead as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use pfcluster_core::pf_conf::PfConf;
use pfcluster_core::version::PfVersion;

use crate::host::sync::{FINGERPRINT_COMMAND, Met, Peer, SyncError};
use crate::host::webservices::{Credentials, Fingerprint, Pins, Trust, port};
use crate::host::{HostError, Root, files, terminal};
use crate::output::{CommandError, Printer};

/// The environment variable of the password.
const PASSWORD_VARIABLE: &str = "PFCLUSTER_API_PASSWORD";

/// How members are asked.
#[derive(Debug, Args)]
pub(super) struct Connection {
    /// User of the web services [default: that of pf.conf, `[webservices] user`]
    #[arg(long, global = true, value_name = "USER")]
    api_user: Option<String>,
    /// File with the user's password on its first line (environment: `PFCLUSTER_API_PASSWORD`) [default: that of pf.conf]
    #[arg(long, global = true, value_name = "FILE")]
    api_password_file: Option<PathBuf>,
    /// PacketFence's own option, which is refused
    #[arg(long, global = true, value_name = "PASSWORD", hide = true)]
    api_password: Option<OsString>,
    /// Accept the certificate with this fingerprint; may be given several times
    #[arg(long = "fingerprint", global = true, value_name = "SHA256")]
    fingerprints: Vec<Fingerprint>,
    /// Accept every certificate: no protection against a man in the middle, who gets the password
    #[arg(long, global = true, conflicts_with = "fingerprints")]
    insecure: bool,
}

/// What is needed to ask a member.
#[derive(Debug)]
pub(super) struct Access {
    credentials: Credentials,
    trust: Trust,
    port: u16,
    remembers: bool,
}

impl Connection {
    /// What the command line says, and where it says nothing, this installation.
    pub(super) fn access(
        &self,
        root: &Root,
        pf_conf: Option<&PfConf>,
        version: PfVersion,
        printer: &mut Printer<'_>,
    ) -> Result<Access, CommandError> {
        let mut trust = Trust::of_host(root)?;
        self.fingerprints.iter().for_each(|fingerprint| trust.accept(*fingerprint));
        if self.insecure {
            trust.accept_everything();
            writeln!(printer.err, "warning: `--insecure`: it is not checked who answers, and who gets the password")?;
        }
        let credentials = self.credentials(root, pf_conf, version, printer)?;
        Ok(Access { credentials, trust, port: port(pf_conf)?, remembers: !self.insecure })
    }

    fn credentials(
        &self,
        root: &Root,
        pf_conf: Option<&PfConf>,
        version: PfVersion,
        printer: &mut Printer<'_>,
    ) -> Result<Credentials, CommandError> {
        let of_members = pf_conf.map(|pf_conf| Credentials::of_members(root, pf_conf, version)).transpose()?.flatten();
        let password = self.password()?;
        let user = self.api_user.clone().or_else(|| Some(of_members.as_ref()?.user().to_owned()));
        match (user, password, of_members) {
            (Some(user), Some(password), _) => Ok(Credentials::new(user, password)),
            // The user is the one of pf.conf, so is the password.
            (Some(user), None, Some(known)) if user == known.user() => Ok(known),
            (Some(user), None, _) if terminal::has_person() => {
                let password = ask_password(&user, printer)?;
                Ok(Credentials::new(user, password))
            }
            (Some(user), None, _) => Err(CommandError::Usage {
                message: format!("the password of the web services' user `{}` is missing", user.escape_debug()),
                help: format!("name a file that holds it with `--api-password-file`, or set {PASSWORD_VARIABLE}"),
            }),
            (None, ..) => Err(CommandError::Usage {
                message: "the web services' user is missing: pf.conf has none".to_owned(),
                help: "set `user` and `pass` in `[webservices]` of pf.conf, or give `--api-user` and \
                       `--api-password-file`"
                    .to_owned(),
            }),
        }
    }

    fn password(&self) -> Result<Option<String>, CommandError> {
        if self.api_password.is_some() {
            return Err(CommandError::Usage {
                message: "`--api-password` is refused: all users of this machine see what is on a command line"
                    .to_owned(),
                help: format!(
                    "name a file that holds the password with `--api-password-file`, or set {PASSWORD_VARIABLE}; and change this one"
                ),
            });
        }
        if let Some(path) = &self.api_password_file {
            let line = files::read_at_most(path, files::LONGEST_SECRET)?
                .lines()
                .next()
                .and_then(Result::ok)
                .unwrap_or_default();
            return match line.trim_end_matches('\r') {
                "" => Err(CommandError::Host(HostError::Content {
                    path: path.clone(),
                    reason: "its first line is empty".to_owned(),
                    help: "write the password on the first line".to_owned(),
                })),
                password => Ok(Some(password.to_owned())),
            };
        }
        Ok(std::env::var(PASSWORD_VARIABLE).ok().filter(|password| !password.is_empty()))
    }
}

/// The members' web services as this installation itself asks them, with nobody there to answer questions; `None` if it has no
/// user and password for them.
pub(super) fn of_installation(
    root: &Root,
    pf_conf: &PfConf,
    version: PfVersion,
) -> Result<Option<Access>, CommandError> {
    let Some(credentials) = Credentials::of_members(root, pf_conf, version)? else { return Ok(None) };
    let trust = Trust::of_host(root)?;
    Ok(Some(Access { credentials, trust, port: port(Some(pf_conf))?, remembers: false }))
}

fn ask_password(user: &str, printer: &mut Printer<'_>) -> Result<String, CommandError> {
    write!(printer.err, "Password of the web services' user {}: ", user.escape_debug())?;
    printer.err.flush()?;
    let line = terminal::without_echo(|| read_line(printer))??;
    writeln!(printer.err)?;
    Ok(line)
}

/// One line, as a person types it.
fn read_line(printer: &mut Printer<'_>) -> std::io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while printer.stdin.read(&mut byte)? == 1 && byte != *b"\n" {
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned())
}

/// Asks a person; anything but `yes` is no.
pub(super) fn confirmed(question: &str, printer: &mut Printer<'_>) -> Result<bool, CommandError> {
    write!(printer.err, "{question} [yes/no] ")?;
    printer.err.flush()?;
    Ok(read_line(printer)?.trim() == "yes")
}

impl Access {
    /// A member that can be asked.
    pub(super) fn peer(&self, name: String, address: Ipv4Addr) -> Peer {
        Peer::new(name, address, self.port, &self.credentials, &self.trust)
    }

    /// Asks all of them for their versions, side by side. A certificate that is not known is asked about on a terminal, and
    /// ends it elsewhere.
    pub(super) fn meet(
        &mut self,
        members: &[(String, Ipv4Addr)],
        limit: Duration,
        printer: &mut Printer<'_>,
    ) -> Result<Met, CommandError> {
        loop {
            let peers: Vec<Peer> = members.iter().map(|(name, address)| self.peer(name.clone(), *address)).collect();
            let met = Met::ask(peers, limit);
            match met.all_known() {
                Err(error @ SyncError::Certificate { .. }) => self.introduce(error, printer)?,
                Err(error) => return Err(error.into()),
                Ok(()) => return Ok(met),
            }
        }
    }

    /// A certificate that is not known: a person may.
    fn introduce(&mut self, stranger: SyncError, printer: &mut Printer<'_>) -> Result<(), CommandError> {
        if let SyncError::Certificate { name, address, fingerprint } = &stranger
            && terminal::has_person()
        {
            writeln!(
                printer.err,
                "{name} ({address}) shows a certificate that is not known here:\n\n  {fingerprint}\n"
            )?;
            writeln!(printer.err, "Compare it with what this prints on {name}:\n\n  {FINGERPRINT_COMMAND}\n")?;
            if confirmed("Is it the same?", printer)? {
                self.trust.accept(*fingerprint);
                return Ok(());
            }
        }
        Err(stranger.into())
    }

    /// Remembers the certificates of members with which all went well.
    pub(super) fn remember<'p>(
        &self,
        root: &Root,
        peers: impl IntoIterator<Item = &'p Peer>,
    ) -> Result<(), CommandError> {
        if !self.remembers {
            return Ok(());
        }
        let seen = peers.into_iter().filter_map(|peer| Some((peer.address, peer.fingerprint()?)));
        Ok(Pins::remember(root, seen)?)
    }
}
