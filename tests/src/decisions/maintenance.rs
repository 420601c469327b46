//! Out of service and back: the commands of tests/testdata/maintenance.
//!
//! `maintenance activate version=8.0 monit fails=4`: the fourth step fails. The output: what is done, what fails, what is not
//! done, and what leads back.

use std::cmp::Ordering;

use pfcluster_core::version::PfVersion;
use pfcluster_guide::maintenance::{Change, back, plan};

use crate::Case;

pub(super) fn output(case: &Case) -> Option<Result<String, String>> {
    (case.command == "maintenance").then(|| maintenance(case))
}

fn maintenance(case: &Case) -> Result<String, String> {
    let change = match case.words.first().map(String::as_str) {
        Some("activate") => Change::Activate,
        Some("deactivate") => Change::Deactivate,
        other => return Err(format!("{other:?} is no change")),
    };
    let version = case.value("version").map_or(Ok(PfVersion::NEWEST), str::parse).map_err(|error| error.to_string())?;
    let steps = plan(change, version, case.has("monit"));
    let fails = case.value("fails").map(str::parse).transpose().map_err(|_| "`fails=` takes a number")?;
    let fails: usize = fails.unwrap_or(steps.len() + 1);
    let mut out = String::new();
    for (number, step) in (1..).zip(&steps) {
        let state = match number.cmp(&fails) {
            Ordering::Less => "done",
            Ordering::Equal => "fails",
            Ordering::Greater => "not done",
        };
        out += &format!("{state}: {step}\n");
    }
    if fails <= steps.len() {
        back(change, &steps[..fails], version).iter().for_each(|step| out += &format!("back: {step}\n"));
    }
    Ok(out)
}
