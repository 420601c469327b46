//! How long somebody waits for members.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::CallError;

/// How long somebody waits: for each call, and for all of them together. Copies are of the same wait: one that is called off
/// ends all, each after the call that is under way.
#[derive(Clone, Debug)]
pub struct Patience {
    each: Duration,
    until: Option<Instant>,
    is_over: Arc<AtomicBool>,
}

/// A call that begins with less time than this would only be told as one without an answer.
const SHORTEST: Duration = Duration::from_millis(200);

impl Patience {
    /// So long for each call, however many there are.
    pub fn for_each(limit: Duration) -> Patience {
        Patience { each: limit, until: None, is_over: Arc::default() }
    }

    /// And so long, from now on, for all of them.
    #[must_use]
    pub fn in_all(self, limit: Duration) -> Patience {
        Patience { until: Some(Instant::now() + limit), ..self }
    }

    /// Nobody waits any more.
    pub fn call_off(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// What the next call may take.
    ///
    /// # Errors
    /// [`CallError::NotAsked`] if there is no time left for it.
    pub fn next_call(&self) -> Result<Duration, CallError> {
        let left = self.until.map_or(Duration::MAX, |until| until.saturating_duration_since(Instant::now()));
        if self.is_over.load(Ordering::Relaxed) {
            Err(CallError::NotAsked("it was called off"))
        } else if left < SHORTEST {
            Err(CallError::NotAsked("the time for all of it is over"))
        } else {
            Ok(self.each.min(left))
        }
    }
}
