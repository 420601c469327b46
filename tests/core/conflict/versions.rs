//! Laws of versions, against school arithmetic on digits.

use std::cmp::Ordering;

use pfcluster_core::conflict::{ConfigVersion, VersionError};
use pfcluster_tests::property_config;
use proptest::prelude::*;

use super::version;

/// A number's digits before and after the point, written in one of its many ways.
fn decimal() -> impl Strategy<Value = (String, String, String)> {
    let digits = prop_oneof!["[0-9]{1,4}", "[0-2]{1,2}", "[0-9]{17,24}", "1[0-9]{9}"];
    let fraction = prop_oneof![Just(String::new()), "[0-9]{1,6}", "[0-2]{1,2}", "[0-9]{15,20}"];
    (digits, fraction, 0..4_usize, 0..4_usize, "[ \n\t\r]{0,2}").prop_map(|(whole, fraction, before, after, blanks)| {
        let point = if fraction.is_empty() && after == 0 { "" } else { "." };
        let text = format!("{blanks}{}{whole}{point}{fraction}{}{blanks}", "0".repeat(before), "0".repeat(after));
        (whole, fraction, text)
    })
}

/// The number times 10^30, as an array of digits: school arithmetic, independent of the program's.
fn scaled(whole: &str, fraction: &str) -> Vec<u8> {
    let text = format!("{whole:0>40}{fraction:0<30}");
    assert_eq!(text.len(), 70);
    text.bytes().map(|byte| byte - b'0').collect()
}

/// `later - sooner`, digit by digit.
fn difference(later: &[u8], sooner: &[u8]) -> Vec<u8> {
    let mut out = later.to_vec();
    let mut borrow = 0;
    for at in (0..out.len()).rev() {
        let (own, other) = (i16::from(out[at]), i16::from(sooner[at]) + borrow);
        borrow = i16::from(own < other);
        out[at] = u8::try_from(own - other + borrow * 10).expect("a digit");
    }
    assert_eq!(borrow, 0);
    out
}

proptest! {
    #![proptest_config(property_config())]

    #[test]
    fn versions_compare_like_numbers(one in decimal(), other in decimal()) {
        let value = |(whole, fraction, _): &(String, String, String)| scaled(whole, fraction);
        let is_zero = |digits: &[u8]| digits.iter().all(|digit| *digit == 0);
        let (a, b) = (value(&one), value(&other));
        let parsed: Vec<Result<ConfigVersion, VersionError>> = [&one, &other].map(|it| it.2.parse()).into();
        prop_assert_eq!(parsed[0].is_err(), is_zero(&a));
        if let (Ok(first), Ok(second)) = (&parsed[0], &parsed[1]) {
            prop_assert_eq!(first.cmp(second), a.cmp(&b));
            prop_assert_eq!(first == second, a == b);
            prop_assert_eq!(first.as_str(), one.2.trim());
            prop_assert_eq!(first.whole_seconds(), one.0.parse::<u64>().ok());
            if a.cmp(&b) == Ordering::Less {
                prop_assert_eq!(first.seconds_since(second), None);
            } else {
                let seconds: String = difference(&a, &b)[..40].iter().map(|digit| char::from(b'0' + digit)).collect();
                let seconds = seconds.parse::<u128>().ok().and_then(|s| u64::try_from(s).ok()).unwrap_or(u64::MAX);
                prop_assert_eq!(first.seconds_since(second), Some(seconds));
            }
        }
    }

    #[test]
    fn equal_versions_have_equal_hashes(number in decimal(), zeros in 1..5_usize) {
        use std::hash::{BuildHasher, RandomState};
        let Ok(first) = number.2.parse::<ConfigVersion>() else { return Ok(()) };
        let point = if number.2.contains('.') { "" } else { "." };
        let same = version(&format!("{}{}{point}{}", "0".repeat(zeros), number.2.trim(), "0".repeat(zeros)));
        let state = RandomState::new();
        prop_assert_eq!(&first, &same);
        prop_assert_eq!(state.hash_one(&first), state.hash_one(&same));
    }

    #[test]
    fn versions_are_totally_ordered(texts in prop::collection::vec(decimal(), 3)) {
        let Ok(three) = texts.iter().map(|it| it.2.parse()).collect::<Result<Vec<ConfigVersion>, _>>() else {
            return Ok(());
        };
        let (a, b, c) = (&three[0], &three[1], &three[2]);
        prop_assert_eq!(a.cmp(b), b.cmp(a).reverse());
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
        prop_assert_eq!(a.seconds_since(b).is_some(), a >= b);
    }

    /// Any text at all: a version with only digits and one point in it, or an error.
    #[test]
    fn any_text_is_a_version_or_an_error(text in prop_oneof!["\\PC{0,70}", "[0-9. \n]{0,70}"]) {
        let trimmed = text.trim_ascii();
        let has_form = |text: &str| {
            let mut parts = text.split('.');
            let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            parts.by_ref().take(2).all(is_number) && parts.next().is_none()
        };
        let is_zero = trimmed.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        let expected = has_form(trimmed) && trimmed.len() <= ConfigVersion::MAX && !is_zero;
        prop_assert_eq!(text.parse::<ConfigVersion>().is_ok(), expected, "{:?}", text);
    }
}
