//! Faults in the browser's driver: what [`Faults`] decides is done to the packets, answers, clocks and connections of this
//! one device. Everything here is at the device's end; the cloud never hears of it.

use std::collections::BTreeMap;
use std::mem;
use std::string::String;
use std::vec::Vec;

use gloo_timers::callback::Timeout;
use js_sys::Array;
use wasm_bindgen::JsValue;

use super::{Driver, Live, Word};
use crate::error::Failure;
use crate::faults::{Armed, Deed, Fault, Faults, MOST_RULES, StoreDeed, Strike, Verdict, When};
use crate::http::Request;
use crate::input::{Answer, Closed, Downloaded, Input};
use crate::output::{Connect, Event, Token};
use crate::platform::PlatformName;
use crate::time::Instant;
use crate::trace::{Direction, Struck, Trouble, TroubleReason};
use crate::web::clock::Clock;
use crate::web::fetch::{Aborter, Broken};
use crate::web::link::{News, Wire};
use crate::web::{rules, values};

/// A message that is held back to come after the next one waits no longer for that.
const REORDER_WITHIN: u32 = 5_000;
/// What is lost on the way of HTTP is noticed after this, as the browser's own requests are.
const SILENCE: u32 = 30_000;
/// How long a connection takes to fail where there is no network.
const NO_ROUTE: u32 = 20;
/// So many packets are held back at most, and so many bytes of them; what is more passes at once.
const MOST_LATE: usize = 1_000;
const MOST_LATE_BYTES: usize = 4 * 1024 * 1024;

/// The faults of one device, and what they hold back.
pub(in crate::web) struct Harm {
    faults: Faults,
    /// Strikes of the moment of birth, which nobody could be told of yet.
    first: Vec<Strike>,
    /// By how much the clock has jumped in this life.
    jumped: f64,
    /// What comes after the next one of its way.
    held: [Option<Held>; 2],
    late: BTreeMap<u32, (Timeout, Late)>,
    last_late: u32,
    /// Where the requests under way went.
    paths: BTreeMap<Token, String>,
    no_network: Option<Instant>,
    no_broker: Option<Instant>,
    /// The power is gone: after so many milliseconds it is back, if at all.
    cut: Option<Option<u32>>,
    changed: bool,
}

struct Held {
    token: Token,
    packet: Vec<u8>,
    /// Of its [`Late::Release`].
    late: u32,
}

/// What comes later.
enum Late {
    Packet(Token, Direction, Vec<u8>),
    /// What is held back comes without waiting any longer.
    Release(Direction),
    Request(Token, Request),
    Answer(Token, Answer, Option<Trouble>),
    Downloaded(Token, Failure),
    Link(Token, News),
}

/// What a person changes.
pub(in crate::web) struct Change {
    /// Forget all rules first.
    pub(in crate::web) clear: bool,
    pub(in crate::web) disarm: Vec<String>,
    pub(in crate::web) arm: Vec<Armed>,
}

impl Harm {
    pub(in crate::web) fn new(platform: PlatformName, rules: Vec<Armed>) -> Self {
        let none = rules.is_empty();
        let mut faults = Faults::new(platform);
        for rule in rules {
            faults.arm(rule);
        }
        Self {
            first: faults.at_birth(),
            faults,
            jumped: 0.0,
            held: [None, None],
            late: BTreeMap::new(),
            last_late: 0,
            paths: BTreeMap::new(),
            no_network: None,
            no_broker: None,
            cut: None,
            changed: !none,
        }
    }

    /// A device is born with the clock that it has.
    pub(in crate::web) fn wind(&mut self, clock: &mut Clock) {
        for strike in &self.first {
            if let Fault::ClockJump { ms } = strike.fault {
                self.jumped += ms;
            }
        }
        self.set(clock);
    }

    fn set(&self, clock: &mut Clock) {
        let (wrong, there) = self.faults.wall();
        clock.set_wall(there.then_some(wrong + self.jumped));
    }

    fn states(&self) -> JsValue {
        let states = Array::new();
        for armed in self.faults.armed() {
            states.push(&values::js(armed));
        }
        states.into()
    }

