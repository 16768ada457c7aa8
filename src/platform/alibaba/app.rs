//! The owner's side: the document's eight calls, and the guided way from a device in a box to a device in a home.
//!
//! The same loop as the [`Agent`](crate::Agent)'s, on [`App`]: **every [`App::handle_input`] must be followed by
//! draining [`App::poll_output`] until [`AppOutput::Timeout`], always the last.**
//!
//! A call that gets no reply is repeated with back-off, under a new nonce; one that must not be repeated
//! (`/thing/topo/remove`) is not. Code 401 means that the `iotToken` ran out: it is replaced once, from the refresh
//! token where there is one, else by asking ([`AppOutput::TokenNeeded`]), and the call is sent once more.
//!
//! Sources: the seed document; signing and envelopes as in `docs/protocols/alibaba.md`. Deliberately absent: the LAN
//! and Bluetooth transports (the host finds devices and hands credentials over), OAuth logins, and snapshots: an app's
//! state is its tokens, which come out in [`AppOutput::Session`].

mod bind;
mod call;
mod config;
mod reply;
mod send;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

pub use bind::{AppEvent, AppStep, BindBy, BindFailure, BindPlan, CipherPlan, HandOver, Wifi};
pub use call::{Call, CallName, CipherRequest, DeviceName, ParameterError};
pub use config::AppConfig;
pub use reply::{Bindable, CipherKey, Discovered, DiscoveredDevice, Reply, TokenHolder};

use crate::backoff::Backoff;
use crate::error::{Error, Failure, Rejected};
use crate::http::{Request, Response};
use crate::input::Answer;
use crate::output::Token;
use crate::rng::Rng;
use crate::secret::Secret;
use crate::time::{Instant, Now};

/// Names one call of the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// What happened, or what a person wants.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AppInput {
    /// The time of the last [`AppOutput::Timeout`] has come.
    Timeout,
    /// The answer to a request.
    Response(Token, Answer),
    /// Make one call; the result comes with the same id.
    Call(CallId, Call),
    /// Bind a device, step by step. A flow in hand is dropped.
    Bind(BindPlan),
    /// The same, beginning at a later step for the device of the plan: a person goes on after a failure.
    BindFrom(AppStep, BindPlan),
    /// The device announced this bind token on the local network. A later one replaces it.
    BindToken(alloc::string::String),
    /// Stop the guided flow.
    Cancel,
    /// The answer to [`AppOutput::TokenNeeded`], or a new login at any other time.
    IotToken(Secret),
    /// The other answer to [`AppOutput::TokenNeeded`]: there is none to be had.
    NoIotToken,
}

/// What the host has to do, or show.
#[derive(Clone, Debug)]
#[must_use]
#[non_exhaustive]
pub enum AppOutput {
    /// Send an HTTP request and answer with [`AppInput::Response`].
    Request(Token, Request),
    /// The result of a call.
    Replied {
        /// Which call.
        id: CallId,
        /// What it was.
        call: CallName,
        /// What came of it.
        result: Result<Reply, Error>,
    },
    /// The `iotToken` is missing or has run out: answer with [`AppInput::IotToken`] or [`AppInput::NoIotToken`].
    TokenNeeded,
    /// New tokens: keep them for the next start.
    Session {
        /// The `iotToken`.
        iot_token: Secret,
        /// What the next one is asked with.
        refresh_token: Option<Secret>,
    },
    /// Hand Wi-Fi credentials to the device, by SoftAP, phone hotspot or Bluetooth. Holds secrets.
    HandOver(HandOver),
    /// The guided flow moves on.
    Event(AppEvent),
    /// Nothing more for now.
    Timeout(Option<Instant>),
}

/// The owner's side of one app. See the [module](self).
#[derive(Debug)]
pub struct App {
    config: AppConfig,
    rng: Rng,
    now: Now,
    next_token: u32,
    stray: u64,
    outbox: VecDeque<AppOutput>,
    iot_token: Option<Secret>,
    refresh_token: Option<Secret>,
    /// Sent, and not answered.
    pending: BTreeMap<Token, Pending>,
    /// To be sent again later.
    resting: Vec<(Instant, Pending)>,
    /// Waiting for an `iotToken`.
    held: Vec<Pending>,
    login: Login,
    flow: Option<bind::Flow>,
}

/// Who waits for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    Host(CallId),
    Flow,
    Login,
}

/// One call under way.
#[derive(Debug)]
struct Pending {
    caller: Caller,
    call: Call,
    backoff: Backoff,
    /// When its reply is late.
    deadline: Instant,
    /// The token it was sent with, and whether it was already sent again for a new one.
    sent_with: Option<Secret>,
    refreshed: bool,
}

/// How another `iotToken` is being got.
#[derive(Debug)]
enum Login {
    /// No need.
    Idle,
    /// By the refresh token.
    Refreshing,
    /// By the host, until then.
    Asked(Instant),
}

