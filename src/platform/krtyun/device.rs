//! The device's side: its states, and what is the same in all of them.
//!
//! [`register`] has the steps with the product's secret, [`online`] those with the device's own. The update of the
//! firmware goes on beside them, across connections.

mod online;
mod register;

use alloc::string::String;
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};

use super::config::Config;
use super::credential::{Credential, Standing};
use super::wire;
use crate::agent::{Cx, Stored};
use crate::backoff::Backoff;
use crate::error::{ApiMisuse, Error, PeerMisbehaved, Rejected};
use crate::input::{Closed, Input, Intent, Outcome};
use crate::output::{Advice, Connect, Event, QoS, Step, StoreKey, Token, Warning};
use crate::platform::Device;
use crate::platform::update::{Moved, Updater};
use crate::secret::Secret;
use crate::time::Timer;

use online::{ExpectLogin, ExpectOtaSubscribed, ExpectProvenStored, Online};
use register::{
    ExpectConfirmed, ExpectIssue, ExpectLeft, ExpectRegisterConnected, ExpectRegisterSubscribed,
    ExpectSecretStored, ExpectSecretStoredOffline, Goal,
};

/// Everything that changes in the life of one device.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Flow {
    #[n(0)]
    update: Updater,
    #[n(1)]
    history: History,
    #[n(2)]
    state: State,
}

/// What outlives a single step.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct History {
    #[n(0)]
    backoff: Backoff,
    /// Registrations that failed in a row.
    #[n(1)]
    failed_registrations: u32,
    /// Answers to orders, published and not yet acknowledged.
    #[n(2)]
    replies: Vec<Token>,
}

/// More unacknowledged answers than these are not told from strangers.
const MAX_REPLIES: usize = 8;

