//! From a stored secret to a device at work, and back after every break.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};
use crate::num;

use super::binder::Binder;
use super::credential::Credential;
use super::downlink::{self, Heard};
use super::online::{Online, inform};
use super::{Resume, Shared, State, stop};
use crate::agent::Cx;
use crate::backoff::Backoff;
use crate::error::{Error, Failure, Rejected};
use crate::input::{Ack, Closed, Input};
use crate::output::{Advice, Due, Event, QoS, Step, Token, Warning};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::wire;
use crate::platform::update::Ending;
use crate::time::Timer;

/// What the next login needs. It is made with the credential and handed on from step to step, by its box.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Login {
    #[n(0)]
    pub(super) credential: Credential,
    #[n(1)]
    pub(super) backoff: Backoff,
}

impl Login {
    pub(super) fn new(credential: Credential) -> Box<Self> {
        Box::new(Self { credential, backoff: Backoff::login() })
    }
}

/// Connects with the device's own secret.
pub(super) fn login(config: &Config, login: Box<Login>, cx: &mut Cx<'_>) -> State {
    cx.step(Step::Login);
    let connect = login.credential.connect(config, cx.now());
    let connection = cx.connect(connect);
    cx.after(Timer::Reply, config.reply_timeout);
    State::Connecting(ExpectLogin { connection, login })
}

#[inline(never)]
fn relogin(error: Error, mut login: Box<Login>, cx: &mut Cx<'_>) -> State {
    cx.stop(Timer::Reply);
    cx.stop(Timer::Token);
    cx.retrying(Timer::Retry, error, &mut login.backoff);
    State::Waiting(LoginPause { login })
}

/// Why there is no connection any more.
pub(super) fn ended(why: &Closed) -> Error {
    match why {
        Closed::Failed(failure) => failure.clone().into(),
        Closed::Refused(code) => Rejected::Connack { code: *code }.into(),
        Closed::Requested => Failure::Lost.into(),
    }
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
    login: Box<Login>,
}

impl ExpectLogin {
    pub(super) fn handle(self, config: &Config, input: &Input, cx: &mut Cx<'_>) -> State {
        match input {
            Input::Connected(connection) if *connection == self.connection => {
                subscribe(config, self, cx)
            }
            // The secret is wrong, or the device is disabled or deleted. To register again is a person's decision.
            Input::Closed(connection, why @ Closed::Refused(4 | 5))
                if *connection == self.connection =>
            {
                cx.stop(Timer::Reply);
                stop(ended(why), Advice::CheckDevice, Resume::Login(self.login), cx)
            }
            Input::Closed(connection, why) if *connection == self.connection => {
                relogin(ended(why), self.login, cx)
            }
            _ => {
                stray(input, cx);
                State::Connecting(self)
            }
        }
    }

    pub(super) fn late(self, cx: &mut Cx<'_>) -> State {
        cx.close(self.connection);
        relogin(Error::NoReply { step: Step::Login }, self.login, cx)
    }
}

/// Waiting before the next login.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct LoginPause {
    #[n(0)]
    login: Box<Login>,
}

impl LoginPause {
    pub(super) fn over(self, config: &Config, cx: &mut Cx<'_>) -> State {
        cx.stop(Timer::Retry);
        login(config, self.login, cx)
    }
}

/// An accepted login.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Session {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    pub(super) login: Box<Login>,
    /// Publishes whose acknowledgement changes nothing: kept so that it is not counted as stray.
    #[n(2)]
    sent: Vec<Token>,
    #[n(3)]
    pub(super) binder: Binder,
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

    /// What is the same in every step of a session; an error is its end.
    #[inline(never)]
    pub(super) fn common(
        &mut self,
        config: &Config,
        input: &Input,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> Result<Heard, Error> {
        match input {
            Input::Closed(connection, why) if *connection == self.connection => {
                return Err(ended(why));
            }
            Input::Message(message) => {
                return Ok(downlink::heard(config, message, self, shared, cx));
            }
            Input::Acked(token, Ack::Published) if self.sent.contains(token) => {
                self.sent.retain(|sent| sent != token);
            }
            other => stray(other, cx),
        }
        Ok(Heard::Nothing)
    }

    /// The session is over.
    pub(super) fn over(self, error: Error, cx: &mut Cx<'_>) -> State {
        relogin(error, self.login, cx)
    }

    /// The server does not answer any more: this session is no good.
    pub(super) fn give_up(self, step: Step, cx: &mut Cx<'_>) -> State {
        cx.close(self.connection);
        self.over(Error::NoReply { step }, cx)
    }
}

