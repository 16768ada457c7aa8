//! The guided flow: list or discover → filter → key → hand Wi-Fi credentials over → wait for the token → bind.
//!
//! One struct a step; each takes the reply that it waits for and returns the next. At most one call of the flow is
//! under way, so a reply needs no name.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::call::{Call, CallName, CipherRequest, DeviceName, ParameterError};
use super::reply::{Bindable, CipherKey, Reply};
use super::{AppConfig, AppOutput, millis};
use crate::error::{Error, PeerMisbehaved, Rejected};
use crate::platform::alibaba::cipher::{CipherType, Mac, Random, awss_password};
use crate::secret::Secret;
use crate::time::Instant;

/// What is to be bound, and how.
#[derive(Clone, Debug)]
pub struct BindPlan {
    /// What was found on the local network or by Bluetooth; empty: ask the cloud for its list.
    pub devices: Vec<DeviceName>,
    /// Which of them; the first that can be bound if absent.
    pub choose: Option<DeviceName>,
    /// Also products under development.
    pub scope_all: bool,
    /// Ask for a key and hand Wi-Fi credentials over first; absent for devices that are online already.
    pub cipher: Option<CipherPlan>,
    /// How the device is bound.
    pub by: BindBy,
    /// The home; the configured one if absent.
    pub home_id: Option<String>,
}

/// How a device is bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindBy {
    /// By the token that it announces; absent: wait for [`AppInput::BindToken`](super::AppInput::BindToken).
    Token(Option<String>),
    /// By the time since its power-on.
    Window,
}

/// Which key, and what to encrypt with it.
#[derive(Clone, Debug)]
pub struct CipherPlan {
    /// 3, 4, 6 or 7.
    pub cipher: CipherType,
    /// As the device announced it; zeros in broadcast modes.
    pub random: Random,
    /// For types 6 and 7.
    pub mac: Option<Mac>,
    /// For types 6 and 7.
    pub product_id: Option<String>,
    /// The network that the device is to join.
    pub wifi: Option<Wifi>,
}

/// A Wi-Fi network.
#[derive(Clone, Debug)]
pub struct Wifi {
    /// Its name.
    pub ssid: String,
    /// Its password.
    pub password: Secret,
}

/// What the host has to hand to the device. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// To whom.
    pub device: DeviceName,
    /// The AES-128 key.
    pub key: CipherKey,
    /// The IV, and what the device derives the same key from.
    pub random: Random,
    /// The network, where one was given.
    pub ssid: Option<String>,
    /// Its password, encrypted (AES-128-CBC, zero padding, upper-case hex), ready for `passwd`.
    pub passwd: Option<Secret>,
}

/// What a person wants to see. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "event", rename_all = "snake_case")
)]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum AppEvent {
    /// A step of the guided flow begins.
    Step {
        /// Which.
        step: AppStep,
    },
    /// Devices that the cloud's list names.
    Discovered {
        /// Each.
        devices: Vec<DeviceName>,
    },
    /// Devices that can be bound.
    Filtered {
        /// Each.
        devices: Vec<Bindable>,
    },
    /// The device that will be bound.
    Chosen {
        /// Which.
        device: DeviceName,
    },
    /// The key is there and went out in [`AppOutput::HandOver`].
    KeyReady {
        /// For which device.
        device: DeviceName,
    },
    /// The device is expected to come online and to announce its token.
    Waiting {
        /// Milliseconds that are left.
        for_ms: u64,
    },
    /// The cloud knows the token.
    TokenKnown {
        /// The device's iotId.
        iot_id: String,
    },
    /// Done.
    Bound {
        /// Which device.
        device: DeviceName,
        /// Its iotId.
        iot_id: String,
    },
    /// The flow ended without a bound device.
    Failed {
        /// In which step.
        step: AppStep,
        /// Why.
        failure: BindFailure,
    },
    /// The flow was stopped, or replaced by another.
    Cancelled,
    /// A call got no reply and will be repeated.
    Retrying {
        /// Which.
        call: CallName,
        /// What happened.
        error: Error,
        /// How many tries have failed.
        failures: u32,
        /// When, from now.
        in_ms: u64,
    },
}

