//! What a rule is. Each rule stands beside the code that applies it; [`crate::check::rules`] lists them all.

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know; nothing has to change.
    Info,
    /// PacketFence works, but probably not as you meant.
    Warning,
    /// PacketFence refuses the file, loses part of it, or does harm with it.
    Error,
}

impl Severity {
    /// The word that reports show.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// One thing that can be wrong with a cluster's files.
///
/// Codes and names are public interface: never reused, never renamed.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Stable code, such as `PFC012`.
    pub code: &'static str,
    /// Stable name, such as `duplicate-address`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The manual page of the rule: what, why, an example, what to do. Each element is a line.
    pub explanation: &'static [&'static str],
}

/// Declares rules: the doc comment is the manual that `pfcluster check --explain CODE` prints.
macro_rules! rules {
    ($( $(#[doc = $line:literal])+ $vis:vis static $ident:ident = $code:literal $name:literal $severity:ident; )+) => {
        $(
            $(#[doc = $line])+
            // Read on a terminal, not as a web page.
            #[allow(clippy::doc_markdown)]
            $vis static $ident: $crate::rule::Rule = $crate::rule::Rule {
                code: $code,
                name: $name,
                severity: $crate::rule::Severity::$severity,
                explanation: &[$($line),+],
            };
        )+
        /// The rules of this module, in order of their codes.
        pub(crate) static RULES: &[&$crate::rule::Rule] = &[$(&$ident),+];
    };
}
pub(crate) use rules;
