//! Inputs, outputs and state as a person (and a page) reads them, every secret covered.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::error::{Failure, LocalFailure};
use crate::http::Request;
use crate::input::{Ack, Answer, Closed, Downloaded, Input, Intent, Outcome};
use crate::output::{Command, Event, Output, StoreKey};
use crate::page::NextWhy;
use crate::platform::PlatformName;
use crate::trace::{Mask, Payload, string_to_sign};

/// One step of a replay: what came, what the agent said, and how it stands now.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ReplayPlace {
    /// 0: before the first input; then the number of the input.
    pub at: usize,
    /// Milliseconds by the monotonic clock.
    pub mono: u64,
    /// Milliseconds since 1970, where the device knew.
    pub unix: Option<u64>,
    /// What came.
    pub input: ReplayInput,
    /// The agent did not take it: why.
    pub refused: Option<String>,
    /// What the agent said. The last one is the time-out.
    pub outputs: Vec<ReplayOutput>,
    /// Whether it said the same when it was recorded; null: nobody kept that.
    pub same: Option<bool>,
    /// What it said then, where it said something else and that was kept.
    pub recorded: Option<Vec<ReplayOutput>>,
    /// The word for what is awaited.
    pub word: String,
    /// The state.
    pub state: Vec<ReplayField>,
}

/// A part of the state.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ReplayField {
    /// Its name in the code.
    pub name: String,
    /// Its value; null: it is not there any more.
    pub value: Option<String>,
    /// Whether this step changed it.
    pub changed: bool,
    /// Its value before, if the step changed it; null: it was not there.
    pub before: Option<String>,
}

/// One step of a replay, in a list of all.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ReplayMark {
    /// Milliseconds by the monotonic clock.
    pub mono: u64,
    /// The number of the timeline's last entry when it came; 0 if there is none.
    pub seq: u32,
    /// What kind of input.
    pub input: String,
}

/// What a recording is, and whether this build says what was recorded.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ReplayCheck {
    /// Which cloud.
    pub platform: PlatformName,
    /// The version of the code that was recorded.
    pub core: String,
    /// The version of this code.
    pub this: String,
    /// Secrets were replaced by stand-ins.
    pub covered: bool,
    /// How many inputs came before, and were let go.
    pub dropped: u64,
    /// How many inputs there are.
    pub length: usize,
    /// The first step at which this build says something else; null: none.
    pub differs: Option<usize>,
    /// At how many steps nobody kept what was said.
    pub unknown: usize,
}

/// Bytes as a person reads them.
pub type ReplayPayload = Payload;

/// What came.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum ReplayInput {
    /// The device was switched on.
    Birth {
        /// What was on its storage.
        stored: Vec<StoreKey>,
    },
    /// The recording begins in the middle of a life.
    Snapshot,
    /// The time had come.
    Timeout,
    /// CONNACK with code 0.
    Connected {
        /// Of which command.
        token: u32,
    },
    /// There is no connection.
    Closed {
        /// Of which command.
        token: u32,
        /// CONNACK's code.
        code: Option<u8>,
        /// What failed.
        failure: Option<Failure>,
    },
    /// PUBLISH from the server.
    Message {
        /// Topic name.
        topic: String,
        /// Payload.
        payload: ReplayPayload,
    },
    /// PUBACK, SUBACK; for QoS 0: the packet has left.
    Acked {
        /// Of which command.
        token: u32,
        /// The granted QoS of a subscription.
        qos: Option<u8>,
        /// The subscription was refused.
        refused: bool,
    },
    /// An HTTP response.
    Response {
        /// Of which command.
        token: u32,
        /// Status code.
        status: u16,
        /// Name and value.
        headers: Vec<(String, String)>,
        /// Body.
        payload: ReplayPayload,
    },
    /// No HTTP response came.
    NoResponse {
        /// Of which command.
        token: u32,
        /// Why.
        failure: Failure,
    },
    /// A value is stored, or is not.
    Stored {
        /// Of which command.
        token: u32,
        /// Why not.
        failure: Option<LocalFailure>,
    },
    /// A download goes on.
    Progress {
        /// Of which command.
        token: u32,
        /// Bytes.
        received: u64,
        /// In all.
        total: Option<u64>,
    },
    /// A download is complete.
    Downloaded {
        /// Of which command.
        token: u32,
        /// Bytes.
        size: u64,
        /// Lower-case hex.
        sha256: String,
    },
    /// A download broke.
    DownloadFailed {
        /// Of which command.
        token: u32,
        /// Why.
        failure: Failure,
    },
    /// An image is installed, or is not.
    Installed {
        /// Of which command.
        token: u32,
        /// Why not.
        failure: Option<LocalFailure>,
    },
    /// A person wanted something.
    User {
        /// What, in the words of the API.
        intent: String,
        /// Properties to post.
        json: Option<String>,
    },
    /// An input of a kind that this build does not know.
    Unknown,
}

