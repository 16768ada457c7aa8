//! With the device's own secret: log in, subscribe, announce what runs, and stay.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::cbor::{Decode, Encode};
use crate::num;

use super::register::connect_packet;
use super::{CONNECT_TIMEOUT, Env, Life, Login, Plan, failure, ota, property};
use crate::backoff::Backoff;
use crate::error::{Error, Failure, PeerMisbehaved, Rejected};
use crate::input::{Ack, Closed, Input, Message};
use crate::output::{Advice, Due, Event, QoS, Step, Token, Warning};
use crate::platform::ucloud::wire::{self, AuthMode};
use crate::time::{Instant, Timer, UnixTime};

/// What the device listens to.
const TOPICS: [&str; 3] = [wire::OTA_DOWN, wire::SET, wire::POST_REPLY];
/// A session that stood this long was a good one: the next trouble is a new one.
const GOOD_SESSION: Duration = Duration::from_secs(60);

/// Logs in with the device's own secret.
pub(super) fn connect(login: Login, env: &mut Env<'_, '_>) -> Life {
    env.cx.step(Step::Login);
    let packet = connect_packet(AuthMode::Static, &login.secret, env.config);
    let connection = env.cx.connect(packet);
    env.cx.after(Timer::Reply, CONNECT_TIMEOUT);
    Life::ExpectLoggedIn(ExpectLoggedIn { connection, login })
}

/// CONNACK of the login.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectLoggedIn {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    login: Login,
}

impl ExpectLoggedIn {
    pub(super) fn handle(self, input: Input, env: &mut Env<'_, '_>) -> Life {
        match input {
            Input::Connected(t) if t == self.connection => {
                let Self { connection, login } = self;
                env.cx.step(Step::Subscribe);
                let waiting = TOPICS.iter().zip(0..).map(|(_, topic)| (topic, Vec::new()));
                let waiting = waiting.map(|(topic, tokens)| Subscribing { topic, tokens });
                let session = Session { connection, login };
                let step = ExpectSubscribed {
                    session,
                    waiting: waiting.collect(),
                    asks: Backoff::login(),
                    asked: 0,
                };
                step.subscribe(env)
            }
            Input::Closed(t, Closed::Refused(code)) if t == self.connection => {
                let error = Error::from(Rejected::Connack { code });
                let advice = match code {
                    3 => return Plan::Login(self.login).later(error, env),
                    // The operator reset, disabled or deleted the device, or the secret is a wrong one. Registering
                    // again is a person's decision.
                    2 | 4 | 5 => Advice::CheckDevice,
                    _ => Advice::AskVendor,
                };
                env.stop(error, advice, Plan::Login(Login::new(self.login.secret)))
            }
            Input::Closed(t, closed) if t == self.connection => {
                Plan::Login(self.login).later(failure(&closed), env)
            }
            _ => {
                env.cx.stray();
                Life::ExpectLoggedIn(self)
            }
        }
    }

    pub(super) fn expired(self, timer: Timer, env: &mut Env<'_, '_>) -> Life {
        if timer != Timer::Reply {
            return Life::ExpectLoggedIn(self);
        }
        env.cx.close(self.connection);
        Plan::Login(self.login).later(Failure::TimedOut, env)
    }
}

/// An accepted login.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Session {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    login: Login,
}

impl Session {
    /// The connection went away.
    fn lost(self, closed: &Closed, env: &mut Env<'_, '_>) -> Life {
        Plan::Login(self.login).later(failure(closed), env)
    }

    /// The cloud does not answer in this session: try another one.
    fn given_up(self, error: Error, env: &mut Env<'_, '_>) -> Life {
        env.cx.close(self.connection);
        Plan::Login(self.login).later(error, env)
    }

    /// A message of the cloud that needs no more than the session.
    fn message(&self, message: &Message, env: &mut Env<'_, '_>) {
        let (product, device) = env.config.names();
        match wire::system_name(&message.topic, product, device) {
            Some(wire::OTA_DOWN) => order(message.payload.expose(), env),
            Some(wire::SET) => match property::set(message.payload.expose()) {
                Ok((json, reply)) => {
                    env.cx.event(Event::PropertiesSet { json });
                    publish(wire::SET_REPLY, reply, env);
                }
                Err(error) => env.ignored(error),
            },
            _ => env.cx.stray(),
        }
    }
}

