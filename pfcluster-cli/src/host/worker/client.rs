//! MariaDB's protocol, as far as a worker speaks it: it logs in, asks in SQL, and takes texts. `mysql_common` reads and writes
//! the packets. Here each answer has a limit, and no server gets a password: there are logins only that prove it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use mysql_common::constants::CapabilityFlags;
use mysql_common::io::ParseBuf;
use mysql_common::packets::{AuthPlugin, AuthSwitchRequest, ErrPacket, HandshakePacket, HandshakeResponse, SslRequest};
use mysql_common::proto::MySerialize;
use mysql_common::proto::codec::error::PacketCodecError;
use mysql_common::proto::sync_framed::MySyncFramed;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{Failure, LONGEST_ANSWER, Rows};
use crate::host::files::plain;

/// Where PacketFence's databases listen, for clients.
const PORT: u16 = 3306;
/// Commands: the session ends; a statement as text.
const COM_QUIT: u8 = 1;
const COM_QUERY: u8 = 3;
/// No statement of ours has more columns in its answer.
const MOST_COLUMNS: u64 = 16;
/// The longest packet, of either side.
const LONGEST_PACKET: u32 = 1 << 16;
/// `utf8mb4_general_ci`.
const COLLATION: u8 = 45;

/// How often a server may double the 1024 iterations of a proof for `parsec` (PBKDF2 with SHA-512), which the client computes.
/// 2^8 times is more than the 210,000 that OWASP recommends; MariaDB's own connectors take no more than 2^3 times.
const MOST_DOUBLINGS: u8 = 8;

/// A connection, whatever is below.
trait Transport: Read + Write {}

impl<T: Read + Write> Transport for T {}

/// A session with a server.
pub(super) struct Client {
    packets: MySyncFramed<Box<dyn Transport>>,
    /// The connection below all else, for its timeouts.
    socket: OwnedFd,
    capabilities: CapabilityFlags,
}

/// What a server says first.
struct Greeting {
    /// A password is proved with it.
    nonce: Vec<u8>,
    plugin: AuthPlugin<'static>,
    offers_tls: bool,
}

impl Client {
    /// Logs in on a connection to this machine's server. Each step ends within `limit`.
    pub(super) fn log_in(
        connection: impl Read + Write + AsFd + 'static,
        user: &str,
        password: Option<&str>,
        limit: Duration,
    ) -> Result<Client, Failure> {
        let socket = connection.as_fd().try_clone_to_owned().map_err(|error| lost(&error))?;
        let mut client = Client::new(Box::new(connection), socket, limit)?;
        let greeting = client.greeting()?;
        client.prove(user, password, greeting)?;
        Ok(client)
    }

