//! The cloud's end of an MQTT 3.1.1 connection.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use mqtt_protocol_core::mqtt::packet::{MqttString, v3_1_1};

use super::codec::{self, Frame, Framer, Unframed, kind};
use crate::cloud::{CloudOutput, ConnectPacket, Packet};
use crate::output::QoS;
use crate::secret::{Secret, SecretBytes};
use crate::time::Instant;

/// One connection of a device. Make it when the connection is accepted.
///
/// After every call to another method: take what [`poll_event`](Self::poll_event) gives until it gives nothing, and
/// put it before the cloud; send what [`poll_transmit`](Self::poll_transmit) gives, as fast as the peer takes it;
/// close the connection if [`wants_close`](Self::wants_close); come back at [`poll_timeout`](Self::poll_timeout).
///
/// Packets reach the cloud strictly in order, and none before CONNECT was answered: what came behind CONNECT waits
/// for [`connack`](Self::connack), and is dropped if that refuses. So poll events again after every answer.
///
/// Memory is bounded by [`ServerLimits`], whatever the peer sends or does not read.
pub struct ServerSession {
    framer: Framer,
    limits: ServerLimits,
    state: State,
    now: Instant,
    /// When the last whole packet came.
    heard: Instant,
    silence: Option<Duration>,
    items: VecDeque<Item>,
    queued: usize,
    in_flight: BTreeMap<u16, u32>,
    last_id: u16,
    transmit: Vec<u8>,
}

/// Bounds of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerLimits {
    /// How long the peer may take to send CONNECT.
    pub connect_within: Duration,
    /// The largest CONNECT, in bytes.
    pub connect_packet: u32,
    /// The largest packet after it, in bytes.
    pub packet: u32,
    /// Received and not yet polled, in bytes (with 64 more for each packet and each topic filter).
    pub queued: usize,
    /// Waiting for [`ServerSession::poll_transmit`], in bytes.
    pub unsent: usize,
    /// Publishes of QoS 1 that wait for their PUBACK.
    pub in_flight: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connect_within: Duration::from_secs(10),
            connect_packet: 8 * 1024,
            packet: 256 * 1024,
            queued: 1024 * 1024,
            unsent: 1024 * 1024,
            in_flight: 1000,
        }
    }
}

enum State {
    ExpectConnect {
        until: Instant,
    },
    ExpectConnack,
    Open,
    /// The peer is lost: what it sent before is still to be polled.
    Lost,
    /// We closed: nothing more is told.
    Closed,
}

enum Item {
    Connect(ConnectPacket),
    Packet(Packet, usize),
    /// Answered when its turn comes, so that PINGRESP never overtakes CONNACK.
    Ping,
    Lost(Loss),
}

/// What the peer did, in the words of [`CloudInput`](crate::cloud::CloudInput).
#[derive(Clone, Debug)]
pub enum ServerEvent {
    /// CONNECT, of whatever protocol level.
    Connect(ConnectPacket),
    /// A later packet.
    Packet(Packet),
    /// The connection is over, not by our own [`close`](ServerSession::close); always the last event. It may come
    /// without a [`ServerEvent::Connect`] before it.
    Lost(Loss),
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// DISCONNECT; the packet itself was reported before.
    Disconnected,
    /// The connection ended without DISCONNECT.
    Gone,
    /// No whole packet in the time that CONNACK's `silence` gives.
    Silent,
    /// No CONNECT in time.
    NoConnect,
    /// The peer broke MQTT.
    Breach(Breach),
    /// A packet over the limit.
    TooLarge,
    /// More packets than the limit holds.
    TooMany,
    /// The peer does not read.
    SlowReader,
    /// The peer does not acknowledge.
    Unacknowledged,
}

/// How a peer broke MQTT 3.1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// Bytes that make no packet.
    Malformed,
    /// A packet that parses and must not come here, or not with these flags.
    Unexpected,
    /// A packet before CONNECT.
    NotConnect,
    /// A second CONNECT.
    SecondConnect,
    /// A topic that is empty, or has characters that it must not have.
    Topic,
}

/// What a queued packet, or a topic filter, costs beside its bytes.
const OVERHEAD: usize = 64;

impl ServerSession {
    /// Waits for CONNECT.
    pub fn new(limits: ServerLimits, now: Instant) -> Self {
        Self {
            framer: Framer::new(limits.connect_packet),
            limits,
            state: State::ExpectConnect { until: now + limits.connect_within },
            now,
            heard: now,
            silence: None,
            items: VecDeque::new(),
            queued: 0,
            in_flight: BTreeMap::new(),
            last_id: 0,
            transmit: Vec::new(),
        }
    }

