//! Time as a value. Nobody here asks a clock: `now` comes with every call.

use core::ops::Add;
use core::time::Duration;

use crate::cbor::{Decode, Encode};
use crate::snapshot::Kept;

/// Milliseconds on a clock that never goes back. Its zero means nothing: a host may start it at boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Kept)]
#[cbor(transparent)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Instant(#[n(0)] pub u64);

impl Instant {
    /// Milliseconds from `earlier` to `self`; zero if `earlier` is later.
    pub fn millis_since(self, earlier: Instant) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A span of time on the device's side. `Duration` counts seconds and nanoseconds, and converts with divisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Millis(pub(crate) u64);

impl Millis {
    pub(crate) const fn of_secs(secs: u64) -> Self {
        Self(secs * 1_000)
    }
}

impl Add<Millis> for Instant {
    type Output = Instant;

    fn add(self, rhs: Millis) -> Instant {
        Instant(self.0.saturating_add(rhs.0))
    }
}

/// `as_millis` counts in 128 bits, which is a lot of code where there are 32.
fn millis(wait: Duration) -> u64 {
    let whole = wait.as_secs().saturating_mul(1_000);
    whole.saturating_add(u64::from(wait.subsec_millis()))
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, rhs: Duration) -> Instant {
        Instant(self.0.saturating_add(millis(rhs)))
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z. May jump either way: the owner of the clock may set it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Kept)]
#[cbor(transparent)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct UnixTime(#[n(0)] pub u64);

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Kept)]
#[cbor(map)]
pub struct Now {
    /// The clock that timers run on.
    #[n(0)]
    pub mono: Instant,
    /// The wall clock, where the host knows it.
    #[n(1)]
    pub unix: Option<UnixTime>,
}

impl Now {
    /// A moment for hosts without a wall clock.
    pub fn mono(millis: u64) -> Now {
        Now { mono: Instant(millis), unix: None }
    }

    /// A moment on both clocks.
    pub fn new(mono_millis: u64, unix_millis: u64) -> Now {
        Now { mono: Instant(mono_millis), unix: Some(UnixTime(unix_millis)) }
    }
}

/// Deadlines of one agent, one for each purpose `T`.
///
/// A table instead of one deadline, because a heartbeat may be due while a reply is awaited.
#[derive(Clone, Debug, Kept)]
pub(crate) struct TimerTable {
    deadlines: [Option<Instant>; Timer::ALL.len()],
}

/// What a deadline is for. Kept small and shared: platforms give the slots their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Timer {
    /// The reply to the step in hand is late.
    #[n(0)]
    Reply,
    /// Back-off is over: connect, or ask again.
    #[n(1)]
    Retry,
    /// A heartbeat or a periodic report is due.
    #[n(2)]
    Heartbeat,
    /// A token that this device made runs out, or has to be reported again.
    #[n(3)]
    Token,
    /// Progress of an update has to be reported, or an update gave no sign of life.
    #[n(4)]
    Update,
    /// The wall clock is to be compared with the monotonic one: it may have become known, or jumped.
    #[n(5)]
    Clock,
}

impl Timer {
    pub(crate) const ALL: [Timer; 6] =
        [Timer::Reply, Timer::Retry, Timer::Heartbeat, Timer::Token, Timer::Update, Timer::Clock];
}

impl TimerTable {
    pub(crate) fn new() -> Self {
        Self { deadlines: [None; Timer::ALL.len()] }
    }

    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.deadlines[timer as usize] = Some(at);
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.deadlines[timer as usize] = None;
    }

    pub(crate) fn get(&self, timer: Timer) -> Option<Instant> {
        self.deadlines[timer as usize]
    }

    /// The earliest deadline and what it is for.
    pub(crate) fn next(&self) -> Option<(Instant, Timer)> {
        let mut next: Option<(Instant, Timer)> = None;
        for timer in Timer::ALL {
            if let Some(at) = self.get(timer)
                && next.is_none_or(|(earliest, _)| at < earliest)
            {
                next = Some((at, timer));
            }
        }
        next
    }

    /// Takes one expired timer out of the table, the earliest first.
    pub(crate) fn take_expired(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = self.next()?;
        (at <= now).then(|| {
            self.stop(timer);
            timer
        })
    }
}
