//! Who is primary, who has quorum: the commands of tests/testdata/quorum.

use crate::Case;

pub(super) fn output(_case: &Case) -> Option<Result<String, String>> {
    None
}
