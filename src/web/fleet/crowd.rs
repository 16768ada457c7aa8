//! All devices of a fleet, and the one task that drives them.
//!
//! Everything that happens comes to the task in one queue. After a stretch of work it lets the Worker breathe: in a tab
//! whose clouds are in it as well, nothing else would ever come to its turn.

use std::cell::RefCell;
use std::rc::Rc;
use std::string::String;
use std::vec::Vec;

use core::cmp::Reverse;

use futures_channel::mpsc;
use futures_util::StreamExt;
use gloo_timers::callback::{Interval, Timeout};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::FleetHooks;
use super::means::{Bounds, Change, Means, Who};
use super::member::{Heard, Member, Scratch};
use crate::cloud::ConnectionId;
use crate::error::Failure;
use crate::input::{Answer, Progress};
use crate::output::{StoreKey, Token};
use crate::page::{FleetPhase, FleetRow, FleetRows, FleetState, FleetStatus};
use crate::platform::{Config, PlatformName};
use crate::secret::{Secret, SecretBytes};
use crate::settings::Settings;
use crate::time::Instant;
use crate::trace::TroubleReason;
use crate::web::fetch::{Broken, Image};
use crate::web::link::News;
use crate::web::values::{self, Reply};

/// How long the task works before it lets others, in milliseconds.
const STRETCH: f64 = 24.0;
/// Between two words to the page.
const TELL_EVERY: u32 = 500;
/// Rows that are handed out at once.
const MOST_ROWS: usize = 1_000;

/// Something that happens to a fleet.
pub(super) enum Word {
    Opened(u32),
    Heard(u32, Vec<u8>),
    Closed(u32, bool),
    News(Who, ConnectionId, News),
    Looked(String, Failure, TroubleReason),
    Unreachable(Vec<(Who, Token)>, Failure, TroubleReason),
    Answer(Who, Token, Answer, Option<TroubleReason>),
    Progress(Who, Token, Progress),
    Downloaded(Who, Token, Result<Image, Broken>),
    Stored(Vec<Change>, bool),
    /// A deadline of somebody's may have come, or somebody's turn.
    Timer,
    /// The page is to be told.
    Tell,
    /// Something was changed from outside.
    Nudge,
}

/// Which rows the page wants.
pub(super) struct Query {
    pub(super) states: Option<Vec<FleetState>>,
    /// In lower case.
    pub(super) search: String,
    pub(super) from: usize,
    pub(super) count: usize,
}

/// All devices.
pub(super) struct Crowd {
    pub(super) members: Vec<Member>,
    pub(super) means: Means,
    common: Settings,
    columns: Vec<String>,
    phase: FleetPhase,
    /// The next one to look at whether it has to start.
    next: usize,
    /// Whether everyone starts whose turn comes, or only those that the rate allows: since when, and how many.
    ramp: (f64, u32),
    scratch: Scratch,
    timer: Option<(Instant, Timeout)>,
    ticker: Option<Interval>,
    /// Values are on their way to the page's storage.
    storing: bool,
    /// Who waits until nothing is on its way any more.
    leaving: Vec<Reply>,
    /// Another run was asked for meanwhile: it begins with what is stored then.
    again: bool,
    /// Devices that left, and whoever waits until what they had to keep is kept.
    taking: Vec<(usize, Reply)>,
}

impl Crowd {
    pub(super) fn new(
        members: Vec<Member>,
        means: Means,
        common: Settings,
        columns: Vec<String>,
    ) -> Self {
        let mut crowd = Self {
            members,
            means,
            common,
            columns,
            phase: FleetPhase::Idle,
            next: 0,
            ramp: (0.0, 0),
            scratch: Scratch::default(),
            timer: None,
            ticker: None,
            storing: false,
            leaving: Vec::new(),
            again: false,
            taking: Vec::new(),
        };
        let waiting = u32::try_from(crowd.members.len()).unwrap_or(u32::MAX);
        if let Some(count) = crowd.means.counts.get_mut(FleetState::Waiting as usize) {
            *count = waiting;
        }
        crowd.fit();
        crowd
    }

