//! One device on a bench: every command is a value in the test's hands, answered by a small cloud or by the test.

use std::collections::VecDeque;

use muster::alibaba::credentials::{ClientId, Device, SignMethod, login_sign, registration_sign};
use muster::http::{Request, Response};
use muster::{
    Ack, Agent, Answer, ApiMisuse, Closed, Command, Config, Connect, Error, Event, Input, Instant,
    Intent, Message, Now, Outcome, Output, PlatformName, Publish, Secret, SecretBytes, Settings,
    StoreKey, Stored, Token,
};

pub(crate) const PK: &str = "a1X2bEnP82z";
pub(crate) const DN: &str = "example1";
pub(crate) const PRODUCT_SECRET: &str = "ffFnFlKQW3HYjjPR";
/// 2026-01-01T00:00:00Z.
const EPOCH_MS: u64 = 1_767_225_600_000;

/// Settings for registration over HTTP.
pub(crate) fn settings() -> Settings {
    Settings::new()
        .with("broker", "mqtt://127.0.0.1:18833")
        .with("auth_url", "http://127.0.0.1:7878")
        .with("product_key", PK)
        .with("product_secret", PRODUCT_SECRET)
        .with("device_name", DN)
}

/// Settings for registration over MQTT.
pub(crate) fn over_mqtt() -> Settings {
    settings().with("registration", "mqtt")
}

pub(crate) fn config(settings: &Settings) -> Config {
    Config::from_settings(PlatformName::Alibaba, settings).unwrap()
}

pub(crate) fn sys(what: &str) -> String {
    format!("/sys/{PK}/{DN}/{what}")
}

pub(crate) fn ota(what: &str) -> String {
    format!("/ota/device/{what}/{PK}/{DN}")
}

