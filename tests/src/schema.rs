//! The schemas of the program's JSON.

use std::collections::BTreeSet;
use std::path::Path;

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::Value;

/// Schemas name each other as files beside themselves.
struct Beside;

impl Retrieve for Beside {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Ok(schema(uri.path().as_str().trim_start_matches('/')))
    }
}

/// The schema of pfcluster-cli/schemas.
///
/// # Panics
/// If there is no such schema.
pub fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pfcluster-cli/schemas").join(name);
    serde_json::from_slice(&std::fs::read(path).expect("a schema")).expect("a schema is JSON")
}

/// What judges documents by the schema of this name.
///
/// # Panics
/// If there is no such schema.
pub fn validator(name: &str) -> Validator {
    jsonschema::options().with_retriever(Beside).build(&schema(name)).expect("a valid schema")
}

/// Fails unless the document fits the schema of this name.
///
/// # Panics
/// If it does not, or if there is no such schema.
pub fn assert_fits(name: &str, document: &Value) {
    assert_valid(&validator(name), document);
}

/// Fails unless the document is as the schema says.
///
/// # Panics
/// If it is not.
pub fn assert_valid(validator: &Validator, document: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {}", error.instance_path(), error.masked())).collect();
    assert!(errors.is_empty(), "{errors:?} in {document:#}");
}

/// All texts and names of fields.
pub fn words_of(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(found.insert(text.clone())),
        Value::Array(list) => list.iter().for_each(|value| words_of(value, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            found.insert(name.clone());
            words_of(value, found);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// All words that the schema knows for kinds and states.
pub fn words_of_schema(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Array(list) => list.iter().for_each(|value| words_of_schema(value, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match (name.as_str(), value) {
            ("const", Value::String(word)) => drop(found.insert(word.clone())),
            ("enum", Value::Array(list)) => found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned)),
            _ => words_of_schema(value, found),
        }),
        _ => {}
    }
}
