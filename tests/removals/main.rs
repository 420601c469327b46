//! No rule without need: each rule of the election, each of its amendments and each field of a supervisor's records has a history
//! that breaks without it.
//!
//! tests/testdata/removals says how each is removed:
//!
//! ```text
//! # A sentence of the documentation of record, or of FILE's own comments, or a part of one.
//! # breaks TARGET NAME
//! removal ID in=FILE
//! the text that is there, once in FILE of pfcluster-core/src
//! ----
//! the text without the rule where REMOVED is true
//! ```
//!
//! TARGET is a target of `cargo test`, and NAME the whole name of a test there; of the text cases (`testdata`) it is a part of the
//! comment's first line that no other case has. All removals are built into one copy of the sources, each behind a switch.
//!
//! - `cargo test -p pfcluster-tests --test removals` looks whether each text still is there, and each history.
//! - `tests/removals/run [ID]` removes one after the other, and looks whether the history breaks.

mod copy;
mod removal;

use libtest_mimic::{Arguments, Trial};

use removal::Removal;

fn main() {
    let arguments = Arguments::from_args();
    let removals: Vec<Removal> = removal::all();
    let mut trials = vec![
        Trial::test("every numbered rule can be removed", || Ok(removal::has_every_rule()?)),
        Trial::test("every field of the records can be removed", || Ok(removal::has_every_field()?)),
    ];
    for removal in &removals {
        let own = removal.clone();
        trials.push(Trial::test(format!("applies::{}", removal.id), move || Ok(own.applies()?)));
        let own = removal.clone();
        trials.push(
            Trial::test(format!("breaks::{}", removal.id), move || Ok(copy::breaks(&own)?)).with_ignored_flag(true),
        );
    }
    libtest_mimic::run(&arguments, trials).exit();
}