    /// Takes bytes from the peer, any number of them.
    pub fn receive(&mut self, mut bytes: &[u8], now: Instant) {
        self.advance(now);
        while !self.wants_close() {
            let taken = match self.framer.next(&mut bytes) {
                Some(Ok(frame)) => {
                    self.heard = self.now;
                    self.frame(&frame).map_err(Loss::Breach)
                }
                Some(Err(Unframed::TooLarge)) => Err(Loss::TooLarge),
                Some(Err(Unframed::Malformed)) => Err(Loss::Breach(Breach::Malformed)),
                None => return,
            };
            match taken {
                Ok(()) if self.queued > self.limits.queued => self.lost(Loss::TooMany),
                Ok(()) => {}
                Err(loss) => self.lost(loss),
            }
        }
    }

    /// The connection is gone.
    pub fn connection_lost(&mut self) {
        self.lost(Loss::Gone);
    }

    /// Call at [`poll_timeout`](Self::poll_timeout), or whenever it suits.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        match self.state {
            State::ExpectConnect { until } if until <= self.now => self.lost(Loss::NoConnect),
            State::Open if self.silent_at().is_some_and(|at| at <= self.now) => {
                self.lost(Loss::Silent);
            }
            _ => {}
        }
    }

    /// What the peer did, in order. PINGREQ is answered on the way.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        loop {
            let waits = matches!(self.state, State::ExpectConnack)
                && !matches!(self.items.front(), Some(Item::Connect(_)));
            if waits {
                return None;
            }
            match self.items.pop_front()? {
                Item::Connect(connect) => return Some(ServerEvent::Connect(connect)),
                Item::Packet(packet, size) => {
                    self.queued = self.queued.saturating_sub(size);
                    return Some(ServerEvent::Packet(packet));
                }
                Item::Ping => {
                    self.queued = self.queued.saturating_sub(OVERHEAD);
                    if matches!(self.state, State::Open) {
                        self.send(&[kind::PINGRESP << 4, 0]);
                    }
                }
                Item::Lost(loss) => return Some(ServerEvent::Lost(loss)),
            }
        }
    }

    /// Bytes for the connection. Take them only when the connection can: the limit on unsent bytes is counted here.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        (!self.transmit.is_empty()).then(|| core::mem::take(&mut self.transmit))
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::ExpectConnect { until } => Some(until),
            State::Open => self.silent_at(),
            _ => None,
        }
    }

    /// Whether the session is over: close the connection once [`poll_transmit`](Self::poll_transmit) is empty.
    pub fn wants_close(&self) -> bool {
        matches!(self.state, State::Lost | State::Closed)
    }

    /// Carries out what the cloud wants of this connection; other outputs do nothing.
    pub fn apply(&mut self, output: &CloudOutput) {
        match output {
            CloudOutput::ConnAck { code, silence, .. } => self.connack(*code, *silence),
            CloudOutput::SubAck { packet_id, codes, .. } => self.suback(*packet_id, codes),
            CloudOutput::UnsubAck { packet_id, .. } => self.unsuback(*packet_id),
            CloudOutput::PubAck { packet_id, .. } => self.puback(*packet_id),
            CloudOutput::Publish { token, topic, qos, payload, .. } => {
                self.publish(*token, topic, *qos, payload);
            }
            CloudOutput::Close { .. } => self.close(),
            _ => {}
        }
    }

    /// Answers CONNECT. A code other than 0 is the end of the session.
    pub fn connack(&mut self, code: u8, silence: Option<Duration>) {
        if matches!(self.state, State::ExpectConnack) {
            self.state = State::Open;
            self.silence = silence;
            self.send(&[kind::CONNACK << 4, 2, 0, code]);
            if code != 0 {
                self.close();
            }
        }
    }

    /// Answers SUBSCRIBE.
    pub fn suback(&mut self, packet_id: u16, codes: &[u8]) {
        // A SUBSCRIBE has to fit the packet limit, so its answer has at most 65,535 codes: 3 bytes of length.
        let mut packet = alloc::vec![kind::SUBACK << 4];
        let mut length = codes.len() + 2;
        while length >= 128 {
            packet.push((length % 128) as u8 | 128);
            length /= 128;
        }
        packet.push(length as u8);
        packet.extend_from_slice(&packet_id.to_be_bytes());
        packet.extend_from_slice(codes);
        self.answer(&packet);
    }

    /// Answers UNSUBSCRIBE.
    pub fn unsuback(&mut self, packet_id: u16) {
        self.answer(&codec::with_id(kind::UNSUBACK << 4, packet_id));
    }

    /// Answers PUBLISH of QoS 1.
    pub fn puback(&mut self, packet_id: u16) {
        self.answer(&codec::puback(packet_id));
    }

    /// Sends PUBLISH; `token` comes back in [`Packet::Acked`] if `qos` is 1.
    pub fn publish(&mut self, token: u32, topic: &str, qos: QoS, payload: &SecretBytes) {
        if !matches!(self.state, State::Open) {
            return;
        }
        let id = match qos {
            QoS::AtMostOnce => None,
            QoS::AtLeastOnce if self.in_flight.len() >= self.limits.in_flight.min(60_000) => {
                return self.lost(Loss::Unacknowledged);
            }
            QoS::AtLeastOnce => {
                let in_flight = &self.in_flight;
                Some(codec::free_id(&mut self.last_id, |id| in_flight.contains_key(&id)))
            }
        };
        // The cloud's own topics are made of identifiers it has checked: no refusal to report.
        let Some(packet) = codec::publish(topic, qos, id, payload.expose()) else { return };
        if let Some(id) = id {
            self.in_flight.insert(id, token);
        }
        self.answer(&packet);
    }

    /// Closes the connection once everything before is sent. No event follows.
    pub fn close(&mut self) {
        self.state = State::Closed;
        self.items.clear();
        self.queued = 0;
    }

    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    fn silent_at(&self) -> Option<Instant> {
        self.silence.map(|silence| self.heard + silence)
    }

    fn answer(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Open) {
            self.send(bytes);
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        if self.transmit.len() + bytes.len() > self.limits.unsent {
            self.lost(Loss::SlowReader);
        } else {
            self.transmit.extend_from_slice(bytes);
        }
    }

    fn lost(&mut self, loss: Loss) {
        if self.wants_close() {
            return;
        }
        if matches!(self.state, State::ExpectConnack) {
            // Nobody will hear whether CONNECT was accepted: what came behind it has no one to speak for.
            self.items.retain(|item| matches!(item, Item::Connect(_)));
        }
        self.state = State::Lost;
        self.items.push_back(Item::Lost(loss));
    }

    fn push(&mut self, packet: Packet, body: usize) {
        let size = body + OVERHEAD;
        self.queued += size;
        self.items.push_back(Item::Packet(packet, size));
    }

    fn frame(&mut self, frame: &Frame) -> Result<(), Breach> {
        let body = frame.body();
        let flags = match frame.kind {
            kind::PUBLISH => frame.flags,
            kind::SUBSCRIBE | kind::UNSUBSCRIBE => 2,
            _ => 0,
        };
        if frame.flags != flags {
            return Err(Breach::Malformed);
        }
        if matches!(self.state, State::ExpectConnect { .. }) {
            if frame.kind != kind::CONNECT {
                return Err(Breach::NotConnect);
            }
            let connect = connect(body)?;
            self.items.push_back(Item::Connect(connect));
            self.state = State::ExpectConnack;
            self.framer.set_limit(self.limits.packet);
            return Ok(());
        }
        match frame.kind {
            kind::CONNECT => return Err(Breach::SecondConnect),
            kind::PUBLISH => {
                let packet = publish(frame)?;
                self.push(packet, body.len());
            }
            kind::PUBACK => {
                let id = codec::packet_id(body).filter(|_| body.len() == 2);
                let id = id.ok_or(Breach::Malformed)?;
                // Unknown: a second PUBACK. It changes nothing.
                if let Some(token) = self.in_flight.remove(&id) {
                    self.push(Packet::Acked { token }, body.len());
                }
            }
            kind::SUBSCRIBE => {
                let (packet, filters) = subscribe(body)?;
                self.push(packet, body.len() + filters * OVERHEAD);
            }
            kind::UNSUBSCRIBE => {
                let (packet, filters) = unsubscribe(body)?;
                self.push(packet, body.len() + filters * OVERHEAD);
            }
            kind::PINGREQ if body.is_empty() => {
                self.queued += OVERHEAD;
                self.items.push_back(Item::Ping);
            }
            kind::DISCONNECT if body.is_empty() => {
                self.push(Packet::Disconnect, 0);
                self.lost(Loss::Disconnected);
            }
            // PUBREC, PUBREL and PUBCOMP: no QoS 2 is ever granted here.
            _ => return Err(Breach::Unexpected),
        }
        Ok(())
    }
}

