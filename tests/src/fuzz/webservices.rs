//! What another member's web services answer, and the paths that decide what is written here. The first line may be the
//! status of HTTP. The same bytes are given to each reader.

use pfcluster_cli::report::conflict::{self, Versions, VersionsFile};
use pfcluster_core::conflict::{ConfigVersion, Policy, resolve};
use pfcluster_core::sync::{
    Answer, AnswerError, Place, SyncPath, content_of, is_done, is_missing_file, listed_files, not_reached, version_of,
};
use pfcluster_testing::clusters::host;

/// The target.
///
/// # Panics
/// If the input breaks the law.
pub fn run(bytes: &[u8]) {
    let (status, body) = status_and_body(bytes);
    match Answer::read(status, body) {
        Ok(answer) => understand(&answer),
        Err(error) => {
            let _ = is_missing_file(&error);
            super::assert_one_line(&error.to_string());
        }
    }
    match listed_files(body) {
        Ok(paths) => paths.iter().for_each(is_inside),
        Err(error) => super::assert_one_line(&error.to_string()),
    }
    match VersionsFile::read(body) {
        Ok(file) => decide(file),
        Err(error) => super::assert_one_line(&error.to_string()),
    }
}

fn status_and_body(bytes: &[u8]) -> (u16, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let status = end.and_then(|end| Some((std::str::from_utf8(&bytes[..end]).ok()?.parse().ok()?, end)));
    status.map_or((200, bytes), |(status, end)| (status, &bytes[end + 1..]))
}

/// What is made of it, whichever call it answers.
pub(super) fn understand(answer: &Answer) {
    fn one_line<T>(read: Result<T, AnswerError>) -> Option<T> {
        read.inspect_err(|error| super::assert_one_line(&error.to_string())).ok()
    }

    let _ = (is_done(answer), one_line(content_of(answer)));
    one_line(not_reached(answer)).into_iter().flatten().for_each(|name| super::assert_one_line(&name));
    if let Some(text) = one_line(version_of(answer)) {
        if let Err(error) = text.parse::<ConfigVersion>() {
            super::assert_one_line(&error.to_string());
        }
        // One that lies among two that do not.
        let own = Some("1510000000.12345".to_owned());
        show(&Versions::new(host(0), None, vec![(host(0), own.clone()), (host(1), Some(text)), (host(2), own)]));
    }
}

/// A file of versions that an operator has.
fn decide(file: VersionsFile) {
    let (me, now) = (file.local.clone(), file.now.clone());
    let members = file.into_members();
    let Some(me) = me.or_else(|| members.first().map(|(host, _)| host.clone())) else { return };
    show(&Versions::new(me, now, members));
}

fn show(versions: &Versions) {
    for policy in [Policy::Guide, Policy::Majority] {
        match resolve(&versions.replies, &versions.me, versions.now.as_ref(), policy) {
            Ok(decision) => {
                super::assert_printable_text_of_json(&conflict::json(&decision));
                let mut text = Vec::new();
                conflict::text(&decision, versions, &mut text).expect("memory");
                super::assert_printable(&String::from_utf8(text).expect("text"));
            }
            Err(error) => super::assert_one_line(&error.to_string()),
        }
    }
}

/// Below one of the two directories, and not where a member keeps what is its own.
fn is_inside(path: &SyncPath) {
    let text = path.as_str();
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?}");
    assert!(text.starts_with(path.place().directory()), "{text:?}");
    assert!([Place::Install, Place::Fingerbank].contains(&path.place()));
    let relative = std::path::Path::new(path.relative());
    let plain = |part| matches!(part, std::path::Component::Normal(_));
    assert!(relative.components().next().is_some() && relative.components().all(plain), "{text:?}");
    assert!(
        !text.starts_with("/usr/local/pf/var/run/") && !text.starts_with("/usr/local/pf/var/pfcluster/"),
        "{text:?}"
    );
}
