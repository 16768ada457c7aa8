//! An app in the test's hands, its requests answered by a cloud, by the test, or by nobody.

use std::collections::VecDeque;

use muster::app::{App, AppConfig, AppEvent, AppInput, AppOutput, Call, CallId, HandOver, Reply};
use muster::http::{Request, Response};
use muster::sim::to_server;
use muster::{Answer, Error, Instant, Secret, Settings, Token};
use serde_json::Value;

use super::platform::{ALICE, APP_KEY, APP_SECRET, Platform};

/// Settings of alice's app.
pub(crate) fn settings() -> Settings {
    Settings::new()
        .with("base_url", "http://127.0.0.1:7878")
        .with("app_key", APP_KEY)
        .with("app_secret", APP_SECRET)
        .with("iot_token", ALICE)
}

pub(crate) struct Owner {
    pub(crate) app: App,
    pub(crate) platform: Platform,
    /// Requests that nobody has answered.
    pub(crate) requests: VecDeque<(Token, Request)>,
    pub(crate) replies: Vec<(CallId, Result<Reply, Error>)>,
    pub(crate) events: Vec<AppEvent>,
    pub(crate) hand_overs: Vec<HandOver>,
    pub(crate) tokens_needed: usize,
    pub(crate) sessions: Vec<Secret>,
    pub(crate) deadline: Option<Instant>,
    /// Everything but secrets' values: what a log would show.
    pub(crate) log: String,
}

impl Owner {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self::on(Platform::new(), settings)
    }

    pub(crate) fn on(platform: Platform, settings: &Settings) -> Self {
        let settings = match platform.homes.get("alice") {
            Some(home) if settings.get("home_id").is_none() => {
                settings.clone().with("home_id", home)
            }
            _ => settings.clone(),
        };
        let config = AppConfig::from_settings(&settings).unwrap();
        let app = App::new(config, [5; 32], platform.now);
        let mut owner = Self {
            app,
            platform,
            requests: VecDeque::new(),
            replies: Vec::new(),
            events: Vec::new(),
            hand_overs: Vec::new(),
            tokens_needed: 0,
            sessions: Vec::new(),
            deadline: None,
            log: String::new(),
        };
        owner.drain();
        owner
    }

    pub(crate) fn give(&mut self, input: AppInput) {
        self.log.push_str(&format!("{input:?}\n"));
        self.app.handle_input(input, self.platform.now);
        self.drain();
    }

    fn drain(&mut self) {
        loop {
            let output = self.app.poll_output();
            self.log.push_str(&format!("{output:?}\n"));
            match output {
                AppOutput::Timeout(at) => {
                    self.deadline = at;
                    return;
                }
                AppOutput::Request(token, request) => self.requests.push_back((token, request)),
                AppOutput::Replied { id, result, .. } => self.replies.push((id, result)),
                AppOutput::TokenNeeded => self.tokens_needed += 1,
                AppOutput::Session { iot_token, .. } => self.sessions.push(iot_token),
                AppOutput::HandOver(hand_over) => self.hand_overs.push(hand_over),
                AppOutput::Event(event) => self.events.push(event),
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) fn call(&mut self, id: u64, call: Call) {
        self.give(AppInput::Call(CallId(id), call));
    }

    /// The response of the cloud to a request.
    pub(crate) fn ask(&mut self, request: &Request) -> Response {
        let request = to_server(request.clone());
        self.platform.http(request)
    }

    /// Answers the oldest request by the cloud.
    pub(crate) fn answer(&mut self) {
        let (token, request) = self.requests.pop_front().expect("no request");
        let response = self.ask(&request);
        self.give(AppInput::Response(token, Answer::Response(response)));
    }

    /// Answers all requests, and theirs, by the cloud.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1_000 {
            if self.requests.is_empty() {
                return;
            }
            self.answer();
        }
        panic!("it never settles");
    }

    /// Answers the oldest request with a body of the test's.
    pub(crate) fn answer_with(&mut self, body: &str) {
        let (token, _) = self.requests.pop_front().expect("no request");
        let response = Response { status: 200, headers: vec![], body: body.into() };
        self.give(AppInput::Response(token, Answer::Response(response)));
    }

    /// Lets time pass and wakes the app whenever it wants; requests are answered by the cloud.
    pub(crate) fn pass(&mut self, seconds: u64) {
        let end = Instant(self.platform.now.mono.0 + seconds * 1_000);
        self.settle();
        while let Some(at) = self.deadline.filter(|at| *at <= end) {
            self.wake_at(at);
            self.settle();
        }
        self.move_to(end);
    }

    /// Goes to the next deadline and wakes the app; answers nothing.
    pub(crate) fn wake(&mut self) {
        let at = self.deadline.expect("no deadline");
        self.wake_at(at);
    }

    fn wake_at(&mut self, at: Instant) {
        self.move_to(at);
        self.give(AppInput::Timeout);
    }

    pub(crate) fn move_to(&mut self, at: Instant) {
        let ms = at.0.saturating_sub(self.platform.now.mono.0);
        let unix = self.platform.now.unix.unwrap().0 + ms;
        self.platform.now = muster::Now::new(self.platform.now.mono.0 + ms, unix);
    }

    /// The only result so far.
    pub(crate) fn result(&mut self) -> Result<Reply, Error> {
        assert_eq!(self.replies.len(), 1, "{:?}", self.replies);
        self.replies.remove(0).1
    }

    pub(crate) fn is_bound(&self) -> bool {
        matches!(self.events.last(), Some(AppEvent::Bound { .. }))
    }
}

pub(crate) fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}
