//! The clouds' log: the latest lines in memory, and a feed for those who follow.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use muster::cloud::LogEntry;
use serde::Serialize;
use tokio::sync::broadcast;

/// Lines that are remembered, and that a follower may be behind.
const REMEMBERED: usize = 2_000;

/// A numbered line.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    /// Counts from 1 since the start.
    pub(crate) seq: u64,
    /// Unix milliseconds.
    pub(crate) at: u64,
    #[serde(flatten)]
    pub(crate) entry: LogEntry,
}

/// The log. It holds no secret: see [`LogEntry`].
#[derive(Debug)]
pub(crate) struct Journal {
    lines: Mutex<(u64, VecDeque<Arc<Line>>)>,
    feed: broadcast::Sender<Arc<Line>>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self { lines: Mutex::default(), feed: broadcast::channel(REMEMBERED).0 }
    }

    /// Adds a line.
    pub(crate) fn push(&self, at: u64, entry: LogEntry) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.0 += 1;
        let line = Arc::new(Line { seq: lines.0, at, entry });
        if lines.1.len() == REMEMBERED {
            lines.1.pop_front();
        }
        lines.1.push_back(Arc::clone(&line));
        // Sent under the lock: whoever subscribes under it misses no line and sees none twice.
        let _ = self.feed.send(line);
    }

    /// The remembered lines after `seq`, and the feed of those to come.
    pub(crate) fn read(&self, after: u64) -> (Vec<Arc<Line>>, broadcast::Receiver<Arc<Line>>) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let past = lines.1.iter().filter(|line| line.seq > after).cloned().collect();
        (past, self.feed.subscribe())
    }
}
