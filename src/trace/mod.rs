//! What passed between a device (or an owner's app) and its cloud, for a person to look at.
//!
//! Sans-IO like the rest: a host tells a [`Trace`] what it sent and received, and takes [`Entry`] values out. Every
//! secret in them is covered: those that the settings and the store hold, and those that a packet brings in a field
//! that is known to hold one. [`Trace::packet`] shows a single packet as it was, when a person asks for it on the spot.
//!
//! Memory is bounded: of the packets as they were, the last [`KEPT_PACKETS`] and at most [`KEPT_BYTES`] are kept.

mod mask;
pub(crate) mod packet;

use alloc::borrow::ToOwned;
#[cfg(feature = "lab")]
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

#[cfg(feature = "lab")]
pub(crate) use mask::value_span;
pub use mask::{COVER, is_secret_setting};
pub(crate) use mask::{Mask, value_of};
pub use packet::{Cutter, MqttPacket, PacketType};

use crate::agent::Stored;
#[cfg(feature = "lab")]
use crate::faults::{Fault, Strike};
use crate::http::{Request, Response, header};
use crate::input::Outcome;
use crate::output::{Event, StoreKey, Token};
use crate::platform::PlatformName;
use crate::secret::SecretBytes;
use crate::settings::Settings;

/// How many packets and messages are kept as they were.
pub const KEPT_PACKETS: usize = 5_000;
/// How many bytes of them.
pub const KEPT_BYTES: usize = 4 * 1024 * 1024;
/// How many packets may wait for their answer before the oldest is forgotten.
const WAITING: usize = 256;

/// A moment: milliseconds since the beginning, and by the wall clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Since the device was started.
    pub at: f64,
    /// Since 1970.
    pub unix: f64,
}

/// One line of a timeline.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Entry {
    /// 1, 2, 3 …
    pub seq: u32,
    /// Milliseconds since the device was started.
    pub at: f64,
    /// Milliseconds since 1970.
    pub unix: f64,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum What {
    /// An event of the device's.
    Event {
        /// Which.
        event: Event,
    },
    /// An event of the owner's app.
    #[cfg(feature = "app")]
    AppEvent {
        /// Which.
        event: crate::app::AppEvent,
    },
    /// A call of the owner's app ended.
    #[cfg(feature = "app")]
    Reply {
        /// Which.
        call: crate::app::CallName,
        /// What came of it; a key is covered.
        result: CallResult,
    },
    /// An MQTT packet.
    Mqtt {
        /// Which way.
        direction: Direction,
        /// As a person reads it.
        packet: MqttPacket,
    },
    /// An HTTP request or response.
    Http {
        /// Which way.
        direction: Direction,
        /// As a person reads it.
        message: HttpMessage,
        /// A response: which entry it answers.
        #[serde(skip_serializing_if = "Option::is_none")]
        of: Option<u32>,
        /// A response: milliseconds after that one.
        #[serde(skip_serializing_if = "Option::is_none")]
        latency: Option<f64>,
    },
    /// Something was put on stable storage, or erased from it, or could not be.
    Store {
        /// Which of the two.
        action: StoreAction,
        /// Under which name.
        key: StoreKey,
        /// Bytes.
        size: usize,
        /// What came of it.
        outcome: Success,
        /// Why not.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Milliseconds it took.
        latency: f64,
    },
    /// An image was made the one that runs, or could not be.
    Install {
        /// Which version.
        version: String,
        /// Bytes.
        size: u64,
        /// Lower-case hex.
        sha256: String,
        /// What came of it.
        outcome: Success,
        /// Why not.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The connection below MQTT.
    Link {
        /// What happened to it.
        what: Link,
        /// Where to.
        url: String,
        /// What was found out about a failure.
        #[serde(skip_serializing_if = "Option::is_none")]
        trouble: Option<Trouble>,
        /// True: not straight to that address, but by the relay of the page's own server.
        #[serde(skip_serializing_if = "Option::is_none")]
        relay: Option<bool>,
    },
    /// A fault that a person armed struck. What it struck is here as it was before, or, of a changed one, after.
    #[cfg(feature = "lab")]
    Fault {
        /// Which rule.
        rule: String,
        /// What was done.
        done: Fault,
        /// What became what.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        /// Of a message: which way.
        #[serde(skip_serializing_if = "Option::is_none")]
        direction: Option<Direction>,
        /// Done to this packet.
        #[serde(skip_serializing_if = "Option::is_none")]
        packet: Option<Box<MqttPacket>>,
        /// Done to this request or response.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<Box<HttpMessage>>,
    },
    /// A person asked for what this platform does not know.
    Misuse {
        /// What.
        message: String,
    },
}

/// What a call returned, in the words of [`crate::app::Reply`].
#[cfg(feature = "app")]
#[derive(Clone, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum AppReply {
    /// Of `list`.
    Discovered {
        /// The page.
        page: crate::app::Discovered,
    },
    /// Of `filter`.
    Filtered {
        /// Those that can be bound.
        devices: Vec<crate::app::Bindable>,
    },
    /// Of `token_check`.
    Token {
        /// Whose.
        holder: crate::app::TokenHolder,
    },
    /// Of the two binds.
    Bound {
        /// The device's.
        iot_id: String,
    },
    /// Of `cipher`: 32 hex characters. A secret: it is told to the caller alone.
    Key {
        /// AES-128.
        key: String,
    },
    /// Of the calls that return nothing.
    Done,
}

