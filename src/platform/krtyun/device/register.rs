//! The steps with the product's secret: connect, subscribe, ask, store, confirm, leave.
//!
//! What a session with it is for shows in the credential: an absent one is to be got; an unproven one is to be
//! confirmed, because its login was refused before it ever worked.

use super::super::config::Config;
use super::super::credential::{Credential, Standing};
use super::super::wire::{self, Issue, Strictness};
use super::{Flow, State, await_reply, warn};
use crate::agent::Cx;
use crate::error::{CodecError, Error, PeerMisbehaved};
use crate::input::{Closed, Message};
use crate::output::{Advice, Event, Identity, QoS, Step, StoreKey};
use crate::time::{Millis, Timer};

/// How long the platform may take to close the socket after it acknowledged the confirmation.
const LEAVE: Millis = Millis::of_secs(2);

impl Flow {
    pub(super) fn register(&mut self, config: &Config, cx: &mut Cx<'_>) {
        let Some(secret) = &config.product_secret else {
            // Not with a configuration that was read from settings.
            let error = CodecError::missing("product_secret").into();
            let advice = Advice::CheckProductSecret;
            return self.stop(State::StoppedToRegister, error, advice, cx);
        };
        cx.step(Step::ConnectToRegister);
        self.connect(secret.clone(), config, cx);
        self.state = State::RegisterConnecting;
    }

    /// CONNACK with a code, or no connection.
    pub(super) fn register_refused(
        &mut self,
        closed: &Closed,
        error: Error,
        config: &Config,
        cx: &mut Cx<'_>,
    ) {
        let advice = match closed {
            Closed::Refused(1 | 2) => Advice::AskVendor,
            Closed::Refused(4) => Advice::CheckProductSecret,
            Closed::Refused(5) => Advice::ImportDevice,
            // The network, or a server that is not ready: no reason to ever give up.
            _ => return self.rest(State::RestingToRegister, error, cx),
        };
        self.registration_failed(error, advice, config, cx);
    }

    /// No CONNACK or no SUBACK in time.
    pub(super) fn not_admitted(&mut self, config: &Config, cx: &mut Cx<'_>) {
        self.close(cx);
        if self.state == State::RegisterConnecting {
            let error = Error::NoReply { step: Step::ConnectToRegister };
            self.rest(State::RestingToRegister, error, cx);
        } else {
            let error = Error::NoReply { step: Step::SubscribeForSecret };
            self.registration_failed(error, Advice::AskVendor, config, cx);
        }
    }

    /// A session with the product's secret came to nothing. Ends after as many tries as a request has; one that was
    /// to confirm goes back to the login, which counts by itself.
    pub(super) fn registration_failed(
        &mut self,
        error: Error,
        advice: Advice,
        config: &Config,
        cx: &mut Cx<'_>,
    ) {
        if self.credential.standing != Standing::Absent {
            return self.rest(State::RestingToLogin, error, cx);
        }
        self.failed_registrations = self.failed_registrations.saturating_add(1);
        if self.failed_registrations > config.request_retries {
            self.failed_registrations = 0;
            self.stop(State::StoppedToRegister, error, advice, cx);
        } else {
            self.rest(State::RestingToRegister, error, cx);
        }
    }

    pub(super) fn subscribed(&mut self, config: &Config, cx: &mut Cx<'_>) {
        if self.credential.standing == Standing::Absent {
            self.ask(config, cx);
        } else {
            self.confirm(State::ConfirmingEarlier, config, cx);
        }
    }

    fn ask(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.step(Step::RequestSecret);
        // To confirm a secret: the same ID again, so that what is stored stays true if the same secret comes.
        self.id = match &self.credential.standing {
            Standing::Unproven { id, .. } => id.clone(),
            _ => cx.rng().hex::<8>(),
        };
        self.tries = 0;
        self.state = State::Asking;
        self.publish_request(config, cx);
    }

    fn publish_request(&mut self, config: &Config, cx: &mut Cx<'_>) {
        let body = wire::request(&config.assumed, &self.id, &config.product_id, &config.device_id);
        self.publish(body, config, cx);
    }

    fn publish(&mut self, body: alloc::vec::Vec<u8>, config: &Config, cx: &mut Cx<'_>) {
        await_reply(config, cx);
        self.tries += 1;
        let topic = config.topics.register_post.as_str();
        self.awaited = cx.publish(topic, QoS::AtLeastOnce, body);
    }

