//! The vendors' side of every platform in one sans-IO container.
//!
//! The same loop as the [`Agent`](crate::Agent)'s: one [`Cloud::handle_input`], then drain [`Cloud::poll_output`]
//! until [`CloudOutput::Timeout`].
//!
//! **Invariant: [`CloudOutput::Persist`] comes ahead of every output that depends on it.** A host commits all changes
//! of one drain in one transaction, and only then carries out the drain's other outputs. So the cloud acknowledges
//! nothing that it has not kept.
//!
//! It is an endpoint, not a broker: it speaks MQTT's server side to devices and routes nothing between them. Memory
//! is bounded whatever a client sends: see [`Limits`].

pub mod demo;
mod operation;
mod registry;
mod text;

use alloc::borrow::Cow;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::cbor::{self, Decode, Encode};

pub use operation::*;
pub(crate) use operation::{MOST_LISTED, asked_for};
pub(crate) use registry::*;
pub use text::Text;

use crate::http::Response;
use crate::output::QoS;
use crate::platform::PlatformName;
use crate::rng::Rng;
use crate::secret::{Secret, SecretBytes};
use crate::time::{Instant, Now};

/// One MQTT connection of a device, named by the host; never used again after it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// One HTTP request or operator action under way, named by the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What happened at the cloud's door.
#[derive(Clone, Debug)]
pub enum CloudInput {
    /// The time of the last [`CloudOutput::Timeout`] has come.
    Timeout,
    /// The first packet of a connection: CONNECT.
    Connect {
        /// The connection.
        connection: ConnectionId,
        /// At which platform's door.
        platform: PlatformName,
        /// As received.
        connect: ConnectPacket,
    },
    /// A later packet of an accepted connection.
    Packet {
        /// The connection.
        connection: ConnectionId,
        /// As received.
        packet: Packet,
    },
    /// The connection is gone: closed by the peer, broken, silent for too long, or in breach of MQTT.
    Lost {
        /// The connection.
        connection: ConnectionId,
    },
    /// An HTTP request.
    Request {
        /// Names the answer.
        id: RequestId,
        /// As received.
        request: HttpRequest,
    },
    /// An operator's action.
    Operate {
        /// Names the answer.
        id: RequestId,
        /// What to do.
        operation: Operation,
    },
}

/// CONNECT as received.
#[derive(Clone, Debug)]
pub struct ConnectPacket {
    /// 4 is MQTT 3.1.1, 5 is MQTT 5.
    pub protocol_level: u8,
    /// ClientID.
    pub client_id: String,
    /// User name.
    pub username: Option<String>,
    /// Password.
    pub password: Option<Secret>,
    /// Keep alive, in seconds.
    pub keep_alive: u16,
    /// Clean session.
    pub clean_session: bool,
    /// Whether there is a will.
    pub will: bool,
}

/// A packet after CONNECT, as received. PINGREQ is answered below the cloud.
#[derive(Clone, Debug)]
pub enum Packet {
    /// PUBLISH.
    Publish {
        /// Packet identifier; `None` for QoS 0.
        packet_id: Option<u16>,
        /// Topic name.
        topic: String,
        /// 0, 1 or 2.
        qos: u8,
        /// Retain flag.
        retain: bool,
        /// Payload.
        payload: SecretBytes,
    },
    /// SUBSCRIBE.
    Subscribe {
        /// Packet identifier.
        packet_id: u16,
        /// Topic filter and requested QoS (0, 1 or 2).
        filters: Vec<(String, u8)>,
    },
    /// UNSUBSCRIBE.
    Unsubscribe {
        /// Packet identifier.
        packet_id: u16,
        /// Topic filters.
        filters: Vec<String>,
    },
    /// PUBACK of a [`CloudOutput::Publish`].
    Acked {
        /// The token of that publish.
        token: u32,
    },
    /// DISCONNECT.
    Disconnect,
}