    fn held(&mut self, direction: Direction) -> &mut Option<Held> {
        let [up, down] = &mut self.held;
        match direction {
            Direction::Up => up,
            Direction::Down => down,
        }
    }

    /// Whether no packet of so many bytes can be held back beside those that are.
    fn is_full(&self, bytes: usize) -> bool {
        let sizes = self.late.values().filter_map(|(_, late)| match late {
            Late::Packet(_, _, packet) => Some(packet.len()),
            _ => None,
        });
        let (count, sum) = sizes.fold((0, bytes), |(count, sum), size| (count + 1, sum + size));
        count >= MOST_LATE || sum > MOST_LATE_BYTES
    }

    pub(super) fn meets_events(&self) -> bool {
        !self.faults.is_empty()
    }

    /// The power is gone.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }
}

impl Driver {
    /// Before anything else of this life.
    pub(super) fn first_faults(&mut self) {
        for strike in mem::take(&mut self.harm.first) {
            // The clock was set before the agent was born.
            if matches!(strike.fault, Fault::ClockJump { .. }) || strike.fault.is_of_clock() {
                self.tell_strike(strike, Struck::Nothing);
            } else {
                self.strike(strike);
            }
        }
    }

    pub(super) fn change_faults(&mut self, change: Change) -> Result<JsValue, JsValue> {
        let faults = &mut self.harm.faults;
        if faults.count_after(change.clear, &change.disarm, &change.arm) > MOST_RULES {
            return Err(rules::too_many());
        }
        if change.clear {
            faults.disarm(None);
        }
        faults.disarm(Some(&change.disarm));
        let fresh: Vec<String> = change.arm.iter().map(|armed| armed.rule.id.clone()).collect();
        for rule in change.arm {
            faults.arm(rule);
        }
        let strikes = faults.at_arming(&fresh);
        self.harm.changed = true;
        for strike in strikes {
            self.strike(strike);
        }
        self.harm.set(&mut self.clock);
        Ok(self.harm.states())
    }

    /// Tells the page how far the rules are, if they moved.
    pub(super) fn tell_faults(&mut self) {
        let moved = self.harm.faults.take_moved();
        if mem::take(&mut self.harm.changed) || moved {
            self.hooks.faults(self.harm.states());
        }
    }

    fn tell_strike(&mut self, strike: Strike, struck: Struck<'_>) {
        self.harm.changed = true;
        self.trace.borrow_mut().fault(strike, struck, self.clock.moment());
    }

    /// A fault that is of this moment, and of no message.
    pub(super) fn strike(&mut self, strike: Strike) {
        let fault = strike.fault.clone();
        self.tell_strike(strike, Struck::Nothing);
        let mono = self.clock.now().mono;
        let until = |ms: u32| Some(Instant(mono.0.saturating_add(u64::from(ms))));
        match fault {
            Fault::ClockJump { ms } => {
                self.harm.jumped += ms;
                self.harm.set(&mut self.clock);
            }
            Fault::NetworkLoss { ms } => {
                // A shorter loss does not end a longer one.
                self.harm.no_network = self.harm.no_network.max(until(ms));
                self.break_link(TroubleReason::Lost);
                self.break_requests();
            }
            Fault::BrokerRestart { ms } => {
                self.harm.no_broker = self.harm.no_broker.max(until(ms));
                self.break_link(TroubleReason::Closed);
            }
            Fault::PowerCut { restart_ms, .. } => self.harm.cut = Some(restart_ms),
            _ => {}
        }
    }

    /// The end of this life, if a fault said so; nothing is done after it.
    pub(super) fn end_by_fault(&mut self) -> bool {
        let Some(restart_ms) = self.harm.cut else { return false };
        if self.cut.replace(true) {
            return true;
        }
        self.words.close_channel();
        self.commands.clear();
        self.inputs.clear();
        if let Some(mut link) = self.link.take() {
            link.wire.abort();
        }
        self.tell_faults();
        self.hooks.entries_now(&self.trace);
        self.hooks.cut(restart_ms.map_or(JsValue::NULL, JsValue::from));
        true
    }

