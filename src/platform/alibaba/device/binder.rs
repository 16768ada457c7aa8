//! Bind tokens: made by the device, reported to the cloud, good for a while.
//!
//! The owner's app hears the token on the local network and gives it to the cloud, which compares. The vendor's SDK
//! makes it from 16 random bytes, reports it with QoS 1 and reports it again when no `match_reply` came in 3 seconds.

use alloc::string::String;
use core::mem;

use crate::snapshot::Kept;

use super::{Flow, ignored};
use crate::agent::Cx;
use crate::error::Error;
use crate::hex;
use crate::num;
use crate::output::{Event, Step};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::wire::{self, Reply};
use crate::time::{Millis, Timer};

/// Until the report is repeated (`awss_report.c`).
const RETRY: Millis = Millis::of_secs(3);
/// Reports of one token in all (`awss_report.c` repeats twice).
const TRIES: u32 = 3;

/// The token that the cloud has not answered yet, or nothing. One that it knows stands until [`Timer::Token`].
#[derive(Debug, Default, Kept)]
pub(super) struct Binder {
    token: String,
    id: u32,
    tries: u32,
}

impl Binder {
    pub(super) fn is_reporting(&self) -> bool {
        !self.token.is_empty()
    }
}

impl Flow {
    /// Makes a new token and reports it.
    pub(super) fn begin_binding(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.step(Step::ReportToken);
        let token = hex::upper(&cx.rng().bytes::<16>());
        self.binder = Binder { token, id: self.id(), tries: 0 };
        self.report_binding(config, cx);
    }

    /// A `match_reply`.
    pub(super) fn binding_answered(&mut self, reply: Reply, config: &Config, cx: &mut Cx<'_>) {
        if !self.binder.is_reporting() || !reply.answers(self.binder.id) {
            return cx.stray();
        }
        let token = mem::take(&mut self.binder.token);
        match reply.result {
            Ok(()) => {
                cx.after(Timer::Token, config.bind_token_life);
                cx.event(Event::BindToken { token, for_ms: config.bind_token_life.0 });
            }
            Err(by) => {
                cx.stop(Timer::Token);
                ignored(by, cx);
            }
        }
    }

    /// [`Timer::Token`]: no answer, or the token's life is over.
    pub(super) fn binding_expired(&mut self, config: &Config, cx: &mut Cx<'_>) {
        if !self.binder.is_reporting() {
            return;
        }
        if self.binder.tries < TRIES {
            // The same token and id: an answer to either report is as good.
            return self.report_binding(config, cx);
        }
        self.binder.token.clear();
        ignored(Error::NoReply { step: Step::ReportToken }, cx);
    }

    fn report_binding(&mut self, config: &Config, cx: &mut Cx<'_>) {
        self.binder.tries += 1;
        let payload = wire::match_report(&num::text(self.binder.id.into()), &self.binder.token);
        self.publish(wire::MATCH, payload, config, cx);
        cx.after(Timer::Token, RETRY);
    }
}
