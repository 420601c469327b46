//! PacketFence's own scheduled check, as far as it must be off before another one is on.

use crate::cluster::toggle;
use crate::document::Document;
use crate::pf_conf::seconds;
use crate::span::Source;
use crate::version::PfVersion;

/// The file that turns PacketFence's scheduled tasks on and off, below the install directory. PacketFence's defaults are
/// beside it, with `.defaults` behind the name.
pub fn task_file(version: PfVersion) -> &'static str {
    if version >= PfVersion::new(10, 2) { "conf/pfcron.conf" } else { "conf/pfmon.conf" }
}

/// True unless `[cluster_check]` turns the check off, by `status` or (before 10.2) by an `interval` of 0. It is on by default.
///
/// `texts`: the task file and its defaults, as far as they are there; what the first says counts.
pub fn checks_itself(texts: &[&[u8]]) -> bool {
    let documents: Vec<Document<'_>> = texts.iter().map(|text| Document::parse(Source::PfConf, text).value).collect();
    let value = |key: &[u8]| {
        let entry = |document| Document::section(document, b"cluster_check")?.get(key);
        let value = documents.iter().find_map(entry)?.single()?;
        Some(String::from_utf8_lossy(&value).into_owned())
    };
    let is_off = value(b"status").is_some_and(|status| toggle(&status) == Some(false));
    let is_never = value(b"interval").is_some_and(|interval| seconds(&interval) == Some(0));
    !is_off && !is_never
}
