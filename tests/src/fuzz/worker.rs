//! What a worker answers. It read a hostile server's bytes: root takes its document for what that server may have made of it.
//! An input is the line of one answer, read as that of a database and as that of web services.

use pfcluster_cli::host::fuzz;

/// The target.
///
/// # Panics
/// If the input breaks the law.
pub fn run(bytes: &[u8]) {
    if let Ok(texts) = fuzz::database_answer(bytes) {
        texts.iter().for_each(|text| super::assert_one_line(text));
    }
    match fuzz::call_answer(bytes) {
        Ok(Ok(answer)) => super::webservices::understand(&answer),
        Ok(Err(error)) => super::assert_one_line(&error.to_string()),
        Err(_) => {}
    }
}
