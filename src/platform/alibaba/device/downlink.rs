//! What the cloud says to a device on its own, and the answers.

use alloc::string::String;

use super::Shared;
use super::session::{Session, progress};
use crate::agent::Cx;
use crate::error::{CodecError, Error};
use crate::input::Message;
use crate::output::{Event, QoS, Warning};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::wire::{self, Reply, Upgrade};

/// What a step has to look after itself.
#[derive(Debug)]
pub(super) enum Heard {
    Nothing,
    MatchReply(Reply),
    PostReply(Reply),
    /// The cloud orders the version that runs: it does not know it yet.
    SameVersion,
}

/// Topics a device subscribes to after each login; the last two only a gateway.
const TOPICS: [&str; 6] = [
    wire::MATCH_REPLY,
    wire::PROPERTY_SET,
    wire::PROPERTY_POST_REPLY,
    wire::OTA_UPGRADE,
    wire::PERMIT,
    wire::TOPO_CHANGE,
];

/// How many of [`TOPICS`] there are for this device.
pub(super) fn topics(config: &Config) -> u32 {
    if config.gateway { 6 } else { 4 }
}

/// One of [`TOPICS`] in full.
#[inline(never)]
pub(super) fn topic(config: &Config, which: u32) -> String {
    let what = TOPICS.get(which as usize).copied().unwrap_or_default();
    let topic = if what == wire::OTA_UPGRADE { wire::ota } else { wire::sys };
    topic(&config.product_key, &config.device_name, what)
}

/// Takes a message, wherever it comes from: the topic decides, and it has to be this device's.
pub(super) fn heard(
    config: &Config,
    message: &Message,
    session: &mut Session,
    shared: &mut Shared,
    cx: &mut Cx<'_>,
) -> Heard {
    let (pk, dn) = (config.product_key.as_str(), config.device_name.as_str());
    let payload = message.payload.expose();
    let topic = message.topic.as_str();
    if wire::after("/ota/device/upgrade/", pk, dn, topic) == Some("") {
        return upgrade(config, payload, session, shared, cx);
    }
    let what = wire::after("/sys/", pk, dn, topic).and_then(|what| what.strip_prefix('/'));
    let Some(what) = what else {
        cx.stray();
        return Heard::Nothing;
    };
    let (read, answer): (wire::Read, &str) = match what {
        wire::MATCH_REPLY => return reply(payload, Heard::MatchReply, cx),
        wire::PROPERTY_POST_REPLY => return reply(payload, Heard::PostReply, cx),
        wire::PROPERTY_SET => (wire::property_set, wire::PROPERTY_SET_REPLY),
        wire::PERMIT if config.gateway => (wire::permit, wire::PERMIT_REPLY),
        wire::TOPO_CHANGE if config.gateway => (wire::topo_change, wire::TOPO_CHANGE_REPLY),
        _ => {
            cx.stray();
            return Heard::Nothing;
        }
    };
    match wire::asked(payload, read) {
        Err(error) => ignored(error.into(), cx),
        Ok((id, said)) => {
            let code = if said.is_ok() { 200 } else { 400 };
            let topic = wire::sys(pk, dn, answer);
            session.publish(topic, QoS::AtLeastOnce, wire::reply(&id, code), cx);
            match said {
                Ok(event) => cx.event(event),
                Err(error) => ignored(error.into(), cx),
            }
        }
    }
    Heard::Nothing
}

fn reply(payload: &[u8], heard: fn(Reply) -> Heard, cx: &mut Cx<'_>) -> Heard {
    match wire::parse_reply(payload) {
        Ok(reply) => heard(reply),
        Err(error) => {
            ignored(error.into(), cx);
            Heard::Nothing
        }
    }
}

fn upgrade(
    config: &Config,
    payload: &[u8],
    session: &mut Session,
    shared: &mut Shared,
    cx: &mut Cx<'_>,
) -> Heard {
    match wire::parse_upgrade(payload, config.firmware_max_size) {
        Ok(Upgrade::Image(offer)) if offer.version == shared.updater.running() => {
            return Heard::SameVersion;
        }
        Ok(Upgrade::Image(offer)) => {
            let unprotected = offer.md5.is_none() && offer.sha256.is_none();
            if shared.updater.order(offer, cx) && unprotected {
                cx.event(Event::Warning { warning: Warning::UnprotectedImage });
            }
        }
        Ok(Upgrade::OtherModule(name)) => {
            let text = ["no module ", &name, " here"].concat();
            progress(config, session, -1, &text, shared, cx);
            ignored(CodecError::invalid("module").into(), cx);
        }
        Err(error) => {
            progress(config, session, -1, "the order cannot be used", shared, cx);
            ignored(error, cx);
        }
    }
    Heard::Nothing
}

pub(super) fn ignored(error: Error, cx: &mut Cx<'_>) {
    cx.event(Event::Warning { warning: Warning::Ignored { error } });
}
