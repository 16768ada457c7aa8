//! How the device is, as whoever asks is told.
//!
//! Two clocks tell the time. What is shown is read off the wall clock, which a board without a battery has wrong until the
//! network puts it right. What is decided, whether a heartbeat is overdue or something takes too long, goes by the one that
//! never jumps, as the core's own timers do.

use std::time::{Duration, Instant};

use muster::{
    Answer, Closed, Downloaded, Due, Event, Identity, Input, Now, Outcome, Step, UnixTime,
};
use serde_json::{Value, json};

use super::super::clock::{rfc3339, unix};
use super::metrics::Counters;
use crate::text;

/// A heartbeat that is so late is not late by chance.
const HEARTBEAT_GRACE: Duration = Duration::from_secs(120);
/// So long may the loop be busy with one thing: the longest deadline of a call, and what comes with it.
const LONGEST_TURN: Duration = Duration::from_secs(75);

/// A moment, by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) unix: UnixTime,
    pub(super) mono: Instant,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { unix: unix(), mono: Instant::now() }
    }

    /// How long ago that was.
    fn since(self, earlier: Instant) -> Duration {
        self.mono.saturating_duration_since(earlier)
    }

    /// When `other` is, or was, by the wall clock as it is now.
    fn by_the_wall(self, other: Instant) -> UnixTime {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let ahead = millis(other.saturating_duration_since(self.mono));
        UnixTime(self.unix.0.saturating_add(ahead).saturating_sub(millis(self.since(other))))
    }
}

/// Where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum State {
    Starting,
    Registering,
    Connecting,
    Ready,
    /// Something failed, and is tried again.
    Retrying,
    /// Only a person can help.
    Stopped,
    /// The plugin failed, and another instance is on its way.
    PluginDown,
    Ending,
}

impl State {
    pub(super) const ALL: [Self; 8] = [
        Self::Starting,
        Self::Registering,
        Self::Connecting,
        Self::Ready,
        Self::Retrying,
        Self::Stopped,
        Self::PluginDown,
        Self::Ending,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Registering => "registering",
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::Retrying => "retrying",
            Self::Stopped => "stopped",
            Self::PluginDown => "plugin_down",
            Self::Ending => "ending",
        }
    }

    /// For `systemctl status`.
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Registering => "registering",
            Self::Connecting => "connecting",
            Self::Ready => "ready",
            Self::Retrying => "not connected; it is tried again",
            Self::Stopped => "stopped: a person has to decide",
            Self::PluginDown => "the plugin failed; it is started again",
            Self::Ending => "logging out",
        }
    }
}

/// What went wrong last.
struct Problem {
    at: UnixTime,
    what: String,
    /// In the host's words, where it has better ones.
    detail: Option<String>,
    advice: String,
}

/// The plugin that runs.
pub(super) struct Running {
    name: String,
    /// While it is on trial: the one that ran before it, if one did in this life.
    before: Option<Option<String>>,
}

impl Running {
    pub(super) fn on_trial(&mut self, name: &str) {
        // At the start of a life the one on trial is all there is.
        let before = (self.name != name).then(|| self.name.clone());
        *self = Self { name: name.to_owned(), before: Some(before) };
    }

    pub(super) fn confirmed(&mut self, name: &str) {
        *self = Self { name: name.to_owned(), before: None };
    }

    pub(super) fn reverted(&mut self) {
        if let Some(before) = self.before.take() {
            self.name = before.unwrap_or_else(|| "the one before".to_owned());
        }
    }
}

/// Everything that can be asked.
pub(super) struct Status {
    pub(super) identity: Identity,
    pub(super) plugin: Running,
    pub(super) counters: Counters,
    pub(super) started: UnixTime,
    state: State,
    since: UnixTime,
    /// Since when it is not ready.
    not_ready_since: Option<Instant>,
    /// Since when the loop is busy with one thing.
    busy_since: Option<Instant>,
    was_ready: bool,
    registered: bool,
    connected: bool,
    /// Whether it ever had a connection to hold: a platform of HTTP alone has none.
    has_connection: bool,
    last_heartbeat: Option<UnixTime>,
    next_due: Option<Instant>,
    /// Of tries in a row.
    failures: u32,
    problem: Option<Problem>,
    note: Option<String>,
    unhealthy_after: Duration,
}

