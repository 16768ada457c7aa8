//! The loop around one device: inputs in, outputs carried out, one timer.
//!
//! Everything that happens comes to one task, one thing after the other. So there is one connection at a time, news of
//! an old one are recognised by its token and dropped, and a value is stored before anything that comes after it.
//!
//! The plugin is not trusted. What it asks for has to keep to the contract ([`Tokens`]), to the policy ([`Policy`]) and
//! to a rate ([`Pace`]). When it fails, nothing of it is carried out any more: the connection is closed, and after a
//! while another instance begins from what is stored, so with the same secret. Failing again and again ends the device.

mod upgrade;

pub(super) use upgrade::Upgrade;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use muster::wire::{Open, Refusal};
use muster::{
    Ack, Advice, Answer, ApiMisuse, Closed, Command, Downloaded, Error, Event, Failure, Input,
    Intent, LocalFailure, Outcome, Output, PlatformName, Progress, Settings, StoreKey, Stored,
    Token, Update, UpdateFailure,
};
use rustls::ClientConfig;
use tokio::sync::mpsc;

use super::clock::{Clock, local, unix};
use super::commands::{self, Wish};
use super::firmware::Firmware;
use super::http::Http;
use super::link::{Link, News, Order, sleep};
use super::pace::Pace;
use super::policy::{Policy, Refused};
use super::profile::Bounds;
use super::sandbox::{Next, Sandbox};
use super::show::Show;
use super::signals::{Signal, Signals};
use super::store::{self, DeviceDir};
use super::tokens::{Begun, Tokens};
use crate::exit::{Exit, Kind};
use crate::plugin::{Plugin, PluginError};
use crate::text;

/// What waits to be given to the plugin; more waits where it comes from.
const MOST_INPUTS: usize = 64;

/// A profile is read once: half of a new one would be neither.
const HANGUP: &str = "SIGHUP changes nothing: a profile is read at the start; restart the service to have it read anew";

/// When to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "full", derive(clap::ValueEnum))]
pub(super) enum Until {
    /// The device has its own secret, and it is stored.
    Registered,
    /// It is logged in with it (cmcc: its heartbeat was accepted).
    Ready,
    /// A firmware update is installed and reported.
    Updated,
}

impl Until {
    fn reached_by(self, event: &Event) -> bool {
        match self {
            // A device that is ready was registered before, perhaps in an earlier life.
            Self::Registered => matches!(event, Event::Registered { .. } | Event::Ready),
            Self::Ready => matches!(event, Event::Ready),
            Self::Updated => matches!(event, Event::Update { update: Update::Reported { .. } }),
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Ready => "ready",
            Self::Updated => "updated",
        }
    }
}

/// What a driver is made of.
pub(super) struct Parts {
    pub(super) platform: PlatformName,
    pub(super) plugin: Plugin,
    /// Runs when that one has failed too often.
    pub(super) last_good: Option<Plugin>,
    pub(super) settings: Settings,
    pub(super) bounds: Bounds,
    pub(super) policy: Arc<Policy>,
    pub(super) dir: Arc<DeviceDir>,
    pub(super) http: Http,
    pub(super) tls: Arc<ClientConfig>,
    pub(super) show: Show,
    pub(super) until: Option<Until>,
    pub(super) limit: Option<Duration>,
    /// Whether a person may type commands.
    pub(super) interactive: bool,
}

/// How it ended. All but the first two are failures.
enum End {
    Reached(Until),
    TimeIsUp,
    Interrupted,
    /// Nobody reads our output any more.
    Deaf,
    Stopped {
        error: Error,
        advice: Advice,
    },
    UpdateFailed(UpdateFailure),
    Plugin(PluginError),
    Local(Exit),
}

/// Something that another task says.
enum Word {
    Link(Token, News),
    Answer(Input, Option<String>),
    Progress(Token, Progress),
}

type Channel<T> = (mpsc::Sender<T>, mpsc::Receiver<T>);

