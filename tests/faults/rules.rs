//! Rules and packets for these tests.

use muster::faults::{Armed, Fault, Kind, On, Rule, Times};

pub(crate) fn on(message: Kind) -> On {
    On { message, direction: None, topic: None, path: None, text: None, event: None }
}

pub(crate) fn rule(id: &str, fault: Fault, on: Option<On>) -> Armed {
    let rule = Rule {
        id: id.into(),
        fault,
        on,
        nth: 1,
        every: 1,
        chance: 1.0,
        seed: 1,
        times: Times::Count(1),
    };
    Armed { rule, seen: 0, struck: 0 }
}

/// PUBLISH, QoS 1 with this identifier, or QoS 0.
pub(crate) fn publish(topic: &str, id: Option<u16>, payload: &[u8]) -> Vec<u8> {
    let mut body = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
    body.extend_from_slice(topic.as_bytes());
    if let Some(id) = id {
        body.extend_from_slice(&id.to_be_bytes());
    }
    body.extend_from_slice(payload);
    let mut packet = vec![if id.is_some() { 0x32 } else { 0x30 }];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length % 128).unwrap();
        length /= 128;
        packet.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(&body);
    packet
}
