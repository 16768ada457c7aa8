//! The steps with the product's secret: connect, subscribe, ask, store, confirm, leave.

use alloc::string::String;
use core::time::Duration;

use crate::cbor::{Decode, Encode};

use super::super::credential::{Credential, Standing};
use super::super::wire::{self, Issue, Strictness};
use super::{Job, Next, State, fresh_id, why};
use crate::error::{CodecError, Error, PeerMisbehaved, Rejected};
use crate::input::{Ack, Closed, Input, Message, Outcome};
use crate::output::{Advice, Event, QoS, Step, StoreKey, Token};
use crate::time::Timer;

/// How long the platform may take to close the socket after it acknowledged the confirmation.
const LEAVE: Duration = Duration::from_secs(2);

/// What a session with the product's secret is for.
#[derive(Debug, Encode, Decode)]
pub(super) enum Goal {
    /// To get a secret.
    #[n(0)]
    Ask,
    /// To have the platform know that this one is stored: its login was refused before it ever worked.
    #[n(1)]
    Confirm(#[n(0)] Credential),
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectRegisterConnected {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    goal: Goal,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectRegisterSubscribed {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    token: Token,
    #[n(2)]
    goal: Goal,
}

/// Asked for the secret. [`Timer::Reply`] runs, or [`Timer::Retry`] between two tries.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectIssue {
    #[n(0)]
    pub(super) connection: Token,
    /// Of the last request.
    #[n(1)]
    token: Token,
    #[n(2)]
    id: String,
    #[n(3)]
    asked: u32,
    #[n(4)]
    goal: Goal,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectSecretStored {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    token: Token,
    #[n(2)]
    credential: Credential,
}

/// The connection broke while the secret was being stored.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectSecretStoredOffline {
    #[n(0)]
    token: Token,
    #[n(1)]
    credential: Credential,
}

/// Sent the confirmation. [`Timer::Reply`] runs, or [`Timer::Retry`] between two tries.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectConfirmed {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    token: Token,
    #[n(2)]
    credential: Credential,
    #[n(3)]
    id: String,
    #[n(4)]
    sent: u32,
    #[n(5)]
    origin: Origin,
}

/// Which issue is being confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
enum Origin {
    /// One of this session.
    #[n(0)]
    ThisSession,
    /// One of an earlier session.
    #[n(1)]
    Earlier,
}

/// The confirmation is acknowledged; the platform is to close the socket.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectLeft {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    credential: Credential,
    #[n(2)]
    origin: Origin,
}

impl Job<'_, '_> {
    pub(super) fn register(&mut self, goal: Goal) -> State {
        let Some(secret) = &self.config.product_secret else {
            // Not with a configuration that was read from settings.
            let error = CodecError::missing("product_secret").into();
            return self.stop(Next::Register(goal), error, Advice::CheckProductSecret);
        };
        self.cx.step(Step::ConnectToRegister);
        let connection = self.connect(secret.clone());
        State::RegisterConnecting(ExpectRegisterConnected { connection, goal })
    }

    /// A session with the product's secret came to nothing. Ends after as many tries as a request has; one that was
    /// to confirm goes back to the login, which counts by itself.
    fn registration_failed(&mut self, goal: Goal, error: Error, advice: Advice) -> State {
        match goal {
            Goal::Confirm(credential) => self.rest(Next::Login(credential), error),
            Goal::Ask => {
                let failures = self.history.failed_registrations.saturating_add(1);
                if failures > self.config.request_retries {
                    self.history.failed_registrations = 0;
                    self.stop(Next::Register(Goal::Ask), error, advice)
                } else {
                    self.history.failed_registrations = failures;
                    self.rest(Next::Register(Goal::Ask), error)
                }
            }
        }
    }

    fn ask(&mut self, connection: Token, goal: Goal) -> State {
        self.cx.step(Step::RequestSecret);
        // The same ID again, so that what is stored stays true if the same secret comes.
        let id = match &goal {
            Goal::Confirm(Credential { standing: Standing::Unproven { id, .. }, .. }) => id.clone(),
            _ => fresh_id(self.cx),
        };
        let token = self.publish_request(&id);
        State::Asking(ExpectIssue { connection, token, id, asked: 1, goal })
    }

    fn publish_request(&mut self, id: &str) -> Token {
        let c = self.config;
        let body = wire::request(&c.assumed, id, &c.product_id, &c.device_id);
        self.await_reply();
        self.cx.publish(c.topics.register_post.clone(), QoS::AtLeastOnce, body)
    }

    fn confirm(&mut self, connection: Token, credential: Credential, origin: Origin) -> State {
        let id = match &credential.standing {
            Standing::Unproven { id, .. } => id.clone(),
            // Only what is not proven is ever confirmed.
            Standing::Configured | Standing::Proven => return self.login(credential),
        };
        self.cx.step(Step::ConfirmSecret);
        let token = self.publish_confirmation(&id);
        State::Confirming(ExpectConfirmed { connection, token, credential, id, sent: 1, origin })
    }

