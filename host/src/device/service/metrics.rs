//! Numbers for Prometheus, in its text format 0.0.4.
//!
//! Names follow its conventions: units in full, `_total` behind what only grows. The labels' values are words of this
//! file, the platform, and the device's own name: what a cloud or a plugin says never becomes one.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::time::Duration;

use muster::{Command, UnixTime, Update};

use super::status::{Moment, State, Status};

/// A count for each word.
type Words = BTreeMap<&'static str, u64>;

/// What only grows.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) connects: u64,
    pub(super) sessions: u64,
    pub(super) closed: Words,
    pub(super) registrations: u64,
    pub(super) heartbeats: u64,
    pub(super) retries: u64,
    pub(super) warnings: u64,
    publishes: u64,
    published_bytes: u64,
    pub(super) messages: u64,
    pub(super) message_bytes: u64,
    requests: u64,
    pub(super) responses: Words,
    pub(super) stored: Words,
    stores: Words,
    stored_bytes: u64,
    pub(super) downloaded_bytes: u64,
    updates: Words,
    upgrades: Words,
    fuel: Histogram,
    seconds: Histogram,
    pub(super) plugin_failures: Words,
    pub(super) plugin_restarts: u64,
    pub(super) held_back: u64,
    refused: BTreeMap<(&'static str, &'static str), u64>,
    /// At the socket, by status.
    pub(super) answers: BTreeMap<u16, u64>,
}

/// Up to where a bucket reaches, and how that is written.
type Bounds = [(u64, &'static str); 7];

/// Of one call, an honest one takes below 400,000.
const FUEL: Bounds = [
    (10_000, "10000"),
    (30_000, "30000"),
    (100_000, "100000"),
    (300_000, "300000"),
    (1_000_000, "1000000"),
    (10_000_000, "10000000"),
    (100_000_000, "100000000"),
];
/// Counted in microseconds.
const SECONDS: Bounds = [
    (100, "0.0001"),
    (300, "0.0003"),
    (1_000, "0.001"),
    (10_000, "0.01"),
    (100_000, "0.1"),
    (1_000_000, "1"),
    (10_000_000, "10"),
];

/// A sample's value. Floating point, and the code that prints it, is not needed for any.
#[derive(Clone, Copy)]
enum Number {
    Whole(u64),
    Millis(u64),
    Micros(u64),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Whole(n) => write!(f, "{n}"),
            Self::Millis(n) => write!(f, "{}.{:03}", n / 1_000, n % 1_000),
            Self::Micros(n) => write!(f, "{}.{:06}", n / 1_000_000, n % 1_000_000),
        }
    }
}

#[derive(Default)]
struct Histogram {
    /// Up to each bound, not added up.
    within: [u64; 7],
    count: u64,
    sum: u64,
}

impl Histogram {
    fn add(&mut self, bounds: &Bounds, value: u64) {
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
        let slots = bounds.iter().zip(&mut self.within);
        if let Some((_, slot)) = slots.into_iter().find(|((bound, _), _)| value <= *bound) {
            *slot += 1;
        }
    }
}

impl Counters {
    pub(super) fn command(&mut self, command: &Command) {
        match command {
            Command::Connect(..) => self.connects += 1,
            Command::Publish(_, publish) => {
                self.publishes += 1;
                self.published_bytes += publish.payload.expose().len() as u64;
            }
            Command::Request(..) => self.requests += 1,
            Command::Store(_, key, value) => {
                *self.stores.entry(key.name()).or_default() += 1;
                self.stored_bytes += value.expose().len() as u64;
            }
            _ => {}
        }
    }

    /// A call into the plugin.
    pub(super) fn called(&mut self, fuel: u64, took: Duration) {
        self.fuel.add(&FUEL, fuel);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.seconds.add(&SECONDS, micros);
    }

    pub(super) fn refused(&mut self, rule: &'static str, plugins: bool) {
        let blame = if plugins { "plugin" } else { "cloud" };
        *self.refused.entry((rule, blame)).or_default() += 1;
    }

    pub(super) fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    pub(super) fn update(&mut self, update: &Update) {
        let word = match update {
            Update::Offered { .. } => "offered",
            Update::Installed { .. } => "installed",
            Update::Reported { .. } => "reported",
            Update::Failed { .. } => "failed",
            Update::Cancelled => "cancelled",
            _ => return,
        };
        *self.updates.entry(word).or_default() += 1;
    }

    pub(super) fn upgrade(&mut self, stage: &'static str) {
        *self.upgrades.entry(stage).or_default() += 1;
    }
}

