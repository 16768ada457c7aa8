//! What became of each device of a fleet.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use muster::{Event, PlatformName};
use serde::Serialize;
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;

use super::super::clock::{self, local, rfc3339};
use super::super::show;
use crate::exit::{Exit, Kind};
use crate::text;

/// How often the counts are told, if they have changed.
pub(super) const EVERY: Duration = Duration::from_millis(500);
/// Without a terminal, less often: it is a log then.
const EVERY_IN_A_LOG: Duration = Duration::from_secs(5);

/// Who is not ready after so long does not keep others waiting any more.
const PASS_FOR: Duration = Duration::from_secs(20);

/// Where a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// Its turn has not come.
    Waiting,
    /// On its way to `ready`.
    Starting,
    Ready,
    /// Something failed, and is tried again.
    Retrying,
    /// It has reached what the fleet was to reach, or was ended without a fault.
    Done,
    Failed,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Retrying => "retrying",
            Self::Done => "done",
            Self::Failed => "failed",
        })
    }
}

/// What is known of one device.
struct Entry {
    name: String,
    state: State,
    /// Whether it got its secret in this run.
    registered: bool,
    /// Whether it was ready at any time of this run.
    was_ready: bool,
    /// Why it is not ready.
    why: String,
    next: String,
    kind: Option<Kind>,
    /// What lets it start: given back when others may.
    pass: Option<OwnedSemaphorePermit>,
}

/// How many devices are where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) devices: usize,
    waiting: usize,
    starting: usize,
    ready: usize,
    retrying: usize,
    pub(super) done: usize,
    pub(super) failed: usize,
    /// How many got their secret in this run.
    registered: usize,
}

/// All devices.
pub(super) struct Board {
    entries: Arc<Vec<Mutex<Entry>>>,
    json: bool,
    terminal: bool,
    begun: Instant,
    told: Mutex<(Counts, Option<Instant>)>,
    deaf: AtomicBool,
    platform: PlatformName,
}

/// One device's place on the board.
#[derive(Clone)]
pub(super) struct Member {
    entries: Arc<Vec<Mutex<Entry>>>,
    number: usize,
    platform: PlatformName,
}

impl Board {
    pub(super) fn new(
        platform: PlatformName,
        names: impl Iterator<Item = String>,
        json: bool,
    ) -> Self {
        let entry = |name| {
            Mutex::new(Entry {
                name,
                state: State::Waiting,
                registered: false,
                was_ready: false,
                why: String::new(),
                next: String::new(),
                kind: None,
                pass: None,
            })
        };
        Self {
            entries: Arc::new(names.map(entry).collect()),
            json,
            terminal: !json && io::stdout().is_terminal(),
            begun: Instant::now(),
            told: Mutex::new((Counts::default(), None)),
            deaf: AtomicBool::new(false),
            platform,
        }
    }

    pub(super) fn member(&self, number: usize) -> Member {
        Member { entries: self.entries.clone(), number, platform: self.platform }
    }

    /// The first line.
    pub(super) fn begin(&self, memory: &str) {
        let devices = self.entries.len();
        if self.json {
            self.object(json!({
                "event": "fleet", "platform": self.platform, "devices": devices, "memory": memory,
            }));
        } else {
            self.line(&format!("{devices} devices of {}; memory: {memory}", self.platform));
        }
    }

    /// The counts, if they are others than before.
    pub(super) fn tell(&self) {
        let counts = self.counts();
        let mut told = lock(&self.told);
        let at_rest = counts.waiting + counts.starting == 0;
        let soon = !self.terminal
            && !at_rest
            && told.1.is_some_and(|before| before.elapsed() < EVERY_IN_A_LOG);
        if told.0 == counts || soon {
            return;
        }
        *told = (counts.clone(), Some(Instant::now()));
        drop(told);
        if self.json {
            let mut line = json!({ "event": "counts" });
            if let (Some(line), Ok(serde_json::Value::Object(counts))) =
                (line.as_object_mut(), serde_json::to_value(&counts))
            {
                line.extend(counts);
            }
            self.object(line);
        } else {
            let seconds = self.begun.elapsed().as_secs_f64();
            let text = format!("{}  {counts} ({seconds:.1} s)", local(clock::unix()).time());
            if self.terminal {
                // Over the line before.
                self.write(&format!("\r\x1b[K{text}{}", if at_rest { "\n" } else { "" }));
            } else {
                self.line(&text);
            }
        }
    }

    pub(super) fn say(&self, text: &str) {
        if self.json {
            self.object(json!({ "event": "note", "text": text }));
        } else {
            self.line(text);
        }
    }

    /// Whether nobody reads our output any more.
    pub(super) fn is_deaf(&self) -> bool {
        self.deaf.load(Ordering::Relaxed)
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts { devices: self.entries.len(), ..Counts::default() };
        for entry in self.entries.iter() {
            let entry = lock(entry);
            counts.registered += usize::from(entry.registered);
            *match entry.state {
                State::Waiting => &mut counts.waiting,
                State::Starting => &mut counts.starting,
                State::Ready => &mut counts.ready,
                State::Retrying => &mut counts.retrying,
                State::Done => &mut counts.done,
                State::Failed => &mut counts.failed,
            } += 1;
        }
        counts
    }