    fn publish_confirmation(&mut self, id: &str) -> Token {
        let c = self.config;
        self.await_reply();
        let body = wire::confirmation(&c.assumed, id);
        self.cx.publish(c.topics.register_post.clone(), QoS::AtLeastOnce, body)
    }

    /// The platform has the confirmation, as far as we can see.
    fn registered(&mut self, origin: Origin) {
        self.history.failed_registrations = 0;
        if origin == Origin::ThisSession {
            let (product, device) = self.config.names();
            self.cx.event(Event::Registered {
                identity: crate::output::Identity {
                    platform: crate::PlatformName::Krtyun,
                    product: product.into(),
                    device: device.into(),
                },
            });
        }
    }
}

impl ExpectRegisterConnected {
    pub(super) fn handle(self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Connected(connection) if connection == self.connection => {
                job.cx.step(Step::SubscribeForSecret);
                let token = job.cx.subscribe(job.config.topics.register_set.clone());
                job.await_reply();
                let goal = self.goal;
                State::RegisterSubscribing(ExpectRegisterSubscribed { connection, token, goal })
            }
            Input::Closed(connection, closed) if connection == self.connection => {
                let advice = match &closed {
                    Closed::Refused(1 | 2) => Some(Advice::AskVendor),
                    Closed::Refused(4) => Some(Advice::CheckProductSecret),
                    Closed::Refused(5) => Some(Advice::ImportDevice),
                    // The network, or a server that is not ready: no reason to ever give up.
                    _ => None,
                };
                let error = why(closed);
                match advice {
                    Some(advice) => job.registration_failed(self.goal, error, advice),
                    None => job.rest(Next::Register(self.goal), error),
                }
            }
            input => {
                job.stray(&input);
                State::RegisterConnecting(self)
            }
        }
    }

    pub(super) fn expired(self, job: &mut Job<'_, '_>) -> State {
        job.cx.close(self.connection);
        job.rest(Next::Register(self.goal), Error::NoReply { step: Step::ConnectToRegister })
    }
}

impl ExpectRegisterSubscribed {
    pub(super) fn handle(self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Acked(token, Ack::Subscribed(_)) if token == self.token => match self.goal {
                Goal::Ask => job.ask(self.connection, Goal::Ask),
                Goal::Confirm(credential) => {
                    job.confirm(self.connection, credential, Origin::Earlier)
                }
            },
            Input::Acked(token, Ack::SubscribeRefused) if token == self.token => {
                job.cx.close(self.connection);
                let topic = job.config.topics.register_set.clone();
                let error = Rejected::Suback { topic }.into();
                job.registration_failed(self.goal, error, Advice::AskVendor)
            }
            Input::Closed(connection, closed) if connection == self.connection => {
                job.rest(Next::Register(self.goal), why(closed))
            }
            input => {
                job.stray(&input);
                State::RegisterSubscribing(self)
            }
        }
    }

    pub(super) fn expired(self, job: &mut Job<'_, '_>) -> State {
        job.cx.close(self.connection);
        let error = Error::NoReply { step: Step::SubscribeForSecret };
        job.registration_failed(self.goal, error, Advice::AskVendor)
    }
}

impl ExpectIssue {
    pub(super) fn handle(self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Message(message) if message.topic == job.config.topics.register_set => {
                self.issued(&message, job)
            }
            // The request arrived; whether it is answered is another matter.
            Input::Acked(token, Ack::Published) if token == self.token => State::Asking(self),
            Input::Closed(connection, closed) if connection == self.connection => {
                let error = match closed {
                    Closed::Failed(crate::Failure::Lost) => PeerMisbehaved::ClosedEarly.into(),
                    closed => why(closed),
                };
                job.registration_failed(self.goal, error, Advice::AskVendor)
            }
            input => {
                job.stray(&input);
                State::Asking(self)
            }
        }
    }

    fn issued(self, message: &Message, job: &mut Job<'_, '_>) -> State {
        let c = job.config;
        let strict = Strictness { id: c.match_id.then_some(self.id.as_str()), cmd: c.match_cmd };
        match Issue::parse(message.payload.expose(), &c.assumed, strict, c.names()) {
            Ok(Issue { id, secret }) => {
                // The confirmation echoes the issue's ID, as the answer to an order does.
                let id = id.unwrap_or(self.id);
                let standing = Standing::Unproven { id, refusals: self.goal.refusals() };
                let credential = Credential { secret, standing };
                match self.goal {
                    // It is stored already, word for word.
                    Goal::Confirm(stored) if stored == credential => {
                        job.quiet();
                        job.confirm(self.connection, credential, Origin::ThisSession)
                    }
                    _ => store(self.connection, credential, job),
                }
            }
            Err(error @ Error::Rejected { .. })
            | Err(error @ Error::PeerMisbehaved { how: PeerMisbehaved::UnusableSecret }) => {
                job.cx.close(self.connection);
                job.registration_failed(self.goal, error, Advice::AskVendor)
            }
            Err(error) => {
                job.warn(error);
                State::Asking(self)
            }
        }
    }

    pub(super) fn expired(mut self, timer: Timer, job: &mut Job<'_, '_>) -> State {
        let silence = Error::NoReply { step: Step::RequestSecret };
        match timer {
            Timer::Retry => {
                self.token = job.publish_request(&self.id);
                self.asked += 1;
                State::Asking(self)
            }
            _ if self.asked <= job.config.request_retries => {
                job.back_off(silence);
                State::Asking(self)
            }
            _ => {
                job.cx.close(self.connection);
                match self.goal {
                    // "后续收到设备鉴权命令将不再回复": a device that has its secret is answered no more.
                    Goal::Ask => {
                        job.stop(Next::Register(Goal::Ask), silence, Advice::AlreadyRegistered)
                    }
                    // Active after all, perhaps.
                    Goal::Confirm(credential) => job.rest(Next::Login(credential), silence),
                }
            }
        }
    }
}

