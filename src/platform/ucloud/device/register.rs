//! From the product's secret to the device's own, on stable storage.

use alloc::string::String;
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};
use crate::num;

use super::{CONNECT_TIMEOUT, Credential, Env, Life, Link, Login, Plan, failure, leave};
use crate::backoff::Backoff;
use crate::error::{Error, Failure, PeerMisbehaved, Rejected};
use crate::input::{Ack, Closed, Input, Message, Outcome};
use crate::output::{Advice, Connect, Event, QoS, Step, StoreKey, Token};
use crate::platform::ucloud::wire::{self, AuthMode, PasswordReply};
use crate::secret::Secret;
use crate::time::Timer;

/// A registration under way, over all its connections.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Registration {
    #[n(0)]
    pub(super) backoff: Backoff,
    /// How often the connection broke between CONNACK and the secret.
    #[n(1)]
    broken: u32,
    /// A person had the credential erased for it.
    #[n(2)]
    again: bool,
}

impl Registration {
    pub(super) fn first() -> Self {
        Self { backoff: Backoff::login(), broken: 0, again: false }
    }

    pub(super) fn again() -> Self {
        Self { again: true, ..Self::first() }
    }

    pub(super) fn fresh(self) -> Self {
        Self { again: self.again, ..Self::first() }
    }

    /// What a refusal without further reason means.
    fn not_admitted(&self) -> Advice {
        if self.again { Advice::AlreadyRegistered } else { Advice::ImportDevice }
    }

    fn refused(self, code: u8, env: &mut Env<'_, '_>) -> Life {
        let error = Error::from(Rejected::Connack { code });
        let advice = match code {
            3 => return Plan::Register(self).later(error, env),
            4 => Advice::CheckProductSecret,
            5 => self.not_admitted(),
            2 => Advice::CheckDevice,
            _ => Advice::AskVendor,
        };
        env.stop(error, advice, Plan::Register(self.fresh()))
    }

    /// The connection went away in the middle of it.
    fn broken(mut self, failure: Failure, env: &mut Env<'_, '_>) -> Life {
        self.broken += 1;
        if self.broken > env.config.credential_retries {
            let how = PeerMisbehaved::ClosedEarly;
            return env.stop(how, Advice::CheckNetwork, Plan::Register(self.fresh()));
        }
        Plan::Register(self).later(failure, env)
    }

    /// Gives up within the session.
    fn give_up(
        self,
        connection: Token,
        error: impl Into<Error>,
        advice: Advice,
        env: &mut Env<'_, '_>,
    ) -> Life {
        env.cx.close(connection);
        env.stop(error, advice, Plan::Register(self.fresh()))
    }
}

/// Logs in with the product's secret.
pub(super) fn connect(registration: Registration, env: &mut Env<'_, '_>) -> Life {
    let Some(secret) = &env.config.product_secret else {
        // Plans to register are made only with it; a snapshot may have met another configuration.
        let failure = crate::LocalFailure::MissingSetting("product_secret".into());
        let error = Error::Local { failure };
        return env.stop(error, Advice::CheckProductSecret, Plan::Register(registration));
    };
    env.cx.step(Step::ConnectToRegister);
    let connection = env.cx.connect(connect_packet(AuthMode::Dynamic, secret, env.config));
    env.cx.after(Timer::Reply, CONNECT_TIMEOUT);
    Life::ExpectPreAuth(ExpectPreAuth { connection, registration })
}

pub(super) fn connect_packet(
    mode: AuthMode,
    secret: &Secret,
    config: &crate::platform::ucloud::Config,
) -> Connect {
    let names = wire::credentials(&config.product_sn, &config.device_sn, mode, secret);
    Connect {
        url: config.broker.clone(),
        client_id: names.client_id,
        username: names.username,
        password: names.password,
        keep_alive: config.keep_alive,
    }
}

/// Puts the secret on stable storage.
pub(super) fn store(secret: Secret, link: Link, env: &mut Env<'_, '_>) -> Life {
    env.stop_timers();
    env.cx.step(Step::StoreSecret);
    let store = env.cx.store(StoreKey::Credential, Credential::write(&secret, env.config));
    Life::ExpectStored(ExpectStored { store, link, secret })
}

/// CONNACK of the pre-authentication.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectPreAuth {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    registration: Registration,
}