/// An HTTP request as received.
#[derive(Clone)]
pub struct HttpRequest {
    /// `POST`, …
    pub method: String,
    /// Path, beginning with `/`, percent-decoded.
    pub path: String,
    /// Query parameters in the order sent, percent-decoded.
    pub query: Vec<(String, String)>,
    /// Headers in the order sent, names as spelled.
    pub headers: Vec<(String, String)>,
    /// Body; a host refuses more than 64 KiB with status 413 on its own.
    pub body: Vec<u8>,
}

impl core::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "HttpRequest({} {}, {} bytes)", self.method, self.path, self.body.len())
    }
}

/// What the host has to do, in this order, changes first.
#[derive(Clone, Debug)]
#[must_use]
pub enum CloudOutput {
    /// Put on stable storage, in the transaction of this drain, before anything below is carried out.
    Persist(Change),
    /// Answer CONNECT. A code other than 0 is followed by [`CloudOutput::Close`].
    ConnAck {
        /// The connection.
        connection: ConnectionId,
        /// Return code.
        code: u8,
        /// Close the connection when it was silent for this long; `None` means never.
        silence: Option<Duration>,
    },
    /// Answer SUBSCRIBE.
    SubAck {
        /// The connection.
        connection: ConnectionId,
        /// Of the SUBSCRIBE.
        packet_id: u16,
        /// 0, 1 or 0x80 for each filter.
        codes: Vec<u8>,
    },
    /// Answer UNSUBSCRIBE.
    UnsubAck {
        /// The connection.
        connection: ConnectionId,
        /// Of the UNSUBSCRIBE.
        packet_id: u16,
    },
    /// Answer PUBLISH of QoS 1.
    PubAck {
        /// The connection.
        connection: ConnectionId,
        /// Of the PUBLISH.
        packet_id: u16,
    },
    /// Send PUBLISH.
    Publish {
        /// The connection.
        connection: ConnectionId,
        /// For [`Packet::Acked`]; meaningless for QoS 0.
        token: u32,
        /// Topic name.
        topic: String,
        /// QoS.
        qos: QoS,
        /// Payload.
        payload: SecretBytes,
    },
    /// Close the connection once everything before is sent. No [`CloudInput::Lost`] is expected for it.
    Close {
        /// The connection.
        connection: ConnectionId,
    },
    /// Answer an HTTP request.
    Response {
        /// Which.
        id: RequestId,
        /// With this.
        response: Response,
    },
    /// Answer an operator.
    Operated {
        /// Which action.
        id: RequestId,
        /// What came of it.
        result: Result<OperationResult, OperationError>,
    },
    /// Something for the log.
    Log(LogEntry),
    /// Nothing more for now.
    Timeout(Option<Instant>),
}

/// A value to keep, or to forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub platform: PlatformName,
    /// Which kind of thing, such as `product` or `device`.
    pub table: &'static str,
    /// Which of them.
    pub key: Text,
    /// CBOR, opaque to the host; `None` deletes.
    pub value: Option<SecretBytes>,
}

/// A line of the cloud's log. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LogEntry {
    /// Whose.
    pub platform: PlatformName,
    /// `product/device`, or a part of it, or empty.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub subject: Text,
    /// What, in a word.
    pub what: What,
    /// For a person.
    pub detail: Cow<'static, str>,
}

/// What a log line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "ts", ts(rename = "LogWhat"))]
pub enum What {
    /// A login, or an HTTP request, was accepted.
    Accepted,
    /// A login, a subscription, or an HTTP request was refused.
    Refused,
    /// A secret was handed out.
    SecretIssued,
    /// A device became active.
    Activated,
    /// A device went offline.
    Offline,
    /// A session was closed by the cloud.
    Closed,
    /// A message was dropped.
    Dropped,
    /// A heartbeat, a version or properties were reported.
    Reported,
    /// An update moved on.
    Update,
    /// An owner bound or released a device.
    Bound,
    /// An operator did something.
    Operated,
}

