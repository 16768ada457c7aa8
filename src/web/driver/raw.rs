//! Packets that a script sends through the device's own MQTT session, beside the core.
//!
//! Their tokens are from the upper half, which the core never reaches, and what answers them never reaches the core; nor do
//! messages on topics that only a script subscribed to. The topics on which the core itself speaks are refused: a script
//! that answered in its place would break the flow that it watches. Faults are for that.

use std::collections::{BTreeMap, BTreeSet};
use std::string::String;

use wasm_bindgen::JsValue;

use super::Driver;
use crate::input::Ack;
use crate::mqtt::NotSent;
use crate::output::{Event, Publish, Subscribe, Token};
use crate::platform::PlatformName;
use crate::web::values::{self, Reply, invalid};

/// The first token that is not the core's.
const FIRST: u32 = 1 << 31;
/// So many topics may a script subscribe to in one session.
const MOST_TOPICS: usize = 1_000;

/// What is under way beside the core.
#[derive(Default)]
pub(super) struct Raw {
    last: u32,
    waiting: BTreeMap<Token, Reply>,
    /// Topics that only a script subscribed to, in this session.
    topics: BTreeSet<String>,
    /// The device is logged in with its own secret.
    ready: bool,
}

impl Raw {
    pub(super) fn new() -> Self {
        Self::default()
    }
}

/// What a script sends.
pub(in crate::web) enum Packet {
    Publish(Publish),
    Subscribe(Subscribe),
}

impl Driver {
    pub(super) fn send_raw(&mut self, packet: Packet, reply: Reply) {
        match self.try_raw(packet) {
            Ok(token) => {
                self.raw.waiting.insert(token, reply);
                self.pump();
            }
            Err(error) => reply.give(Err(error)),
        }
    }

    fn try_raw(&mut self, packet: Packet) -> Result<Token, JsValue> {
        let topic = match &packet {
            Packet::Publish(publish) => &publish.topic,
            Packet::Subscribe(subscribe) => &subscribe.topic,
        };
        if self.platform == PlatformName::Cmcc {
            let text = "this platform speaks HTTP: there is no MQTT session";
            return Err(values::fault("not_supported", text, None, JsValue::NULL));
        }
        if is_the_cores(self.platform, topic) {
            return Err(invalid("topic", "is one on which the device itself speaks"));
        }
        if matches!(packet, Packet::Subscribe(_))
            && self.raw.topics.len() >= MOST_TOPICS
            && !self.raw.topics.contains(topic)
        {
            return Err(invalid("topic", "is one more than 1,000 of this session"));
        }
        let offline = || {
            let next = Some("wait for the event ready");
            values::fault("offline", "the device is not logged in", next, JsValue::NULL)
        };
        if !self.raw.ready {
            return Err(offline());
        }
        let token = Token(FIRST | (self.raw.last & (FIRST - 1)));
        let session = self.session().ok_or_else(offline)?;
        let sent = match &packet {
            Packet::Publish(publish) => session.publish(token, publish),
            Packet::Subscribe(subscribe) => session.subscribe(token, subscribe),
        };
        sent.map_err(|error| match error {
            NotSent::NotConnected => offline(),
            NotSent::Topic => invalid("topic", "is none that MQTT allows"),
            NotSent::TooLarge => invalid("payload", "is too large"),
            NotSent::TooMany => invalid("topic", "has to wait: too many packets are under way"),
        })?;
        self.raw.last = self.raw.last.wrapping_add(1);
        if let Packet::Subscribe(subscribe) = packet {
            self.raw.topics.insert(subscribe.topic);
        }
        Ok(token)
    }

    /// Whether an acknowledgement is none of the core's; then it is given to who waits for it.
    pub(super) fn acked_raw(&mut self, token: Token, ack: Ack) -> bool {
        if token.0 < FIRST {
            return false;
        }
        let Some(reply) = self.raw.waiting.remove(&token) else { return true };
        reply.give(match ack {
            Ack::SubscribeRefused => {
                let text = "the broker refused the subscription";
                Err(values::fault("refused", text, None, JsValue::NULL))
            }
            _ => Ok(JsValue::UNDEFINED),
        });
        true
    }

    /// Whether only a script wanted to hear of this topic.
    pub(super) fn is_raw_topic(&self, topic: &str) -> bool {
        self.raw.topics.contains(topic)
    }

    pub(super) fn note_ready(&mut self, event: &Event) {
        if matches!(event, Event::Ready | Event::Heartbeat { .. }) {
            self.raw.ready = true;
        }
    }

    /// The session is over, and what waited for it.
    pub(super) fn end_raw(&mut self) {
        self.raw.ready = false;
        self.raw.topics.clear();
        for reply in core::mem::take(&mut self.raw.waiting).into_values() {
            let text = "the connection closed before it was acknowledged";
            reply.give(Err(values::fault("offline", text, None, JsValue::NULL)));
        }
    }
}

/// Whether the core speaks or listens on it. Of UCloud also what the docs reserve for the flows that the core runs.
fn is_the_cores(platform: PlatformName, topic: &str) -> bool {
    let ends: &[&str] = match platform {
        PlatformName::Ucloud => &[
            "/password",
            "/password_reply",
            "/ota/upstream",
            "/ota/downstream",
            "/tmodel/property/post",
            "/tmodel/property/post_reply",
            "/tmodel/property/set",
            "/tmodel/property/set_reply",
        ],
        PlatformName::Krtyun => {
            &["/register/post", "/register/set", "/thing/ota/post", "/thing/ota/set"]
        }
        PlatformName::Alibaba => &[
            "/thing/awss/enrollee/match",
            "/thing/awss/enrollee/match_reply",
            "/thing/gateway/permit",
            "/thing/gateway/permit_reply",
            "/thing/topo/change",
            "/thing/topo/change_reply",
            "/thing/service/property/set",
            "/thing/service/property/set_reply",
            "/thing/event/property/post",
            "/thing/event/property/post_reply",
        ],
        PlatformName::Cmcc => &[],
    };
    let begins: &[&str] = match platform {
        PlatformName::Alibaba => &["/ota/device/", "/ext/reg"],
        _ => &[],
    };
    ends.iter().any(|end| topic.ends_with(end))
        || begins.iter().any(|begin| topic.starts_with(begin))
}
