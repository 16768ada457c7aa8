//! The device's side.
//!
//! ```text
//! registration   HTTP:  ExpectAnswer ──────────────────────────┐
//!                MQTT:  ExpectRegistrationSession → ExpectSecret┴→ ExpectStored → (ExpectLeft)
//! session        ExpectLogin → ExpectSubscribed → ExpectVersionReported → ExpectTokenReported → Online
//! ```
//!
//! A device with a stored (or configured) secret begins at `ExpectLogin`. Every failure of a session leads to
//! `LoginPause`, of a registration to `RegistrationPause` and, with an end, to `Stopped`. A refused secret leads to
//! `Stopped` at once.
//!
//! Deliberately absent: sub-devices of a gateway (the gateway hears of permits and topology, and its own firmware has
//! to act), the closing of a permit by time, packages of several files, firmware through MQTT, the LAN's discovery.

mod binder;
mod credential;
mod downlink;
mod online;
mod register;
mod session;

use alloc::boxed::Box;

use crate::cbor::{Decode, Encode};

use self::credential::Credential;
use self::online::Online;
use self::register::{
    ExpectAnswer, ExpectErased, ExpectLeft, ExpectRegistrationSession, ExpectSecret, ExpectStored,
    Leave, RegistrationPause,
};
use self::session::{
    ExpectLogin, ExpectSubscribed, ExpectTokenReported, ExpectVersionReported, Login, LoginPause,
};
use super::Config;
use super::config::Origin;
use crate::agent::{Cx, Stored};
use crate::error::{ApiMisuse, Error};
use crate::input::{Input, Intent};
use crate::output::{Advice, Event, StoreKey, Token, Warning};
use crate::platform::Device;
use crate::platform::update::{Moved, Updater};
use crate::time::Timer;

/// A running device.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Flow {
    #[n(0)]
    state: State,
    #[n(1)]
    shared: Box<Shared>,
}

/// What outlives steps and sessions.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Shared {
    #[n(0)]
    updater: Updater,
    #[n(1)]
    next_id: u32,
    /// A person asked for a bind token while there was no session.
    #[n(2)]
    token_wanted: bool,
}

impl Shared {
    /// The number of the next message. The vendor wants it unique for the device, which a counter is as long as nothing
    /// is cut; the cloud only uses it to answer.
    fn id(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1).max(1);
        id
    }
}