    /// Those who have no socket in this tab are told so before anything begins.
    fn fit(&mut self) {
        let uses_sockets = self.means.door.is_none() && self.means.platform != PlatformName::Cmcc;
        let most = match self.means.bounds.sockets {
            0 => usize::MAX,
            most if uses_sockets => most as usize,
            _ => usize::MAX,
        };
        let mut fit = 0;
        for member in &mut self.members {
            if member.state == FleetState::Taken || member.is_live() {
                continue;
            }
            fit += 1;
            let state = if fit > most { FleetState::Beyond } else { FleetState::Waiting };
            if matches!(member.state, FleetState::Beyond | FleetState::Waiting) {
                member.set(state, &mut self.means);
            }
        }
    }

    pub(super) fn bounds(&mut self, bounds: Bounds) {
        let reports = self.means.bounds.report_every != bounds.report_every;
        self.means.bounds = bounds;
        self.ramp = (self.means.clock.at(), 0);
        if reports {
            for (at, member) in (0..).zip(&mut self.members) {
                member.rearm_reports(at, &mut self.means);
            }
        }
        if self.phase == FleetPhase::Idle {
            self.fit();
        }
    }

    pub(super) fn bounds_now(&self) -> Bounds {
        self.means.bounds
    }

    /// Everyone starts in his turn; after a pause, who has not started yet. Who registered a moment ago has to start
    /// with the secret that came of it: so as long as values of the run before are on their way, the next one waits.
    pub(super) fn run(&mut self) {
        self.again = self.phase == FleetPhase::Idle && self.is_storing();
        if self.again {
            return self.nudge();
        }
        if self.phase == FleetPhase::Idle {
            self.means.begin();
            for member in &mut self.members {
                if !matches!(member.state, FleetState::Taken | FleetState::Beyond) {
                    member.renew(FleetState::Waiting, &mut self.means);
                }
            }
            self.fit();
            self.next = 0;
        }
        self.phase = FleetPhase::Running;
        self.ramp = (self.means.clock.at(), 0);
        if self.ticker.is_none() {
            let words = self.means.words.clone();
            self.ticker = Some(Interval::new(TELL_EVERY, move || {
                let _ = words.unbounded_send(Word::Tell);
            }));
        }
        self.nudge();
    }

    pub(super) fn pause(&mut self) {
        self.again = false;
        if self.phase == FleetPhase::Running {
            self.phase = FleetPhase::Paused;
        }
        self.nudge();
    }

    /// Everyone logs out. `reply` comes when all that was on its way to the storage is there.
    pub(super) fn stop(&mut self, reply: Reply) {
        self.phase = FleetPhase::Idle;
        self.again = false;
        self.means.forget_waiting();
        for (at, member) in (0..).zip(&mut self.members) {
            // What became of those that gave up stays to be seen.
            let gave_up = matches!(member.state, FleetState::Rejected | FleetState::Failed);
            let state = if gave_up { member.state } else { FleetState::Off };
            member.stop(at, state, &mut self.means);
        }
        self.means.deadlines.clear();
        self.timer = None;
        self.ticker = None;
        self.leaving.push(reply);
        self.nudge();
    }

    /// Those that gave up try again, each in its turn: all at once would be more than the cloud was ever asked.
    pub(super) fn try_again(&mut self) {
        if self.phase == FleetPhase::Idle {
            return;
        }
        for member in &mut self.members {
            if matches!(member.state, FleetState::Rejected | FleetState::Failed) {
                member.set(FleetState::Waiting, &mut self.means);
            }
        }
        self.next = 0;
        self.ramp = (self.means.clock.at(), 0);
        self.nudge();
    }

    /// Takes one out of the fleet: its settings and what it stored are somebody else's from now on. `reply` gets them
    /// when all that it had to keep is kept.
    pub(super) fn take(&mut self, at: usize, reply: Reply) {
        let Some(member) = self.members.get_mut(at) else {
            return reply.give(Ok(JsValue::UNDEFINED));
        };
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        if member.is_live() {
            member.stop(number, FleetState::Taken, &mut self.means);
        } else {
            member.set(FleetState::Taken, &mut self.means);
        }
        if member.is_storing() {
            self.taking.push((at, reply));
        } else {
            reply.give(Ok(super::handed_out(self, at)));
        }
        self.nudge();
    }