    fn break_link(&mut self, reason: TroubleReason) {
        let Some(mut link) = self.link.take() else { return };
        link.wire.abort();
        let url = link.connect.url.clone();
        let trouble = Trouble { reason, url: url.clone(), detail: Some("fault".into()) };
        self.closed(link.token, &url, Closed::Failed(Failure::Lost), Some(trouble));
    }

    /// What was under way over HTTP breaks.
    fn break_requests(&mut self) {
        for (token, aborter) in mem::take(&mut self.downloads) {
            aborter.abort();
            self.inputs.push_back(Input::Downloaded(token, Downloaded::Failed(Failure::Lost)));
        }
        let tokens: Vec<Token> = self.requests.keys().copied().collect();
        for token in tokens {
            if let Some(aborter) = self.requests.get(&token) {
                aborter.abort();
            }
            self.answered(token, Answer::Failed(Failure::Lost), None);
        }
    }

    /// What has left has left: nothing that breaks now calls it back.
    fn let_go(&mut self, token: Token) {
        if let Some(aborter) = self.requests.get_mut(&token) {
            *aborter = Aborter::new();
        }
    }

    /// What was held back of a connection that is over.
    pub(super) fn drop_held(&mut self, of: Token) {
        self.harm
            .late
            .retain(|_, (_, late)| !matches!(late, Late::Packet(token, ..) if *token == of));
        for direction in [Direction::Up, Direction::Down] {
            let held = self.harm.held(direction);
            if let Some(Held { late, .. }) = held.take_if(|held| held.token == of) {
                self.harm.late.remove(&late);
            }
        }
    }

    // ---------- later ----------

    fn later(&mut self, ms: u32, late: Late) -> u32 {
        let id = self.harm.last_late.wrapping_add(1);
        self.harm.last_late = id;
        let words = self.words.clone();
        let timeout = Timeout::new(ms, move || {
            let _ = words.unbounded_send(Word::Late(id));
        });
        self.harm.late.insert(id, (timeout, late));
        id
    }

    pub(super) fn late(&mut self, id: u32) {
        let Some((_, late)) = self.harm.late.remove(&id) else { return };
        match late {
            Late::Packet(token, direction, packet) => self.go_on(token, direction, &packet),
            Late::Release(direction) => self.release(direction),
            Late::Request(token, request) => {
                if self.requests.contains_key(&token) {
                    self.send_request(token, request);
                }
            }
            Late::Answer(token, answer, trouble) => self.answered(token, answer, trouble),
            Late::Downloaded(token, failure) => {
                self.downloaded(token, Err(Broken { failure, trouble: None }));
            }
            Late::Link(token, news) => {
                if self.link.as_ref().is_some_and(|link| link.token == token) {
                    self.link_news(news);
                }
            }
        }
    }

    // ---------- MQTT ----------

    /// Bytes came from the broker.
    pub(super) fn came(&mut self, bytes: &[u8]) {
        let Some(link) = &mut self.link else { return };
        let token = link.token;
        for packet in link.down.feed(bytes) {
            // Whatever ended the connection took the rest along.
            if self.link.as_ref().is_none_or(|link| link.token != token) || self.harm.is_cut() {
                return;
            }
            self.meet(token, Direction::Down, packet);
        }
    }

    /// Bytes that the session sends: whole packets.
    pub(super) fn leave(&mut self, token: Token, bytes: &[u8]) {
        if self.harm.faults.is_empty() && self.harm.held(Direction::Up).is_none() {
            self.trace.borrow_mut().bytes(Direction::Up, bytes, self.clock.moment());
            self.send(token, bytes.to_vec());
            return;
        }
        for packet in crate::trace::Cutter::default().feed(bytes) {
            // Whatever ended the connection: what comes after it never left.
            if self.link.as_ref().is_none_or(|link| link.token != token) || self.harm.is_cut() {
                return;
            }
            self.meet(token, Direction::Up, packet);
        }
    }

