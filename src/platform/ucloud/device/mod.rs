//! The device's side, from the first connection to the session that stays.
//!
//! [`register`] holds the steps up to a stored secret, [`session`] those after it, [`ota`] and [`property`] what
//! travels in a session. A [`Plan`] is what a device that has no connection does next.
//!
//! A step is one word here, and what the steps work with lies beside it in [`Flow`]: structs of their own, which hand
//! their secret and their connection on to the next one, were many kilobytes more of the plugin.

mod credential;
mod ota;
mod property;
mod register;
mod session;

use alloc::string::String;
use alloc::vec::Vec;

use crate::snapshot::Kept;

use super::Config;
use crate::agent::{Cx, Stored};
use crate::backoff::Backoff;
use crate::error::{Error, Failure, LocalFailure};
use crate::input::{Ack, Closed, Input, Intent, Message, Outcome};
use crate::output::{Advice, Event, Step, StoreKey, Token, Warning};
use crate::platform::Device;
use crate::platform::update::{Moved, Updater};
use crate::secret::Secret;
use crate::settings::problem;
use crate::time::{Instant, Millis, Timer};

use credential::Credential;
use property::{Posting, Posts};
use session::{Kind, Sent};

/// Longer than a reply may take: TLS over a slow radio does.
const CONNECT_TIMEOUT: Millis = Millis::of_secs(30);

/// One device.
#[derive(Debug, Default, Kept)]
pub(crate) struct Flow {
    updater: Updater,
    progress: ota::ProgressReports,
    posts: Posts,
    life: Life,
    /// After [`Life::Leaving`], [`Life::Retrying`] and [`Life::Stopped`].
    plan: Plan,
    /// The connection that is open or being opened, or was told to close and is not gone yet.
    connection: Option<Token>,
    /// The device's own, once the cloud has given it.
    secret: Secret,
    /// Of registrations.
    registering: Backoff,
    /// How often the connection broke between CONNACK and the secret.
    broken: u32,
    /// A person had the credential erased for this registration.
    again: bool,
    /// Of logins.
    logging_in: Backoff,
    /// Of requests in a session.
    asks: Backoff,
    /// How often the step has asked.
    asked: u32,
    /// Of the request for the secret: the same for every try in a session, so that a late reply counts.
    request_id: String,
    /// Storing or erasing, under way.
    store: Token,
    /// What was sent and has to be acknowledged.
    sent: Vec<Sent>,
    posting: Option<Posting>,
    next_request: u32,
    /// When the session that stays began.
    since: Instant,
}

/// What is awaited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Kept)]
enum Life {
    /// CONNACK of the pre-authentication.
    PreAuth,
    /// SUBACK for where the secret will come.
    ReplyTopic,
    /// The reply with the secret.
    AwaitSecret,
    /// The secret on stable storage. Nothing was done with it so far.
    Storing,
    /// The stored credential is being erased.
    Erasing,
    /// The connection was told to close.
    Leaving,
    /// The time to try again, without a connection.
    Retrying,
    /// CONNACK of the login.
    LoggingIn,
    /// SUBACK for every topic.
    Subscribing,
    /// The acknowledgements of what was announced after the login: what runs, how the last update ended, and whether
    /// there is another one.
    Announcing,
    /// The session stays.
    Online,
    /// A person.
    #[default]
    Stopped,
}

/// What a device without a connection does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Kept)]
enum Plan {
    /// Ask the cloud for a secret.
    #[default]
    Register,
    /// Put the secret that the cloud gave on stable storage.
    Store,
    /// Log in with the device's own secret.
    Login,
    /// Forget the secret, then register, as a person asked.
    Erase,
}

impl Device for Flow {
    type Config = Config;

    fn start(&mut self, config: &Config, stored: &Stored, cx: &mut Cx<'_>) {
        match Credential::in_use(config, stored, cx) {
            Some(secret) => {
                self.secret = secret;
                self.plan = Plan::Login;
            }
            None if config.product_secret.is_some() => self.plan = Plan::Register,
            None => {
                let missing = "is missing: without a device_secret, and with nothing stored, \
                               only the product's secret can register this device";
                cx.misuse(problem("product_secret", missing));
            }
        }
        self.updater.start(&config.firmware_version, stored, cx);
        self.begin(config, cx);
    }

    fn handle(&mut self, config: &Config, input: &Input, cx: &mut Cx<'_>) {
        if let Some(moved) = self.updater.handle(input, cx) {
            return self.moved(&moved, config, cx);
        }
        match input {
            Input::User(intent) => self.intent(intent, config, cx),
            Input::Connected(t) if self.connection == Some(*t) => self.connected(config, cx),
            Input::Closed(t, closed) if self.connection == Some(*t) => {
                self.connection = None;
                self.closed(closed, config, cx);
            }
            Input::Message(message) => self.message(message, config, cx),
            Input::Acked(t, ack) => self.acked(*t, *ack, config, cx),
            Input::Stored(t, outcome) if *t == self.store => self.stored(outcome, config, cx),
            _ => cx.stray(),
        }
    }

