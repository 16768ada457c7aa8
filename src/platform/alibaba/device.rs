//! The device's side.
//!
//! ```text
//! registration   HTTP:  Asking ────────────────┐
//!                MQTT:  Knocking → Listening ──┴→ Storing → (Leaving)
//! session        Connecting → Subscribing → Reporting → Matching → Online
//! ```
//!
//! A device with a stored (or configured) secret begins at `Connecting`. Every failure of a session leads to `Waiting`,
//! of a registration to `Pausing` and, with an end, to a stop. A refused secret leads to a stop at once.
//!
//! A step is one word here, and what the steps work with lies beside it in [`Flow`]: structs of their own, which hand
//! their secret and their connection on to the next one, were many kilobytes more of the plugin.
//!
//! Deliberately absent: sub-devices of a gateway (the gateway hears of permits and topology, and its own firmware has
//! to act), the closing of a permit by time, packages of several files, firmware through MQTT, the LAN's discovery.

mod binder;
mod credential;
mod downlink;
mod online;
mod register;
mod session;

use alloc::string::String;
use alloc::vec::Vec;

use crate::snapshot::Kept;

use self::binder::Binder;
use self::credential::Credential;
use self::online::Report;
use super::Config;
use super::config::Origin;
use crate::agent::{Cx, Stored};
use crate::backoff::Backoff;
use crate::error::{Error, Failure, PeerMisbehaved, Rejected};
use crate::input::{Ack, Closed, Input, Intent, Message};
use crate::output::{Advice, Event, Step, StoreKey, Token, Warning};
use crate::platform::Device;
use crate::platform::update::Updater;
use crate::time::Timer;

/// A running device.
#[derive(Debug, Default, Kept)]
pub(crate) struct Flow {
    updater: Updater,
    state: State,
    /// The connection that is open or being opened; in [`State::Leaving`], the one that is being closed.
    connection: Option<Token>,
    /// Of the command whose answer the step waits for.
    awaited: Token,
    /// The device's own secret, once there is one.
    credential: Credential,
    /// Of the registration or the logins in hand.
    backoff: Backoff,
    /// SUBSCRIBEs under way, and for which of the topics.
    pending: Vec<(Token, u8)>,
    /// Publishes whose acknowledgement changes nothing: kept so that it is not counted as stray.
    sent: Vec<Token>,
    binder: Binder,
    /// What was reported: a download that outlived the last session may change it meanwhile.
    version: String,
    report: Report,
    /// Ids of property posts that are not answered yet.
    posts: Vec<u32>,
    /// The progress last reported, so that a download does not make a message of every block.
    percent: u8,
    last_id: u32,
    /// A person asked for a bind token while there was no session.
    token_wanted: bool,
}

/// What is awaited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Kept)]
enum State {
    /// The answer to the registration over HTTP.
    Asking,
    /// CONNACK with the product's signature.
    Knocking,
    /// The server pushes the secret.
    Listening,
    /// The time for the next try to register.
    Pausing,
    /// The secret on stable storage.
    Storing,
    /// The end of the registration's session: there may be one at a time.
    Leaving,
    /// The stored secret is being erased.
    Erasing,
    /// CONNACK with the device's own secret.
    Connecting,
    /// The time for the next login.
    #[default]
    Waiting,
    /// SUBACKs.
    Subscribing,
    /// PUBACK of the firmware version.
    Reporting,
    /// The answer to the bind token.
    Matching,
    /// Logged in, version and bind token reported.
    Online,
    /// A person; then registers.
    StoppedToRegister,
    /// A person; then stores the secret, which is nowhere else.
    StoppedToStore,
    /// A person; then logs in.
    StoppedToLogin,
    /// A person; then erases.
    StoppedToErase,
}

impl Device for Flow {
    type Config = Config;

    fn start(&mut self, config: &Config, stored: &Stored, cx: &mut Cx<'_>) {
        self.updater.start(&config.firmware_version, stored, cx);
        let kept = stored.get(StoreKey::Credential);
        if let Some(bytes) = kept {
            self.credential = Credential::read(bytes, config, cx);
        }
        if kept.is_some() && matches!(config.origin, Origin::Registration(_)) {
            self.login(config, cx);
        } else {
            self.begin(config, cx);
        }
    }

