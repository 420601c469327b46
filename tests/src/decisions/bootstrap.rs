//! The election: the commands of tests/testdata/bootstrap.

use crate::Case;

pub(super) fn output(_case: &Case) -> Option<Result<String, String>> {
    None
}