#[cfg(feature = "app")]
impl From<crate::app::Reply> for AppReply {
    fn from(reply: crate::app::Reply) -> Self {
        use crate::app::Reply;
        match reply {
            Reply::Discovered(page) => Self::Discovered { page },
            Reply::Filtered(devices) => Self::Filtered { devices },
            Reply::Token(holder) => Self::Token { holder },
            Reply::Bound { iot_id } => Self::Bound { iot_id },
            Reply::Key(key) => Self::Key { key: key.hex().expose().into() },
            Reply::Done => Self::Done,
        }
    }
}

#[cfg(feature = "app")]
impl core::fmt::Debug for AppReply {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("AppReply(…)")
    }
}

#[cfg(feature = "app")]
impl AppReply {
    /// Without the key.
    #[must_use]
    pub fn covered(self) -> Self {
        match self {
            Self::Key { key } => {
                Self::Key { key: core::iter::repeat_n(char::from(COVER), key.len()).collect() }
            }
            other => other,
        }
    }
}

/// What came of a call.
#[cfg(feature = "app")]
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum CallResult {
    /// This.
    Ok(AppReply),
    /// Nothing.
    Error(crate::error::Error),
}

/// Which way, as the device sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the cloud.
    Up,
    /// From the cloud.
    Down,
}

/// What was done to a stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum StoreAction {
    /// Put.
    Put,
    /// Erased.
    Erase,
}

/// What came of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Success {
    /// It is done.
    Done,
    /// It is not.
    Failed,
}

impl From<&Outcome> for Success {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Failed(_) => Self::Failed,
        }
    }
}

/// What happened to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// It is being opened.
    Opening,
    /// It carries bytes.
    Open,
    /// It is gone.
    Closed,
}

/// Why a connection or a request came to nothing: what the environment tells, and what a second look found out.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
pub struct Trouble {
    /// The kind.
    pub reason: TroubleReason,
    /// Where to.
    pub url: String,
    /// More, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The kind of a trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TroubleReason {
    /// A page that came over TLS may not talk to an address without it.
    MixedContent,
    /// The server is there, and does not allow this page to read its answers.
    Cors,
    /// Nobody answers there, its certificate is refused, or the network is down.
    Unreachable,
    /// Something answers there, and not as an MQTT WebSocket.
    NotWebsocket,
    /// This page's own policy forbids the address.
    RefusedByPolicy,
    /// Not an address that a browser can connect to: `mqtt://` and other plain TCP.
    BadUrl,
    /// It took too long.
    TimedOut,
    /// It was open, and broke.
    Lost,
    /// The other side closed it.
    Closed,
    /// This page's server has no relay, or it is switched off.
    RelayOff,
    /// The relay does not know this page any more: its server was started anew.
    RelayToken,
    /// The relay may not go to this host.
    RelayHost,
    /// The name leads to an address of this machine or of a private network, where the relay does not go unasked.
    RelayAddress,
    /// A redirect leads to where the relay may not go.
    RelayRedirect,
    /// The relay cannot resolve the name.
    RelayDns,
    /// Nobody listens there, or there is no way to it.
    RelayRefused,
    /// The relay does not trust the server, or the two share no TLS.
    RelayTls,
    /// The server did not answer the relay in time.
    RelayTimedOut,
    /// It is more than the relay carries.
    RelayLimit,
    /// Anything else between relay and server.
    RelayFailed,
}

