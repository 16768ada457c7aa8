//! MQTT packets as a person reads them, from their bytes.

use alloc::string::String;
use alloc::vec::Vec;

use super::Payload;

/// The kind of a packet, by MQTT 3.1.1, section 2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs)]
pub enum PacketType {
    Connect,
    Connack,
    Publish,
    Puback,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Pingreq,
    Pingresp,
    Disconnect,
    /// None that we know.
    Other,
}

/// A packet as a person reads it. What a kind does not have is absent.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "snake_case")]
pub struct MqttPacket {
    /// Its kind.
    pub r#type: PacketType,
    /// Bytes on the wire.
    pub size: usize,
    /// How many secrets are covered in it.
    pub masked: usize,
    /// Packet identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packet_id: Option<u16>,
    /// Topic name, or the first topic filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// 0, 1 or 2: of a PUBLISH, or as requested by SUBSCRIBE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qos: Option<u8>,
    /// Retain flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retain: Option<bool>,
    /// Sent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dup: Option<bool>,
    /// ClientID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// User name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Password, covered unless a person asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<u16>,
    /// Clean session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean_session: Option<bool>,
    /// Of CONNACK; of SUBACK the granted QoS, or 128.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_code: Option<u8>,
    /// Which entry it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u32>,
    /// Milliseconds after that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<f64>,
    /// Of PUBLISH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
}

/// Cuts a stream of bytes into packets. What is no MQTT comes out as it is.
#[derive(Debug, Default)]
pub struct Cutter(Vec<u8>);

/// Longer than any packet that a session here takes in.
const LONGEST: usize = 512 * 1024;

impl Cutter {
    /// The packets that are complete with these bytes.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.0.extend_from_slice(bytes);
        let mut packets = Vec::new();
        let mut at = 0;
        while let Some(rest) = self.0.get(at..) {
            let length = match total(rest) {
                Total::Known(length) if length <= rest.len() => length,
                Total::Known(length) if length <= LONGEST => break,
                Total::Unknown => break,
                _ => rest.len(),
            };
            packets.extend(rest.get(..length).map(<[u8]>::to_vec));
            at += length;
        }
        self.0.drain(..at);
        packets
    }
}

enum Total {
    Known(usize),
    /// More bytes will tell.
    Unknown,
    /// This is no MQTT.
    Never,
}

fn total(bytes: &[u8]) -> Total {
    let mut length = 0;
    for at in 0..4 {
        match bytes.get(1 + at) {
            None => return Total::Unknown,
            Some(&byte) => {
                length |= usize::from(byte & 127) << (7 * at);
                if byte & 128 == 0 {
                    return Total::Known(2 + at + length);
                }
            }
        }
    }
    Total::Never
}

/// Where a packet's variable header begins.
pub(crate) fn body(packet: &[u8]) -> usize {
    match total(packet) {
        Total::Known(_) => 2 + packet.iter().skip(1).take_while(|&&byte| byte & 128 != 0).count(),
        _ => packet.len(),
    }
}

/// Where CONNECT has its password.
pub(crate) fn password(packet: &[u8]) -> Option<(usize, usize)> {
    (kind(packet) == PacketType::Connect).then_some(())?;
    let mut reader = Reader { bytes: packet, at: body(packet) };
    connect(&mut reader)?.password
}

/// Where the payload of PUBLISH is.
pub(crate) fn payload(packet: &[u8]) -> Option<(usize, usize)> {
    (kind(packet) == PacketType::Publish).then_some(())?;
    let mut reader = Reader { bytes: packet, at: body(packet) };
    reader.field()?;
    if (packet.first()? >> 1) & 3 != 0 {
        reader.u16()?;
    }
    Some((reader.at, packet.len()))
}

