//! Generated files as they were reviewed, in testdata/generate: a change of the program shows there, line by line.
//!
//! `REWRITE=1 cargo test -p pfcluster-tests --test core -- generate_mariadb` (or another `generate_…`) writes what the program says
//! now: read the difference before you commit it.

use pfcluster_core::generate::Rendered;

use crate::testdata;

/// The examples that are generated: name, the member whose files are shown, the versions.
pub const EXAMPLES: [(&str, &str, [&str; 3]); 3] = [
    ("guide", "pf2.example.com", ["8", "12", "14"]),
    ("five-members", "nac1.corp.example", ["8", "12", "14"]),
    ("two-zones", "pf1-dc2.example.com", ["8.2", "12", "14"]),
];

/// The reviewed text of testdata/generate/NAME; with `REWRITE=1`, `actual` becomes it. Nothing if there is no such file.
///
/// # Panics
/// If the file can't be written.
pub fn reviewed(name: &str, actual: &str) -> String {
    reviewed_in("generate", name, actual)
}

/// The same in another folder.
///
/// # Panics
/// If the file can't be written.
pub fn reviewed_in(folder: &str, name: &str, actual: &str) -> String {
    let path = testdata().join(folder).join(name);
    if std::env::var_os("REWRITE").is_some() {
        std::fs::write(&path, actual).expect("a writable test file");
    }
    std::fs::read_to_string(&path).unwrap_or_default()
}

/// What `--explain` is made of.
pub fn explained(rendered: &Rendered) -> String {
    let mut out = String::new();
    for deviation in &rendered.deviations {
        out += &format!("original: {}\nhere: {}\nwhy: {}\n\n", deviation.original, deviation.here, deviation.why);
    }
    for notice in &rendered.notices {
        out += &format!("notice: {}\nhelp: {}\n\n", notice.message, notice.help);
    }
    out
}