    /// The exit code of the fleet, and what most of those that failed say.
    pub(super) fn worst(&self) -> (Kind, String) {
        let mut reasons: BTreeMap<String, (usize, Kind, String)> = BTreeMap::new();
        for entry in self.entries.iter() {
            let entry = lock(entry);
            if entry.state == State::Done || entry.why.is_empty() {
                continue;
            }
            let kind = entry.kind.unwrap_or(Kind::Network);
            let reason =
                reasons.entry(entry.why.clone()).or_insert_with(|| (0, kind, entry.name.clone()));
            reason.0 += 1;
        }
        match reasons.into_iter().max_by_key(|(_, (times, ..))| *times) {
            Some((why, (times, kind, name))) => {
                (kind, format!("{times} of them because: {why} (such as {name})"))
            }
            None => (Kind::Network, "they were not ready in time".into()),
        }
    }

    /// Writes what became of each: no secret is among it.
    pub(super) fn results(&self, path: &Path) -> Result<(), Exit> {
        let failed = |e: &dyn fmt::Display| {
            Exit::local(
                format!("the results cannot be written to {}: {e}", path.display()),
                "choose another file with --results",
            )
        };
        let mut out = csv::Writer::from_path(path).map_err(|e| failed(&e))?;
        let header = ["device", "state", "registered", "why", "next"];
        out.write_record(header).map_err(|e| failed(&e))?;
        for entry in self.entries.iter() {
            let entry = lock(entry);
            let registered = if entry.registered {
                "now"
            } else if entry.was_ready {
                "before"
            } else {
                ""
            };
            let state = entry.state.to_string();
            let [why, next] = [&entry.why, &entry.next].map(|text| text::harmless(text));
            out.write_record([&entry.name, &state, registered, &why, &next])
                .map_err(|e| failed(&e))?;
        }
        out.flush().map_err(|e| failed(&e))
    }

    fn object(&self, value: serde_json::Value) {
        let mut line = serde_json::Map::new();
        line.insert("time".into(), rfc3339(clock::unix()).into());
        if let serde_json::Value::Object(fields) = value {
            line.extend(fields);
        }
        self.line(&serde_json::Value::Object(line).to_string());
    }

    fn line(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    fn write(&self, text: &str) {
        let mut out = io::stdout().lock();
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            self.deaf.store(true, Ordering::Relaxed);
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ready", self.ready)?;
        for (count, name) in [
            (self.starting, "starting"),
            (self.waiting, "waiting"),
            (self.retrying, "retrying"),
            (self.done, "done"),
            (self.failed, "failed"),
        ] {
            if count > 0 {
                write!(f, ", {count} {name}")?;
            }
        }
        if self.registered > 0 {
            write!(f, "; {} got their secret", self.registered)?;
        }
        Ok(())
    }
}

impl show::Member for Member {
    fn name(&self) -> String {
        self.with(|entry| entry.name.clone()).unwrap_or_default()
    }

    fn event(&self, event: &Event) {
        self.with(|entry| match event {
            Event::Registered { .. } => entry.registered = true,
            Event::Ready => {
                (entry.state, entry.was_ready, entry.pass) = (State::Ready, true, None);
                entry.why.clear();
            }
            Event::Retrying { error, .. } => {
                entry.state = State::Retrying;
                entry.why = text::error(error, self.platform);
            }
            _ => {}
        });
    }

    fn note(&self, text: &str) {
        self.with(|entry| {
            if entry.state != State::Ready {
                entry.why = text.to_owned();
            }
        });
    }
}

impl Member {
    /// Its turn has come.
    pub(super) fn begins(&self, pass: OwnedSemaphorePermit) {
        self.with(|entry| {
            entry.state = State::Starting;
            entry.pass = Some(pass);
        });
        let member = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(PASS_FOR).await;
            member.with(|entry| entry.pass = None);
        });
    }

    /// How it ended.
    pub(super) fn ended(&self, result: Result<(), Exit>) {
        self.with(|entry| {
            entry.pass = None;
            match result {
                Ok(()) if entry.was_ready || entry.registered => {
                    entry.state = State::Done;
                    entry.why.clear();
                }
                // Ended by a person before it got anywhere.
                Ok(()) => entry.state = State::Waiting,
                Err(exit) => {
                    entry.state = State::Failed;
                    (entry.why, entry.next, entry.kind) =
                        (exit.message, exit.next, Some(exit.kind));
                }
            }
        });
    }

    fn with<T>(&self, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.entries.get(self.number).map(|entry| change(&mut lock(entry)))
    }
}

/// A poisoned entry is as good as any: a panic in between leaves whole values.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
