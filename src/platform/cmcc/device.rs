//! The device: ask once, store, report for ever.
//!
//! ```text
//! start ──► ExpectSecret ⇄ WaitToAsk           (or Unregistered, until a person decides)
//!                │
//!                ▼
//!           ExpectStored                        (or Unstored, until a person decides)
//!                │
//!                ▼
//!    ┌─► ExpectAccepted ⇄ WaitToReport
//!    │           │  └────► Refused              (code 500: said, and tried again when the next report is due)
//!    │           ▼
//!    └─────── Resting ──► ExpectErased ──► ExpectSecret   (only if a person asks for it)
//! ```

mod register;
mod report;

use crate::cbor::{Decode, Encode};

use self::register::{Asking, ExpectSecret, ExpectStored, store};
use self::report::{ExpectAccepted, ExpectErased, Registered};
use super::config::{Config, Strategy};
use super::schedule::{self, Diary, Inherited, Schedule};
use super::wire::{self, Credential};
use crate::agent::{Cx, Stored};
use crate::error::{ApiMisuse, Error, LocalFailure, Rejected};
use crate::input::{Answer, Input, Intent, Outcome};
use crate::output::{Advice, Event, Step as Told, StoreKey, Token, Warning};
use crate::platform::Device;
use crate::time::Timer;

/// One device of this platform.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Flow {
    #[n(0)]
    diary: Diary,
    #[n(1)]
    step: Step,
}