    pub(super) fn issued(&mut self, message: &Message, config: &Config, cx: &mut Cx<'_>) {
        let id = config.match_id.then_some(self.id.as_str());
        let strict = Strictness { id, cmd: config.match_cmd };
        match Issue::parse(message.payload.expose(), &config.assumed, strict, config.names()) {
            Ok(Issue { id, secret }) => {
                // The confirmation echoes the issue's ID, as the answer to an order does.
                let id = id.unwrap_or_else(|| self.id.clone());
                let refusals = match self.credential.standing {
                    Standing::Unproven { refusals, .. } => refusals,
                    _ => 0,
                };
                let credential =
                    Credential { secret, standing: Standing::Unproven { id, refusals } };
                let known = self.credential == credential;
                self.credential = credential;
                self.quiet(cx);
                if known {
                    // It is stored already, word for word.
                    return self.confirm(State::Confirming, config, cx);
                }
                cx.step(Step::StoreSecret);
                self.awaited = cx.store(StoreKey::Credential, self.credential.to_json(config));
                self.state = State::Storing;
            }
            Err(error @ Error::Rejected { .. })
            | Err(error @ Error::PeerMisbehaved { how: PeerMisbehaved::UnusableSecret }) => {
                self.close(cx);
                self.registration_failed(error, Advice::AskVendor, config, cx);
            }
            Err(error) => warn(error, cx),
        }
    }

    /// No issue so far, or (`again`) the time to ask once more.
    pub(super) fn no_issue(&mut self, again: bool, config: &Config, cx: &mut Cx<'_>) {
        let silence = Error::NoReply { step: Step::RequestSecret };
        if again {
            self.publish_request(config, cx);
        } else if self.tries <= config.request_retries {
            self.back_off(silence, cx);
        } else {
            self.close(cx);
            if self.credential.standing == Standing::Absent {
                // "后续收到设备鉴权命令将不再回复": a device that has its secret is answered no more.
                let advice = Advice::AlreadyRegistered;
                self.stop(State::StoppedToRegister, silence, advice, cx);
            } else {
                // Active after all, perhaps.
                self.rest(State::RestingToLogin, silence, cx);
            }
        }
    }

    /// `state`: of which session the issue is.
    pub(super) fn confirm(&mut self, state: State, config: &Config, cx: &mut Cx<'_>) {
        match &self.credential.standing {
            Standing::Unproven { id, .. } => self.id = id.clone(),
            // Only what is not proven is ever confirmed.
            _ => return self.login(config, cx),
        }
        cx.step(Step::ConfirmSecret);
        self.tries = 0;
        self.state = state;
        self.publish_confirmation(config, cx);
    }

    fn publish_confirmation(&mut self, config: &Config, cx: &mut Cx<'_>) {
        let body = wire::confirmation(&config.assumed, &self.id);
        self.publish(body, config, cx);
    }

    pub(super) fn confirmed(&mut self, config: &Config, cx: &mut Cx<'_>) {
        self.registered(config, cx);
        self.state = match self.state {
            State::Confirming => State::Leaving,
            _ => State::LeavingEarlier,
        };
        self.quiet(cx);
        cx.step(Step::LeaveRegistration);
        cx.after(Timer::Reply, LEAVE);
    }

    /// The confirmation is not acknowledged so far, or (`again`) it is time to send it once more.
    pub(super) fn not_confirmed(&mut self, again: bool, config: &Config, cx: &mut Cx<'_>) {
        if again {
            self.publish_confirmation(config, cx);
        } else if self.tries <= config.request_retries {
            self.back_off(Error::NoReply { step: Step::ConfirmSecret }, cx);
        } else {
            self.close(cx);
            self.login(config, cx);
        }
    }

    /// The platform has the confirmation, as far as we can see.
    pub(super) fn registered(&mut self, config: &Config, cx: &mut Cx<'_>) {
        self.failed_registrations = 0;
        if self.state == State::Confirming {
            let (product, device) = config.names();
            cx.event(Event::Registered {
                identity: Identity {
                    platform: crate::PlatformName::Krtyun,
                    product: product.into(),
                    device: device.into(),
                },
            });
        }
    }

    /// The platform did not close the socket.
    pub(super) fn not_left(&mut self, config: &Config, cx: &mut Cx<'_>) {
        if self.state == State::Leaving {
            self.close(cx);
            self.login(config, cx);
        } else {
            // It does not know the issue that we confirmed: perhaps it never kept it.
            self.ask(config, cx);
        }
    }
}