    /// Logs in at an address. With a certificate authority (PEM), nothing is said of the user before the server has proved to be
    /// that address by it.
    pub(super) fn log_in_at(
        address: Ipv4Addr,
        ca: Option<&str>,
        user: &str,
        password: Option<&str>,
        limit: Duration,
    ) -> Result<Client, Failure> {
        let connection = TcpStream::connect_timeout(&SocketAddr::new(address.into(), PORT), limit);
        let connection = connection.map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => Failure::Closed,
            _ => Failure::Silent(plain(&error)),
        })?;
        // A question is one small packet, and waits for its answer.
        connection.set_nodelay(true).map_err(|error| lost(&error))?;
        let Some(ca) = ca else { return Client::log_in(connection, user, password, limit) };
        let socket = connection.as_fd().try_clone_to_owned().map_err(|error| lost(&error))?;
        let mut client = Client::new(Box::new(connection.try_clone().map_err(|error| lost(&error))?), socket, limit)?;
        let greeting = client.greeting()?;
        if !greeting.offers_tls {
            return Err(Failure::Silent("it offers no TLS, and without TLS it gets no password".to_owned()));
        }
        let mut client = client.with_tls(connection, address, ca)?;
        client.prove(user, password, greeting)?;
        Ok(client)
    }

    fn new(connection: Box<dyn Transport>, socket: OwnedFd, limit: Duration) -> Result<Client, Failure> {
        let mut packets = MySyncFramed::new(connection);
        packets.codec_mut().max_allowed_packet = LONGEST_PACKET as usize;
        let client = Client { packets, socket, capabilities: CapabilityFlags::empty() };
        client.limit(limit)?;
        Ok(client)
    }

    /// From now on, each read and write ends within this time.
    pub(super) fn limit(&self, limit: Duration) -> Result<(), Failure> {
        for which in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(&self.socket, which, Some(limit)).map_err(|error| lost(&error.into()))?;
        }
        Ok(())
    }

    fn greeting(&mut self) -> Result<Greeting, Failure> {
        let packet = self.receive()?;
        let greeting: HandshakePacket<'_> = ParseBuf(&packet).parse(()).map_err(|_| not_understood())?;
        let needed = CapabilityFlags::CLIENT_PROTOCOL_41
            | CapabilityFlags::CLIENT_SECURE_CONNECTION
            | CapabilityFlags::CLIENT_PLUGIN_AUTH;
        if greeting.protocol_version() != 10 || !greeting.capabilities().contains(needed) {
            return Err(not_understood());
        }
        // Nothing else of what it can do is wanted, least of all that it asks for files.
        self.capabilities = needed | CapabilityFlags::CLIENT_LONG_PASSWORD;
        let plugin = match greeting.auth_plugin() {
            Some(AuthPlugin::CachingSha2Password) => AuthPlugin::CachingSha2Password,
            _ => AuthPlugin::MysqlNativePassword,
        };
        let offers_tls = greeting.capabilities().contains(CapabilityFlags::CLIENT_SSL);
        Ok(Greeting { nonce: greeting.nonce(), plugin, offers_tls })
    }

    /// Goes on with TLS, or not at all.
    fn with_tls(mut self, connection: TcpStream, address: Ipv4Addr, ca: &str) -> Result<Client, Failure> {
        self.capabilities |= CapabilityFlags::CLIENT_SSL;
        let mut request = Vec::new();
        SslRequest::new(self.capabilities, LONGEST_PACKET, COLLATION).serialize(&mut request);
        self.send(&request)?;
        let (early, out, codec, _) = self.packets.destruct();
        if !early.is_empty() {
            // It would be taken for something that was said within TLS.
            return Err(not_understood());
        }
        let mut tls = StreamOwned::new(tls(address, ca).map_err(Failure::Silent)?, connection);
        while tls.conn.is_handshaking() {
            tls.conn.complete_io(&mut tls.sock).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => Failure::Silent(format!("its certificate: {}", plain(&error))),
                _ => lost(&error),
            })?;
        }
        let packets = MySyncFramed::construct(early, out, codec, Box::new(tls) as Box<dyn Transport>);
        Ok(Client { packets, socket: self.socket, capabilities: self.capabilities })
    }

    /// Proves that the password is known, without giving it away.
    fn prove(&mut self, user: &str, password: Option<&str>, greeting: Greeting) -> Result<(), Failure> {
        let Greeting { mut nonce, mut plugin, .. } = greeting;
        let proof = plugin.gen_data(password, &nonce).map(|proof| proof.to_vec());
        let (user, database) = (Some(user.as_bytes()), None::<&[u8]>);
        let (name, capabilities) = (Some(plugin.clone()), self.capabilities);
        let mut login = Vec::new();
        // Each server of today takes this collation.
        HandshakeResponse::new(proof, (10, 0, 0), user, database, name, capabilities, None, LONGEST_PACKET)
            .serialize(&mut login);
        self.send(&login)?;
        let (mut is_switched, mut is_continued) = (false, false);
        loop {
            let packet = self.receive()?;
            match (&packet[..], &mut plugin) {
                ([0, ..], _) => return Ok(()),
                ([0xfe, _, ..], _) if !is_switched => {
                    let request: AuthSwitchRequest<'_> = ParseBuf(&packet).parse(()).map_err(|_| not_understood())?;
                    is_switched = true;
                    nonce = request.plugin_data().to_vec();
                    plugin = request.auth_plugin().into_owned();
                    let proof = match &plugin {
                        AuthPlugin::MysqlNativePassword | AuthPlugin::CachingSha2Password | AuthPlugin::Ed25519 => {
                            plugin.gen_data(password, &nonce).map(|proof| proof.to_vec()).unwrap_or_default()
                        }
                        // The server sends a salt first.
                        AuthPlugin::MariadbParsec { .. } => Vec::new(),
                        AuthPlugin::MysqlClearPassword => return Err(wants_password()),
                        AuthPlugin::Other(name) if &name[..] == b"dialog" => return Err(wants_password()),
                        AuthPlugin::MysqlOldPassword | AuthPlugin::Other(_) => return Err(unknown_login(&plugin)),
                    };
                    self.send(&proof)?;
                }
                // It has the password's hash from before, and is content.
                ([1, 3], AuthPlugin::CachingSha2Password) if !is_continued => is_continued = true,
                ([1, 4], AuthPlugin::CachingSha2Password) => return Err(wants_password()),
                (salt, AuthPlugin::MariadbParsec { .. }) if !is_continued => {
                    is_continued = true;
                    let salt = salt.strip_prefix(&[1]).unwrap_or(salt);
                    if matches!(salt, [b'P', doublings, ..] if *doublings > MOST_DOUBLINGS) {
                        return Err(too_costly());
                    }
                    plugin.read_add_data(salt).ok_or_else(not_understood)?;
                    let proof = plugin.gen_data(password, &nonce).ok_or_else(not_understood)?.to_vec();
                    self.send(&proof)?;
                }
                _ => return Err(not_understood()),
            }
        }
    }

    /// The rows that a statement answers; none for one that has no answer.
    pub(super) fn ask(&mut self, statement: &str) -> Result<Rows, Failure> {
        self.packets.codec_mut().reset_seq_id();
        self.send(&[&[COM_QUERY][..], statement.as_bytes()].concat())?;
        let head = self.receive()?;
        let columns = match head.first() {
            Some(0) => return Ok(Rows::new()),
            // It asks for a file.
            None | Some(0xfb) => return Err(not_understood()),
            Some(_) => ParseBuf(&head).checked_eat_lenenc_int().filter(|columns| *columns <= MOST_COLUMNS),
        };
        let columns = columns.ok_or_else(not_understood)?;
        for _ in 0..columns {
            self.receive()?;
        }
        if !is_end(&self.receive()?) {
            return Err(not_understood());
        }
        let (mut rows, mut length) = (Rows::new(), 0);
        loop {
            let packet = self.receive()?;
            if is_end(&packet) {
                return Ok(rows);
            }
            length += packet.len();
            if length > LONGEST_ANSWER {
                return Err(super::too_long());
            }
            let mut packet = ParseBuf(&packet);
            let row = (0..columns).map(|_| value(&mut packet)).collect::<Option<Vec<_>>>();
            rows.push(row.filter(|_| packet.is_empty()).ok_or_else(not_understood)?);
        }
    }

    /// Takes leave, so that the server logs no aborted connection.
    pub(super) fn quit(mut self) {
        self.packets.codec_mut().reset_seq_id();
        // One that is gone need not be told.
        let _ = self.send(&[COM_QUIT]);
    }

    fn send(&mut self, packet: &[u8]) -> Result<(), Failure> {
        self.packets.send(&mut &*packet).map_err(broken)
    }

    /// The next packet; never one with an error.
    fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        let mut packet = Vec::new();
        if !self.packets.next_packet(&mut packet).map_err(broken)? {
            return Err(has_ended());
        }
        if packet.first() != Some(&0xff) {
            return Ok(packet);
        }
        match ParseBuf(&packet).parse(self.capabilities) {
            Ok(ErrPacket::Error(error)) => {
                Err(Failure::Refused { code: error.error_code(), message: error.message_str().into_owned() })
            }
            Ok(ErrPacket::Progress(_)) | Err(_) => Err(not_understood()),
        }
    }
}

