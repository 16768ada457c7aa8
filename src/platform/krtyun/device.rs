//! The device's side: its steps, and what is the same in all of them.
//!
//! [`register`] has the steps with the product's secret, [`online`] those with the device's own. The update of the
//! firmware goes on beside them, across connections.
//!
//! A step is one word here, and what the steps work with lies beside it in [`Flow`]: structs of their own, which hand
//! their secret and their connection on to the next one, were 10 KB more of the plugin.

mod online;
mod register;

use alloc::string::String;
use alloc::vec::Vec;

use crate::snapshot::Kept;

use super::config::Config;
use super::credential::{Credential, Standing};
use super::wire;
use crate::agent::{Cx, Stored};
use crate::backoff::Backoff;
use crate::error::{Error, PeerMisbehaved, Rejected};
use crate::input::{Ack, Closed, Input, Intent, Message, Outcome};
use crate::output::{Advice, Connect, Event, QoS, Step, StoreKey, Token, Warning};
use crate::platform::Device;
use crate::platform::update::{Moved, Updater};
use crate::secret::Secret;
use crate::time::{Instant, Timer};

/// Everything that changes in the life of one device.
#[derive(Debug, Default, Kept)]
pub(crate) struct Flow {
    update: Updater,
    state: State,
    /// The connection that is open or being opened.
    connection: Option<Token>,
    /// Of the command whose answer the step waits for.
    awaited: Token,
    /// How often the step has asked.
    tries: u32,
    /// The secret in hand, until it is refused for good.
    credential: Credential,
    /// Of the registration in hand.
    id: String,
    /// When the session with the device's own secret began.
    since: Instant,
    backoff: Backoff,
    /// Registrations that failed in a row.
    failed_registrations: u32,
    /// Answers to orders, published and not yet acknowledged.
    replies: Vec<Token>,
}

/// More unacknowledged answers than these are not told from strangers.
const MAX_REPLIES: usize = 8;

/// What is awaited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Kept)]
enum State {
    /// CONNACK with the product's secret.
    RegisterConnecting,
    /// SUBACK for where the secret will come.
    RegisterSubscribing,
    /// Asked for the secret. [`Timer::Reply`] runs, or [`Timer::Retry`] between two tries.
    Asking,
    /// The secret is being stored.
    Storing,
    /// The connection broke meanwhile.
    StoringOffline,
    /// Sent the confirmation of an issue of this session. [`Timer::Reply`] runs, or [`Timer::Retry`] between two tries.
    Confirming,
    /// The same for one of an earlier session.
    ConfirmingEarlier,
    /// The confirmation is acknowledged; the platform is to close the socket.
    Leaving,
    /// The same for an issue of an earlier session.
    LeavingEarlier,
    /// CONNACK with the device's own secret.
    LoggingIn,
    /// The platform let us in for the first time; that is being stored.
    Proving,
    /// SUBACK for orders.
    Subscribing,
    /// Logged in, the report acknowledged. [`Timer::Heartbeat`] runs.
    Online,
    /// Logged in, a report on its way. [`Timer::Reply`] runs, or [`Timer::Retry`] between two tries.
    Reporting,
    /// Backing off before a registration; [`Timer::Retry`] ends it.
    RestingToRegister,
    /// Backing off before a login.
    #[default]
    RestingToLogin,
    /// Waiting for a person, to register after that.
    StoppedToRegister,
    /// Waiting for a person, to log in after that.
    StoppedToLogin,
    /// Waiting for a person, to erase the old credential after that.
    StoppedToForget,
    /// A person wants to register again; the old credential is being erased.
    Forgetting,
}

impl Device for Flow {
    type Config = Config;

    fn start(&mut self, config: &Config, stored: &Stored, cx: &mut Cx<'_>) {
        self.credential = Credential::find(config, stored, cx);
        self.update.start(&config.firmware_version, stored, cx);
        if self.credential.standing == Standing::Absent {
            self.register(config, cx);
        } else {
            self.login(config, cx);
        }
    }

