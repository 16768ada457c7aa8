//! A device with a stored secret: report, rest, report; and forget, if a person wants it.

use super::{Flow, Step, is_unknown_device, say_storage_failed};
use crate::agent::Cx;
use crate::error::Error;
use crate::output::{Advice, Event, Step as Told, StoreKey};
use crate::platform::cmcc::config::Config;
use crate::platform::cmcc::schedule::{self, Keeper, Plan};
use crate::platform::cmcc::wire;
use crate::time::{Millis, Timer};

impl Flow {
    /// With a secret, and nothing reported so far.
    pub(super) fn begin_anew(&mut self) {
        self.plan = None;
        self.keeper = Keeper::Idle;
        self.backoff = schedule::backoff();
        self.ready = false;
    }

    /// After a restart before T_next: the schedule stands, and nothing is sent.
    pub(super) fn go_on(&mut self, plan: Plan, config: &Config, cx: &mut Cx<'_>) {
        cx.event(Event::Ready);
        cx.event(plan.scheduled(config));
        self.rest(plan, cx);
        self.ready = true;
    }

    fn rest(&mut self, plan: Plan, cx: &mut Cx<'_>) {
        cx.at(Timer::Heartbeat, plan.next());
        cx.after(Timer::Clock, schedule::CLOCK_CHECK);
        self.plan = Some(plan);
        self.step = Step::Resting;
    }

    pub(super) fn report(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.stop(Timer::Retry);
        cx.stop(Timer::Heartbeat);
        cx.step(Told::Heartbeat);
        self.awaited = cx.request(wire::report_request(config, &self.credential));
        cx.after(Timer::Reply, config.reply_timeout);
        self.step = Step::ExpectAccepted;
    }

    /// The report did not get through. T_next and the limit stay where they were.
    pub(super) fn not_accepted(&mut self, error: Error, config: &Config, cx: &mut Cx<'_>) {
        cx.stop(Timer::Reply);
        if is_unknown_device(&error) {
            // A person has to look into it, and this device never asks for a secret again on its own. But the
            // document wants a report every day, and a platform that is only out of order says 500 too.
            cx.event(Event::Stopped { error, advice: Advice::CheckDevice });
            self.backoff.reset();
            self.ready = false;
            return self.refused(config, cx);
        }
        let wait = schedule::retry_wait(self.plan.as_ref(), config, &mut self.backoff, cx);
        cx.retrying_in(Timer::Retry, error, &self.backoff, wait);
        self.step = Step::WaitToReport;
    }

    /// The daily duty goes on all the same.
    fn refused(&mut self, config: &Config, cx: &mut Cx<'_>) {
        let wait = schedule::span(config, cx.rng());
        cx.after(Timer::Heartbeat, Millis(wait));
        self.step = Step::Refused;
    }

    pub(super) fn accepted(&mut self, config: &Config, cx: &mut Cx<'_>) {
        cx.stop(Timer::Reply);
        self.diary.accepted();
        self.backoff.reset();
        let now = cx.now();
        let plan = Plan::after_report(config, now, cx.rng());
        let accepted = plan.heartbeat(config);
        self.rest(plan, cx);
        self.keep(config, cx);
        cx.event(accepted);
        if !self.ready {
            cx.event(Event::Ready);
            self.ready = true;
        }
    }

    /// A person wants the device to register again. The schedule goes first: a credential without one reports at once,
    /// whatever is cut in between.
    pub(super) fn forget(&mut self, cx: &mut Cx<'_>) {
        cx.stop_all();
        cx.step(Told::EraseSecret);
        self.awaited = cx.erase(StoreKey::Schedule);
        self.step = Step::ErasingSchedule;
    }

    pub(super) fn erased(&mut self, done: bool, config: &Config, cx: &mut Cx<'_>) {
        if !done {
            say_storage_failed(cx);
            // The credential is still good.
            self.begin_anew();
            return self.refused(config, cx);
        }
        if self.step == Step::ErasingSchedule {
            self.awaited = cx.erase(StoreKey::Credential);
            self.step = Step::ErasingCredential;
        } else {
            self.ask_first(config, cx);
        }
    }
}
