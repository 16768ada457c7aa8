//! One device of a fleet: its agent, its session, and what is known of it. No timeline, no task of its own.

use std::boxed::Box;
use std::collections::VecDeque;
use std::string::String;
use std::vec::Vec;

use super::causes::Cause;
use super::crowd::Word;
use super::means::{Change, Means, Who};
use crate::agent::{Agent, Stored};
use crate::cloud::ConnectionId;
use crate::error::{ApiMisuse, Error, Failure, LocalFailure};
use crate::input::{Answer, Closed, Downloaded, Input, Intent, Outcome, Progress};
use crate::mqtt::{ClientEvent, ClientSession};
use crate::output::{Command, Connect, Event, Output, Step, StoreKey, Token};
use crate::page::{FleetRow, FleetState};
use crate::platform::Config;
use crate::secret::{Secret, SecretBytes};
use crate::time::{Instant, Millis};
use crate::trace::TroubleReason;
use crate::web::fetch;
use crate::web::link::{News, OPEN_WITHIN};

/// Bytes that wait while a value is on its way to the page's storage: four of the largest packets that a session takes.
const MOST_HELD: usize = 1024 * 1024;

/// What a device has on its storage.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) stored: Stored,
    /// Of the image that was installed: what is installed is what runs.
    pub(super) version: Option<String>,
}

impl Kept {
    pub(super) fn is_empty(&self) -> bool {
        self.version.is_none() && self.stored.iter().next().is_none()
    }
}

/// Whether a device got its secret in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registered {
    Unknown,
    Now,
    Before,
}

impl Registered {
    fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Now => "now",
            Self::Before => "before",
        }
    }
}

pub(super) struct Member {
    /// As its cloud calls it.
    pub(super) name: Box<str>,
    /// Product and device: under this its values are kept.
    pub(super) key: Box<str>,
    pub(super) line: u32,
    /// Its own settings, by the number of their column.
    pub(super) row: Box<[(u16, Secret)]>,
    pub(super) kept: Kept,
    pub(super) state: FleetState,
    pub(super) registered: Registered,
    was_ready: bool,
    cause: Option<u16>,
    /// By the wall clock.
    since: f64,
    pub(super) retry_at: Option<Instant>,
    reports: u32,
    life: u32,
    live: Option<Box<Live>>,
    /// The earliest deadline of it that is among all of them.
    armed: Option<Instant>,
    /// A value of this life or the one before is on its way to the page's storage: `kept` is about to change.
    storing: bool,
}

/// A device that runs.
struct Live {
    agent: Agent,
    agent_due: Option<Instant>,
    link: Link,
    /// When the phase that is measured began.
    began: f64,
    report_began: Option<f64>,
    report_at: Option<Instant>,
    trouble: Option<TroubleReason>,
    staged: Option<Box<fetch::Image>>,
    /// The last request: the agent waits for no answer but this one's.
    request: Option<Token>,
    held: Option<Box<Held>>,
}

enum Link {
    None,
    /// It waits for its turn, or for what a second look at its failure says.
    Waiting(Token),
    Opening {
        token: Token,
        socket: u32,
        began: f64,
        until: Instant,
        connect: Box<Connect>,
    },
    Open {
        token: Token,
        wire: Wire,
        session: Box<ClientSession>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Socket(u32),
    Door(ConnectionId),
}

/// A value is on its way to the page's storage: nothing that comes after it may overtake it.
struct Held {
    token: Token,
    commands: VecDeque<Command>,
    inputs: VecDeque<Input>,
    later: Vec<Heard>,
    /// Bytes of the other side's in `later`.
    bytes: usize,
}

/// What comes to a device.
pub(super) enum Heard {
    Begun(Token, Result<(u32, Connect), TroubleReason>),
    Opened(u32),
    Bytes(Vec<u8>),
    /// A socket of this number is closed; whether as the other side wished.
    Closed(u32, bool),
    News(ConnectionId, News),
    Unreachable(Token, Failure, TroubleReason),
    Answer(Token, Answer, Option<TroubleReason>),
    Progress(Token, Progress),
    Downloaded(Token, Result<fetch::Image, fetch::Broken>),
    Kept(Token, Option<StoreKey>, Result<(), ()>),
    Intent(Intent),
    Due,
}

/// Inputs and commands on their way; one for all devices, empty between them.
#[derive(Default)]
pub(super) struct Scratch {
    inputs: VecDeque<Input>,
    commands: VecDeque<Command>,
}

impl Member {
    pub(super) fn new(name: String, key: String, line: u32, row: Vec<(u16, Secret)>) -> Self {
        Self {
            name: name.into(),
            key: key.into(),
            line,
            row: row.into(),
            kept: Kept::default(),
            state: FleetState::Waiting,
            registered: Registered::Unknown,
            was_ready: false,
            cause: None,
            since: 0.0,
            retry_at: None,
            reports: 0,
            life: 0,
            live: None,
            armed: None,
            storing: false,
        }
    }