/// Behind the columns, and behind the rows.
fn is_end(packet: &[u8]) -> bool {
    packet.first() == Some(&0xfe) && packet.len() < 9
}

/// `None` if the packet ends before it.
#[expect(clippy::option_option, reason = "a NULL is a value")]
fn value(packet: &mut ParseBuf<'_>) -> Option<Option<String>> {
    if packet.0.first() == Some(&0xfb) {
        packet.skip(1);
        return Some(None);
    }
    packet.checked_eat_lenenc_str().map(|text| Some(String::from_utf8_lossy(text).into_owned()))
}

/// TLS to the server of this address: only what this authority has issued for the address is accepted.
fn tls(address: Ipv4Addr, ca: &str) -> Result<ClientConnection, String> {
    let roots = authorities(ca)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::IpAddress(address.into());
    ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())
}

/// The certificates of a file; an error says what is wrong with it.
pub(in crate::host) fn authorities(ca: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        let certificate =
            certificate.map_err(|_| "it holds something else than certificates in PEM form".to_owned())?;
        roots.add(certificate).map_err(|error| format!("it holds a certificate that can't be used: {error}"))?;
    }
    if roots.is_empty() { Err("it holds no certificate in PEM form".to_owned()) } else { Ok(roots) }
}

fn broken(error: PacketCodecError) -> Failure {
    match error {
        // The connection ended within a packet.
        PacketCodecError::Io(error) if error.kind() == io::ErrorKind::Other => has_ended(),
        PacketCodecError::Io(error) => lost(&error),
        PacketCodecError::PacketTooLarge => super::too_long(),
        PacketCodecError::PacketsOutOfSync | PacketCodecError::BadCompressedPacketHeader => not_understood(),
    }
}