fn publish(topic: &str, body: Vec<u8>, env: &mut Env<'_, '_>) -> Token {
    env.cx.publish(env.config.topic(topic), QoS::AtLeastOnce, body)
}

/// Follows an order about firmware, or says why not.
fn order(bytes: &[u8], env: &mut Env<'_, '_>) {
    match ota::Order::parse(bytes, env.config) {
        Ok(ota::Order::Update(offer)) if offer.version == env.updater.running() => {
            // Success was reported, or will be: this order was written before the cloud knew.
            if env.updater.ending().is_none() {
                let body = wire::ota_report("report_success", &offer.reference, &offer.version);
                publish(wire::OTA_UP, body, env);
            }
        }
        Ok(ota::Order::Update(offer)) => {
            env.updater.order(offer, env.cx);
        }
        Ok(ota::Order::Cancel { module, version }) => {
            let meant = env.updater.offer();
            if meant.is_some_and(|offer| offer.reference == module && offer.version == version) {
                env.updater.cancel(env.cx);
            }
        }
        Err(ota::Refusal::Unusable(error)) => env.ignored(error),
        Err(ota::Refusal::Report { error, code, version }) => {
            env.ignored(error);
            let body = wire::ota_fail(code, &env.config.module, &version);
            publish(wire::OTA_UP, body, env);
        }
    }
}

/// SUBACK for every topic.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectSubscribed {
    #[n(0)]
    pub(super) session: Session,
    #[n(1)]
    waiting: Vec<Subscribing>,
    #[n(2)]
    asks: Backoff,
    #[n(3)]
    asked: u32,
}

/// One topic, and every SUBSCRIBE for it so far.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Subscribing {
    #[n(0)]
    topic: u8,
    #[n(1)]
    tokens: Vec<Token>,
}

impl Subscribing {
    fn filter(&self, env: &Env<'_, '_>) -> String {
        env.config.topic(TOPICS.get(usize::from(self.topic)).copied().unwrap_or_default())
    }
}

impl ExpectSubscribed {
    fn subscribe(mut self, env: &mut Env<'_, '_>) -> Life {
        env.stop_timers();
        for one in &mut self.waiting {
            let filter = one.filter(env);
            one.tokens.push(env.cx.subscribe(filter));
        }
        self.asked += 1;
        env.cx.after(Timer::Reply, env.reply_timeout());
        Life::ExpectSubscribed(self)
    }

    pub(super) fn handle(mut self, input: Input, env: &mut Env<'_, '_>) -> Life {
        match input {
            Input::Acked(t, ack) => {
                let Some(at) = self.waiting.iter().position(|one| one.tokens.contains(&t)) else {
                    env.cx.stray();
                    return Life::ExpectSubscribed(self);
                };
                let one = self.waiting.swap_remove(at);
                if ack == Ack::SubscribeRefused {
                    let topic = one.filter(env);
                    env.cx.event(Event::Warning { warning: Warning::SubscribeRefused { topic } });
                }
                if self.waiting.is_empty() {
                    ExpectAnnounced::begin(self.session, env)
                } else {
                    Life::ExpectSubscribed(self)
                }
            }
            Input::Closed(t, closed) if t == self.session.connection => {
                self.session.lost(&closed, env)
            }
            Input::Message(message) => {
                self.session.message(&message, env);
                Life::ExpectSubscribed(self)
            }
            _ => {
                env.cx.stray();
                Life::ExpectSubscribed(self)
            }
        }
    }

    pub(super) fn expired(mut self, timer: Timer, env: &mut Env<'_, '_>) -> Life {
        match timer {
            Timer::Reply => {
                let error = Error::NoReply { step: Step::Subscribe };
                if self.asks.failures() >= env.config.request_retries {
                    return self.session.given_up(error, env);
                }
                env.retrying(error, &mut self.asks);
                Life::ExpectSubscribed(self)
            }
            Timer::Retry if self.asked <= self.asks.failures() => self.subscribe(env),
            _ => Life::ExpectSubscribed(self),
        }
    }
}