    pub(super) fn told(&self, n: u32, means: &Means) -> FleetRow {
        let cause = self.cause.and_then(|cause| means.causes.get(cause));
        FleetRow {
            n,
            name: String::from(&*self.name),
            line: self.line,
            state: self.state,
            registered: self.registered.as_str(),
            since: self.since,
            retry_at: self.retry_at.map(|at| means.clock.unix_of(at)),
            error: cause.map(|cause| cause.error.clone()),
            trouble: cause.and_then(|cause| cause.trouble),
            advice: cause.and_then(|cause| cause.advice),
            reports: self.reports,
        }
    }

    pub(super) fn who(&self, at: u32) -> Who {
        Who { at, life: self.life }
    }

    /// What comes to an earlier life is for nobody.
    pub(super) fn is(&self, who: Who) -> bool {
        self.life == who.life && self.live.is_some()
    }

    pub(super) fn waits_for(&self, who: Who, token: Token) -> bool {
        let link = self.live.as_ref().map(|live| &live.link);
        self.is(who) && matches!(link, Some(Link::Waiting(of)) if *of == token)
    }

    /// Whether its agent still waits for the answer to this request.
    pub(super) fn asks(&self, who: Who, token: Token) -> bool {
        self.is(who) && self.live.as_ref().is_some_and(|live| live.request == Some(token))
    }

    pub(super) fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// Whether what it has to keep is not kept yet: nobody may begin with what it stored before.
    pub(super) fn is_storing(&self) -> bool {
        self.storing
    }

    pub(super) fn set(&mut self, state: FleetState, means: &mut Means) {
        if let Some(count) = means.counts.get_mut(self.state as usize) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = means.counts.get_mut(state as usize) {
            *count += 1;
        }
        let stopped = matches!(state, FleetState::Off | FleetState::Taken);
        if self.state == FleetState::Online && state != FleetState::Online && !stopped {
            means.figures.lost += 1;
        }
        self.state = state;
        self.since = js_sys::Date::now();
        self.retry_at = None;
    }

    fn blame(&mut self, cause: Option<Cause>, means: &mut Means) {
        if let Some(old) = self.cause.take() {
            means.causes.over(old);
        }
        if let Some(cause) = cause {
            self.cause = means.causes.happened(&cause, &self.name, js_sys::Date::now());
        }
    }

    /// Another run: what the one before found out is forgotten.
    pub(super) fn renew(&mut self, state: FleetState, means: &mut Means) {
        self.set(state, means);
        // The causes are cleared with the run.
        self.cause = None;
        self.registered = Registered::Unknown;
        self.was_ready = false;
        self.reports = 0;
    }

    pub(super) fn start(
        &mut self,
        at: u32,
        config: Config,
        means: &mut Means,
        scratch: &mut Scratch,
    ) {
        self.life = self.life.wrapping_add(1);
        let stored = self.kept.stored.clone();
        let agent = fetch::seed()
            .map_err(|_| ApiMisuse::IntentNotSupported)
            .and_then(|seed| Agent::new(config, stored, seed, means.clock.now()));
        let Ok(agent) = agent else { return self.cannot_start(means) };
        self.live = Some(Box::new(Live {
            agent,
            agent_due: None,
            link: Link::None,
            began: means.clock.at(),
            report_began: None,
            report_at: None,
            trouble: None,
            staged: None,
            request: None,
            held: None,
        }));
        self.set(FleetState::Login, means);
        self.outputs(means, scratch);
        self.settle(at, means, scratch);
    }

    /// What is stored cannot be read, or is another device's: only a person can mend that.
    pub(super) fn cannot_start(&mut self, means: &mut Means) {
        let error = Error::Local { failure: LocalFailure::Store };
        let advice = Some(crate::output::Advice::CheckStorage);
        self.set(FleetState::Failed, means);
        self.blame(Some(Cause { error, trouble: None, advice }), means);
    }