    fn handle(&mut self, config: &Config, input: &Input, cx: &mut Cx<'_>) {
        if let Some(moved) = self.update.handle(input, cx) {
            return self.moved(&moved, config, cx);
        }
        match input {
            Input::User(intent) => self.intended(intent, config, cx),
            Input::Connected(token) if self.connection == Some(*token) => {
                self.connected(config, cx);
            }
            Input::Closed(token, closed) if self.connection == Some(*token) => {
                self.connection = None;
                self.closed(closed, config, cx);
            }
            Input::Closed(_, Closed::Requested) => {}
            Input::Message(message) => self.message(message, config, cx),
            Input::Acked(token, _) if self.takes_reply(*token) => {}
            Input::Acked(token, ack) if *token == self.awaited => self.acked(*ack, config, cx),
            Input::Stored(token, outcome) if *token == self.awaited => {
                self.stored(outcome, config, cx);
            }
            _ => cx.stray(),
        }
    }

    fn expired(&mut self, config: &Config, timer: Timer, cx: &mut Cx<'_>) {
        if timer == Timer::Update {
            let moved = self.update.expired(cx);
            return self.moved(&moved, config, cx);
        }
        let again = timer == Timer::Retry;
        match self.state {
            State::RegisterConnecting | State::RegisterSubscribing => {
                self.not_admitted(config, cx);
            }
            State::Asking => self.no_issue(again, config, cx),
            State::Confirming | State::ConfirmingEarlier => self.not_confirmed(again, config, cx),
            State::Leaving | State::LeavingEarlier => self.not_left(config, cx),
            State::LoggingIn => {
                self.close(cx);
                self.rest(State::RestingToLogin, Error::NoReply { step: Step::Login }, cx);
            }
            State::Subscribing => self.lost(Error::NoReply { step: Step::Subscribe }, cx),
            State::Online => self.report(config, cx),
            State::Reporting => self.not_reported(again, config, cx),
            State::RestingToRegister => self.register(config, cx),
            State::RestingToLogin => self.login(config, cx),
            // The host's own storage has no time limit here, and a person even less.
            State::Storing
            | State::StoringOffline
            | State::Proving
            | State::StoppedToRegister
            | State::StoppedToLogin
            | State::StoppedToForget
            | State::Forgetting => {}
        }
    }

    fn supports(_: &Intent) -> bool {
        false
    }
}

impl Flow {
    fn connected(&mut self, config: &Config, cx: &mut Cx<'_>) {
        match self.state {
            State::RegisterConnecting => {
                cx.step(Step::SubscribeForSecret);
                self.awaited = cx.subscribe(config.topics.register_set.as_str());
                await_reply(config, cx);
                self.state = State::RegisterSubscribing;
            }
            State::LoggingIn => self.logged_in(config, cx),
            _ => cx.stray(),
        }
    }

    fn closed(&mut self, closed: &Closed, config: &Config, cx: &mut Cx<'_>) {
        let error = why(closed);
        match self.state {
            State::RegisterConnecting => self.register_refused(closed, error, config, cx),
            State::RegisterSubscribing => self.rest(State::RestingToRegister, error, cx),
            State::Asking => {
                let error = match closed {
                    Closed::Failed(crate::Failure::Lost) => PeerMisbehaved::ClosedEarly.into(),
                    _ => error,
                };
                self.registration_failed(error, Advice::AskVendor, config, cx);
            }
            State::Storing => self.state = State::StoringOffline,
            // The platform's way of saying yes; if it was the network, the login will tell.
            State::Confirming | State::ConfirmingEarlier => {
                self.registered(config, cx);
                self.login(config, cx);
            }
            State::Leaving | State::LeavingEarlier => self.login(config, cx),
            State::LoggingIn => self.refused(closed, error, config, cx),
            _ => self.lost(error, cx),
        }
    }

    fn message(&mut self, message: &Message, config: &Config, cx: &mut Cx<'_>) {
        let of_orders = message.topic == config.topics.ota_set;
        match self.state {
            State::Asking if message.topic == config.topics.register_set => {
                self.issued(message, config, cx);
            }
            // An order may overtake the acknowledgement; the report follows anyway.
            State::Subscribing if of_orders => {
                self.ordered(message, config, cx);
            }
            State::Online | State::Reporting if of_orders => {
                if self.ordered(message, config, cx) {
                    self.report(config, cx);
                }
            }
            _ => cx.stray(),
        }
    }

