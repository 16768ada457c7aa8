//! What a fleet tells its page: counts and figures a few times a second, rows when they are asked for.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::error::Error;
use crate::output::Advice;
use crate::trace::TroubleReason;

/// Where a device of a fleet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FleetState {
    /// Its turn has not come.
    Waiting,
    /// On its way to its secret.
    Registering,
    /// On its way to `ready`, with its secret.
    Login,
    /// Ready.
    Online,
    /// Something failed, and is tried again.
    Retrying,
    /// The cloud said no, and only a person can decide how to go on.
    Rejected,
    /// Something else failed for good.
    Failed,
    /// Logged out.
    Off,
    /// It does not fit into this tab: there is no socket left for it.
    Beyond,
    /// Taken out of the fleet, to be looked at alone.
    Taken,
}

impl FleetState {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Waiting,
        Self::Registering,
        Self::Login,
        Self::Online,
        Self::Retrying,
        Self::Rejected,
        Self::Failed,
        Self::Off,
        Self::Beyond,
        Self::Taken,
    ];
}

/// How many devices are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[expect(missing_docs, reason = "the names of `FleetState`")]
pub struct FleetCounts {
    pub waiting: u32,
    pub registering: u32,
    pub login: u32,
    pub online: u32,
    pub retrying: u32,
    pub rejected: u32,
    pub failed: u32,
    pub off: u32,
    pub beyond: u32,
    pub taken: u32,
}

/// What a fleet does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum FleetPhase {
    /// It has not begun, or was ended.
    Idle,
    /// Devices start, and live.
    Running,
    /// No device starts; those that live go on.
    Paused,
}

/// A quantity that was measured many times: milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FleetQuantiles {
    /// How often.
    pub count: u32,
    /// The median.
    pub p50: f64,
    /// 95 of 100 took at most this.
    pub p95: f64,
    /// 99 of 100 took at most this.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// One quantity: since the run began, and since it was last told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FleetLatency {
    /// Since the run began.
    pub all: FleetQuantiles,
    /// Since it was last told.
    pub recent: FleetQuantiles,
}

/// How long things take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FleetLatencies {
    /// From the beginning of a handshake to the open WebSocket.
    pub connect: FleetLatency,
    /// From the beginning of its first handshake or request until the secret is stored.
    pub register: FleetLatency,
    /// From the beginning of the login's handshake (or of the first report, where there is no session) to `ready`.
    pub login: FleetLatency,
    /// From a report to its answer.
    pub report: FleetLatency,
}

/// What there is of something, and how much of it is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FleetRoom {
    /// In use: open, on their way, or closing.
    pub used: u32,
    /// Of these on their way.
    pub pending: u32,
    /// Devices that wait for one.
    pub waiting: u32,
    /// So many there may be; 0: there is no limit.
    pub most: u32,
}

/// Failures of one kind.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FleetCause {
    /// The first of its kind.
    pub error: Error,
    /// What a second look at the network said.
    pub trouble: Option<TroubleReason>,
    /// What a person may want to do; none: it is tried again by itself.
    pub advice: Option<Advice>,
    /// Devices that are held up by it now.
    pub devices: u32,
    /// How often it happened.
    pub times: u32,
    /// The device that it happened to first.
    pub example: String,
    /// When it happened first and last: milliseconds since 1970.
    pub first: f64,
    /// See `first`.
    pub last: f64,
}

/// How a fleet is, at one moment.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FleetStatus {
    /// Milliseconds since 1970.
    pub unix: f64,
    /// Milliseconds since the run began.
    pub at: f64,
    /// What it does.
    pub phase: FleetPhase,
    /// Devices in the list.
    pub devices: u32,
    /// How many are where.
    pub counts: FleetCounts,
    /// How many were ready at any time of this run.
    pub readied: u32,
    /// How many got their secret in this run.
    pub registered: u32,
    /// When the last of `readied` came, in milliseconds since the run began.
    pub readied_at: f64,
    /// Reports that were accepted.
    pub reports: u32,
    /// Reports that were due before the one before was answered.
    pub reports_late: u32,
    /// Times that an online device was not online any more, unless it was asked to.
    pub lost: u32,
    /// Milliseconds until the next one tries again, if any waits.
    pub retry_in: Option<f64>,
    /// WebSockets.
    pub sockets: FleetRoom,
    /// HTTP requests.
    pub requests: FleetRoom,
    /// How long things take.
    pub latency: FleetLatencies,
    /// Failures by their causes, the most frequent first.
    pub causes: Vec<FleetCause>,
    /// Failures of more kinds than are kept apart.
    pub other_causes: u32,
    /// WebAssembly memory, in bytes.
    pub memory: f64,
}

/// One device of a fleet.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FleetRow {
    /// Its place in the list: 0, 1, 2 …
    pub n: u32,
    /// As its cloud calls it.
    pub name: String,
    /// Its line in the list that it came from; 0: it came from none.
    pub line: u32,
    /// Where it is.
    pub state: FleetState,
    /// Whether it got its secret in this run (`now`) or had it (`before`); empty as long as that is not known.
    #[cfg_attr(feature = "ts", ts(type = "\"\" | \"now\" | \"before\""))]
    pub registered: &'static str,
    /// Since when it is there: milliseconds since 1970.
    pub since: f64,
    /// When it tries again, in the same way.
    pub retry_at: Option<f64>,
    /// What holds it up.
    pub error: Option<Error>,
    /// What a second look at the network said of it.
    pub trouble: Option<TroubleReason>,
    /// What a person may want to do about it.
    pub advice: Option<Advice>,
    /// Reports that were accepted.
    pub reports: u32,
}

/// Some of the rows.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FleetRows {
    /// How many there are in all that were asked for.
    pub total: u32,
    /// Those of the part that was asked for.
    pub rows: Vec<FleetRow>,
}

/// A line of a list that cannot be used. It shows no field: any may be a secret.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FleetProblem {
    /// As editors count.
    pub line: u32,
    /// The setting, where it is one.
    pub key: String,
    /// What would be right.
    pub problem: String,
}