/// A step of the guided flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum AppStep {
    /// Asking the cloud what was discovered.
    List,
    /// Asking which devices can be bound.
    Filter,
    /// Asking for the key.
    Cipher,
    /// Waiting for the device's token.
    Token,
    /// Binding.
    Bind,
}

/// Why no device was bound.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(tag = "why", rename_all = "snake_case")
)]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum BindFailure {
    /// A call was refused or got no reply.
    Call {
        /// How.
        error: Error,
    },
    /// A value of the plan is not allowed.
    Parameter {
        /// Which.
        error: ParameterError,
    },
    /// Nothing was discovered, or nothing of it can be bound: bound already, unknown, or not published.
    NothingToBind,
    /// The chosen device is not among those that can be bound.
    NotAmongThem,
    /// The Wi-Fi password cannot be encrypted: empty, too long, or with a NUL in it.
    Password,
    /// The device announced no token, or the cloud never heard of it, before the deadline.
    NoToken,
    /// The device did not come into its time window before the deadline.
    NoWindow,
}

/// What a step may use.
pub(super) struct FlowCx<'a> {
    pub(super) config: &'a AppConfig,
    pub(super) now: Instant,
    pub(super) outbox: &'a mut VecDeque<AppOutput>,
    /// The one call that this step wants made.
    pub(super) call: Option<Call>,
}

impl FlowCx<'_> {
    fn event(&mut self, event: AppEvent) {
        self.outbox.push_back(AppOutput::Event(event));
    }

    fn fail(&mut self, step: AppStep, failure: BindFailure) -> Option<Flow> {
        self.event(AppEvent::Failed { step, failure });
        None
    }

    /// Makes a call, or ends the flow over a parameter.
    fn ask(
        &mut self,
        step: AppStep,
        call: Result<Call, ParameterError>,
        next: Flow,
    ) -> Option<Flow> {
        match call {
            Ok(call) => {
                self.call = Some(call);
                Some(next)
            }
            Err(error) => self.fail(step, BindFailure::Parameter { error }),
        }
    }
}

/// The step in hand.
#[derive(Debug)]
pub(super) enum Flow {
    Listed(ExpectList),
    Filtered(ExpectFiltered),
    Key(ExpectKey),
    Announced(ExpectAnnounced),
    Known(ExpectKnown),
    Resting(Resting),
    Bound(ExpectBound),
}

#[derive(Debug)]
pub(super) struct ExpectList {
    plan: BindPlan,
}

#[derive(Debug)]
pub(super) struct ExpectFiltered {
    plan: BindPlan,
}

#[derive(Debug)]
pub(super) struct ExpectKey {
    plan: BindPlan,
    cipher: CipherPlan,
    device: DeviceName,
}

/// The device's token comes over the local network.
#[derive(Debug)]
pub(super) struct ExpectAnnounced {
    target: Target,
}

/// `token/check` is under way.
#[derive(Debug)]
pub(super) struct ExpectKnown {
    target: Target,
    token: String,
    /// A newer token came meanwhile.
    newer: Option<String>,
}

/// Between two tries.
#[derive(Debug)]
pub(super) struct Resting {
    target: Target,
    /// Absent when the device is bound by time window.
    token: Option<String>,
    until: Instant,
}

#[derive(Debug)]
pub(super) struct ExpectBound {
    target: Target,
    token: Option<String>,
    /// A newer token came meanwhile.
    newer: Option<String>,
}

/// The chosen device, its home, and until when it is waited for.
#[derive(Debug)]
struct Target {
    device: DeviceName,
    home_id: Option<String>,
    deadline: Instant,
}

impl Flow {
    pub(super) fn start(plan: BindPlan, cx: &mut FlowCx<'_>) -> Option<Self> {
        if !plan.devices.is_empty() {
            return filter(plan, cx);
        }
        cx.event(AppEvent::Step { step: AppStep::List });
        // The first page: a person provisions one device, the one in hand.
        cx.ask(AppStep::List, Call::list(50, 1), Self::Listed(ExpectList { plan }))
    }

