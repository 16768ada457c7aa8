//! From a stored secret to a device at work, and back after every break.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use crate::cbor::{Decode, Encode};

use super::binder::Binder;
use super::credential::Credential;
use super::downlink::{self, Heard};
use super::online::{Online, inform};
use super::{Resume, Shared, State, millis, stop};
use crate::agent::Cx;
use crate::backoff::Backoff;
use crate::error::{Error, Failure, Rejected};
use crate::input::{Ack, Closed, Input};
use crate::output::{Advice, Due, Event, QoS, Step, Token, Warning};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::wire;
use crate::platform::update::Ending;
use crate::time::Timer;

/// Connects with the device's own secret.
pub(super) fn login(
    config: &Config,
    credential: Credential,
    backoff: Backoff,
    cx: &mut Cx<'_>,
) -> State {
    cx.step(Step::Login);
    let connect = credential.connect(config, cx.now());
    let connection = cx.connect(connect);
    cx.after(Timer::Reply, config.reply_timeout);
    State::Connecting(ExpectLogin { connection, credential, backoff })
}

fn relogin(error: Error, credential: Credential, mut backoff: Backoff, cx: &mut Cx<'_>) -> State {
    cx.stop(Timer::Reply);
    cx.stop(Timer::Token);
    let wait: Duration = backoff.next(cx.rng());
    cx.event(Event::Retrying { error, failures: backoff.failures(), in_ms: millis(wait) });
    cx.after(Timer::Retry, wait);
    State::Waiting(LoginPause { credential, backoff })
}

/// An answer that nobody waits for. The end of a connection that we closed ourselves is none.
pub(super) fn stray(input: &Input, cx: &mut Cx<'_>) {
    if !matches!(input, Input::Closed(_, Closed::Requested) | Input::User(_)) {
        cx.stray();
    }
}

/// CONNECT is on its way.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectLogin {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    credential: Credential,
    #[n(2)]
    backoff: Backoff,
}

impl ExpectLogin {
    pub(super) fn handle(self, config: &Config, input: Input, cx: &mut Cx<'_>) -> State {
        match input {
            Input::Connected(connection) if connection == self.connection => {
                subscribe(config, self, cx)
            }
            Input::Closed(connection, why) if connection == self.connection => match why {
                // The secret is wrong, or the device is disabled or deleted. To register again is a person's decision.
                Closed::Refused(code @ (4 | 5)) => {
                    cx.stop(Timer::Reply);
                    let by = Rejected::Connack { code };
                    stop(by.into(), Advice::CheckDevice, Resume::Login(self.credential), cx)
                }
                Closed::Refused(code) => {
                    relogin(Rejected::Connack { code }.into(), self.credential, self.backoff, cx)
                }
                Closed::Failed(failure) => {
                    relogin(failure.into(), self.credential, self.backoff, cx)
                }
                Closed::Requested => {
                    relogin(Failure::Lost.into(), self.credential, self.backoff, cx)
                }
            },
            _ => {
                stray(&input, cx);
                State::Connecting(self)
            }
        }
    }

    pub(super) fn late(self, cx: &mut Cx<'_>) -> State {
        cx.close(self.connection);
        relogin(Error::NoReply { step: Step::Login }, self.credential, self.backoff, cx)
    }
}

/// Waiting before the next login.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct LoginPause {
    #[n(0)]
    credential: Credential,
    #[n(1)]
    backoff: Backoff,
}

impl LoginPause {
    pub(super) fn over(self, config: &Config, cx: &mut Cx<'_>) -> State {
        cx.stop(Timer::Retry);
        login(config, self.credential, self.backoff, cx)
    }
}

/// An accepted login.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Session {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    credential: Credential,
    #[n(2)]
    pub(super) backoff: Backoff,
    /// Publishes whose acknowledgement changes nothing: kept so that it is not counted as stray.
    #[n(3)]
    sent: Vec<Token>,
}

/// More outstanding publishes than this are forgotten, oldest first: an answer then counts as stray, no more.
const MAX_SENT: usize = 32;