/// A page of samples.
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: Number) {
        self.0.push_str(name);
        for (at, (label, value)) in labels.iter().enumerate() {
            let _ =
                write!(self.0, "{}{label}=\"{}\"", if at == 0 { '{' } else { ',' }, escaped(value));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: Number) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.one(name, "counter", help, Number::Whole(value));
    }

    /// Each of `known` is there from the beginning: what is not there yet cannot be seen to grow.
    fn words(&mut self, name: &str, help: &str, label: &str, known: &[&str], words: &Words) {
        self.family(name, "counter", help);
        for word in known {
            let count = words.get(word).copied().unwrap_or(0);
            self.sample(name, &[(label, word)], Number::Whole(count));
        }
        for (word, count) in words.iter().filter(|(word, _)| !known.contains(word)) {
            self.sample(name, &[(label, word)], Number::Whole(*count));
        }
    }

    /// `sum`: the unit of what was added.
    fn histogram(
        &mut self,
        name: &str,
        help: &str,
        bounds: &Bounds,
        of: &Histogram,
        sum: fn(u64) -> Number,
    ) {
        self.family(name, "histogram", help);
        let bucket = format!("{name}_bucket");
        let mut so_far = 0;
        for ((_, bound), within) in bounds.iter().zip(&of.within) {
            so_far += within;
            self.sample(&bucket, &[("le", bound)], Number::Whole(so_far));
        }
        self.sample(&bucket, &[("le", "+Inf")], Number::Whole(of.count));
        self.sample(&format!("{name}_sum"), &[], sum(of.sum));
        self.sample(&format!("{name}_count"), &[], Number::Whole(of.count));
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn seconds(at: UnixTime) -> Number {
    Number::Millis(at.0)
}

/// Everything.
pub(super) fn render(status: &Status, now: Moment) -> String {
    let mut page = Page(String::with_capacity(8192));
    let flag = |is: bool| Number::Whole(u64::from(is));
    let (c, who) = (&status.counters, &status.identity);

    page.family("muster_device_info", "gauge", "Which device this is; always 1.");
    let labels = [
        ("platform", who.platform.as_str()),
        ("product", &who.product),
        ("device", &who.device),
        ("version", env!("CARGO_PKG_VERSION")),
    ];
    page.sample("muster_device_info", &labels, Number::Whole(1));
    page.one(
        "muster_device_start_time_seconds",
        "gauge",
        "When this process took the device up, since the Unix epoch.",
        seconds(status.started),
    );
    page.one(
        "muster_device_healthy",
        "gauge",
        "Whether /health answers 200.",
        flag(status.is_healthy(now)),
    );
    page.one(
        "muster_device_ready",
        "gauge",
        "Whether the device is logged in with its own secret, or has reported with it.",
        flag(status.state() == State::Ready),
    );
    page.one(
        "muster_device_registered",
        "gauge",
        "Whether the device has its own secret.",
        flag(status.is_registered()),
    );
    page.one(
        "muster_device_connected",
        "gauge",
        "Whether there is an MQTT session.",
        flag(status.is_connected()),
    );
    page.family("muster_device_state", "gauge", "The state: 1 where it is, 0 elsewhere.");
    for state in State::ALL {
        page.sample(
            "muster_device_state",
            &[("state", state.word())],
            flag(status.state() == state),
        );
    }
    for (name, help, at) in [
        (
            "muster_device_last_heartbeat_timestamp_seconds",
            "When the cloud last accepted a heartbeat or version report, since the Unix epoch; 0 before the first.",
            status.last_heartbeat(),
        ),
        (
            "muster_device_next_heartbeat_timestamp_seconds",
            "When the next heartbeat is due, since the Unix epoch; 0 if none is.",
            status.next_due(now),
        ),
    ] {
        page.one(name, "gauge", help, at.map_or(Number::Whole(0), seconds));
    }
    page.one(
        "muster_device_failures_in_a_row",
        "gauge",
        "Tries that have failed since the device was last ready.",
        Number::Whole(status.failures().into()),
    );

    page.counter("muster_device_connects_total", "MQTT connections that were begun.", c.connects);
    page.counter("muster_device_sessions_total", "MQTT sessions that were accepted.", c.sessions);
    page.words(
        "muster_device_disconnects_total",
        "MQTT connections that ended, or never were.",
        "reason",
        &["requested", "refused", "lost", "failed"],
        &c.closed,
    );
    page.counter(
        "muster_device_registrations_total",
        "Secrets that the cloud issued.",
        c.registrations,
    );
    page.counter(
        "muster_device_heartbeats_total",
        "Heartbeats and version reports that the cloud accepted.",
        c.heartbeats,
    );
    page.counter(
        "muster_device_retries_total",
        "Failures after which it was tried again.",
        c.retries,
    );
    page.counter(
        "muster_device_warnings_total",
        "Oddities that the device lived with.",
        c.warnings,
    );
    page.counter("muster_device_publishes_total", "MQTT messages sent.", c.publishes);
    page.counter(
        "muster_device_published_bytes_total",
        "Payload of MQTT messages sent.",
        c.published_bytes,
    );
    page.counter("muster_device_messages_total", "MQTT messages received.", c.messages);
    page.counter(
        "muster_device_message_bytes_total",
        "Payload of MQTT messages received.",
        c.message_bytes,
    );
    page.counter("muster_device_requests_total", "HTTP requests begun.", c.requests);
    page.words(
        "muster_device_responses_total",
        "HTTP requests that ended, by the class of their status.",
        "outcome",
        &["2xx", "3xx", "4xx", "5xx", "other", "failed"],
        &c.responses,
    );
    page.words(
        "muster_device_store_writes_total",
        "Values handed to the disk.",
        "key",
        &["credential", "schedule", "firmware"],
        &c.stores,
    );
    page.words(
        "muster_device_store_results_total",
        "How writing and erasing values ended.",
        "outcome",
        &["done", "failed"],
        &c.stored,
    );
    page.counter(
        "muster_device_stored_bytes_total",
        "Bytes of values handed to the disk.",
        c.stored_bytes,
    );
    page.words(
        "muster_device_updates_total",
        "Firmware updates, by how far they came.",
        "result",
        &["offered", "installed", "reported", "failed", "cancelled"],
        &c.updates,
    );
    page.counter(
        "muster_device_downloaded_bytes_total",
        "Bytes of firmware images that arrived whole.",
        c.downloaded_bytes,
    );
    page.histogram(
        "muster_device_plugin_call_fuel",
        "Fuel that a call into the plugin took: about an instruction each.",
        &FUEL,
        &c.fuel,
        Number::Whole,
    );
    page.histogram(
        "muster_device_plugin_call_seconds",
        "Time that a call into the plugin took, its way to another thread included.",
        &SECONDS,
        &c.seconds,
        Number::Micros,
    );
    page.words(
        "muster_device_plugin_failures_total",
        "Failures of the plugin, by who has to mend them.",
        "blame",
        &["plugin", "host"],
        &c.plugin_failures,
    );
    page.counter(
        "muster_device_plugin_restarts_total",
        "Instances that were to follow a failed one.",
        c.plugin_restarts,
    );
    page.counter(
        "muster_device_plugin_held_back_total",
        "Times that the plugin was slowed down.",
        c.held_back,
    );
    page.words(
        "muster_device_plugin_upgrades_total",
        "Upgrades of the plugin, by what became of them.",
        "stage",
        &["trial", "confirmed", "reverted", "refused", "passed_over", "fell_back"],
        &c.upgrades,
    );
    let name = "muster_device_policy_refusals_total";
    page.family(name, "counter", "What the policy refused, by rule and by who asked for it.");
    for ((rule, blame), count) in &c.refused {
        page.sample(name, &[("rule", rule), ("blame", blame)], Number::Whole(*count));
    }
    let name = "muster_device_health_answers_total";
    page.family(name, "counter", "Answers at the health socket, by HTTP status.");
    for (status, count) in &c.answers {
        page.sample(name, &[("status", &status.to_string())], Number::Whole(*count));
    }
    if let Some(bytes) = resident() {
        let help = "Resident memory of this process.";
        page.one("process_resident_memory_bytes", "gauge", help, Number::Whole(bytes));
    }
    page.0
}

/// Of this process, from Linux.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster::{Identity, PlatformName};

    #[test]
    fn a_histogram_adds_up_and_keeps_what_is_beyond_its_bounds() {
        let mut of = Histogram::default();
        for value in [1, 10_000, 20_000, 1_000_000_000] {
            of.add(&FUEL, value);
        }
        let mut page = Page(String::new());
        page.histogram("h", "Help.", &FUEL, &of, Number::Whole);
        for line in [
            "h_bucket{le=\"10000\"} 2",
            "h_bucket{le=\"30000\"} 3",
            "h_bucket{le=\"100000000\"} 3",
            "h_bucket{le=\"+Inf\"} 4",
            "h_sum 1000030001",
            "h_count 4",
        ] {
            assert!(page.0.lines().any(|l| l == line), "{line} in\n{}", page.0);
        }
        assert_eq!(Number::Micros(1_000_203).to_string(), "1.000203");
        assert_eq!(Number::Millis(7_045).to_string(), "7.045");
    }

    #[test]
    fn a_devices_name_cannot_break_out_of_its_label() {
        let device = "d\"} 1\nevil 2\\".to_owned();
        let identity = Identity { platform: PlatformName::Krtyun, product: "p".into(), device };
        let page = render(&Status::new(identity, "", false, Duration::from_secs(9)), Moment::now());
        assert!(page.contains("device=\"d\\\"} 1\\nevil 2\\\\\""), "{page}");
        assert!(!page.lines().any(|line| line.starts_with("evil")));
    }
}
