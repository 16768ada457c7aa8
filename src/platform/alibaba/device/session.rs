//! From a stored secret to a device at work, and back after every break.

use alloc::string::String;
use alloc::vec::Vec;

use super::binder::Binder;
use super::online::Report;
use super::{Flow, State, downlink};
use crate::agent::Cx;
use crate::error::Error;
use crate::input::Ack;
use crate::num;
use crate::output::{Due, Event, QoS, Step, Token, Warning};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::wire;
use crate::platform::update::Ending;
use crate::time::Timer;

/// More outstanding publishes than this are forgotten, oldest first: an answer then counts as stray, no more.
const MAX_SENT: usize = 32;

impl Flow {
    /// Connects with the device's own secret.
    pub(super) fn login(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.step(Step::Login);
        self.connection = Some(cx.connect(self.credential.connect(config, cx.now())));
        cx.after(Timer::Reply, config.reply_timeout);
        self.state = State::Connecting;
    }

    pub(super) fn relogin(&mut self, error: Error, cx: &mut Cx<'_>) {
        cx.stop(Timer::Reply);
        cx.stop(Timer::Token);
        cx.retrying(Timer::Retry, error, &mut self.backoff);
        self.state = State::Waiting;
    }

    pub(super) fn subscribe(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.step(Step::Subscribe);
        cx.after(Timer::Reply, config.reply_timeout);
        self.pending.clear();
        for topic in downlink::topics(config) {
            self.pending.push((cx.subscribe(downlink::topic(topic, config)), topic));
        }
        self.sent.clear();
        self.binder = Binder::default();
        self.state = State::Subscribing;
    }

    pub(super) fn subscribed(&mut self, topic: u8, ack: Ack, config: &Config, cx: &mut Cx<'_>) {
        if ack == Ack::SubscribeRefused {
            let topic = downlink::topic(topic, config);
            cx.event(Event::Warning { warning: Warning::SubscribeRefused { topic } });
        }
        if !self.pending.is_empty() {
            return;
        }
        cx.step(Step::ReportVersion);
        cx.after(Timer::Reply, config.reply_timeout);
        self.awaited = self.inform(config, cx);
        self.version = self.updater.running().into();
        self.state = State::Reporting;
    }

    /// The cloud has the version: that ends an update that succeeded. MQTT's keep alive is the heartbeat here.
    ///
    /// `latest`: it is the version that runs now.
    pub(super) fn version_reported(&mut self, latest: bool, cx: &mut Cx<'_>) {
        cx.event(Event::Heartbeat { next: None, next_unix: None, why: Due::KeepAlive });
        if latest && matches!(self.updater.ending(), Some((_, Ending::Succeeded))) {
            self.updater.reported(cx);
        }
    }

    pub(super) fn report_token(&mut self, config: &Config, cx: &mut Cx<'_>) {
        self.state = State::Matching;
        if config.bind_token || self.token_wanted {
            self.token_wanted = false;
            self.begin_binding(config, cx);
        }
    }

    /// Without an answer the device works all the same: it can be bound later, by a new token or the time window.
    pub(super) fn matched(&mut self, config: &Config, cx: &mut Cx<'_>) {
        if self.binder.is_reporting() {
            return;
        }
        self.backoff.reset();
        cx.event(Event::Ready);
        self.state = State::Online;
        (self.report, self.percent) = (Report::None, 0);
        self.posts.clear();
        self.report_ending(config, cx);
        self.updater.resume(cx);
    }

    /// Publishes the version that runs.
    pub(super) fn inform(&mut self, config: &Config, cx: &mut Cx<'_>) -> Token {
        let payload = wire::inform(&self.text_id(), self.updater.running());
        let topic = wire::ota(&config.product_key, &config.device_name, wire::OTA_INFORM);
        cx.publish(topic, QoS::AtLeastOnce, payload)
    }

    /// `/ota/device/progress`.
    pub(super) fn progress(
        &mut self,
        step: i8,
        text: &str,
        config: &Config,
        cx: &mut Cx<'_>,
    ) -> Token {
        let payload = wire::progress(&self.text_id(), step, text);
        let topic = wire::ota(&config.product_key, &config.device_name, wire::OTA_PROGRESS);
        cx.publish(topic, QoS::AtLeastOnce, payload)
    }

    /// Publishes what needs no following up, to a topic of this device.
    pub(super) fn publish(
        &mut self,
        what: &str,
        payload: Vec<u8>,
        config: &Config,
        cx: &mut Cx<'_>,
    ) {
        let topic = wire::sys(&config.product_key, &config.device_name, what);
        let token = cx.publish(topic, QoS::AtLeastOnce, payload);
        self.remember(token);
    }

    /// Expects an acknowledgement that changes nothing.
    pub(super) fn remember(&mut self, token: Token) {
        if self.sent.len() >= MAX_SENT {
            self.sent.remove(0);
        }
        self.sent.push(token);
    }

    /// The `id` of a message of ours.
    fn text_id(&mut self) -> String {
        num::text(self.id().into())
    }
}
