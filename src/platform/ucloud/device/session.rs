//! Requests and their acknowledgements; with the device's own secret: log in, subscribe, announce what runs, and stay.

use alloc::vec::Vec;

use crate::snapshot::Kept;

use super::property::{self, Posting, Replied};
use super::{Config, Flow, Life, Plan, await_reply, ignored, ota, stop_timers};
use crate::agent::Cx;
use crate::backoff::Backoff;
use crate::error::{Error, PeerMisbehaved, Rejected};
use crate::input::{Ack, Message};
use crate::output::{Advice, Due, Event, QoS, Step, Token, Warning};
use crate::platform::ucloud::wire::{self, AuthMode};
use crate::time::{Instant, Millis, Timer, UnixTime};

/// A session that stood this long was a good one: the next trouble is a new one.
const GOOD_SESSION: Millis = Millis::of_secs(60);

/// What has to be acknowledged: SUBSCRIBEs, and reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Kept)]
pub(super) enum Kind {
    #[default]
    ReplyTopic,
    OtaDown,
    Set,
    PostReply,
    Version,
    Ending,
    RequestFirmware,
}

impl Kind {
    /// What the device listens to in the session that stays.
    pub(super) const TOPICS: [Kind; 3] = [Kind::OtaDown, Kind::Set, Kind::PostReply];
    /// What it announces. In this order: who hears of the success first does not order the same update again.
    const REPORTS: [Kind; 3] = [Kind::Version, Kind::Ending, Kind::RequestFirmware];

    /// What is subscribed to; nothing for a report.
    fn topic(self) -> Option<&'static str> {
        match self {
            Self::ReplyTopic => Some(wire::PASSWORD_REPLY),
            Self::OtaDown => Some(wire::OTA_DOWN),
            Self::Set => Some(wire::SET),
            Self::PostReply => Some(wire::POST_REPLY),
            Self::Version | Self::Ending | Self::RequestFirmware => None,
        }
    }
}

/// One request under way.
#[derive(Debug, Default, Kept)]
pub(super) struct Sent {
    kind: Kind,
    /// Every packet of it so far: a late answer to an early one is as good.
    tokens: Vec<Token>,
    /// In the session that stays, each by itself.
    tries: Tries,
}

/// When an answer is late, and how often it was.
#[derive(Debug, Default, Kept)]
pub(super) struct Tries {
    due: Instant,
    backoff: Backoff,
}

impl Tries {
    fn first(config: &Config, cx: &Cx<'_>) -> Self {
        let due = cx.mono() + Millis(config.reply_timeout_ms);
        Self { due, backoff: Backoff::login() }
    }

    fn late(&self, cx: &Cx<'_>) -> bool {
        self.due <= cx.mono()
    }

    /// Counts a try that got no answer; `false`: it was the last.
    fn again(&mut self, config: &Config, cx: &mut Cx<'_>) -> bool {
        if self.backoff.failures() >= config.request_retries {
            return false;
        }
        // Sent again at once; the waits between grow.
        let wait = self.backoff.next(cx.rng());
        self.due = Self::first(config, cx).due + wait;
        true
    }
}

// Requests, in whatever session.
impl Flow {
    /// Asks for all `kinds`, and waits for them in `life`.
    pub(super) fn ask_first(
        &mut self,
        life: Life,
        kinds: &[Kind],
        config: &Config,
        cx: &mut Cx<'_>,
    ) {
        self.sent.clear();
        for &kind in kinds {
            if kind != Kind::Ending || self.updater.ending().is_some() {
                let tries = Tries::first(config, cx);
                self.sent.push(Sent { kind, tokens: Vec::new(), tries });
            }
        }
        self.life = life;
        self.asks = Backoff::login();
        self.asked = 0;
        self.ask(config, cx);
    }

