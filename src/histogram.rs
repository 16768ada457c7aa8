//! Quantiles of many times, in little memory: counts of logarithmic buckets, each 3 % wide.
//!
//! A value is known to within its bucket, and never finer than an eighth of a millisecond; the largest is kept as it
//! was. That is enough for a chart, and 2.6 KB hold a million values.

use alloc::vec::Vec;

/// Buckets of one octave.
const PARTS: u32 = 32;
/// Eighths of a millisecond are told apart.
const FINEST: f64 = 8.0;
/// Octaves: the last bucket begins at an hour and more.
const OCTAVES: u32 = 21;
const BUCKETS: u32 = PARTS * OCTAVES;

/// Times in milliseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histogram {
    /// Empty until the first value.
    counts: Vec<u32>,
    count: u32,
    max: f64,
}

impl Histogram {
    /// Takes one in. What is no time counts as none.
    pub(crate) fn add(&mut self, millis: f64) {
        let millis = if millis.is_finite() { millis.max(0.0) } else { 0.0 };
        if self.counts.is_empty() {
            self.counts.resize(BUCKETS as usize, 0);
        }
        if let Some(count) = self.counts.get_mut(bucket(millis) as usize) {
            *count = count.saturating_add(1);
        }
        self.count = self.count.saturating_add(1);
        self.max = self.max.max(millis);
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn max(&self) -> f64 {
        self.max
    }

    /// The time that `share` of all values (0 to 1) do not exceed; 0 without values.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank, between 1 and the count"
    )]
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let rank = (f64::from(self.count) * share.clamp(0.0, 1.0)).max(1.0);
        // `f64::ceil` is not in `core`.
        let whole = rank as u32;
        let rank = if f64::from(whole) < rank { whole.saturating_add(1) } else { whole };
        let mut seen = 0u32;
        for (at, &count) in (0..).zip(&self.counts) {
            seen = seen.saturating_add(count);
            if seen >= rank {
                return middle(at).min(self.max);
            }
        }
        self.max
    }

    /// Forgets all of it, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.counts.fill(0);
        self.count = 0;
        self.max = 0.0;
    }
}

/// Below `PARTS` each unit has a bucket of its own; above, each octave has `PARTS`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most u32::MAX")]
fn bucket(millis: f64) -> u32 {
    let unit = (millis * FINEST).min(f64::from(u32::MAX)) as u32;
    if unit < PARTS {
        return unit;
    }
    let octave = unit.ilog2() - PARTS.ilog2();
    ((octave + 1) * PARTS + ((unit >> octave) - PARTS)).min(BUCKETS - 1)
}

fn middle(bucket: u32) -> f64 {
    let (octave, part) = (bucket / PARTS, bucket % PARTS);
    if octave == 0 {
        return (f64::from(part) + 0.5) / FINEST;
    }
    let width = f64::from(1u32 << (octave - 1));
    (f64::from(PARTS + part) + 0.5) * width / FINEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_three_percent() {
        let mut histogram = Histogram::default();
        for n in 1..=100_000u32 {
            histogram.add(f64::from(n) / 10.0);
        }
        assert_eq!(histogram.count(), 100_000);
        for (share, is) in [(0.5, 5_000.0), (0.95, 9_500.0), (0.99, 9_900.0)] {
            let told = histogram.quantile(share);
            assert!((told / is - 1.0).abs() < 0.03, "{share}: {told} instead of {is}");
        }
        assert_eq!(histogram.quantile(1.0), histogram.max());
        assert_eq!(histogram.max(), 10_000.0);
    }

    #[test]
    fn short_times_are_within_an_eighth_of_a_millisecond() {
        for n in 1..=500u32 {
            let is = f64::from(n) / 100.0;
            let mut histogram = Histogram::default();
            histogram.add(is);
            histogram.add(1_000.0);
            let told = histogram.quantile(0.5);
            assert!((told - is).abs() <= (0.125f64 / 2.0).max(is * 0.03) + 1e-9, "{told} for {is}");
        }
    }

    #[test]
    fn single_values_and_none() {
        let mut histogram = Histogram::default();
        assert_eq!((histogram.quantile(0.5), histogram.count()), (0.0, 0));
        histogram.add(12.0);
        for share in [0.0, 0.5, 0.99, 1.0] {
            assert!((histogram.quantile(share) - 12.0).abs() < 0.2, "{share}");
        }
        histogram.clear();
        assert_eq!((histogram.quantile(0.5), histogram.max()), (0.0, 0.0));
    }

    #[test]
    fn nothing_is_out_of_range() {
        let mut histogram = Histogram::default();
        for odd in [f64::NAN, f64::INFINITY, -5.0, 0.0, 1e12] {
            histogram.add(odd);
        }
        assert_eq!(histogram.count(), 5);
        assert_eq!(histogram.max(), 1e12);
        assert!(histogram.quantile(0.5) < 0.2);
        // A slow one never counts as faster than it was told apart: the buckets grow.
        let all: Vec<u32> = (0..5_000_000).step_by(997).map(|n| bucket(f64::from(n))).collect();
        assert!(all.is_sorted() && all.iter().all(|&at| at < BUCKETS));
    }
}
