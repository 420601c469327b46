//! `drill` through the program: its JSON fits the schema, its page is a page and says what the text says.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use pfcluster_tests::program::{examples, run};
use pfcluster_tests::schema::assert_fits;
use roxmltree::{Document, ParsingOptions};
use serde_json::Value;

/// An example with everything that can be rehearsed on it.
const DAYS: [(&str, &[&[&str]]); 3] = [
    (
        "guide",
        &[
            &["power-cut"],
            &["graceful-shutdown", "--order", "pf3,pf1,pf2"],
            &["lose", "pf2"],
            &["lose", "pf1,pf2"],
            &["partition", "pf1/pf2,pf3"],
            &["upgrade"],
            &["split-brain"],
            &["random", "--seed", "3", "--beside", "packetfence"],
        ],
    ),
    ("five-members", &[&["power-cut", "--flush", "0"], &["partition", "nac1,nac2/nac3/nac4,nac5"], &["random"]]),
    ("two-zones", &[&["lose", "pf1-dc2,pf2-dc2"], &["upgrade"], &["random", "--seed", "18446744073709551615"]]),
];

fn drill(directory: &Path, example: &str, arguments: &[&str]) -> Output {
    let conf = |name: &str| examples().join(example).join(name).to_string_lossy().into_owned();
    let (cluster_conf, pf_conf) = (conf("cluster.conf"), conf("pf.conf"));
    let mut all = vec!["drill"];
    all.extend(arguments);
    all.extend(["--cluster-conf", &cluster_conf, "--pf-conf", &pf_conf]);
    run(directory, &all, b"", &[])
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn documents_fit_the_schema_and_are_the_same_each_time() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    for (example, days) in DAYS {
        for arguments in days {
            let arguments = [arguments, &["--format", "json"][..]].concat();
            let output = drill(directory.path(), example, &arguments);
            let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            assert_fits("drill.json", &document);
            let is_fine = document["day"]["end"] == "fine";
            assert_eq!(output.status.code(), Some(i32::from(!is_fine)), "{example} {arguments:?}");
            assert_eq!(document["day"]["commits"]["lost"], 0, "{example} {arguments:?}");
            assert_eq!(document["day"]["breach"], Value::Null, "{example} {arguments:?}");
            assert_eq!(output.stdout, drill(directory.path(), example, &arguments).stdout, "{example} {arguments:?}");
        }
    }
    let list = run(directory.path(), &["drill", "--format", "json"], b"", &[]);
    assert_fits("drill.json", &serde_json::from_slice(&list.stdout).expect("JSON"));
}

#[test]
fn another_seed_is_another_day() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let of = |seed: &str| drill(directory.path(), "guide", &["random", "--seed", seed]).stdout;
    assert_ne!(of("1"), of("2"));
}

/// All that a person reads in the page, with one blank between words.
fn words(page: &str) -> String {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(page, options).expect("a well-formed page");
    let is_read =
        |node: &roxmltree::Node<'_, '_>| node.is_text() && !node.ancestors().any(|above| above.has_tag_name("style"));
    let texts: Vec<&str> = document.descendants().filter(is_read).filter_map(|node| node.text()).collect();
    texts.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_page_needs_nothing_beside_it_and_says_what_the_text_says() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    for (example, days) in DAYS {
        for arguments in days {
            let with_page = [arguments, &["--html", "day.html"][..]].concat();
            let output = drill(directory.path(), example, &with_page);
            assert!([Some(0), Some(1)].contains(&output.status.code()), "{}", text(&output.stderr));
            let page = std::fs::read_to_string(directory.path().join("day.html")).expect("the page was written");
            for reference in ["://", "src=", "href=", "url(", "@import", "<script"] {
                assert!(!page.contains(reference), "{example} {arguments:?}: {reference}");
            }
            assert!(page.contains("name=\"viewport\"") && page.contains("<svg "));
            let words = words(&page);
            for line in text(&output.stdout).lines() {
                // A moment's time stands apart from its mark; columns of tables are cells.
                let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || " .*".contains(c));
                for cell in line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()) {
                    let cell = cell.split_whitespace().collect::<Vec<_>>().join(" ");
                    assert!(
                        words.contains(cell.trim_start_matches('(').trim_end_matches([')', ':']))
                            || is_of_the_text(&cell),
                        "{example} {arguments:?}: {cell}"
                    );
                }
            }
        }
    }
}

/// What only a terminal needs: how to read the columns, and headings that are worded for it.
fn is_of_the_text(line: &str) -> bool {
    ["What happens, in seconds", "+ everything works there", "The same day by the rules of others"]
        .iter()
        .any(|known| line.starts_with(known))
}

#[test]
fn a_page_replaces_only_a_page() {
    let directory = tempfile::tempdir().expect("a scratch directory");
    let path = directory.path().join("day.html");
    let write = || drill(directory.path(), "guide", &["lose", "pf3", "--html", "day.html"]);
    assert_eq!(write().status.code(), Some(0));
    let mode = path.metadata().expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode, 0o644);
    assert_eq!(write().status.code(), Some(0), "a page of an earlier drill is replaced");
    std::fs::write(&path, "my own notes").expect("a writable directory");
    let refused = write();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("no page of a drill"), "{}", text(&refused.stderr));
    assert!(refused.stdout.is_empty());
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "my own notes");
    let nowhere = drill(directory.path(), "guide", &["lose", "pf3", "--html", "no/such/folder.html"]);
    assert_eq!(nowhere.status.code(), Some(2));
    let left: Vec<_> = std::fs::read_dir(directory.path()).expect("it is there").flatten().collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().starts_with(".pfcluster")), "{left:?}");
}
