//! From nothing to a secret on stable storage.
//!
//! Before a device's first login every registration makes a new secret, and the last one counts. So asking again after
//! a lost answer is safe, is said aloud ([`Event::Retrying`]), and has an end; after the first login the cloud answers
//! 6289, and asking again is a person's decision.

use alloc::boxed::Box;

use crate::cbor::{Decode, Encode};

use super::credential::Credential;
use super::session::{self, Login, ended, login};
use super::{Resume, State, stop};
use crate::agent::Cx;
use crate::backoff::Backoff;
use crate::error::{CodecError, Error, PeerMisbehaved, Rejected};
use crate::http::Request;
use crate::input::{Answer, Input, Message, Outcome};
use crate::json::Document;
use crate::output::{Advice, Connect, Event, Identity, Step, StoreKey, Token};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::config::{Origin, Registration, Way};
use crate::platform::alibaba::credentials::{AuthType, registration_connect, registration_form};
use crate::platform::alibaba::wire;
use crate::platform::update::store_failed;
use crate::time::Timer;

/// With nothing stored: logs in with the configured secret, or registers.
pub(super) fn begin(config: &Config, cx: &mut Cx<'_>) -> State {
    ask(config, Backoff::login(), cx)
}

fn ask(config: &Config, backoff: Backoff, cx: &mut Cx<'_>) -> State {
    let registration = match &config.origin {
        Origin::Configured(secret) => {
            return login(config, Login::new(Credential::DeviceSecret(secret.clone())), cx);
        }
        Origin::Registration(registration) => registration,
    };
    cx.after(Timer::Reply, config.reply_timeout);
    // 16 characters, as in the vendor's own requests.
    let random = cx.rng().hex::<8>();
    match &registration.way {
        Way::Http { url } => {
            cx.step(Step::RequestSecret);
            let secret = &registration.product_secret;
            let body = registration_form(config.sign_method, config.device(), secret, &random);
            let token = cx.request(Request {
                method: "POST".into(),
                url: url.clone(),
                headers: alloc::vec![
                    ("Content-Type".into(), "application/x-www-form-urlencoded".into()),
                    ("Accept".into(), "application/json".into()),
                ],
                body: body.into_bytes(),
            });
            State::Asking(ExpectAnswer { token, backoff })
        }
        Way::Mqtt { auth_type, secure_mode, instance_id } => {
            cx.step(Step::ConnectToRegister);
            let credential = registration_connect(
                config.sign_method,
                config.device(),
                &registration.product_secret,
                &random,
                *auth_type,
                *secure_mode,
                instance_id.as_deref(),
            );
            let connection = cx.connect(Connect {
                url: config.broker.clone(),
                client_id: credential.client_id,
                username: credential.username,
                password: credential.password,
                keep_alive: config.keep_alive,
            });
            State::Knocking(ExpectRegistrationSession { connection, backoff })
        }
    }
}

/// Tries again later, or stops when enough was tried.
fn retry(config: &Config, error: Error, mut backoff: Backoff, cx: &mut Cx<'_>) -> State {
    cx.stop(Timer::Reply);
    if backoff.failures() >= config.request_retries {
        let advice = match error {
            Error::Network { .. } | Error::NoReply { .. } => Advice::CheckNetwork,
            _ => Advice::AskVendor,
        };
        return stop(error, advice, Resume::Register, cx);
    }
    cx.retrying(Timer::Retry, error, &mut backoff);
    State::Pausing(RegistrationPause { backoff })
}

/// An honest no. The codes are those of help.aliyun.com's tables for devices.
fn refused(config: &Config, by: Rejected, backoff: Backoff, cx: &mut Cx<'_>) -> State {
    let advice = match &by {
        Rejected::Code { code, .. } => match code.as_str() {
            "6289" => Advice::AlreadyRegistered,
            // Signature, parameters, product.
            "401" | "460" | "5005" => Advice::CheckProductSecret,
            // Dynamic registration is off; no such device.
            "403" | "6100" | "28560" | "62101" => Advice::ImportDevice,
            "6204" => Advice::CheckDevice,
            "429" | "500" | "503" => return retry(config, by.into(), backoff, cx),
            _ => Advice::AskVendor,
        },
        Rejected::Http { status: 408 | 429 | 500.., .. } => {
            return retry(config, by.into(), backoff, cx);
        }
        Rejected::Http { .. } => Advice::AskVendor,
        Rejected::Connack { code: 3 } => return retry(config, by.into(), backoff, cx),
        Rejected::Connack { code: 4 } => Advice::CheckProductSecret,
        // 5 may mean any of: not imported, registration off, active already.
        Rejected::Connack { code: 5 } => Advice::ImportDevice,
        Rejected::Connack { .. } | Rejected::Suback { .. } => Advice::AskVendor,
    };
    cx.stop(Timer::Reply);
    stop(by.into(), advice, Resume::Register, cx)
}

