//! Packets: framing with a size limit, and the few builders both ends need.

use alloc::vec::Vec;

use mqtt_protocol_core::mqtt::common::{Arc, Cursor};
use mqtt_protocol_core::mqtt::connection::{PacketBuildResult, PacketBuilder, PacketData};
use mqtt_protocol_core::mqtt::packet::{Qos, v3_1_1};
use mqtt_protocol_core::mqtt::result_code::MqttError;

use crate::output::QoS;

/// Packet types of MQTT 3.1.1, section 2.2.1.
pub(super) mod kind {
    #[cfg(feature = "cloud")]
    pub(in crate::mqtt) const CONNECT: u8 = 1;
    pub(in crate::mqtt) const CONNACK: u8 = 2;
    pub(in crate::mqtt) const PUBLISH: u8 = 3;
    pub(in crate::mqtt) const PUBACK: u8 = 4;
    #[cfg(feature = "cloud")]
    pub(in crate::mqtt) const SUBSCRIBE: u8 = 8;
    pub(in crate::mqtt) const SUBACK: u8 = 9;
    #[cfg(feature = "cloud")]
    pub(in crate::mqtt) const UNSUBSCRIBE: u8 = 10;
    #[cfg(feature = "cloud")]
    pub(in crate::mqtt) const UNSUBACK: u8 = 11;
    pub(in crate::mqtt) const PINGREQ: u8 = 12;
    pub(in crate::mqtt) const PINGRESP: u8 = 13;
    pub(in crate::mqtt) const DISCONNECT: u8 = 14;
}

/// One packet, its body not looked at yet.
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    body: PacketData,
}

impl Frame {
    pub(super) fn body(&self) -> &[u8] {
        self.body.as_slice()
    }

    /// The body in the form that the library parses PUBLISH from.
    pub(super) fn shared_body(&self) -> Arc<[u8]> {
        match &self.body {
            PacketData::Publish(bytes) => bytes.clone(),
            PacketData::Normal(bytes) => Arc::from(bytes.as_slice()),
        }
    }
}

/// Why no packet could be made of the bytes.
pub(super) enum Unframed {
    /// The packet announces more bytes than allowed.
    TooLarge,
    /// The length field is longer than four bytes.
    Malformed,
}

/// Cuts a stream of bytes into packets, wherever the pieces begin and end.
///
/// A packet that announces more than the limit is refused before memory is set aside for it.
pub(super) struct Framer(PacketBuilder);

impl Framer {
    pub(super) fn new(limit: u32) -> Self {
        Self(PacketBuilder::with_maximum_packet_size(limit))
    }

    #[cfg(feature = "cloud")]
    pub(super) fn set_limit(&mut self, limit: u32) {
        self.0.set_maximum_packet_size(limit);
    }

    /// The next packet that is complete, taken off the front of `bytes`.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Option<Result<Frame, Unframed>> {
        while !bytes.is_empty() {
            let mut cursor = Cursor::new(*bytes);
            let built = self.0.feed(&mut cursor);
            let taken = usize::try_from(cursor.position()).unwrap_or(bytes.len());
            *bytes = bytes.get(taken..).unwrap_or_default();
            match built {
                PacketBuildResult::Complete(raw) => {
                    let (kind, flags) = (raw.packet_type(), raw.flags());
                    return Some(Ok(Frame { kind, flags, body: raw.data }));
                }
                PacketBuildResult::Error(MqttError::PacketTooLarge) => {
                    return Some(Err(Unframed::TooLarge));
                }
                PacketBuildResult::Error(_) => return Some(Err(Unframed::Malformed)),
                // Nothing taken and nothing complete would never end.
                PacketBuildResult::Incomplete if taken == 0 => return None,
                PacketBuildResult::Incomplete => {}
            }
        }
        None
    }
}

/// A packet identifier that is the whole body (PUBACK, UNSUBACK), or its beginning.
pub(super) fn packet_id(body: &[u8]) -> Option<u16> {
    match body {
        [high, low, ..] => Some(u16::from_be_bytes([*high, *low])).filter(|&id| id != 0),
        _ => None,
    }
}

/// The identifier after `last` that `taken` does not say is in use.
pub(super) fn free_id(last: &mut u16, taken: impl Fn(u16) -> bool) -> u16 {
    loop {
        *last = last.wrapping_add(1).max(1);
        if !taken(*last) {
            return *last;
        }
    }
}

pub(super) fn qos(qos: QoS) -> Qos {
    match qos {
        QoS::AtMostOnce => Qos::AtMostOnce,
        QoS::AtLeastOnce => Qos::AtLeastOnce,
    }
}

/// PUBLISH, not retained. `None` for a topic that MQTT does not allow.
pub(super) fn publish(
    topic: &str,
    level: QoS,
    packet_id: Option<u16>,
    payload: &[u8],
) -> Option<Vec<u8>> {
    if topic.contains('\0') {
        return None;
    }
    let packet = v3_1_1::Publish::builder()
        .topic_name(topic)
        .ok()?
        .qos(qos(level))
        .packet_id(packet_id)
        .payload(payload)
        .build()
        .ok()?;
    Some(packet.to_continuous_buffer())
}

/// PUBACK.
pub(super) fn puback(packet_id: u16) -> [u8; 4] {
    with_id(kind::PUBACK << 4, packet_id)
}

/// A packet whose body is one packet identifier.
pub(super) fn with_id(first: u8, packet_id: u16) -> [u8; 4] {
    let [high, low] = packet_id.to_be_bytes();
    [first, 2, high, low]
}