    fn meet(&mut self, token: Token, direction: Direction, packet: Vec<u8>) {
        let Verdict { deed, then } = self.harm.faults.packet(direction, &packet);
        let up = direction == Direction::Up;
        // What a device has sent it has sent, whatever becomes of it; what comes it has when it has come.
        if up {
            let moment = self.clock.moment();
            self.trace.borrow_mut().bytes(direction, &packet, moment);
        } else if self.dies(&then) {
            return;
        }
        match deed {
            None => self.pass(token, direction, &packet),
            Some((strike, deed)) => {
                let seen = if let Deed::Change(changed) = &deed { changed } else { &packet };
                self.tell_strike(strike, Struck::Packet(direction, seen));
                match deed {
                    Deed::Lose => {}
                    Deed::Delay(ms) if !self.harm.is_full(packet.len()) => {
                        self.later(ms, Late::Packet(token, direction, packet));
                    }
                    Deed::Delay(_) => self.pass(token, direction, &packet),
                    Deed::Duplicate => {
                        self.pass(token, direction, &packet);
                        self.pass(token, direction, &packet);
                    }
                    // This is the next one that another waits for: the two change places.
                    Deed::Reorder if self.harm.held(direction).is_some() => {
                        self.pass(token, direction, &packet);
                    }
                    Deed::Reorder => {
                        let late = self.later(REORDER_WITHIN, Late::Release(direction));
                        *self.harm.held(direction) = Some(Held { token, packet, late });
                    }
                    Deed::Change(changed) => self.pass(token, direction, &changed),
                }
            }
        }
        if up && self.dies(&then) {
            return;
        }
        for strike in then {
            self.strike(strike);
        }
    }

    /// Whether the power is cut at this moment.
    fn dies(&mut self, then: &[Strike]) -> bool {
        let cut = then.iter().find(|strike| matches!(strike.fault, Fault::PowerCut { .. }));
        let Some(strike) = cut.cloned() else { return false };
        self.strike(strike);
        true
    }

    /// On it goes, and what waited for it after it.
    fn pass(&mut self, token: Token, direction: Direction, packet: &[u8]) {
        self.go_on(token, direction, packet);
        self.release(direction);
    }

    fn release(&mut self, direction: Direction) {
        if let Some(Held { token, packet, late }) = self.harm.held(direction).take() {
            self.harm.late.remove(&late);
            self.go_on(token, direction, &packet);
        }
    }

    /// To the broker, or to the session, of the connection that it is of.
    fn go_on(&mut self, token: Token, direction: Direction, bytes: &[u8]) {
        // What leaves was written down when it left.
        if direction == Direction::Up {
            return self.send(token, bytes.to_vec());
        }
        let (moment, mono) = (self.clock.moment(), self.clock.now().mono);
        let Some(link) = self.link.as_mut().filter(|link| link.token == token) else { return };
        self.trace.borrow_mut().bytes(direction, bytes, moment);
        if let Some(session) = &mut link.session {
            session.receive(bytes, mono);
        }
    }

    fn send(&mut self, token: Token, bytes: Vec<u8>) {
        if let Some(link) = self.link.as_mut().filter(|link| link.token == token) {
            link.wire.send(bytes);
        }
    }

    /// A connection where there is none: it fails after a moment.
    pub(super) fn no_way(&mut self, token: Token, connect: Connect) -> Option<Connect> {
        let mono = self.clock.now().mono;
        let gone = |until: Option<Instant>| until.is_some_and(|until| mono < until);
        if !gone(self.harm.no_network) && !gone(self.harm.no_broker) {
            return Some(connect);
        }
        let url = connect.url.clone();
        let trouble =
            Trouble { reason: TroubleReason::Unreachable, url, detail: Some("fault".into()) };
        self.link = Some(Live::new(token, connect, Wire::nowhere()));
        self.later(NO_ROUTE, Late::Link(token, News::Gone(Failure::Unreachable, Some(trouble))));
        None
    }

    fn no_network(&self) -> bool {
        let mono = self.clock.now().mono;
        self.harm.no_network.is_some_and(|until| mono < until)
    }

    // ---------- HTTP ----------

