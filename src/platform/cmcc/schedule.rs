//! When the next report is due, across clock jumps and restarts.
//!
//! Two clocks tell the time. The monotonic one is the truth while the device runs; the wall clock is the only one that
//! outlives a restart, and may lie. So:
//!
//! - While it runs, a device goes by the monotonic clock alone. If the wall clock jumps, T_next is written down anew by
//!   the new wall clock, so that a restart keeps the schedule too.
//! - After a restart T_next comes from the store, by the wall clock. If that clock jumps later, the one at the start
//!   may have been wrong (a board without a battery goes on from the time it was switched off, until NTP puts it
//!   right). Then T_next may move closer, never away: 24 hours are a limit, and an early report harms nobody.
//! - Without a wall clock, or if the wall clock stands before the last report, nobody knows how long the device was
//!   off: it reports at once.

use alloc::vec::Vec;

use crate::num;
use crate::snapshot::Kept;

use super::config::{Config, Strategy};
use crate::agent::Cx;
use crate::backoff::Backoff;
use crate::error::{CodecError, Error, LocalFailure};
use crate::json::{Document, Object};
use crate::output::{Due, Event, StoreKey, Token, Warning};
use crate::rng::Rng;
use crate::time::{Instant, Millis, Now, UnixTime};

/// Clocks that differ by less are only inexact.
const TOLERANCE_MS: u64 = 60_000;
/// How often the clocks are compared: a jump, and a wall clock that becomes known, reaches the store this late.
pub(super) const CLOCK_CHECK: Millis = Millis::of_secs(3_600);
/// The longest wait between two tries while the limit is far.
const RETRY_CAP_MS: u32 = 900_000;

/// T_next, and how long before it T_current was.
#[derive(Debug, Default, Kept)]
pub(super) struct Plan {
    /// T_next by the monotonic clock.
    next: Instant,
    /// T_next by the wall clock, as it is stored.
    next_unix: Option<UnixTime>,
    /// T_next - T_current.
    span_ms: u64,
    /// T_next comes from the store and the wall clock at the start.
    inherited: bool,
}

/// What the store says about the schedule at a start.
#[derive(Debug)]
pub(super) enum Inherited {
    /// Nothing is known: report now.
    Nothing,
    /// The wall clock stands before the last report: report now.
    ClockJumped,
    /// T_next has passed: report now.
    Due,
    Standing(Plan),
}

impl Plan {
    /// After an accepted report.
    pub(super) fn after_report(config: &Config, now: Now, rng: &mut Rng) -> Self {
        let span_ms = span(config, rng);
        let next = now.mono + Millis(span_ms);
        Self { next, next_unix: wall(now, next), span_ms, inherited: false }
    }

    pub(super) fn next(&self) -> Instant {
        self.next
    }

    pub(super) fn heartbeat(&self, config: &Config) -> Event {
        Event::Heartbeat {
            next: Some(self.next),
            next_unix: self.next_unix,
            why: config.strategy.why(),
        }
    }

    pub(super) fn scheduled(&self, config: &Config) -> Event {
        Event::Scheduled { next: self.next, next_unix: self.next_unix, why: config.strategy.why() }
    }

    /// Compares the clocks. Says whether there is something new to store.
    pub(super) fn check_clock(&mut self, cx: &mut Cx<'_>) -> bool {
        let now = cx.now();
        let Some(by_wall) = wall(now, self.next) else { return false };
        let Some(known) = self.next_unix else {
            self.next_unix = Some(by_wall);
            return true;
        };
        if known.0.abs_diff(by_wall.0) <= TOLERANCE_MS {
            return false;
        }
        cx.event(Event::Warning { warning: Warning::ClockJumped });
        if self.inherited && known < by_wall {
            // By the new wall clock T_next is closer than thought.
            let left = known.0.saturating_sub(now.unix.map_or(0, |unix| unix.0));
            self.next = now.mono + Millis(left);
            return false;
        }
        self.next_unix = Some(by_wall);
        true
    }
}

/// The moment that the document's 24 hours end; `now` if nobody knows.
fn limit(plan: Option<&Plan>, config: &Config, now: Now) -> Instant {
    let Some(plan) = plan else { return now.mono };
    plan.next + Millis(config.limit_ms.saturating_sub(plan.span_ms))
}

/// How long to wait after a failed report. It doubles up to 15 minutes, but never skips more than half of what is left
/// until the limit; near the limit and beyond, it is about a minute.
pub(super) fn retry_wait(
    plan: Option<&Plan>,
    config: &Config,
    backoff: &mut Backoff,
    cx: &mut Cx<'_>,
) -> Millis {
    let now = cx.now();
    let left = limit(plan, config, now).millis_since(now.mono);
    let wait = backoff.next(cx.rng());
    let floor = cx.rng().between(48_000, 72_000);
    wait.min(Millis(floor.max(left / 2)))
}

/// A back-off for reports: see [`retry_wait`].
pub(super) fn backoff() -> Backoff {
    Backoff::capped(RETRY_CAP_MS)
}

/// T_next - T_current: at the interval with its offset; in the daily strategy at the latest then, early enough for
/// retries and never for the whole fleet at once.
pub(super) fn span(config: &Config, rng: &mut Rng) -> u64 {
    match config.strategy {
        Strategy::Interval => {
            let (interval, jitter) = (config.interval_ms, config.jitter_ms);
            rng.between(interval - jitter, interval + jitter)
        }
        Strategy::Daily => {
            let (limit, guard) = (config.limit_ms, config.guard_ms());
            rng.between(limit - 2 * guard, limit - guard)
        }
    }
}