/// What a device reports and has acknowledged, PUBACK by PUBACK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
enum Report {
    #[n(0)]
    Version,
    #[n(1)]
    Ending,
    #[n(2)]
    RequestFirmware,
}

impl Report {
    fn send(self, env: &mut Env<'_, '_>) -> Option<Token> {
        let body = match self {
            Self::Version => ota::version_body("report_version", env.updater, env.config),
            Self::RequestFirmware => ota::version_body("request_firmware", env.updater, env.config),
            Self::Ending => {
                let (offer, ending) = env.updater.ending()?;
                ota::ending_body(offer, ending)
            }
        };
        Some(publish(wire::OTA_UP, body, env))
    }

    fn acknowledged(self, env: &mut Env<'_, '_>) {
        if self == Self::Ending {
            env.updater.reported(env.cx);
        }
    }
}

/// One report under way.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Sent {
    #[n(0)]
    report: Report,
    /// Every PUBLISH of it so far.
    #[n(1)]
    tokens: Vec<Token>,
}

/// The acknowledgements of what was announced after the login: what runs, how the last update ended, and whether
/// there is another one.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectAnnounced {
    #[n(0)]
    pub(super) session: Session,
    #[n(1)]
    waiting: Vec<Sent>,
    #[n(2)]
    asks: Backoff,
    #[n(3)]
    asked: u32,
}

impl ExpectAnnounced {
    fn begin(session: Session, env: &mut Env<'_, '_>) -> Life {
        env.cx.step(Step::ReportVersion);
        // In this order: who hears of the success first does not order the same update again.
        let waiting = [Report::Version, Report::Ending, Report::RequestFirmware]
            .into_iter()
            .filter(|report| *report != Report::Ending || env.updater.ending().is_some())
            .map(|report| Sent { report, tokens: Vec::new() })
            .collect();
        Self { session, waiting, asks: Backoff::login(), asked: 0 }.announce(env)
    }

    fn announce(mut self, env: &mut Env<'_, '_>) -> Life {
        env.stop_timers();
        for sent in &mut self.waiting {
            sent.tokens.extend(sent.report.send(env));
        }
        self.asked += 1;
        env.cx.after(Timer::Reply, env.reply_timeout());
        Life::ExpectAnnounced(self)
    }

    pub(super) fn handle(mut self, input: Input, env: &mut Env<'_, '_>) -> Life {
        match input {
            Input::Acked(t, _) => {
                if let Some(at) = self.waiting.iter().position(|sent| sent.tokens.contains(&t)) {
                    // Else it is of a reply or of progress, whose fate does not matter.
                    self.waiting.swap_remove(at).report.acknowledged(env);
                }
                if self.waiting.is_empty() {
                    Online::begin(self.session, env)
                } else {
                    Life::ExpectAnnounced(self)
                }
            }
            Input::Closed(t, closed) if t == self.session.connection => {
                self.session.lost(&closed, env)
            }
            Input::Message(message) => {
                self.session.message(&message, env);
                Life::ExpectAnnounced(self)
            }
            _ => {
                env.cx.stray();
                Life::ExpectAnnounced(self)
            }
        }
    }

    pub(super) fn expired(mut self, timer: Timer, env: &mut Env<'_, '_>) -> Life {
        match timer {
            Timer::Reply => {
                let error = Error::NoReply { step: Step::ReportVersion };
                if self.asks.failures() >= env.config.request_retries {
                    return self.session.given_up(error, env);
                }
                env.retrying(error, &mut self.asks);
                Life::ExpectAnnounced(self)
            }
            Timer::Retry if self.asked <= self.asks.failures() => self.announce(env),
            _ => Life::ExpectAnnounced(self),
        }
    }
}

/// The session that stays.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Online {
    #[n(0)]
    pub(super) session: Session,
    #[n(1)]
    since: Instant,
    #[n(2)]
    reports: Vec<Tried>,
    #[n(3)]
    posting: Posting,
    #[n(4)]
    next_request: u32,
}

