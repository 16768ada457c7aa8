//! From the first question to the stored secret.

use super::{Flow, Step, is_unknown_device, say_storage_failed};
use crate::agent::Cx;
use crate::backoff::Backoff;
use crate::error::{CodecError, Error, Failure, Rejected};
use crate::output::{Advice, Event, Identity, Step as Told, StoreKey};
use crate::platform::PlatformName;
use crate::platform::cmcc::config::Config;
use crate::platform::cmcc::wire::{self, Credential};
use crate::time::Timer;

impl Flow {
    /// As if nothing had been asked before.
    pub(super) fn ask_first(&mut self, config: &Config, cx: &mut Cx<'_>) {
        self.credential = Credential::default();
        self.backoff = Backoff::login();
        self.unanswered = 0;
        self.ask(config, cx);
    }

    pub(super) fn ask(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.stop_all();
        cx.step(Told::RequestSecret);
        self.awaited = cx.request(wire::info_request(config));
        cx.after(Timer::Reply, config.reply_timeout);
        self.step = Step::ExpectSecret;
    }

    pub(super) fn no_secret(&mut self, error: Error, config: &Config, cx: &mut Cx<'_>) {
        cx.stop_all();
        let again = match retry(&error) {
            Retry::Never => false,
            Retry::Counted => {
                self.unanswered += 1;
                self.unanswered <= config.request_retries
            }
            Retry::Always => true,
        };
        if again {
            cx.retrying(Timer::Retry, error, &mut self.backoff);
            self.step = Step::WaitToAsk;
        } else {
            let advice = advice(&error);
            cx.event(Event::Stopped { error, advice });
            self.step = Step::Unregistered;
        }
    }

    pub(super) fn store(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.stop_all();
        cx.step(Told::StoreSecret);
        let value = wire::write_credential(config, &self.credential);
        self.awaited = cx.store(StoreKey::Credential, value);
        self.step = Step::ExpectStored;
    }

    pub(super) fn secret_stored(&mut self, done: bool, config: &Config, cx: &mut Cx<'_>) {
        if !done {
            say_storage_failed(cx);
            self.step = Step::Unstored;
            return;
        }
        let (product, device) = config.names();
        cx.event(Event::Registered {
            identity: Identity {
                platform: PlatformName::Cmcc,
                product: product.into(),
                device: device.into(),
            },
        });
        self.begin_anew();
        self.report(config, cx);
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