pub(super) struct Driver {
    parts: Parts,
    clock: Clock,
    firmware: Firmware,
    link: Option<Link>,
    downloads: HashMap<Token, Arc<AtomicBool>>,
    inputs: VecDeque<Input>,
    timer: Option<tokio::time::Instant>,
    words: Channel<Word>,
    news: Channel<(Token, News)>,
    sandbox: Sandbox,
    upgrade: Upgrade,
    tokens: Tokens,
    pace: Pace,
    /// Whether a person was told that the plugin is held back.
    told_held: bool,
    /// What the policy refused and the plugin is to blame for.
    violations: u32,
    /// When the next instance is started, if none runs.
    restart_at: Option<tokio::time::Instant>,
    /// Why the plugin is not started again, if another one may take over.
    failing: Option<PluginError>,
    /// Whether a person has asked for something that may void the secret.
    may_erase: bool,
    stopped: Option<(Error, Advice)>,
    end: Option<End>,
    /// The local date that was last told (cmcc).
    date: Option<u32>,
}

impl Driver {
    /// Brings the device to life and lets it live.
    pub(super) async fn run(
        parts: Parts,
        signals: Signals,
        upgrade: Upgrade,
        stored: Stored,
    ) -> Result<(), Exit> {
        let bounds = &parts.bounds;
        let mut driver = Self {
            firmware: Firmware::new(parts.dir.root()),
            clock: Clock::start(),
            link: None,
            downloads: HashMap::new(),
            inputs: VecDeque::new(),
            timer: None,
            words: mpsc::channel(64),
            news: mpsc::channel(64),
            sandbox: Sandbox::new(
                parts.plugin.clone(),
                parts.last_good.clone(),
                bounds.restarts,
                bounds.restart_after,
            ),
            upgrade,
            tokens: Tokens::default(),
            pace: pace(bounds),
            told_held: false,
            violations: 0,
            restart_at: None,
            failing: None,
            may_erase: false,
            stopped: None,
            end: None,
            date: None,
            parts,
        };
        driver.begin(stored).await;
        if driver.end.is_none() {
            driver.parts.show.started(driver.parts.bounds.plugin.deadline);
        }
        let end = driver.live(signals).await;
        driver.finish(end).await
    }

    /// A new instance, from what is stored.
    async fn begin(&mut self, stored: Stored) {
        let mut seed = [0; 32];
        if let Err(e) = getrandom::fill(&mut seed) {
            let why = format!("the system gives no random numbers: {e}");
            self.end = Some(End::Local(Exit::local(why, "check /dev/urandom")));
            return;
        }
        let settings = self.parts.settings.clone();
        let open = Open::new(self.parts.platform, settings, stored, seed, self.clock.now());
        let began = std::time::Instant::now();
        let opened = self.sandbox.open(open).await;
        self.parts.show.called(self.sandbox.fuel(), began.elapsed());
        match opened {
            Ok(outputs) => {
                self.carry_out(outputs).await;
                self.tell_date();
            }
            // Settings or storage: the same at the next time, and with any other honest plugin.
            Err(error @ PluginError::Refused(_)) if !self.has_another() => {
                self.end = Some(End::Plugin(error));
            }
            Err(error) => self.failed(error),
        }
    }

    /// Begins again after a failure.
    async fn begin_again(&mut self) {
        self.restart_at = None;
        let dir = self.parts.dir.clone();
        let loaded = tokio::task::spawn_blocking(move || dir.load()).await;
        match loaded.unwrap_or_else(|e| Err(Exit::local(e, "start it again"))) {
            Ok(stored) => self.begin(stored).await,
            Err(exit) => self.end = Some(End::Local(exit)),
        }
    }

