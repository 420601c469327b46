//! Passwords: known to everybody, cut short, or missing. Rules PFC085 to PFC088. No message holds a password.

use super::{Context, Report, place_in};
use crate::pf_conf::PfConf;
use crate::rule::rules;
use crate::version::PfVersion;

rules! {
    /// The VRRP password is the one that PacketFence ships.
    ///
    /// Whoever knows it can take the virtual addresses from inside these networks (guide 3.6).
    ///
    /// Example: no `password` in `[active_active]` of pf.conf, or `password = 1234`.
    ///
    /// What to do: set another one of at most 8 letters and digits, the same on all members, and restart keepalived on
    /// all of them.
    static DEFAULT_VRRP_PASSWORD = "PFC085" "default-vrrp-password" Warning;

    /// The VRRP password is longer than 8 characters.
    ///
    /// VRRP carries 8; keepalived cuts the rest off, with a warning that fails `keepalived -t`.
    ///
    /// Example: `password = aMuchLongerPassword`
    ///
    /// What to do: use at most 8 letters and digits.
    static LONG_VRRP_PASSWORD = "PFC086" "long-vrrp-password" Warning;

    /// The VRRP password has a character at which keepalived cuts it, silently.
    ///
    /// `#` and `!` begin a comment in keepalived's configuration; a blank ends the word, a quote opens another form.
    ///
    /// Example: `password = ab#cdefg` (keepalived uses `ab`)
    ///
    /// What to do: use letters and digits only.
    static CUT_VRRP_PASSWORD = "PFC087" "cut-vrrp-password" Error;

    /// The web services have no user or no password.
    ///
    /// Members synchronise their configuration through them; without credentials every call is refused (guide 3.5.1).
    /// From version 12 on PacketFence has a fallback.
    ///
    /// Example: no `user` in `[webservices]` of pf.conf.
    ///
    /// What to do: set `user` and `pass` in `[webservices]`.
    static WEBSERVICES_CREDENTIALS_MISSING = "PFC088" "webservices-credentials-missing" Warning;
}

pub(super) fn check(context: &Context<'_>, report: &mut Report) {
    let Some(pf_conf) = context.pf_conf.filter(|_| context.cluster.is_clustered()) else { return };
    vrrp_password(context, pf_conf, report);
    if context.version < PfVersion::new(12, 0) {
        for key in ["user", "pass"] {
            if pf_conf.text("webservices", key).trim().is_empty() {
                let place = place_in(pf_conf, "webservices", key);
                let message = format!("`{key}` of the web services is not set");
                report.at(&WEBSERVICES_CREDENTIALS_MISSING, place, message, "set it in `[webservices]` of pf.conf");
            }
        }
    }
}

/// PFC085 to PFC087.
fn vrrp_password(context: &Context<'_>, pf_conf: &PfConf, report: &mut Report) {
    let password = pf_conf.text("active_active", "password");
    if context.is_template(password) {
        return;
    }
    let place = place_in(pf_conf, "active_active", "password");
    let cuts = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '#' | '!' | '"' | '\'');
    if password == "1234" || password.is_empty() {
        let message = "the VRRP password is the one that PacketFence ships, or none";
        report.at(
            &DEFAULT_VRRP_PASSWORD,
            place,
            message.to_owned(),
            "set another one, the same on all members (guide 3.6)",
        );
    }
    if password.contains(cuts) {
        let message = "the VRRP password has a character at which keepalived cuts it";
        report.at(&CUT_VRRP_PASSWORD, place, message.to_owned(), "use letters and digits only, on all members at once");
    } else if password.len() > 8 {
        let message = "the VRRP password is longer than 8 characters: keepalived uses the first 8";
        report.at(&LONG_VRRP_PASSWORD, place, message.to_owned(), "use at most 8 letters and digits");
    }
}
