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
//!    └─────── Resting ──► Erasing… ──► ExpectSecret   (only if a person asks for it)
//! ```
//!
//! A step is one word here, and what the steps work with lies beside it in [`Flow`]: structs of their own, which hand
//! their secret and their schedule on to the next one, were several kilobytes more of the plugin.

mod register;
mod report;

use crate::snapshot::Kept;

use super::config::{Config, Strategy};
use super::schedule::{self, Diary, Inherited, Keeper, Plan};
use super::wire::{self, Credential};
use crate::agent::{Cx, Stored};
use crate::backoff::Backoff;
use crate::error::{ApiMisuse, Error, LocalFailure, Rejected};
use crate::input::{Answer, Input, Intent, Outcome};
use crate::output::{Advice, Event, Step as Told, StoreKey, Token, Warning};
use crate::platform::Device;
use crate::time::Timer;

/// One device of this platform.
#[derive(Debug, Default, Kept)]
pub(crate) struct Flow {
    diary: Diary,
    step: Step,
    /// Of the command whose answer the step waits for.
    awaited: Token,
    /// Of the questions or the reports in hand.
    backoff: Backoff,
    /// How many questions went out and came to nothing, those not counted that found nobody to ask.
    unanswered: u32,
    /// Empty until the platform has given it.
    credential: Credential,
    /// When the next report is due. Nothing: none was ever accepted, or nobody knows when.
    plan: Option<Plan>,
    keeper: Keeper,
    /// [`Event::Ready`] was said, and nothing has voided it since.
    ready: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Kept)]
enum Step {
    /// `secret/info` is on its way.
    ExpectSecret,
    WaitToAsk,
    /// Asking came to nothing; a person decides.
    Unregistered,
    /// The secret is on its way to the storage; nothing uses it before it is there.
    ExpectStored,
    /// The secret is here, but the storage does not take it; a person decides.
    Unstored,
    /// A report is on its way.
    ExpectAccepted,
    WaitToReport,
    /// The next report is planned.
    #[default]
    Resting,
    /// The platform does not know the device any more.
    Refused,
    /// The store is being emptied, because a person asked for it.
    ErasingSchedule,
    ErasingCredential,
}

impl Device for Flow {
    type Config = Config;

    fn start(&mut self, config: &Config, stored: &Stored, cx: &mut Cx<'_>) {
        let mut credential = None;
        if let Some(bytes) = stored.get(StoreKey::Credential) {
            match wire::read_credential(config, bytes.expose()) {
                Ok(read) => credential = read,
                Err(_) => cx.misuse(ApiMisuse::StoredUnreadable(StoreKey::Credential)),
            }
        }
        if config.product_id_is_number {
            warn(Warning::ProductIdAsDeviceNumber, cx);
        }
        if config.odd_imei {
            warn(Warning::ImeiCheckDigit, cx);
        }
        let Some(credential) = credential else { return self.ask_first(config, cx) };
        self.credential = credential;
        self.begin_anew();
        let mut inherited = Inherited::Nothing;
        if let Some(bytes) = stored.get(StoreKey::Schedule) {
            match schedule::inherit(config, bytes.expose(), cx.now()) {
                Ok(read) => (inherited, self.diary) = read,
                // A lost schedule costs one early report; a device that does not start costs a visit.
                Err(error) => warn(Warning::Ignored { error }, cx),
            }
        }
        match inherited {
            Inherited::Standing(plan) => self.go_on(plan, config, cx),
            Inherited::ClockJumped => {
                warn(Warning::ClockJumped, cx);
                self.report(config, cx);
            }
            Inherited::Nothing | Inherited::Due => self.report(config, cx),
        }
    }

    fn handle(&mut self, config: &Config, input: &Input, cx: &mut Cx<'_>) {
        self.look_at_clock(config, cx);
        match input {
            Input::Response(token, answer) if *token == self.awaited => {
                self.answered(answer, config, cx);
            }
            Input::Stored(token, outcome) => self.stored(*token, outcome, config, cx),
            Input::User(intent) => self.intent(intent, config, cx),
            // This platform has no connection and no downloads; Timeout never comes here.
            _ => cx.stray(),
        }
    }