/// Bounds that hold whatever clients send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections accepted at once, all platforms together; the next one is refused with code 3.
    pub connections: usize,
    /// Devices a product may have.
    pub devices_per_product: usize,
    /// Products a platform may have.
    pub products: usize,
    /// Firmware images a product may have.
    pub firmware: usize,
    /// Reports and log entries kept for a device.
    pub reports_per_device: usize,
    /// Nonces, tokens and sessions of other kinds remembered at once.
    pub remembered: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 100_000,
            devices_per_product: 1_000_000,
            products: 100,
            firmware: 100,
            reports_per_device: 20,
            remembered: 100_000,
        }
    }
}

/// How the cloud is set up.
#[derive(Clone, Debug, Default)]
pub struct CloudConfig {
    /// Bounds.
    pub limits: Limits,
}

/// What a platform's cloud side may use.
#[derive(Debug)]
pub(crate) struct CloudCx<'a> {
    pub(crate) now: Now,
    pub(crate) platform: PlatformName,
    pub(crate) limits: Limits,
    pub(crate) rng: &'a mut Rng,
    /// Changes are drained before everything else.
    changes: &'a mut VecDeque<CloudOutput>,
    outbox: &'a mut VecDeque<CloudOutput>,
    next_token: &'a mut u32,
}

impl CloudCx<'_> {
    /// Wall clock in milliseconds; the monotonic clock where the host knows none.
    pub(crate) fn unix(&self) -> u64 {
        self.now.unix.map_or(self.now.mono.0, |unix| unix.0)
    }

    pub(crate) fn put<T: Encode>(&mut self, table: &'static str, key: impl Into<Text>, value: &T) {
        self.change(table, key, Some(SecretBytes::new(cbor::encode(value))));
    }

    pub(crate) fn delete(&mut self, table: &'static str, key: impl Into<Text>) {
        self.change(table, key, None);
    }

    fn change(&mut self, table: &'static str, key: impl Into<Text>, value: Option<SecretBytes>) {
        let change = Change { platform: self.platform, table, key: key.into(), value };
        self.changes.push_back(CloudOutput::Persist(change));
    }

    pub(crate) fn send(&mut self, output: CloudOutput) {
        self.outbox.push_back(output);
    }

    pub(crate) fn connack(&mut self, connection: ConnectionId, silence: Option<Duration>) {
        self.send(CloudOutput::ConnAck { connection, code: 0, silence });
    }

    /// Refuses a login and closes the connection.
    pub(crate) fn refuse(&mut self, connection: ConnectionId, code: u8) {
        self.send(CloudOutput::ConnAck { connection, code, silence: None });
        self.send(CloudOutput::Close { connection });
    }

    /// Sends PUBLISH; the token comes back in [`Packet::Acked`].
    pub(crate) fn publish(
        &mut self,
        connection: ConnectionId,
        topic: String,
        qos: QoS,
        payload: impl Into<Vec<u8>>,
    ) -> u32 {
        let token = *self.next_token;
        *self.next_token = token.wrapping_add(1);
        let payload = SecretBytes::new(payload.into());
        self.send(CloudOutput::Publish { connection, token, topic, qos, payload });
        token
    }

    pub(crate) fn respond(&mut self, id: RequestId, response: Response) {
        self.send(CloudOutput::Response { id, response });
    }

    pub(crate) fn log(
        &mut self,
        what: What,
        subject: impl Into<Text>,
        detail: impl Into<Cow<'static, str>>,
    ) {
        let entry = LogEntry {
            platform: self.platform,
            subject: subject.into(),
            what,
            detail: detail.into(),
        };
        self.send(CloudOutput::Log(entry));
    }
}

/// The vendor's side of one platform.
pub(crate) trait CloudSide: Default {
    /// Takes back what was persisted. Called for each kept value before the first input.
    fn load(&mut self, table: &str, key: &str, value: &[u8]) -> Result<(), crate::cbor::Fault>;