    fn expired(&mut self, config: &Config, timer: Timer, cx: &mut Cx<'_>) {
        match (timer, self.life) {
            (Timer::Update, _) => {
                let moved = self.updater.expired(cx);
                self.moved(&moved, config, cx);
            }
            (Timer::Reply, _) => self.late(config, cx),
            (Timer::Retry, Life::Retrying) => self.begin(config, cx),
            (Timer::Retry, _) => self.ask_again(config, cx),
            _ => {}
        }
    }

    fn supports(intent: &Intent) -> bool {
        matches!(intent, Intent::PostProperties { .. } | Intent::RequestFirmware)
    }
}

impl Flow {
    fn connected(&mut self, config: &Config, cx: &mut Cx<'_>) {
        match self.life {
            Life::PreAuth => self.ask_first(Life::ReplyTopic, &[Kind::ReplyTopic], config, cx),
            Life::LoggingIn => {
                cx.step(Step::Subscribe);
                self.ask_first(Life::Subscribing, &Kind::TOPICS, config, cx);
            }
            _ => cx.stray(),
        }
    }

    fn closed(&mut self, closed: &Closed, config: &Config, cx: &mut Cx<'_>) {
        let failure = match closed {
            Closed::Failed(failure) => *failure,
            // A CONNACK after CONNACK 0, or a close that nobody asked for: the session is gone either way.
            Closed::Refused(_) | Closed::Requested => Failure::Lost,
        };
        match (self.life, closed) {
            (Life::PreAuth, Closed::Refused(code)) => self.not_admitted(*code, cx),
            (Life::PreAuth, _) => self.later(Plan::Register, failure.into(), cx),
            (Life::ReplyTopic | Life::AwaitSecret, _) => self.broken(failure, config, cx),
            (Life::LoggingIn, Closed::Refused(code)) => self.refused(*code, cx),
            // Whatever is being stored or erased goes on.
            (Life::Storing | Life::Erasing, _) => {}
            (Life::Leaving, _) => self.begin(config, cx),
            _ => self.session_over(failure.into(), cx),
        }
    }

    fn message(&mut self, message: &Message, config: &Config, cx: &mut Cx<'_>) {
        match self.life {
            Life::AwaitSecret => self.secret_issued(message, config, cx),
            Life::Subscribing | Life::Announcing | Life::Online => self.heard(message, config, cx),
            // Duplicates of what was answered already may still arrive.
            Life::Storing | Life::Leaving => {}
            _ => cx.stray(),
        }
    }

    fn acked(&mut self, token: Token, ack: Ack, config: &Config, cx: &mut Cx<'_>) {
        match self.life {
            Life::ReplyTopic | Life::Subscribing | Life::Announcing | Life::Online => {
                self.acknowledged(token, ack, config, cx);
            }
            // PUBACK says that the request arrived; the reply is what counts.
            Life::AwaitSecret | Life::Storing => {}
            _ => cx.stray(),
        }
    }

    fn stored(&mut self, outcome: &Outcome, config: &Config, cx: &mut Cx<'_>) {
        self.store = Token::default();
        if self.life == Life::Storing {
            cx.step(Step::LeaveRegistration);
            if let Some(connection) = self.connection {
                cx.close(connection);
            }
        }
        match (self.life, outcome) {
            (Life::Storing, Outcome::Done) => {
                cx.event(Event::Registered { identity: config.identity() });
                self.logging_in.reset();
                self.leave(Plan::Login, config, cx);
            }
            (Life::Erasing, Outcome::Done) => {
                self.fresh();
                self.again = true;
                self.leave(Plan::Register, config, cx);
            }
            (life @ (Life::Storing | Life::Erasing), Outcome::Failed(failure)) => {
                let error = Error::Local { failure: failure.clone() };
                let plan = if life == Life::Storing { Plan::Store } else { Plan::Erase };
                self.stop(plan, error, Advice::CheckStorage, cx);
            }
            _ => cx.stray(),
        }
    }

    /// [`Timer::Reply`].
    fn late(&mut self, config: &Config, cx: &mut Cx<'_>) {
        match self.life {
            Life::PreAuth => {
                self.close(cx);
                self.later(Plan::Register, Failure::TimedOut.into(), cx);
            }
            Life::LoggingIn => {
                self.close(cx);
                self.later(Plan::Login, Failure::TimedOut.into(), cx);
            }
            Life::ReplyTopic => {
                self.unanswered(Step::SubscribeForSecret, Advice::CheckNetwork, config, cx);
            }
            Life::AwaitSecret => {
                self.unanswered(Step::RequestSecret, Advice::CheckNetwork, config, cx);
            }
            Life::Subscribing => {
                self.unanswered(Step::Subscribe, Advice::CheckNetwork, config, cx);
            }
            Life::Announcing => {
                self.unanswered(Step::ReportVersion, Advice::CheckNetwork, config, cx);
            }
            Life::Online => self.late_online(config, cx),
            Life::Leaving => self.begin(config, cx),
            _ => {}
        }
    }

