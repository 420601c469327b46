//! The form of keepalived's files: lines, and blocks in braces.

/// Text with keepalived's indentation. A blank line stands before each outermost block.
pub(super) struct Blocks {
    text: String,
    depth: usize,
}

impl Blocks {
    pub(super) fn new() -> Blocks {
        Blocks { text: String::new(), depth: 0 }
    }

    pub(super) fn line(&mut self, text: &str) {
        (0..self.depth).for_each(|_| self.text.push_str("    "));
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// `head {`, what `body` writes, `}`.
    pub(super) fn block(&mut self, head: &str, body: impl FnOnce(&mut Blocks)) {
        if self.depth == 0 && !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(&format!("{head} {{"));
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.line("}");
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}
