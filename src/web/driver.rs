//! The loop around an [`Agent`]: what a device's outputs ask for is carried out here, and what comes of it goes back in.

#[cfg(feature = "lab")]
mod faults;
#[cfg(not(feature = "lab"))]
#[path = "driver/no_faults.rs"]
mod faults;
#[cfg(feature = "lab")]
mod raw;
#[cfg(not(feature = "lab"))]
#[path = "driver/no_raw.rs"]
mod raw;

use std::boxed::Box;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::string::{String, ToString};

use futures_channel::mpsc;
use futures_util::StreamExt;
use gloo_timers::callback::Timeout;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::clock::Clock;
use super::fetch::{self, Aborter};
use super::hooks::DeviceHooks;
use super::link::{News, Wire};
use super::record::Record;
use super::relay::Route;
use super::tab::Door;
use super::values::{self, Reply};
use crate::agent::Agent;
use crate::error::{ApiMisuse, Failure, LocalFailure};
use crate::http::Request;
use crate::input::{Answer, Closed, Downloaded, Input, Intent, Outcome, Progress};
use crate::mqtt::{ClientEvent, ClientSession};
use crate::output::{Command, Connect, Download, Install, Output, StoreKey, Token};
use crate::page::{Next, NextWhy};
use crate::platform::PlatformName;
use crate::secret::SecretBytes;
use crate::time::Instant;
#[cfg(feature = "lab")]
use crate::trace::Cutter;
use crate::trace::{Direction, Link, Success, Trace, Trouble, What};
use faults::Storing;
pub(super) use faults::{Change, Harm};
pub(super) use raw::Packet;
use raw::Raw;

/// Something that happens to a device.
pub(super) enum Word {
    Link(Token, News),
    Answer(Token, Answer, Option<Trouble>),
    Progress(Token, Progress),
    Downloaded(Token, Result<fetch::Image, fetch::Broken>),
    Timer,
    Intent(Intent, Reply),
    DropNetwork,
    Faults(Change, Reply),
    /// A packet of a script's.
    Raw(Packet, Reply),
    /// What a fault held back.
    Late(u32),
    Stop(Reply),
}

impl Word {
    /// Nobody is there any more to hear it.
    pub(super) fn refuse(self) {
        match self {
            Self::Intent(_, reply) | Self::Faults(_, reply) | Self::Raw(_, reply) => {
                reply.give(Err(values::stopped()));
            }
            Self::Stop(reply) => reply.give(Ok(JsValue::UNDEFINED)),
            _ => {}
        }
    }
}

/// The name under which the version of the installed image is stored.
pub(super) const VERSION: &str = "version";

pub(super) struct Driver {
    platform: PlatformName,
    agent: Agent,
    record: Record,
    trace: Rc<RefCell<Trace>>,
    hooks: DeviceHooks,
    tab: Option<Door>,
    route: Route,
    clock: Clock,
    link: Option<Live>,
    downloads: BTreeMap<Token, Aborter>,
    requests: BTreeMap<Token, Aborter>,
    staged: Option<fetch::Image>,
    inputs: VecDeque<Input>,
    /// What the agent wants and did not get yet.
    commands: VecDeque<Command>,
    agent_due: Option<Instant>,
    timer: Option<(Instant, Timeout)>,
    /// What was last said to come next.
    told: Option<(Instant, NextWhy)>,
    words: mpsc::UnboundedSender<Word>,
    cut: Rc<Cell<bool>>,
    harm: Harm,
    raw: Raw,
}

/// A connection under way or open.
struct Live {
    token: Token,
    connect: Connect,
    wire: Wire,
    /// Once bytes can pass.
    session: Option<ClientSession>,
    /// What came of a packet that is not whole yet.
    #[cfg(feature = "lab")]
    down: Cutter,
}

impl Live {
    fn new(token: Token, connect: Connect, wire: Wire) -> Self {
        Self {
            token,
            connect,
            wire,
            session: None,
            #[cfg(feature = "lab")]
            down: Cutter::default(),
        }
    }
}

