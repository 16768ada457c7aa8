//! The device's side: one struct a step, from the first connection to the session that stays.
//!
//! [`register`] holds the steps up to a stored secret, [`session`] those after it, [`ota`] and [`property`] what
//! travels in a session. [`Life`] is all of them; a [`Plan`] is what a device that has no connection does next.

mod credential;
mod ota;
mod property;
mod register;
mod session;

use core::time::Duration;

use crate::cbor::{Decode, Encode};

use super::Config;
use crate::agent::{Cx, Stored};
use crate::backoff::Backoff;
use crate::error::{ApiMisuse, Error, Failure, LocalFailure};
use crate::input::{Closed, Input, Intent, Outcome};
use crate::output::{Advice, Event, Step, StoreKey, Token, Warning};
use crate::platform::Device;
use crate::platform::update::{Moved, Updater};
use crate::secret::Secret;
use crate::settings::problem;
use crate::time::Timer;

use credential::Credential;
use property::Posts;
use register::{ExpectPreAuth, ExpectReplyTopic, ExpectSecret, ExpectStored, Registration};
use session::{ExpectAnnounced, ExpectLoggedIn, ExpectSubscribed, Online};

/// Longer than a reply may take: TLS over a slow radio does.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// One device.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Flow {
    #[n(0)]
    life: Life,
    #[n(1)]
    updater: Updater,
    #[n(2)]
    progress: ota::ProgressReports,
    #[n(3)]
    posts: Posts,
}