/// A report under way in the session that stays.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Tried {
    #[n(0)]
    sent: Sent,
    #[n(1)]
    tries: Tries,
}

/// Properties under way: one post at a time.
#[derive(Debug, Encode, Decode)]
enum Posting {
    #[n(0)]
    Idle,
    #[n(1)]
    ExpectReply {
        #[n(0)]
        request_id: String,
        #[n(1)]
        properties: property::Properties,
        #[n(2)]
        tries: Tries,
    },
}

/// When an answer is late, and how often it was.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Tries {
    #[n(0)]
    due: Instant,
    #[n(1)]
    backoff: Backoff,
}

impl Tries {
    fn first(env: &Env<'_, '_>) -> Self {
        Self { due: env.cx.now().mono + env.reply_timeout(), backoff: Backoff::login() }
    }

    fn late(&self, env: &Env<'_, '_>) -> bool {
        self.due <= env.cx.now().mono
    }

    /// Counts a try that got no answer; `false`: it was the last.
    fn again(&mut self, env: &mut Env<'_, '_>) -> bool {
        if self.backoff.failures() >= env.config.request_retries {
            return false;
        }
        // Sent again at once; the waits between grow.
        let wait = self.backoff.next(env.cx.rng());
        self.due = env.cx.now().mono + env.reply_timeout() + wait;
        true
    }
}

impl Online {
    fn begin(session: Session, env: &mut Env<'_, '_>) -> Life {
        env.stop_timers();
        env.cx.event(Event::Ready);
        heartbeat(env);
        env.updater.resume(env.cx);
        let online = Self {
            session,
            since: env.cx.now().mono,
            reports: Vec::new(),
            posting: Posting::Idle,
            next_request: 1,
        };
        // An update may have ended while the announcement was under way.
        Life::Online(online.report_ending(env).post(env))
    }

    pub(super) fn report_version(self, env: &mut Env<'_, '_>) -> Self {
        env.cx.step(Step::ReportVersion);
        self.report(Report::Version, env)
    }

    pub(super) fn request_firmware(self, env: &mut Env<'_, '_>) -> Self {
        self.report(Report::RequestFirmware, env)
    }

    pub(super) fn report_ending(self, env: &mut Env<'_, '_>) -> Self {
        if env.updater.ending().is_some() { self.report(Report::Ending, env) } else { self }
    }

    /// At most one of a kind is under way.
    fn report(mut self, report: Report, env: &mut Env<'_, '_>) -> Self {
        if self.reports.iter().all(|tried| tried.sent.report != report) {
            let tokens: Vec<Token> = report.send(env).into_iter().collect();
            if !tokens.is_empty() {
                let sent = Sent { report, tokens };
                self.reports.push(Tried { sent, tries: Tries::first(env) });
            }
        }
        self.set_timer(env);
        self
    }

    /// Posts what waits, if nothing is under way.
    pub(super) fn post(mut self, env: &mut Env<'_, '_>) -> Self {
        if let Posting::Idle = self.posting
            && let Some(properties) = env.posts.next()
        {
            env.cx.step(Step::PostProperties);
            let request_id = num::text(self.next_request.into());
            self.next_request = self.next_request.wrapping_add(1);
            publish(wire::POST, property::post_body(&request_id, &properties), env);
            let tries = Tries::first(env);
            self.posting = Posting::ExpectReply { request_id, properties, tries };
        }
        self.set_timer(env);
        self
    }

