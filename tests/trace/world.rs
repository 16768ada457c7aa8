//! An agent and the clouds with real MQTT bytes between them, and a timeline that listens.

use std::collections::VecDeque;

use muster::cloud::demo::DEMOS;
use muster::cloud::{
    Cloud, CloudConfig, CloudInput, CloudOutput, ConnectionId, HttpRequest, Operation,
    OperationResult, RequestId,
};
use muster::mqtt::{ClientEvent, ClientSession, ServerEvent, ServerLimits, ServerSession};
use muster::trace::{Direction, Entry, Moment, Trace};
use muster::{
    Agent, Answer, Closed, Command, Config, Event, Input, Now, Outcome, Output, PlatformName,
    SecretBytes, Settings, Stored,
};

/// Everything, at one moment in time.
pub(crate) struct World {
    pub(crate) trace: Trace,
    pub(crate) entries: Vec<Entry>,
    pub(crate) events: Vec<Event>,
    pub(crate) stored: Vec<SecretBytes>,
    /// What the settings hold that nobody may see.
    pub(crate) product_secret: String,
    agent: Agent,
    cloud: Cloud,
    platform: PlatformName,
    session: Option<(muster::Token, ClientSession, ServerSession)>,
    inputs: VecDeque<Input>,
    connection: u64,
    time: u64,
    deadline: Option<muster::Instant>,
}

/// When everything begins.
const BEGIN: u64 = 1_000;

fn begin() -> Now {
    Now::new(BEGIN, muster::sim::EPOCH_MS)
}

const MOMENT: Moment = Moment { at: 0.0, unix: 0.0 };

impl World {
    /// The demo device of a platform, until there is nothing more to do at once.
    pub(crate) fn live(platform: PlatformName) -> Self {
        let demo = DEMOS.into_iter().find(|demo| demo.platform == platform).unwrap();
        let mut cloud = Cloud::new(CloudConfig::default(), [7; 32], begin());
        for action in demo.actions("an-app-secret") {
            operate(&mut cloud, platform, action);
        }
        let list = muster::cloud::Action::ListProducts { reveal: true };
        let OperationResult::Products { items } = operate(&mut cloud, platform, list) else {
            panic!("no products");
        };
        let product = items.into_iter().find(|product| product.id == demo.product).unwrap();
        let mut settings = Settings::new();
        for (key, value) in demo.settings(&product, "ws://h/mqtt", "http://h").unwrap() {
            settings.set(key, &value);
        }
        let stored = Stored::empty();
        let trace = Trace::new(platform, &settings, &stored);
        let config = Config::from_settings(platform, &settings).unwrap();
        let agent = Agent::new(config, stored, [3; 32], begin()).unwrap();
        let mut world = Self {
            trace,
            entries: Vec::new(),
            events: Vec::new(),
            stored: Vec::new(),
            product_secret: product.secret.unwrap(),
            agent,
            cloud,
            platform,
            session: None,
            inputs: VecDeque::new(),
            connection: 0,
            time: BEGIN,
            deadline: None,
        };
        world.run();
        world
    }

    fn now(&self) -> Now {
        Now::new(self.time, muster::sim::EPOCH_MS + self.time - BEGIN)
    }

    /// Until the device is ready, and has nothing more to do at once.
    fn run(&mut self) {
        self.drain();
        for _ in 0..1_000 {
            self.carry();
            let input = match (self.inputs.pop_front(), self.deadline) {
                (Some(input), _) => input,
                (None, Some(at)) if !self.events.contains(&Event::Ready) => {
                    self.time = at.0;
                    Input::Timeout
                }
                _ => break,
            };
            self.agent.handle_input(input, self.now()).unwrap();
            self.drain();
        }
        while let Some(entry) = self.trace.poll() {
            self.entries.push(entry);
        }
    }

    fn drain(&mut self) {
        loop {
            match self.agent.poll_output() {
                Output::Timeout(at) => {
                    self.deadline = at;
                    return;
                }
                Output::Event(event) => self.events.push(event),
                Output::Command(command) => self.command(command),
            }
        }
    }

