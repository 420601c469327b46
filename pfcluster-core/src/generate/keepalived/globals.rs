//! `global_defs`: mail, the router's name, and who runs scripts.

use super::super::GenerateError;
use super::super::scene::{Scene, unusable};
use super::blocks::Blocks;
use super::{SCRIPT_SECURITY, Said, TEMPLATE, grammar};
use crate::generate::Deviation;

const SECURITY: Deviation = Deviation {
    original: "neither script security nor a user for scripts is set",
    here: "enable_script_security and script_user root",
    why: "keepalived calls it a security violation otherwise, and which user runs the scripts depends on the system; \
          pfupdate signals processes of root",
};

/// What `global_defs` says.
pub(super) struct Globals {
    addresses: Vec<String>,
    from: String,
    smtp_server: String,
    router_id: String,
    has_script_security: bool,
}

impl Globals {
    pub(super) fn new(scene: &Scene<'_>, said: &mut Said) -> Result<Globals, GenerateError> {
        let host = scene.request.me;
        let globals = Globals {
            addresses: addresses(scene)?,
            from: from(scene)?,
            smtp_server: smtp_server(scene)?,
            router_id: format!("PacketFence-{host}"),
            has_script_security: scene.request.options.keepalived >= SCRIPT_SECURITY,
        };
        // A template has its own global_defs.
        if globals.has_script_security && scene.template(TEMPLATE).is_none() {
            said.deviation(SECURITY);
        }
        if !globals.sends_mail() {
            said.notice(
                "`emailaddr` or `smtpserver` of `[alerting]` is empty: keepalived will not tell when an address moves",
                "set both in pf.conf",
            );
        }
        Ok(globals)
    }

    /// Who is told.
    pub(super) fn addresses(&self) -> &[String] {
        &self.addresses
    }

    pub(super) fn from(&self) -> &str {
        &self.from
    }

    pub(super) fn smtp_server(&self) -> &str {
        &self.smtp_server
    }

    pub(super) fn router_id(&self) -> &str {
        &self.router_id
    }

    /// False if there is nobody to tell, or no server to tell them by.
    pub(super) fn sends_mail(&self) -> bool {
        !self.addresses.is_empty() && !self.smtp_server.is_empty()
    }

    pub(super) fn write(&self, out: &mut Blocks) {
        out.block("global_defs", |out| {
            if self.sends_mail() {
                out.block("notification_email", |out| self.addresses.iter().for_each(|address| out.line(address)));
                out.line(&format!("notification_email_from {}", self.from));
                out.line(&format!("smtp_server {}", self.smtp_server));
                out.line("smtp_connect_timeout 30");
            }
            out.line(&format!("router_id {}", self.router_id));
            if self.has_script_security {
                // Version 3 has no keys: no member would hear the others.
                out.line("vrrp_version 2");
                out.line("enable_script_security");
                out.line("script_user root");
            }
        });
    }
}

fn addresses(scene: &Scene<'_>) -> Result<Vec<String>, GenerateError> {
    let Some(setting) = scene.request.pf_conf.get("alerting", "emailaddr") else { return Ok(Vec::new()) };
    let addresses: Vec<&str> = setting
        .value
        .split(',')
        .map(|address| address.trim_matches([' ', '\t', '\r']))
        .filter(|a| !a.is_empty())
        .collect();
    if addresses.iter().all(|address| grammar::is_mail_address(address)) {
        return Ok(addresses.into_iter().map(str::to_owned).collect());
    }
    let reason = "is no list of mail addresses".to_owned();
    Err(unusable("alerting", setting, reason, "write addresses with commas between".to_owned()))
}

fn from(scene: &Scene<'_>) -> Result<String, GenerateError> {
    let setting = scene.request.pf_conf.get("alerting", "fromaddr");
    let Some((setting, from)) =
        setting.map(|setting| (setting, trimmed(&setting.value))).filter(|(_, from)| !from.is_empty())
    else {
        return Ok(format!("keepalived@{}", scene.request.me));
    };
    if grammar::is_mail_address(from) {
        return Ok(from.to_owned());
    }
    let reason = "is no mail address".to_owned();
    Err(unusable("alerting", setting, reason, "write one address, or leave it out".to_owned()))
}

fn smtp_server(scene: &Scene<'_>) -> Result<String, GenerateError> {
    let Some(setting) = scene.request.pf_conf.get("alerting", "smtpserver") else { return Ok(String::new()) };
    let server = trimmed(&setting.value);
    if server.is_empty() || grammar::is_server(server) {
        return Ok(server.to_owned());
    }
    let reason = "is no name or address of a server".to_owned();
    Err(unusable("alerting", setting, reason, "write the name or the address alone".to_owned()))
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r'])
}