#[derive(Debug, Encode, Decode)]
enum State {
    #[n(0)]
    Asking(#[n(0)] ExpectAnswer),
    #[n(1)]
    Knocking(#[n(0)] ExpectRegistrationSession),
    #[n(2)]
    Listening(#[n(0)] ExpectSecret),
    #[n(3)]
    Pausing(#[n(0)] RegistrationPause),
    #[n(4)]
    Storing(#[n(0)] ExpectStored),
    #[n(5)]
    Leaving(#[n(0)] ExpectLeft),
    #[n(6)]
    Erasing(#[n(0)] ExpectErased),
    #[n(7)]
    Connecting(#[n(0)] ExpectLogin),
    #[n(8)]
    Waiting(#[n(0)] LoginPause),
    #[n(9)]
    Subscribing(#[n(0)] ExpectSubscribed),
    #[n(10)]
    Reporting(#[n(0)] ExpectVersionReported),
    #[n(11)]
    Matching(#[n(0)] ExpectTokenReported),
    #[n(12)]
    Online(#[n(0)] Box<Online>),
    #[n(13)]
    Stopped(#[n(0)] Stopped),
}

/// Only a person can decide how to go on.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Stopped {
    #[n(0)]
    resume: Resume,
}

/// Where "try again" goes on.
#[derive(Debug, Encode, Decode)]
enum Resume {
    #[n(0)]
    Register,
    /// The secret that could not be stored; it is nowhere else.
    #[n(1)]
    Store(#[n(0)] Box<Login>),
    #[n(2)]
    Login(#[n(0)] Box<Login>),
    #[n(3)]
    Erase,
}

fn stop(error: Error, advice: Advice, resume: Resume, cx: &mut Cx<'_>) -> State {
    cx.event(Event::Stopped { error, advice });
    State::Stopped(Stopped { resume })
}

impl Stopped {
    fn go_on(self, config: &Config, cx: &mut Cx<'_>) -> State {
        match self.resume {
            Resume::Register => register::begin(config, cx),
            Resume::Store(login) => register::store(config, login, Leave::Nothing, cx),
            Resume::Login(login) => session::login(config, Login::new(login.credential), cx),
            Resume::Erase => register::erase(cx),
        }
    }
}

impl Device for Flow {
    type Config = Config;

    fn start(config: &Config, stored: &Stored, cx: &mut Cx<'_>) -> Result<Self, ApiMisuse> {
        let updater = Updater::start(&config.firmware_version, stored)?;
        let shared = Box::new(Shared { updater, next_id: 1, token_wanted: false });
        let kept = stored.get(StoreKey::Credential);
        let kept = kept.map(|bytes| Credential::read(bytes, config)).transpose()?;
        let state = match (&config.origin, kept) {
            (Origin::Registration(_), Some(credential)) => {
                session::login(config, Login::new(credential), cx)
            }
            _ => register::begin(config, cx),
        };
        Ok(Self { state, shared })
    }

    fn handle(mut self, config: &Config, input: Input, cx: &mut Cx<'_>) -> Self {
        if let Input::User(intent) = input {
            return self.intent(config, intent, cx);
        }
        if let Some(moved) = self.shared.updater.handle(&input, cx) {
            self.moved(config, moved, cx);
            return self;
        }
        let (shared, input) = (&mut self.shared, &input);
        let state = match self.state {
            State::Asking(step) => step.handle(config, input, cx),
            State::Knocking(step) => step.handle(config, input, cx),
            State::Listening(step) => step.handle(config, input, cx),
            State::Storing(step) => step.handle(config, input, cx),
            State::Leaving(step) => step.handle(config, input, cx),
            State::Erasing(step) => step.handle(config, input, cx),
            State::Connecting(step) => step.handle(config, input, cx),
            State::Subscribing(step) => step.handle(config, input, shared, cx),
            State::Reporting(step) => step.handle(config, input, shared, cx),
            State::Matching(step) => step.handle(config, input, shared, cx),
            State::Online(step) => step.handle(config, input, shared, cx),
            waiting @ (State::Pausing(_) | State::Waiting(_) | State::Stopped(_)) => {
                session::stray(input, cx);
                waiting
            }
        };
        Self { state, shared: self.shared }
    }

    fn expired(mut self, config: &Config, timer: Timer, cx: &mut Cx<'_>) -> Self {
        if timer == Timer::Update {
            let moved = self.shared.updater.expired(cx);
            self.moved(config, moved, cx);
            return self;
        }
        let state = match (timer, self.state) {
            (Timer::Reply, State::Asking(step)) => step.late(config, cx),
            (Timer::Reply, State::Knocking(step)) => step.late(config, cx),
            (Timer::Reply, State::Listening(step)) => step.late(config, cx),
            (Timer::Reply, State::Leaving(step)) => step.left(config, cx),
            (Timer::Reply, State::Connecting(step)) => step.late(cx),
            (Timer::Reply, State::Subscribing(step)) => step.late(cx),
            (Timer::Reply, State::Reporting(step)) => step.late(cx),
            (Timer::Reply, State::Online(step)) => step.late(cx),
            (Timer::Retry, State::Pausing(step)) => step.over(config, cx),
            (Timer::Retry, State::Waiting(step)) => step.over(config, cx),
            (Timer::Token, State::Matching(step)) => step.expired(config, &mut self.shared, cx),
            (Timer::Token, State::Online(step)) => step.token_expired(config, cx),
            (_, state) => state,
        };
        Self { state, shared: self.shared }
    }

    fn supports(intent: &Intent) -> bool {
        matches!(intent, Intent::NewBindToken | Intent::PostProperties { .. })
    }
}

impl Flow {
    fn intent(self, config: &Config, intent: Intent, cx: &mut Cx<'_>) -> Self {
        let Self { state, mut shared } = self;
        let state = match (intent, state) {
            (Intent::TryAgain, State::Pausing(step)) => step.over(config, cx),
            (Intent::TryAgain, State::Waiting(step)) => step.over(config, cx),
            (Intent::TryAgain, State::Stopped(step)) => step.go_on(config, cx),
            (Intent::RegisterAgain, state) if matches!(config.origin, Origin::Configured(_)) => {
                cx.event(Event::Warning { warning: Warning::SecretConfigured });
                state
            }
            (Intent::RegisterAgain, state) => {
                if let Some(connection) = state.connection() {
                    cx.close(connection);
                }
                for timer in [Timer::Reply, Timer::Retry, Timer::Token] {
                    cx.stop(timer);
                }
                register::erase(cx)
            }
            (Intent::Report, State::Online(mut online)) => {
                online.report_version(config, &mut shared, cx);
                State::Online(online)
            }
            (Intent::NewBindToken, State::Online(mut online)) => {
                online.session.begin_binding(config, &mut shared, cx);
                State::Online(online)
            }
            (Intent::NewBindToken, State::Matching(step)) => step.anew(config, &mut shared, cx),
            (Intent::NewBindToken, state) => {
                shared.token_wanted = true;
                state
            }
            (Intent::PostProperties { json }, State::Online(mut online)) => {
                online.post(config, &json, &mut shared, cx);
                State::Online(online)
            }
            (Intent::PostProperties { .. }, state) => {
                online::not_online(cx);
                state
            }
            (_, state) => state,
        };
        Self { state, shared }
    }

    /// Without a session the ending waits for the next login, and progress is nobody's business.
    fn moved(&mut self, config: &Config, moved: Moved, cx: &mut Cx<'_>) {
        if let State::Online(online) = &mut self.state {
            online.moved(config, moved, &mut self.shared, cx);
        }
    }
}

impl State {
    fn connection(&self) -> Option<Token> {
        match self {
            State::Asking(_)
            | State::Pausing(_)
            | State::Erasing(_)
            | State::Waiting(_)
            | State::Stopped(_)
            // Closed already.
            | State::Leaving(_) => None,
            State::Knocking(step) => Some(step.connection),
            State::Listening(step) => Some(step.connection),
            State::Storing(step) => step.connection(),
            State::Connecting(step) => Some(step.connection),
            State::Subscribing(step) => Some(step.session.connection),
            State::Reporting(step) => Some(step.session.connection),
            State::Matching(step) => Some(step.session.connection),
            State::Online(step) => Some(step.session.connection),
        }
    }
}