impl Strategy {
    fn why(self) -> Due {
        match self {
            Self::Interval => Due::PeriodWithJitter,
            Self::Daily => Due::FirstUseOfDay,
        }
    }
}

/// What `at` is by the wall clock, if that is known.
fn wall(now: Now, at: Instant) -> Option<UnixTime> {
    let UnixTime(unix) = now.unix?;
    let ahead = at.millis_since(now.mono);
    let behind = now.mono.millis_since(at);
    Some(UnixTime(unix.saturating_add(ahead).saturating_sub(behind)))
}

/// The days of the daily strategy, local dates as `yyyymmdd`.
#[derive(Debug, Default, Kept)]
pub(super) struct Diary {
    /// The latest day of use that the host told.
    today: Option<u32>,
    /// The day that the last accepted report counts for.
    reported: Option<u32>,
}

impl Diary {
    pub(super) fn new(reported: Option<u32>) -> Self {
        Self { today: None, reported }
    }

    /// The device is used. `Ok(true)`: for the first time on this day.
    pub(super) fn used(&mut self, date: u32) -> Result<bool, CodecError> {
        let (month, day) = (date / 100 % 100, date % 100);
        let good = (1..=9999).contains(&(date / 10_000))
            && (1..=12).contains(&month)
            && (1..=31).contains(&day);
        if !good {
            return Err(CodecError::invalid("date"));
        }
        self.today = Some(date);
        Ok(self.reported != Some(date))
    }

    /// A report was accepted: it counts for the day in hand.
    pub(super) fn accepted(&mut self) {
        self.reported = self.today.or(self.reported);
    }
}

/// Keeps the stored schedule up to date, one store at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Kept)]
pub(super) enum Keeper {
    #[default]
    Idle,
    Storing(Token),
    /// What is being stored is out of date already.
    Stale(Token),
}

impl Keeper {
    /// Stores the schedule, now or once the store under way has ended.
    pub(super) fn keep(
        &mut self,
        config: &Config,
        plan: Option<&Plan>,
        diary: &Diary,
        cx: &mut Cx<'_>,
    ) {
        *self = match *self {
            Self::Storing(token) | Self::Stale(token) => Self::Stale(token),
            Self::Idle => match record(config, plan, diary) {
                Some(bytes) => Self::Storing(cx.store(StoreKey::Schedule, bytes)),
                None => Self::Idle,
            },
        };
    }

    /// The store under way has ended, if `token` is its.
    pub(super) fn stored(
        &mut self,
        token: Token,
        done: bool,
        config: &Config,
        plan: Option<&Plan>,
        diary: &Diary,
        cx: &mut Cx<'_>,
    ) {
        let stale = *self == Self::Stale(token);
        if !stale && *self != Self::Storing(token) {
            return cx.stray();
        }
        *self = Self::Idle;
        if stale {
            self.keep(config, plan, diary, cx);
        }
        if !done {
            // Nothing is lost: a restart reports earlier than it has to.
            let error = Error::Local { failure: LocalFailure::Store };
            cx.event(Event::Warning { warning: Warning::Ignored { error } });
        }
    }
}

/// The schedule as it is stored; `None` if there is nothing that a restart could use.
fn record(config: &Config, plan: Option<&Plan>, diary: &Diary) -> Option<Vec<u8>> {
    let plan = plan?;
    let text = num::text;
    let (reported, next) = match plan.next_unix {
        Some(UnixTime(next)) => (Some(text(next.saturating_sub(plan.span_ms))), Some(text(next))),
        None => (None, None),
    };
    let date = diary.reported.map(|date| text(date.into()));
    if next.is_none() && date.is_none() {
        return None;
    }
    let record = Object::new()
        .string("device_no", &config.device_no)
        .string("product_id", &config.product_id)
        .maybe("reported_at_ms", reported.as_deref())
        .maybe("next_at_ms", next.as_deref())
        .maybe("date", date.as_deref());
    Some(record.bytes())
}

/// What [`record`] wrote, as far as it is of use now.
pub(super) fn inherit(
    config: &Config,
    bytes: &[u8],
    now: Now,
) -> Result<(Inherited, Diary), Error> {
    let doc = Document::open(bytes);
    let root = doc.root();
    let ours = root.text_or_empty("device_no") == config.device_no
        && root.text_or_empty("product_id") == config.product_id;
    let number = |key| if ours && root.get(key).is_some() { root.must_count(key) } else { 0 };
    let (date, reported, next) = (number("date"), number("reported_at_ms"), number("next_at_ms"));
    doc.finish()?;
    let diary = Diary::new(u32::try_from(date).ok().filter(|date| *date > 0));
    let Some(UnixTime(unix)) = now.unix.filter(|_| next > 0) else {
        return Ok((Inherited::Nothing, diary));
    };
    if reported > unix.saturating_add(TOLERANCE_MS) {
        return Ok((Inherited::ClockJumped, diary));
    }
    // The settings may have changed since: never later than they would have it.
    let longest = match config.strategy {
        Strategy::Interval => config.interval_ms + config.jitter_ms,
        Strategy::Daily => config.limit_ms - config.guard_ms(),
    };
    let span_ms = next.saturating_sub(reported).min(longest);
    let next_unix = reported.saturating_add(span_ms);
    if next_unix <= unix {
        return Ok((Inherited::Due, diary));
    }
    let next = now.mono + Millis(next_unix - unix);
    let next_unix = Some(UnixTime(next_unix));
    Ok((Inherited::Standing(Plan { next, next_unix, span_ms, inherited: true }), diary))
}
