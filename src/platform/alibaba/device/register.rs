//! From nothing to a secret on stable storage.
//!
//! Before a device's first login every registration makes a new secret, and the last one counts. So asking again after
//! a lost answer is safe, is said aloud ([`Event::Retrying`]), and has an end; after the first login the cloud answers
//! 6289, and asking again is a person's decision.

use super::credential::Credential;
use super::{Flow, State};
use crate::agent::Cx;
use crate::backoff::Backoff;
use crate::error::{Error, Rejected};
use crate::http::{Request, Response};
use crate::input::{Answer, Message, Outcome};
use crate::json::Document;
use crate::output::{Advice, Connect, Event, Identity, Step, StoreKey};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::config::{Origin, Registration, Way};
use crate::platform::alibaba::credentials::{AuthType, registration_connect, registration_form};
use crate::platform::alibaba::wire;
use crate::platform::update::store_failed;
use crate::time::Timer;

impl Flow {
    /// With nothing stored: logs in with the configured secret, or registers.
    pub(super) fn begin(&mut self, config: &Config, cx: &mut Cx<'_>) {
        self.backoff = Backoff::login();
        self.ask(config, cx);
    }

    pub(super) fn ask(&mut self, config: &Config, cx: &mut Cx<'_>) {
        let registration = match &config.origin {
            Origin::Configured(secret) => {
                self.credential = Credential::device_secret(secret.clone());
                return self.login(config, cx);
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
                self.awaited = cx.request(Request {
                    method: "POST".into(),
                    url: url.clone(),
                    headers: alloc::vec![
                        ("Content-Type".into(), "application/x-www-form-urlencoded".into()),
                        ("Accept".into(), "application/json".into()),
                    ],
                    body: body.into_bytes(),
                });
                self.state = State::Asking;
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
                self.connection = Some(cx.connect(Connect {
                    url: config.broker.clone(),
                    client_id: credential.client_id,
                    username: credential.username,
                    password: credential.password,
                    keep_alive: config.keep_alive,
                }));
                self.state = State::Knocking;
            }
        }
    }

    /// Tries again later, or stops when enough was tried.
    pub(super) fn retry(&mut self, error: Error, config: &Config, cx: &mut Cx<'_>) {
        if self.backoff.failures() >= config.request_retries {
            let advice = match error {
                Error::Network { .. } | Error::NoReply { .. } => Advice::CheckNetwork,
                _ => Advice::AskVendor,
            };
            return self.stop(State::StoppedToRegister, error, advice, cx);
        }
        cx.stop(Timer::Reply);
        cx.retrying(Timer::Retry, error, &mut self.backoff);
        self.state = State::Pausing;
    }

    /// An honest no, or anything else. The codes are those of help.aliyun.com's tables for devices.
    pub(super) fn failed(&mut self, error: Error, config: &Config, cx: &mut Cx<'_>) {
        let Error::Rejected { by } = &error else { return self.retry(error, config, cx) };
        let advice = match by {
            Rejected::Code { code, .. } => match code.as_str() {
                "6289" => Advice::AlreadyRegistered,
                // Signature, parameters, product.
                "401" | "460" | "5005" => Advice::CheckProductSecret,
                // Dynamic registration is off; no such device.
                "403" | "6100" | "28560" | "62101" => Advice::ImportDevice,
                "6204" => Advice::CheckDevice,
                "429" | "500" | "503" => return self.retry(error, config, cx),
                _ => Advice::AskVendor,
            },
            Rejected::Http { status: 408 | 429 | 500.., .. } | Rejected::Connack { code: 3 } => {
                return self.retry(error, config, cx);
            }
            Rejected::Connack { code: 4 } => Advice::CheckProductSecret,
            // 5 may mean any of: not imported, registration off, active already.
            Rejected::Connack { code: 5 } => Advice::ImportDevice,
            _ => Advice::AskVendor,
        };
        self.stop(State::StoppedToRegister, error, advice, cx);
    }

    /// The HTTP request's end.
    pub(super) fn answered(&mut self, answer: &Answer, config: &Config, cx: &mut Cx<'_>) {
        if self.state != State::Asking {
            return cx.stray();
        }
        let read = match answer {
            Answer::Failed(failure) => Err((*failure).into()),
            Answer::Response(response) => read_answer(config, response),
        };
        self.issued(read, config, cx);
    }

