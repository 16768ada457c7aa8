//! Bind tokens: made by the device, reported to the cloud, good for a while.
//!
//! The owner's app hears the token on the local network and gives it to the cloud, which compares. The vendor's SDK
//! makes it from 16 random bytes, reports it with QoS 1 and reports it again when no `match_reply` came in 3 seconds.

use alloc::string::String;
use core::mem;
use core::time::Duration;

use crate::cbor::{Decode, Encode};
use crate::num;

use super::Shared;
use super::downlink::ignored;
use super::session::Session;
use crate::agent::Cx;
use crate::error::Error;
use crate::hex;
use crate::output::{Event, QoS, Step};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::wire::{self, Reply};
use crate::time::Timer;

/// Until the report is repeated (`awss_report.c`).
const RETRY: Duration = Duration::from_secs(3);
/// Reports of one token in all (`awss_report.c` repeats twice).
const TRIES: u32 = 3;

#[derive(Debug, Encode, Decode)]
pub(super) enum Binder {
    /// There is no token.
    #[n(0)]
    Idle,
    /// The cloud has not answered yet.
    #[n(1)]
    Reporting {
        #[n(0)]
        token: String,
        #[n(1)]
        id: u32,
        #[n(2)]
        tries: u32,
    },
    /// The cloud knows the token, until [`Timer::Token`].
    #[n(2)]
    Standing,
}

impl Binder {
    pub(super) fn is_reporting(&self) -> bool {
        matches!(self, Self::Reporting { .. })
    }

    /// A `match_reply`.
    pub(super) fn answered(&mut self, config: &Config, reply: &Reply, cx: &mut Cx<'_>) {
        let token = match self {
            Self::Reporting { token, id, .. } if reply.answers(*id) => mem::take(token),
            _ => return cx.stray(),
        };
        match &reply.result {
            Ok(()) => {
                cx.after(Timer::Token, config.bind_token_life);
                let for_ms = crate::time::millis(config.bind_token_life);
                cx.event(Event::BindToken { token, for_ms });
                *self = Self::Standing;
            }
            Err(by) => {
                cx.stop(Timer::Token);
                ignored(by.clone().into(), cx);
                *self = Self::Idle;
            }
        }
    }
}

impl Session {
    /// Makes a new token and reports it.
    pub(super) fn begin_binding(&mut self, config: &Config, shared: &mut Shared, cx: &mut Cx<'_>) {
        cx.step(Step::ReportToken);
        let token = hex::upper(&cx.rng().bytes::<16>());
        let id = shared.id();
        report(config, &token, id, self, cx);
        self.binder = Binder::Reporting { token, id, tries: 1 };
    }

    /// [`Timer::Token`] expired: no answer, or the token's life is over.
    pub(super) fn binding_expired(&mut self, config: &Config, cx: &mut Cx<'_>) {
        match mem::replace(&mut self.binder, Binder::Idle) {
            Binder::Reporting { token, id, tries } if tries < TRIES => {
                // The same token and id: an answer to either report is as good.
                report(config, &token, id, self, cx);
                self.binder = Binder::Reporting { token, id, tries: tries + 1 };
            }
            Binder::Reporting { .. } => ignored(Error::NoReply { step: Step::ReportToken }, cx),
            Binder::Standing | Binder::Idle => {}
        }
    }
}

fn report(config: &Config, token: &str, id: u32, session: &mut Session, cx: &mut Cx<'_>) {
    let topic = wire::sys(&config.product_key, &config.device_name, wire::MATCH);
    let payload = wire::match_report(&num::text(id.into()), token);
    session.publish(topic, QoS::AtLeastOnce, payload, cx);
    cx.after(Timer::Token, RETRY);
}