    /// Closed: nothing that this instance wanted is carried out any more. On trial, the plugin before it takes over.
    fn failed(&mut self, error: PluginError) {
        if self.upgrade.is_on_trial() {
            self.upgrade.condemn(&error);
            self.sandbox.stop();
            return;
        }
        let falls_back = self.upgrade.may_fall_back();
        let next = self.sandbox.failed(!falls_back);
        self.parts.show.plugin_failed(&error, next, self.sandbox.restarts());
        match next {
            Next::Again { after, .. } | Next::LastGood { after } => {
                self.let_go();
                self.restart_at = Some(tokio::time::Instant::now() + after);
            }
            Next::End if falls_back => self.failing = Some(error),
            // `finish` logs out.
            Next::End => {
                self.end.get_or_insert(End::Plugin(error));
            }
        }
    }

    /// Whether another plugin would take over from this one.
    fn has_another(&self) -> bool {
        self.upgrade.is_on_trial() || self.upgrade.may_fall_back() || self.sandbox.has_last_good()
    }

    /// Closes the connection, and forgets what was under way.
    fn let_go(&mut self) {
        self.parts.show.let_go();
        if let Some(link) = self.link.take() {
            // DISCONNECT; its task ends by itself.
            link.order(Order::Close);
        }
        for (_, stop) in self.downloads.drain() {
            stop.store(true, Ordering::Relaxed);
        }
        self.inputs.clear();
        (self.timer, self.stopped) = (None, None);
        // Answers to the old instance find nobody.
        (self.words, self.news) = (mpsc::channel(64), mpsc::channel(64));
        self.tokens = Tokens::default();
        self.pace = pace(&self.parts.bounds);
        (self.told_held, self.violations, self.date) = (false, 0, None);
        self.may_erase = false;
    }