fn failed(config: &Config, error: Error, backoff: Backoff, cx: &mut Cx<'_>) -> State {
    match error {
        Error::Rejected { by } => refused(config, by, backoff, cx),
        error => retry(config, error, backoff, cx),
    }
}

/// The HTTP request is on its way.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectAnswer {
    #[n(0)]
    token: Token,
    #[n(1)]
    backoff: Backoff,
}

impl ExpectAnswer {
    pub(super) fn handle(self, config: &Config, input: &Input, cx: &mut Cx<'_>) -> State {
        let answer = match input {
            Input::Response(token, answer) if *token == self.token => answer,
            _ => {
                cx.stray();
                return State::Asking(self);
            }
        };
        let read = match answer {
            Answer::Failed(failure) => Err(failure.clone().into()),
            Answer::Response(response) => read_answer(config, response.status, &response.body),
        };
        match read {
            Ok(credential) => store(config, Login::new(credential), Leave::Nothing, cx),
            Err(error) => failed(config, error, self.backoff, cx),
        }
    }

    pub(super) fn late(self, config: &Config, cx: &mut Cx<'_>) -> State {
        retry(config, Error::NoReply { step: Step::RequestSecret }, self.backoff, cx)
    }
}

fn read_answer(config: &Config, status: u16, body: &[u8]) -> Result<Credential, Error> {
    let secrets = match &config.origin {
        Origin::Registration(Registration { product_secret, .. })
        | Origin::Configured(product_secret) => [product_secret],
    };
    if status != 200 {
        // Whole: a secret in it is masked before the text is cut.
        return Err(Rejected::http(status, readable(body), &secrets).into());
    }
    let doc = Document::parse_object(body)?;
    let root = doc.root();
    let code = root.required("code")?;
    if code != "200" {
        let message = root.text("message").unwrap_or_default();
        return Err(Rejected::code(&code, &message, &secrets).into());
    }
    let data = root.get("data").ok_or_else(|| CodecError::missing("data"))?;
    Credential::issued_secret(data, config)
}

/// `body` as far as it is UTF-8.
fn readable(body: &[u8]) -> &str {
    let end = match core::str::from_utf8(body) {
        Ok(text) => return text,
        Err(error) => error.valid_up_to(),
    };
    body.get(..end).and_then(|body| core::str::from_utf8(body).ok()).unwrap_or_default()
}

/// A session with the product's signature is being opened.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectRegistrationSession {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    backoff: Backoff,
}

impl ExpectRegistrationSession {
    pub(super) fn handle(self, config: &Config, input: &Input, cx: &mut Cx<'_>) -> State {
        match input {
            Input::Connected(connection) if *connection == self.connection => {
                // The server pushes the secret on its own: there is nothing to subscribe to, nothing to ask.
                cx.step(Step::RequestSecret);
                cx.after(Timer::Reply, config.reply_timeout);
                let Self { connection, backoff } = self;
                State::Listening(ExpectSecret { connection, backoff })
            }
            Input::Closed(connection, why) if *connection == self.connection => {
                failed(config, ended(why), self.backoff, cx)
            }
            _ => {
                session::stray(input, cx);
                State::Knocking(self)
            }
        }
    }

    pub(super) fn late(self, config: &Config, cx: &mut Cx<'_>) -> State {
        cx.close(self.connection);
        retry(config, Error::NoReply { step: Step::ConnectToRegister }, self.backoff, cx)
    }
}

/// The server will push the secret.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectSecret {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    backoff: Backoff,
}

impl ExpectSecret {
    pub(super) fn handle(self, config: &Config, input: &Input, cx: &mut Cx<'_>) -> State {
        match input {
            Input::Message(message) => match read_push(config, message) {
                None => {
                    cx.stray();
                    State::Listening(self)
                }
                Some(Ok(credential)) => {
                    let leave = Leave::Connection(self.connection);
                    store(config, Login::new(credential), leave, cx)
                }
                Some(Err(error)) => {
                    cx.close(self.connection);
                    failed(config, error, self.backoff, cx)
                }
            },
            Input::Closed(connection, _) if *connection == self.connection => {
                retry(config, PeerMisbehaved::ClosedEarly.into(), self.backoff, cx)
            }
            _ => {
                session::stray(input, cx);
                State::Listening(self)
            }
        }
    }

    pub(super) fn late(self, config: &Config, cx: &mut Cx<'_>) -> State {
        cx.close(self.connection);
        retry(config, Error::NoReply { step: Step::RequestSecret }, self.backoff, cx)
    }
}

