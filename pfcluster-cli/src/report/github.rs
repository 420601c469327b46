//! GitHub workflow commands: findings as annotations of a pull request.

use std::io::{self, Write};

use pfcluster_core::rule::Severity;

use super::Finding;

/// One line for each finding.
pub(crate) fn findings(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    for finding in findings {
        let level = match finding.rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let (place, rule) = (&finding.place, finding.rule);
        writeln!(
            out,
            "::{level} file={},line={},col={},endLine={},endColumn={},title={} {}::{}%0A{}",
            property(&place.file),
            place.start.line,
            place.start.column,
            place.end.line,
            place.end.column,
            rule.code,
            rule.name,
            data(&finding.message),
            data(&finding.help),
        )?;
    }
    Ok(())
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