    /// Begins at a later step: a person goes on after a failure, and what came before is done. Without a device, or a
    /// token that is needed, it begins where those are found.
    pub(super) fn start_at(step: AppStep, mut plan: BindPlan, cx: &mut FlowCx<'_>) -> Option<Self> {
        let device = plan.choose.clone().or_else(|| plan.devices.first().cloned());
        let device = match (step, device) {
            (AppStep::List, _) => {
                plan.devices.clear();
                return Self::start(plan, cx);
            }
            (AppStep::Filter, _) | (_, None) => return Self::start(plan, cx),
            (AppStep::Cipher | AppStep::Token | AppStep::Bind, Some(device)) => device,
        };
        cx.event(AppEvent::Chosen { device: device.clone() });
        if step == AppStep::Cipher {
            return key(plan, device, cx);
        }
        match (step, &plan.by) {
            (AppStep::Bind, BindBy::Token(Some(token))) => {
                let token = token.clone();
                bind(target(&plan, device, cx), Some(token), cx)
            }
            _ => wait(plan, device, cx),
        }
    }

    /// When this step wants to be called again.
    pub(super) fn wake(&self) -> Option<Instant> {
        match self {
            Self::Announced(step) => Some(step.target.deadline),
            Self::Resting(step) => Some(step.until),
            Self::Listed(_)
            | Self::Filtered(_)
            | Self::Key(_)
            | Self::Known(_)
            | Self::Bound(_) => None,
        }
    }

    pub(super) fn replied(self, result: Result<Reply, Error>, cx: &mut FlowCx<'_>) -> Option<Self> {
        match self {
            Self::Listed(step) => step.replied(result, cx),
            Self::Filtered(step) => step.replied(result, cx),
            Self::Key(step) => step.replied(result, cx),
            Self::Known(step) => step.replied(result, cx),
            Self::Bound(step) => step.replied(result, cx),
            // No call is under way in these: nothing to take.
            flow @ (Self::Announced(_) | Self::Resting(_)) => Some(flow),
        }
    }

    pub(super) fn bind_token(self, token: String, cx: &mut FlowCx<'_>) -> Option<Self> {
        match self {
            Self::Announced(step) => check(step.target, token, cx),
            Self::Resting(step) if step.token.is_some() => check(step.target, token, cx),
            Self::Known(step) => Some(Self::Known(ExpectKnown { newer: Some(token), ..step })),
            Self::Bound(step) if step.token.is_some() => {
                Some(Self::Bound(ExpectBound { newer: Some(token), ..step }))
            }
            // Before the hand-over a token is good to have.
            Self::Listed(ExpectList { plan }) => {
                Some(Self::Listed(ExpectList { plan: with_token(plan, token) }))
            }
            Self::Filtered(ExpectFiltered { plan }) => {
                Some(Self::Filtered(ExpectFiltered { plan: with_token(plan, token) }))
            }
            Self::Key(step) => {
                let plan = with_token(step.plan, token);
                Some(Self::Key(ExpectKey { plan, ..step }))
            }
            flow => Some(flow),
        }
    }

    pub(super) fn expired(self, cx: &mut FlowCx<'_>) -> Option<Self> {
        match self {
            Self::Announced(_) => cx.fail(AppStep::Token, BindFailure::NoToken),
            Self::Resting(Resting { target, token: Some(token), .. }) => check(target, token, cx),
            Self::Resting(Resting { target, token: None, .. }) => bind(target, None, cx),
            flow => Some(flow),
        }
    }
}

fn with_token(mut plan: BindPlan, token: String) -> BindPlan {
    if let BindBy::Token(known) = &mut plan.by {
        *known = Some(token);
    }
    plan
}

impl ExpectList {
    fn replied(self, result: Result<Reply, Error>, cx: &mut FlowCx<'_>) -> Option<Flow> {
        let mut plan = self.plan;
        match result {
            Ok(Reply::Discovered(page)) => {
                plan.devices = page.items.into_iter().map(|item| item.enrollee).collect();
                cx.event(AppEvent::Discovered { devices: plan.devices.clone() });
                if plan.devices.is_empty() {
                    return cx.fail(AppStep::List, BindFailure::NothingToBind);
                }
                filter(plan, cx)
            }
            other => refused(AppStep::List, other, cx),
        }
    }
}