    /// Lives, gave up, and tries again.
    pub(super) fn try_again(&mut self, at: u32, means: &mut Means, scratch: &mut Scratch) {
        let Some(live) = &mut self.live else { return };
        live.began = means.clock.at();
        self.set(FleetState::Login, means);
        self.hear(at, Heard::Intent(Intent::TryAgain), means, scratch);
    }

    pub(super) fn hear(&mut self, at: u32, heard: Heard, means: &mut Means, scratch: &mut Scratch) {
        let Some(live) = &mut self.live else { return };
        if let Some(held) = &mut live.held {
            match heard {
                Heard::Kept(token, key, result) if token == held.token => {
                    let Some(held) = live.held.take() else { return };
                    let Held { commands, inputs, later, .. } = *held;
                    (scratch.commands, scratch.inputs) = (commands, inputs);
                    scratch.inputs.push_back(kept(token, key, outcome(result)));
                    self.settle(at, means, scratch);
                    for heard in later {
                        self.hear(at, heard, means, scratch);
                    }
                }
                // The deadline comes again once it is settled.
                Heard::Due => self.armed = None,
                heard => held.keep(heard, &live.link, means),
            }
            return;
        }
        self.take(at, heard, means, scratch);
        self.settle(at, means, scratch);
    }

    fn take(&mut self, at: u32, heard: Heard, means: &mut Means, scratch: &mut Scratch) {
        let now = means.clock.now().mono;
        let who = self.who(at);
        let Some(live) = &mut self.live else { return };
        match heard {
            Heard::Begun(token, outcome) => match outcome {
                Ok((socket, connect)) => {
                    let began = means.clock.at();
                    live.began = began;
                    let until = now + Millis(u64::from(OPEN_WITHIN));
                    let connect = Box::new(connect);
                    live.link = Link::Opening { token, socket, began, until, connect };
                }
                Err(reason) => self.unreachable(token, Failure::Forbidden, reason, scratch),
            },
            Heard::Opened(number) => match core::mem::replace(&mut live.link, Link::None) {
                Link::Opening { token, socket, began, connect, .. } if socket == number => {
                    means.figures.connect.add(means.clock.at() - began);
                    let session = Box::new(ClientSession::new(&connect, now));
                    live.link = Link::Open { token, wire: Wire::Socket(socket), session };
                }
                other => live.link = other,
            },
            Heard::Bytes(bytes) => {
                if let Link::Open { session, .. } = &mut live.link {
                    session.receive(&bytes, now);
                }
            }
            Heard::Closed(number, clean) => match core::mem::replace(&mut live.link, Link::None) {
                Link::Opening { token, socket, connect, .. } if socket == number => {
                    means.look(who, token, &connect.url);
                    live.link = Link::Waiting(token);
                }
                Link::Open { token, wire, .. } if wire == Wire::Socket(number) => {
                    let reason = if clean { TroubleReason::Closed } else { TroubleReason::Lost };
                    live.trouble = Some(reason);
                    let closed = Closed::Failed(Failure::Lost);
                    scratch.inputs.push_back(Input::Closed(token, closed));
                }
                other => live.link = other,
            },
            Heard::News(connection, news) => self.news(connection, news, now, scratch),
            Heard::Unreachable(token, failure, reason) => {
                if matches!(live.link, Link::Waiting(of) if of == token) {
                    self.unreachable(token, failure, reason, scratch);
                }
            }
            Heard::Answer(token, answer, reason) => {
                if matches!(answer, Answer::Failed(_)) {
                    live.trouble = reason;
                }
                scratch.inputs.push_back(Input::Response(token, answer));
            }
            Heard::Progress(token, progress) => {
                scratch.inputs.push_back(Input::Progress(token, progress));
            }
            Heard::Downloaded(token, result) => {
                let downloaded = match result {
                    Ok(image) => {
                        let (md5, sha256) = (image.md5.clone(), image.sha256.clone());
                        let size = image.size;
                        live.staged = Some(Box::new(image));
                        Downloaded::Complete { size, md5, sha256 }
                    }
                    Err(broken) => Downloaded::Failed(broken.failure),
                };
                scratch.inputs.push_back(Input::Downloaded(token, downloaded));
            }
            Heard::Kept(token, key, result) => {
                scratch.inputs.push_back(kept(token, key, outcome(result)));
            }
            Heard::Intent(intent) => scratch.inputs.push_back(Input::User(intent)),
            Heard::Due => self.due(now, means, scratch),
        }
    }

