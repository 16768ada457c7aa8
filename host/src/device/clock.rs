//! The two clocks, and times as people read them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use muster::{Instant, Now, UnixTime};

/// The monotonic clock's zero is the start of this process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: tokio::time::Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { start: tokio::time::Instant::now() }
    }

    pub(super) fn mono(self) -> Instant {
        Instant(u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn now(self) -> Now {
        Now { mono: self.mono(), unix: Some(unix()) }
    }

    /// The core counts milliseconds: one is added, so that a timer never comes before its time.
    pub(super) fn at(self, instant: Instant) -> tokio::time::Instant {
        // A year from now is as good as never, and cannot overflow.
        let wait = Duration::from_millis(instant.0.saturating_add(1))
            .min(self.start.elapsed() + Duration::from_secs(365 * 86_400));
        self.start + wait
    }
}

pub(super) fn unix() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// A moment in the time zone of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Local {
    pub(super) year: i32,
    pub(super) month: u8,
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
}

impl Local {
    /// `yyyymmdd`, as an intent takes it.
    pub(super) fn date(self) -> u32 {
        let year = u32::try_from(self.year).unwrap_or(0);
        year * 10_000 + u32::from(self.month) * 100 + u32::from(self.day)
    }

    /// `hh:mm:ss`.
    pub(super) fn time(self) -> String {
        format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

/// `unix` in the time zone of this machine; UTC where the machine does not say.
#[cfg(unix)]
#[allow(unsafe_code)]
pub(super) fn local(unix: UnixTime) -> Local {
    let Ok(seconds) = libc::time_t::try_from(unix.0 / 1000) else { return utc(unix) };
    let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to live values of the right types for the whole call, and `localtime_r` keeps none.
    let found = unsafe { libc::localtime_r(&raw const seconds, parts.as_mut_ptr()) };
    if found.is_null() {
        return utc(unix);
    }
    // SAFETY: zeroed integers and a null pointer are a valid `tm`, and `localtime_r` has filled it in.
    let parts = unsafe { parts.assume_init() };
    let small = |n: libc::c_int| u8::try_from(n).unwrap_or(0);
    Local {
        year: parts.tm_year + 1900,
        month: small(parts.tm_mon + 1),
        day: small(parts.tm_mday),
        hour: small(parts.tm_hour),
        minute: small(parts.tm_min),
        second: small(parts.tm_sec),
    }
}

#[cfg(not(unix))]
pub(super) fn local(unix: UnixTime) -> Local {
    utc(unix)
}

/// Days to a date by the rule of 400 years: 146,097 days, counted from a first of March.
fn utc(unix: UnixTime) -> Local {
    let seconds = unix.0 / 1000;
    let days = i64::try_from(seconds / 86_400).unwrap_or(0) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let (day, month) =
        (day_of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year + era * 400 + i64::from(month <= 2);
    let small = |n: i64| u8::try_from(n).unwrap_or(0);
    let clock = |n: u64| u8::try_from(n).unwrap_or(0);
    Local {
        year: i32::try_from(year).unwrap_or(0),
        month: small(month),
        day: small(day),
        hour: clock(seconds / 3600 % 24),
        minute: clock(seconds / 60 % 60),
        second: clock(seconds % 60),
    }
}

/// `2026-01-31T23:59:58.123Z`.
pub(super) fn rfc3339(unix: UnixTime) -> String {
    let t = utc(unix);
    let millis = unix.0 % 1000;
    format!("{:04}-{:02}-{:02}T{}.{millis:03}Z", t.year, t.month, t.day, t.time())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (unix, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(UnixTime(unix)), text);
        }
        assert_eq!(utc(UnixTime(1_700_000_000_123)).date(), 20_231_114);
    }

    #[test]
    fn local_time_is_utc_plus_whole_minutes() {
        let unix = UnixTime(1_700_000_000_000);
        assert_eq!(local(unix).second, utc(unix).second);
    }
}
