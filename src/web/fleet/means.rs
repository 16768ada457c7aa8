//! What the devices of a fleet share: sockets, requests, storage, the clock, and the figures.

use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::string::String;
use std::vec::Vec;

use core::cmp::Reverse;

use futures_channel::mpsc;
use wasm_bindgen_futures::spawn_local;

use super::causes::Causes;
use super::crowd::Word;
use super::sockets::Sockets;
use crate::error::Failure;
use crate::histogram::Histogram;
use crate::http::Request;
use crate::output::{Connect, Download, StoreKey, Token};
use crate::page::{FleetCounts, FleetLatency, FleetQuantiles, FleetRoom, FleetState};
use crate::platform::PlatformName;
use crate::secret::SecretBytes;
use crate::time::Instant;
use crate::trace::TroubleReason;
use crate::web::clock::Clock;
use crate::web::fetch::{self, Aborter};
use crate::web::link;
use crate::web::relay::Route;
use crate::web::tab::Door;
use crate::web::trouble;

/// For so long a second look at an address counts for all that fail there.
const LOOK_AGAIN: u64 = 10_000;

/// One device's name among what is under way: its place, and which of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who {
    pub(super) at: u32,
    pub(super) life: u32,
}

/// Bounds, as the page set them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// WebSockets; 0: no limit.
    pub(super) sockets: u32,
    /// HTTP requests under way.
    pub(super) requests: u32,
    /// Devices between their start and `ready`.
    pub(super) at_once: u32,
    /// Devices that start in a second; 0: as fast as it goes.
    pub(super) rate: u32,
    /// Milliseconds between two reports of an online device; 0: only what the platform asks for.
    pub(super) report_every: u32,
}

/// A value that is to be kept.
pub(super) struct Change {
    pub(super) who: Who,
    pub(super) token: Token,
    /// None: the version of the installed image.
    pub(super) key: Option<StoreKey>,
    pub(super) value: Option<SecretBytes>,
}

/// A measured quantity: all of this run, and what came since it was told.
#[derive(Debug, Default)]
pub(super) struct Measure {
    all: Histogram,
    recent: Histogram,
}

impl Measure {
    pub(super) fn add(&mut self, millis: f64) {
        self.all.add(millis);
        self.recent.add(millis);
    }

    pub(super) fn told(&mut self) -> FleetLatency {
        let told = FleetLatency { all: quantiles(&self.all), recent: quantiles(&self.recent) };
        self.recent.clear();
        told
    }

    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.recent.clear();
    }
}

fn quantiles(of: &Histogram) -> FleetQuantiles {
    FleetQuantiles {
        count: of.count(),
        p50: of.quantile(0.5),
        p95: of.quantile(0.95),
        p99: of.quantile(0.99),
        max: of.max(),
    }
}

/// What a run came to so far.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) connect: Measure,
    pub(super) register: Measure,
    pub(super) login: Measure,
    pub(super) report: Measure,
    pub(super) readied: u32,
    pub(super) readied_at: f64,
    pub(super) registered: u32,
    pub(super) reports: u32,
    pub(super) reports_late: u32,
    pub(super) lost: u32,
}

/// Those who wait for a socket, with where they want to connect.
struct Knock {
    who: Who,
    token: Token,
    connect: Connect,
}

enum Look {
    Going(Vec<(Who, Token)>),
    Done { at: Instant, failure: Failure, reason: TroubleReason },
}

pub(super) struct Means {
    pub(super) platform: PlatformName,
    pub(super) clock: Clock,
    pub(super) bounds: Bounds,
    pub(super) door: Option<Door>,
    /// Of HTTP requests and downloads.
    route: Route,
    pub(super) words: mpsc::UnboundedSender<Word>,
    pub(super) sockets: Sockets,
    knocks: VecDeque<Knock>,
    requests: VecDeque<(Who, Token, Request)>,
    under_way: BTreeMap<(Who, Token), Aborter>,
    looks: BTreeMap<String, Look>,
    /// Whether values go to the page's storage; else memory is all there is.
    pub(super) stores: bool,
    pub(super) changes: Vec<Change>,
    /// Deadlines of devices; one that does not hold any more is dropped when it comes up.
    pub(super) deadlines: BinaryHeap<Reverse<(Instant, u32)>>,
    pub(super) counts: [u32; FleetState::ALL.len()],
    pub(super) causes: Causes,
    pub(super) figures: Figures,
    /// When this run began.
    pub(super) begun: f64,
}