impl Goal {
    fn refusals(&self) -> u32 {
        match self {
            Self::Confirm(Credential { standing: Standing::Unproven { refusals, .. }, .. }) => {
                *refusals
            }
            _ => 0,
        }
    }
}

fn store(connection: Token, credential: Credential, job: &mut Job<'_, '_>) -> State {
    job.quiet();
    job.cx.step(Step::StoreSecret);
    let token = job.cx.store(StoreKey::Credential, credential.to_json(job.config));
    State::Storing(ExpectSecretStored { connection, token, credential })
}

impl ExpectSecretStored {
    pub(super) fn handle(self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Stored(token, Outcome::Done) if token == self.token => {
                job.confirm(self.connection, self.credential, Origin::ThisSession)
            }
            Input::Stored(token, Outcome::Failed(failure)) if token == self.token => {
                job.cx.close(self.connection);
                not_stored(failure, job)
            }
            Input::Closed(connection, _) if connection == self.connection => {
                let (token, credential) = (self.token, self.credential);
                State::StoringOffline(ExpectSecretStoredOffline { token, credential })
            }
            input => {
                job.stray(&input);
                State::Storing(self)
            }
        }
    }
}

impl ExpectSecretStoredOffline {
    pub(super) fn handle(self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Stored(token, Outcome::Done) if token == self.token => {
                let goal = Goal::Confirm(self.credential);
                job.rest(Next::Register(goal), PeerMisbehaved::ClosedEarly.into())
            }
            Input::Stored(token, Outcome::Failed(failure)) if token == self.token => {
                not_stored(failure, job)
            }
            input => {
                job.stray(&input);
                State::StoringOffline(self)
            }
        }
    }
}

/// Nothing is confirmed, so the platform will issue the secret once more.
fn not_stored(failure: crate::LocalFailure, job: &mut Job<'_, '_>) -> State {
    job.stop(Next::Register(Goal::Ask), Error::Local { failure }, Advice::CheckStorage)
}

impl ExpectConfirmed {
    pub(super) fn handle(self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Acked(token, Ack::Published) if token == self.token => {
                job.registered(self.origin);
                job.quiet();
                job.cx.step(Step::LeaveRegistration);
                job.cx.after(Timer::Reply, LEAVE);
                let Self { connection, credential, origin, .. } = self;
                State::Leaving(ExpectLeft { connection, credential, origin })
            }
            // The platform's way of saying yes; if it was the network, the login will tell.
            Input::Closed(connection, _) if connection == self.connection => {
                job.registered(self.origin);
                job.login(self.credential)
            }
            input => {
                job.stray(&input);
                State::Confirming(self)
            }
        }
    }

    pub(super) fn expired(mut self, timer: Timer, job: &mut Job<'_, '_>) -> State {
        match timer {
            Timer::Retry => {
                self.token = job.publish_confirmation(&self.id);
                self.sent += 1;
                State::Confirming(self)
            }
            _ if self.sent <= job.config.request_retries => {
                job.back_off(Error::NoReply { step: Step::ConfirmSecret });
                State::Confirming(self)
            }
            _ => {
                job.cx.close(self.connection);
                job.login(self.credential)
            }
        }
    }
}

impl ExpectLeft {
    pub(super) fn handle(self, input: Input, job: &mut Job<'_, '_>) -> State {
        match input {
            Input::Closed(connection, _) if connection == self.connection => {
                job.login(self.credential)
            }
            input => {
                job.stray(&input);
                State::Leaving(self)
            }
        }
    }

    /// The platform did not close the socket.
    pub(super) fn expired(self, job: &mut Job<'_, '_>) -> State {
        match self.origin {
            Origin::ThisSession => {
                job.cx.close(self.connection);
                job.login(self.credential)
            }
            // It does not know the issue that we confirmed: perhaps it never kept it.
            Origin::Earlier => job.ask(self.connection, Goal::Confirm(self.credential)),
        }
    }
}
