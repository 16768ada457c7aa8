//! The browser's two clocks, and timers on them.

use gloo_timers::callback::Timeout;
use wasm_bindgen::JsCast;

use crate::time::{Instant, Now, UnixTime};
use crate::trace::Moment;

/// A timer's wait has to fit into 31 bits of milliseconds; a day is soon enough to look again.
const LONGEST: u32 = 24 * 60 * 60 * 1000;

/// A clock that starts at zero.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    performance: Option<web_sys::Performance>,
    begin: f64,
    /// By how much the wall clock that the core is shown is wrong; `None`: there is none.
    wall: Option<f64>,
}

impl Clock {
    pub(super) fn start() -> Self {
        let global = js_sys::global();
        let performance = js_sys::Reflect::get(&global, &"performance".into())
            .ok()
            .and_then(|value| value.dyn_into::<web_sys::Performance>().ok());
        let mut clock = Self { performance, begin: 0.0, wall: Some(0.0) };
        clock.begin = clock.raw();
        clock
    }

    /// From now on the core is shown a wall clock that is wrong by this, or none. What people read stays right.
    pub(super) fn set_wall(&mut self, wrong: Option<f64>) {
        self.wall = wrong;
    }

    fn raw(&self) -> f64 {
        self.performance.as_ref().map_or_else(js_sys::Date::now, web_sys::Performance::now)
    }

    /// Milliseconds since the start, with fractions.
    pub(super) fn at(&self) -> f64 {
        (self.raw() - self.begin).max(0.0)
    }

    pub(super) fn moment(&self) -> Moment {
        Moment { at: self.at(), unix: js_sys::Date::now() }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole milliseconds, never negative"
    )]
    pub(super) fn now(&self) -> Now {
        let unix = self.wall.map(|wrong| js_sys::Date::now() + wrong).filter(|unix| *unix > 0.0);
        Now { mono: Instant(self.at() as u64), unix: unix.map(|unix| UnixTime(unix as u64)) }
    }

    /// When `at` is by the wall clock, in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of 200,000 years fit")]
    pub(super) fn unix_of(&self, at: Instant) -> f64 {
        js_sys::Date::now() + (at.0 as f64 - self.at())
    }

    /// Calls back at that time; not at all once the result is dropped.
    pub(super) fn call_at(&self, at: Instant, call: impl FnOnce() + 'static) -> Timeout {
        let wait = at.millis_since(self.now().mono);
        Timeout::new(u32::try_from(wait).unwrap_or(LONGEST).min(LONGEST), call)
    }
}