    fn ask(&mut self, config: &Config, cx: &mut Cx<'_>) {
        stop_timers(cx);
        match self.life {
            Life::AwaitSecret => return self.ask_for_secret(config, cx),
            Life::ReplyTopic => cx.step(Step::SubscribeForSecret),
            _ => {}
        }
        for at in 0..self.sent.len() {
            self.send(at, config, cx);
        }
        self.asked += 1;
        await_reply(config, cx);
    }

    /// [`Timer::Retry`], or a person who will not wait for it.
    pub(super) fn ask_again(&mut self, config: &Config, cx: &mut Cx<'_>) {
        let asking = matches!(
            self.life,
            Life::ReplyTopic | Life::AwaitSecret | Life::Subscribing | Life::Announcing
        );
        if asking && self.rests() {
            self.ask(config, cx);
        }
    }

    /// Between a try that failed and the next one.
    pub(super) fn rests(&self) -> bool {
        self.asked <= self.asks.failures()
    }

    /// No answer in time.
    pub(super) fn unanswered(
        &mut self,
        step: Step,
        advice: Advice,
        config: &Config,
        cx: &mut Cx<'_>,
    ) {
        self.failed(Error::NoReply { step }, advice, config, cx);
    }

    /// This try came to nothing.
    pub(super) fn failed(
        &mut self,
        error: Error,
        advice: Advice,
        config: &Config,
        cx: &mut Cx<'_>,
    ) {
        stop_timers(cx);
        if self.asks.failures() < config.request_retries {
            return cx.retrying(Timer::Retry, error, &mut self.asks);
        }
        self.close(cx);
        match self.life {
            Life::ReplyTopic | Life::AwaitSecret => self.stop(Plan::Register, error, advice, cx),
            // The cloud does not answer in this session: try another one.
            _ => self.later(Plan::Login, error, cx),
        }
    }

    /// Sends the request at this place, once more perhaps.
    fn send(&mut self, at: usize, config: &Config, cx: &mut Cx<'_>) {
        let Some(sent) = self.sent.get_mut(at) else { return };
        let token = match sent.kind.topic() {
            Some(topic) => cx.subscribe(config.topic(topic)),
            None => {
                let body = match (sent.kind, self.updater.ending()) {
                    (Kind::Version, _) => ota::version("report_version", &self.updater, config),
                    (Kind::Ending, Some((offer, ending))) => ota::ending_body(offer, ending),
                    (Kind::Ending, None) => return,
                    _ => ota::version("request_firmware", &self.updater, config),
                };
                publish(wire::OTA_UP, body, config, cx)
            }
        };
        sent.tokens.push(token);
    }

    /// SUBACK or PUBACK.
    pub(super) fn acknowledged(
        &mut self,
        token: Token,
        ack: Ack,
        config: &Config,
        cx: &mut Cx<'_>,
    ) {
        let reporting = matches!(self.life, Life::Announcing | Life::Online);
        let Some(at) = self.sent.iter().position(|sent| sent.tokens.contains(&token)) else {
            // Of a reply or of progress, whose fate does not matter.
            return if reporting { self.all_acknowledged(config, cx) } else { cx.stray() };
        };
        let kind = self.sent.swap_remove(at).kind;
        if let (Ack::SubscribeRefused, Some(topic)) = (ack, kind.topic()) {
            let topic = config.topic(topic);
            if kind == Kind::ReplyTopic {
                self.close(cx);
                let error = Rejected::Suback { topic }.into();
                return self.stop(Plan::Register, error, Advice::AskVendor, cx);
            }
            cx.event(Event::Warning { warning: Warning::SubscribeRefused { topic } });
        }
        if kind == Kind::Ending {
            self.updater.reported(cx);
        }
        if self.life == Life::Online {
            if kind == Kind::Version {
                heartbeat(config, cx);
            }
            return self.set_timer(cx);
        }
        self.all_acknowledged(config, cx);
    }