impl App {
    /// An app at rest: nothing is sent before it is asked for. `seed` comes from the host's entropy source.
    pub fn new(config: AppConfig, seed: [u8; 32], now: Now) -> Self {
        let (iot_token, refresh_token) = (config.iot_token.clone(), config.refresh_token.clone());
        Self {
            config,
            rng: Rng::new(seed),
            now,
            next_token: 1,
            stray: 0,
            outbox: VecDeque::new(),
            iot_token,
            refresh_token,
            pending: BTreeMap::new(),
            resting: Vec::new(),
            held: Vec::new(),
            login: Login::Idle,
            flow: None,
        }
    }

    /// Takes one input. **Drain [`App::poll_output`] until [`AppOutput::Timeout`] before the next.**
    pub fn handle_input(&mut self, input: AppInput, now: Now) {
        self.now = Now { mono: self.now.mono.max(now.mono), unix: now.unix };
        match input {
            AppInput::Timeout => self.expired(),
            AppInput::Response(token, answer) => match self.pending.remove(&token) {
                Some(pending) => self.answered(pending, answer),
                None => self.stray = self.stray.saturating_add(1),
            },
            AppInput::Call(id, call) => self.submit(Caller::Host(id), call),
            AppInput::Bind(plan) => {
                self.drop_flow();
                self.with_flow(|_, cx| bind::Flow::start(plan, cx));
            }
            AppInput::BindFrom(step, plan) => {
                self.drop_flow();
                self.with_flow(|_, cx| bind::Flow::start_at(step, plan, cx));
            }
            AppInput::BindToken(token) => {
                self.with_flow(|flow, cx| flow.and_then(|flow| flow.bind_token(token, cx)));
            }
            AppInput::Cancel => self.drop_flow(),
            AppInput::IotToken(token) => self.logged_in(token),
            AppInput::NoIotToken => self.not_logged_in(),
        }
    }

    /// The next output; [`AppOutput::Timeout`] is always the last.
    pub fn poll_output(&mut self) -> AppOutput {
        self.outbox
            .pop_front()
            .unwrap_or_else(|| AppOutput::Timeout(self.deadline().map(|at| at.max(self.now.mono))))
    }

    /// How many answers carried an unknown or repeated token.
    pub fn stray_inputs(&self) -> u64 {
        self.stray
    }

    /// The configuration it was born with.
    pub fn config(&self) -> &AppConfig {
        &self.config
    }

    /// Whether a guided flow is under way.
    pub fn is_binding(&self) -> bool {
        self.flow.is_some()
    }

    fn deadline(&self) -> Option<Instant> {
        let late = self.pending.values().map(|pending| pending.deadline);
        let rested = self.resting.iter().map(|&(at, _)| at);
        let asked = match self.login {
            Login::Asked(until) => Some(until),
            Login::Idle | Login::Refreshing => None,
        };
        let flow = self.flow.as_ref().and_then(bind::Flow::wake);
        late.chain(rested).chain(asked).chain(flow).min()
    }

    fn expired(&mut self) {
        let now = self.now.mono;
        let late: Vec<Token> =
            self.pending.iter().filter(|(_, p)| p.deadline <= now).map(|(&t, _)| t).collect();
        for token in late {
            if let Some(pending) = self.pending.remove(&token) {
                self.failed(pending, Failure::TimedOut.into());
            }
        }
        let (due, rest) =
            core::mem::take(&mut self.resting).into_iter().partition(|&(at, _)| at <= now);
        self.resting = rest;
        let due: Vec<(Instant, Pending)> = due;
        for (_, pending) in due {
            self.send(pending);
        }
        if matches!(self.login, Login::Asked(until) if until <= now) {
            self.not_logged_in();
        }
        if self.flow.as_ref().and_then(bind::Flow::wake).is_some_and(|at| at <= now) {
            self.with_flow(|flow, cx| flow.and_then(|flow| flow.expired(cx)));
        }
    }

    fn submit(&mut self, caller: Caller, call: Call) {
        // Waits between tries: 1 s doubling, as for logins.
        self.send(Pending {
            caller,
            call,
            backoff: Backoff::login(),
            deadline: self.now.mono,
            sent_with: None,
            refreshed: false,
        });
    }

    fn send(&mut self, mut pending: Pending) {
        if pending.caller != Caller::Login && self.iot_token.is_none() {
            self.held.push(pending);
            return self.log_in();
        }
        let request = send::request(
            &pending.call,
            &self.config,
            self.iot_token.as_ref(),
            self.refresh_token.as_ref(),
            &mut self.rng,
            self.now,
        );
        let token = Token(self.next_token);
        self.next_token = self.next_token.wrapping_add(1).max(1);
        pending.deadline = self.now.mono + self.config.reply;
        pending.sent_with = self.iot_token.clone();
        self.pending.insert(token, pending);
        self.outbox.push_back(AppOutput::Request(token, request));
    }

    fn answered(&mut self, pending: Pending, answer: Answer) {
        let response = match answer {
            Answer::Failed(failure) => return self.failed(pending, failure.into()),
            Answer::Response(response) => response,
        };
        match self.read(&pending, &response) {
            Ok(reply) => self.done(pending, Ok(reply)),
            Err(error) if response.status >= 500 => self.failed(pending, error),
            Err(error) if is_unauthorized(&error) && pending.caller != Caller::Login => {
                self.unauthorized(pending, error);
            }
            Err(error) => self.done(pending, Err(error)),
        }
    }