    fn handle(&mut self, config: &Config, input: &Input, cx: &mut Cx<'_>) {
        if let Input::User(intent) = input {
            return self.intent(intent, config, cx);
        }
        if let Some(moved) = self.updater.handle(input, cx) {
            return self.moved(&moved, config, cx);
        }
        match input {
            Input::Connected(token) if self.connection == Some(*token) => {
                self.connected(config, cx);
            }
            Input::Closed(token, why) if self.connection == Some(*token) => {
                self.connection = None;
                self.closed(why, config, cx);
            }
            // We closed it ourselves.
            Input::Closed(_, Closed::Requested) => {}
            Input::Message(message) => self.message(message, config, cx),
            Input::Acked(token, ack) => self.acked(*token, *ack, config, cx),
            Input::Response(token, answer) if *token == self.awaited => {
                self.answered(answer, config, cx);
            }
            Input::Stored(token, outcome) if *token == self.awaited => {
                self.stored(outcome, config, cx);
            }
            _ => cx.stray(),
        }
        if self.state == State::Matching {
            self.matched(config, cx);
        }
    }

    fn expired(&mut self, config: &Config, timer: Timer, cx: &mut Cx<'_>) {
        match timer {
            Timer::Update => {
                let moved = self.updater.expired(cx);
                self.moved(&moved, config, cx);
            }
            Timer::Reply => self.late(config, cx),
            Timer::Retry => self.go_on(config, cx),
            Timer::Token if matches!(self.state, State::Matching | State::Online) => {
                self.binding_expired(config, cx);
            }
            _ => {}
        }
        if self.state == State::Matching {
            self.matched(config, cx);
        }
    }

    fn supports(intent: &Intent) -> bool {
        matches!(intent, Intent::NewBindToken | Intent::PostProperties { .. })
    }
}

impl Flow {
    fn connected(&mut self, config: &Config, cx: &mut Cx<'_>) {
        match self.state {
            State::Knocking => {
                // The server pushes the secret on its own: there is nothing to subscribe to, nothing to ask.
                cx.step(Step::RequestSecret);
                cx.after(Timer::Reply, config.reply_timeout);
                self.state = State::Listening;
            }
            State::Connecting => self.subscribe(config, cx),
            _ => cx.stray(),
        }
    }

    fn closed(&mut self, why: &Closed, config: &Config, cx: &mut Cx<'_>) {
        let error = match why {
            Closed::Failed(failure) => (*failure).into(),
            Closed::Refused(code) => Rejected::Connack { code: *code }.into(),
            Closed::Requested => Failure::Lost.into(),
        };
        match (self.state, why) {
            (State::Knocking, _) => self.failed(error, config, cx),
            (State::Listening, _) => self.retry(PeerMisbehaved::ClosedEarly.into(), config, cx),
            // The secret is on its way to the storage all the same.
            (State::Storing, _) => {}
            (State::Leaving, _) => self.login(config, cx),
            // The secret is wrong, or the device is disabled or deleted. To register again is a person's decision.
            (State::Connecting, Closed::Refused(4 | 5)) => {
                self.stop(State::StoppedToLogin, error, Advice::CheckDevice, cx);
            }
            _ => self.relogin(error, cx),
        }
    }

    fn message(&mut self, message: &Message, config: &Config, cx: &mut Cx<'_>) {
        match self.state {
            State::Listening => self.pushed(message, config, cx),
            State::Subscribing | State::Reporting | State::Matching | State::Online => {
                self.heard(message, config, cx);
            }
            _ => cx.stray(),
        }
    }