    /// Goes on once nothing is awaited any more.
    fn all_acknowledged(&mut self, config: &Config, cx: &mut Cx<'_>) {
        if !self.sent.is_empty() {
            return;
        }
        match self.life {
            Life::ReplyTopic => {
                stop_timers(cx);
                self.reply_topic(config, cx);
            }
            Life::Subscribing => {
                cx.step(Step::ReportVersion);
                self.ask_first(Life::Announcing, &Kind::REPORTS, config, cx);
            }
            Life::Announcing => self.online(config, cx),
            _ => {}
        }
    }
}

// With the device's own secret.
impl Flow {
    pub(super) fn login(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.step(Step::Login);
        self.connect(AuthMode::Static, self.secret.clone(), config, cx);
        self.life = Life::LoggingIn;
    }

    /// CONNACK of the login with a code.
    pub(super) fn refused(&mut self, code: u8, cx: &mut Cx<'_>) {
        let error = Rejected::Connack { code }.into();
        let advice = match code {
            3 => return self.later(Plan::Login, error, cx),
            // The operator reset, disabled or deleted the device, or the secret is a wrong one. Registering again is a
            // person's decision.
            2 | 4 | 5 => Advice::CheckDevice,
            _ => Advice::AskVendor,
        };
        self.stop(Plan::Login, error, advice, cx);
    }

    /// The session ended, or is to end for this reason.
    pub(super) fn session_over(&mut self, error: Error, cx: &mut Cx<'_>) {
        if self.life == Life::Online {
            // What was posted and not answered is posted again in the next session.
            if let Some(posting) = self.posting.take() {
                self.posts.put_back(posting);
            }
            if cx.mono() >= self.since + GOOD_SESSION {
                self.logging_in.reset();
            }
        }
        self.close(cx);
        self.later(Plan::Login, error, cx);
    }

    fn online(&mut self, config: &Config, cx: &mut Cx<'_>) {
        stop_timers(cx);
        cx.event(Event::Ready);
        heartbeat(config, cx);
        self.updater.resume(cx);
        self.life = Life::Online;
        self.since = cx.mono();
        self.posting = None;
        self.next_request = 1;
        // An update may have ended while the announcement was under way.
        self.report_ending(config, cx);
        self.post(config, cx);
    }

    pub(super) fn report_ending(&mut self, config: &Config, cx: &mut Cx<'_>) {
        if self.updater.ending().is_some() {
            self.report(Kind::Ending, config, cx);
        }
    }

    /// At most one of a kind is under way.
    pub(super) fn report(&mut self, kind: Kind, config: &Config, cx: &mut Cx<'_>) {
        if self.sent.iter().all(|sent| sent.kind != kind) {
            let tries = Tries::first(config, cx);
            self.sent.push(Sent { kind, tokens: Vec::new(), tries });
            self.send(self.sent.len() - 1, config, cx);
        }
        self.set_timer(cx);
    }

    /// Posts what waits, if nothing is under way.
    pub(super) fn post(&mut self, config: &Config, cx: &mut Cx<'_>) {
        if self.posting.is_none()
            && let Some(properties) = self.posts.next()
        {
            cx.step(Step::PostProperties);
            let request = self.next_request;
            self.next_request = request.wrapping_add(1);
            let tries = Tries::first(config, cx);
            let posting = Posting { request, properties, tries };
            publish(wire::POST, posting.body(), config, cx);
            self.posting = Some(posting);
        }
        self.set_timer(cx);
    }

    /// A message of the cloud.
    pub(super) fn heard(&mut self, message: &Message, config: &Config, cx: &mut Cx<'_>) {
        let (product, device) = config.names();
        let payload = message.payload.expose();
        match wire::system_name(&message.topic, product, device) {
            Some(wire::OTA_DOWN) => self.order(payload, config, cx),
            Some(wire::SET) => match property::set(payload) {
                Ok((json, reply)) => {
                    cx.event(Event::PropertiesSet { json });
                    publish(wire::SET_REPLY, reply, config, cx);
                }
                Err(error) => ignored(error, cx),
            },
            Some(wire::POST_REPLY) if self.life == Life::Online => {
                return self.post_reply(payload, config, cx);
            }
            _ => cx.stray(),
        }
        if self.life == Life::Online && self.updater.ending().is_none() {
            // A new order took the place of the one whose end was being reported.
            self.sent.retain(|sent| sent.kind != Kind::Ending);
            self.set_timer(cx);
        }
    }