    fn acked(&mut self, ack: Ack, config: &Config, cx: &mut Cx<'_>) {
        match (self.state, ack) {
            (State::RegisterSubscribing, Ack::Subscribed(_)) => self.subscribed(config, cx),
            (State::RegisterSubscribing, Ack::SubscribeRefused) => {
                self.close(cx);
                let error = Rejected::Suback { topic: config.topics.register_set.clone() }.into();
                self.registration_failed(error, Advice::AskVendor, config, cx);
            }
            // The request arrived; whether it is answered is another matter.
            (State::Asking, Ack::Published) => {}
            (State::Confirming | State::ConfirmingEarlier, Ack::Published) => {
                self.confirmed(config, cx);
            }
            (State::Subscribing, ack) => {
                if ack == Ack::SubscribeRefused {
                    let topic = config.topics.ota_set.clone();
                    cx.event(Event::Warning { warning: Warning::SubscribeRefused { topic } });
                }
                cx.step(Step::ReportVersion);
                self.report(config, cx);
            }
            (State::Reporting, Ack::Published) => self.reported(config, cx),
            _ => cx.stray(),
        }
    }

    fn stored(&mut self, outcome: &Outcome, config: &Config, cx: &mut Cx<'_>) {
        match (self.state, outcome) {
            (State::Storing, Outcome::Done) => self.confirm(State::Confirming, config, cx),
            (State::StoringOffline, Outcome::Done) => {
                self.rest(State::RestingToRegister, PeerMisbehaved::ClosedEarly.into(), cx);
            }
            // Nothing is confirmed, so the platform will issue the secret once more.
            (State::Storing | State::StoringOffline, Outcome::Failed(failure)) => {
                self.close(cx);
                self.credential = Credential::default();
                let error = Error::Local { failure: failure.clone() };
                self.stop(State::StoppedToRegister, error, Advice::CheckStorage, cx);
            }
            (State::Proving, outcome) => {
                if let Outcome::Failed(failure) = outcome {
                    // The secret itself is stored; the next start may at most confirm it once more.
                    warn(Error::Local { failure: failure.clone() }, cx);
                }
                self.subscribe(config, cx);
            }
            (State::Forgetting, Outcome::Done) => self.register(config, cx),
            (State::Forgetting, Outcome::Failed(failure)) => {
                let error = Error::Local { failure: failure.clone() };
                self.stop(State::StoppedToForget, error, Advice::CheckStorage, cx);
            }
            _ => cx.stray(),
        }
    }

    /// The firmware update moved on.
    fn moved(&mut self, moved: &Moved, config: &Config, cx: &mut Cx<'_>) {
        let online = matches!(self.state, State::Online | State::Reporting);
        let session = online || matches!(self.state, State::Proving | State::Subscribing);
        match moved {
            // Without a session the platform sends the order again after the next login, and is answered then.
            Moved::Accepted if session => self.answer_order(wire::OK, config, cx),
            Moved::NotKept if session => self.answer_order(&config.assumed.refused, config, cx),
            Moved::Ended if online => self.report(config, cx),
            // The protocol has no word for progress.
            _ => {}
        }
    }

    /// Answers the order in hand, or the one that could not be kept.
    fn answer_order(&mut self, back: &str, config: &Config, cx: &mut Cx<'_>) {
        let body = wire::back(self.update.reference(), back);
        self.publish_answer(body, config, cx);
    }