    async fn live(&mut self, mut signals: Signals) -> End {
        let limit = self.parts.limit.map(|limit| tokio::time::Instant::now() + limit);
        let mut lines = self.parts.interactive.then(commands::listen);
        loop {
            self.parts.show.turn();
            if let Some(end) = self.end.take() {
                return end;
            }
            if self.parts.show.is_deaf() {
                return End::Deaf;
            }
            if self.upgrade.is_condemned() {
                self.see_to_upgrade().await;
                continue;
            }
            if let Some(error) = self.failing.take() {
                if !self.fall_back(&error).await {
                    self.end.get_or_insert(End::Plugin(error));
                }
                continue;
            }
            let now = tokio::time::Instant::now();
            let held = self.pace.held_until(now);
            self.tell_held();
            if self.sandbox.lives() && self.pace.is_restless(now) {
                self.failed(PluginError::Restless { per_minute: self.pace.per_minute() });
                continue;
            }
            let may_feed = self.sandbox.lives() && !self.inputs.is_empty();
            // While inputs wait, what comes from outside waits outside.
            let may_hear = self.inputs.len() < MOST_INPUTS;
            let midnight_may_come = now + Duration::from_secs(60);
            let watch_date =
                (self.parts.platform == PlatformName::Cmcc).then_some(midnight_may_come);
            tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::End => return End::Interrupted,
                    Signal::Report => self.inputs.push_back(Input::User(Intent::Report)),
                    Signal::Hangup => self.parts.show.note(HANGUP),
                },
                () = sleep(limit) => return End::TimeIsUp,
                () = ready(held), if may_feed => if let Some(input) = self.inputs.pop_front() {
                    self.feed(input).await;
                },
                Some((token, happened)) = self.news.1.recv(), if may_hear => {
                    self.hear(Word::Link(token, happened));
                }
                Some(word) = self.words.1.recv(), if may_hear => self.hear(word),
                line = next_line(&mut lines) => match line.as_deref().map(commands::parse) {
                    // The end of stdin is not the end of the device.
                    None => lines = None,
                    Some(Ok(None)) => {}
                    Some(Ok(Some(Wish::Intent(intent)))) => {
                        if matches!(intent, Intent::TryAgain | Intent::RegisterAgain) {
                            self.stopped = None;
                            self.may_erase = true;
                        }
                        self.inputs.push_back(Input::User(intent));
                    }
                    Some(Ok(Some(Wish::Help))) => self.parts.show.note(commands::HELP),
                    Some(Ok(Some(Wish::Quit))) => return match self.stopped.take() {
                        Some((error, advice)) => End::Stopped { error, advice },
                        None => End::Interrupted,
                    },
                    Some(Err(problem)) => self.parts.show.note(&problem),
                },
                () = sleep(self.timer) => {
                    self.timer = None;
                    self.inputs.push_back(Input::Timeout);
                }
                () = sleep(self.restart_at) => self.begin_again().await,
                () = sleep(self.upgrade.due()) => self.see_to_upgrade().await,
                () = sleep(watch_date) => self.tell_date(),
                () = sleep(self.parts.show.wake_at()) => {}
            }
        }
    }

    /// Says once that the plugin is held back.
    fn tell_held(&mut self) {
        let held = self.pace.held_since().is_some();
        if held && !self.told_held {
            self.parts.show.held_back(self.pace.per_minute());
        }
        self.told_held = held;
    }

    /// China Mobile's strategy 1 reports at the first use of a day, and a device that is on is in use.
    fn tell_date(&mut self) {
        let today = local(unix()).date();
        if self.parts.platform == PlatformName::Cmcc && self.date != Some(today) {
            self.date = Some(today);
            self.inputs.push_back(Input::User(Intent::Use { date: today }));
        }
    }

    fn hear(&mut self, word: Word) {
        let ours =
            |link: &Option<Link>, token| link.as_ref().is_some_and(|link| link.token == token);
        match word {
            Word::Link(token, _) if !ours(&self.link, token) => {}
            Word::Link(token, News::Connected) => self.inputs.push_back(Input::Connected(token)),
            Word::Link(_, News::Message(message)) => self.inputs.push_back(Input::Message(message)),
            Word::Link(_, News::Acked(token, ack)) => {
                self.inputs.push_back(Input::Acked(token, ack));
            }
            Word::Link(token, News::Closed { closed, detail }) => {
                self.link = None;
                if let Some(detail) = detail {
                    self.parts.show.note(&detail);
                }
                self.inputs.push_back(Input::Closed(token, closed));
            }
            Word::Progress(token, progress) => {
                if self.downloads.contains_key(&token) {
                    self.parts.show.progress(progress);
                    self.inputs.push_back(Input::Progress(token, progress));
                }
            }
            Word::Answer(input, detail) => {
                if let Input::Downloaded(token, _) = &input
                    && self.downloads.remove(token).is_none()
                {
                    return;
                }
                if let Some(detail) = detail {
                    self.parts.show.note(&detail);
                }
                self.inputs.push_back(input);
            }
        }
    }

    async fn feed(&mut self, input: Input) {
        let now = tokio::time::Instant::now();
        match &input {
            Input::Timeout => self.pace.spend(now),
            Input::Message(_) | Input::Progress(..) | Input::User(_) => self.pace.earn(now),
            _ => {}
        }
        let at = self.clock.now();
        self.upgrade.keep(&input, at, &self.tokens);
        self.tokens.answered(&input);
        let length = match &input {
            Input::Message(message) => Some(message.payload.expose().len()),
            _ => None,
        };
        self.parts.show.input(&input);
        let began = std::time::Instant::now();
        let handled = self.sandbox.handle(input, at).await;
        self.parts.show.called(self.sandbox.fuel(), began.elapsed());
        match handled {
            Ok(outputs) => self.carry_out(outputs).await,
            Err(PluginError::Refused(Refusal::Misuse(ApiMisuse::IntentNotSupported))) => {
                self.upgrade.forget_last();
                let note = format!("{} has no such thing to do", self.parts.platform);
                self.parts.show.note(&note);
            }
            // The server may send what it likes.
            Err(PluginError::Refused(Refusal::TooLong)) if length.is_some() => {
                self.upgrade.forget_last();
                let note = format!(
                    "a message of {} is longer than the plugin reads: ignored",
                    text::bytes(length.unwrap_or(0) as u64)
                );
                self.parts.show.note(&note);
            }
            Err(error) => self.failed(error),
        }
    }

    /// Carries out what one call said, all of it or, if any of it breaks the contract, nothing.
    async fn carry_out(&mut self, outputs: Vec<Output>) {
        let weighed = match self.weigh(outputs) {
            Ok(weighed) => weighed,
            Err(error) => return self.failed(error),
        };
        self.upgrade.keep_outputs(weighed.iter().map(|(output, _)| output));
        for (output, refused) in weighed {
            match (output, refused) {
                (Output::Command(command), None) => {
                    self.parts.show.command(&command);
                    self.command(command).await;
                }
                (Output::Command(command), Some(_)) => self.refuse(&command),
                (Output::Event(event), _) => self.event(event),
                (Output::Timeout(at), _) => self.timer = at.map(|at| self.clock.at(at)),
            }
        }
    }

    /// Which commands the policy refuses; an error if they break the contract, or were refused too often by now.
    fn weigh(
        &mut self,
        outputs: Vec<Output>,
    ) -> Result<Vec<(Output, Option<Refused>)>, PluginError> {
        let now = tokio::time::Instant::now();
        let mut weighed = Vec::with_capacity(outputs.len());
        for output in outputs {
            let refused = match &output {
                Output::Command(command) => {
                    self.pace.spend(now);
                    let verdict = match self.tokens.begin(command)? {
                        Begun::Yes => self.parts.policy.check(command, self.may_erase),
                        // How soon a publication is acknowledged is the server's matter.
                        Begun::TooMany => {
                            Err(Refused::too_many(!matches!(command, Command::Publish(..))))
                        }
                    };
                    verdict.err()
                }
                _ => None,
            };
            if let Some(refused) = &refused {
                self.violations += u32::from(refused.plugins);
                self.parts.show.refused(refused, self.violations);
                if refused.plugins && self.violations >= self.parts.bounds.violations {
                    let last = refused.asked.clone();
                    return Err(PluginError::Forbidden { times: self.violations, last });
                }
            }
            weighed.push((output, refused));
        }
        Ok(weighed)
    }

    /// Tells the plugin in the terms of its command.
    fn refuse(&mut self, command: &Command) {
        let forbidden = Failure::Forbidden;
        let answer = match command {
            Command::Connect(token, _) => Input::Closed(*token, Closed::Failed(forbidden)),
            Command::Subscribe(token, _) => Input::Acked(*token, Ack::SubscribeRefused),
            Command::Request(token, _) => Input::Response(*token, Answer::Failed(forbidden)),
            Command::Download(token, _) => Input::Downloaded(*token, Downloaded::Failed(forbidden)),
            Command::Store(token, ..) | Command::Erase(token, _) => {
                Input::Stored(*token, Outcome::Failed(LocalFailure::Store))
            }
            // MQTT has no such answer to a publication: it is as if the server did not acknowledge it.
            Command::Publish(token, _) => return self.tokens.void(*token),
            _ => return,
        };
        self.inputs.push_back(answer);
    }

    fn event(&mut self, event: Event) {
        self.parts.show.event(&event, self.clock.now());
        if self.end.is_none()
            && let Some(until) = self.parts.until
            && until.reached_by(&event)
        {
            self.end = Some(End::Reached(until));
        }
        if matches!(event, Event::Ready) {
            self.parts.dir.serves();
        }
        self.upgrade.hear(&event);
        match event {
            // The plugin before it decides.
            Event::Stopped { .. } if self.upgrade.is_on_trial() => {}
            // A person at the keyboard decides how to go on; a script gets its exit code.
            Event::Stopped { error, advice } if self.parts.lines_wanted() => {
                self.stopped = Some((error, advice));
                self.parts.show.note("type again to try again, quit to end, help for more");
            }
            Event::Stopped { error, advice } => {
                self.end.get_or_insert(End::Stopped { error, advice });
            }
            Event::Update { update: Update::Failed { reason } }
                if self.parts.until == Some(Until::Updated) =>
            {
                self.end.get_or_insert(End::UpdateFailed(reason));
            }
            _ => {}
        }
    }

    async fn command(&mut self, command: Command) {
        match command {
            Command::Connect(token, connect) => {
                if let Some(old) = self.link.take() {
                    old.abort();
                }
                let (tls, clock) = (self.parts.tls.clone(), self.clock);
                self.link = Some(Link::open(token, connect, tls, clock, self.news.0.clone()));
            }
            Command::Close(token) => match &self.link {
                // Its last news answers.
                Some(link) if link.token == token => link.order(Order::Close),
                _ => self.inputs.push_back(Input::Closed(token, Closed::Requested)),
            },
            Command::Subscribe(token, subscribe) => self.order(Order::Subscribe(token, subscribe)),
            Command::Publish(token, publish) => self.order(Order::Publish(token, publish)),
            Command::Request(token, request) => {
                let (http, words) = (self.parts.http.clone(), self.words.0.clone());
                tokio::task::spawn_blocking(move || {
                    let (answer, detail) = http.request(&request);
                    let _ =
                        words.blocking_send(Word::Answer(Input::Response(token, answer), detail));
                });
            }
            Command::Store(token, key, value) => {
                let dir = self.parts.dir.clone();
                let done = blocking(move || dir.put(key, &value)).await;
                self.stored(token, done);
            }
            Command::Erase(token, key) => {
                // What a person asked for is done once.
                self.may_erase &= key != StoreKey::Credential;
                let dir = self.parts.dir.clone();
                let done = blocking(move || dir.erase(key)).await;
                self.stored(token, done);
            }
            Command::Download(token, download) => {
                let stop = Arc::new(AtomicBool::new(false));
                self.downloads.insert(token, stop.clone());
                let (http, words) = (self.parts.http.clone(), self.words.0.clone());
                let (firmware, policy) = (self.firmware.clone(), self.parts.policy.clone());
                tokio::task::spawn_blocking(move || {
                    let mut tell = |progress| {
                        let _ = words.blocking_send(Word::Progress(token, progress));
                    };
                    let (downloaded, detail) =
                        firmware.download(&http, policy.firmware(), &download, &stop, &mut tell);
                    let input = Input::Downloaded(token, downloaded);
                    let _ = words.blocking_send(Word::Answer(input, detail));
                });
            }
            Command::CancelDownload(token) => {
                if let Some(stop) = self.downloads.remove(&token) {
                    stop.store(true, Ordering::Relaxed);
                }
            }
            Command::Install(token, install) => {
                let firmware = self.firmware.clone();
                let done = blocking(move || firmware.install(&install)).await;
                let outcome =
                    self.outcome(done, LocalFailure::Install, "the image was not installed");
                self.inputs.push_back(Input::Installed(token, outcome));
            }
            // None that this host does not know comes so far.
            _ => {}
        }
    }

    fn order(&self, order: Order) {
        // Without a connection the order is void: `Closed` is on its way, and the core awaits no other answer.
        if let Some(link) = &self.link {
            link.order(order);
        }
    }

    fn stored(&mut self, token: Token, done: std::io::Result<()>) {
        let outcome = self.outcome(done, LocalFailure::Store, "nothing was stored");
        self.inputs.push_back(Input::Stored(token, outcome));
    }

    fn outcome(&mut self, done: std::io::Result<()>, failure: LocalFailure, what: &str) -> Outcome {
        match done {
            Ok(()) => Outcome::Done,
            Err(error) => {
                let note = format!("{what} in {}: {error}", self.parts.dir.root().display());
                self.parts.show.note(&note);
                Outcome::Failed(failure)
            }
        }
    }

    /// Logs out, stops what is under way, and says how it ended.
    async fn finish(mut self, end: End) -> Result<(), Exit> {
        self.parts.show.stopping();
        for stop in self.downloads.values() {
            stop.store(true, Ordering::Relaxed);
        }
        if let Some(link) = self.link.take() {
            link.order(Order::Close);
            // DISCONNECT, then the layers below: a second each at most.
            link.ended(Duration::from_secs(2)).await;
        }
        let platform = self.parts.platform;
        let (why, result) = match end {
            End::Reached(until) => (format!("done: {}", until.word()), Ok(())),
            End::TimeIsUp => match self.parts.until {
                None => ("the time is up".into(), Ok(())),
                Some(until) => {
                    let why = format!("not {} in the time given with --for", until.word());
                    let next = "give it more time, or see above what it waits for";
                    (why.clone(), Err(Exit::network(why, next)))
                }
            },
            End::Interrupted | End::Deaf => match self.parts.until {
                None => ("ended; everything is stored".into(), Ok(())),
                Some(until) => {
                    let why = format!("interrupted before it was {}", until.word());
                    (
                        why.clone(),
                        Err(Exit::network(why, "start it again: it goes on where it was")),
                    )
                }
            },
            End::Stopped { error, advice } => {
                let why = text::error(&error, platform);
                (why.clone(), Err(Exit::new(kind_of(&error), why, text::advice(advice))))
            }
            End::UpdateFailed(reason) => {
                let why = format!("the update failed: {}", text::update_failure(&reason));
                let kind = match &reason {
                    UpdateFailure::Download(Failure::TooLarge | Failure::Forbidden)
                    | UpdateFailure::Refused(_)
                    | UpdateFailure::Size
                    | UpdateFailure::Digest
                    | UpdateFailure::Url => Kind::Rejected,
                    UpdateFailure::Install => Kind::Local,
                    _ => Kind::Network,
                };
                (why.clone(), Err(Exit::new(kind, why, "have the operator push it again")))
            }
            End::Plugin(error) => (error.to_string(), Err(self.broken(&error))),
            End::Local(exit) => (exit.message.clone(), Err(exit)),
        };
        let code = result.as_ref().err().map_or(0, |exit: &Exit| exit.kind as u8);
        self.parts.show.end(code, &why);
        result
    }

    fn broken(&self, error: &PluginError) -> Exit {
        match error {
            PluginError::Refused(Refusal::Misuse(misuse)) => match misuse {
                ApiMisuse::Config(problem) => Exit::usage(
                    problem,
                    "set it with --set KEY=VALUE or in a file given with --config",
                ),
                ApiMisuse::StoredForAnotherDevice => Exit::local(
                    format!("{} holds another device", self.parts.dir.root().display()),
                    "give this device a folder of its own: --store DIR",
                ),
                ApiMisuse::StoredUnreadable(key) => {
                    store::damaged(&self.parts.dir.file(*key), *key)
                }
                other => Exit::local(other, "report this as a defect"),
            },
            _ => Exit::local(error, text::plugin_advice(error)),
        }
    }
}

impl Parts {
    /// Whether a person is asked how to go on after a stop.
    fn lines_wanted(&self) -> bool {
        self.interactive && self.until.is_none() && self.limit.is_none()
    }
}

fn pace(bounds: &Bounds) -> Pace {
    Pace::new(bounds.per_minute, bounds.throttled_for, tokio::time::Instant::now())
}

/// At that time; at once without one.
async fn ready(at: Option<tokio::time::Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at).await;
    }
}

/// Which exit code an error is.
fn kind_of(error: &Error) -> Kind {
    match error {
        Error::Rejected { .. } | Error::PeerMisbehaved { .. } | Error::Codec { .. } => {
            Kind::Rejected
        }
        Error::Local { .. } => Kind::Local,
        _ => Kind::Network,
    }
}

async fn next_line(lines: &mut Option<mpsc::Receiver<String>>) -> Option<String> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

/// Waits for the disk without holding up the connection's task.
async fn blocking(
    work: impl FnOnce() -> std::io::Result<()> + Send + 'static,
) -> std::io::Result<()> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(std::io::Error::other(e)))
}
