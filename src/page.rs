//! What this API tells JavaScript, beyond what the core tells everybody. The TypeScript types of all of it are made from
//! these declarations (`cargo xtask types`).

mod fleet;

pub use fleet::*;

use serde::Serialize;

#[cfg(feature = "cloud")]
use crate::cloud::LogEntry;
use crate::time::Timer;

/// What will happen next, unless something else happens before.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Next {
    /// When: milliseconds since 1970.
    pub at: f64,
    /// Why.
    pub why: NextWhy,
}

/// Why something will happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum NextWhy {
    /// The reply to the step in hand is late.
    Reply,
    /// Back-off is over: connect, or ask again.
    Retry,
    /// A heartbeat or a periodic report is due.
    Heartbeat,
    /// A token that this device made runs out, or has to be reported again.
    Token,
    /// Progress of an update has to be reported, or an update gave no sign of life.
    Update,
    /// The wall clock is to be compared with the monotonic one.
    Clock,
    /// MQTT's PINGREQ is due, or the answer to one is late.
    KeepAlive,
}

impl From<Timer> for NextWhy {
    fn from(timer: Timer) -> Self {
        match timer {
            Timer::Reply => Self::Reply,
            Timer::Retry => Self::Retry,
            Timer::Heartbeat => Self::Heartbeat,
            Timer::Token => Self::Token,
            Timer::Update => Self::Update,
            Timer::Clock => Self::Clock,
        }
    }
}

/// A line of a cloud's log.
#[cfg(feature = "cloud")]
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LogLine {
    /// 1, 2, 3 …
    pub seq: u32,
    /// Milliseconds since 1970.
    pub unix: f64,
    /// What happened.
    #[serde(flatten)]
    pub entry: LogEntry,
}