    fn intended(&mut self, intent: &Intent, config: &Config, cx: &mut Cx<'_>) {
        match (intent, self.state) {
            (
                Intent::TryAgain,
                State::StoppedToRegister | State::StoppedToLogin | State::StoppedToForget,
            ) => {
                self.backoff = Backoff::login();
                self.failed_registrations = 0;
                match self.state {
                    State::StoppedToRegister => self.register(config, cx),
                    State::StoppedToLogin => self.login(config, cx),
                    _ => self.forget(cx),
                }
            }
            (Intent::TryAgain, State::RestingToRegister) => self.register(config, cx),
            (Intent::TryAgain, State::RestingToLogin) => self.login(config, cx),
            (Intent::Report, State::Online | State::Reporting) => self.report(config, cx),
            (Intent::RegisterAgain, _) => {
                if config.device_secret.is_some() {
                    // The settings would beat whatever we stored at the next start.
                    return cx.event(Event::Warning { warning: Warning::SecretConfigured });
                }
                self.close(cx);
                self.failed_registrations = 0;
                self.forget(cx);
            }
            _ => {}
        }
    }

    /// Erases the credential, then registers.
    fn forget(&mut self, cx: &mut Cx<'_>) {
        self.quiet(cx);
        cx.step(Step::EraseSecret);
        self.credential = Credential::default();
        self.awaited = cx.erase(StoreKey::Credential);
        self.state = State::Forgetting;
    }

    /// CONNECT, with the one of the two secrets that fits.
    fn connect(&mut self, password: Secret, config: &Config, cx: &mut Cx<'_>) {
        self.quiet(cx);
        self.connection = Some(cx.connect(Connect {
            url: config.broker.clone(),
            client_id: config.product_id.clone(),
            username: config.device_id.clone(),
            password,
            keep_alive: config.keep_alive,
        }));
        await_reply(config, cx);
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        if let Some(connection) = self.connection.take() {
            cx.close(connection);
        }
    }

    /// Nothing is awaited any more.
    fn quiet(&mut self, cx: &mut Cx<'_>) {
        self.awaited = Token::default();
        for timer in [Timer::Reply, Timer::Retry, Timer::Heartbeat] {
            cx.stop(timer);
        }
        self.replies.clear();
    }

    fn back_off(&mut self, error: Error, cx: &mut Cx<'_>) {
        cx.retrying(Timer::Retry, error, &mut self.backoff);
    }

    /// Tries again later.
    fn rest(&mut self, state: State, error: Error, cx: &mut Cx<'_>) {
        self.quiet(cx);
        self.back_off(error, cx);
        self.state = state;
    }

    /// Gives up until a person says otherwise.
    fn stop(&mut self, state: State, error: Error, advice: Advice, cx: &mut Cx<'_>) {
        self.quiet(cx);
        cx.event(Event::Stopped { error, advice });
        self.state = state;
    }

    /// Whether `token` is of an answer that we sent.
    fn takes_reply(&mut self, token: Token) -> bool {
        let at = self.replies.iter().position(|&reply| reply == token);
        at.map(|at| self.replies.swap_remove(at)).is_some()
    }

    /// Answers an order.
    fn answer(&mut self, id: &str, back: &str, config: &Config, cx: &mut Cx<'_>) {
        self.publish_answer(wire::back(id, back), config, cx);
    }

    fn publish_answer(&mut self, body: Vec<u8>, config: &Config, cx: &mut Cx<'_>) {
        let token = cx.publish(config.topics.ota_post.as_str(), QoS::AtLeastOnce, body);
        if self.replies.len() == MAX_REPLIES {
            self.replies.remove(0);
        }
        self.replies.push(token);
    }

    fn answer_refused(&mut self, id: &str, config: &Config, cx: &mut Cx<'_>) {
        self.answer(id, &config.assumed.refused, config, cx);
    }
}

fn await_reply(config: &Config, cx: &mut Cx<'_>) {
    cx.after(Timer::Reply, config.reply_timeout);
}

fn warn(error: impl Into<Error>, cx: &mut Cx<'_>) {
    cx.event(Event::Warning { warning: Warning::Ignored { error: error.into() } });
}

/// Why a connection is gone, as an error to show.
fn why(closed: &Closed) -> Error {
    match closed {
        Closed::Refused(code) => Rejected::Connack { code: *code }.into(),
        Closed::Failed(failure) => (*failure).into(),
        Closed::Requested => PeerMisbehaved::ClosedEarly.into(),
    }
}
