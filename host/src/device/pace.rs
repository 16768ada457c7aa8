//! How much a plugin may ask for.
//!
//! A plugin cannot wait, so one that wants to keep its host busy asks to be called again at once, or answers each
//! answer with another command. Commands and calls that it caused by itself are counted; what happens outside (a
//! message, a person) gives some of them back. Beyond a minute's worth the plugin is slowed down to that rate; the
//! connection, the signals and everything else go on. One that is held back for a long time on end has failed.

use std::time::Duration;

use tokio::time::Instant;

/// What a thing that happened outside may lead to, at the least.
const EARNED: f64 = 4.0;

/// A bucket of a minute's worth.
#[derive(Debug)]
pub(super) struct Pace {
    per_minute: u32,
    patience: Duration,
    left: f64,
    at: Instant,
    held_since: Option<Instant>,
}

impl Pace {
    pub(super) fn new(per_minute: u32, patience: Duration, now: Instant) -> Self {
        Self { per_minute, patience, left: f64::from(per_minute), at: now, held_since: None }
    }

    /// A command, or a call that nothing outside asked for.
    pub(super) fn spend(&mut self, now: Instant) {
        self.refill(now);
        self.left -= 1.0;
    }

    /// Something happened outside.
    pub(super) fn earn(&mut self, now: Instant) {
        self.refill(now);
        self.left = (self.left + EARNED).min(f64::from(self.per_minute));
    }

    /// When the plugin may be called again; `None` means now.
    pub(super) fn held_until(&mut self, now: Instant) -> Option<Instant> {
        self.refill(now);
        if self.left >= 0.0 {
            return None;
        }
        self.held_since.get_or_insert(now);
        Some(
            now + Duration::from_secs_f64(-self.left / self.per_second())
                + Duration::from_millis(1),
        )
    }

    /// Since when it has been held back without having come to rest.
    pub(super) fn held_since(&self) -> Option<Instant> {
        self.held_since
    }

    /// Whether that has gone on for too long.
    pub(super) fn is_restless(&self, now: Instant) -> bool {
        self.held_since.is_some_and(|since| now.duration_since(since) >= self.patience)
    }

    pub(super) fn per_minute(&self) -> u32 {
        self.per_minute
    }

    fn per_second(&self) -> f64 {
        f64::from(self.per_minute) / 60.0
    }

    fn refill(&mut self, now: Instant) {
        let most = f64::from(self.per_minute);
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * self.per_second()).min(most);
        self.at = now;
        if self.left >= most / 2.0 {
            self.held_since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn a_burst_is_free_and_then_the_rate_holds() {
        let mut now = Instant::now();
        let mut pace = Pace::new(60, PATIENCE, now);
        let mut calls = 0;
        for _ in 0..60_000 {
            if pace.held_until(now).is_none() {
                pace.spend(now);
                calls += 1;
            }
            now += Duration::from_millis(1);
        }
        // A minute's worth at once, and one a second for the minute.
        assert!((119..=122).contains(&calls), "{calls}");
        assert!(pace.is_restless(now));
    }

    #[test]
    fn one_that_comes_to_rest_is_forgiven() {
        let mut now = Instant::now();
        let mut pace = Pace::new(60, PATIENCE, now);
        (0..70).for_each(|_| pace.spend(now));
        let until = pace.held_until(now).unwrap();
        assert!(until - now > Duration::from_secs(10) && until - now < Duration::from_secs(11));
        assert_eq!(pace.held_since(), Some(now));
        now += Duration::from_secs(45);
        assert_eq!(pace.held_until(now), None);
        assert!(!pace.is_restless(now) && pace.held_since().is_none());
    }

    #[test]
    fn what_happens_outside_gives_back_but_saves_nothing_up() {
        let now = Instant::now();
        let mut pace = Pace::new(30, PATIENCE, now);
        (0..1000).for_each(|_| pace.earn(now));
        (0..31).for_each(|_| pace.spend(now));
        assert!(pace.held_until(now).is_some());
        pace.earn(now);
        assert_eq!(pace.held_until(now), None);
    }
}