fn filter(plan: BindPlan, cx: &mut FlowCx<'_>) -> Option<Flow> {
    cx.event(AppEvent::Step { step: AppStep::Filter });
    let call = Call::filter(&plan.devices, plan.scope_all);
    cx.ask(AppStep::Filter, call, Flow::Filtered(ExpectFiltered { plan }))
}

impl ExpectFiltered {
    fn replied(self, result: Result<Reply, Error>, cx: &mut FlowCx<'_>) -> Option<Flow> {
        let plan = self.plan;
        let bindable = match result {
            Ok(Reply::Filtered(bindable)) => bindable,
            other => return refused(AppStep::Filter, other, cx),
        };
        cx.event(AppEvent::Filtered { devices: bindable.clone() });
        // A cloud that names devices nobody asked for does not get to choose one.
        let mut among = bindable.iter().filter(|b| plan.devices.contains(&b.device));
        let found = match &plan.choose {
            Some(choice) => among.find(|bindable| bindable.device == *choice),
            None => among.next(),
        };
        let device = match found {
            Some(found) => found.device.clone(),
            None if plan.choose.is_some() => {
                return cx.fail(AppStep::Filter, BindFailure::NotAmongThem);
            }
            None => return cx.fail(AppStep::Filter, BindFailure::NothingToBind),
        };
        cx.event(AppEvent::Chosen { device: device.clone() });
        key(plan, device, cx)
    }
}

/// Asks for the key, if something is to be handed over.
fn key(plan: BindPlan, device: DeviceName, cx: &mut FlowCx<'_>) -> Option<Flow> {
    let Some(cipher) = plan.cipher.clone() else { return wait(plan, device, cx) };
    cx.event(AppEvent::Step { step: AppStep::Cipher });
    let call = Call::cipher(&CipherRequest {
        cipher: cipher.cipher,
        product_key: Some(device.product_key.clone()),
        product_id: cipher.product_id.clone(),
        device_name: Some(device.device_name.clone()),
        mac: cipher.mac,
        random: cipher.random,
    });
    cx.ask(AppStep::Cipher, call, Flow::Key(ExpectKey { plan, cipher, device }))
}

impl ExpectKey {
    fn replied(self, result: Result<Reply, Error>, cx: &mut FlowCx<'_>) -> Option<Flow> {
        let key = match result {
            Ok(Reply::Key(key)) => key,
            other => return refused(AppStep::Cipher, other, cx),
        };
        let Self { plan, cipher, device } = self;
        let passwd = match &cipher.wifi {
            // An open network has no password.
            Some(wifi) if !wifi.password.is_empty() => {
                match awss_password(&key.bytes(), cipher.random, &wifi.password) {
                    Ok(passwd) => Some(Secret::new(passwd)),
                    Err(_) => return cx.fail(AppStep::Cipher, BindFailure::Password),
                }
            }
            _ => None,
        };
        cx.event(AppEvent::KeyReady { device: device.clone() });
        cx.outbox.push_back(AppOutput::HandOver(HandOver {
            device: device.clone(),
            key,
            random: cipher.random,
            ssid: cipher.wifi.map(|wifi| wifi.ssid),
            passwd,
        }));
        wait(plan, device, cx)
    }
}

fn target(plan: &BindPlan, device: DeviceName, cx: &FlowCx<'_>) -> Target {
    Target {
        device,
        home_id: plan.home_id.clone().or_else(|| cx.config.home_id.clone()),
        deadline: cx.now + cx.config.deadline,
    }
}

/// The device joins the network, logs in and announces itself: that is what the deadline is for.
fn wait(plan: BindPlan, device: DeviceName, cx: &mut FlowCx<'_>) -> Option<Flow> {
    let target = target(&plan, device, cx);
    match plan.by {
        BindBy::Window => bind(target, None, cx),
        BindBy::Token(token) => {
            cx.event(AppEvent::Step { step: AppStep::Token });
            cx.event(AppEvent::Waiting { for_ms: millis(cx.config.deadline) });
            match token {
                Some(token) => check(target, token, cx),
                None => Some(Flow::Announced(ExpectAnnounced { target })),
            }
        }
    }
}

