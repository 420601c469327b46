//! Names and addresses of a cluster, parsed once and trusted from then on.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::sync::Arc;

use crate::form::as_text;

/// A member's host name, exactly as `hostname` prints it there. PacketFence compares it letter for letter. Copies are
/// cheap: decisions name members again and again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hostname(Arc<str>);

impl Hostname {
    /// The longest host name, in characters (a DNS name's limit).
    pub const MAX: usize = 253;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no [`Hostname`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostnameError {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// More than [`Hostname::MAX`] characters.
    #[error("it is longer than {} characters", Hostname::MAX)]
    TooLong,
    /// It begins with `.` or `-`.
    #[error("it begins with `{0}`")]
    Start(char),
    /// A character that no host name has.
    #[error("it holds `{}`, but a host name has only letters, digits, `.`, `-` and `_`", .0.escape_debug())]
    Character(char),
}

impl FromStr for Hostname {
    type Err = HostnameError;

    fn from_str(text: &str) -> Result<Self, HostnameError> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        match text.chars().next() {
            None => Err(HostnameError::Empty),
            Some(first @ ('.' | '-')) => Err(HostnameError::Start(first)),
            Some(_) => match text.chars().find(|&c| !is_allowed(c)) {
                Some(bad) => Err(HostnameError::Character(bad)),
                None if text.len() > Self::MAX => Err(HostnameError::TooLong),
                None => Ok(Hostname(text.into())),
            },
        }
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

as_text!(Hostname);

impl std::borrow::Borrow<str> for Hostname {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A zone of a multi-zone cluster. PacketFence finds zones by letters and digits only (`DC1`, never `dc-1`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneName(Box<str>);

impl ZoneName {
    /// PacketFence's name for the only zone of a single-zone cluster.
    pub const DEFAULT: &'static str = "DEFAULT";

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no [`ZoneName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a zone's name has only letters and digits")]
pub struct ZoneNameError;

impl FromStr for ZoneName {
    type Err = ZoneNameError;

    fn from_str(text: &str) -> Result<Self, ZoneNameError> {
        let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if fits { Ok(ZoneName(text.into())) } else { Err(ZoneNameError) }
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A network interface of a server, such as `eth0` or `eth1.2`. At most 15 bytes (the kernel's limit), so it is kept
/// without allocation: clusters name the same few interfaces over and over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName {
    bytes: [u8; InterfaceName::MAX],
    length: u8,
}

impl InterfaceName {
    /// The longest name, in bytes (the kernel's `IFNAMSIZ` less one).
    pub const MAX: usize = 15;

    /// The name.
    pub fn as_str(&self) -> &str {
        // Only ASCII is let in.
        std::str::from_utf8(&self.bytes[..self.length as usize]).unwrap_or_default()
    }

    /// The name of the device without an alias: `eth0` for `eth0:1`.
    #[must_use]
    pub fn device(self) -> InterfaceName {
        let device = self.as_str().split(':').next().unwrap_or_default();
        device.parse().unwrap_or(self)
    }
}

/// Why a text is no [`InterfaceName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InterfaceNameError {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// More than [`InterfaceName::MAX`] bytes.
    #[error("it is longer than {} characters, the kernel's limit", InterfaceName::MAX)]
    TooLong,
    /// A character that the kernel or a configuration file would not take.
    #[error("it holds `{}`", .0.escape_debug())]
    Character(char),
}

impl FromStr for InterfaceName {
    type Err = InterfaceNameError;

    fn from_str(text: &str) -> Result<Self, InterfaceNameError> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '@');
        if let Some(bad) = text.chars().find(|&c| !is_allowed(c)) {
            return Err(InterfaceNameError::Character(bad));
        }
        if text.is_empty() {
            return Err(InterfaceNameError::Empty);
        }
        let mut bytes = [0; Self::MAX];
        bytes.get_mut(..text.len()).ok_or(InterfaceNameError::TooLong)?.copy_from_slice(text.as_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "at most 15")]
        Ok(InterfaceName { bytes, length: text.len() as u8 })
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

as_text!(InterfaceName);

impl fmt::Debug for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InterfaceName({:?})", self.as_str())
    }
}

/// Why a text is no IPv4 address that a server could have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not four numbers with dots between.
    #[error("an address is four numbers with dots between")]
    Form,
    /// A number above 255. PacketFence's own test lets it pass.
    #[error("the numbers of an address go from 0 to 255 (PacketFence's own test does not notice)")]
    Range,
    /// A number with a leading zero, which some programs read as octal.
    #[error("a number has a leading zero, which some programs read as octal")]
    LeadingZero,
    /// `0.0.0.0`.
    #[error("0.0.0.0 is no address of a server")]
    Unspecified,
}

/// Reads an IPv4 address, strictly: PacketFence's own test takes `999.1.1.1` and `01.2.3.4` for addresses.
///
/// # Errors
/// [`AddressError`] says which part of the form it breaks.
pub fn parse_address(text: &str) -> Result<Ipv4Addr, AddressError> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return if address.is_unspecified() { Err(AddressError::Unspecified) } else { Ok(address) };
    }
    let groups: Vec<&str> = text.split('.').collect();
    let is_number = |group: &&str| (1..=3).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_digit());
    if groups.len() != 4 || !groups.iter().all(is_number) {
        Err(AddressError::Form)
    } else if groups.iter().any(|group| group.parse::<u16>().is_ok_and(|number| number > 255)) {
        Err(AddressError::Range)
    } else {
        Err(AddressError::LeadingZero)
    }
}