    fn command(&mut self, command: Command) {
        let now = self.now();
        match command {
            Command::Connect(token, connect) => {
                self.connection += 1;
                self.trace.link(muster::trace::Link::Opening, &connect.url, None, MOMENT);
                let client = ClientSession::new(&connect, now.mono);
                let server = ServerSession::new(ServerLimits::default(), now.mono);
                self.session = Some((token, client, server));
            }
            Command::Close(token) => {
                if let Some((_, client, _)) = &mut self.session {
                    client.disconnect();
                }
                self.carry();
                self.session = None;
                let connection = ConnectionId(self.connection);
                self.cloud.handle_input(CloudInput::Lost { connection }, now);
                self.answers();
                self.inputs.push_back(Input::Closed(token, Closed::Requested));
            }
            Command::Subscribe(token, subscribe) => {
                let (_, client, _) = self.session.as_mut().unwrap();
                client.subscribe(token, &subscribe).unwrap();
            }
            Command::Publish(token, publish) => {
                let (_, client, _) = self.session.as_mut().unwrap();
                client.publish(token, &publish).unwrap();
            }
            Command::Request(token, request) => {
                self.trace.request(token, &request, MOMENT);
                let path = request.url.trim_start_matches("http://h").to_string();
                let http = HttpRequest {
                    method: request.method,
                    path,
                    query: Vec::new(),
                    headers: request.headers,
                    body: request.body,
                };
                let id = RequestId(u64::from(token.0));
                self.cloud.handle_input(CloudInput::Request { id, request: http }, now);
                loop {
                    match self.cloud.poll_output() {
                        CloudOutput::Response { response, .. } => {
                            self.trace.response(token, &response, MOMENT);
                            let answer = Answer::Response(response);
                            self.inputs.push_back(Input::Response(token, answer));
                        }
                        CloudOutput::Timeout(_) => break,
                        _ => {}
                    }
                }
            }
            Command::Store(token, key, value) => {
                self.trace.stored(key, Some(&value), &Outcome::Done, None, 0.0, MOMENT);
                self.stored.push(value);
                self.inputs.push_back(Input::Stored(token, Outcome::Done));
            }
            other => panic!("{other:?}"),
        }
    }

    /// Bytes to and fro until there are none.
    fn carry(&mut self) {
        let now = self.now();
        loop {
            let Some((token, client, server)) = &mut self.session else { return };
            let mut idle = true;
            while let Some(bytes) = client.poll_transmit() {
                idle = false;
                self.trace.bytes(Direction::Up, &bytes, MOMENT);
                server.receive(&bytes, now.mono);
            }
            while let Some(event) = client.poll_event() {
                self.inputs.push_back(match event {
                    ClientEvent::Connected { .. } => Input::Connected(*token),
                    ClientEvent::Message(message) => Input::Message(message),
                    ClientEvent::Acked(token, ack) => Input::Acked(token, ack),
                    ClientEvent::Refused(code) => Input::Closed(*token, Closed::Refused(code)),
                    ClientEvent::Failed(failure) => Input::Closed(*token, Closed::Failed(failure)),
                });
            }
            let connection = ConnectionId(self.connection);
            while let Some(event) = server.poll_event() {
                idle = false;
                let platform = self.platform;
                match event {
                    ServerEvent::Connect(connect) => self
                        .cloud
                        .handle_input(CloudInput::Connect { connection, platform, connect }, now),
                    ServerEvent::Packet(packet) => {
                        self.cloud.handle_input(CloudInput::Packet { connection, packet }, now);
                    }
                    ServerEvent::Lost(_) => {}
                }
                loop {
                    match self.cloud.poll_output() {
                        CloudOutput::Timeout(_) => break,
                        output => server.apply(&output),
                    }
                }
            }
            while let Some(bytes) = server.poll_transmit() {
                idle = false;
                self.trace.bytes(Direction::Down, &bytes, MOMENT);
                client.receive(&bytes, now.mono);
            }
            if idle {
                return;
            }
        }
    }

    fn answers(&mut self) {
        while !matches!(self.cloud.poll_output(), CloudOutput::Timeout(_)) {}
    }
}

fn operate(
    cloud: &mut Cloud,
    platform: PlatformName,
    action: muster::cloud::Action,
) -> OperationResult {
    let operation = Operation { platform, action };
    cloud.handle_input(CloudInput::Operate { id: RequestId(0), operation }, begin());
    let mut result = None;
    loop {
        match cloud.poll_output() {
            CloudOutput::Operated { result: done, .. } => result = Some(done.unwrap()),
            CloudOutput::Timeout(_) => return result.unwrap(),
            _ => {}
        }
    }
}
