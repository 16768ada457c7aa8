//! A device with a stored secret: report, rest, report; and forget, if a person wants it.

use core::time::Duration;

use crate::cbor::{Decode, Encode};

use super::{Asking, Step, is_unknown_device, say_storage_failed};
use crate::agent::Cx;
use crate::backoff::Backoff;
use crate::error::Error;
use crate::input::{Answer, Outcome};
use crate::output::{Advice, Event, Step as Told, StoreKey, Token};
use crate::platform::cmcc::config::Config;
use crate::platform::cmcc::schedule::{self, Diary, Keeper, Plan, Schedule};
use crate::platform::cmcc::wire::{self, Credential};
use crate::time::Timer;

/// A device with a stored secret.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Registered {
    #[n(0)]
    pub(super) credential: Credential,
    #[n(1)]
    pub(super) schedule: Schedule,
    #[n(2)]
    pub(super) keeper: Keeper,
    #[n(3)]
    pub(super) backoff: Backoff,
    /// [`Event::Ready`] was said, and nothing has voided it since.
    #[n(4)]
    pub(super) ready: bool,
}

impl Registered {
    pub(super) fn new(credential: Credential) -> Self {
        Self {
            credential,
            schedule: Schedule::Overdue,
            keeper: Keeper::Idle,
            backoff: schedule::backoff(),
            ready: false,
        }
    }

    /// After a restart before T_next: the schedule stands, and nothing is sent.
    pub(super) fn go_on(mut self, plan: Plan, config: &Config, cx: &mut Cx<'_>) -> Step {
        cx.event(Event::Ready);
        cx.event(plan.scheduled(config));
        cx.at(Timer::Heartbeat, plan.next());
        cx.after(Timer::Clock, schedule::CLOCK_CHECK);
        self.schedule = Schedule::Planned(plan);
        self.ready = true;
        Step::Resting(self)
    }

    pub(super) fn report(self, config: &Config, cx: &mut Cx<'_>) -> Step {
        cx.stop(Timer::Retry);
        cx.stop(Timer::Heartbeat);
        cx.step(Told::Heartbeat);
        let token = cx.request(wire::report_request(config, &self.credential));
        cx.after(Timer::Reply, config.reply_timeout);
        Step::ExpectAccepted(ExpectAccepted { registered: self, token })
    }

    /// The report did not get through. T_next and the limit stay where they were.
    pub(super) fn failed(mut self, error: Error, config: &Config, cx: &mut Cx<'_>) -> Step {
        cx.stop(Timer::Reply);
        if is_unknown_device(&error) {
            // A person has to look into it, and this device never asks for a secret again on its own. But the
            // document wants a report every day, and a platform that is only out of order says 500 too.
            cx.event(Event::Stopped { error, advice: Advice::CheckDevice });
            let wait = schedule::span(config, cx.rng());
            cx.after(Timer::Heartbeat, Duration::from_millis(wait));
            self.backoff.reset();
            self.ready = false;
            return Step::Refused(self);
        }
        let wait = self.schedule.retry_wait(config, &mut self.backoff, cx);
        cx.retrying_in(Timer::Retry, error, &self.backoff, wait);
        Step::WaitToReport(self)
    }

    /// A person wants the device to register again. The schedule goes first: a credential without one reports at once,
    /// whatever is cut in between.
    pub(super) fn forget(self, cx: &mut Cx<'_>) -> Step {
        cx.stop_all();
        cx.step(Told::EraseSecret);
        let token = cx.erase(StoreKey::Schedule);
        Step::ExpectErased(ExpectErased {
            credential: self.credential,
            next: Erasing::Credential,
            token,
        })
    }
}

/// A report is on its way.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectAccepted {
    #[n(0)]
    pub(super) registered: Registered,
    #[n(1)]
    pub(super) token: Token,
}

impl ExpectAccepted {
    pub(super) fn answered(
        self,
        answer: Answer,
        config: &Config,
        cx: &mut Cx<'_>,
        diary: &mut Diary,
    ) -> Step {
        let mut me = self.registered;
        let read = match answer {
            Answer::Response(response) => wire::read_report(config, &me.credential, &response),
            Answer::Failed(failure) => Err(failure.into()),
        };
        if let Err(error) = read {
            return me.failed(error, config, cx);
        }
        cx.stop(Timer::Reply);
        diary.accepted();
        me.backoff.reset();
        let now = cx.now();
        let plan = Plan::after_report(config, now, cx.rng());
        cx.at(Timer::Heartbeat, plan.next());
        cx.after(Timer::Clock, schedule::CLOCK_CHECK);
        let accepted = plan.heartbeat(config);
        me.schedule = Schedule::Planned(plan);
        me.keeper.keep(config, &me.schedule, diary, cx);
        cx.event(accepted);
        if !me.ready {
            cx.event(Event::Ready);
            me.ready = true;
        }
        Step::Resting(me)
    }
}

/// What is erased after what is being erased now.
#[derive(Debug, Encode, Decode)]
#[cbor(index_only)]
pub(super) enum Erasing {
    #[n(0)]
    Credential,
    #[n(1)]
    Nothing,
}

/// The store is being emptied, because a person asked for it.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ExpectErased {
    #[n(0)]
    pub(super) credential: Credential,
    #[n(1)]
    pub(super) next: Erasing,
    #[n(2)]
    pub(super) token: Token,
}

impl ExpectErased {
    pub(super) fn ended(mut self, outcome: &Outcome, config: &Config, cx: &mut Cx<'_>) -> Step {
        if *outcome != Outcome::Done {
            say_storage_failed(cx);
            // The credential is still good; the daily duty goes on with it.
            let wait = schedule::span(config, cx.rng());
            cx.after(Timer::Heartbeat, Duration::from_millis(wait));
            return Step::Refused(Registered::new(self.credential));
        }
        match self.next {
            Erasing::Credential => {
                self.token = cx.erase(StoreKey::Credential);
                self.next = Erasing::Nothing;
                Step::ExpectErased(self)
            }
            Erasing::Nothing => Asking::new().ask(config, cx),
        }
    }
}