impl Status {
    pub(super) fn new(
        identity: Identity,
        plugin: &str,
        registered: bool,
        unhealthy_after: Duration,
    ) -> Self {
        let now = Moment::now();
        Self {
            identity,
            plugin: Running { name: plugin.to_owned(), before: None },
            counters: Counters::default(),
            started: now.unix,
            state: State::Starting,
            since: now.unix,
            not_ready_since: Some(now.mono),
            busy_since: None,
            was_ready: false,
            registered,
            connected: false,
            has_connection: false,
            last_heartbeat: None,
            next_due: None,
            failures: 0,
            problem: None,
            note: None,
            unhealthy_after,
        }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn is_registered(&self) -> bool {
        self.registered
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connected
    }

    pub(super) fn last_heartbeat(&self) -> Option<UnixTime> {
        self.last_heartbeat
    }

    pub(super) fn next_due(&self, now: Moment) -> Option<UnixTime> {
        self.next_due.map(|due| now.by_the_wall(due))
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    fn become_(&mut self, state: State, now: Moment) {
        if self.state == State::Ending || self.state == state {
            return;
        }
        (self.state, self.since) = (state, now.unix);
        if state == State::Ready {
            self.not_ready_since = None;
        } else {
            self.not_ready_since.get_or_insert(now.mono);
        }
    }

    pub(super) fn rests(&mut self) {
        self.busy_since = None;
    }

    pub(super) fn ends(&mut self) {
        self.become_(State::Ending, Moment::now());
    }

    /// What the host said last; the next failure's detail.
    pub(super) fn note(&mut self, text: &str) {
        self.note = Some(text.to_owned());
    }

    pub(super) fn input(&mut self, input: &Input) {
        self.busy_since = Some(Instant::now());
        match input {
            Input::Connected(_) => {
                (self.connected, self.has_connection, self.note) = (true, true, None);
                self.counters.sessions += 1;
            }
            Input::Closed(_, closed) => {
                let word = match closed {
                    Closed::Requested => "requested",
                    Closed::Refused(_) => "refused",
                    Closed::Failed(_) if self.connected => "lost",
                    Closed::Failed(_) => "failed",
                };
                *self.counters.closed.entry(word).or_default() += 1;
                self.let_go();
            }
            Input::Message(message) => {
                self.counters.messages += 1;
                self.counters.message_bytes += message.payload.expose().len() as u64;
            }
            Input::Response(_, answer) => {
                let outcome = match answer {
                    Answer::Response(response) => match response.status {
                        200..=299 => "2xx",
                        300..=399 => "3xx",
                        400..=499 => "4xx",
                        500..=599 => "5xx",
                        _ => "other",
                    },
                    Answer::Failed(_) => "failed",
                };
                *self.counters.responses.entry(outcome).or_default() += 1;
            }
            Input::Stored(_, outcome) => {
                let word = if matches!(outcome, Outcome::Done) { "done" } else { "failed" };
                *self.counters.stored.entry(word).or_default() += 1;
            }
            Input::Downloaded(_, Downloaded::Complete { size, .. }) => {
                self.counters.downloaded_bytes += size;
            }
            _ => {}
        }
    }

    /// There is no connection any more.
    pub(super) fn let_go(&mut self) {
        self.connected = false;
        if self.state == State::Ready && self.has_connection {
            self.become_(State::Connecting, Moment::now());
        }
    }

    /// `clean`: what a cloud says may hold anything.
    pub(super) fn event(
        &mut self,
        event: &Event,
        now: Now,
        at: Moment,
        clean: impl Fn(&str) -> String,
    ) {
        match event {
            Event::Step { step } => {
                let state = match step {
                    Step::ConnectToRegister
                    | Step::SubscribeForSecret
                    | Step::RequestSecret
                    | Step::StoreSecret
                    | Step::ConfirmSecret
                    | Step::LeaveRegistration
                    | Step::EraseSecret => State::Registering,
                    Step::Login => State::Connecting,
                    // Some platforms take a device for logged in before it has subscribed.
                    Step::Subscribe if self.state != State::Ready => State::Connecting,
                    _ => return,
                };
                if *step == Step::EraseSecret {
                    self.registered = false;
                }
                self.become_(state, at);
            }
            Event::Registered { .. } => {
                self.registered = true;
                self.counters.registrations += 1;
            }
            Event::Ready => {
                // What fell due while nothing could be sent is due from here on.
                self.next_due = self.next_due.map(|due| due.max(at.mono));
                self.is_well(at);
            }
            Event::Heartbeat { next, why, .. } => {
                self.counters.heartbeats += 1;
                self.last_heartbeat = Some(at.unix);
                // Where the MQTT keep alive stands in for heartbeats no other event will come: the session watches its
                // PINGRESP itself, and when that stays away, the connection is closed.
                self.due(next.filter(|_| *why != Due::KeepAlive), now, at);
                // After a failure it may be the first good news of a device that was ready before.
                if self.was_ready {
                    self.is_well(at);
                }
            }
            Event::Scheduled { next, .. } => self.due(Some(*next), now, at),
            Event::Retrying { error, failures, in_ms } => {
                self.counters.retries += 1;
                self.failures = *failures;
                let what = clean(&text::error(error, self.identity.platform));
                let advice = format!("it is tried again in {}", text::wait(*in_ms));
                self.went_wrong(what, advice, at);
                self.become_(State::Retrying, at);
            }
            Event::Stopped { error, advice } => {
                let what = clean(&text::error(error, self.identity.platform));
                self.went_wrong(what, text::advice(*advice).into(), at);
                self.become_(State::Stopped, at);
            }
            Event::Update { update } => self.counters.update(update),
            Event::Warning { .. } => self.counters.warnings += 1,
            _ => {}
        }
    }

    fn is_well(&mut self, at: Moment) {
        (self.registered, self.was_ready) = (true, true);
        (self.failures, self.note) = (0, None);
        self.become_(State::Ready, at);
    }

    fn due(&mut self, next: Option<muster::Instant>, now: Now, at: Moment) {
        // One that is too far away to be counted never comes.
        self.next_due = next.and_then(|next| {
            at.mono.checked_add(Duration::from_millis(next.millis_since(now.mono)))
        });
    }

    fn went_wrong(&mut self, what: String, advice: String, at: Moment) {
        let detail = self.note.take();
        self.problem = Some(Problem { at: at.unix, what, detail, advice });
    }

    /// `restarts`: whether an instance is started again.
    pub(super) fn plugin_failed(
        &mut self,
        blame: &'static str,
        why: &str,
        restarts: bool,
        at: Moment,
    ) {
        *self.counters.plugin_failures.entry(blame).or_default() += 1;
        self.counters.plugin_restarts += u64::from(restarts);
        let advice = match restarts {
            true => "it is started again from what is stored",
            false => "use another plugin, or raise the limit that it ran into",
        };
        self.note = None;
        self.went_wrong(why.into(), advice.into(), at);
        self.connected = false;
        self.become_(State::PluginDown, at);
    }

    pub(super) fn ready(&self) -> (bool, Value) {
        let ready = self.state == State::Ready;
        (ready, json!({ "ready": ready, "state": self.state.word() }))
    }

    /// Why the device is not as it should be.
    fn unwell(&self, now: Moment) -> Option<&'static str> {
        if self.busy_since.is_some_and(|since| now.since(since) > LONGEST_TURN) {
            return Some("it is stuck");
        }
        let too_long =
            self.not_ready_since.is_some_and(|since| now.since(since) > self.unhealthy_after);
        match self.state {
            State::Ending => Some("it is ending"),
            State::Stopped => Some("it stopped, and a person has to decide"),
            State::PluginDown => Some("its plugin failed"),
            State::Ready if self.next_due.is_some_and(|due| now.since(due) > HEARTBEAT_GRACE) => {
                Some("its heartbeat is overdue")
            }
            State::Ready => None,
            _ if too_long => Some("it has not been ready for too long"),
            _ => None,
        }
    }

    pub(super) fn is_healthy(&self, now: Moment) -> bool {
        self.unwell(now).is_none()
    }

    pub(super) fn health(&self, now: Moment) -> (bool, Value) {
        let why = self.unwell(now);
        let time = |at: Option<UnixTime>| at.map(rfc3339);
        let Identity { platform, product, device } = &self.identity;
        let problem = self.problem.as_ref().map(|problem| {
            json!({
                "time": rfc3339(problem.at), "what": problem.what, "detail": problem.detail,
                "next": problem.advice,
            })
        });
        let value = json!({
            "healthy": why.is_none(),
            "why": why,
            "state": self.state.word(),
            "since": rfc3339(self.since),
            "platform": platform.as_str(),
            "product": product,
            "device": device,
            "registered": self.registered,
            "connected": (self.has_connection || self.connected).then_some(self.connected),
            "last_heartbeat": time(self.last_heartbeat),
            "next_due": time(self.next_due(now)),
            "failures": self.failures,
            "last_error": problem,
            "plugin": self.plugin.name,
            "plugin_on_trial": self.plugin.before.is_some(),
            "plugin_failures": self.counters.plugin_failures.values().sum::<u64>(),
            "plugin_restarts": self.counters.plugin_restarts,
            "refusals": self.counters.refusals(),
            "started": rfc3339(self.started),
            "pid": std::process::id(),
            "version": env!("CARGO_PKG_VERSION"),
        });
        (why.is_none(), value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster::{Advice, Error, Failure, PlatformName, Token};

    fn status() -> Status {
        let identity =
            Identity { platform: PlatformName::Ucloud, product: "p".into(), device: "d".into() };
        Status::new(identity, "built in", false, Duration::from_secs(300))
    }

    const NOW: Now = Now { mono: muster::Instant(5_000), unix: Some(UnixTime(1_000_000)) };

    /// When that is by the host's clocks.
    fn start() -> Moment {
        Moment { unix: UnixTime(1_000_000), ..Moment::now() }
    }

    impl Moment {
        /// Both clocks go on by so much.
        fn later(self, seconds: u64) -> Self {
            let mono = self.mono + Duration::from_secs(seconds);
            Self { mono, ..self }.set(self.unix.0 + seconds * 1_000)
        }

        /// Somebody sets the wall clock.
        fn set(self, unix: u64) -> Self {
            Self { unix: UnixTime(unix), ..self }
        }
    }

    /// A report was accepted, and the next one is due in a minute.
    fn heartbeat() -> Event {
        let next = Some(muster::Instant(NOW.mono.0 + 60_000));
        Event::Heartbeat { next, next_unix: None, why: Due::Period }
    }

    #[test]
    fn a_life_goes_through_its_states() {
        let (mut it, at) = (status(), start());
        let event = |it: &mut Status, event| it.event(&event, NOW, at, str::to_owned);
        assert!(it.is_healthy(at) && !it.ready().0);
        event(&mut it, Event::Step { step: Step::RequestSecret });
        assert_eq!(it.state(), State::Registering);
        event(&mut it, Event::Step { step: Step::Login });
        it.input(&Input::Connected(Token(1)));
        event(&mut it, Event::Ready);
        event(&mut it, Event::Step { step: Step::Subscribe });
        assert!(it.ready().0 && it.is_registered() && it.is_connected());
        it.input(&Input::Closed(Token(1), Closed::Failed(Failure::Lost)));
        assert_eq!((it.state(), it.is_connected()), (State::Connecting, false));
        it.note("the cable is out");
        let error = Error::Network { failure: Failure::Lost };
        event(&mut it, Event::Retrying { error, failures: 3, in_ms: 4_000 });
        let (healthy, health) = it.health(at);
        assert!(healthy, "for a while");
        assert_eq!(health["last_error"]["detail"], "the cable is out");
        assert_eq!((health["failures"].as_u64(), &health["state"]), (Some(3), &json!("retrying")));
    }

    #[test]
    fn it_is_unwell_when_it_stopped_and_when_a_heartbeat_is_overdue() {
        let (mut it, at) = (status(), start());
        it.event(&Event::Ready, NOW, at, str::to_owned);
        it.event(&heartbeat(), NOW, at, str::to_owned);
        for seconds in [0, 30, 90] {
            assert_eq!(it.next_due(at.later(seconds)), Some(UnixTime(1_060_000)));
        }
        assert!(it.is_healthy(at.later(180)));
        assert_eq!(it.health(at.later(181)).1["why"], "its heartbeat is overdue");
        let error = Error::Network { failure: Failure::Dns };
        it.event(&Event::Stopped { error, advice: Advice::CheckNetwork }, NOW, at, str::to_owned);
        assert!(!it.is_healthy(at));
    }

    #[test]
    fn a_wall_clock_that_is_set_makes_no_heartbeat_overdue_and_hides_none() {
        let (mut it, at) = (status(), start());
        it.event(&Event::Ready, NOW, at, str::to_owned);
        it.event(&heartbeat(), NOW, at, str::to_owned);
        // From 1970 to the network's time.
        let later = at.later(30).set(1_800_000_000_000);
        assert!(it.is_healthy(later));
        assert_eq!(it.next_due(later), Some(UnixTime(1_800_000_030_000)));
        assert!(it.is_healthy(at.later(180).set(1_800_000_000_000)));
        // And back.
        assert!(!it.is_healthy(at.later(181).set(0)));
    }

    #[test]
    fn what_fell_due_in_an_outage_is_due_from_its_end_on() {
        let (mut it, at) = (status(), start());
        it.event(&Event::Ready, NOW, at, str::to_owned);
        it.event(&heartbeat(), NOW, at, str::to_owned);
        let error = Error::Network { failure: Failure::Lost };
        let retrying = Event::Retrying { error, failures: 1, in_ms: 4_000 };
        it.event(&retrying, NOW, at.later(10), str::to_owned);
        let back = at.later(3_600);
        it.event(&Event::Ready, NOW, back, str::to_owned);
        assert!(it.is_healthy(back) && it.is_healthy(back.later(120)));
        assert_eq!(it.health(back.later(121)).1["why"], "its heartbeat is overdue");
        it.event(&heartbeat(), NOW, back.later(121), str::to_owned);
        assert!(it.is_healthy(back.later(122)));
        // One that is still to come stays where it is.
        it.event(&Event::Ready, NOW, back.later(130), str::to_owned);
        assert_eq!(it.next_due(back), Some(UnixTime(back.unix.0 + 181_000)));
    }

    #[test]
    fn where_the_keep_alive_stands_in_no_heartbeat_is_overdue() {
        let (mut it, at) = (status(), start());
        it.event(&Event::Ready, NOW, at, str::to_owned);
        let next = Some(muster::Instant(NOW.mono.0 + 240_000));
        let heartbeat = Event::Heartbeat { next, next_unix: None, why: Due::KeepAlive };
        it.event(&heartbeat, NOW, at, str::to_owned);
        assert_eq!(it.next_due(at), None);
        assert!(it.is_healthy(at.later(86_400)));
    }

    #[test]
    fn too_long_without_being_ready_is_unwell() {
        let mut it = status();
        let at = start().later(299);
        assert!(it.is_healthy(at));
        assert_eq!(it.health(at.later(10)).1["why"], "it has not been ready for too long");
        it.event(&Event::Ready, NOW, at.later(10), str::to_owned);
        assert!(it.is_healthy(at.later(10)));
    }
}