    /// What this device had to keep is kept, or could not be: whoever waited for it is told.
    fn hand_out(&mut self, at: usize, done: bool) {
        if !self.taking.iter().any(|(of, _)| *of == at) {
            return;
        }
        let all = core::mem::take(&mut self.taking);
        let (these, others) = all.into_iter().partition(|(of, _)| *of == at);
        self.taking = others;
        let these: Vec<(usize, Reply)> = these;
        if !done && let Some(member) = self.members.get_mut(at) {
            member.set(FleetState::Off, &mut self.means);
        }
        for (_, reply) in these {
            reply.give(if done {
                Ok(super::handed_out(self, at))
            } else {
                let text = "what this device had to keep could not be stored";
                let next = "make room in the storage; the device is in the fleet as before";
                Err(values::fault("storage", text, Some(next), JsValue::NULL))
            });
        }
    }

    /// Whether values are on their way to the page's storage.
    fn is_storing(&self) -> bool {
        self.storing || !self.means.changes.is_empty()
    }

    pub(super) fn nudge(&self) {
        let _ = self.means.words.unbounded_send(Word::Nudge);
    }

    /// Its own settings on top of what all have in common.
    pub(super) fn settings(&self, at: usize) -> Settings {
        let mut settings = self.common.clone();
        if let Some(member) = self.members.get(at) {
            for (column, value) in &member.row {
                if let Some(key) = self.columns.get(usize::from(*column)) {
                    settings.set(key, value.expose());
                }
            }
            if let Some(version) = &member.kept.version {
                settings.set("firmware_version", version);
            }
        }
        settings
    }

    fn one(&mut self, at: usize, heard: Heard) {
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        if let Some(member) = self.members.get_mut(at) {
            member.hear(number, heard, &mut self.means, &mut self.scratch);
        }
    }

    /// The same for who may be in another life by now.
    fn one_of(&mut self, who: Who, heard: Heard) {
        let at = who.at as usize;
        if self.members.get(at).is_some_and(|member| member.is(who)) {
            self.one(at, heard);
        }
    }

    fn hear(&mut self, word: Word, hooks: &FleetHooks) {
        match word {
            Word::Opened(socket) => {
                self.means.sockets.opened(socket);
                if let Some(at) = self.means.sockets.member(socket) {
                    self.one(at as usize, Heard::Opened(socket));
                }
            }
            Word::Heard(socket, bytes) => {
                if let Some(at) = self.means.sockets.member(socket) {
                    self.one(at as usize, Heard::Bytes(bytes));
                }
            }
            Word::Closed(socket, clean) => {
                let at = self.means.sockets.member(socket);
                drop(self.means.sockets.closed(socket));
                if let Some(at) = at {
                    self.one(at as usize, Heard::Closed(socket, clean));
                }
            }
            Word::News(who, connection, news) => self.one_of(who, Heard::News(connection, news)),
            Word::Looked(url, failure, reason) => {
                for (who, token) in self.means.looked(url, failure, reason) {
                    self.one_of(who, Heard::Unreachable(token, failure, reason));
                }
            }
            Word::Unreachable(these, failure, reason) => {
                for (who, token) in these {
                    self.one_of(who, Heard::Unreachable(token, failure, reason));
                }
            }
            Word::Answer(who, token, answer, reason) => {
                if self.means.answered(who, token) {
                    self.one_of(who, Heard::Answer(token, answer, reason));
                }
            }
            Word::Progress(who, token, progress) => {
                self.one_of(who, Heard::Progress(token, progress));
            }
            Word::Downloaded(who, token, result) => {
                if self.means.answered(who, token) {
                    self.one_of(who, Heard::Downloaded(token, result));
                }
            }
            Word::Stored(changes, done) => {
                self.storing = false;
                for Change { who, token, key, value } in changes {
                    let at = who.at as usize;
                    if let Some(member) = self.members.get_mut(at) {
                        member.stored(key, value, done);
                    }
                    let result = if done { Ok(()) } else { Err(()) };
                    self.one_of(who, Heard::Kept(token, key, result));
                    self.hand_out(at, done);
                }
            }
            Word::Timer => self.timer = None,
            Word::Tell => hooks.tick(values::js(&self.status())),
            Word::Nudge => {}
        }
    }