/// What a real store would hold after a registration.
pub(crate) fn stored_secret(secret: &str) -> Stored {
    let json =
        format!(r#"{{"product_key":"{PK}","device_name":"{DN}","device_secret":"{secret}"}}"#);
    let mut stored = Stored::empty();
    stored.insert(StoreKey::Credential, SecretBytes::new(json.into_bytes()));
    stored
}

pub(crate) struct Bench {
    config: Config,
    pub(crate) agent: Option<Agent>,
    pub(crate) stored: Stored,
    pub(crate) now_ms: u64,
    pub(crate) wall_clock: bool,
    deadline: Option<Instant>,
    /// Commands that nobody has answered yet.
    pub(crate) commands: VecDeque<Command>,
    pub(crate) events: Vec<Event>,
    /// Every output, for comparing two benches.
    pub(crate) outputs: Vec<Output>,
    lives: u8,
    cut_after: Option<usize>,
    /// Saves and restores the agent ahead of every input.
    pub(crate) swap: bool,
    pub(crate) cloud: SmallCloud,
}

/// The cloud's side as far as a device can see it.
#[derive(Default)]
pub(crate) struct SmallCloud {
    /// Every secret it issued, the valid one last.
    pub(crate) issued: Vec<String>,
    pub(crate) active: bool,
    pub(crate) connection: Option<Token>,
    pub(crate) logins: Vec<Connect>,
    pub(crate) tokens: Vec<String>,
    pub(crate) versions: Vec<String>,
    pub(crate) published: Vec<(String, String)>,
}

impl Bench {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self::with_stored(settings, Stored::empty())
    }

    pub(crate) fn with_stored(settings: &Settings, stored: Stored) -> Self {
        let mut bench = Self {
            config: config(settings),
            agent: None,
            stored,
            now_ms: 1_000,
            wall_clock: true,
            deadline: None,
            commands: VecDeque::new(),
            events: Vec::new(),
            outputs: Vec::new(),
            lives: 0,
            cut_after: None,
            swap: false,
            cloud: SmallCloud::default(),
        };
        bench.power_on().unwrap();
        bench
    }

    /// The same cloud for another device.
    pub(crate) fn with_cloud(mut self, cloud: SmallCloud) -> Self {
        self.cloud = SmallCloud { connection: None, ..cloud };
        self
    }

    pub(crate) fn now(&self) -> Now {
        match self.wall_clock {
            true => Now::new(self.now_ms, EPOCH_MS + self.now_ms),
            false => Now::mono(self.now_ms),
        }
    }

    pub(crate) fn power_on(&mut self) -> Result<(), ApiMisuse> {
        self.lives += 1;
        self.cloud.connection = None;
        self.commands.clear();
        let agent =
            Agent::new(self.config.clone(), self.stored.clone(), [self.lives; 32], self.now())?;
        self.agent = Some(agent);
        self.drain();
        Ok(())
    }

    pub(crate) fn cut_power(&mut self) {
        self.agent = None;
        self.commands.clear();
        self.deadline = None;
        self.cut_after = None;
    }

    /// Cuts the power when `n` more outputs have left the device.
    pub(crate) fn cut_after(&mut self, n: usize) {
        self.cut_after = Some(self.outputs.len() + n);
    }

    fn drain(&mut self) {
        while let Some(agent) = self.agent.as_mut() {
            if self.cut_after.is_some_and(|n| self.outputs.len() >= n) {
                // What has left the device is on its way; what has not is lost.
                self.cut_after = None;
                let commands = std::mem::take(&mut self.commands);
                self.agent = None;
                self.deadline = None;
                for command in commands {
                    self.cloud_hears(&command);
                }
                return;
            }
            let output = agent.poll_output();
            self.outputs.push(output.clone());
            match output {
                Output::Command(command) => self.commands.push_back(command),
                Output::Event(event) => self.events.push(event),
                Output::Timeout(at) => {
                    self.deadline = at;
                    return;
                }
            }
        }
    }

    /// A command of a device that lost its power: it may have reached the other side.
    fn cloud_hears(&mut self, command: &Command) {
        match command {
            Command::Store(_, key, value) => self.stored.insert(*key, value.clone()),
            Command::Erase(_, key) => self.stored.remove(*key),
            Command::Request(_, request) => {
                let _ = self.cloud.register(request);
            }
            Command::Connect(_, connect) => {
                let _ = self.cloud.connect(connect);
            }
            _ => {}
        }
    }

    pub(crate) fn input(&mut self, input: Input) {
        let now = self.now();
        if self.swap
            && let Some(agent) = &mut self.agent
        {
            self.agent = Some(Agent::restore(self.config.clone(), &agent.save(), now).unwrap());
        }
        if let Some(agent) = self.agent.as_mut() {
            agent.handle_input(input, now).unwrap();
            self.drain();
        }
    }

    pub(crate) fn intent(&mut self, intent: Intent) {
        self.input(Input::User(intent));
    }

    pub(crate) fn message(&mut self, topic: &str, payload: impl Into<Vec<u8>>) {
        let payload = SecretBytes::new(payload.into());
        self.input(Input::Message(Message { topic: topic.into(), payload }));
    }

    /// Lets time pass, with all its timeouts, answering nothing.
    pub(crate) fn wait(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        while let Some(at) = self.deadline.filter(|at| at.0 <= until) {
            self.now_ms = self.now_ms.max(at.0);
            self.input(Input::Timeout);
        }
        self.now_ms = until;
    }

    /// Goes to the next deadline. `false`: there is none.
    pub(crate) fn next_deadline(&mut self) -> bool {
        let Some(at) = self.deadline else { return false };
        self.now_ms = self.now_ms.max(at.0);
        self.input(Input::Timeout);
        true
    }

    /// The next command that is `wanted`; those before it are answered by the cloud.
    pub(crate) fn until<T>(&mut self, wanted: impl Fn(&Command) -> Option<T>) -> T {
        for _ in 0..200 {
            let Some(command) = self.commands.pop_front() else {
                assert!(self.next_deadline(), "nothing more happens; events {:?}", self.events);
                continue;
            };
            if let Some(found) = wanted(&command) {
                return found;
            }
            self.answer(command);
        }
        panic!("it does not come; events {:?}", self.events);
    }

    pub(crate) fn until_request(&mut self) -> (Token, Request) {
        self.until(|command| match command {
            Command::Request(token, request) => Some((*token, request.clone())),
            _ => None,
        })
    }

    pub(crate) fn until_connect(&mut self) -> (Token, Connect) {
        self.until(|command| match command {
            Command::Connect(token, connect) => Some((*token, connect.clone())),
            _ => None,
        })
    }

    pub(crate) fn until_store(&mut self) -> (Token, StoreKey, SecretBytes) {
        self.until(|command| match command {
            Command::Store(token, key, value) => Some((*token, *key, value.clone())),
            _ => None,
        })
    }

    pub(crate) fn until_publish(&mut self, topic: &str) -> (Token, String) {
        self.until(|command| match command {
            Command::Publish(token, publish) if publish.topic == topic => {
                Some((*token, text(publish)))
            }
            _ => None,
        })
    }

    /// Answers everything until nothing is left to answer.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1_000 {
            let Some(command) = self.commands.pop_front() else { return };
            self.answer(command);
        }
        panic!("it never settles; events {:?}", self.events);
    }

    /// Answers and lets time pass until the device is ready.
    pub(crate) fn until_ready(&mut self) {
        for _ in 0..200 {
            self.settle();
            if self.events.contains(&Event::Ready) {
                return;
            }
            assert!(self.next_deadline(), "stuck; events {:?}", self.events);
        }
        panic!("never ready; events {:?}", self.events);
    }

    /// A device at work, with nothing left to answer and no events to look at.
    pub(crate) fn ready(settings: &Settings) -> Self {
        let mut bench = Self::new(settings);
        bench.until_ready();
        bench.settle();
        bench.events.clear();
        bench
    }

    /// Breaks the connection, as a network does.
    pub(crate) fn break_connection(&mut self) {
        if let Some(connection) = self.cloud.connection.take() {
            self.input(Input::Closed(connection, Closed::Failed(muster::Failure::Lost)));
        }
    }

    /// The cloud's (and the host's) answer to a command.
    pub(crate) fn answer(&mut self, command: Command) {
        match command {
            Command::Request(token, request) => {
                let response = self.cloud.register(&request);
                self.input(Input::Response(token, Answer::Response(response)));
            }
            Command::Connect(token, connect) => match self.cloud.connect(&connect) {
                Err(code) => self.input(Input::Closed(token, Closed::Refused(code))),
                Ok(push) => {
                    self.cloud.connection = Some(token);
                    self.input(Input::Connected(token));
                    if let Some((topic, payload)) = push {
                        self.message(topic, payload);
                    }
                }
            },
            Command::Close(token) => {
                self.cloud.connection = None;
                self.input(Input::Closed(token, Closed::Requested));
            }
            Command::Subscribe(token, subscribe) => {
                self.input(Input::Acked(token, Ack::Subscribed(subscribe.qos)));
            }
            Command::Publish(token, publish) => {
                self.input(Input::Acked(token, Ack::Published));
                self.publish(&publish);
            }
            Command::Store(token, key, value) => {
                self.stored.insert(key, value);
                self.input(Input::Stored(token, Outcome::Done));
            }
            Command::Erase(token, key) => {
                self.stored.remove(key);
                self.input(Input::Stored(token, Outcome::Done));
            }
            Command::Download(..) | Command::CancelDownload(_) | Command::Install(..) => {}
            other => panic!("unknown command {other:?}"),
        }
    }

    fn publish(&mut self, publish: &Publish) {
        let body = text(publish);
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        self.cloud.published.push((publish.topic.clone(), body.clone()));
        if publish.topic == sys("thing/awss/enrollee/match") {
            self.cloud.tokens.push(json["params"]["token"].as_str().unwrap().into());
            let reply = format!(r#"{{"id":{},"code":200,"data":{{}}}}"#, json["id"]);
            self.message(&sys("thing/awss/enrollee/match_reply"), reply);
        } else if publish.topic == ota("inform") {
            self.cloud.versions.push(json["params"]["version"].as_str().unwrap().into());
        }
    }

    pub(crate) fn stray(&self) -> u64 {
        self.agent.as_ref().unwrap().stray_inputs()
    }

    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The only event of its kind.
    pub(crate) fn stopped(&self) -> (&Error, muster::Advice) {
        let mut found = self.events.iter().filter_map(|event| match event {
            Event::Stopped { error, advice } => Some((error, *advice)),
            _ => None,
        });
        let first = found.next().unwrap_or_else(|| panic!("not stopped; events {:?}", self.events));
        assert!(found.next().is_none(), "stopped more than once");
        first
    }

    pub(crate) fn retries(&self) -> Vec<&Error> {
        let retrying = self.events.iter().filter_map(|event| match event {
            Event::Retrying { error, .. } => Some(error),
            _ => None,
        });
        retrying.collect()
    }

    pub(crate) fn warnings(&self) -> Vec<&muster::Warning> {
        let warnings = self.events.iter().filter_map(|event| match event {
            Event::Warning { warning } => Some(warning),
            _ => None,
        });
        warnings.collect()
    }

    pub(crate) fn credential(&self) -> Option<String> {
        let bytes = self.stored.get(StoreKey::Credential)?;
        Some(String::from_utf8(bytes.expose().to_vec()).unwrap())
    }
}

