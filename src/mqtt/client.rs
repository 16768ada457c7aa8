//! The device's end of an MQTT 3.1.1 connection.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use mqtt_protocol_core::mqtt::packet::{SubEntry, SubOpts, v3_1_1};

use super::codec::{self, Frame, Framer, Unframed, kind};
use crate::error::Failure;
use crate::input::{Ack, Message};
use crate::output::{Connect, Publish, QoS, Subscribe, Token};
use crate::secret::SecretBytes;
use crate::time::Instant;

/// How long the server may take for CONNACK, and for PINGRESP.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The largest packet taken in, and the largest payload sent: what the strictest platform allows.
const MAX_PACKET: u32 = 256 * 1024;
/// How many packets may wait for their acknowledgement.
const MAX_IN_FLIGHT: usize = 1000;

/// One session over one connection. Make it when the connection is open.
///
/// After every call to another method: send what [`poll_transmit`](Self::poll_transmit) gives until it gives nothing,
/// take what [`poll_event`](Self::poll_event) gives until it gives nothing, close the connection if
/// [`wants_close`](Self::wants_close), and come back at [`poll_timeout`](Self::poll_timeout).
pub struct ClientSession {
    framer: Framer,
    state: State,
    keep_alive: Option<Duration>,
    now: Instant,
    sent: Instant,
    heard: Instant,
    /// When PINGRESP is late.
    ping_until: Option<Instant>,
    last_id: u16,
    in_flight: BTreeMap<u16, Waiting>,
    transmit: Vec<u8>,
    /// QoS 0 publishes in `transmit`.
    leaving: Vec<Token>,
    events: VecDeque<ClientEvent>,
}

enum State {
    ExpectConnack { until: Instant },
    Connected,
    Over,
}

enum Waiting {
    Publish(Token),
    Subscribe(Token),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    /// CONNACK with return code 0.
    Connected {
        /// As the server said; we always ask for a clean session.
        session_present: bool,
    },
    /// CONNACK with another return code. The session is over.
    Refused(u8),
    /// PUBLISH from the server, acknowledged if its QoS is 1.
    Message(Message),
    /// The server acknowledged; for a publish of QoS 0: its bytes were taken by `poll_transmit`.
    Acked(Token, Ack),
    /// The session is over.
    Failed(Failure),
}

/// Why a packet was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// There is no accepted CONNECT, or the session is over.
    NotConnected,
    /// Topic or payload are longer than MQTT, or the platforms, allow.
    TooLarge,
    /// The topic is empty, or has characters that it must not have.
    Topic,
    /// Too many packets wait for their acknowledgement.
    TooMany,
}

impl ClientSession {
    /// Starts with CONNECT: MQTT 3.1.1, clean session, no will.
    pub fn new(connect: &Connect, now: Instant) -> Self {
        let seconds = u64::from(connect.keep_alive);
        let mut session = Self {
            framer: Framer::new(MAX_PACKET),
            state: State::ExpectConnack { until: now + ANSWER_WITHIN },
            // A tenth earlier than the server may begin to count, so that a slow network is no reason to be dropped.
            keep_alive: (seconds > 0).then(|| Duration::from_millis(seconds * 900)),
            now,
            sent: now,
            heard: now,
            ping_until: None,
            last_id: 0,
            in_flight: BTreeMap::new(),
            transmit: Vec::new(),
            leaving: Vec::new(),
            events: VecDeque::new(),
        };
        match build_connect(connect) {
            Some(bytes) => session.send(&bytes),
            None => session.fail(Failure::TooLarge),
        }
        session
    }

    /// Sends SUBSCRIBE; [`ClientEvent::Acked`] with this token answers.
    pub fn subscribe(&mut self, token: Token, subscribe: &Subscribe) -> Result<(), NotSent> {
        self.check(&subscribe.topic, 0)?;
        let id = self.packet_id();
        let options = SubOpts::new().set_qos(codec::qos(subscribe.qos));
        let bytes = SubEntry::new(subscribe.topic.as_str(), options)
            .and_then(|entry| {
                v3_1_1::Subscribe::builder().packet_id(id).entries(alloc::vec![entry]).build()
            })
            .map_err(|_| NotSent::Topic)?
            .to_continuous_buffer();
        self.send(&bytes);
        self.in_flight.insert(id, Waiting::Subscribe(token));
        Ok(())
    }