    fn connect(&mut self, connection: ConnectionId, connect: ConnectPacket, cx: &mut CloudCx<'_>);

    fn packet(&mut self, connection: ConnectionId, packet: Packet, cx: &mut CloudCx<'_>);

    fn lost(&mut self, connection: ConnectionId, cx: &mut CloudCx<'_>);

    /// Whether this HTTP path is this platform's.
    fn serves(path: &str) -> bool;

    fn request(&mut self, id: RequestId, request: HttpRequest, cx: &mut CloudCx<'_>);

    /// An operation that names this platform.
    fn operate(
        &mut self,
        operation: Operation,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError>;

    /// The earliest time this side wants to be woken.
    fn deadline(&self) -> Option<Instant>;

    /// That time has come.
    fn expired(&mut self, cx: &mut CloudCx<'_>);
}

macro_rules! clouds {
    ($( $feature:literal $module:ident $Variant:ident ),* $(,)?) => {
        /// All clouds of this build. See the [module](self).
        #[derive(Debug)]
        pub struct Cloud {
            $( #[cfg(feature = $feature)] $module: crate::platform::$module::cloud::CloudState, )*
            config: CloudConfig,
            rng: Rng,
            now: Now,
            next_token: u32,
            connections: alloc::collections::BTreeMap<ConnectionId, PlatformName>,
            changes: VecDeque<CloudOutput>,
            outbox: VecDeque<CloudOutput>,
        }

        impl Cloud {
            /// An empty cloud; see [`Cloud::load`].
            pub fn new(config: CloudConfig, seed: [u8; 32], now: Now) -> Self {
                Self {
                    $( #[cfg(feature = $feature)] $module: Default::default(), )*
                    config, rng: Rng::new(seed), now, next_token: 1,
                    connections: Default::default(), changes: VecDeque::new(), outbox: VecDeque::new(),
                }
            }

            /// Takes back one kept value, before the first input.
            pub fn load(&mut self, platform: PlatformName, table: &str, key: &str, value: &[u8])
                -> Result<(), LoadError>
            {
                let loaded = match platform {
                    $( #[cfg(feature = $feature)]
                       PlatformName::$Variant => self.$module.load(table, key, value), )*
                    #[allow(unreachable_patterns)]
                    _ => Ok(()),
                };
                loaded.map_err(|_| LoadError { platform, table: table.into(), key: key.into() })
            }

            fn with<R>(&mut self, platform: PlatformName, f: impl FnOnce(&mut dyn ErasedSide, &mut CloudCx<'_>) -> R)
                -> Option<R>
            {
                let mut cx = CloudCx {
                    now: self.now, platform, limits: self.config.limits, rng: &mut self.rng,
                    changes: &mut self.changes, outbox: &mut self.outbox, next_token: &mut self.next_token,
                };
                match platform {
                    $( #[cfg(feature = $feature)]
                       PlatformName::$Variant => Some(f(&mut self.$module, &mut cx)), )*
                    #[allow(unreachable_patterns)]
                    _ => None,
                }
            }

            fn platform_of_path(path: &str) -> Option<PlatformName> {
                $( #[cfg(feature = $feature)]
                   if crate::platform::$module::cloud::CloudState::serves(path) {
                       return Some(PlatformName::$Variant);
                   } )*
                let _ = path;
                None
            }

            fn deadline(&self) -> Option<Instant> {
                [ $( #[cfg(feature = $feature)] self.$module.deadline(), )* ].into_iter().flatten().min()
            }
        }
    };
}

clouds! {
    "ucloud" ucloud Ucloud,
    "cmcc" cmcc Cmcc,
    "krtyun" krtyun Krtyun,
    "alibaba" alibaba Alibaba,
}

/// [`CloudSide`] without what cannot be called through a pointer.
trait ErasedSide {
    fn connect(&mut self, connection: ConnectionId, connect: ConnectPacket, cx: &mut CloudCx<'_>);
    fn packet(&mut self, connection: ConnectionId, packet: Packet, cx: &mut CloudCx<'_>);
    fn lost(&mut self, connection: ConnectionId, cx: &mut CloudCx<'_>);
    fn request(&mut self, id: RequestId, request: HttpRequest, cx: &mut CloudCx<'_>);
    fn operate(
        &mut self,
        operation: Operation,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError>;
    fn expired(&mut self, cx: &mut CloudCx<'_>);
}

impl<T: CloudSide> ErasedSide for T {
    fn connect(&mut self, connection: ConnectionId, connect: ConnectPacket, cx: &mut CloudCx<'_>) {
        CloudSide::connect(self, connection, connect, cx);
    }
    fn packet(&mut self, connection: ConnectionId, packet: Packet, cx: &mut CloudCx<'_>) {
        CloudSide::packet(self, connection, packet, cx);
    }
    fn lost(&mut self, connection: ConnectionId, cx: &mut CloudCx<'_>) {
        CloudSide::lost(self, connection, cx);
    }
    fn request(&mut self, id: RequestId, request: HttpRequest, cx: &mut CloudCx<'_>) {
        CloudSide::request(self, id, request, cx);
    }
    fn operate(
        &mut self,
        operation: Operation,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        CloudSide::operate(self, operation, cx)
    }
    fn expired(&mut self, cx: &mut CloudCx<'_>) {
        CloudSide::expired(self, cx);
    }
}

impl Cloud {
    /// Takes one input. **Drain [`Cloud::poll_output`] until [`CloudOutput::Timeout`] before the next.**
    pub fn handle_input(&mut self, input: CloudInput, now: Now) {
        self.now = Now { mono: self.now.mono.max(now.mono), unix: now.unix };
        match input {
            CloudInput::Timeout => {
                for platform in PlatformName::ALL {
                    self.with(platform, |side, cx| side.expired(cx));
                }
            }
            CloudInput::Connect { connection, platform, connect } => {
                let full = self.connections.len() >= self.config.limits.connections;
                if full || self.connections.contains_key(&connection) {
                    self.outbox.push_back(CloudOutput::ConnAck {
                        connection,
                        code: 3,
                        silence: None,
                    });
                    self.outbox.push_back(CloudOutput::Close { connection });
                    return;
                }
                self.connections.insert(connection, platform);
                if self.with(platform, |side, cx| side.connect(connection, connect, cx)).is_none() {
                    self.outbox.push_back(CloudOutput::Close { connection });
                }
            }
            CloudInput::Packet { connection, packet } => {
                if let Some(&platform) = self.connections.get(&connection) {
                    self.with(platform, |side, cx| side.packet(connection, packet, cx));
                }
            }
            CloudInput::Lost { connection } => {
                if let Some(platform) = self.connections.remove(&connection) {
                    self.with(platform, |side, cx| side.lost(connection, cx));
                }
            }
            CloudInput::Request { id, request } => match Self::platform_of_path(&request.path) {
                Some(platform) => {
                    self.with(platform, |side, cx| side.request(id, request, cx));
                }
                None => {
                    let response = Response { status: 404, headers: Vec::new(), body: Vec::new() };
                    self.outbox.push_back(CloudOutput::Response { id, response });
                }
            },
            CloudInput::Operate { id, operation } => {
                let platform = operation.platform;
                let result = self
                    .with(platform, |side, cx| side.operate(operation, cx))
                    .unwrap_or_else(|| {
                        Err(OperationError::unsupported("this platform is not part of this build"))
                    });
                self.outbox.push_back(CloudOutput::Operated { id, result });
            }
        }
    }

    /// The next output: changes first, [`CloudOutput::Timeout`] last.
    pub fn poll_output(&mut self) -> CloudOutput {
        if let Some(change) = self.changes.pop_front() {
            return change;
        }
        match self.outbox.pop_front() {
            Some(output) => {
                if let CloudOutput::Close { connection } = output {
                    self.connections.remove(&connection);
                }
                output
            }
            None => CloudOutput::Timeout(self.deadline().map(|at| at.max(self.now.mono))),
        }
    }
}

/// A kept value that cannot be read: of another version, or damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// Whose.
    pub platform: PlatformName,
    /// Of which table.
    pub table: String,
    /// Which.
    pub key: String,
}

/// Kept values are CBOR maps with numbered fields, so that a later version can add some.
pub(crate) fn decode<T: Decode>(value: &[u8]) -> Result<T, crate::cbor::Fault> {
    cbor::decode(value)
}