pub(crate) fn text(publish: &Publish) -> String {
    String::from_utf8(publish.payload.expose().to_vec()).unwrap()
}

/// A response with a JSON body.
pub(crate) fn json(body: &str) -> Answer {
    Answer::Response(Response { status: 200, headers: Vec::new(), body: body.into() })
}

/// A good answer to a registration.
pub(crate) fn issued(secret: &str) -> String {
    format!(
        r#"{{"code":200,"data":{{"productKey":"{PK}","deviceName":"{DN}","deviceSecret":"{secret}"}},"message":"success"}}"#
    )
}

impl SmallCloud {
    /// A new secret for every registration until the first login.
    fn issue(&mut self) -> String {
        let secret = format!("{:032x}", 0xfeed_0000 + self.issued.len());
        self.issued.push(secret.clone());
        secret
    }

    pub(crate) fn register(&mut self, request: &Request) -> Response {
        assert_eq!(request.url, "http://127.0.0.1:7878/auth/register/device");
        assert_eq!(request.method, "POST");
        let form = String::from_utf8(request.body.clone()).unwrap();
        let field = |name: &str| {
            let pair = form.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
            pair.unwrap().to_owned()
        };
        let device =
            Device { product_key: &field("productKey"), device_name: &field("deviceName") };
        let sign = registration_sign(
            field("signMethod").parse().unwrap(),
            device,
            &Secret::from(PRODUCT_SECRET),
            &field("random"),
        );
        assert!(SignMethod::matches(&sign, &field("sign")));
        let body = if self.active {
            r#"{"code":6289,"message":"device is already active"}"#.to_owned()
        } else {
            issued(&self.issue())
        };
        Response { status: 200, headers: Vec::new(), body: body.into_bytes() }
    }