fn check(target: Target, token: String, cx: &mut FlowCx<'_>) -> Option<Flow> {
    let (pk, dn) = (&target.device.product_key, &target.device.device_name);
    let call = Call::token_check(&token, Some(pk), Some(dn));
    let next = Flow::Known(ExpectKnown { target, token, newer: None });
    cx.ask(AppStep::Token, call, next)
}

impl ExpectKnown {
    fn replied(self, result: Result<Reply, Error>, cx: &mut FlowCx<'_>) -> Option<Flow> {
        let Self { target, token, newer } = self;
        match result {
            Ok(Reply::Token(holder)) if holder.device != target.device => {
                let error = PeerMisbehaved::WrongIdentity.into();
                cx.fail(AppStep::Token, BindFailure::Call { error })
            }
            Ok(Reply::Token(holder)) => {
                cx.event(AppEvent::TokenKnown { iot_id: holder.iot_id });
                bind(target, Some(newer.unwrap_or(token)), cx)
            }
            Err(error) if is_code(&error, "6608") => match newer {
                Some(newer) => check(target, newer, cx),
                None => rest(target, Some(token), cx)
                    .or_else(|| cx.fail(AppStep::Token, BindFailure::NoToken)),
            },
            other => refused(AppStep::Token, other, cx),
        }
    }
}

/// Waits until the next try, or not at all when the deadline is passed.
fn rest(target: Target, token: Option<String>, cx: &mut FlowCx<'_>) -> Option<Flow> {
    if cx.now >= target.deadline {
        return None;
    }
    // Never past the deadline: then comes the last try.
    let until = (cx.now + cx.config.poll).min(target.deadline);
    Some(Flow::Resting(Resting { target, token, until }))
}

fn bind(target: Target, token: Option<String>, cx: &mut FlowCx<'_>) -> Option<Flow> {
    cx.event(AppEvent::Step { step: AppStep::Bind });
    let home = target.home_id.as_deref();
    let call = match &token {
        Some(token) => Call::token_bind(home, &target.device, token),
        None => Call::window_bind(home, &target.device),
    };
    cx.ask(AppStep::Bind, call, Flow::Bound(ExpectBound { target, token, newer: None }))
}

impl ExpectBound {
    fn replied(self, result: Result<Reply, Error>, cx: &mut FlowCx<'_>) -> Option<Flow> {
        let Self { target, token, newer } = self;
        match result {
            Ok(Reply::Bound { iot_id }) => {
                cx.event(AppEvent::Bound { device: target.device, iot_id });
                None
            }
            // The token ran out between check and bind: the device will announce another.
            Err(error) if is_code(&error, "6608") => {
                if token.is_none() {
                    return rest(target, None, cx)
                        .or_else(|| cx.fail(AppStep::Bind, BindFailure::NoWindow));
                }
                cx.event(AppEvent::Step { step: AppStep::Token });
                if let Some(newer) = newer {
                    return check(target, newer, cx);
                }
                cx.event(AppEvent::Waiting { for_ms: target.deadline.millis_since(cx.now) });
                rest(target, token, cx).or_else(|| cx.fail(AppStep::Token, BindFailure::NoToken))
            }
            other => refused(AppStep::Bind, other, cx),
        }
    }
}

/// Any other result ends the flow. A reply of another kind cannot be: each call has its own parser.
fn refused(step: AppStep, result: Result<Reply, Error>, cx: &mut FlowCx<'_>) -> Option<Flow> {
    let error = result.err().unwrap_or(PeerMisbehaved::WrongRequestId.into());
    cx.fail(step, BindFailure::Call { error })
}

fn is_code(error: &Error, wanted: &str) -> bool {
    matches!(error, Error::Rejected { by: Rejected::Code { code, .. } } if code == wanted)
}