impl ExpectPreAuth {
    pub(super) fn handle(self, input: Input, env: &mut Env<'_, '_>) -> Life {
        match input {
            Input::Connected(t) if t == self.connection => {
                let Self { connection, registration } = self;
                let (subscribes, asks) = (Vec::new(), Backoff::login());
                ExpectReplyTopic { connection, registration, subscribes, asks }.subscribe(env)
            }
            Input::Closed(t, Closed::Refused(code)) if t == self.connection => {
                self.registration.refused(code, env)
            }
            Input::Closed(t, closed) if t == self.connection => {
                Plan::Register(self.registration).later(failure(&closed), env)
            }
            _ => {
                env.cx.stray();
                Life::ExpectPreAuth(self)
            }
        }
    }

    pub(super) fn expired(self, timer: Timer, env: &mut Env<'_, '_>) -> Life {
        if timer != Timer::Reply {
            return Life::ExpectPreAuth(self);
        }
        env.cx.close(self.connection);
        Plan::Register(self.registration).later(Failure::TimedOut, env)
    }
}

/// SUBACK for where the secret will come.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectReplyTopic {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    registration: Registration,
    /// Every SUBSCRIBE so far: a late answer to an early one is as good.
    #[n(2)]
    subscribes: Vec<Token>,
    #[n(3)]
    asks: Backoff,
}

impl ExpectReplyTopic {
    fn subscribe(mut self, env: &mut Env<'_, '_>) -> Life {
        env.stop_timers();
        env.cx.step(Step::SubscribeForSecret);
        self.subscribes.push(env.cx.subscribe(env.config.topic(wire::PASSWORD_REPLY)));
        env.cx.after(Timer::Reply, env.reply_timeout());
        Life::ExpectReplyTopic(self)
    }

    pub(super) fn handle(self, input: Input, env: &mut Env<'_, '_>) -> Life {
        match input {
            Input::Acked(t, ack) if self.subscribes.contains(&t) => {
                let Self { connection, registration, .. } = self;
                env.stop_timers();
                if ack == Ack::SubscribeRefused {
                    let topic = env.config.topic(wire::PASSWORD_REPLY);
                    let error = Rejected::Suback { topic };
                    return registration.give_up(connection, error, Advice::AskVendor, env);
                }
                // The cloud echoes what it likes to echo; digits are what every known client sends.
                let request_id = num::text(env.cx.rng().between(1, 999_999_999));
                let asks = Backoff::login();
                ExpectSecret { connection, registration, request_id, asks, asked: 0 }.ask(env)
            }
            Input::Closed(t, closed) if t == self.connection => {
                self.registration.broken(failure(&closed), env)
            }
            _ => {
                env.cx.stray();
                Life::ExpectReplyTopic(self)
            }
        }
    }

    pub(super) fn expired(mut self, timer: Timer, env: &mut Env<'_, '_>) -> Life {
        match timer {
            Timer::Reply => {
                let error = Error::NoReply { step: Step::SubscribeForSecret };
                if self.asks.failures() >= env.config.request_retries {
                    let Self { connection, registration, .. } = self;
                    return registration.give_up(connection, error, Advice::CheckNetwork, env);
                }
                env.retrying(error, &mut self.asks);
                Life::ExpectReplyTopic(self)
            }
            Timer::Retry if self.rests() => self.subscribe(env),
            _ => Life::ExpectReplyTopic(self),
        }
    }

    /// Between a try that failed and the next one.
    fn rests(&self) -> bool {
        self.subscribes.len() as u64 <= u64::from(self.asks.failures())
    }
}

/// The reply with the secret.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectSecret {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    registration: Registration,
    /// The same for every try in this session, so that a late reply counts.
    #[n(2)]
    request_id: String,
    #[n(3)]
    asks: Backoff,
    /// How often it was asked.
    #[n(4)]
    asked: u32,
}

impl ExpectSecret {
    fn ask(mut self, env: &mut Env<'_, '_>) -> Life {
        env.stop_timers();
        env.cx.step(Step::RequestSecret);
        let topic = env.config.topic(wire::PASSWORD);
        env.cx.publish(topic, QoS::AtLeastOnce, wire::password_request(&self.request_id));
        env.cx.after(Timer::Reply, env.reply_timeout());
        self.asked += 1;
        Life::ExpectSecret(self)
    }