    /// Checks a login, or answers a registration with what is pushed.
    fn connect(&mut self, connect: &Connect) -> Result<Option<(&'static str, String)>, u8> {
        let id = ClientId::parse(&connect.client_id).unwrap();
        assert_eq!(connect.username, format!("{DN}&{PK}"));
        let device = Device { product_key: PK, device_name: DN };
        match id.field("authType") {
            Some(auth_type @ ("register" | "regnwl")) => {
                let method = id.field("signmethod").unwrap().parse().unwrap();
                let secret = Secret::from(PRODUCT_SECRET);
                let sign = registration_sign(method, device, &secret, id.field("random").unwrap());
                if !SignMethod::matches(&sign, connect.password.expose()) {
                    return Err(4);
                }
                if self.active {
                    return Err(5);
                }
                let secret = self.issue();
                Ok(Some(if auth_type == "register" {
                    let body = format!(
                        r#"{{"productKey":"{PK}","deviceName":"{DN}","deviceSecret":"{secret}"}}"#
                    );
                    ("/ext/register", body)
                } else {
                    let body = format!(
                        r#"{{"productKey":"{PK}","deviceName":"{DN}","clientId":"client-7","deviceToken":"{secret}"}}"#
                    );
                    ("/ext/regnwl", body)
                }))
            }
            auth_type => {
                self.logins.push(connect.clone());
                let valid = Secret::new(self.issued.last().cloned().unwrap_or_default());
                let good = if auth_type == Some("connwl") {
                    id.name == "client-7" && connect.password == valid
                } else {
                    let method = id.field("signmethod").unwrap().parse().unwrap();
                    let ours = login_sign(method, device, &valid, id.name, id.field("timestamp"));
                    SignMethod::matches(ours.expose(), connect.password.expose())
                };
                if !good {
                    return Err(4);
                }
                self.active = true;
                Ok(None)
            }
        }
    }
}