/// What the agent said.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "output", rename_all = "snake_case")]
pub enum ReplayOutput {
    /// Open a connection.
    Connect {
        /// Which command it is.
        token: u32,
        /// Where to.
        url: String,
        /// ClientID.
        client_id: String,
        /// User name.
        username: String,
        /// Covered.
        password: String,
        /// Seconds.
        keep_alive: u16,
    },
    /// Close it.
    Close {
        /// That of the connect.
        token: u32,
    },
    /// Subscribe.
    Subscribe {
        /// Which command it is.
        token: u32,
        /// Topic filter.
        topic: String,
        /// QoS.
        qos: u8,
    },
    /// Publish.
    Publish {
        /// Which command it is.
        token: u32,
        /// Topic name.
        topic: String,
        /// QoS.
        qos: u8,
        /// Payload.
        payload: ReplayPayload,
    },
    /// Send an HTTP request.
    Request {
        /// Which command it is.
        token: u32,
        /// Method.
        method: String,
        /// URL.
        url: String,
        /// Name and value.
        headers: Vec<(String, String)>,
        /// Body.
        payload: ReplayPayload,
        /// What it was signed over.
        string_to_sign: Option<String>,
    },
    /// Put a value on the storage.
    Store {
        /// Which command it is.
        token: u32,
        /// Under which name.
        key: StoreKey,
        /// The value.
        payload: ReplayPayload,
    },
    /// Erase a value.
    Erase {
        /// Which command it is.
        token: u32,
        /// Under which name.
        key: StoreKey,
    },
    /// Fetch an image.
    Download {
        /// Which command it is.
        token: u32,
        /// From where.
        url: String,
        /// Announced.
        size: Option<u64>,
        /// Version.
        version: String,
    },
    /// Stop fetching.
    CancelDownload {
        /// That of the download.
        token: u32,
    },
    /// Make the image the one that runs.
    Install {
        /// Which command it is.
        token: u32,
        /// Version.
        version: String,
        /// Lower-case hex.
        sha256: String,
    },
    /// Something for a person.
    Event {
        /// What.
        event: Event,
    },
    /// Come back then.
    Timeout {
        /// By the monotonic clock; null: not at all.
        mono: Option<u64>,
        /// What for.
        why: Option<NextWhy>,
    },
    /// An output of a kind that this build does not know.
    Unknown,
}

/// The word for a kind of input.
pub(super) fn kind(input: Option<&Input>) -> &'static str {
    match input {
        Some(Input::Timeout) => "timeout",
        Some(Input::Connected(_)) => "connected",
        Some(Input::Closed(..)) => "closed",
        Some(Input::Message(_)) => "message",
        Some(Input::Acked(..)) => "acked",
        Some(Input::Response(_, Answer::Response(_))) => "response",
        Some(Input::Response(_, Answer::Failed(_))) => "no_response",
        Some(Input::Stored(..)) => "stored",
        Some(Input::Progress(..)) => "progress",
        Some(Input::Downloaded(_, Downloaded::Complete { .. })) => "downloaded",
        Some(Input::Downloaded(_, Downloaded::Failed(_))) => "download_failed",
        Some(Input::Installed(..)) => "installed",
        Some(Input::User(_)) => "user",
        None => "unknown",
    }
}

/// Shows what may be seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a>(pub(super) &'a Mask);