fn connect(body: &[u8]) -> Result<ConnectPacket, Breach> {
    let mut rest = body;
    let name = take_string(&mut rest)?;
    let &[level, flags, high, low, ref payload @ ..] = rest else { return Err(Breach::Malformed) };
    let known = matches!((name.as_str(), level), ("MQTT", _) | ("MQIsdp", 3));
    let reserved = flags & 0b0000_0001 != 0;
    let will = flags & 0b0000_0100 != 0;
    let will_qos = (flags >> 3) & 3;
    let stray_will = !will && flags & 0b0011_1000 != 0;
    if !known || reserved || will_qos == 3 || stray_will {
        return Err(Breach::Malformed);
    }
    let mut packet = ConnectPacket {
        protocol_level: level,
        client_id: String::new(),
        username: None,
        password: None,
        keep_alive: u16::from_be_bytes([high, low]),
        clean_session: flags & 0b0000_0010 != 0,
        will,
    };
    if level == 4 {
        let (parsed, consumed) = v3_1_1::Connect::parse(body).map_err(|_| Breach::Malformed)?;
        let text = [parsed.client_id()].into_iter().chain(parsed.user_name());
        if consumed != body.len() || text.into_iter().any(|text| text.contains('\0')) {
            return Err(Breach::Malformed);
        }
        packet.client_id = parsed.client_id().to_string();
        packet.username = parsed.user_name().map(ToString::to_string);
        // Bytes by MQTT, text by every vendor: bytes that are no text match no secret.
        packet.password =
            parsed.password().map(|bytes| Secret::new(String::from_utf8_lossy(bytes)));
    } else {
        // Of another version only who it is matters, for the log: the answer is a refusal.
        let mut rest = payload;
        if level == 5 {
            let length = take_length(&mut rest).ok_or(Breach::Malformed)?;
            rest = rest.get(length..).ok_or(Breach::Malformed)?;
        }
        packet.client_id = take_string(&mut rest)?;
    }
    Ok(packet)
}