    fn news(&mut self, connection: ConnectionId, news: News, now: Instant, scratch: &mut Scratch) {
        let Some(live) = &mut self.live else { return };
        let Link::Open { token, wire, session } = &mut live.link else { return };
        if *wire != Wire::Door(connection) {
            return;
        }
        match news {
            // The door is open from the beginning.
            News::Open => {}
            News::Bytes(bytes) => session.receive(&bytes, now),
            News::Gone(failure, trouble) => {
                let token = *token;
                live.trouble = trouble.map(|trouble| trouble.reason);
                live.link = Link::None;
                scratch.inputs.push_back(Input::Closed(token, Closed::Failed(failure)));
            }
        }
    }

    fn unreachable(
        &mut self,
        token: Token,
        failure: Failure,
        reason: TroubleReason,
        scratch: &mut Scratch,
    ) {
        let Some(live) = &mut self.live else { return };
        live.link = Link::None;
        live.trouble = Some(reason);
        scratch.inputs.push_back(Input::Closed(token, Closed::Failed(failure)));
    }

    /// Something's time may have come.
    fn due(&mut self, now: Instant, means: &mut Means, scratch: &mut Scratch) {
        self.armed = None;
        let online = self.state == FleetState::Online;
        let Some(live) = &mut self.live else { return };
        match &mut live.link {
            Link::Open { session, .. } if session.poll_timeout().is_some_and(|at| at <= now) => {
                session.handle_timeout(now);
            }
            Link::Opening { token, socket, until, .. } if *until <= now => {
                let token = *token;
                means.sockets.close(*socket);
                self.unreachable(token, Failure::TimedOut, TroubleReason::TimedOut, scratch);
            }
            _ => {}
        }
        let Some(live) = &mut self.live else { return };
        if live.agent_due.is_some_and(|at| at <= now) {
            scratch.inputs.push_back(Input::Timeout);
        }
        if live.report_at.is_some_and(|at| at <= now) {
            live.report_at = next_report(now, means, false);
            if live.report_began.is_some() {
                means.figures.reports_late += 1;
            } else if online {
                live.report_began = Some(means.clock.at());
                scratch.inputs.push_back(Input::User(Intent::Report));
            }
        }
    }

    /// Everything that follows, until something is on its way to the page's storage.
    fn settle(&mut self, at: u32, means: &mut Means, scratch: &mut Scratch) {
        loop {
            while let Some(command) = scratch.commands.pop_front() {
                if let Some(token) = self.command(at, command, means, scratch)
                    && let Some(live) = &mut self.live
                {
                    let commands = core::mem::take(&mut scratch.commands);
                    let inputs = core::mem::take(&mut scratch.inputs);
                    live.held = Some(Box::new(Held::new(token, commands, inputs)));
                    return;
                }
            }
            self.pump(means, scratch);
            let Some(input) = scratch.inputs.pop_front() else { break };
            let Some(live) = &mut self.live else { break };
            // The only refusal is a report, of a platform that has none to give.
            let _ = live.agent.handle_input(input, means.clock.now());
            self.outputs(means, scratch);
        }
        self.arm(at, means);
    }

    fn outputs(&mut self, means: &mut Means, scratch: &mut Scratch) {
        while let Some(live) = &mut self.live {
            match live.agent.poll_output() {
                Output::Command(command) => scratch.commands.push_back(command),
                Output::Event(event) => self.event(event, means),
                Output::Timeout(at) => {
                    live.agent_due = at;
                    return;
                }
            }
        }
    }