    pub(super) fn handle(self, input: Input, env: &mut Env<'_, '_>) -> Life {
        match input {
            Input::Message(message) => self.message(&message, env),
            Input::Closed(t, closed) if t == self.connection => {
                self.registration.broken(failure(&closed), env)
            }
            // PUBACK says that the request arrived; the reply is what counts.
            Input::Acked(..) => Life::ExpectSecret(self),
            _ => {
                env.cx.stray();
                Life::ExpectSecret(self)
            }
        }
    }

    fn message(self, message: &Message, env: &mut Env<'_, '_>) -> Life {
        let (product, device) = env.config.names();
        if wire::system_name(&message.topic, product, device) != Some(wire::PASSWORD_REPLY) {
            env.cx.stray();
            return Life::ExpectSecret(self);
        }
        let reply = match PasswordReply::parse(message.payload.expose()) {
            Ok(reply) if reply.request_id == self.request_id => reply,
            Ok(_) => {
                env.ignored(PeerMisbehaved::WrongRequestId);
                return Life::ExpectSecret(self);
            }
            Err(error) => {
                env.ignored(error);
                return Life::ExpectSecret(self);
            }
        };
        if reply.ret_code.trim() != "0" {
            return self.rejected(&reply, env);
        }
        match reply.password {
            Ok(secret) => store(secret, Link::Open(self.connection), env),
            // Not what was asked for: as good as no reply, but no need to wait for a better one.
            Err(how) if !self.rests() => self.failed(how.into(), Advice::AskVendor, env),
            Err(how) => {
                env.ignored(how);
                Life::ExpectSecret(self)
            }
        }
    }

    fn rejected(self, reply: &PasswordReply, env: &mut Env<'_, '_>) -> Life {
        let Self { connection, registration, .. } = self;
        let secrets: Vec<&Secret> = env.config.product_secret.iter().collect();
        let error = Rejected::code(&reply.ret_code, &reply.message, &secrets);
        // The platform's one list of codes (`retcode.md`); that they are used here is an assumption.
        let advice = match reply.ret_code.trim() {
            "100003" | "100014" => Advice::CheckProductSecret,
            "140" | "240" | "100008" => registration.not_admitted(),
            "100072" => Advice::CheckDevice,
            _ => Advice::AskVendor,
        };
        registration.give_up(connection, error, advice, env)
    }

    /// This try came to nothing.
    fn failed(mut self, error: Error, advice: Advice, env: &mut Env<'_, '_>) -> Life {
        env.stop_timers();
        if self.asks.failures() >= env.config.request_retries {
            let Self { connection, registration, .. } = self;
            return registration.give_up(connection, error, advice, env);
        }
        env.retrying(error, &mut self.asks);
        Life::ExpectSecret(self)
    }

    pub(super) fn expired(self, timer: Timer, env: &mut Env<'_, '_>) -> Life {
        match timer {
            Timer::Reply => {
                let error = Error::NoReply { step: Step::RequestSecret };
                self.failed(error, Advice::CheckNetwork, env)
            }
            Timer::Retry if self.rests() => self.ask(env),
            _ => Life::ExpectSecret(self),
        }
    }

    fn rests(&self) -> bool {
        self.asked <= self.asks.failures()
    }
}

/// The secret on stable storage. Nothing was done with it so far.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectStored {
    #[n(0)]
    store: Token,
    #[n(1)]
    pub(super) link: Link,
    #[n(2)]
    secret: Secret,
}

impl ExpectStored {
    pub(super) fn handle(mut self, input: Input, env: &mut Env<'_, '_>) -> Life {
        if self.link.lost(&input) {
            self.link = Link::Gone;
            return Life::ExpectStored(self);
        }
        match input {
            Input::Stored(t, outcome) if t == self.store => {
                env.cx.step(Step::LeaveRegistration);
                if let Link::Open(connection) = self.link {
                    env.cx.close(connection);
                }
                match outcome {
                    Outcome::Done => {
                        env.cx.event(Event::Registered { identity: env.config.identity() });
                        leave(self.link, Plan::Login(Login::new(self.secret)), env)
                    }
                    Outcome::Failed(failure) => {
                        let error = Error::Local { failure };
                        env.stop(error, Advice::CheckStorage, Plan::Store(self.secret))
                    }
                }
            }
            // A reply that came twice, and acknowledgements of what was asked.
            Input::Message(_) | Input::Acked(..) => Life::ExpectStored(self),
            _ => {
                env.cx.stray();
                Life::ExpectStored(self)
            }
        }
    }
}