pub(crate) fn kind(packet: &[u8]) -> PacketType {
    match packet.first().map(|first| first >> 4) {
        Some(1) => PacketType::Connect,
        Some(2) => PacketType::Connack,
        Some(3) => PacketType::Publish,
        Some(4) => PacketType::Puback,
        Some(8) => PacketType::Subscribe,
        Some(9) => PacketType::Suback,
        Some(10) => PacketType::Unsubscribe,
        Some(11) => PacketType::Unsuback,
        Some(12) => PacketType::Pingreq,
        Some(13) => PacketType::Pingresp,
        Some(14) => PacketType::Disconnect,
        _ => PacketType::Other,
    }
}

/// Reads one whole packet. What does not parse leaves its fields absent.
pub(crate) fn read(packet: &[u8]) -> MqttPacket {
    let mut view = MqttPacket {
        r#type: kind(packet),
        size: packet.len(),
        masked: 0,
        packet_id: None,
        topic: None,
        qos: None,
        retain: None,
        dup: None,
        client_id: None,
        username: None,
        password: None,
        keep_alive: None,
        clean_session: None,
        return_code: None,
        of: None,
        latency: None,
        payload: None,
    };
    // A packet that ends early has told what it has.
    let _ = fill(&mut view, packet);
    view
}

fn fill(view: &mut MqttPacket, packet: &[u8]) -> Option<()> {
    let flags = packet.first()? & 15;
    let mut reader = Reader { bytes: packet, at: body(packet) };
    match view.r#type {
        PacketType::Connect => {
            let connect = connect(&mut reader)?;
            view.clean_session = Some(connect.flags & 2 != 0);
            view.keep_alive = Some(connect.keep_alive);
            view.client_id = Some(reader.text(connect.client_id));
            view.username = connect.username.map(|span| reader.text(span));
            view.password = connect.password.map(|span| reader.text(span));
        }
        PacketType::Connack => {
            reader.u8()?;
            view.return_code = Some(reader.u8()?);
        }
        PacketType::Publish => {
            let topic = reader.field()?;
            let qos = (flags >> 1) & 3;
            view.topic = Some(reader.text(topic));
            view.qos = Some(qos);
            view.retain = Some(flags & 1 != 0);
            view.dup = Some(flags & 8 != 0);
            if qos != 0 {
                view.packet_id = Some(reader.u16()?);
            }
            view.payload = Some(Payload::of(packet.get(reader.at..)?));
        }
        PacketType::Subscribe | PacketType::Unsubscribe => {
            view.packet_id = Some(reader.u16()?);
            let topic = reader.field()?;
            view.topic = Some(reader.text(topic));
            if view.r#type == PacketType::Subscribe {
                view.qos = Some(reader.u8()?);
            }
        }
        PacketType::Suback => {
            view.packet_id = Some(reader.u16()?);
            view.return_code = Some(reader.u8()?);
        }
        PacketType::Puback | PacketType::Unsuback => view.packet_id = Some(reader.u16()?),
        _ => {}
    }
    Some(())
}

type Span = (usize, usize);

struct Connect {
    flags: u8,
    keep_alive: u16,
    client_id: Span,
    username: Option<Span>,
    password: Option<Span>,
}

fn connect(reader: &mut Reader<'_>) -> Option<Connect> {
    reader.field()?;
    reader.u8()?;
    let flags = reader.u8()?;
    let keep_alive = reader.u16()?;
    let client_id = reader.field()?;
    if flags & 4 != 0 {
        reader.field()?;
        reader.field()?;
    }
    let username = if flags & 0x80 != 0 { Some(reader.field()?) } else { None };
    let password = if flags & 0x40 != 0 { Some(reader.field()?) } else { None };
    Some(Connect { flags, keep_alive, client_id, username, password })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn u8(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    /// Bytes with their length ahead.
    fn field(&mut self) -> Option<Span> {
        let length = usize::from(self.u16()?);
        let span = (self.at, self.at + length);
        self.bytes.get(span.0..span.1)?;
        self.at = span.1;
        Some(span)
    }

    fn text(&self, span: Span) -> String {
        String::from_utf8_lossy(self.bytes.get(span.0..span.1).unwrap_or_default()).into_owned()
    }
}
