//! The machine itself.

/// The machine's host name, as `hostname` prints it.
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