/// A subnet mask such as 255.255.255.0, as the number of its leading one bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Netmask(u32);

impl Netmask {
    /// The number of leading one bits, 0 to 32.
    pub fn prefix_length(self) -> u32 {
        self.0.leading_ones()
    }

    /// The first address of the subnet that `address` is in.
    pub fn network(self, address: Ipv4Addr) -> Ipv4Addr {
        Ipv4Addr::from_bits(address.to_bits() & self.0)
    }

    /// The last address of the subnet that `address` is in.
    pub fn broadcast(self, address: Ipv4Addr) -> Ipv4Addr {
        Ipv4Addr::from_bits(address.to_bits() | !self.0)
    }
}

/// Why a text is no [`Netmask`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a mask is written like 255.255.255.0: ones, then zeros")]
pub struct NetmaskError;

impl FromStr for Netmask {
    type Err = NetmaskError;

    fn from_str(text: &str) -> Result<Self, NetmaskError> {
        let bits = text.parse::<Ipv4Addr>().map_err(|_| NetmaskError)?.to_bits();
        if bits.leading_ones() + bits.trailing_zeros() == 32 { Ok(Netmask(bits)) } else { Err(NetmaskError) }
    }
}

impl fmt::Display for Netmask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ipv4Addr::from_bits(self.0).fmt(f)
    }
}

/// PacketFence's reading of a toggle. Anything but these words is neither on nor off.
pub fn toggle(text: &str) -> Option<bool> {
    let text = text.trim_matches([' ', '\t']);
    let is_one_of = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(&["y", "yes", "true", "enable", "enabled", "1"]) {
        Some(true)
    } else if is_one_of(&["n", "no", "false", "disable", "disabled", "0"]) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names() {
        assert!("pf1.example.com".parse::<Hostname>().is_ok());
        assert!("PF_1-a".parse::<Hostname>().is_ok());
        assert_eq!("".parse::<Hostname>(), Err(HostnameError::Empty));
        assert_eq!("-pf".parse::<Hostname>(), Err(HostnameError::Start('-')));
        assert_eq!("../etc".parse::<Hostname>(), Err(HostnameError::Start('.')));
        assert_eq!("pf/1".parse::<Hostname>(), Err(HostnameError::Character('/')));
        assert!("a".repeat(253).parse::<Hostname>().is_ok());
        assert_eq!("a".repeat(254).parse::<Hostname>(), Err(HostnameError::TooLong));
    }

    #[test]
    fn interface_names() {
        assert_eq!("eth0:1".parse::<InterfaceName>().map(|name| name.device().to_string()), Ok("eth0".to_string()));
        assert!("abcdefghijklmno".parse::<InterfaceName>().is_ok());
        assert_eq!("abcdefghijklmnop".parse::<InterfaceName>(), Err(InterfaceNameError::TooLong));
        assert_eq!("eth 0".parse::<InterfaceName>(), Err(InterfaceNameError::Character(' ')));
        assert_eq!("".parse::<InterfaceName>(), Err(InterfaceNameError::Empty));
    }

    #[test]
    fn addresses_are_read_strictly() {
        assert_eq!(parse_address("192.168.1.5"), Ok(Ipv4Addr::new(192, 168, 1, 5)));
        assert_eq!(parse_address("999.168.1.5"), Err(AddressError::Range));
        assert_eq!(parse_address("192.168.01.5"), Err(AddressError::LeadingZero));
        assert_eq!(parse_address("0.0.0.0"), Err(AddressError::Unspecified));
        assert_eq!(parse_address("192.168.1"), Err(AddressError::Form));
        assert_eq!(parse_address("192.168.1.5 # x"), Err(AddressError::Form));
        assert_eq!(parse_address("192.168.1.1111"), Err(AddressError::Form));
    }

    #[test]
    fn masks() {
        assert_eq!("255.255.255.0".parse::<Netmask>().map(Netmask::prefix_length), Ok(24));
        assert_eq!("255.255.255.255".parse::<Netmask>().map(Netmask::prefix_length), Ok(32));
        assert_eq!("255.0.255.0".parse::<Netmask>(), Err(NetmaskError));
        assert_eq!("0.0.0.0".parse::<Netmask>().map(Netmask::prefix_length), Ok(0));
        assert_eq!("/24".parse::<Netmask>(), Err(NetmaskError));
    }
}