/// `None`: the message is not where this device's registration is answered.
fn read_push(config: &Config, message: &Message) -> Option<Result<Credential, Error>> {
    let Origin::Registration(Registration { way: Way::Mqtt { auth_type, .. }, .. }) =
        &config.origin
    else {
        return None;
    };
    let topic = match auth_type {
        AuthType::Register => wire::EXT_REGISTER,
        AuthType::Regnwl => wire::EXT_REGNWL,
    };
    if message.topic != topic {
        return None;
    }
    let read = || {
        let doc = Document::parse_object(message.payload.expose())?;
        let root = doc.root();
        match auth_type {
            AuthType::Register => Credential::issued_secret(root, config),
            AuthType::Regnwl => Credential::issued_token(root, config),
        }
    };
    Some(read())
}

/// Waiting before the next try.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct RegistrationPause {
    #[n(0)]
    backoff: Backoff,
}

impl RegistrationPause {
    pub(super) fn over(self, config: &Config, cx: &mut Cx<'_>) -> State {
        cx.stop(Timer::Retry);
        ask(config, self.backoff, cx)
    }
}

/// What is to be left once the secret is stored.
#[derive(Debug, Encode, Decode)]
pub(super) enum Leave {
    #[n(0)]
    Nothing,
    #[n(1)]
    Connection(#[n(0)] Token),
}

/// Persist, then use: the secret goes to the storage before anything else happens.
pub(super) fn store(config: &Config, login: Box<Login>, leave: Leave, cx: &mut Cx<'_>) -> State {
    cx.stop(Timer::Reply);
    cx.step(Step::StoreSecret);
    let token = cx.store(StoreKey::Credential, login.credential.write(config));
    State::Storing(ExpectStored { token, login, leave })
}

/// The secret is on its way to the storage.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectStored {
    #[n(0)]
    token: Token,
    #[n(1)]
    login: Box<Login>,
    #[n(2)]
    leave: Leave,
}

impl ExpectStored {
    pub(super) fn connection(&self) -> Option<Token> {
        match self.leave {
            Leave::Connection(connection) => Some(connection),
            Leave::Nothing => None,
        }
    }

    pub(super) fn handle(self, config: &Config, input: &Input, cx: &mut Cx<'_>) -> State {
        match input {
            Input::Stored(token, outcome) if *token == self.token => {
                self.stored(config, outcome, cx)
            }
            Input::Closed(connection, _) if self.connection() == Some(*connection) => {
                State::Storing(Self { leave: Leave::Nothing, ..self })
            }
            _ => {
                session::stray(input, cx);
                State::Storing(self)
            }
        }
    }

    fn stored(self, config: &Config, outcome: &Outcome, cx: &mut Cx<'_>) -> State {
        let Self { login, leave, .. } = self;
        if *outcome != Outcome::Done {
            if let Leave::Connection(connection) = leave {
                cx.close(connection);
            }
            return stop(store_failed(), Advice::CheckStorage, Resume::Store(login), cx);
        }
        let (product, device) = config.names();
        cx.event(Event::Registered {
            identity: Identity {
                platform: crate::PlatformName::Alibaba,
                product: product.into(),
                device: device.into(),
            },
        });
        match leave {
            Leave::Nothing => session::login(config, login, cx),
            Leave::Connection(connection) => {
                cx.step(Step::LeaveRegistration);
                cx.close(connection);
                cx.after(Timer::Reply, config.reply_timeout);
                State::Leaving(ExpectLeft { connection, login })
            }
        }
    }
}

/// The registration's session is being closed: there may be one at a time.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectLeft {
    #[n(0)]
    pub(super) connection: Token,
    #[n(1)]
    login: Box<Login>,
}

impl ExpectLeft {
    pub(super) fn handle(self, config: &Config, input: &Input, cx: &mut Cx<'_>) -> State {
        match input {
            Input::Closed(connection, _) if *connection == self.connection => self.left(config, cx),
            _ => {
                session::stray(input, cx);
                State::Leaving(self)
            }
        }
    }

    /// It is gone, or nobody says so: the host drops it for the next one.
    pub(super) fn left(self, config: &Config, cx: &mut Cx<'_>) -> State {
        cx.stop(Timer::Reply);
        login(config, self.login, cx)
    }
}

/// A person wants to register again: the stored secret goes first.
pub(super) fn erase(cx: &mut Cx<'_>) -> State {
    cx.step(Step::EraseSecret);
    State::Erasing(ExpectErased { token: cx.erase(StoreKey::Credential) })
}

/// The stored secret is being erased.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectErased {
    #[n(0)]
    token: Token,
}

impl ExpectErased {
    pub(super) fn handle(self, config: &Config, input: &Input, cx: &mut Cx<'_>) -> State {
        match input {
            Input::Stored(token, outcome) if *token == self.token => match outcome {
                Outcome::Done => begin(config, cx),
                Outcome::Failed(_) => stop(store_failed(), Advice::CheckStorage, Resume::Erase, cx),
            },
            _ => {
                session::stray(input, cx);
                State::Erasing(self)
            }
        }
    }
}
