//! This member's evidence, beside the real server.