    fn event(&mut self, event: Event, means: &mut Means) {
        let at = means.clock.at();
        let (state, name_now) = (self.state, means.clock.now().mono);
        let Some(live) = &mut self.live else { return };
        match event {
            Event::Step { step } => match step {
                Step::ConnectToRegister
                | Step::SubscribeForSecret
                | Step::RequestSecret
                | Step::StoreSecret
                | Step::ConfirmSecret
                | Step::LeaveRegistration
                    if state != FleetState::Registering && self.registered != Registered::Now =>
                {
                    live.began = at;
                    self.set(FleetState::Registering, means);
                }
                Step::Login if state != FleetState::Login => {
                    live.began = at;
                    self.set(FleetState::Login, means);
                }
                Step::ReportVersion | Step::Heartbeat => {
                    live.report_began = Some(at);
                    if !matches!(state, FleetState::Login | FleetState::Online) {
                        live.began = at;
                        self.set(FleetState::Login, means);
                    }
                }
                _ => {}
            },
            Event::Registered { .. } => {
                means.figures.register.add(at - live.began);
                means.figures.registered += 1;
                live.began = at;
                self.registered = Registered::Now;
                if state == FleetState::Registering {
                    self.set(FleetState::Login, means);
                }
            }
            Event::Ready => {
                live.trouble = None;
                live.report_at = next_report(name_now, means, true);
                if state == FleetState::Login {
                    means.figures.login.add(at - live.began);
                }
                if !self.was_ready {
                    self.was_ready = true;
                    means.figures.readied += 1;
                    means.figures.readied_at = at - means.begun;
                }
                if self.registered == Registered::Unknown {
                    self.registered = Registered::Before;
                }
                self.set(FleetState::Online, means);
                self.blame(None, means);
            }
            Event::Heartbeat { .. } => {
                if let Some(began) = live.report_began.take() {
                    means.figures.report.add(at - began);
                }
                self.reports = self.reports.saturating_add(1);
                means.figures.reports = means.figures.reports.saturating_add(1);
                // Where there is no session, an accepted report is all there is to it.
                if self.was_ready && state != FleetState::Online {
                    self.set(FleetState::Online, means);
                    self.blame(None, means);
                }
            }
            Event::Retrying { error, in_ms, .. } => {
                live.report_began = None;
                live.request = None;
                let trouble = live.trouble.take();
                self.set(FleetState::Retrying, means);
                self.retry_at = Some(name_now + Millis(in_ms));
                self.blame(Some(Cause { error, trouble, advice: None }), means);
            }
            Event::Stopped { error, advice } => {
                live.report_began = None;
                live.request = None;
                let trouble = live.trouble.take();
                let rejected = matches!(error, Error::Rejected { .. });
                let state = if rejected { FleetState::Rejected } else { FleetState::Failed };
                self.set(state, means);
                self.blame(Some(Cause { error, trouble, advice: Some(advice) }), means);
            }
            _ => {}
        }
    }

    /// Carries out one command. A token: nothing may go on before that is stored.
    fn command(
        &mut self,
        at: u32,
        command: Command,
        means: &mut Means,
        scratch: &mut Scratch,
    ) -> Option<Token> {
        let who = self.who(at);
        match command {
            Command::Connect(token, connect) => self.connect(who, token, connect, means),
            Command::Close(token) => {
                if self.live.as_ref().is_some_and(|live| live.link.token() == Some(token)) {
                    self.say_goodbye(means);
                }
                scratch.inputs.push_back(Input::Closed(token, Closed::Requested));
            }
            // Without a session the order is void: `Closed` is on its way. A topic that MQTT does not allow gets no
            // answer: the core gives the step up by its timer.
            Command::Subscribe(token, subscribe) => {
                if let Some(session) = self.session() {
                    let _ = session.subscribe(token, &subscribe);
                }
                self.pump(means, scratch);
            }
            Command::Publish(token, publish) => {
                if let Some(session) = self.session() {
                    let _ = session.publish(token, &publish);
                }
                self.pump(means, scratch);
            }
            Command::Request(token, request) => {
                if let Some(live) = &mut self.live
                    && let Some(old) = live.request.replace(token)
                {
                    means.give_up(who, old);
                }
                means.request(who, token, request);
            }
            Command::Store(token, key, value) => {
                return self.keep(who, token, Some(key), Some(value), means, scratch);
            }
            Command::Erase(token, key) => {
                return self.keep(who, token, Some(key), None, means, scratch);
            }
            Command::Download(token, download) => means.download(who, token, download),
            Command::CancelDownload(token) => means.give_up(who, token),
            Command::Install(token, install) => {
                let staged = self.live.as_mut().and_then(|live| live.staged.take());
                if staged.is_some_and(|image| image.sha256 == install.sha256) {
                    let version = SecretBytes::new(install.version.into_bytes());
                    return self.keep(who, token, None, Some(version), means, scratch);
                }
                let failed = Outcome::Failed(LocalFailure::Install);
                scratch.inputs.push_back(Input::Installed(token, failed));
            }
        }
        None
    }