/// An HTTP message as a person reads it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
pub struct HttpMessage {
    /// Of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of a response; 0 if none came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body.
    pub size: usize,
    /// How many secrets are covered in it.
    pub masked: usize,
    /// The body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// What a signed request was signed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_to_sign: Option<String>,
    /// Why no response came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Of a request. True: it went by the relay of the page's own server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<bool>,
}

/// A payload as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
pub struct Payload {
    /// Bytes.
    pub size: usize,
    /// If it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether it looks like JSON.
    pub json: bool,
}

impl Payload {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        Self {
            size: bytes.len(),
            text: core::str::from_utf8(bytes).ok().map(ToOwned::to_owned),
            json,
        }
    }
}

/// One packet, with its bytes: of MQTT the whole packet, of HTTP the body.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its line.
    pub entry: Entry,
    /// Its bytes.
    pub bytes: SecretBytes,
}

/// The timeline of one device, or of one owner's app. See the [module](self).
#[derive(Debug)]
pub struct Trace {
    mask: Mask,
    by_relay: bool,
    up: Cutter,
    down: Cutter,
    next: u32,
    ready: VecDeque<Entry>,
    kept: VecDeque<Kept>,
    kept_bytes: usize,
    waiting: VecDeque<(Awaited, u32, f64)>,
    requests: VecDeque<(Token, u32, f64, bool)>,
}

/// A packet as it was.
#[derive(Debug)]
struct Kept {
    seq: u32,
    moment: Moment,
    direction: Direction,
    of: Option<(u32, f64)>,
    raw: Raw,
    /// It is here because of a fault.
    #[cfg(feature = "lab")]
    strike: Option<Strike>,
}