fn subscribe(config: &Config, from: ExpectLogin, cx: &mut Cx<'_>) -> State {
    cx.step(Step::Subscribe);
    cx.after(Timer::Reply, config.reply_timeout);
    let mut pending = Vec::new();
    for what in 0..downlink::topics(config) {
        pending.push(Subscription { token: cx.subscribe(downlink::topic(config, what)), what });
    }
    let ExpectLogin { connection, login } = from;
    let session = Box::new(Session { connection, login, sent: Vec::new(), binder: Binder::Idle });
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
    /// Which [`downlink::topic`].
    #[n(1)]
    what: u32,
}

impl ExpectSubscribed {
    pub(super) fn handle(
        mut self,
        config: &Config,
        input: &Input,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> State {
        if let Input::Acked(token, ack) = input
            && let Some(at) = self.pending.iter().position(|pending| pending.token == *token)
        {
            let Subscription { what, .. } = self.pending.remove(at);
            if *ack == Ack::SubscribeRefused {
                let topic = downlink::topic(config, what);
                let warning = Warning::SubscribeRefused { topic };
                cx.event(Event::Warning { warning });
            }
            if self.pending.is_empty() {
                return report_version(config, self.session, shared, cx);
            }
            return State::Subscribing(self);
        }
        match self.session.common(config, input, shared, cx) {
            Ok(_) => State::Subscribing(self),
            Err(error) => self.session.over(error, cx),
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
        mut self,
        config: &Config,
        input: &Input,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> State {
        if matches!(input, Input::Acked(token, Ack::Published) if *token == self.token) {
            cx.stop(Timer::Reply);
            let latest = shared.updater.running() == self.version;
            version_reported(latest, shared, cx);
            return report_token(config, self.session, shared, cx);
        }
        match self.session.common(config, input, shared, cx) {
            Ok(_) => State::Reporting(self),
            Err(error) => self.session.over(error, cx),
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
        return Online::enter(config, session, shared, cx);
    }
    shared.token_wanted = false;
    session.begin_binding(config, shared, cx);
    State::Matching(ExpectTokenReported { session })
}

/// The bind token is on its way.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectTokenReported {
    #[n(0)]
    pub(super) session: Box<Session>,
}

impl ExpectTokenReported {
    pub(super) fn handle(
        mut self,
        config: &Config,
        input: &Input,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> State {
        match self.session.common(config, input, shared, cx) {
            Ok(Heard::MatchReply(reply)) => self.session.binder.answered(config, &reply, cx),
            Ok(_) => {}
            Err(error) => return self.session.over(error, cx),
        }
        self.go_on(config, shared, cx)
    }

    /// [`Timer::Token`].
    pub(super) fn expired(
        mut self,
        config: &Config,
        shared: &mut Shared,
        cx: &mut Cx<'_>,
    ) -> State {
        self.session.binding_expired(config, cx);
        self.go_on(config, shared, cx)
    }

    /// A person wants another one.
    pub(super) fn anew(mut self, config: &Config, shared: &mut Shared, cx: &mut Cx<'_>) -> State {
        self.session.begin_binding(config, shared, cx);
        State::Matching(self)
    }

    /// Without an answer the device works all the same: it can be bound later, by a new token or the time window.
    fn go_on(self, config: &Config, shared: &mut Shared, cx: &mut Cx<'_>) -> State {
        if self.session.binder.is_reporting() {
            State::Matching(self)
        } else {
            Online::enter(config, self.session, shared, cx)
        }
    }
}

/// The `id` of a message of ours.
pub(super) fn text_id(shared: &mut Shared) -> String {
    num::text(shared.id().into())
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