    fn expired(&mut self, config: &Config, timer: Timer, cx: &mut Cx<'_>) {
        self.look_at_clock(config, cx);
        match (self.step, timer) {
            (Step::ExpectSecret, Timer::Reply) => {
                self.no_secret(Error::NoReply { step: Told::RequestSecret }, config, cx);
            }
            (Step::WaitToAsk, Timer::Retry) => self.ask(config, cx),
            (Step::ExpectAccepted, Timer::Reply) => {
                self.not_accepted(Error::NoReply { step: Told::Heartbeat }, config, cx);
            }
            (Step::WaitToReport, Timer::Retry)
            | (Step::Resting | Step::Refused, Timer::Heartbeat) => self.report(config, cx),
            (_, Timer::Clock) if self.is_registered() => {
                cx.after(Timer::Clock, schedule::CLOCK_CHECK);
            }
            _ => {}
        }
    }

    fn supports(intent: &Intent) -> bool {
        matches!(intent, Intent::Use { .. })
    }
}

impl Flow {
    /// Whether it reports, or is to report.
    fn is_registered(&self) -> bool {
        matches!(
            self.step,
            Step::ExpectAccepted | Step::WaitToReport | Step::Resting | Step::Refused
        )
    }

    /// Compares the clocks and stores what is new.
    fn look_at_clock(&mut self, config: &Config, cx: &mut Cx<'_>) {
        if !self.is_registered() {
            return;
        }
        let Some(plan) = &mut self.plan else { return };
        let news = plan.check_clock(cx);
        if self.step == Step::Resting {
            cx.at(Timer::Heartbeat, plan.next());
        }
        if news {
            self.keep(config, cx);
        }
    }

    /// Stores the schedule.
    fn keep(&mut self, config: &Config, cx: &mut Cx<'_>) {
        self.keeper.keep(config, self.plan.as_ref(), &self.diary, cx);
    }

    fn answered(&mut self, answer: &Answer, config: &Config, cx: &mut Cx<'_>) {
        let response = match answer {
            Answer::Response(response) => Ok(response),
            Answer::Failed(failure) => Err(Error::from(*failure)),
        };
        match self.step {
            Step::ExpectSecret => {
                match response.and_then(|response| wire::read_info(config, response)) {
                    Ok(credential) => {
                        self.credential = credential;
                        self.store(config, cx);
                    }
                    Err(error) => self.no_secret(error, config, cx),
                }
            }
            Step::ExpectAccepted => {
                let credential = &self.credential;
                match response.and_then(|it| wire::read_report(config, credential, it)) {
                    Ok(()) => self.accepted(config, cx),
                    Err(error) => self.not_accepted(error, config, cx),
                }
            }
            _ => cx.stray(),
        }
    }

    fn stored(&mut self, token: Token, outcome: &Outcome, config: &Config, cx: &mut Cx<'_>) {
        let done = *outcome == Outcome::Done;
        match self.step {
            Step::ExpectStored if token == self.awaited => self.secret_stored(done, config, cx),
            Step::ErasingSchedule | Step::ErasingCredential if token == self.awaited => {
                self.erased(done, config, cx);
            }
            _ if self.is_registered() => {
                let Self { keeper, plan, diary, .. } = self;
                keeper.stored(token, done, config, plan.as_ref(), diary, cx);
            }
            _ => cx.stray(),
        }
    }

    fn intent(&mut self, intent: &Intent, config: &Config, cx: &mut Cx<'_>) {
        match (self.step, intent) {
            (step, Intent::Use { date }) if config.strategy == Strategy::Daily => {
                match self.diary.used(*date) {
                    Ok(true) if matches!(step, Step::Resting | Step::Refused) => {
                        self.report(config, cx);
                    }
                    Ok(_) => {}
                    Err(error) => warn(Warning::Ignored { error: error.into() }, cx),
                }
            }
            (Step::WaitToAsk | Step::Unregistered, Intent::TryAgain | Intent::RegisterAgain)
            | (Step::Unstored, Intent::RegisterAgain) => self.ask_first(config, cx),
            (Step::Unstored, Intent::TryAgain) => self.store(config, cx),
            (Step::WaitToReport | Step::Refused, Intent::TryAgain | Intent::Report)
            | (Step::Resting, Intent::Report) => self.report(config, cx),
            (_, Intent::RegisterAgain) if self.is_registered() => self.forget(cx),
            // What is asked for is under way, or there is nothing to be done about it.
            _ => {}
        }
    }
}

fn warn(warning: Warning, cx: &mut Cx<'_>) {
    cx.event(Event::Warning { warning });
}

fn say_storage_failed(cx: &mut Cx<'_>) {
    let error = Error::Local { failure: LocalFailure::Store };
    cx.event(Event::Stopped { error, advice: Advice::CheckStorage });
}

/// Code 500 is 设备或产品不存在: no such device or product.
fn is_unknown_device(error: &Error) -> bool {
    matches!(error, Error::Rejected { by: Rejected::Code { code, .. } } if code == "500")
}