/// Where it stands.
#[derive(Debug, Encode, Decode)]
enum Life {
    #[n(0)]
    ExpectPreAuth(#[n(0)] ExpectPreAuth),
    #[n(1)]
    ExpectReplyTopic(#[n(0)] ExpectReplyTopic),
    #[n(2)]
    ExpectSecret(#[n(0)] ExpectSecret),
    #[n(3)]
    ExpectStored(#[n(0)] ExpectStored),
    #[n(4)]
    ExpectErased(#[n(0)] ExpectErased),
    #[n(5)]
    ExpectLeft(#[n(0)] ExpectLeft),
    #[n(6)]
    ExpectRetry(#[n(0)] ExpectRetry),
    #[n(7)]
    ExpectLoggedIn(#[n(0)] ExpectLoggedIn),
    #[n(8)]
    ExpectSubscribed(#[n(0)] ExpectSubscribed),
    #[n(9)]
    ExpectAnnounced(#[n(0)] ExpectAnnounced),
    #[n(10)]
    Online(#[n(0)] Online),
    #[n(11)]
    Stopped(#[n(0)] Stopped),
}

/// What a device without a connection does next.
#[derive(Debug, Encode, Decode)]
enum Plan {
    /// Ask the cloud for a secret.
    #[n(0)]
    Register(#[n(0)] Registration),
    /// Put the secret that the cloud gave on stable storage.
    #[n(1)]
    Store(#[n(0)] Secret),
    /// Log in with the device's own secret.
    #[n(2)]
    Login(#[n(0)] Login),
    /// Forget the secret, then register, as a person asked.
    #[n(3)]
    Erase,
}

/// A login to be made, and how the ones before it went.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Login {
    #[n(0)]
    secret: Secret,
    #[n(1)]
    backoff: Backoff,
}

impl Login {
    fn new(secret: Secret) -> Self {
        Self { secret, backoff: Backoff::login() }
    }
}

/// What a step may use beside its own state.
#[derive(Debug)]
struct Env<'a, 'b> {
    config: &'a Config,
    updater: &'a mut Updater,
    progress: &'a mut ota::ProgressReports,
    posts: &'a mut Posts,
    cx: &'a mut Cx<'b>,
}

impl Env<'_, '_> {
    fn reply_timeout(&self) -> Duration {
        Duration::from_millis(self.config.reply_timeout_ms)
    }

    fn ignored(&mut self, error: impl Into<Error>) {
        self.cx.event(Event::Warning { warning: Warning::Ignored { error: error.into() } });
    }

    fn retrying(&mut self, error: Error, backoff: &mut Backoff) {
        self.cx.retrying(Timer::Retry, error, backoff);
    }

    fn stop_timers(&mut self) {
        // Timer::Update is the updater's: a download goes on whatever happens to the connection.
        self.cx.stop(Timer::Reply);
        self.cx.stop(Timer::Retry);
    }

    /// Ends in a state that only a person can leave.
    fn stop(&mut self, error: impl Into<Error>, advice: Advice, plan: Plan) -> Life {
        self.stop_timers();
        self.cx.event(Event::Stopped { error: error.into(), advice });
        Life::Stopped(Stopped { plan })
    }
}

impl Plan {
    /// Sets out on it.
    fn begin(self, env: &mut Env<'_, '_>) -> Life {
        env.stop_timers();
        match self {
            Self::Register(registration) => register::connect(registration, env),
            Self::Store(secret) => register::store(secret, Link::Gone, env),
            Self::Login(login) => session::connect(login, env),
            Self::Erase => erase(Link::Gone, env),
        }
    }

    /// Sets out on it after a while.
    fn later(mut self, error: impl Into<Error>, env: &mut Env<'_, '_>) -> Life {
        env.stop_timers();
        let mut one_shot = Backoff::login();
        let backoff = match &mut self {
            Self::Register(registration) => &mut registration.backoff,
            Self::Login(login) => &mut login.backoff,
            Self::Store(_) | Self::Erase => &mut one_shot,
        };
        env.retrying(error.into(), backoff);
        Life::ExpectRetry(ExpectRetry { plan: self })
    }

    /// As if nothing had failed before.
    fn fresh(self) -> Self {
        match self {
            Self::Register(registration) => Self::Register(registration.fresh()),
            Self::Login(login) => Self::Login(Login::new(login.secret)),
            other => other,
        }
    }
}

/// A connection that may have gone while something else was awaited.
#[derive(Clone, Copy, Debug, Encode, Decode)]
enum Link {
    #[n(0)]
    Open(#[n(0)] Token),
    #[n(1)]
    Gone,
}

impl Link {
    /// Whether this input says that the connection is gone.
    fn lost(self, input: &Input) -> bool {
        matches!((self, input), (Link::Open(connection), Input::Closed(t, _)) if *t == connection)
    }
}

/// The stored credential is being erased.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct ExpectErased {
    #[n(0)]
    erase: Token,
    #[n(1)]
    link: Link,
}

fn erase(link: Link, env: &mut Env<'_, '_>) -> Life {
    env.cx.step(Step::EraseSecret);
    let erase = env.cx.erase(StoreKey::Credential);
    Life::ExpectErased(ExpectErased { erase, link })
}

impl ExpectErased {
    fn handle(mut self, input: Input, env: &mut Env<'_, '_>) -> Life {
        if self.link.lost(&input) {
            self.link = Link::Gone;
            return Life::ExpectErased(self);
        }
        match input {
            Input::Stored(t, Outcome::Done) if t == self.erase => {
                leave(self.link, Plan::Register(Registration::again()), env)
            }
            Input::Stored(t, Outcome::Failed(failure)) if t == self.erase => {
                env.stop(Error::Local { failure }, Advice::CheckStorage, Plan::Erase)
            }
            _ => {
                env.cx.stray();
                Life::ExpectErased(self)
            }
        }
    }
}

/// Goes on with `plan` once the connection, which was told to close, is gone.
fn leave(link: Link, plan: Plan, env: &mut Env<'_, '_>) -> Life {
    match link {
        Link::Gone => plan.begin(env),
        Link::Open(connection) => {
            // A host that forgets to say so must not hold the device for ever.
            env.cx.after(Timer::Reply, env.reply_timeout());
            Life::ExpectLeft(ExpectLeft { connection, plan })
        }
    }
}

/// The connection was told to close.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct ExpectLeft {
    #[n(0)]
    connection: Token,
    #[n(1)]
    plan: Plan,
}

impl ExpectLeft {
    fn handle(self, input: Input, env: &mut Env<'_, '_>) -> Life {
        match input {
            Input::Closed(t, _) if t == self.connection => self.plan.begin(env),
            // Duplicates of what was answered already may still arrive.
            Input::Message(_) => Life::ExpectLeft(self),
            _ => {
                env.cx.stray();
                Life::ExpectLeft(self)
            }
        }
    }

    fn expired(self, timer: Timer, env: &mut Env<'_, '_>) -> Life {
        match timer {
            Timer::Reply => self.plan.begin(env),
            _ => Life::ExpectLeft(self),
        }
    }
}

/// Waiting to try again, without a connection.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct ExpectRetry {
    #[n(0)]
    plan: Plan,
}

/// Waiting for a person.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Stopped {
    #[n(0)]
    plan: Plan,
}

impl Life {
    fn handle(self, input: Input, env: &mut Env<'_, '_>) -> Life {
        match self {
            Self::ExpectPreAuth(step) => step.handle(input, env),
            Self::ExpectReplyTopic(step) => step.handle(input, env),
            Self::ExpectSecret(step) => step.handle(input, env),
            Self::ExpectStored(step) => step.handle(input, env),
            Self::ExpectErased(step) => step.handle(input, env),
            Self::ExpectLeft(step) => step.handle(input, env),
            Self::ExpectLoggedIn(step) => step.handle(input, env),
            Self::ExpectSubscribed(step) => step.handle(input, env),
            Self::ExpectAnnounced(step) => step.handle(input, env),
            Self::Online(step) => step.handle(input, env),
            waiting @ (Self::ExpectRetry(_) | Self::Stopped(_)) => {
                env.cx.stray();
                waiting
            }
        }
    }

    fn expired(self, timer: Timer, env: &mut Env<'_, '_>) -> Life {
        match self {
            Self::ExpectPreAuth(step) => step.expired(timer, env),
            Self::ExpectReplyTopic(step) => step.expired(timer, env),
            Self::ExpectSecret(step) => step.expired(timer, env),
            Self::ExpectLeft(step) => step.expired(timer, env),
            Self::ExpectRetry(step) if timer == Timer::Retry => step.plan.begin(env),
            Self::ExpectLoggedIn(step) => step.expired(timer, env),
            Self::ExpectSubscribed(step) => step.expired(timer, env),
            Self::ExpectAnnounced(step) => step.expired(timer, env),
            Self::Online(step) => step.expired(timer, env),
            other => other,
        }
    }

    /// A person wants to go on at once.
    fn try_again(self, env: &mut Env<'_, '_>) -> Life {
        match self {
            Self::Stopped(Stopped { plan }) | Self::ExpectRetry(ExpectRetry { plan }) => {
                plan.fresh().begin(env)
            }
            // Between two tries of a request: the wait is over.
            Self::ExpectReplyTopic(step) => step.expired(Timer::Retry, env),
            Self::ExpectSecret(step) => step.expired(Timer::Retry, env),
            Self::ExpectSubscribed(step) => step.expired(Timer::Retry, env),
            Self::ExpectAnnounced(step) => step.expired(Timer::Retry, env),
            other => other,
        }
    }

    /// Forget the credential, then register: a person decided so.
    fn register_again(self, env: &mut Env<'_, '_>) -> Life {
        if env.config.product_secret.is_none() {
            env.ignored(Error::Local {
                failure: LocalFailure::MissingSetting("product_secret".into()),
            });
            return self;
        }
        env.stop_timers();
        let link = self.link();
        if let (Link::Open(connection), false) =
            (link, matches!(self, Self::ExpectLeft(_) | Self::ExpectErased(_)))
        {
            env.cx.close(connection);
        }
        erase(link, env)
    }

    fn link(&self) -> Link {
        match self {
            Self::ExpectPreAuth(step) => Link::Open(step.connection),
            Self::ExpectReplyTopic(step) => Link::Open(step.connection),
            Self::ExpectSecret(step) => Link::Open(step.connection),
            Self::ExpectStored(step) => step.link,
            Self::ExpectErased(step) => step.link,
            Self::ExpectLeft(step) => Link::Open(step.connection),
            Self::ExpectLoggedIn(step) => Link::Open(step.connection),
            Self::ExpectSubscribed(step) => Link::Open(step.session.connection),
            Self::ExpectAnnounced(step) => Link::Open(step.session.connection),
            Self::Online(step) => Link::Open(step.session.connection),
            Self::ExpectRetry(_) | Self::Stopped(_) => Link::Gone,
        }
    }

    /// Whether what the device publishes now may reach the cloud as one of its own devices.
    fn may_publish(&self) -> bool {
        matches!(self, Self::ExpectAnnounced(_) | Self::Online(_))
    }

    /// The update moved on: the cloud has to hear of it.
    fn moved(self, moved: Moved, env: &mut Env<'_, '_>) -> Life {
        if self.may_publish() {
            env.progress.report(&moved, env.updater, env.config, env.cx);
        }
        match (self, moved) {
            (Self::Online(step), Moved::Ended) => Life::Online(step.report_ending(env)),
            (life, _) => life,
        }
    }
}

impl Flow {
    fn with(
        self,
        config: &Config,
        cx: &mut Cx<'_>,
        step: impl FnOnce(Life, &mut Env<'_, '_>) -> Life,
    ) -> Self {
        let Self { life, mut updater, mut progress, mut posts } = self;
        let mut env =
            Env { config, updater: &mut updater, progress: &mut progress, posts: &mut posts, cx };
        let life = step(life, &mut env);
        Self { life, updater, progress, posts }
    }

    fn intent(mut self, config: &Config, intent: Intent, cx: &mut Cx<'_>) -> Self {
        if let Intent::PostProperties { json } = &intent
            && let Err(error) = self.posts.add(json)
        {
            cx.event(Event::Warning { warning: Warning::Ignored { error: error.into() } });
        }
        self.with(config, cx, |life, env| match (intent, life) {
            (Intent::TryAgain, life) => life.try_again(env),
            (Intent::RegisterAgain, life) => life.register_again(env),
            (Intent::Report, Life::Online(step)) => Life::Online(step.report_version(env)),
            (Intent::RequestFirmware, Life::Online(step)) => {
                Life::Online(step.request_firmware(env))
            }
            (Intent::PostProperties { .. }, Life::Online(step)) => Life::Online(step.post(env)),
            // The login that comes does all of these.
            (_, life) => life,
        })
    }
}

impl Device for Flow {
    type Config = Config;

    fn start(config: &Config, stored: &Stored, cx: &mut Cx<'_>) -> Result<Self, ApiMisuse> {
        let plan = match Credential::in_use(config, stored)? {
            Some(secret) => Plan::Login(Login::new(secret)),
            None if config.product_secret.is_some() => Plan::Register(Registration::first()),
            None => {
                let missing = "is missing: without a device_secret, and with nothing stored, \
                               only the product's secret can register this device";
                return Err(problem("product_secret", missing).into());
            }
        };
        let mut updater = Updater::start(&config.firmware_version, stored)?;
        let mut progress = ota::ProgressReports::default();
        let mut posts = Posts::default();
        let mut env =
            Env { config, updater: &mut updater, progress: &mut progress, posts: &mut posts, cx };
        let life = plan.begin(&mut env);
        Ok(Self { life, updater, progress, posts })
    }

    fn handle(mut self, config: &Config, input: Input, cx: &mut Cx<'_>) -> Self {
        if let Some(moved) = self.updater.handle(&input, cx) {
            return self.with(config, cx, |life, env| life.moved(moved, env));
        }
        match input {
            Input::User(intent) => self.intent(config, intent, cx),
            input => self.with(config, cx, |life, env| life.handle(input, env)),
        }
    }

    fn expired(mut self, config: &Config, timer: Timer, cx: &mut Cx<'_>) -> Self {
        if timer == Timer::Update {
            let moved = self.updater.expired(cx);
            return self.with(config, cx, |life, env| life.moved(moved, env));
        }
        self.with(config, cx, |life, env| life.expired(timer, env))
    }

    fn supports(intent: &Intent) -> bool {
        matches!(intent, Intent::PostProperties { .. } | Intent::RequestFirmware)
    }
}

/// Why a connection that was open is not any more.
fn failure(closed: &Closed) -> Failure {
    match closed {
        Closed::Failed(failure) => failure.clone(),
        // A CONNACK after CONNACK 0, or a close that nobody asked for: the session is gone either way.
        Closed::Refused(_) | Closed::Requested => Failure::Lost,
    }
}
