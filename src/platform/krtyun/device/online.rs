//! The steps with the device's own secret: log in, subscribe, report, update.

use alloc::string::String;

use super::super::config::Config;
use super::super::credential::Standing;
use super::super::wire::{self, BadOrder, Order};
use super::{Flow, State, await_reply, warn};
use crate::agent::Cx;
use crate::error::Error;
use crate::input::{Closed, Message};
use crate::output::{Advice, Due, Event, QoS, Step, StoreKey, Warning};
use crate::platform::update::Offer;
use crate::time::{Millis, Timer, UnixTime};

/// A session that lasted this long ends the back-off: its end is news, not one more failure.
const SETTLED: Millis = Millis::of_secs(60);

impl Flow {
    pub(super) fn login(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.step(Step::Login);
        self.connect(self.credential.secret.clone(), config, cx);
        self.state = State::LoggingIn;
    }

    pub(super) fn refused(
        &mut self,
        closed: &Closed,
        error: Error,
        config: &Config,
        cx: &mut Cx<'_>,
    ) {
        match closed {
            Closed::Refused(4 | 5) => {}
            Closed::Refused(1 | 2) => {
                return self.stop(State::StoppedToLogin, error, Advice::AskVendor, cx);
            }
            _ => return self.rest(State::RestingToLogin, error, cx),
        }
        // Never registering anew by ourselves: only a registration that was cut short is finished.
        if let Standing::Unproven { refusals, .. } = &mut self.credential.standing {
            *refusals = refusals.saturating_add(1);
            if *refusals <= config.request_retries {
                return self.rest(State::RestingToRegister, error, cx);
            }
            *refusals = 0;
        }
        self.stop(State::StoppedToLogin, error, Advice::CheckDevice, cx);
    }

    pub(super) fn logged_in(&mut self, config: &Config, cx: &mut Cx<'_>) {
        self.since = cx.mono();
        cx.stop(Timer::Reply);
        cx.event(Event::Ready);
        self.update.resume(cx);
        if let Standing::Unproven { .. } = self.credential.standing {
            self.credential.standing = Standing::Proven;
            self.awaited = cx.store(StoreKey::Credential, self.credential.to_json(config));
            self.state = State::Proving;
        } else {
            self.subscribe(config, cx);
        }
    }

    pub(super) fn subscribe(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.step(Step::Subscribe);
        self.awaited = cx.subscribe(config.topics.ota_set.as_str());
        await_reply(config, cx);
        self.state = State::Subscribing;
    }

    /// The session ended, or is to end for this reason.
    pub(super) fn lost(&mut self, error: Error, cx: &mut Cx<'_>) {
        self.close(cx);
        if cx.mono() >= self.since + SETTLED {
            self.backoff.reset();
        }
        self.rest(State::RestingToLogin, error, cx);
    }

    /// Reports the versions now. A report on its way is overtaken, for the version may be another.
    pub(super) fn report(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.stop(Timer::Retry);
        cx.stop(Timer::Heartbeat);
        self.tries = 0;
        self.state = State::Reporting;
        self.publish_report(config, cx);
    }

    fn publish_report(&mut self, config: &Config, cx: &mut Cx<'_>) {
        let body = wire::report(&config.hardware_version, self.update.running());
        await_reply(config, cx);
        self.tries += 1;
        self.awaited = cx.publish(config.topics.ota_post.as_str(), QoS::AtLeastOnce, body);
    }

    /// The platform has the report. If an update has ended, it tells of that: an end has a report of its own sent,
    /// which overtakes any other.
    pub(super) fn reported(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.stop(Timer::Reply);
        cx.stop(Timer::Retry);
        self.state = State::Online;
        self.update.reported(cx);
        if config.report_interval_s == 0 {
            let why = Due::KeepAlive;
            return cx.event(Event::Heartbeat { next: None, next_unix: None, why });
        }
        let next = cx.after(Timer::Heartbeat, Millis::of_secs(config.report_interval_s));
        let now = cx.now();
        let wait = next.millis_since(now.mono);
        let next_unix = now.unix.map(|UnixTime(ms)| UnixTime(ms.saturating_add(wait)));
        cx.event(Event::Heartbeat { next: Some(next), next_unix, why: Due::Period });
    }

    /// The report is not acknowledged so far, or (`again`) it is time to send it once more.
    pub(super) fn not_reported(&mut self, again: bool, config: &Config, cx: &mut Cx<'_>) {
        let silence = Error::NoReply { step: Step::ReportVersion };
        if again {
            self.publish_report(config, cx);
        } else if self.tries <= config.request_retries {
            self.back_off(silence, cx);
        } else {
            // QoS 1 and no acknowledgement: the connection is dead, whatever TCP says.
            self.lost(silence, cx);
        }
    }

    /// Takes an order. `true`: it is fulfilled already, so report.
    pub(super) fn ordered(&mut self, message: &Message, config: &Config, cx: &mut Cx<'_>) -> bool {
        let order = match Order::parse(message.payload.expose()) {
            Ok(order) => order,
            Err(BadOrder { id, error }) => {
                warn(error, cx);
                if let Some(id) = id {
                    self.answer_refused(&id, config, cx);
                }
                return false;
            }
        };
        let Order { id, url, version } = order;
        if version == self.update.running() {
            // Back to what runs: an update that is under way is off, unless it is too late.
            if self.update.in_hand().is_none() || self.update.cancel(cx) {
                self.answer(&id, wire::OK, config, cx);
                return true;
            }
            self.answer_refused(&id, config, cx);
            return false;
        }
        let repeated = self.update.in_hand().is_some_and(|o| o.version == version && o.url == url);
        let offer = Offer {
            reference: id.clone(),
            version,
            url,
            size: None,
            md5: String::new(),
            sha256: config.firmware_sha256.clone(),
            max_size: config.firmware_max_size,
        };
        if self.update.order(offer, cx) {
            // The answer follows once the order is kept.
            if config.firmware_sha256.is_empty() {
                cx.event(Event::Warning { warning: Warning::UnprotectedImage });
            }
        } else if !repeated {
            // Another image is being installed just now.
            self.answer_refused(&id, config, cx);
        } else if !self.update.is_keeping() {
            self.answer(&id, wire::OK, config, cx);
        }
        false
    }
}