    /// Sends PUBLISH; [`ClientEvent::Acked`] with this token answers.
    pub fn publish(&mut self, token: Token, publish: &Publish) -> Result<(), NotSent> {
        let payload = publish.payload.expose();
        self.check(&publish.topic, payload.len())?;
        let id = (publish.qos == QoS::AtLeastOnce).then(|| self.packet_id());
        let bytes =
            codec::publish(&publish.topic, publish.qos, id, payload).ok_or(NotSent::Topic)?;
        self.send(&bytes);
        match id {
            Some(id) => {
                self.in_flight.insert(id, Waiting::Publish(token));
            }
            None => self.leaving.push(token),
        }
        Ok(())
    }

    /// Sends DISCONNECT. The session is over, without another event.
    pub fn disconnect(&mut self) {
        if matches!(self.state, State::Connected) {
            self.send(&[kind::DISCONNECT << 4, 0]);
        }
        self.state = State::Over;
        self.events.clear();
    }

    /// Takes bytes from the server, any number of them.
    pub fn receive(&mut self, mut bytes: &[u8], now: Instant) {
        self.advance(now);
        while !matches!(self.state, State::Over) {
            match self.framer.next(&mut bytes) {
                Some(Ok(frame)) => {
                    self.heard = self.now;
                    if let Some(until) = &mut self.ping_until {
                        // Slow, but alive.
                        *until = self.now + ANSWER_WITHIN;
                    }
                    if self.frame(&frame).is_none() {
                        self.fail(Failure::Protocol);
                    }
                }
                Some(Err(Unframed::TooLarge)) => self.fail(Failure::TooLarge),
                Some(Err(Unframed::Malformed)) => self.fail(Failure::Protocol),
                None => return,
            }
        }
    }

    /// The connection is gone.
    pub fn connection_lost(&mut self) {
        self.fail(Failure::Lost);
    }

