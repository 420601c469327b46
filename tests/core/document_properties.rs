//! Laws of the document.