impl Session {
    /// Publishes what needs no following up.
    pub(super) fn publish(&mut self, topic: String, qos: QoS, payload: Vec<u8>, cx: &mut Cx<'_>) {
        let token = cx.publish(topic, qos, payload);
        self.remember(token);
    }

    /// Expects an acknowledgement that changes nothing.
    pub(super) fn remember(&mut self, token: Token) {
        if self.sent.len() >= MAX_SENT {
            self.sent.remove(0);
        }
        self.sent.push(token);
    }

    /// What is the same in every step of a session.
    pub(super) fn common(
        mut self: Box<Self>,
        config: &Config,
        input: Input,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> After {
        match input {
            Input::Closed(connection, why) if connection == self.connection => {
                let error = match why {
                    Closed::Failed(failure) => failure.into(),
                    Closed::Refused(code) => Rejected::Connack { code }.into(),
                    Closed::Requested => Failure::Lost.into(),
                };
                After::Over(relogin(error, self.credential, self.backoff, cx))
            }
            Input::Message(message) => {
                let heard = downlink::heard(config, &message, &mut self, shared, cx);
                After::Heard(self, heard)
            }
            Input::Acked(token, Ack::Published) if self.sent.contains(&token) => {
                self.sent.retain(|&sent| sent != token);
                After::Heard(self, Heard::Nothing)
            }
            other => {
                stray(&other, cx);
                After::Heard(self, Heard::Nothing)
            }
        }
    }

    /// The server does not answer any more: this session is no good.
    pub(super) fn give_up(self, step: Step, cx: &mut Cx<'_>) -> State {
        cx.close(self.connection);
        relogin(Error::NoReply { step }, self.credential, self.backoff, cx)
    }
}

/// What became of a session.
pub(super) enum After {
    /// It goes on, and this was said in it.
    Heard(Box<Session>, Heard),
    /// It is over, and this is the next step.
    Over(State),
}

fn subscribe(config: &Config, from: ExpectLogin, cx: &mut Cx<'_>) -> State {
    cx.step(Step::Subscribe);
    cx.after(Timer::Reply, config.reply_timeout);
    let pending = downlink::topics(config)
        .into_iter()
        .map(|topic| Subscription { token: cx.subscribe(topic.clone()), topic })
        .collect();
    let ExpectLogin { connection, credential, backoff } = from;
    let session = Box::new(Session { connection, credential, backoff, sent: Vec::new() });
    State::Subscribing(ExpectSubscribed { session, pending })
}

/// SUBSCRIBEs are on their way.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectSubscribed {
    #[n(0)]
    pub(super) session: Box<Session>,
    #[n(1)]
    pending: Vec<Subscription>,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Subscription {
    #[n(0)]
    token: Token,
    #[n(1)]
    topic: String,
}

impl ExpectSubscribed {
    pub(super) fn handle(
        mut self,
        config: &Config,
        input: Input,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> State {
        if let Input::Acked(token, ack) = &input
            && let Some(at) = self.pending.iter().position(|pending| pending.token == *token)
        {
            let Subscription { topic, .. } = self.pending.remove(at);
            if *ack == Ack::SubscribeRefused {
                let warning = Warning::SubscribeRefused { topic };
                cx.event(Event::Warning { warning });
            }
            if self.pending.is_empty() {
                return report_version(config, self.session, shared, cx);
            }
            return State::Subscribing(self);
        }
        match self.session.common(config, input, shared, cx) {
            After::Heard(session, _) => State::Subscribing(Self { session, pending: self.pending }),
            After::Over(next) => next,
        }
    }

    pub(super) fn late(self, cx: &mut Cx<'_>) -> State {
        self.session.give_up(Step::Subscribe, cx)
    }
}

fn report_version(
    config: &Config,
    session: Box<Session>,
    shared: &mut Shared,
    cx: &mut Cx<'_>,
) -> State {
    cx.step(Step::ReportVersion);
    cx.after(Timer::Reply, config.reply_timeout);
    let token = inform(config, shared, cx);
    let version = shared.updater.running().to_string();
    State::Reporting(ExpectVersionReported { session, token, version })
}

/// The firmware version is on its way.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectVersionReported {
    #[n(0)]
    pub(super) session: Box<Session>,
    #[n(1)]
    token: Token,
    /// What was reported: a download that outlived the last session may change it meanwhile.
    #[n(2)]
    version: String,
}

impl ExpectVersionReported {
    pub(super) fn handle(
        self,
        config: &Config,
        input: Input,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> State {
        if input == Input::Acked(self.token, Ack::Published) {
            cx.stop(Timer::Reply);
            let latest = shared.updater.running() == self.version;
            version_reported(latest, shared, cx);
            return report_token(config, self.session, shared, cx);
        }
        match self.session.common(config, input, shared, cx) {
            After::Heard(session, _) => State::Reporting(Self { session, ..self }),
            After::Over(next) => next,
        }
    }

    pub(super) fn late(self, cx: &mut Cx<'_>) -> State {
        self.session.give_up(Step::ReportVersion, cx)
    }
}

/// The cloud has the version: that ends an update that succeeded. MQTT's keep alive is the heartbeat here.
///
/// `latest`: it is the version that runs now.
pub(super) fn version_reported(latest: bool, shared: &mut Shared, cx: &mut Cx<'_>) {
    cx.event(Event::Heartbeat { next: None, next_unix: None, why: Due::KeepAlive });
    if latest && matches!(shared.updater.ending(), Some((_, Ending::Succeeded))) {
        shared.updater.reported(cx);
    }
}

fn report_token(
    config: &Config,
    mut session: Box<Session>,
    shared: &mut Shared,
    cx: &mut Cx<'_>,
) -> State {
    if !config.bind_token && !shared.token_wanted {
        return Online::enter(config, session, Binder::Idle, shared, cx);
    }
    shared.token_wanted = false;
    let binder = Binder::begin(config, &mut session, shared, cx);
    State::Matching(ExpectTokenReported { session, binder })
}

/// The bind token is on its way.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectTokenReported {
    #[n(0)]
    pub(super) session: Box<Session>,
    #[n(1)]
    binder: Binder,
}

impl ExpectTokenReported {
    pub(super) fn handle(
        self,
        config: &Config,
        input: Input,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> State {
        let (session, heard) = match self.session.common(config, input, shared, cx) {
            After::Heard(session, heard) => (session, heard),
            After::Over(next) => return next,
        };
        let binder = match heard {
            Heard::MatchReply(reply) => self.binder.answered(config, reply, cx),
            _ => self.binder,
        };
        Self { session, binder }.go_on(config, shared, cx)
    }

    /// [`Timer::Token`].
    pub(super) fn expired(
        mut self,
        config: &Config,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> State {
        let binder = self.binder.expired(config, &mut self.session, cx);
        Self { session: self.session, binder }.go_on(config, shared, cx)
    }

    /// A person wants another one.
    pub(super) fn anew(mut self, config: &Config, shared: &mut Shared, cx: &mut Cx<'_>) -> State {
        let binder = Binder::begin(config, &mut self.session, shared, cx);
        State::Matching(Self { session: self.session, binder })
    }

    /// Without an answer the device works all the same: it can be bound later, by a new token or the time window.
    fn go_on(self, config: &Config, shared: &mut Shared, cx: &mut Cx<'_>) -> State {
        if self.binder.is_reporting() {
            State::Matching(self)
        } else {
            Online::enter(config, self.session, self.binder, shared, cx)
        }
    }
}

/// The `id` of a message of ours.
pub(super) fn text_id(shared: &mut Shared) -> String {
    shared.id().to_string()
}

/// `/ota/device/progress`.
pub(super) fn progress(
    config: &Config,
    session: &mut Session,
    step: i8,
    text: &str,
    shared: &mut Shared,
    cx: &mut Cx<'_>,
) {
    let payload = wire::progress(&text_id(shared), step, text);
    let topic = wire::ota(&config.product_key, &config.device_name, wire::OTA_PROGRESS);
    session.publish(topic, QoS::AtLeastOnce, payload, cx);
}