impl Shown<'_> {
    pub(super) fn input(self, input: Option<&Input>) -> ReplayInput {
        let Some(input) = input else { return ReplayInput::Unknown };
        match input {
            Input::Timeout => ReplayInput::Timeout,
            Input::Connected(token) => ReplayInput::Connected { token: token.0 },
            Input::Closed(token, closed) => {
                let (code, failure) = match closed {
                    Closed::Refused(code) => (Some(*code), None),
                    Closed::Failed(failure) => (None, Some(*failure)),
                    Closed::Requested => (None, None),
                };
                ReplayInput::Closed { token: token.0, code, failure }
            }
            Input::Message(message) => ReplayInput::Message {
                topic: self.0.hide(&message.topic),
                payload: self.payload(message.payload.expose()),
            },
            Input::Acked(token, ack) => {
                let qos = match ack {
                    Ack::Subscribed(qos) => Some(*qos as u8),
                    Ack::Published | Ack::SubscribeRefused => None,
                };
                let refused = *ack == Ack::SubscribeRefused;
                ReplayInput::Acked { token: token.0, qos, refused }
            }
            Input::Response(token, Answer::Response(response)) => ReplayInput::Response {
                token: token.0,
                status: response.status,
                headers: self.headers(&response.headers),
                payload: self.payload(&response.body),
            },
            Input::Response(token, Answer::Failed(failure)) => {
                ReplayInput::NoResponse { token: token.0, failure: *failure }
            }
            Input::Stored(token, outcome) => {
                ReplayInput::Stored { token: token.0, failure: failure(outcome) }
            }
            Input::Progress(token, progress) => ReplayInput::Progress {
                token: token.0,
                received: progress.received,
                total: progress.total,
            },
            Input::Downloaded(token, Downloaded::Complete { size, sha256, .. }) => {
                ReplayInput::Downloaded { token: token.0, size: *size, sha256: sha256.clone() }
            }
            Input::Downloaded(token, Downloaded::Failed(failure)) => {
                ReplayInput::DownloadFailed { token: token.0, failure: *failure }
            }
            Input::Installed(token, outcome) => {
                ReplayInput::Installed { token: token.0, failure: failure(outcome) }
            }
            Input::User(intent) => {
                let json = match intent {
                    Intent::PostProperties { json } => Some(self.0.hide(json)),
                    Intent::Use { date } => Some(date.to_string()),
                    _ => None,
                };
                ReplayInput::User { intent: intent_name(intent).to_string(), json }
            }
        }
    }

    /// `why`: what the time-out is for.
    pub(super) fn output(self, output: &Output, why: Option<NextWhy>) -> ReplayOutput {
        match output {
            Output::Command(command) => self.command(command),
            Output::Event(event) => ReplayOutput::Event { event: event.clone() },
            Output::Timeout(at) => ReplayOutput::Timeout { mono: at.map(|at| at.0), why },
        }
    }

    fn command(self, command: &Command) -> ReplayOutput {
        match command {
            Command::Connect(token, connect) => ReplayOutput::Connect {
                token: token.0,
                url: self.0.hide(&connect.url),
                client_id: self.0.hide(&connect.client_id),
                username: self.0.hide(&connect.username),
                password: "*".repeat(connect.password.expose().len()),
                keep_alive: connect.keep_alive,
            },
            Command::Close(token) => ReplayOutput::Close { token: token.0 },
            Command::Subscribe(token, subscribe) => ReplayOutput::Subscribe {
                token: token.0,
                topic: self.0.hide(&subscribe.topic),
                qos: subscribe.qos as u8,
            },
            Command::Publish(token, publish) => ReplayOutput::Publish {
                token: token.0,
                topic: self.0.hide(&publish.topic),
                qos: publish.qos as u8,
                payload: self.payload(publish.payload.expose()),
            },
            Command::Request(token, request) => self.request(token.0, request),
            Command::Store(token, key, value) => ReplayOutput::Store {
                token: token.0,
                key: *key,
                payload: self.payload(value.expose()),
            },
            Command::Erase(token, key) => ReplayOutput::Erase { token: token.0, key: *key },
            Command::Download(token, download) => ReplayOutput::Download {
                token: token.0,
                // A query may hold a right of access.
                url: download.url.split('?').next().unwrap_or_default().to_string(),
                size: download.size,
                version: download.version.clone(),
            },
            Command::CancelDownload(token) => ReplayOutput::CancelDownload { token: token.0 },
            Command::Install(token, install) => ReplayOutput::Install {
                token: token.0,
                version: install.version.clone(),
                sha256: install.sha256.clone(),
            },
        }
    }

    fn request(self, token: u32, request: &Request) -> ReplayOutput {
        ReplayOutput::Request {
            token,
            method: request.method.clone(),
            url: self.0.hide(&request.url),
            headers: self.headers(&request.headers),
            payload: self.payload(&request.body),
            string_to_sign: string_to_sign(request).map(|text| self.0.hide(&text)),
        }
    }

    fn headers(self, headers: &[(String, String)]) -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| (name.clone(), self.0.hide(value))).collect()
    }

    fn payload(self, bytes: &[u8]) -> ReplayPayload {
        let mut bytes = bytes.to_vec();
        self.0.cover(&mut bytes, &[]);
        Payload::of(&bytes)
    }
}

fn failure(outcome: &Outcome) -> Option<LocalFailure> {
    match outcome {
        Outcome::Done => None,
        Outcome::Failed(failure) => Some(failure.clone()),
    }
}

fn intent_name(intent: &Intent) -> &'static str {
    match intent {
        Intent::TryAgain => "try_again",
        Intent::RegisterAgain => "register_again",
        Intent::Use { .. } => "use",
        Intent::Report => "report",
        Intent::PostProperties { .. } => "post_properties",
        Intent::NewBindToken => "new_bind_token",
        Intent::RequestFirmware => "request_firmware",
    }
}
