//! The fuzz targets on their committed inputs (tests/fuzz/corpus): seeds, and whatever broke a law once. Each is a test of its own:
//! `cargo test -p pfcluster-tests --test fuzz_corpora -- database`. How to run the fuzzer: tests/fuzz/README.md.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Trial};
use pfcluster_tests::fuzz::{TARGETS, run};

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    entries.sort();
    entries
}

fn main() {
    let mut trials = Vec::new();
    for (target, _) in TARGETS {
        let inputs = entries(&corpora().join(target));
        let count = inputs.len();
        trials.push(Trial::test(format!("{target} has inputs"), move || {
            if count > 0 { Ok(()) } else { Err(format!("tests/fuzz/corpus/{target} is empty").into()) }
        }));
        trials.extend(inputs.into_iter().map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Trial::test(format!("{target}::{name}"), move || {
                run(target, &std::fs::read(path).expect("a file"));
                Ok(())
            })
        }));
    }
    trials.push(Trial::test("every folder and every program of the fuzzer is a target's", || {
        let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        let names = |directory: &Path| -> BTreeSet<String> {
            let stem = |path: PathBuf| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            entries(directory).into_iter().map(stem).collect()
        };
        assert_eq!(names(&corpora()), targets);
        assert_eq!(names(&corpora().with_file_name("targets")), targets);
        Ok(())
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
