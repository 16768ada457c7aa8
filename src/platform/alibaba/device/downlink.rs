//! What the cloud says to a device on its own, and the answers.

use alloc::string::String;

use super::{Flow, State, ignored};
use crate::agent::Cx;
use crate::error::CodecError;
use crate::input::Message;
use crate::output::{Event, Warning};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::wire::{self, Upgrade};

/// Topics a device subscribes to after each login; the last two only a gateway.
const TOPICS: [&str; 6] = [
    wire::MATCH_REPLY,
    wire::PROPERTY_SET,
    wire::PROPERTY_POST_REPLY,
    wire::OTA_UPGRADE,
    wire::PERMIT,
    wire::TOPO_CHANGE,
];

/// Which of [`TOPICS`] this device subscribes to.
pub(super) fn topics(config: &Config) -> core::ops::Range<u8> {
    0..if config.gateway { 6 } else { 4 }
}

/// One of [`TOPICS`] in full.
pub(super) fn topic(number: u8, config: &Config) -> String {
    let what = TOPICS.get(usize::from(number)).copied().unwrap_or_default();
    let topic = if what == wire::OTA_UPGRADE { wire::ota } else { wire::sys };
    topic(&config.product_key, &config.device_name, what)
}

impl Flow {
    /// Takes a message, wherever it comes from: the topic decides, and it has to be this device's.
    pub(super) fn heard(&mut self, message: &Message, config: &Config, cx: &mut Cx<'_>) {
        let (pk, dn) = (config.product_key.as_str(), config.device_name.as_str());
        let payload = message.payload.expose();
        let topic = message.topic.as_str();
        if wire::after("/ota/device/upgrade/", pk, dn, topic) == Some("") {
            return self.upgrade(payload, config, cx);
        }
        let what = wire::after("/sys/", pk, dn, topic).and_then(|what| what.strip_prefix('/'));
        let Some(what) = what else { return cx.stray() };
        let (read, answer): (wire::Read, &str) = match what {
            wire::MATCH_REPLY | wire::PROPERTY_POST_REPLY => {
                return self.replied(what == wire::MATCH_REPLY, payload, config, cx);
            }
            wire::PROPERTY_SET => (wire::property_set, wire::PROPERTY_SET_REPLY),
            wire::PERMIT if config.gateway => (wire::permit, wire::PERMIT_REPLY),
            wire::TOPO_CHANGE if config.gateway => (wire::topo_change, wire::TOPO_CHANGE_REPLY),
            _ => return cx.stray(),
        };
        match wire::asked(payload, read) {
            Err(error) => ignored(error, cx),
            Ok((id, said)) => {
                let code = if said.is_ok() { 200 } else { 400 };
                self.publish(answer, wire::reply(&id, code), config, cx);
                match said {
                    Ok(event) => cx.event(event),
                    Err(error) => ignored(error, cx),
                }
            }
        }
    }

    /// The answer to a bind token, or to properties.
    fn replied(&mut self, to_token: bool, payload: &[u8], config: &Config, cx: &mut Cx<'_>) {
        match (wire::parse_reply(payload), self.state) {
            (Err(error), _) => ignored(error, cx),
            (Ok(reply), State::Matching | State::Online) if to_token => {
                self.binding_answered(reply, config, cx);
            }
            (Ok(reply), State::Online) if !to_token => self.posted(reply, cx),
            // Of an earlier session.
            _ => {}
        }
    }

    fn upgrade(&mut self, payload: &[u8], config: &Config, cx: &mut Cx<'_>) {
        let (text, error) = match wire::parse_upgrade(payload, config.firmware_max_size) {
            Ok(Upgrade::Image(offer)) if offer.version == self.updater.running() => {
                // It does not know it yet.
                if self.state == State::Online {
                    self.report_version(config, cx);
                }
                return;
            }
            Ok(Upgrade::Image(offer)) => {
                let unprotected = !offer.is_protected();
                if self.updater.order(offer, cx) && unprotected {
                    cx.event(Event::Warning { warning: Warning::UnprotectedImage });
                }
                return;
            }
            Ok(Upgrade::OtherModule(name)) => {
                (["no module ", &name, " here"].concat(), CodecError::invalid("module").into())
            }
            Err(error) => (String::from("the order cannot be used"), error),
        };
        let token = self.progress(-1, &text, config, cx);
        self.remember(token);
        ignored(error, cx);
    }
}