impl Means {
    pub(super) fn new(
        platform: PlatformName,
        bounds: Bounds,
        door: Option<Door>,
        route: Route,
        words: mpsc::UnboundedSender<Word>,
        stores: bool,
    ) -> Self {
        Self {
            platform,
            clock: Clock::start(),
            bounds,
            door,
            route,
            sockets: Sockets::new(&words),
            words,
            knocks: VecDeque::new(),
            requests: VecDeque::new(),
            under_way: BTreeMap::new(),
            looks: BTreeMap::new(),
            stores,
            changes: Vec::new(),
            deadlines: BinaryHeap::new(),
            counts: [0; FleetState::ALL.len()],
            causes: Causes::default(),
            figures: Figures::default(),
            begun: 0.0,
        }
    }

    /// A new run.
    pub(super) fn begin(&mut self) {
        self.begun = self.clock.at();
        self.causes = Causes::default();
        let figures = &mut self.figures;
        for measure in
            [&mut figures.connect, &mut figures.register, &mut figures.login, &mut figures.report]
        {
            measure.clear();
        }
        figures.readied = 0;
        figures.readied_at = 0.0;
        figures.registered = 0;
        figures.reports = 0;
        figures.reports_late = 0;
        figures.lost = 0;
    }

    pub(super) fn count(&self, state: FleetState) -> u32 {
        self.counts.get(state as usize).copied().unwrap_or(0)
    }

    pub(super) fn counts(&self) -> FleetCounts {
        FleetCounts {
            waiting: self.count(FleetState::Waiting),
            registering: self.count(FleetState::Registering),
            login: self.count(FleetState::Login),
            online: self.count(FleetState::Online),
            retrying: self.count(FleetState::Retrying),
            rejected: self.count(FleetState::Rejected),
            failed: self.count(FleetState::Failed),
            off: self.count(FleetState::Off),
            beyond: self.count(FleetState::Beyond),
            taken: self.count(FleetState::Taken),
        }
    }

    /// Wants a WebSocket, in its turn.
    pub(super) fn knock(&mut self, who: Who, token: Token, connect: Connect) {
        self.knocks.push_back(Knock { who, token, connect });
    }

    /// Begins the next handshake, if there is a socket, a slot and somebody who waits. `wanted` says whether he still
    /// does, and takes the socket's number; else what there is to tell him.
    pub(super) fn next_socket(&mut self, wanted: impl Fn(Who, Token) -> bool) -> Option<Begun> {
        loop {
            let most = self.bounds.sockets;
            let full = most > 0 && self.sockets.used() >= most as usize;
            if full || self.knocks.is_empty() {
                return None;
            }
            if !self.knocks.front().is_some_and(|knock| wanted(knock.who, knock.token)) {
                self.knocks.pop_front();
                continue;
            }
            let slot = link::free_slot()?;
            let Knock { who, token, connect } = self.knocks.pop_front()?;
            let url = connect.url.clone();
            let outcome = match trouble::forbidden(&url, &["ws://", "wss://"]) {
                Some(trouble) => Err(trouble.reason),
                None => match self.sockets.open(&url, who.at, slot) {
                    Ok(socket) => Ok((socket, connect)),
                    Err(message) => Err(trouble::refused(&url, &message).reason),
                },
            };
            return Some(Begun { who, token, outcome });
        }
    }

    /// A handshake failed. What a browser hides is asked for once for all that fail at this address.
    pub(super) fn look(&mut self, who: Who, token: Token, url: &str) {
        let now = self.clock.now().mono;
        match self.looks.get_mut(url) {
            Some(Look::Going(waiting)) => return waiting.push((who, token)),
            Some(Look::Done { at, failure, reason }) if now.millis_since(*at) < LOOK_AGAIN => {
                let _ = self.words.unbounded_send(Word::Unreachable(
                    Vec::from([(who, token)]),
                    *failure,
                    *reason,
                ));
                return;
            }
            _ => {}
        }
        self.looks.insert(url.into(), Look::Going(Vec::from([(who, token)])));
        let (words, url) = (self.words.clone(), String::from(url));
        spawn_local(async move {
            let trouble = trouble::behind_socket(&url).await;
            let failure = link::failure_of(trouble.reason);
            let _ = words.unbounded_send(Word::Looked(url, failure, trouble.reason));
        });
    }

