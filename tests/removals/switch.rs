
/// True if the removal of this name is on. This file is part of the copy only.
pub fn removed(id: &str) -> bool {
    static ON: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    ON.get_or_init(|| std::env::var("REMOVED").unwrap_or_default()) == id
}

/// The same members, whose supervisors have not written this down.
pub fn without(seen: &[galera::Seen], forget: fn(&mut galera::Records)) -> Vec<galera::Seen> {
    let mut seen = seen.to_vec();
    for one in &mut seen {
        if let galera::Observation::Known(evidence) = &mut one.observation
            && let Some(files) = &mut evidence.files
        {
            forget(&mut files.records);
        }
    }
    seen
}