    /// A message before there is a secret.
    pub(super) fn pushed(&mut self, message: &Message, config: &Config, cx: &mut Cx<'_>) {
        let Origin::Registration(Registration { way: Way::Mqtt { auth_type, .. }, .. }) =
            &config.origin
        else {
            return cx.stray();
        };
        let (topic, issued): (_, Issued) = match auth_type {
            AuthType::Register => (wire::EXT_REGISTER, Credential::issued_secret),
            AuthType::Regnwl => (wire::EXT_REGNWL, Credential::issued_token),
        };
        if message.topic != topic {
            return cx.stray();
        }
        let doc = Document::open(message.payload.expose());
        let credential = issued(doc.root(), config);
        let read = doc.finish().map(|()| credential);
        if read.is_err() {
            self.close(cx);
        }
        self.issued(read, config, cx);
    }

    fn issued(&mut self, read: Result<Credential, Error>, config: &Config, cx: &mut Cx<'_>) {
        match read {
            Ok(credential) => {
                self.credential = credential;
                self.backoff.reset();
                self.store(config, cx);
            }
            Err(error) => self.failed(error, config, cx),
        }
    }

    /// Persist, then use: the secret goes to the storage before anything else happens.
    pub(super) fn store(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.stop(Timer::Reply);
        cx.step(Step::StoreSecret);
        self.awaited = cx.store(StoreKey::Credential, self.credential.write(config));
        self.state = State::Storing;
    }

    pub(super) fn stored(&mut self, outcome: &Outcome, config: &Config, cx: &mut Cx<'_>) {
        match (self.state, outcome) {
            (State::Storing, Outcome::Done) => {
                let (product, device) = config.names();
                cx.event(Event::Registered {
                    identity: Identity {
                        platform: crate::PlatformName::Alibaba,
                        product: product.into(),
                        device: device.into(),
                    },
                });
                let Some(connection) = self.connection else { return self.login(config, cx) };
                cx.step(Step::LeaveRegistration);
                cx.close(connection);
                cx.after(Timer::Reply, config.reply_timeout);
                self.state = State::Leaving;
            }
            (State::Storing, _) => {
                self.close(cx);
                self.stop(State::StoppedToStore, store_failed(), Advice::CheckStorage, cx);
            }
            (State::Erasing, Outcome::Done) => self.begin(config, cx),
            (State::Erasing, _) => {
                self.stop(State::StoppedToErase, store_failed(), Advice::CheckStorage, cx);
            }
            _ => cx.stray(),
        }
    }

    /// A person wants to register again: the stored secret goes first.
    pub(super) fn erase(&mut self, cx: &mut Cx<'_>) {
        cx.step(Step::EraseSecret);
        self.credential = Credential::default();
        self.awaited = cx.erase(StoreKey::Credential);
        self.state = State::Erasing;
    }
}

type Issued = fn(crate::json::Value<'_>, &Config) -> Credential;

fn read_answer(config: &Config, response: &Response) -> Result<Credential, Error> {
    let secrets = match &config.origin {
        Origin::Registration(Registration { product_secret, .. })
        | Origin::Configured(product_secret) => [product_secret],
    };
    let (status, body) = (response.status, response.body.as_slice());
    if status != 200 {
        // Whole: a secret in it is masked before the text is cut.
        return Err(Rejected::http(status, readable(body), &secrets).into());
    }
    let doc = Document::open(body);
    let root = doc.root();
    let code = root.must("code");
    if code != "200" {
        root.wrong(Rejected::code(&code, &root.text_or_empty("message"), &secrets));
    }
    let credential = match root.must_have("data") {
        Some(data) => Credential::issued_secret(data, config),
        None => Credential::default(),
    };
    doc.finish()?;
    Ok(credential)
}

/// `body` as far as it is UTF-8.
fn readable(body: &[u8]) -> &str {
    let end = match core::str::from_utf8(body) {
        Ok(text) => return text,
        Err(error) => error.valid_up_to(),
    };
    body.get(..end).and_then(|body| core::str::from_utf8(body).ok()).unwrap_or_default()
}