/// Of a connection.
fn lost(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Failure::Silent("it does not answer in time".to_owned()),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => has_ended(),
        _ => Failure::Lost(plain(error)),
    }
}

fn has_ended() -> Failure {
    Failure::Lost("it has ended the connection".to_owned())
}

pub(super) fn not_understood() -> Failure {
    Failure::Lost("what it sends can't be understood".to_owned())
}

/// Of `caching_sha2_password` in full, `mysql_clear_password` and `dialog`.
fn wants_password() -> Failure {
    Failure::Silent("it asks for the password itself, and does not get it".to_owned())
}

fn too_costly() -> Failure {
    let most = 1024_u32 << MOST_DOUBLINGS;
    Failure::Silent(format!("it asks for a login (`parsec`) with more than {most} iterations"))
}

fn unknown_login(plugin: &AuthPlugin<'_>) -> Failure {
    Failure::Silent(format!(
        "it asks for a login that is not known here, `{}`",
        String::from_utf8_lossy(plugin.as_bytes())
    ))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::Shutdown;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::{Client, Failure, has_ended, too_costly};

    /// The login at a server that wants `parsec`, and ends the connection once its salt is sent.
    fn log_in_with_parsec(doublings: u8) -> Failure {
        let greeting = [
            b"\n11.8.2-MariaDB\0\x07\0\0\0AAAAAAAA\0\xff\xf7\x21\x02\0\x0b\0\x15".as_slice(),
            &[0; 10],
            b"AAAAAAAAAAAA\0mysql_native_password\0",
        ];
        let switch = [b"\xfeparsec\0".as_slice(), &[b'B'; 32]];
        let salt = [&[1, b'P', doublings], [b'C'; 18].as_slice()];
        let (mut server, client) = UnixStream::pair().expect("two sockets");
        for (number, packet) in [(0, greeting.concat()), (2, switch.concat()), (4, salt.concat())] {
            let length = u8::try_from(packet.len()).expect("a short packet");
            server.write_all(&[length, 0, 0, number]).and_then(|()| server.write_all(&packet)).expect("our own socket");
        }
        server.shutdown(Shutdown::Write).expect("our own socket");
        let logged_in = Client::log_in(client, "pfcluster", Some("aPassword"), Duration::from_secs(60));
        logged_in.err().expect("no login is confirmed")
    }

    #[test]
    fn a_server_does_not_keep_the_client_computing() {
        for doublings in [9, 20, 255] {
            assert_eq!(log_in_with_parsec(doublings), too_costly());
        }
        // What MariaDB's own connectors take is computed.
        assert_eq!(log_in_with_parsec(3), has_ended());
    }
}