#[derive(Debug, Encode, Decode)]
enum State {
    #[n(0)]
    RegisterConnecting(#[n(0)] ExpectRegisterConnected),
    #[n(1)]
    RegisterSubscribing(#[n(0)] ExpectRegisterSubscribed),
    #[n(2)]
    Asking(#[n(0)] ExpectIssue),
    #[n(3)]
    Storing(#[n(0)] ExpectSecretStored),
    #[n(4)]
    StoringOffline(#[n(0)] ExpectSecretStoredOffline),
    #[n(5)]
    Confirming(#[n(0)] ExpectConfirmed),
    #[n(6)]
    Leaving(#[n(0)] ExpectLeft),
    #[n(7)]
    LoggingIn(#[n(0)] ExpectLogin),
    #[n(8)]
    Proving(#[n(0)] ExpectProvenStored),
    #[n(9)]
    Subscribing(#[n(0)] ExpectOtaSubscribed),
    #[n(10)]
    Online(#[n(0)] Online),
    #[n(11)]
    Resting(#[n(0)] Resting),
    #[n(12)]
    Stopped(#[n(0)] Stopped),
    #[n(13)]
    Forgetting(#[n(0)] ExpectErased),
}

/// Where to begin after a pause.
#[derive(Debug, Encode, Decode)]
enum Next {
    #[n(0)]
    Register(#[n(0)] Goal),
    #[n(1)]
    Login(#[n(0)] Credential),
    #[n(2)]
    Forget,
}

/// Backing off; [`Timer::Retry`] ends it.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Resting {
    #[n(0)]
    next: Next,
}

/// Waiting for a person.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Stopped {
    #[n(0)]
    next: Next,
}

/// A person wants to register again; the old credential is being erased.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct ExpectErased {
    #[n(0)]
    token: Token,
}

impl Device for Flow {
    type Config = Config;

    fn start(config: &Config, stored: &Stored, cx: &mut Cx<'_>) -> Result<Self, ApiMisuse> {
        let credential = Credential::find(config, stored)?;
        let mut update = Updater::start(&config.firmware_version, stored)?;
        let mut history =
            History { backoff: Backoff::login(), failed_registrations: 0, replies: Vec::new() };
        let mut job = Job { config, cx, update: &mut update, history: &mut history };
        let state = match credential {
            Some(credential) => job.login(credential),
            None => job.register(Goal::Ask),
        };
        Ok(Self { update, history, state })
    }

    fn handle(self, config: &Config, input: Input, cx: &mut Cx<'_>) -> Self {
        let Self { mut update, mut history, state } = self;
        // The order's ID is gone from the updater once it could not be kept.
        let keeping = update.keeping().map(|offer| offer.reference.clone());
        let moved = update.handle(&input, cx);
        let mut job = Job { config, cx, update: &mut update, history: &mut history };
        let state = match (moved, input) {
            (Some(moved), _) => state.moved(moved, keeping, &mut job),
            (None, Input::User(intent)) => state.intended(intent, &mut job),
            (None, Input::Acked(token, _)) if job.history.takes_reply(token) => state,
            (None, input) => state.handle(input, &mut job),
        };
        Self { update, history, state }
    }

    fn expired(self, config: &Config, timer: Timer, cx: &mut Cx<'_>) -> Self {
        let Self { mut update, mut history, state } = self;
        let mut job = Job { config, cx, update: &mut update, history: &mut history };
        let state = if timer == Timer::Update {
            let moved = job.update.expired(job.cx);
            state.moved(moved, None, &mut job)
        } else {
            state.expired(timer, &mut job)
        };
        Self { update, history, state }
    }

    fn supports(_: &Intent) -> bool {
        false
    }
}

impl History {
    /// Whether `token` is of an answer that we sent.
    fn takes_reply(&mut self, token: Token) -> bool {
        match self.replies.iter().position(|&reply| reply == token) {
            Some(at) => {
                self.replies.swap_remove(at);
                true
            }
            None => false,
        }
    }
}

impl State {
    fn handle(self, input: Input, job: &mut Job<'_, '_>) -> Self {
        match self {
            Self::RegisterConnecting(step) => step.handle(input, job),
            Self::RegisterSubscribing(step) => step.handle(input, job),
            Self::Asking(step) => step.handle(input, job),
            Self::Storing(step) => step.handle(input, job),
            Self::StoringOffline(step) => step.handle(input, job),
            Self::Confirming(step) => step.handle(input, job),
            Self::Leaving(step) => step.handle(input, job),
            Self::LoggingIn(step) => step.handle(input, job),
            Self::Proving(step) => step.handle(input, job),
            Self::Subscribing(step) => step.handle(input, job),
            Self::Online(step) => step.handle(input, job),
            Self::Forgetting(step) => step.handle(input, job),
            Self::Resting(_) | Self::Stopped(_) => {
                job.stray(&input);
                self
            }
        }
    }

    fn expired(self, timer: Timer, job: &mut Job<'_, '_>) -> Self {
        match self {
            Self::RegisterConnecting(step) => step.expired(job),
            Self::RegisterSubscribing(step) => step.expired(job),
            Self::Asking(step) => step.expired(timer, job),
            Self::Confirming(step) => step.expired(timer, job),
            Self::Leaving(step) => step.expired(job),
            Self::LoggingIn(step) => step.expired(job),
            Self::Subscribing(step) => step.expired(job),
            Self::Online(step) => step.expired(timer, job),
            Self::Resting(resting) => job.begin(resting.next),
            // The host's own storage has no time limit here, and a person even less.
            Self::Storing(_)
            | Self::StoringOffline(_)
            | Self::Proving(_)
            | Self::Stopped(_)
            | Self::Forgetting(_) => self,
        }
    }

    /// The firmware update moved on.
    fn moved(self, moved: Moved, kept: Option<String>, job: &mut Job<'_, '_>) -> Self {
        let session = matches!(self, Self::Proving(_) | Self::Subscribing(_) | Self::Online(_));
        match (moved, kept) {
            // Without a session the platform sends the order again after the next login, and is answered then.
            (Moved::Accepted, Some(id)) if session => job.answer(&id, wire::OK),
            (Moved::NotKept, Some(id)) if session => job.answer_refused(&id),
            (Moved::Ended, _) => {
                if let Self::Online(online) = self {
                    return Self::Online(online.report(job));
                }
            }
            // The protocol has no word for progress.
            _ => {}
        }
        self
    }

    fn intended(self, intent: Intent, job: &mut Job<'_, '_>) -> Self {
        match (intent, self) {
            (Intent::TryAgain, Self::Stopped(Stopped { next })) => {
                *job.history = History {
                    backoff: Backoff::login(),
                    failed_registrations: 0,
                    replies: Vec::new(),
                };
                job.begin(next)
            }
            (Intent::TryAgain, Self::Resting(Resting { next })) => job.begin(next),
            (Intent::Report, Self::Online(online)) => Self::Online(online.report(job)),
            (Intent::RegisterAgain, state) => {
                if job.config.device_secret.is_some() {
                    // The settings would beat whatever we stored at the next start.
                    job.cx.event(Event::Warning { warning: Warning::SecretConfigured });
                    return state;
                }
                if let Some(connection) = state.connection() {
                    job.cx.close(connection);
                }
                job.history.failed_registrations = 0;
                job.forget()
            }
            (_, state) => state,
        }
    }

    /// The connection that is open or being opened.
    fn connection(&self) -> Option<Token> {
        Some(match self {
            Self::RegisterConnecting(step) => step.connection,
            Self::RegisterSubscribing(step) => step.connection,
            Self::Asking(step) => step.connection,
            Self::Storing(step) => step.connection,
            Self::Confirming(step) => step.connection,
            Self::Leaving(step) => step.connection,
            Self::LoggingIn(step) => step.connection,
            Self::Proving(step) => step.connection,
            Self::Subscribing(step) => step.connection,
            Self::Online(step) => step.connection,
            Self::StoringOffline(_) | Self::Resting(_) | Self::Stopped(_) | Self::Forgetting(_) => {
                return None;
            }
        })
    }
}

impl ExpectErased {
    fn handle(self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Stored(token, Outcome::Done) if token == self.token => job.register(Goal::Ask),
            Input::Stored(token, Outcome::Failed(failure)) if token == self.token => {
                job.stop(Next::Forget, Error::Local { failure }, Advice::CheckStorage)
            }
            input => {
                job.stray(&input);
                State::Forgetting(self)
            }
        }
    }
}

/// What every step may use.
struct Job<'a, 'c> {
    config: &'a Config,
    cx: &'a mut Cx<'c>,
    update: &'a mut Updater,
    history: &'a mut History,
}

impl Job<'_, '_> {
    fn begin(&mut self, next: Next) -> State {
        match next {
            Next::Register(goal) => self.register(goal),
            Next::Login(credential) => self.login(credential),
            Next::Forget => self.forget(),
        }
    }

    fn forget(&mut self) -> State {
        self.quiet();
        self.cx.step(Step::EraseSecret);
        State::Forgetting(ExpectErased { token: self.cx.erase(StoreKey::Credential) })
    }

    /// Connects with `password`; [`Timer::Reply`] runs.
    fn connect(&mut self, password: Secret) -> Token {
        self.quiet();
        let connection = self.cx.connect(Connect {
            url: self.config.broker.clone(),
            client_id: self.config.product_id.clone(),
            username: self.config.device_id.clone(),
            password,
            keep_alive: self.config.keep_alive,
        });
        self.await_reply();
        connection
    }

    fn await_reply(&mut self) {
        self.cx.after(Timer::Reply, self.config.reply_timeout);
    }

    /// Stops what belongs to a connection; the update's timer runs on.
    fn quiet(&mut self) {
        for timer in [Timer::Reply, Timer::Retry, Timer::Heartbeat] {
            self.cx.stop(timer);
        }
        self.history.replies.clear();
    }

    /// Counts a failure, says so, and sets [`Timer::Retry`].
    fn back_off(&mut self, error: Error) {
        self.cx.retrying(Timer::Retry, error, &mut self.history.backoff);
    }

    /// Goes on with `next` after a back-off. The connection is closed already.
    fn rest(&mut self, next: Next, error: Error) -> State {
        self.quiet();
        self.back_off(error);
        State::Resting(Resting { next })
    }

    /// Goes on with `next` when a person says so. The connection is closed already.
    fn stop(&mut self, next: Next, error: Error, advice: Advice) -> State {
        self.quiet();
        self.cx.event(Event::Stopped { error, advice });
        State::Stopped(Stopped { next })
    }

    fn warn(&mut self, error: impl Into<Error>) {
        self.cx.event(Event::Warning { warning: Warning::Ignored { error: error.into() } });
    }

    fn stray(&mut self, input: &Input) {
        // We closed it, and waited for no answer.
        if !matches!(input, Input::Closed(_, Closed::Requested)) {
            self.cx.stray();
        }
    }

    /// Answers an order.
    fn answer(&mut self, id: &str, back: &str) {
        let topic = self.config.topics.ota_post.clone();
        let token = self.cx.publish(topic, QoS::AtLeastOnce, wire::back(id, back));
        if self.history.replies.len() == MAX_REPLIES {
            self.history.replies.remove(0);
        }
        self.history.replies.push(token);
    }

    fn answer_refused(&mut self, id: &str) {
        let config = self.config;
        self.answer(id, &config.assumed.refused);
    }
}

/// Why a connection is gone, as an error to show.
fn why(closed: Closed) -> Error {
    match closed {
        Closed::Refused(code) => Rejected::Connack { code }.into(),
        Closed::Failed(failure) => failure.into(),
        Closed::Requested => PeerMisbehaved::ClosedEarly.into(),
    }
}

/// The credential after one more refused login.
fn refused_once_more(credential: Credential) -> (Credential, u32) {
    let Credential { secret, standing } = credential;
    match standing {
        Standing::Unproven { id, refusals } => {
            let refusals = refusals.saturating_add(1);
            (Credential { secret, standing: Standing::Unproven { id, refusals } }, refusals)
        }
        standing => (Credential { secret, standing }, 0),
    }
}

/// The `ID` of a new registration.
fn fresh_id(cx: &mut Cx<'_>) -> String {
    cx.rng().hex::<8>()
}