    fn connect(&mut self, who: Who, token: Token, connect: Connect, means: &mut Means) {
        self.hang_up(means);
        let Some(live) = &mut self.live else { return };
        let Some(door) = &means.door else {
            live.link = Link::Waiting(token);
            return means.knock(who, token, connect);
        };
        let words = means.words.clone();
        // The door gives its name out before it says anything.
        let name = std::rc::Rc::new(core::cell::Cell::new(ConnectionId(0)));
        let own = name.clone();
        let listener = Box::new(move |news| {
            let _ = words.unbounded_send(Word::News(who, own.get(), news));
        });
        let connection = door.open(means.platform, listener);
        name.set(connection);
        live.began = means.clock.at();
        let session = Box::new(ClientSession::new(&connect, means.clock.now().mono));
        live.link = Link::Open { token, wire: Wire::Door(connection), session };
    }

    /// Keeps a value. In memory that is done at once; else nothing may overtake it.
    fn keep(
        &mut self,
        who: Who,
        token: Token,
        key: Option<StoreKey>,
        value: Option<SecretBytes>,
        means: &mut Means,
        scratch: &mut Scratch,
    ) -> Option<Token> {
        if means.stores {
            self.storing = true;
            means.changes.push(Change { who, token, key, value });
            return Some(token);
        }
        self.is_kept(key, value);
        scratch.inputs.push_back(kept(token, key, Outcome::Done));
        None
    }

    /// What was on its way to the page's storage is there, or could not be kept.
    pub(super) fn stored(&mut self, key: Option<StoreKey>, value: Option<SecretBytes>, done: bool) {
        self.storing = false;
        if done {
            self.is_kept(key, value);
        }
    }

    /// It is where it was to be.
    fn is_kept(&mut self, key: Option<StoreKey>, value: Option<SecretBytes>) {
        match (key, value) {
            (Some(key), Some(value)) => self.kept.stored.insert(key, value),
            (Some(key), None) => self.kept.stored.remove(key),
            (None, value) => {
                let version = value.and_then(|value| String::from_utf8(value.into_inner()).ok());
                self.kept.version = version;
            }
        }
    }

    fn session(&mut self) -> Option<&mut ClientSession> {
        match &mut self.live.as_mut()?.link {
            Link::Open { session, .. } => Some(session),
            _ => None,
        }
    }

    /// Carries bytes and news between the session and the rest.
    fn pump(&mut self, means: &mut Means, scratch: &mut Scratch) {
        let Some(live) = &mut self.live else { return };
        loop {
            let Link::Open { token, wire, session } = &mut live.link else { return };
            let mut idle = true;
            while let Some(bytes) = session.poll_transmit() {
                idle = false;
                send(*wire, bytes, means);
            }
            let mut closed = None;
            while let Some(event) = session.poll_event() {
                idle = false;
                match event {
                    ClientEvent::Connected { .. } => {
                        live.trouble = None;
                        scratch.inputs.push_back(Input::Connected(*token));
                    }
                    ClientEvent::Message(message) => {
                        scratch.inputs.push_back(Input::Message(message));
                    }
                    ClientEvent::Acked(token, ack) => {
                        scratch.inputs.push_back(Input::Acked(token, ack));
                    }
                    ClientEvent::Refused(code) => closed = Some(Closed::Refused(code)),
                    ClientEvent::Failed(failure) => closed = Some(Closed::Failed(failure)),
                }
            }
            if let Some(closed) = closed {
                let (token, wire) = (*token, *wire);
                hang_up(wire, means);
                live.link = Link::None;
                return scratch.inputs.push_back(Input::Closed(token, closed));
            }
            if idle {
                return;
            }
        }
    }

    /// Cuts whatever connection there is.
    fn hang_up(&mut self, means: &mut Means) {
        let Some(live) = &mut self.live else { return };
        match core::mem::replace(&mut live.link, Link::None) {
            Link::Open { wire, .. } => hang_up(wire, means),
            Link::Opening { socket, .. } => means.sockets.close(socket),
            Link::None | Link::Waiting(..) => {}
        }
    }

    /// DISCONNECT, where there is a session, and the end of the connection.
    fn say_goodbye(&mut self, means: &mut Means) {
        if let Some(Live { link: Link::Open { wire, session, .. }, .. }) = self.live.as_deref_mut()
        {
            session.disconnect();
            while let Some(bytes) = session.poll_transmit() {
                send(*wire, bytes, means);
            }
        }
        self.hang_up(means);
    }