fn publish(frame: &Frame) -> Result<Packet, Breach> {
    let (packet, _) =
        v3_1_1::Publish::parse(frame.flags, frame.shared_body()).map_err(|_| Breach::Malformed)?;
    let qos = (frame.flags >> 1) & 3;
    let duplicate = frame.flags & 0b1000 != 0;
    let packet_id = packet.packet_id();
    if packet_id == Some(0) || (qos == 0 && duplicate) {
        return Err(Breach::Malformed);
    }
    let topic = packet.topic_name();
    if topic.is_empty() || topic.contains(['\0', '+', '#']) {
        return Err(Breach::Topic);
    }
    Ok(Packet::Publish {
        packet_id,
        topic: topic.to_string(),
        qos,
        retain: packet.retain(),
        payload: SecretBytes::new(packet.payload().as_slice().to_vec()),
    })
}

fn subscribe(body: &[u8]) -> Result<(Packet, usize), Breach> {
    let packet_id = codec::packet_id(body).ok_or(Breach::Malformed)?;
    let (packet, _) = v3_1_1::Subscribe::parse(body).map_err(|_| Breach::Malformed)?;
    let mut filters = Vec::with_capacity(packet.entries().len());
    for entry in packet.entries() {
        let [options] = *entry.sub_opts().to_buffer();
        // The upper six bits belong to MQTT 5.
        if options & !3 != 0 {
            return Err(Breach::Malformed);
        }
        filters.push((filter(entry.topic_filter())?, options));
    }
    let count = filters.len();
    Ok((Packet::Subscribe { packet_id, filters }, count))
}

fn unsubscribe(body: &[u8]) -> Result<(Packet, usize), Breach> {
    let packet_id = codec::packet_id(body).ok_or(Breach::Malformed)?;
    let (packet, _) = v3_1_1::Unsubscribe::parse(body).map_err(|_| Breach::Malformed)?;
    let filters = packet
        .entries()
        .iter()
        .map(|entry| filter(entry.as_str()))
        .collect::<Result<Vec<_>, _>>()?;
    let count = filters.len();
    Ok((Packet::Unsubscribe { packet_id, filters }, count))
}

/// Where wildcards may stand is left to the cloud: it grants whole topics.
fn filter(text: &str) -> Result<String, Breach> {
    if text.is_empty() || text.contains('\0') {
        return Err(Breach::Topic);
    }
    Ok(text.to_string())
}

fn take_string(bytes: &mut &[u8]) -> Result<String, Breach> {
    let (text, consumed) = MqttString::decode(bytes).map_err(|_| Breach::Malformed)?;
    *bytes = bytes.get(consumed..).unwrap_or_default();
    Ok(text.as_str().to_string())
}

/// A variable byte integer of at most four bytes.
fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        length |= usize::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Some(length);
        }
    }
    None
}

impl fmt::Debug for ServerSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::ExpectConnect { .. } => "ExpectConnect",
            State::ExpectConnack => "ExpectConnack",
            State::Open => "Open",
            State::Lost => "Lost",
            State::Closed => "Closed",
        };
        // The bytes to send may hold a secret.
        write!(f, "ServerSession({state}, {} in flight)", self.in_flight.len())
    }
}