    fn acked(&mut self, token: Token, ack: Ack, config: &Config, cx: &mut Cx<'_>) {
        let mine = token == self.awaited && ack == Ack::Published;
        let pending = self.pending.iter().position(|(pending, _)| *pending == token);
        match (self.state, pending) {
            (State::Subscribing, Some(at)) => {
                let (_, topic) = self.pending.remove(at);
                self.subscribed(topic, ack, config, cx);
            }
            (State::Reporting, _) if mine => {
                cx.stop(Timer::Reply);
                let latest = self.updater.running() == self.version;
                self.version_reported(latest, cx);
                self.report_token(config, cx);
            }
            (State::Online, _) if mine && self.report != Report::None => self.reported(cx),
            _ => match self.sent.iter().position(|sent| *sent == token) {
                Some(at) if ack == Ack::Published => drop(self.sent.remove(at)),
                _ => cx.stray(),
            },
        }
    }

    /// [`Timer::Reply`].
    fn late(&mut self, config: &Config, cx: &mut Cx<'_>) {
        let step = match self.state {
            State::Asking | State::Listening => Step::RequestSecret,
            State::Knocking => Step::ConnectToRegister,
            // Nobody says that it is gone: the host drops it for the next one.
            State::Leaving => return self.login(config, cx),
            State::Connecting => Step::Login,
            State::Subscribing => Step::Subscribe,
            State::Reporting => Step::ReportVersion,
            State::Online => return self.posts_unanswered(cx),
            _ => return,
        };
        self.close(cx);
        let error = Error::NoReply { step };
        match self.state {
            State::Asking | State::Knocking | State::Listening => self.retry(error, config, cx),
            // The server does not answer any more: this session is no good.
            _ => self.relogin(error, cx),
        }
    }

    /// The wait before the next try is over.
    fn go_on(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.stop(Timer::Retry);
        match self.state {
            State::Pausing => self.ask(config, cx),
            State::Waiting => self.login(config, cx),
            _ => {}
        }
    }

    fn intent(&mut self, intent: &Intent, config: &Config, cx: &mut Cx<'_>) {
        match (intent, self.state) {
            (Intent::TryAgain, State::StoppedToRegister) => self.begin(config, cx),
            (Intent::TryAgain, State::StoppedToStore) => self.store(config, cx),
            (Intent::TryAgain, State::StoppedToLogin) => {
                self.backoff.reset();
                self.login(config, cx);
            }
            (Intent::TryAgain, State::StoppedToErase) => self.erase(cx),
            (Intent::TryAgain, State::Pausing | State::Waiting) => self.go_on(config, cx),
            (Intent::RegisterAgain, _) if matches!(config.origin, Origin::Configured(_)) => {
                cx.event(Event::Warning { warning: Warning::SecretConfigured });
            }
            (Intent::RegisterAgain, state) => {
                if state == State::Leaving {
                    // Closed already.
                    self.connection = None;
                }
                self.close(cx);
                for timer in [Timer::Reply, Timer::Retry, Timer::Token] {
                    cx.stop(timer);
                }
                self.erase(cx);
            }
            (Intent::Report, State::Online) => self.report_version(config, cx),
            (Intent::NewBindToken, State::Online | State::Matching) => {
                self.begin_binding(config, cx);
            }
            (Intent::NewBindToken, _) => self.token_wanted = true,
            (Intent::PostProperties { json }, State::Online) => self.post(json, config, cx),
            (Intent::PostProperties { .. }, _) => ignored(Failure::Unreachable, cx),
            _ => {}
        }
    }

    /// Ends where only a person can decide how to go on.
    fn stop(&mut self, state: State, error: Error, advice: Advice, cx: &mut Cx<'_>) {
        cx.stop(Timer::Reply);
        cx.event(Event::Stopped { error, advice });
        self.state = state;
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        if let Some(connection) = self.connection.take() {
            cx.close(connection);
        }
    }

    /// The number of the next message. The vendor wants it unique for the device, which a counter is as long as nothing
    /// is cut; the cloud only uses it to answer.
    fn id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1).max(1);
        self.last_id
    }
}

fn ignored(error: impl Into<Error>, cx: &mut Cx<'_>) {
    cx.event(Event::Warning { warning: Warning::Ignored { error: error.into() } });
}