    pub(super) fn handle(mut self, input: Input, env: &mut Env<'_, '_>) -> Life {
        match input {
            Input::Acked(t, _) => {
                let of = |tried: &Tried| tried.sent.tokens.contains(&t);
                // Else it is of a reply or of progress, whose fate does not matter.
                if let Some(at) = self.reports.iter().position(of) {
                    let report = self.reports.swap_remove(at).sent.report;
                    report.acknowledged(env);
                    if report == Report::Version {
                        heartbeat(env);
                    }
                    self.set_timer(env);
                }
                Life::Online(self)
            }
            Input::Closed(t, closed) if t == self.session.connection => {
                self.put_back(env);
                self.settle(env).lost(&closed, env)
            }
            Input::Message(message) => {
                let (product, device) = env.config.names();
                let name = wire::system_name(&message.topic, product, device);
                if name == Some(wire::POST_REPLY) {
                    return Life::Online(self.post_reply(&message, env));
                }
                self.session.message(&message, env);
                if env.updater.ending().is_none() {
                    // A new order took the place of the one whose end was being reported.
                    self.reports.retain(|tried| tried.sent.report != Report::Ending);
                    self.set_timer(env);
                }
                Life::Online(self)
            }
            _ => {
                env.cx.stray();
                Life::Online(self)
            }
        }
    }

    fn post_reply(mut self, message: &Message, env: &mut Env<'_, '_>) -> Self {
        let Posting::ExpectReply { request_id, .. } = &self.posting else {
            // Late or twice.
            env.cx.stray();
            return self;
        };
        match property::post_reply(message.payload.expose(), request_id) {
            Ok(Some(Ok(()))) => env.cx.event(Event::PropertiesPosted),
            Ok(Some(Err(rejected))) => env.ignored(rejected),
            Ok(None) => {
                env.ignored(PeerMisbehaved::WrongRequestId);
                return self;
            }
            Err(error) => {
                env.ignored(error);
                return self;
            }
        }
        self.posting = Posting::Idle;
        self.post(env)
    }

    pub(super) fn expired(mut self, timer: Timer, env: &mut Env<'_, '_>) -> Life {
        if timer != Timer::Reply {
            return Life::Online(self);
        }
        for tried in &mut self.reports {
            if !tried.tries.late(env) {
                continue;
            }
            if !tried.tries.again(env) {
                let error = Error::NoReply { step: Step::ReportVersion };
                self.put_back(env);
                return self.settle(env).given_up(error, env);
            }
            tried.sent.tokens.extend(tried.sent.report.send(env));
        }
        if let Posting::ExpectReply { request_id, properties, tries } = &mut self.posting
            && tries.late(env)
        {
            if tries.again(env) {
                publish(wire::POST, property::post_body(request_id, properties), env);
            } else {
                env.ignored(Error::NoReply { step: Step::PostProperties });
                self.posting = Posting::Idle;
                return Life::Online(self.post(env));
            }
        }
        self.set_timer(env);
        Life::Online(self)
    }

    /// What was posted and not answered is posted again in the next session.
    fn put_back(&mut self, env: &mut Env<'_, '_>) {
        if let Posting::ExpectReply { properties, .. } =
            core::mem::replace(&mut self.posting, Posting::Idle)
        {
            env.posts.put_back(properties);
        }
    }

    /// The session, its back-off forgiven if it was a good one.
    fn settle(self, env: &Env<'_, '_>) -> Session {
        let mut session = self.session;
        if env.cx.now().mono >= self.since + GOOD_SESSION {
            session.login.backoff.reset();
        }
        session
    }

    fn set_timer(&self, env: &mut Env<'_, '_>) {
        let posting = match &self.posting {
            Posting::Idle => None,
            Posting::ExpectReply { tries, .. } => Some(tries.due),
        };
        match self.reports.iter().map(|tried| tried.tries.due).chain(posting).min() {
            Some(at) => env.cx.at(Timer::Reply, at),
            None => env.cx.stop(Timer::Reply),
        }
    }
}

/// The version was reported. From here the MQTT session's keep alive is the heartbeat: by then at the latest the host
/// sends a PINGREQ.
fn heartbeat(env: &mut Env<'_, '_>) {
    let now = env.cx.now();
    let period = Duration::from_secs(u64::from(env.config.keep_alive));
    let millis = u64::from(env.config.keep_alive) * 1000;
    env.cx.event(Event::Heartbeat {
        next: Some(now.mono + period),
        next_unix: now.unix.map(|UnixTime(ms)| UnixTime(ms.saturating_add(millis))),
        why: Due::KeepAlive,
    });
}
