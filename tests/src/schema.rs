//! The schemas of the program's JSON.

use std::path::Path;

use jsonschema::{Retrieve, Uri};
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

/// Fails unless the document fits the schema of this name.
///
/// # Panics
/// If it does not, or if there is no such schema.
pub fn assert_fits(name: &str, document: &Value) {
    let validator = jsonschema::options().with_retriever(Beside).build(&schema(name)).expect("a valid schema");
    let errors: Vec<String> = validator.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:?} in {document:#}");
}