    /// What follows from all that was heard: whose time has come, whose turn it is, what is to be kept.
    fn go_on(&mut self, hooks: &FleetHooks) {
        let now = self.means.clock.now().mono;
        while let Some(Reverse((due, at))) = self.means.deadlines.peek().copied() {
            if due > now {
                break;
            }
            self.means.deadlines.pop();
            let at = at as usize;
            if self.members.get_mut(at).is_some_and(|member| member.came_up(due)) {
                self.one(at, Heard::Due);
            }
        }
        if self.phase == FleetPhase::Running {
            self.start_some();
        }
        self.connect_some();
        let members = &self.members;
        let wanted = |who: Who, token| {
            members.get(who.at as usize).is_some_and(|member| member.asks(who, token))
        };
        self.means.send_requests(wanted);
        self.store(hooks);
        if self.phase == FleetPhase::Idle && !self.is_storing() {
            let leaving = core::mem::take(&mut self.leaving);
            if !leaving.is_empty() {
                hooks.tick(values::js(&self.status()));
            }
            for reply in leaving {
                reply.give(Ok(JsValue::UNDEFINED));
            }
            if self.again {
                self.run();
                hooks.tick(values::js(&self.status()));
            }
        }
        self.set_timer();
    }

    fn start_some(&mut self) {
        let Bounds { at_once, rate, .. } = self.means.bounds;
        while self.next < self.members.len() {
            let under_way =
                self.means.count(FleetState::Registering) + self.means.count(FleetState::Login);
            if under_way >= at_once {
                return;
            }
            if rate > 0 && f64::from(self.ramp.1) >= self.allowed(rate) {
                return;
            }
            let at = self.next;
            self.next += 1;
            if self.members.get(at).is_none_or(|member| member.state != FleetState::Waiting) {
                continue;
            }
            self.ramp.1 += 1;
            let settings = self.settings(at);
            let number = u32::try_from(at).unwrap_or(u32::MAX);
            let config = Config::from_settings(self.means.platform, &settings);
            let Some(member) = self.members.get_mut(at) else { return };
            if member.is_live() {
                member.try_again(number, &mut self.means, &mut self.scratch);
                continue;
            }
            match config {
                Ok(config) => member.start(number, config, &mut self.means, &mut self.scratch),
                // The settings were read when the fleet was made: it is the version of what it installed.
                Err(_) => member.cannot_start(&mut self.means),
            }
        }
    }

    /// How many may have started since the ramp began.
    fn allowed(&self, rate: u32) -> f64 {
        (self.means.clock.at() - self.ramp.0) * f64::from(rate) / 1_000.0 + 1.0
    }

    fn connect_some(&mut self) {
        loop {
            let members = &self.members;
            let wanted = |who: Who, token| {
                members.get(who.at as usize).is_some_and(|member| member.waits_for(who, token))
            };
            let Some(begun) = self.means.next_socket(wanted) else { return };
            self.one_of(begun.who, Heard::Begun(begun.token, begun.outcome));
        }
    }

    /// What is to be kept goes to the page's storage, all of it at once; what comes meanwhile goes after it.
    fn store(&mut self, hooks: &FleetHooks) {
        if self.storing || self.means.changes.is_empty() {
            return;
        }
        self.storing = true;
        let changes = core::mem::take(&mut self.means.changes);
        let array = Array::new();
        for change in &changes {
            let Some(member) = self.members.get(change.who.at as usize) else { continue };
            let name = [&*member.key, "/", name_of(change.key)].concat();
            let value = change.value.as_ref().map(SecretBytes::expose);
            let value = value.map_or(JsValue::UNDEFINED, |bytes| Uint8Array::from(bytes).into());
            array.push(&Array::of2(&JsValue::from_str(&name), &value));
        }
        let words = self.means.words.clone();
        let promise = hooks.store(array);
        spawn_local(async move {
            let done = match promise {
                Ok(promise) => JsFuture::from(promise).await.is_ok(),
                Err(_) => false,
            };
            let _ = words.unbounded_send(Word::Stored(changes, done));
        });
    }

    fn set_timer(&mut self) {
        if self.phase == FleetPhase::Idle {
            self.timer = None;
            return;
        }
        let due = self.means.deadlines.peek().map(|Reverse((at, _))| *at);
        let at = [due, self.next_turn()].into_iter().flatten().min();
        if self.timer.as_ref().map(|(at, _)| *at) == at {
            return;
        }
        self.timer = at.map(|at| {
            let words = self.means.words.clone();
            let timeout = self.means.clock.call_at(at, move || {
                let _ = words.unbounded_send(Word::Timer);
            });
            (at, timeout)
        });
    }

