//! The form of values as data: what many of them share. The types themselves derive `serde`, and are the JSON that programs read.

use std::fmt::Display;
use std::time::Duration;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::printable::printable;

/// A type that is a text as data, as it is displayed.
macro_rules! written_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}

/// The same, and read with the check of its `FromStr`.
macro_rules! as_text {
    ($type:ty) => {
        $crate::form::written_as_text!($type);

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                let wrong = |error| serde::de::Error::custom(format!("`{}`: {error}", text.escape_debug()));
                text.parse().map_err(wrong)
            }
        }
    };
}

pub(crate) use {as_text, written_as_text};

/// A value with its sentence: the fields that it has as data, and how it is displayed as `text`.
#[derive(Clone, Copy, Debug)]
pub struct WithText<T>(pub T);

impl<T: Serialize + Display> Serialize for WithText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'v, T> {
            #[serde(flatten)]
            value: &'v T,
            text: String,
        }
        Fields { value: &self.0, text: self.0.to_string() }.serialize(serializer)
    }
}

/// [`WithText`] for a field.
///
/// # Errors
/// Those of the serializer.
pub fn with_text<S: Serializer>(value: impl Serialize + Display, serializer: S) -> Result<S::Ok, S::Error> {
    WithText(value).serialize(serializer)
}

/// [`WithText`] for each of a list.
///
/// # Errors
/// Those of the serializer.
pub fn all_with_text<T: Serialize + Display, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(WithText))
}

/// Only the sentence of each.
///
/// # Errors
/// Those of the serializer.
pub fn texts<T: Display, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}

/// The word that a value is or is told by as data: itself, or its `kind`. Empty if it has none.
pub fn kind_of(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(value) => value["kind"].as_str().unwrap_or_default().to_owned(),
        Err(_) => String::new(),
    }
}

/// Pairs as objects: the names of the two.
pub(crate) fn pairs<A: Serialize, B: Serialize, S: Serializer>(
    names: [&'static str; 2],
    pairs: &[(A, B)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    struct Pair<'p, A, B>([&'static str; 2], &'p (A, B));

    impl<A: Serialize, B: Serialize> Serialize for Pair<'_, A, B> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let Pair([first, second], (a, b)) = self;
            let mut map = serializer.serialize_map(Some(2))?;
            map.serialize_entry(first, a)?;
            map.serialize_entry(second, b)?;
            map.end()
        }
    }

    serializer.collect_seq(pairs.iter().map(|pair| Pair(names, pair)))
}

/// Whole seconds.
pub(crate) fn seconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(duration.as_secs())
}

/// Moments and other numbers that may be larger than a program without whole numbers knows.
#[expect(clippy::ref_option, reason = "as serde calls it")]
pub(crate) fn text_or_null<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(ToString::to_string).serialize(serializer)
}

/// A text of another member: nothing in it acts on a terminal or a log.
pub(crate) fn printable_text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    Ok(printable(String::deserialize(deserializer)?.as_bytes()).into())
}

/// The default of a value is `null`.
pub(crate) mod or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
    where
        T: Serialize + Default + PartialEq,
        S: Serializer,
    {
        Some(value).filter(|value| **value != T::default()).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: Deserialize<'de> + Default,
    {
        Ok(Option::deserialize(deserializer)?.unwrap_or_default())
    }
}