/// What a fault struck.
#[cfg(feature = "lab")]
#[derive(Clone, Copy, Debug)]
pub enum Struck<'a> {
    /// No message.
    Nothing,
    /// An MQTT packet.
    Packet(Direction, &'a [u8]),
    /// An HTTP request.
    Request(&'a Request),
    /// An HTTP response.
    Response(&'a Response),
}

#[derive(Debug)]
enum Raw {
    Mqtt(SecretBytes),
    Request(Request),
    Response(Response, /* the body is a key */ bool),
}

impl Raw {
    fn size(&self) -> usize {
        match self {
            Self::Mqtt(bytes) => bytes.expose().len(),
            Self::Request(request) => request.body.len() + 512,
            Self::Response(response, _) => response.body.len() + 512,
        }
    }
}

/// What a packet is answered by.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Awaited {
    Connack,
    Pingresp,
    Suback(u16),
    Unsuback(u16),
    Puback(Direction, u16),
    /// A reply that carries this id of the vendor's.
    Reply(Vec<u8>),
}

impl Trace {
    /// Begins, knowing the secrets of these settings and of this store.
    pub fn new(platform: PlatformName, settings: &Settings, stored: &Stored) -> Self {
        let mask = Mask::of(platform, settings, stored);
        Self {
            mask,
            by_relay: false,
            up: Cutter::default(),
            down: Cutter::default(),
            next: 1,
            ready: VecDeque::new(),
            kept: VecDeque::new(),
            kept_bytes: 0,
            waiting: VecDeque::new(),
            requests: VecDeque::new(),
        }
    }

    /// A connection begins: nothing of the last one is awaited any more.
    pub fn connected(&mut self) {
        self.up = Cutter::default();
        self.down = Cutter::default();
        self.waiting.clear();
    }

    /// Bytes that went to the broker, or came from it, however they were cut.
    pub fn bytes(&mut self, direction: Direction, bytes: &[u8], moment: Moment) {
        let cutter = match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        };
        for packet in cutter.feed(bytes) {
            if let Some((from, to)) = packet::payload(&packet) {
                self.mask.learn_from(packet.get(from..to).unwrap_or_default());
            }
            let of = self.answers(direction, &packet, moment);
            self.keep(direction, of, Raw::Mqtt(SecretBytes::new(packet)), moment);
        }
    }

    /// A fault struck.
    #[cfg(feature = "lab")]
    pub fn fault(&mut self, strike: Strike, struck: Struck<'_>, moment: Moment) {
        let (direction, raw) = match struck {
            Struck::Nothing => {
                let Strike { rule, fault, detail } = strike;
                let (direction, packet, message) = (None, None, None);
                let done = fault;
                return self
                    .push(What::Fault { rule, done, detail, direction, packet, message }, moment);
            }
            Struck::Packet(direction, bytes) => {
                if let Some((from, to)) = packet::payload(bytes) {
                    self.mask.learn_from(bytes.get(from..to).unwrap_or_default());
                }
                (direction, Raw::Mqtt(SecretBytes::new(bytes.to_vec())))
            }
            Struck::Request(request) => {
                self.mask.learn_from(&request.body);
                (Direction::Up, Raw::Request(request.clone()))
            }
            Struck::Response(response) => {
                self.mask.learn_from(&response.body);
                (Direction::Down, Raw::Response(response.clone(), false))
            }
        };
        let seq = self.next;
        self.hold(Kept { seq, moment, direction, of: None, raw, strike: Some(strike) });
    }

    /// An HTTP request goes out.
    pub fn request(&mut self, token: Token, request: &Request, moment: Moment) {
        self.mask.learn_from(&request.body);
        let a_key = path(&request.url) == "/awss/cipher/get";
        if self.requests.len() >= WAITING {
            self.requests.pop_front();
        }
        self.requests.push_back((token, self.next, moment.at, a_key));
        self.keep(Direction::Up, None, Raw::Request(request.clone()), moment);
    }

    /// The response to it came.
    pub fn response(&mut self, token: Token, response: &Response, moment: Moment) {
        self.mask.learn_from(&response.body);
        let (of, a_key) = match self.asked(token, moment) {
            Some((of, a_key)) => (Some(of), a_key),
            None => (None, false),
        };
        self.keep(Direction::Down, of, Raw::Response(response.clone(), a_key), moment);
    }

    /// No response will come.
    pub fn no_response(&mut self, token: Token, trouble: Option<Trouble>, moment: Moment) {
        let of = self.asked(token, moment).map(|(of, _)| of);
        let message = HttpMessage {
            method: None,
            url: None,
            status: Some(0),
            headers: Vec::new(),
            size: 0,
            masked: 0,
            payload: None,
            string_to_sign: None,
            trouble: trouble.map(|trouble| self.plain(trouble)),
            relay: None,
        };
        let (of, latency) = of.unzip();
        self.push(What::Http { direction: Direction::Down, message, of, latency }, moment);
    }

    /// A value was stored or erased, or was not.
    pub fn stored(
        &mut self,
        key: StoreKey,
        value: Option<&SecretBytes>,
        outcome: &Outcome,
        reason: Option<String>,
        latency: f64,
        moment: Moment,
    ) {
        if let Some(value) = value {
            self.mask.learn_from(value.expose());
        }
        let what = What::Store {
            action: if value.is_some() { StoreAction::Put } else { StoreAction::Erase },
            key,
            size: value.map_or(0, |value| value.expose().len()),
            outcome: outcome.into(),
            reason,
            latency,
        };
        self.push(what, moment);
    }

    /// Something happened to the connection.
    pub fn link(&mut self, what: Link, url: &str, trouble: Option<Trouble>, moment: Moment) {
        if matches!(what, Link::Opening) {
            self.connected();
        }
        let trouble = trouble.map(|trouble| self.plain(trouble));
        // A WebSocket needs no relay, and never goes by one.
        let relay = (self.by_relay && !url.starts_with("ws")).then_some(true);
        self.push(What::Link { what, url: without_query(url), trouble, relay }, moment);
    }

    /// Anything else, which holds no secret.
    pub fn push(&mut self, what: What, moment: Moment) {
        let seq = self.next;
        self.next = self.next.wrapping_add(1);
        self.ready.push_back(Entry { seq, at: moment.at, unix: moment.unix, what });
    }

    /// From now on connections and requests go by a relay, and say so.
    pub fn go_by_relay(&mut self) {
        self.by_relay = true;
    }

    /// The number of the last line so far; 0 if there is none.
    pub fn last(&self) -> u32 {
        self.next.wrapping_sub(1)
    }

    /// This is a secret too.
    pub fn learn(&mut self, secret: &str) {
        self.mask.learn(secret);
    }

    /// The next line.
    pub fn poll(&mut self) -> Option<Entry> {
        self.ready.pop_front()
    }

    /// One packet with its bytes, covered or as it was; `None` if it is no packet, or is not kept any more.
    pub fn packet(&self, seq: u32, reveal: bool) -> Option<Seen> {
        let at = self.kept.binary_search_by(|kept| kept.seq.cmp(&seq)).ok()?;
        let kept = self.kept.get(at)?;
        let (what, bytes) = self.view(kept, reveal);
        let entry = Entry { seq, at: kept.moment.at, unix: kept.moment.unix, what };
        Some(Seen { entry, bytes: SecretBytes::new(bytes) })
    }

    fn plain(&self, trouble: Trouble) -> Trouble {
        Trouble { url: without_query(&trouble.url), ..trouble }
    }

    fn asked(&mut self, token: Token, moment: Moment) -> Option<((u32, f64), bool)> {
        let at = self.requests.iter().position(|(asked, ..)| *asked == token)?;
        let (_, seq, sent, a_key) = self.requests.remove(at)?;
        Some(((seq, moment.at - sent), a_key))
    }

    /// Which packet this one answers; and what is awaited from now on.
    fn answers(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        moment: Moment,
    ) -> Option<(u32, f64)> {
        let view = packet::read(bytes);
        let id = view.packet_id.unwrap_or_default();
        let (asks, answers) = match view.r#type {
            PacketType::Connect => (Some(Awaited::Connack), None),
            PacketType::Connack => (None, Some(Awaited::Connack)),
            PacketType::Pingreq => (Some(Awaited::Pingresp), None),
            PacketType::Pingresp => (None, Some(Awaited::Pingresp)),
            PacketType::Subscribe => (Some(Awaited::Suback(id)), None),
            PacketType::Suback => (None, Some(Awaited::Suback(id))),
            PacketType::Unsubscribe => (Some(Awaited::Unsuback(id)), None),
            PacketType::Unsuback => (None, Some(Awaited::Unsuback(id))),
            PacketType::Puback => {
                let asked = match direction {
                    Direction::Up => Direction::Down,
                    Direction::Down => Direction::Up,
                };
                (None, Some(Awaited::Puback(asked, id)))
            }
            PacketType::Publish => {
                let puback = (view.qos == Some(1)).then_some(Awaited::Puback(direction, id));
                let vendor_id = vendor_id(bytes);
                let (reply, answers) = match direction {
                    Direction::Up => (vendor_id, None),
                    Direction::Down => (None, vendor_id.map(Awaited::Reply)),
                };
                if let Some(reply) = reply {
                    self.wait(Awaited::Reply(reply), moment);
                }
                (puback, answers)
            }
            _ => (None, None),
        };
        if let Some(asks) = asks {
            self.wait(asks, moment);
        }
        let answers = answers?;
        let at = self.waiting.iter().position(|(awaited, ..)| *awaited == answers)?;
        let (_, seq, sent) = self.waiting.remove(at)?;
        Some((seq, moment.at - sent))
    }

    fn wait(&mut self, awaited: Awaited, moment: Moment) {
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((awaited, self.next, moment.at));
    }

    fn keep(&mut self, direction: Direction, of: Option<(u32, f64)>, raw: Raw, moment: Moment) {
        let seq = self.next;
        self.hold(Kept {
            seq,
            moment,
            direction,
            of,
            raw,
            #[cfg(feature = "lab")]
            strike: None,
        });
    }

    fn hold(&mut self, kept: Kept) {
        let moment = kept.moment;
        let (what, _) = self.view(&kept, false);
        self.kept_bytes += kept.raw.size();
        self.kept.push_back(kept);
        while self.kept.len() > KEPT_PACKETS || self.kept_bytes > KEPT_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.kept_bytes -= oldest.raw.size();
        }
        self.push(what, moment);
    }

    #[cfg(not(feature = "lab"))]
    fn view(&self, kept: &Kept, reveal: bool) -> (What, Vec<u8>) {
        self.view_of(kept, reveal)
    }

    #[cfg(feature = "lab")]
    fn view(&self, kept: &Kept, reveal: bool) -> (What, Vec<u8>) {
        let (what, bytes) = self.view_of(kept, reveal);
        let Some(Strike { rule, fault, detail }) = kept.strike.clone() else {
            return (what, bytes);
        };
        let (packet, message) = match what {
            What::Mqtt { packet, .. } => (Some(Box::new(packet)), None),
            What::Http { message, .. } => (None, Some(Box::new(message))),
            _ => (None, None),
        };
        let (direction, mut done) = (Some(kept.direction), fault);
        // What a rule puts in the place of a body is no less secret than a body.
        if let Fault::Status { body: Some(body), .. } = &mut done {
            *body = self.hide(body, reveal, &mut 0);
        }
        (What::Fault { rule, done, detail, direction, packet, message }, bytes)
    }

    fn view_of(&self, kept: &Kept, reveal: bool) -> (What, Vec<u8>) {
        let direction = kept.direction;
        let (of, latency) = kept.of.unzip();
        match &kept.raw {
            Raw::Mqtt(raw) => {
                let mut bytes = raw.expose().to_vec();
                let masked = if reveal {
                    0
                } else {
                    let password = packet::password(&bytes);
                    self.mask.cover(&mut bytes, password.as_slice())
                };
                let packet = MqttPacket { masked, of, latency, ..packet::read(&bytes) };
                (What::Mqtt { direction, packet }, bytes)
            }
            Raw::Request(request) => {
                let mut bytes = request.body.clone();
                let mut masked = 0;
                let mut hide = |text: &str| self.hide(text, reveal, &mut masked);
                let (url, headers) = (hide(&request.url), hidden(&request.headers, &mut hide));
                let string_to_sign = string_to_sign(request).map(|text| hide(&text));
                if !reveal {
                    masked += self.mask.cover(&mut bytes, &[]);
                }
                let message = HttpMessage {
                    method: Some(request.method.clone()),
                    url: Some(url),
                    status: None,
                    headers,
                    size: bytes.len(),
                    masked,
                    payload: (!bytes.is_empty()).then(|| Payload::of(&bytes)),
                    string_to_sign,
                    trouble: None,
                    relay: self.by_relay.then_some(true),
                };
                (What::Http { direction, message, of, latency }, bytes)
            }
            Raw::Response(response, a_key) => {
                let mut bytes = response.body.clone();
                let mut masked = 0;
                let headers =
                    hidden(&response.headers, &mut |text| self.hide(text, reveal, &mut masked));
                if !reveal {
                    let key = if *a_key { value_of(&bytes, "data") } else { None };
                    masked += self.mask.cover(&mut bytes, key.as_slice());
                }
                let message = HttpMessage {
                    method: None,
                    url: None,
                    status: Some(response.status),
                    headers,
                    size: bytes.len(),
                    masked,
                    payload: (!bytes.is_empty()).then(|| Payload::of(&bytes)),
                    string_to_sign: None,
                    trouble: None,
                    relay: None,
                };
                (What::Http { direction, message, of, latency }, bytes)
            }
        }
    }

    fn hide(&self, text: &str, reveal: bool, masked: &mut usize) -> String {
        if reveal {
            return text.to_string();
        }
        let mut bytes = text.as_bytes().to_vec();
        *masked += self.mask.cover(&mut bytes, &[]);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn hidden(
    headers: &[(String, String)],
    hide: &mut impl FnMut(&str) -> String,
) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.clone(), hide(value))).collect()
}

/// The id by which a vendor's reply names its request.
fn vendor_id(packet: &[u8]) -> Option<Vec<u8>> {
    let (from, to) = packet::payload(packet)?;
    let body = packet.get(from..to)?;
    let (from, to) = ["RequestID", "id"].into_iter().find_map(|name| value_of(body, name))?;
    body.get(from..to).map(<[u8]>::to_vec)
}

/// What a request to Alibaba's gateway was signed over.
pub(crate) fn string_to_sign(request: &Request) -> Option<String> {
    #[cfg(feature = "alibaba")]
    {
        use crate::platform::alibaba::sign;
        let listed = header(&request.headers, "X-Ca-Signature-Headers")?;
        let names = sign::split_signature_headers(listed);
        Some(sign::string_to_sign(&sign::SignedRequest {
            method: &request.method,
            path: path(&request.url),
            query: &[],
            form: &[],
            headers: &request.headers,
            signed_headers: Some(&names),
        }))
    }
    #[cfg(not(feature = "alibaba"))]
    {
        let _ = (request, header);
        None
    }
}

pub(crate) fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or(path)
}

/// A query may hold a right of access.
fn without_query(url: &str) -> String {
    url.split('?').next().unwrap_or_default().to_string()
}