    /// Call at [`poll_timeout`](Self::poll_timeout), or whenever it suits.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        match self.state {
            State::ExpectConnack { until } if until <= self.now => self.fail(Failure::TimedOut),
            State::Connected => match (self.ping_until, self.ping_due()) {
                (Some(until), _) if until <= self.now => self.fail(Failure::TimedOut),
                (None, Some(due)) if due <= self.now => {
                    self.send(&[kind::PINGREQ << 4, 0]);
                    self.ping_until = Some(self.now + ANSWER_WITHIN);
                }
                _ => {}
            },
            _ => {}
        }
    }

    /// Bytes for the connection. They are taken as sent.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        if self.transmit.is_empty() {
            return None;
        }
        if !matches!(self.state, State::Over) {
            let left = self.leaving.drain(..).map(|t| ClientEvent::Acked(t, Ack::Published));
            self.events.extend(left);
        }
        Some(core::mem::take(&mut self.transmit))
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::ExpectConnack { until } => Some(until),
            State::Connected => self.ping_until.or_else(|| self.ping_due()),
            State::Over => None,
        }
    }

    /// Whether the session is over: close the connection once [`poll_transmit`](Self::poll_transmit) is empty.
    pub fn wants_close(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// A keep alive after the last packet sent, or heard: a peer that only takes may be dead.
    fn ping_due(&self) -> Option<Instant> {
        self.keep_alive.map(|wait| self.sent.min(self.heard) + wait)
    }

    fn check(&self, topic: &str, payload: usize) -> Result<(), NotSent> {
        if !matches!(self.state, State::Connected) {
            Err(NotSent::NotConnected)
        } else if topic.is_empty() || topic.contains('\0') {
            Err(NotSent::Topic)
        } else if topic.len() > usize::from(u16::MAX) || payload > MAX_PACKET as usize {
            Err(NotSent::TooLarge)
        } else if self.in_flight.len() >= MAX_IN_FLIGHT {
            Err(NotSent::TooMany)
        } else {
            Ok(())
        }
    }

    fn packet_id(&mut self) -> u16 {
        let in_flight = &self.in_flight;
        codec::free_id(&mut self.last_id, |id| in_flight.contains_key(&id))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.transmit.extend_from_slice(bytes);
        self.sent = self.now;
    }

    fn fail(&mut self, failure: Failure) {
        if !matches!(self.state, State::Over) {
            self.state = State::Over;
            self.events.push_back(ClientEvent::Failed(failure));
        }
    }

    /// `None` is a breach of MQTT.
    fn frame(&mut self, frame: &Frame) -> Option<()> {
        let body = frame.body();
        if frame.kind != kind::PUBLISH && frame.flags != 0 {
            return None;
        }
        match (frame.kind, &self.state) {
            (kind::CONNACK, State::ExpectConnack { .. }) => {
                let &[present @ (0 | 1), code] = body else { return None };
                if code == 0 {
                    self.state = State::Connected;
                    let session_present = present == 1;
                    self.events.push_back(ClientEvent::Connected { session_present });
                } else {
                    self.state = State::Over;
                    self.events.push_back(ClientEvent::Refused(code));
                }
                Some(())
            }
            (kind::PUBLISH, State::Connected) => self.message(frame),
            (kind::PUBACK, State::Connected) if body.len() == 2 => {
                let id = codec::packet_id(body)?;
                // An identifier that nobody waits for is a server's second answer: ignored.
                if let Some(Waiting::Publish(token)) = self.in_flight.get(&id) {
                    self.events.push_back(ClientEvent::Acked(*token, Ack::Published));
                    self.in_flight.remove(&id);
                }
                Some(())
            }
            (kind::SUBACK, State::Connected) => {
                let &[_, _, code] = body else { return None };
                let ack = match code {
                    0 => Ack::Subscribed(QoS::AtMostOnce),
                    1 | 2 => Ack::Subscribed(QoS::AtLeastOnce),
                    0x80 => Ack::SubscribeRefused,
                    _ => return None,
                };
                let id = codec::packet_id(body)?;
                if let Some(Waiting::Subscribe(token)) = self.in_flight.get(&id) {
                    self.events.push_back(ClientEvent::Acked(*token, ack));
                    self.in_flight.remove(&id);
                }
                Some(())
            }
            (kind::PINGRESP, State::Connected) if body.is_empty() => {
                self.ping_until = None;
                Some(())
            }
            _ => None,
        }
    }

    fn message(&mut self, frame: &Frame) -> Option<()> {
        let (packet, _) = v3_1_1::Publish::parse(frame.flags, frame.shared_body()).ok()?;
        let topic = packet.topic_name();
        if topic.is_empty() || topic.contains(['\0', '+', '#']) {
            return None;
        }
        let message = Message {
            topic: String::from(topic),
            payload: SecretBytes::new(packet.payload().as_slice().to_vec()),
        };
        // We never subscribe with QoS 2, so a server must not send it.
        let id = match (frame.flags >> 1) & 3 {
            0 => None,
            1 => Some(packet.packet_id().filter(|&id| id != 0)?),
            _ => return None,
        };
        self.events.push_back(ClientEvent::Message(message));
        if let Some(id) = id {
            self.send(&codec::puback(id));
        }
        Some(())
    }
}

fn build_connect(connect: &Connect) -> Option<Vec<u8>> {
    let packet = v3_1_1::Connect::builder()
        .client_id(connect.client_id.as_str())
        .and_then(|builder| builder.user_name(connect.username.as_str()))
        .and_then(|builder| builder.password(connect.password.expose()))
        .and_then(|builder| builder.clean_session(true).keep_alive(connect.keep_alive).build())
        .ok()?;
    Some(packet.to_continuous_buffer())
}

impl fmt::Debug for ClientSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::ExpectConnack { .. } => "ExpectConnack",
            State::Connected => "Connected",
            State::Over => "Over",
        };
        // The bytes to send hold a password.
        write!(f, "ClientSession({state}, {} in flight)", self.in_flight.len())
    }
}
