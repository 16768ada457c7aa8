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

use alloc::string::String;
use core::time::Duration;

use crate::cbor::{Decode, Encode};

use super::config::{Config, Strategy};
use super::schedule::{self, Diary, Inherited, Keeper, Plan, Schedule};
use super::wire::{self, Credential};
use crate::agent::{Cx, Stored};
use crate::backoff::Backoff;
use crate::error::{ApiMisuse, CodecError, Error, Failure, LocalFailure, Rejected};
use crate::input::{Answer, Input, Intent, Outcome};
use crate::output::{Advice, Event, Identity, Step as Told, StoreKey, Token, Warning};
use crate::platform::{Device, PlatformName};
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

/// Between the first question and the answer.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Asking {
    #[n(0)]
    backoff: Backoff,
    /// How many questions went out and came to nothing, those not counted that found nobody to ask.
    #[n(1)]
    unanswered: u32,
}

impl Asking {
    fn new() -> Self {
        Self { backoff: Backoff::login(), unanswered: 0 }
    }

    fn ask(self, config: &Config, cx: &mut Cx<'_>) -> Step {
        cx.stop_all();
        cx.step(Told::RequestSecret);
        let token = cx.request(wire::info_request(config));
        cx.after(Timer::Reply, config.reply_timeout);
        Step::ExpectSecret(ExpectSecret { asking: self, token })
    }

    fn failed(mut self, error: Error, config: &Config, cx: &mut Cx<'_>) -> Step {
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
        let wait = self.backoff.next(cx.rng());
        say_retrying(error, self.backoff, wait, cx);
        Step::WaitToAsk(self)
    }
}

/// `secret/info` is on its way.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct ExpectSecret {
    #[n(0)]
    asking: Asking,
    #[n(1)]
    token: Token,
}

impl ExpectSecret {
    fn answered(self, answer: Answer, config: &Config, cx: &mut Cx<'_>) -> Step {
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

fn store(credential: Credential, config: &Config, cx: &mut Cx<'_>) -> Step {
    cx.step(Told::StoreSecret);
    let value = wire::write_credential(config, &credential);
    let token = cx.store(StoreKey::Credential, value);
    Step::ExpectStored(ExpectStored { credential, token })
}

/// The secret is on its way to the storage; nothing uses it before it is there.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct ExpectStored {
    #[n(0)]
    credential: Credential,
    #[n(1)]
    token: Token,
}

impl ExpectStored {
    fn ended(self, outcome: &Outcome, config: &Config, cx: &mut Cx<'_>) -> Step {
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

/// A device with a stored secret.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Registered {
    #[n(0)]
    credential: Credential,
    #[n(1)]
    schedule: Schedule,
    #[n(2)]
    keeper: Keeper,
    #[n(3)]
    backoff: Backoff,
    /// [`Event::Ready`] was said, and nothing has voided it since.
    #[n(4)]
    ready: bool,
}

impl Registered {
    fn new(credential: Credential) -> Self {
        Self {
            credential,
            schedule: Schedule::Overdue,
            keeper: Keeper::Idle,
            backoff: schedule::backoff(),
            ready: false,
        }
    }

    /// After a restart before T_next: the schedule stands, and nothing is sent.
    fn go_on(mut self, plan: Plan, config: &Config, cx: &mut Cx<'_>) -> Step {
        cx.event(Event::Ready);
        cx.event(plan.scheduled(config));
        cx.at(Timer::Heartbeat, plan.next());
        cx.after(Timer::Clock, schedule::CLOCK_CHECK);
        self.schedule = Schedule::Planned(plan);
        self.ready = true;
        Step::Resting(self)
    }

    fn report(self, config: &Config, cx: &mut Cx<'_>) -> Step {
        cx.stop(Timer::Retry);
        cx.stop(Timer::Heartbeat);
        cx.step(Told::Heartbeat);
        let token = cx.request(wire::report_request(config, &self.credential));
        cx.after(Timer::Reply, config.reply_timeout);
        Step::ExpectAccepted(ExpectAccepted { registered: self, token })
    }

    /// The report did not get through. T_next and the limit stay where they were.
    fn failed(mut self, error: Error, config: &Config, cx: &mut Cx<'_>) -> Step {
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
        say_retrying(error, self.backoff, wait, cx);
        Step::WaitToReport(self)
    }

    /// A person wants the device to register again. The schedule goes first: a credential without one reports at once,
    /// whatever is cut in between.
    fn forget(self, cx: &mut Cx<'_>) -> Step {
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
struct ExpectAccepted {
    #[n(0)]
    registered: Registered,
    #[n(1)]
    token: Token,
}

impl ExpectAccepted {
    fn answered(self, answer: Answer, config: &Config, cx: &mut Cx<'_>, diary: &mut Diary) -> Step {
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
enum Erasing {
    #[n(0)]
    Credential,
    #[n(1)]
    Nothing,
}

/// The store is being emptied, because a person asked for it.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct ExpectErased {
    #[n(0)]
    credential: Credential,
    #[n(1)]
    next: Erasing,
    #[n(2)]
    token: Token,
}

impl ExpectErased {
    fn ended(mut self, outcome: &Outcome, config: &Config, cx: &mut Cx<'_>) -> Step {
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

fn say_retrying(error: Error, backoff: Backoff, wait: Duration, cx: &mut Cx<'_>) {
    cx.after(Timer::Retry, wait);
    let in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    cx.event(Event::Retrying { error, failures: backoff.failures(), in_ms });
}

fn say_storage_failed(cx: &mut Cx<'_>) {
    let error = Error::Local { failure: LocalFailure::Store };
    cx.event(Event::Stopped { error, advice: Advice::CheckStorage });
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

/// Code 500 is 设备或产品不存在: no such device or product.
fn is_unknown_device(error: &Error) -> bool {
    matches!(error, Error::Rejected { by: Rejected::Code { code, .. } } if code == "500")
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