    fn read(&mut self, pending: &Pending, response: &Response) -> Result<Reply, Error> {
        let secrets: Vec<&Secret> = [&self.iot_token, &self.refresh_token]
            .into_iter()
            .flatten()
            .chain([&self.config.app_secret])
            .collect();
        let envelope = reply::Envelope::read(response, &secrets)?;
        if pending.caller == Caller::Login {
            let session = envelope.session()?;
            self.refresh_token = session.refresh_token.or(self.refresh_token.take());
            self.iot_token = Some(session.iot_token);
        }
        Ok(envelope.reply(pending.call.name)?)
    }

    /// No reply, or none that says anything: again, or give up.
    fn failed(&mut self, mut pending: Pending, error: Error) {
        if pending.call.name.is_repeatable() && pending.backoff.failures() < self.config.retries {
            let wait = Duration::from_millis(pending.backoff.next(&mut self.rng).0);
            self.event(AppEvent::Retrying {
                call: pending.call.name,
                error,
                failures: pending.backoff.failures(),
                in_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            });
            self.resting.push((self.now.mono + wait, pending));
        } else {
            self.done(pending, Err(error));
        }
    }

    fn done(&mut self, pending: Pending, result: Result<Reply, Error>) {
        match pending.caller {
            Caller::Host(id) => {
                let call = pending.call.name;
                self.outbox.push_back(AppOutput::Replied { id, call, result });
            }
            Caller::Flow => {
                self.with_flow(|flow, cx| flow.and_then(|flow| flow.replied(result, cx)));
            }
            Caller::Login => match result {
                Ok(_) => {
                    if let Some(iot_token) = self.iot_token.clone() {
                        let refresh_token = self.refresh_token.clone();
                        self.outbox.push_back(AppOutput::Session { iot_token, refresh_token });
                    }
                    self.release();
                }
                Err(error) => {
                    // What the refresh token could not do, a person may. That nobody heard it does not make it a bad
                    // one: the next call that needs it tries again.
                    if matches!(error, Error::Rejected { by: Rejected::Code { .. } }) {
                        self.refresh_token = None;
                    }
                    self.ask();
                }
            },
        }
    }

    /// Code 401. Another call may have renewed the token meanwhile.
    fn unauthorized(&mut self, mut pending: Pending, error: Error) {
        if pending.refreshed {
            return self.done(pending, Err(error));
        }
        pending.refreshed = true;
        if pending.sent_with != self.iot_token {
            return self.send(pending);
        }
        self.held.push(pending);
        self.log_in();
    }

    fn log_in(&mut self) {
        if matches!(self.login, Login::Idle) {
            if self.refresh_token.is_some() {
                self.login = Login::Refreshing;
                self.submit(Caller::Login, Call::refresh());
            } else {
                self.ask();
            }
        }
    }

    fn ask(&mut self) {
        self.login = Login::Asked(self.now.mono + self.config.login);
        self.outbox.push_back(AppOutput::TokenNeeded);
    }

    fn logged_in(&mut self, token: Secret) {
        self.iot_token = Some(token);
        // A refresh under way is not needed any more.
        self.pending.retain(|_, pending| pending.caller != Caller::Login);
        self.resting.retain(|(_, pending)| pending.caller != Caller::Login);
        self.release();
    }

    fn release(&mut self) {
        self.login = Login::Idle;
        for pending in core::mem::take(&mut self.held) {
            self.send(pending);
        }
    }

    fn not_logged_in(&mut self) {
        if matches!(self.login, Login::Asked(_)) {
            self.login = Login::Idle;
            for pending in core::mem::take(&mut self.held) {
                let no = Rejected::code("401", "no iotToken", &[]);
                self.done(pending, Err(no.into()));
            }
        }
    }

    fn drop_flow(&mut self) {
        if self.flow.take().is_some() {
            self.pending.retain(|_, pending| pending.caller != Caller::Flow);
            self.resting.retain(|(_, pending)| pending.caller != Caller::Flow);
            self.held.retain(|pending| pending.caller != Caller::Flow);
            self.event(AppEvent::Cancelled);
        }
    }

    fn event(&mut self, event: AppEvent) {
        self.outbox.push_back(AppOutput::Event(event));
    }

    /// Runs a step of the flow; what it wants is done afterwards.
    fn with_flow(
        &mut self,
        step: impl FnOnce(Option<bind::Flow>, &mut bind::FlowCx<'_>) -> Option<bind::Flow>,
    ) {
        let flow = self.flow.take();
        let mut cx = bind::FlowCx {
            config: &self.config,
            now: self.now.mono,
            outbox: &mut self.outbox,
            call: None,
        };
        let next = step(flow, &mut cx);
        let call = cx.call.take();
        self.flow = next;
        if let Some(call) = call {
            self.submit(Caller::Flow, call);
        }
    }
}

fn is_unauthorized(error: &Error) -> bool {
    matches!(error, Error::Rejected { by: Rejected::Code { code, .. } } if code == "401")
}

/// Milliseconds, for events.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