    fn intent(&mut self, intent: &Intent, config: &Config, cx: &mut Cx<'_>) {
        let online = self.life == Life::Online;
        match intent {
            Intent::TryAgain => match self.life {
                Life::Stopped | Life::Retrying => {
                    self.fresh();
                    self.begin(config, cx);
                }
                // Between two tries of a request: the wait is over.
                _ => self.ask_again(config, cx),
            },
            Intent::RegisterAgain => self.register_again(config, cx),
            Intent::Report if online => {
                cx.step(Step::ReportVersion);
                self.report(Kind::Version, config, cx);
            }
            Intent::RequestFirmware if online => self.report(Kind::RequestFirmware, config, cx),
            Intent::PostProperties { json } => {
                if let Err(error) = self.posts.add(json) {
                    ignored(error, cx);
                }
                if online {
                    self.post(config, cx);
                }
            }
            // The login that comes does all of these.
            _ => {}
        }
    }

    /// The update moved on: the cloud has to hear of it.
    fn moved(&mut self, moved: &Moved, config: &Config, cx: &mut Cx<'_>) {
        if matches!(self.life, Life::Announcing | Life::Online) {
            self.progress.report(moved, &self.updater, config, cx);
        }
        if (self.life, moved) == (Life::Online, &Moved::Ended) {
            self.report_ending(config, cx);
        }
    }

    /// Sets out on the plan.
    fn begin(&mut self, config: &Config, cx: &mut Cx<'_>) {
        stop_timers(cx);
        self.connection = None;
        match self.plan {
            Plan::Register => self.register(config, cx),
            Plan::Store => self.keep(config, cx),
            Plan::Login => self.login(config, cx),
            Plan::Erase => self.erase(cx),
        }
    }

    /// Sets out on it after a while.
    fn later(&mut self, plan: Plan, error: Error, cx: &mut Cx<'_>) {
        stop_timers(cx);
        let backoff = match plan {
            Plan::Login => &mut self.logging_in,
            _ => &mut self.registering,
        };
        cx.retrying(Timer::Retry, error, backoff);
        self.plan = plan;
        self.life = Life::Retrying;
    }

    /// Ends where only a person can go on.
    fn stop(&mut self, plan: Plan, error: Error, advice: Advice, cx: &mut Cx<'_>) {
        stop_timers(cx);
        cx.event(Event::Stopped { error, advice });
        self.connection = None;
        self.plan = plan;
        self.life = Life::Stopped;
    }

    /// As if nothing had failed before.
    fn fresh(&mut self) {
        self.registering.reset();
        self.broken = 0;
        self.logging_in.reset();
    }

    /// Goes on with `plan` once the connection, which was told to close, is gone.
    fn leave(&mut self, plan: Plan, config: &Config, cx: &mut Cx<'_>) {
        self.plan = plan;
        if self.connection.is_none() {
            return self.begin(config, cx);
        }
        // A host that forgets to say so must not hold the device for ever.
        await_reply(config, cx);
        self.life = Life::Leaving;
    }

    fn close(&mut self, cx: &mut Cx<'_>) {
        if let Some(connection) = self.connection.take() {
            cx.close(connection);
        }
    }

    /// Forget the credential, then register: a person decided so.
    fn register_again(&mut self, config: &Config, cx: &mut Cx<'_>) {
        if config.product_secret.is_none() {
            let failure = LocalFailure::MissingSetting("product_secret".into());
            return ignored(Error::Local { failure }, cx);
        }
        stop_timers(cx);
        if let (Some(connection), false) =
            (self.connection, matches!(self.life, Life::Leaving | Life::Erasing))
        {
            cx.close(connection);
        }
        self.erase(cx);
    }

    fn erase(&mut self, cx: &mut Cx<'_>) {
        cx.step(Step::EraseSecret);
        self.secret = Secret::new("");
        self.store = cx.erase(StoreKey::Credential);
        self.life = Life::Erasing;
    }
}

fn await_reply(config: &Config, cx: &mut Cx<'_>) {
    cx.after(Timer::Reply, Millis(config.reply_timeout_ms));
}

fn stop_timers(cx: &mut Cx<'_>) {
    // Timer::Update is the updater's: a download goes on whatever happens to the connection.
    cx.stop(Timer::Reply);
    cx.stop(Timer::Retry);
}

fn ignored(error: impl Into<Error>, cx: &mut Cx<'_>) {
    cx.event(Event::Warning { warning: Warning::Ignored { error: error.into() } });
}