    pub(super) fn ask(&mut self, token: Token, request: Request) {
        self.requests.insert(token, Aborter::new());
        let path = crate::trace::path(&request.url);
        self.harm.paths.insert(token, path.into());
        if self.no_network() {
            let answer = Answer::Failed(Failure::Unreachable);
            self.later(NO_ROUTE, Late::Answer(token, answer, None));
            return;
        }
        let Verdict { deed, then } = self.harm.faults.request(&request);
        match deed {
            None => self.send_request(token, request),
            Some((strike, deed)) => {
                let seen = if let Deed::Change(changed) = &deed { changed } else { &request };
                self.tell_strike(strike, Struck::Request(seen));
                match deed {
                    Deed::Lose => self.silence(token),
                    Deed::Delay(ms) => {
                        self.later(ms, Late::Request(token, request));
                    }
                    Deed::Duplicate => {
                        self.send_request(token, request.clone());
                        self.send_request(token, request);
                    }
                    Deed::Change(changed) => self.send_request(token, changed),
                    Deed::Reorder => self.send_request(token, request),
                }
            }
        }
        if then.is_empty() {
            return;
        }
        self.let_go(token);
        if !self.dies(&then) {
            for strike in then {
                self.strike(strike);
            }
        }
    }

    fn silence(&mut self, token: Token) {
        self.later(SILENCE, Late::Answer(token, Answer::Failed(Failure::TimedOut), None));
    }

    /// An answer came, or it is known that none will.
    pub(super) fn answer(&mut self, token: Token, answer: Answer, trouble: Option<Trouble>) {
        if !self.requests.contains_key(&token) {
            return;
        }
        let Answer::Response(response) = &answer else {
            self.answered(token, answer, trouble);
            return;
        };
        let path = self.harm.paths.get(&token).cloned().unwrap_or_default();
        let Verdict { deed, then } = self.harm.faults.response(&path, response);
        if self.dies(&then) {
            return;
        }
        match deed {
            None => self.answered(token, answer, trouble),
            Some((strike, deed)) => {
                let seen = if let Deed::Change(changed) = &deed { changed } else { response };
                self.tell_strike(strike, Struck::Response(seen));
                match deed {
                    Deed::Lose => self.silence(token),
                    Deed::Delay(ms) => {
                        self.later(ms, Late::Answer(token, answer, trouble));
                    }
                    Deed::Change(changed) => {
                        self.answered(token, Answer::Response(changed), trouble);
                    }
                    Deed::Duplicate | Deed::Reorder => self.answered(token, answer, trouble),
                }
            }
        }
        for strike in then {
            self.strike(strike);
        }
    }

    fn answered(&mut self, token: Token, answer: Answer, trouble: Option<Trouble>) {
        self.harm.paths.remove(&token);
        if self.requests.remove(&token).is_none() {
            return;
        }
        let moment = self.clock.moment();
        match &answer {
            Answer::Response(response) => {
                self.trace.borrow_mut().response(token, response, moment);
            }
            Answer::Failed(_) => self.trace.borrow_mut().no_response(token, trouble, moment),
        }
        self.inputs.push_back(Input::Response(token, answer));
    }

    // ---------- the rest ----------

    /// Something happened to the device.
    pub(super) fn happened(&mut self, event: &Event) {
        for strike in self.harm.faults.event(event) {
            self.strike(strike);
        }
    }

    /// What is done to a value that is to be stored.
    pub(super) fn before_store(&mut self, name: &str) -> Storing {
        match self.harm.faults.store(name) {
            None => Storing::GoOn,
            Some(StoreDeed::Fail(strike)) => {
                self.tell_strike(strike, Struck::Nothing);
                Storing::Fail
            }
            Some(StoreDeed::Cut(strike, When::Before)) => {
                self.strike(strike);
                Storing::Dead
            }
            Some(StoreDeed::Cut(strike, When::After)) => Storing::ThenDie(strike),
        }
    }

    /// What is done to the image that is about to be fetched; `None` if there is no way to fetch one.
    pub(super) fn before_download(&mut self, token: Token) -> Option<Option<Fault>> {
        if self.no_network() {
            self.later(NO_ROUTE, Late::Downloaded(token, Failure::Unreachable));
            return None;
        }
        let strike = self.harm.faults.download();
        let fault = strike.as_ref().map(|strike| strike.fault.clone());
        if let Some(strike) = strike {
            self.tell_strike(strike, Struck::Nothing);
        }
        Some(fault)
    }
}

/// How it goes on with a value that is to be stored.
pub(super) enum Storing {
    GoOn,
    Fail,
    Dead,
    ThenDie(Strike),
}
