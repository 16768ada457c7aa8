//! From the first question to the stored secret.

use alloc::string::String;

use crate::cbor::{Decode, Encode};

use super::{Registered, Step, is_unknown_device, say_storage_failed};
use crate::agent::Cx;
use crate::backoff::Backoff;
use crate::error::{CodecError, Error, Failure, Rejected};
use crate::input::{Answer, Outcome};
use crate::output::{Advice, Event, Identity, Step as Told, StoreKey, Token};
use crate::platform::PlatformName;
use crate::platform::cmcc::config::Config;
use crate::platform::cmcc::wire::{self, Credential};
use crate::time::Timer;

/// Between the first question and the answer.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Asking {
    #[n(0)]
    pub(super) backoff: Backoff,
    /// How many questions went out and came to nothing, those not counted that found nobody to ask.
    #[n(1)]
    pub(super) unanswered: u32,
}

impl Asking {
    pub(super) fn new() -> Self {
        Self { backoff: Backoff::login(), unanswered: 0 }
    }

    pub(super) fn ask(self, config: &Config, cx: &mut Cx<'_>) -> Step {
        cx.stop_all();
        cx.step(Told::RequestSecret);
        let token = cx.request(wire::info_request(config));
        cx.after(Timer::Reply, config.reply_timeout);
        Step::ExpectSecret(ExpectSecret { asking: self, token })
    }

    pub(super) fn failed(mut self, error: Error, config: &Config, cx: &mut Cx<'_>) -> Step {
        cx.stop_all();
        let again = match retry(&error) {
            Retry::Never => false,
            Retry::Counted => {
                self.unanswered += 1;
                self.unanswered <= config.request_retries
            }
            Retry::Always => true,
        };
        if !again {
            let advice = advice(&error);
            cx.event(Event::Stopped { error, advice });
            return Step::Unregistered;
        }
        cx.retrying(Timer::Retry, error, &mut self.backoff);
        Step::WaitToAsk(self)
    }
}

/// `secret/info` is on its way.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectSecret {
    #[n(0)]
    pub(super) asking: Asking,
    #[n(1)]
    pub(super) token: Token,
}

impl ExpectSecret {
    pub(super) fn answered(self, answer: Answer, config: &Config, cx: &mut Cx<'_>) -> Step {
        let read = match answer {
            Answer::Response(response) => wire::read_info(config, &response),
            Answer::Failed(failure) => Err(failure.into()),
        };
        match read {
            Ok(credential) => {
                cx.stop_all();
                store(credential, config, cx)
            }
            Err(error) => self.asking.failed(error, config, cx),
        }
    }
}

pub(super) fn store(credential: Credential, config: &Config, cx: &mut Cx<'_>) -> Step {
    cx.step(Told::StoreSecret);
    let value = wire::write_credential(config, &credential);
    let token = cx.store(StoreKey::Credential, value);
    Step::ExpectStored(ExpectStored { credential, token })
}

/// The secret is on its way to the storage; nothing uses it before it is there.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectStored {
    #[n(0)]
    pub(super) credential: Credential,
    #[n(1)]
    pub(super) token: Token,
}

impl ExpectStored {
    pub(super) fn ended(self, outcome: &Outcome, config: &Config, cx: &mut Cx<'_>) -> Step {
        if *outcome != Outcome::Done {
            say_storage_failed(cx);
            return Step::Unstored(self.credential);
        }
        let (product, device) = config.names();
        cx.event(Event::Registered {
            identity: Identity {
                platform: PlatformName::Cmcc,
                product: String::from(product),
                device: String::from(device),
            },
        });
        Registered::new(self.credential).report(config, cx)
    }
}

/// Whether asking for the secret once more can help.
enum Retry {
    Never,
    /// `request_retries` times: whoever answers may be out of order for a moment.
    Counted,
    /// Nobody heard the question: a device may be switched on before its network is.
    Always,
}

fn retry(error: &Error) -> Retry {
    match error {
        Error::Network { failure: Failure::Dns | Failure::Unreachable | Failure::Tls } => {
            Retry::Always
        }
        Error::Network { failure: Failure::Forbidden } => Retry::Never,
        Error::Network { .. } | Error::NoReply { .. } | Error::Codec { .. } => Retry::Counted,
        Error::Rejected { by: Rejected::Http { status: 408 | 429 | 500.., .. } } => Retry::Counted,
        Error::Rejected { .. } | Error::PeerMisbehaved { .. } | Error::Local { .. } => Retry::Never,
    }
}

/// What a person may do about a secret that did not come.
fn advice(error: &Error) -> Advice {
    match error {
        error if is_unknown_device(error) => Advice::ImportDevice,
        Error::Rejected { by: Rejected::Http { status: 401 | 403, .. } } => {
            Advice::CheckProductSecret
        }
        // Somebody else answers at this address, or nobody does.
        Error::Rejected { by: Rejected::Http { status: 404 | 405, .. } }
        | Error::Codec { error: CodecError::NotJson }
        | Error::Network { .. }
        | Error::NoReply { .. } => Advice::CheckNetwork,
        Error::Local { .. } => Advice::CheckStorage,
        Error::Rejected { .. } | Error::PeerMisbehaved { .. } | Error::Codec { .. } => {
            Advice::AskVendor
        }
    }
}