    /// Logs out, and is not live any more. What is on its way to the storage still gets there.
    pub(super) fn stop(&mut self, at: u32, state: FleetState, means: &mut Means) {
        if self.live.is_none() {
            return;
        }
        self.say_goodbye(means);
        means.give_up_all(self.who(at));
        self.live = None;
        self.armed = None;
        if state != self.state {
            self.set(state, means);
            self.blame(None, means);
        }
    }

    /// A deadline of it has come up. False: it does not hold any more.
    pub(super) fn came_up(&mut self, at: Instant) -> bool {
        let holds = self.armed == Some(at);
        if holds {
            self.armed = None;
        }
        holds
    }

    fn arm(&mut self, at: u32, means: &mut Means) {
        let Some(live) = &mut self.live else { return };
        // On its way there is a next output soon.
        if self.state == FleetState::Online {
            live.agent.rest();
        }
        let link = match &live.link {
            Link::Open { session, .. } => session.poll_timeout(),
            Link::Opening { until, .. } => Some(*until),
            _ => None,
        };
        let due = [live.agent_due, link, live.report_at].into_iter().flatten().min();
        if let Some(due) = due
            && self.armed.is_none_or(|armed| due < armed)
        {
            self.armed = Some(due);
            means.deadlines.push(core::cmp::Reverse((due, at)));
        }
    }

    /// Reports in another rhythm from now on.
    pub(super) fn rearm_reports(&mut self, at: u32, means: &mut Means) {
        let now = means.clock.now().mono;
        if self.state == FleetState::Online
            && let Some(live) = &mut self.live
        {
            live.report_at = next_report(now, means, true);
            self.arm(at, means);
        }
    }
}

impl Held {
    fn new(token: Token, commands: VecDeque<Command>, inputs: VecDeque<Input>) -> Self {
        Self { token, commands, inputs, later: Vec::new(), bytes: 0 }
    }

    /// For when the value is stored. Who sends more meanwhile than a device could have asked for is cut off.
    fn keep(&mut self, heard: Heard, link: &Link, means: &mut Means) {
        if let Heard::Bytes(bytes) | Heard::News(_, News::Bytes(bytes)) = &heard {
            if self.bytes > MOST_HELD {
                return;
            }
            self.bytes += bytes.len() + size_of::<Heard>();
            if self.bytes > MOST_HELD
                && let Link::Open { wire, .. } = link
            {
                hang_up(*wire, means);
                self.later.push(match *wire {
                    Wire::Socket(socket) => Heard::Closed(socket, false),
                    Wire::Door(connection) => {
                        Heard::News(connection, News::Gone(Failure::TooLarge, None))
                    }
                });
                return;
            }
        }
        self.later.push(heard);
    }
}

impl Link {
    fn token(&self) -> Option<Token> {
        match self {
            Self::None => None,
            Self::Waiting(token) | Self::Opening { token, .. } | Self::Open { token, .. } => {
                Some(*token)
            }
        }
    }
}

fn send(wire: Wire, bytes: Vec<u8>, means: &Means) {
    match (wire, &means.door) {
        (Wire::Socket(socket), _) => means.sockets.send(socket, &bytes),
        (Wire::Door(connection), Some(door)) => door.bytes(connection, bytes),
        (Wire::Door(_), None) => {}
    }
}

fn hang_up(wire: Wire, means: &mut Means) {
    match (wire, &means.door) {
        (Wire::Socket(socket), _) => means.sockets.close(socket),
        (Wire::Door(connection), Some(door)) => door.gone(connection),
        (Wire::Door(_), None) => {}
    }
}

/// No key: it was an image.
fn kept(token: Token, key: Option<StoreKey>, outcome: Outcome) -> Input {
    match key {
        Some(_) => Input::Stored(token, outcome),
        None => Input::Installed(token, outcome),
    }
}

fn outcome(result: Result<(), ()>) -> Outcome {
    match result {
        Ok(()) => Outcome::Done,
        Err(()) => Outcome::Failed(LocalFailure::Store),
    }
}

/// When to report next, if the page wants that at all. The first one comes at any time of the period, so that a fleet
/// does not report in one moment.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the period")]
fn next_report(now: Instant, means: &Means, first: bool) -> Option<Instant> {
    let every = means.bounds.report_every;
    let wait =
        if first { (f64::from(every) * js_sys::Math::random()) as u64 } else { every.into() };
    (every > 0).then(|| now + Millis(wait))
}
