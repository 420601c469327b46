//! A text together with what was read from it, so that it is read once.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use pfcluster_core::diagnostic::Checked;
use pfcluster_core::document::Document;
use pfcluster_core::span::Source;
use self_cell::self_cell;

/// A document, with what is wrong with it.
pub(crate) type Parsed<'s> = Checked<Document<'s>>;

self_cell! {
    struct Read {
        owner: Vec<u8>,
        #[covariant]
        dependent: Parsed,
    }
}

/// The text of cluster.conf, and the document that it is. Two are equal if their texts are.
#[derive(Clone)]
pub(crate) struct IniText(Arc<Read>);

impl IniText {
    pub(crate) fn new(text: Vec<u8>) -> IniText {
        IniText(Arc::new(Read::new(text, |text| Document::parse(Source::ClusterConf, text))))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.borrow_owner()
    }

    pub(crate) fn parsed(&self) -> &Parsed<'_> {
        self.0.borrow_dependent()
    }

    pub(crate) fn document(&self) -> &Document<'_> {
        &self.parsed().value
    }
}

impl PartialEq for IniText {
    fn eq(&self, other: &IniText) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for IniText {}

impl Hash for IniText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

/// Without the text, in which there may be secrets.
impl fmt::Debug for IniText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IniText").finish_non_exhaustive()
    }
}