    /// When the rate lets the next one start.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time")]
    fn next_turn(&self) -> Option<Instant> {
        let rate = self.means.bounds.rate;
        if self.phase != FleetPhase::Running || rate == 0 || self.next >= self.members.len() {
            return None;
        }
        let at = self.ramp.0 + f64::from(self.ramp.1) * 1_000.0 / f64::from(rate);
        let now = self.means.clock.at();
        // If it is the number under way that holds it up, its end is what wakes.
        (at > now).then_some(Instant(at as u64 + 1))
    }

    pub(super) fn status(&mut self) -> FleetStatus {
        let now = self.means.clock.now().mono;
        let retry_in = self.members.iter().filter_map(|member| member.retry_at).min();
        let memory = core::arch::wasm32::memory_size(0);
        let latency = crate::page::FleetLatencies {
            connect: self.means.figures.connect.told(),
            register: self.means.figures.register.told(),
            login: self.means.figures.login.told(),
            report: self.means.figures.report.told(),
        };
        let figures = &self.means.figures;
        #[expect(clippy::cast_precision_loss, reason = "counts and times far below 2^53")]
        FleetStatus {
            unix: js_sys::Date::now(),
            at: self.means.clock.at() - self.means.begun,
            phase: self.phase,
            devices: u32::try_from(self.members.len()).unwrap_or(u32::MAX),
            counts: self.means.counts(),
            readied: figures.readied,
            registered: figures.registered,
            readied_at: figures.readied_at,
            reports: figures.reports,
            reports_late: figures.reports_late,
            lost: figures.lost,
            retry_in: retry_in.map(|at| at.millis_since(now) as f64),
            sockets: self.means.socket_room(),
            requests: self.means.request_room(),
            latency,
            causes: self.means.causes.told(),
            other_causes: self.means.causes.others(),
            memory: memory as f64 * 65_536.0,
        }
    }

    pub(super) fn rows(&self, query: &Query) -> FleetRows {
        let mut rows = Vec::new();
        let mut total = 0u32;
        let count = query.count.min(MOST_ROWS);
        for (n, member) in (0u32..).zip(&self.members) {
            let state = query.states.as_ref().is_none_or(|states| states.contains(&member.state));
            if !state || !found(&member.name, &query.search) {
                continue;
            }
            if total as usize >= query.from && rows.len() < count {
                rows.push(self.row(n, member));
            }
            total += 1;
        }
        FleetRows { total, rows }
    }

    fn row(&self, n: u32, member: &Member) -> FleetRow {
        member.told(n, &self.means)
    }
}

fn found(name: &str, search: &str) -> bool {
    search.is_empty() || name.contains(search) || name.to_lowercase().contains(search)
}

/// The name under which a value is kept.
fn name_of(key: Option<StoreKey>) -> &'static str {
    key.map_or(crate::web::driver::VERSION, StoreKey::name)
}

/// Until the fleet is let go.
pub(super) async fn live(
    crowd: Rc<RefCell<Crowd>>,
    mut inbox: mpsc::UnboundedReceiver<Word>,
    hooks: FleetHooks,
) {
    let clock = crowd.borrow().means.clock.clone();
    let crowd = Rc::downgrade(&crowd);
    let mut busy = 0.0;
    while let Some(first) = inbox.next().await {
        let Some(crowd) = crowd.upgrade() else { return };
        let begun = clock.at();
        let mut word = Some(first);
        while let Some(now) = word.take() {
            crowd.borrow_mut().hear(now, &hooks);
            if clock.at() - begun < STRETCH {
                word = inbox.try_recv().ok();
            }
        }
        crowd.borrow_mut().go_on(&hooks);
        drop(crowd);
        busy += clock.at() - begun;
        if busy > STRETCH {
            busy = 0.0;
            TimeoutFuture::new(0).await;
        }
    }
}

/// One setting's value in a row.
pub(super) fn cell(column: usize, value: &str) -> Option<(u16, Secret)> {
    Some((u16::try_from(column).ok()?, Secret::new(value)))
}
