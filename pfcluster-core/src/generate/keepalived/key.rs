//! The VRRP key, which all members must read alike.

use super::super::GenerateError;
use super::super::scene::{Scene, unusable};
use super::{QUOTED_WORDS, Said, grammar};
use crate::generate::Deviation;

/// keepalived's limit: the eight bytes of VRRP version 2.
const LENGTH: usize = 8;

const QUOTED: Deviation = Deviation {
    original: "auth_pass is written without quotes",
    here: "it is quoted, and a key that keepalived reads differently with and without quotes is refused",
    why: "# and ! begin a comment and a blank ends the word: such a key is cut without a word of warning",
};
const CUT: Deviation = Deviation {
    original: "a key of more than 8 characters is written in full, and keepalived cuts it with a warning",
    here: "its first 8 characters are written",
    why: "the file passes keepalived's own test, and shows how much of the key counts",
};

/// The value of `auth_pass`.
pub(super) fn auth_pass(scene: &Scene<'_>, said: &mut Said) -> Result<String, GenerateError> {
    let (section, name) = ("active_active", "password");
    let setting = scene.setting(section, name)?;
    // keepalived drops blanks at the end of what PacketFence writes.
    let key = setting.value.trim_end_matches([' ', '\t', '\r']);
    let no = |reason: &str| {
        let help = "choose another key of up to 8 letters and digits; change it on all members and restart keepalived \
                    everywhere before you generate: members with different keys ignore each other";
        Err(unusable(section, setting, reason.to_owned(), help.to_owned()))
    };
    if key.is_empty() {
        return no("is empty");
    }
    if !key.is_ascii() {
        return no("holds a character that is no ASCII: keepalived counts 8 bytes and may cut it in two");
    }
    if !grammar::is_word(key) {
        return no(
            "holds a blank, a quote or one of # ! { } \\, which keepalived reads differently with and without quotes",
        );
    }
    if key == "1234" {
        said.notice(
            "the VRRP key is PacketFence's default, 1234: anybody on the network can take the virtual addresses",
            "set `password` of `[active_active]` in pf.conf on all members, and restart keepalived everywhere",
        );
    }
    if key.len() > LENGTH {
        said.deviation(CUT);
        said.notice(
            "the VRRP key has more than 8 characters: keepalived uses the first 8 only, and only they are written",
            "nothing: members that PacketFence configures use the same 8; or choose a key of 8 characters on all members",
        );
    }
    let key = key.get(..LENGTH).unwrap_or(key);
    if scene.request.options.keepalived < QUOTED_WORDS {
        return Ok(key.to_owned());
    }
    said.deviation(QUOTED);
    Ok(format!("\"{key}\""))
}