    fn post_reply(&mut self, payload: &[u8], config: &Config, cx: &mut Cx<'_>) {
        let Some(posting) = &self.posting else {
            // Late or twice.
            return cx.stray();
        };
        match posting.reply(payload) {
            Ok(Replied::Posted) => cx.event(Event::PropertiesPosted),
            Ok(Replied::Refused(rejected)) => ignored(rejected, cx),
            Ok(Replied::ToAnother) => return ignored(PeerMisbehaved::WrongRequestId, cx),
            Err(error) => return ignored(error, cx),
        }
        self.posting = None;
        self.post(config, cx);
    }

    /// [`Timer::Reply`] in the session that stays.
    pub(super) fn late_online(&mut self, config: &Config, cx: &mut Cx<'_>) {
        for at in 0..self.sent.len() {
            let Some(sent) = self.sent.get_mut(at) else { break };
            if !sent.tries.late(cx) {
                continue;
            }
            if !sent.tries.again(config, cx) {
                return self.session_over(Error::NoReply { step: Step::ReportVersion }, cx);
            }
            self.send(at, config, cx);
        }
        if let Some(posting) = &mut self.posting
            && posting.tries.late(cx)
        {
            if posting.tries.again(config, cx) {
                publish(wire::POST, posting.body(), config, cx);
            } else {
                ignored(Error::NoReply { step: Step::PostProperties }, cx);
                self.posting = None;
                return self.post(config, cx);
            }
        }
        self.set_timer(cx);
    }

    fn set_timer(&self, cx: &mut Cx<'_>) {
        let posting = self.posting.iter().map(|posting| posting.tries.due);
        match self.sent.iter().map(|sent| sent.tries.due).chain(posting).min() {
            Some(at) => cx.at(Timer::Reply, at),
            None => cx.stop(Timer::Reply),
        }
    }

    /// Follows an order about firmware, or says why not.
    fn order(&mut self, payload: &[u8], config: &Config, cx: &mut Cx<'_>) {
        match ota::Order::parse(payload, config) {
            Ok(ota::Order::Update(offer)) if offer.version == self.updater.running() => {
                // Success was reported, or will be: this order was written before the cloud knew.
                if self.updater.ending().is_none() {
                    let body = wire::ota_report("report_success", &offer.reference, &offer.version);
                    publish(wire::OTA_UP, body, config, cx);
                }
            }
            Ok(ota::Order::Update(offer)) => {
                self.updater.order(offer, cx);
            }
            Ok(ota::Order::Cancel { module, version }) => {
                let meant = self.updater.offer();
                if meant.is_some_and(|offer| offer.reference == module && offer.version == version)
                {
                    self.updater.cancel(cx);
                }
            }
            Err(ota::Refusal { error, report }) => {
                ignored(error, cx);
                if let Some(version) = report {
                    let body = wire::ota_fail(ota::NO_SUCH_FILE, &config.module, &version);
                    publish(wire::OTA_UP, body, config, cx);
                }
            }
        }
    }
}

fn publish(topic: &str, body: Vec<u8>, config: &Config, cx: &mut Cx<'_>) -> Token {
    cx.publish(config.topic(topic), QoS::AtLeastOnce, body)
}

/// The version was reported. From here the MQTT session's keep alive is the heartbeat: by then at the latest the host
/// sends a PINGREQ.
fn heartbeat(config: &Config, cx: &mut Cx<'_>) {
    let now = cx.now();
    let period = Millis::of_secs(config.keep_alive.into());
    let millis = u64::from(config.keep_alive) * 1000;
    cx.event(Event::Heartbeat {
        next: Some(now.mono + period),
        next_unix: now.unix.map(|UnixTime(ms)| UnixTime(ms.saturating_add(millis))),
        why: Due::KeepAlive,
    });
}