impl Driver {
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one device, each with its own type"
    )]
    pub(super) fn new(
        platform: PlatformName,
        agent: Agent,
        record: Record,
        trace: Rc<RefCell<Trace>>,
        hooks: DeviceHooks,
        tab: Option<Door>,
        route: Route,
        clock: Clock,
        words: mpsc::UnboundedSender<Word>,
        cut: Rc<Cell<bool>>,
        harm: Harm,
    ) -> Self {
        Self {
            platform,
            agent,
            record,
            trace,
            hooks,
            tab,
            route,
            clock,
            link: None,
            downloads: BTreeMap::new(),
            requests: BTreeMap::new(),
            staged: None,
            inputs: VecDeque::new(),
            commands: VecDeque::new(),
            agent_due: None,
            timer: None,
            told: None,
            words,
            cut,
            harm,
            raw: Raw::new(),
        }
    }

    /// Until it is stopped, or its power is cut.
    pub(super) async fn live(mut self, mut inbox: mpsc::UnboundedReceiver<Word>) {
        self.first_faults();
        self.outputs();
        self.settle().await;
        while let Some(word) = inbox.next().await {
            let stop = matches!(word, Word::Stop(_));
            if stop && !self.cut.get() {
                self.log_out();
            }
            if stop || self.cut.get() {
                word.refuse();
                break;
            }
            self.hear(word);
            self.settle().await;
        }
        // Whoever has asked meanwhile waits for an answer.
        inbox.close();
        while let Ok(word) = inbox.try_recv() {
            word.refuse();
        }
        // What is under way ends with what it belongs to; but what a device has sent before its power went, it has sent.
        self.end_raw();
        if self.harm.is_cut() {
            self.requests.clear();
        }
        for aborter in self.downloads.into_values().chain(self.requests.into_values()) {
            aborter.abort();
        }
    }

    /// Everything that follows from what was heard; then the timer, and what there is to tell.
    async fn settle(&mut self) {
        loop {
            if self.end_by_fault() {
                return;
            }
            while let Some(command) = self.commands.pop_front() {
                self.command(command).await;
                if self.cut.get() || self.end_by_fault() {
                    return;
                }
            }
            self.pump();
            if self.end_by_fault() {
                return;
            }
            let Some(input) = self.inputs.pop_front() else { break };
            // The only refusal is an intent, and that one is asked for elsewhere.
            let _ = self.feed(input);
        }
        self.set_timer();
        self.tell();
    }

    fn hear(&mut self, word: Word) {
        let current = self.link.as_ref().map(|link| link.token);
        match word {
            Word::Link(token, news) if current == Some(token) => self.link_news(news),
            // Of a connection that is not ours any more.
            Word::Link(..) => {}
            Word::Answer(token, answer, trouble) => self.answer(token, answer, trouble),
            Word::Late(id) => self.late(id),
            Word::Raw(packet, reply) => self.send_raw(packet, reply),
            Word::Faults(change, reply) => reply.give(self.change_faults(change)),
            Word::Progress(token, progress) => {
                if self.downloads.contains_key(&token) {
                    self.inputs.push_back(Input::Progress(token, progress));
                }
            }
            Word::Downloaded(token, result) => self.downloaded(token, result),
            Word::Timer => {
                self.timer = None;
                let now = self.clock.now();
                if let Some(session) = self.session()
                    && session.poll_timeout().is_some_and(|at| at <= now.mono)
                {
                    session.handle_timeout(now.mono);
                }
                if self.agent_due.is_some_and(|at| at <= now.mono) {
                    self.inputs.push_back(Input::Timeout);
                }
            }
            Word::Intent(intent, reply) => match self.feed(Input::User(intent)) {
                Ok(()) => reply.give(Ok(JsValue::UNDEFINED)),
                Err(error) => {
                    self.push(What::Misuse { message: error.to_string() });
                    reply.give(Err(values::misuse(&error)));
                }
            },
            Word::DropNetwork => {
                if let Some(mut link) = self.link.take() {
                    link.wire.abort();
                    self.closed(link.token, &link.connect.url, Closed::Failed(Failure::Lost), None);
                }
            }
            Word::Stop(_) => {}
        }
    }

    fn session(&mut self) -> Option<&mut ClientSession> {
        self.link.as_mut().and_then(|link| link.session.as_mut())
    }

    fn link_news(&mut self, news: News) {
        let moment = self.clock.moment();
        let mono = self.clock.now().mono;
        let Some(link) = &mut self.link else { return };
        match news {
            News::Open => {
                self.trace.borrow_mut().link(Link::Open, &link.connect.url, None, moment);
                link.session = Some(ClientSession::new(&link.connect, mono));
            }
            News::Bytes(bytes) => {
                self.came(&bytes);
            }
            News::Gone(failure, trouble) => {
                let Some(link) = self.link.take() else { return };
                let url = link.connect.url.clone();
                self.closed(link.token, &url, Closed::Failed(failure), trouble);
            }
        }
    }

    /// Carries bytes and news between the session and the rest.
    fn pump(&mut self) {
        loop {
            let Some(link) = &mut self.link else { return };
            let Some(session) = &mut link.session else { return };
            let mut idle = true;
            if let Some(bytes) = session.poll_transmit() {
                let token = link.token;
                self.leave(token, &bytes);
                if self.harm.is_cut() {
                    return;
                }
                continue;
            }
            let mut closed = None;
            let token = link.token;
            while let Some(event) = self.session().and_then(ClientSession::poll_event) {
                idle = false;
                match event {
                    ClientEvent::Connected { .. } => {
                        self.inputs.push_back(Input::Connected(token));
                    }
                    ClientEvent::Message(message) => {
                        if !self.is_raw_topic(&message.topic) {
                            self.inputs.push_back(Input::Message(message));
                        }
                    }
                    ClientEvent::Acked(token, ack) => {
                        if !self.acked_raw(token, ack) {
                            self.inputs.push_back(Input::Acked(token, ack));
                        }
                    }
                    ClientEvent::Refused(code) => closed = Some(Closed::Refused(code)),
                    ClientEvent::Failed(failure) => closed = Some(Closed::Failed(failure)),
                }
            }
            if let Some(closed) = closed {
                let Some(mut link) = self.link.take() else { return };
                link.wire.close();
                self.closed(link.token, &link.connect.url, closed, None);
                return;
            }
            if idle {
                return;
            }
        }
    }

    fn closed(&mut self, token: Token, url: &str, closed: Closed, trouble: Option<Trouble>) {
        self.trace.borrow_mut().link(Link::Closed, url, trouble, self.clock.moment());
        self.drop_held(token);
        self.end_raw();
        self.inputs.push_back(Input::Closed(token, closed));
    }

    /// Every input passes here, and nowhere else.
    fn feed(&mut self, input: Input) -> Result<(), ApiMisuse> {
        let now = self.clock.now();
        self.record.input(&input, now, &self.trace);
        let done = self.agent.handle_input(input, now);
        self.record.said(&self.agent);
        self.outputs();
        self.record.rest(&mut self.agent);
        done
    }

    /// Takes the agent's outputs: events into the timeline, commands and the deadline to their places.
    fn outputs(&mut self) {
        loop {
            match self.agent.poll_output() {
                Output::Command(command) => self.commands.push_back(command),
                Output::Event(event) => {
                    let moment = self.clock.moment();
                    self.note_ready(&event);
                    let met = self.harm.meets_events().then(|| event.clone());
                    self.trace.borrow_mut().push(What::Event { event }, moment);
                    if let Some(event) = met {
                        self.happened(&event);
                    }
                }
                Output::Timeout(at) => {
                    self.agent_due = at;
                    return;
                }
            }
        }
    }

    fn push(&mut self, what: What) {
        self.trace.borrow_mut().push(what, self.clock.moment());
    }

    async fn command(&mut self, command: Command) {
        match command {
            Command::Connect(token, connect) => self.connect(token, connect),
            Command::Close(token) => match self.link.take() {
                Some(link) if link.token == token => {
                    let url = self.say_goodbye(link);
                    self.closed(token, &url, Closed::Requested, None);
                }
                other => {
                    self.link = other;
                    self.inputs.push_back(Input::Closed(token, Closed::Requested));
                }
            },
            // Without a session the order is void: `Closed` is on its way. A topic that MQTT does not allow gets no
            // answer: the core gives the step up by its timer.
            Command::Subscribe(token, subscribe) => {
                if let Some(session) = self.session() {
                    let _ = session.subscribe(token, &subscribe);
                }
                self.pump();
            }
            Command::Publish(token, publish) => {
                if let Some(session) = self.session() {
                    let _ = session.publish(token, &publish);
                }
                self.pump();
            }
            Command::Request(token, request) => {
                self.trace.borrow_mut().request(token, &request, self.clock.moment());
                self.ask(token, request);
            }
            Command::Store(token, key, value) => self.store(token, key, Some(value)).await,
            Command::Erase(token, key) => self.store(token, key, None).await,
            Command::Download(token, download) => self.download(token, download),
            Command::CancelDownload(token) => {
                if let Some(aborter) = self.downloads.remove(&token) {
                    aborter.abort();
                }
            }
            Command::Install(token, install) => self.install(token, install).await,
        }
    }

    fn send_request(&mut self, token: Token, request: Request) {
        let (words, tab, route) = (self.words.clone(), self.tab.clone(), self.route);
        let Some(aborter) = self.requests.get(&token).cloned() else { return };
        spawn_local(async move {
            let (answer, trouble) = match tab {
                Some(door) => (door.request(&request).await, None),
                None => fetch::request(&request, route, &aborter).await,
            };
            let _ = words.unbounded_send(Word::Answer(token, answer, trouble));
        });
    }

    fn connect(&mut self, token: Token, connect: Connect) {
        if let Some(mut old) = self.link.take() {
            old.wire.abort();
            self.drop_held(old.token);
            self.end_raw();
        }
        let moment = self.clock.moment();
        self.trace.borrow_mut().link(Link::Opening, &connect.url, None, moment);
        let Some(connect) = self.no_way(token, connect) else { return };
        let words = self.words.clone();
        let news = Box::new(move |news| {
            let _ = words.unbounded_send(Word::Link(token, news));
        });
        let wire = match &self.tab {
            Some(door) => door.connect(self.platform, news),
            None => Wire::open(&connect.url, self.route, news),
        };
        self.link = Some(Live::new(token, connect, wire));
    }

    /// Puts or erases a value, and waits for it: nothing that comes after it may overtake it.
    async fn store(&mut self, token: Token, key: StoreKey, value: Option<SecretBytes>) {
        let begin = self.clock.at();
        let storing = match &value {
            Some(_) => self.before_store(key.name()),
            None => Storing::GoOn,
        };
        let done = match &storing {
            Storing::Dead => return,
            Storing::Fail => Err("a fault: nothing was kept".to_string()),
            _ => self.keep(key.name(), value.as_ref().map(SecretBytes::expose)).await,
        };
        if self.cut.get() {
            return;
        }
        let (outcome, reason) = match done {
            Ok(()) => (Outcome::Done, None),
            Err(reason) => (Outcome::Failed(LocalFailure::Store), Some(reason)),
        };
        let moment = self.clock.moment();
        let latency = moment.at - begin;
        self.trace.borrow_mut().stored(key, value.as_ref(), &outcome, reason, latency, moment);
        if let Storing::ThenDie(strike) = storing {
            return self.strike(strike);
        }
        self.inputs.push_back(Input::Stored(token, outcome));
    }

    async fn keep(&self, key: &str, value: Option<&[u8]>) -> Result<(), String> {
        self.hooks.entries_now(&self.trace);
        let promise =
            self.hooks.store(key, value.map(Uint8Array::from)).map_err(|error| reason(&error))?;
        JsFuture::from(promise).await.map(drop).map_err(|error| reason(&error))
    }

    fn download(&mut self, token: Token, download: Download) {
        let aborter = Aborter::new();
        self.downloads.insert(token, aborter.clone());
        let Some(fault) = self.before_download(token) else { return };
        let (words, tab, route) = (self.words.clone(), self.tab.clone(), self.route);
        spawn_local(async move {
            let progress_words = words.clone();
            let mut progress = move |progress| {
                let _ = progress_words.unbounded_send(Word::Progress(token, progress));
            };
            let result = match tab {
                Some(door) => door.download(&download, &aborter, fault, &mut progress).await,
                None => fetch::download(&download, route, &aborter, fault, &mut progress).await,
            };
            let _ = words.unbounded_send(Word::Downloaded(token, result));
        });
    }

    fn downloaded(&mut self, token: Token, result: Result<fetch::Image, fetch::Broken>) {
        if self.downloads.remove(&token).is_none() {
            return;
        }
        let downloaded = match result {
            Ok(image) => {
                let downloaded = Downloaded::Complete {
                    size: image.size,
                    md5: image.md5.clone(),
                    sha256: image.sha256.clone(),
                };
                self.staged = Some(image);
                downloaded
            }
            Err(broken) => {
                if let Some(trouble) = broken.trouble {
                    let url = trouble.url.clone();
                    let moment = self.clock.moment();
                    self.trace.borrow_mut().link(Link::Closed, &url, Some(trouble), moment);
                }
                Downloaded::Failed(broken.failure)
            }
        };
        self.inputs.push_back(Input::Downloaded(token, downloaded));
    }

    /// Makes the staged image the one that runs: its version is what the next start begins with.
    async fn install(&mut self, token: Token, install: Install) {
        let staged = self.staged.take().filter(|image| image.sha256 == install.sha256);
        let storing = self.before_store(VERSION);
        let done = match (&staged, &storing) {
            (_, Storing::Dead) => return,
            (_, Storing::Fail) => Err("a fault: nothing was kept".to_string()),
            (Some(_), _) => self.keep(VERSION, Some(install.version.as_bytes())).await,
            (None, _) => Err("the staged image is another one".to_string()),
        };
        if self.cut.get() {
            return;
        }
        let (outcome, reason) = match done {
            Ok(()) => (Outcome::Done, None),
            Err(reason) => (Outcome::Failed(LocalFailure::Install), Some(reason)),
        };
        self.push(What::Install {
            version: install.version,
            size: staged.map_or(0, |image| image.size),
            sha256: install.sha256,
            outcome: Success::from(&outcome),
            reason,
        });
        if let Storing::ThenDie(strike) = storing {
            return self.strike(strike);
        }
        self.inputs.push_back(Input::Installed(token, outcome));
    }

    /// The end of the connection, and of the timeline.
    fn log_out(&mut self) {
        if let Some(link) = self.link.take() {
            let url = self.say_goodbye(link);
            self.trace.borrow_mut().link(Link::Closed, &url, None, self.clock.moment());
        }
        self.tell();
    }

    /// DISCONNECT, and the close of the connection once it is sent; where it led.
    fn say_goodbye(&self, mut link: Live) -> String {
        if let Some(session) = &mut link.session {
            session.disconnect();
            while let Some(bytes) = session.poll_transmit() {
                self.trace.borrow_mut().bytes(Direction::Up, &bytes, self.clock.moment());
                link.wire.send(bytes);
            }
        }
        link.wire.close();
        link.connect.url
    }

    /// The earliest of what the agent and the session wait for.
    fn due(&mut self) -> Option<(Instant, NextWhy)> {
        let agent = self.agent_due.zip(self.agent.timeout_reason().map(NextWhy::from));
        let session = self.session().and_then(|session| session.poll_timeout());
        let session = session.map(|at| (at, NextWhy::KeepAlive));
        [agent, session].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn set_timer(&mut self) {
        let due = self.due();
        let at = due.map(|(at, _)| at);
        if self.timer.as_ref().map(|(at, _)| *at) != at {
            self.timer = at.map(|at| {
                let words = self.words.clone();
                let timeout = self.clock.call_at(at, move || {
                    let _ = words.unbounded_send(Word::Timer);
                });
                (at, timeout)
            });
        }
        if self.told != due {
            self.told = due;
            self.hooks.next(due.map_or(JsValue::NULL, |(at, why)| {
                values::js(&Next { at: self.clock.unix_of(at), why })
            }));
        }
    }

    fn tell(&mut self) {
        self.tell_faults();
        self.hooks.entries_now(&self.trace);
    }
}

impl DeviceHooks {
    fn entries_now(&self, trace: &RefCell<Trace>) {
        let entries = take_entries(trace);
        if entries.length() > 0 {
            self.entries(entries);
        }
    }
}

/// The new lines, as an array.
pub(super) fn take_entries(trace: &RefCell<Trace>) -> Array {
    let array = Array::new();
    while let Some(entry) = { trace.borrow_mut().poll() } {
        array.push(&values::js(&entry));
    }
    array
}

/// What a hook failed with, for a person.
pub(super) fn reason(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => error.as_string().unwrap_or_else(|| "no reason was given".to_string()),
    }
}