#[derive(Debug, Encode, Decode)]
enum Step {
    #[n(0)]
    ExpectSecret(#[n(0)] ExpectSecret),
    #[n(1)]
    WaitToAsk(#[n(0)] Asking),
    /// Asking came to nothing; a person decides.
    #[n(2)]
    Unregistered,
    #[n(3)]
    ExpectStored(#[n(0)] ExpectStored),
    /// The secret is here, but the storage does not take it; a person decides.
    #[n(4)]
    Unstored(#[n(0)] Credential),
    #[n(5)]
    ExpectAccepted(#[n(0)] ExpectAccepted),
    #[n(6)]
    WaitToReport(#[n(0)] Registered),
    /// The next report is planned.
    #[n(7)]
    Resting(#[n(0)] Registered),
    /// The platform does not know the device any more.
    #[n(8)]
    Refused(#[n(0)] Registered),
    #[n(9)]
    ExpectErased(#[n(0)] ExpectErased),
}

impl Device for Flow {
    type Config = Config;

    fn start(config: &Config, stored: &Stored, cx: &mut Cx<'_>) -> Result<Self, ApiMisuse> {
        let credential = match stored.get(StoreKey::Credential) {
            None => None,
            Some(bytes) => wire::read_credential(config, bytes.expose())
                .map_err(|_| ApiMisuse::StoredUnreadable(StoreKey::Credential))?,
        };
        let warn = |cx: &mut Cx<'_>, warning| cx.event(Event::Warning { warning });
        if config.product_id_is_number {
            warn(cx, Warning::ProductIdAsDeviceNumber);
        }
        if config.odd_imei {
            warn(cx, Warning::ImeiCheckDigit);
        }
        let Some(credential) = credential else {
            return Ok(Self { diary: Diary::new(None), step: Asking::new().ask(config, cx) });
        };
        let (inherited, diary) = match stored.get(StoreKey::Schedule) {
            None => (Inherited::Nothing, Diary::new(None)),
            Some(bytes) => {
                schedule::inherit(config, bytes.expose(), cx.now()).unwrap_or_else(|error| {
                    // A lost schedule costs one early report; a device that does not start costs a visit.
                    warn(cx, Warning::Ignored { error: error.into() });
                    (Inherited::Nothing, Diary::new(None))
                })
            }
        };
        if let Inherited::ClockJumped = inherited {
            warn(cx, Warning::ClockJumped);
        }
        let registered = Registered::new(credential);
        let step = match inherited {
            Inherited::Standing(plan) => registered.go_on(plan, config, cx),
            Inherited::Nothing | Inherited::ClockJumped | Inherited::Due => {
                registered.report(config, cx)
            }
        };
        Ok(Self { diary, step })
    }

    fn handle(mut self, config: &Config, input: Input, cx: &mut Cx<'_>) -> Self {
        self.look_at_clock(config, cx);
        let step = match input {
            Input::Response(token, answer) => {
                self.step.response(token, answer, config, cx, &mut self.diary)
            }
            Input::Stored(token, outcome) => {
                self.step.stored(token, &outcome, config, cx, &self.diary)
            }
            Input::User(intent) => self.step.intent(&intent, config, cx, &mut self.diary),
            // This platform has no connection and no downloads; Timeout never comes here.
            _ => {
                cx.stray();
                self.step
            }
        };
        Self { step, ..self }
    }

    fn expired(mut self, config: &Config, timer: Timer, cx: &mut Cx<'_>) -> Self {
        self.look_at_clock(config, cx);
        let step = match (self.step, timer) {
            (Step::ExpectSecret(step), Timer::Reply) => {
                step.asking.failed(Error::NoReply { step: Told::RequestSecret }, config, cx)
            }
            (Step::WaitToAsk(asking), Timer::Retry) => asking.ask(config, cx),
            (Step::ExpectAccepted(step), Timer::Reply) => {
                step.registered.failed(Error::NoReply { step: Told::Heartbeat }, config, cx)
            }
            (Step::WaitToReport(registered), Timer::Retry)
            | (Step::Resting(registered) | Step::Refused(registered), Timer::Heartbeat) => {
                registered.report(config, cx)
            }
            (mut step, Timer::Clock) => {
                if step.registered().is_some() {
                    cx.after(Timer::Clock, schedule::CLOCK_CHECK);
                }
                step
            }
            (step, _) => step,
        };
        Self { step, ..self }
    }

    fn supports(intent: &Intent) -> bool {
        matches!(intent, Intent::Use { .. })
    }
}

impl Flow {
    fn look_at_clock(&mut self, config: &Config, cx: &mut Cx<'_>) {
        let resting = matches!(self.step, Step::Resting(_));
        let Some(registered) = self.step.registered() else { return };
        let Registered { schedule, keeper, .. } = registered;
        schedule::check_clock(schedule, keeper, config, &self.diary, cx);
        if let (Schedule::Planned(plan), true) = (schedule, resting) {
            cx.at(Timer::Heartbeat, plan.next());
        }
    }
}

impl Step {
    /// What a registered device carries through all its steps but the last.
    fn registered(&mut self) -> Option<&mut Registered> {
        match self {
            Self::ExpectAccepted(step) => Some(&mut step.registered),
            Self::WaitToReport(registered)
            | Self::Resting(registered)
            | Self::Refused(registered) => Some(registered),
            Self::ExpectSecret(_)
            | Self::WaitToAsk(_)
            | Self::Unregistered
            | Self::ExpectStored(_)
            | Self::Unstored(_)
            | Self::ExpectErased(_) => None,
        }
    }

    fn response(
        self,
        token: Token,
        answer: Answer,
        config: &Config,
        cx: &mut Cx<'_>,
        diary: &mut Diary,
    ) -> Self {
        match self {
            Self::ExpectSecret(step) if step.token == token => step.answered(answer, config, cx),
            Self::ExpectAccepted(step) if step.token == token => {
                step.answered(answer, config, cx, diary)
            }
            step => {
                cx.stray();
                step
            }
        }
    }

    fn stored(
        mut self,
        token: Token,
        outcome: &Outcome,
        config: &Config,
        cx: &mut Cx<'_>,
        diary: &Diary,
    ) -> Self {
        match self {
            Self::ExpectStored(step) if step.token == token => step.ended(outcome, config, cx),
            Self::ExpectErased(step) if step.token == token => step.ended(outcome, config, cx),
            _ => {
                let ours = self.registered().is_some_and(|registered| {
                    let Registered { schedule, keeper, .. } = registered;
                    keeper.stored(token, outcome, config, schedule, diary, cx)
                });
                if !ours {
                    cx.stray();
                }
                self
            }
        }
    }

    fn intent(self, intent: &Intent, config: &Config, cx: &mut Cx<'_>, diary: &mut Diary) -> Self {
        match (self, intent) {
            (step, Intent::Use { date }) if config.strategy == Strategy::Daily => {
                match (step, diary.used(*date)) {
                    (Self::Resting(me) | Self::Refused(me), Ok(true)) => me.report(config, cx),
                    (step, Ok(_)) => step,
                    (step, Err(error)) => {
                        let warning = Warning::Ignored { error: error.into() };
                        cx.event(Event::Warning { warning });
                        step
                    }
                }
            }
            (Self::WaitToAsk(_) | Self::Unregistered, Intent::TryAgain | Intent::RegisterAgain) => {
                Asking::new().ask(config, cx)
            }
            (Self::Unstored(credential), Intent::TryAgain) => store(credential, config, cx),
            (Self::Unstored(_), Intent::RegisterAgain) => Asking::new().ask(config, cx),
            (Self::WaitToReport(me) | Self::Refused(me), Intent::TryAgain | Intent::Report)
            | (Self::Resting(me), Intent::Report) => me.report(config, cx),
            (
                Self::WaitToReport(me) | Self::Refused(me) | Self::Resting(me),
                Intent::RegisterAgain,
            ) => me.forget(cx),
            (Self::ExpectAccepted(step), Intent::RegisterAgain) => step.registered.forget(cx),
            // What is asked for is under way, or there is nothing to be done about it.
            (step, _) => step,
        }
    }
}

fn say_storage_failed(cx: &mut Cx<'_>) {
    let error = Error::Local { failure: LocalFailure::Store };
    cx.event(Event::Stopped { error, advice: Advice::CheckStorage });
}

/// Code 500 is 设备或产品不存在: no such device or product.
fn is_unknown_device(error: &Error) -> bool {
    matches!(error, Error::Rejected { by: Rejected::Code { code, .. } } if code == "500")
}
