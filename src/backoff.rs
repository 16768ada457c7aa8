//! Waiting longer after each failure, never in step with the neighbours.

use crate::snapshot::Kept;
use crate::time::Millis;

use crate::rng::Rng;

/// Doubles from `first` up to `cap`, each wait moved by up to ±20 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Kept)]
pub(crate) struct Backoff {
    first_ms: u32,
    cap_ms: u32,
    failures: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::login()
    }
}

impl Backoff {
    /// What all platforms use between logins: 1 s, doubling, at most 60 s.
    pub(crate) fn login() -> Self {
        Self { first_ms: 1_000, cap_ms: 60_000, failures: 0 }
    }

    /// For what has all the time in the world at first, such as a report that is due twelve hours before its limit.
    #[cfg(feature = "cmcc")]
    pub(crate) fn capped(cap_ms: u32) -> Self {
        Self { first_ms: 1_000, cap_ms, failures: 0 }
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Counts a failure and says how long to wait after it.
    pub(crate) fn next(&mut self, rng: &mut Rng) -> Millis {
        let doubled = u64::from(self.first_ms) << self.failures.min(20);
        let base = doubled.min(u64::from(self.cap_ms));
        self.failures = self.failures.saturating_add(1);
        Millis(rng.between(base - base / 5, base + base / 5))
    }
}