    /// Who waited for that look.
    pub(super) fn looked(
        &mut self,
        url: String,
        failure: Failure,
        reason: TroubleReason,
    ) -> Vec<(Who, Token)> {
        let done = Look::Done { at: self.clock.now().mono, failure, reason };
        match self.looks.insert(url, done) {
            Some(Look::Going(waiting)) => waiting,
            _ => Vec::new(),
        }
    }

    pub(super) fn request(&mut self, who: Who, token: Token, request: Request) {
        self.requests.push_back((who, token, request));
    }

    /// Sends as many of the waiting requests as may be under way. `wanted`: whether its device still waits for the
    /// answer. It may have lost patience in the queue, and what it asked then stands further behind.
    pub(super) fn send_requests(&mut self, wanted: impl Fn(Who, Token) -> bool) {
        // Nothing leaves a tab that asks itself, so there is nothing to hold back.
        let most = if self.door.is_some() { usize::MAX } else { self.bounds.requests as usize };
        while self.under_way.len() < most {
            let Some((who, token, request)) = self.requests.pop_front() else { return };
            if !wanted(who, token) {
                continue;
            }
            let aborter = Aborter::new();
            self.under_way.insert((who, token), aborter.clone());
            let (words, door, route) = (self.words.clone(), self.door.clone(), self.route);
            spawn_local(async move {
                let (answer, trouble) = match door {
                    Some(door) => (door.request(&request).await, None),
                    None => fetch::request(&request, route, &aborter).await,
                };
                let reason = trouble.map(|trouble| trouble.reason);
                let _ = words.unbounded_send(Word::Answer(who, token, answer, reason));
            });
        }
    }

    /// It came back. False: it was given up.
    pub(super) fn answered(&mut self, who: Who, token: Token) -> bool {
        self.under_way.remove(&(who, token)).is_some()
    }

    pub(super) fn download(&mut self, who: Who, token: Token, download: Download) {
        let aborter = Aborter::new();
        self.under_way.insert((who, token), aborter.clone());
        let (words, door, route) = (self.words.clone(), self.door.clone(), self.route);
        spawn_local(async move {
            let told = words.clone();
            let mut progress = move |progress| {
                let _ = told.unbounded_send(Word::Progress(who, token, progress));
            };
            let result = match door {
                Some(door) => door.download(&download, &aborter, None, &mut progress).await,
                None => fetch::download(&download, route, &aborter, None, &mut progress).await,
            };
            let _ = words.unbounded_send(Word::Downloaded(who, token, result));
        });
    }

    /// Ends one request or download.
    pub(super) fn give_up(&mut self, who: Who, token: Token) {
        if let Some(aborter) = self.under_way.remove(&(who, token)) {
            aborter.abort();
        }
    }

    /// Ends everything that a device has under way.
    pub(super) fn give_up_all(&mut self, who: Who) {
        let range = (who, Token(0))..=(who, Token(u32::MAX));
        let tokens: Vec<Token> =
            self.under_way.range(range).map(|((_, token), _)| *token).collect();
        for token in tokens {
            self.give_up(who, token);
        }
    }

    pub(super) fn socket_room(&self) -> FleetRoom {
        FleetRoom {
            used: small(self.sockets.used()),
            pending: small(self.sockets.pending()),
            waiting: small(self.knocks.len()),
            most: self.bounds.sockets,
        }
    }

    pub(super) fn request_room(&self) -> FleetRoom {
        FleetRoom {
            used: small(self.under_way.len()),
            pending: small(self.under_way.len()),
            waiting: small(self.requests.len()),
            most: if self.door.is_some() { 0 } else { self.bounds.requests },
        }
    }

    /// Nobody waits any more.
    pub(super) fn forget_waiting(&mut self) {
        self.knocks.clear();
        self.requests.clear();
    }
}

impl Drop for Means {
    fn drop(&mut self) {
        for aborter in self.under_way.values() {
            aborter.abort();
        }
    }
}

/// A handshake that began, or could not.
pub(super) struct Begun {
    pub(super) who: Who,
    pub(super) token: Token,
    pub(super) outcome: Result<(u32, Connect), TroubleReason>,
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
