//! HAProxy's grammar: what a value must look like to be one word of a line and nothing more.

use std::net::Ipv4Addr;

use super::super::GenerateError;
use crate::cluster::parse_address;
use crate::span::Place;

/// `text` as one word: as it is if nothing in it is special, else in strong quotes, in which only their end is.
///
/// The caller has refused control characters: no quotes hold a line end.
pub(super) fn word(text: &str) -> String {
    let is_plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@' | '+' | ',' | '=');
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Where a value comes from, for the error about it.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) section: &'a str,
    pub(super) key: &'a str,
    pub(super) place: Option<Place>,
}

impl Origin<'_> {
    pub(super) fn unusable(self, reason: impl Into<String>, help: impl Into<String>) -> GenerateError {
        let Origin { section, key, place } = self;
        let (section, key) = (section.to_owned(), key.to_owned());
        GenerateError::Unusable { section, key, place, reason: reason.into(), help: help.into() }
    }
}

/// A DNS name or an address, in lower case.
pub(super) fn host(text: &str, origin: Origin<'_>) -> Result<String, GenerateError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if let Some(bad) = text.chars().find(|&c| !is_allowed(c)) {
        let reason =
            format!("holds `{}`, but a host name has only letters, digits, `.`, `-` and `_`", bad.escape_debug());
        return Err(origin.unusable(reason, "write the name as it stands in the DNS"));
    }
    if text.is_empty() || text.len() > 253 || text.starts_with(['.', '-']) {
        let reason = "is no host name: one has 1 to 253 characters and begins with a letter or digit";
        return Err(origin.unusable(reason, "write the name as it stands in the DNS"));
    }
    Ok(text.to_ascii_lowercase())
}

/// Where a web service of PacketFence listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) host: String,
    pub(super) port: u16,
}

/// The name that PacketFence's containers have for their host, and its fixed address.
const GATEWAY_NAME: &str = "containers-gateway.internal";
pub(super) const GATEWAY: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 1);

impl Service {
    pub(super) fn new(address: Ipv4Addr, port: u16) -> Service {
        Service { host: address.to_string(), port }
    }

    /// Reads `http://HOST:PORT`, the form of `[services_url]`.
    pub(super) fn from_url(url: &str, origin: Origin<'_>) -> Result<Service, GenerateError> {
        let help = "write `http://HOST:PORT`";
        let rest = url.strip_prefix("http://").ok_or_else(|| origin.unusable("is no `http://` address", help))?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (name, port) = rest.split_once(':').unwrap_or((rest, "80"));
        let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|&port| is_number && port > 0);
        let port = port.ok_or_else(|| origin.unusable("has no port from 1 to 65535", help))?;
        let name = host(name, origin)?;
        Ok(Service { host: if name == GATEWAY_NAME { GATEWAY.to_string() } else { name }, port })
    }

    /// A `server` line. A name that the DNS does not know (yet) takes this backend down, not HAProxy.
    pub(super) fn server(&self) -> String {
        let may_be_unknown = if parse_address(&self.host).is_ok() { "" } else { " init-addr last,libc,none" };
        format!("    server service {self}{may_be_unknown}\n")
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin<'static> = Origin { section: "services_url", key: "x", place: None };

    #[test]
    fn words_are_quoted_when_they_must_be() {
        assert_eq!(word("/usr/local/pf"), "/usr/local/pf");
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word("it's"), r"'it'\''s'");
        assert_eq!(word(r#"a\"$HOME#"#), r#"'a\"$HOME#'"#);
        assert_eq!(word(""), "''");
    }

    #[test]
    fn services() {
        let service = |url| Service::from_url(url, ORIGIN).map(|service| service.to_string());
        assert_eq!(service("http://containers-gateway.internal:8888"), Ok("100.64.0.1:8888".to_owned()));
        assert_eq!(service("http://httpd.portal/"), Ok("httpd.portal:80".to_owned()));
        for bad in
            ["https://a:1", "http://", "http://a:0", "http://a:+1", "http://a:65536", "http://a b:1", "http://a:1/x"]
        {
            assert!(service(bad).is_err(), "{bad}");
        }
    }
}
