//! How many devices one core brings to life in a second: register to ready, agent against cloud, in one process.

use std::collections::VecDeque;
use std::time::Instant as Clock;

use muster::cloud::{
    Action, Cloud, CloudConfig, CloudInput, CloudOutput, ConnectPacket, ConnectionId, Operation,
    OperationResult, Packet, RequestId,
};
use muster::wire::{Handle, Open};
use muster::{
    Ack, Agent, Answer, Closed, Command, Config, Event, Failure, Input, Instant, Message, Now,
    Outcome, Output, PlatformName, QoS, Settings, Stored, Token, sim,
};

use super::Figure;

const DEVICES: usize = 50_000;
const LIMIT: f64 = 100_000.0;
const UNIX_MS: u64 = 1_767_225_600_000;

/// One figure a platform.
pub(super) fn figures() -> Vec<Figure> {
    PlatformName::ALL.into_iter().map(figure).collect()
}

fn figure(platform: PlatformName) -> Figure {
    let best = (0..3).map(|_| lives_per_second(platform)).fold(0.0, f64::max);
    Figure {
        name: format!("lives a second and core, {platform}"),
        unit: "1/s",
        ours: best,
        other: LIMIT,
        beside: "budget".into(),
        ratio: best / LIMIT,
        more_is_better: true,
        how: format!(
            "{DEVICES} devices, one after the other, from an empty store to Ready against the cloud in this process, \
             one thread, inputs handed over without packets; best of 3"
        ),
    }
}

fn lives_per_second(platform: PlatformName) -> f64 {
    let (mut cloud, settings) = prepare(platform, DEVICES);
    let configs: Vec<Config> = settings.iter().map(|settings| config(platform, settings)).collect();
    let begin = Clock::now();
    for (i, config) in configs.into_iter().enumerate() {
        let ready = Life::new(&mut cloud, i as u64).run(platform, config);
        assert!(ready, "device {i} of {platform} did not become ready");
    }
    DEVICES as f64 / begin.elapsed().as_secs_f64()
}

/// What one device is told from its birth until it is ready and nothing is on its way any more.
pub(super) fn recording(platform: PlatformName) -> Recording {
    let (mut cloud, mut settings) = prepare(platform, 1);
    let settings = settings.pop().expect("one device was asked for");
    let mut life = Life::new(&mut cloud, 0);
    let (seed, now) = ([0; 32], life.now);
    let open = Open::new(platform, settings.clone(), Stored::empty(), seed, now);
    let mut agent = Agent::new(config(platform, &settings), Stored::empty(), seed, now)
        .expect("the store is empty");
    let mut wakes = life.drain(&mut agent, platform);
    let mut inputs = Vec::new();
    while let Some(input) = life.to_device.pop_front() {
        inputs.push(Handle { now, input: input.clone() });
        agent.handle_input(input, now).expect("no intent is given");
        wakes = life.drain(&mut agent, platform);
    }
    assert!(life.ready, "{platform} did not become ready");
    let wakes = wakes.map_or(0, |at| at.0);
    let later = Now::new(wakes, UNIX_MS + wakes - now.mono.0);
    Recording { open, inputs, next: Handle { now: later, input: Input::Timeout } }
}

/// A life, as a plugin is told of it.
pub(super) struct Recording {
    pub(super) open: Open,
    pub(super) inputs: Vec<Handle>,
    /// What wakes it after that, when it is due.
    pub(super) next: Handle,
}

/// A cloud with one product and `devices` of it, and the settings of each.
fn prepare(platform: PlatformName, devices: usize) -> (Cloud, Vec<Settings>) {
    let mut cloud = Cloud::new(CloudConfig::default(), [1; 32], Now::new(0, UNIX_MS));
    let product = operate(&mut cloud, platform, product_action(platform));
    let OperationResult::Product(product) = product else { panic!("no product") };
    let secret = product.secret.unwrap_or_default();
    let names: Vec<String> = (0..devices).map(|i| format!("dev{i:08}")).collect();
    let column = match platform {
        PlatformName::Ucloud => "device_sn",
        PlatformName::Cmcc => "device_no,device_no_type",
        PlatformName::Krtyun => "device_id",
        PlatformName::Alibaba => "device_name",
    };
    let mut csv = format!("{column}\n");
    for name in &names {
        csv.push_str(name);
        csv.push_str(if platform == PlatformName::Cmcc { ",SN\n" } else { "\n" });
    }
    operate(&mut cloud, platform, Action::ImportDevices { product: product.id.clone(), csv });
    let settings = names.iter().map(|name| settings(platform, &product.id, &secret, name));
    (cloud, settings.collect())
}

fn product_action(platform: PlatformName) -> Action {
    let switches = match platform {
        PlatformName::Cmcc => Default::default(),
        _ => [("DynamicRegister".to_owned(), "true".to_owned())].into(),
    };
    Action::CreateProduct { name: "bench".into(), id: None, secret: None, switches }
}

fn config(platform: PlatformName, settings: &Settings) -> Config {
    Config::from_settings(platform, settings).expect("the settings are complete")
}

fn settings(platform: PlatformName, product: &str, secret: &str, device: &str) -> Settings {
    let url = "mqtt://127.0.0.1:1";
    match platform {
        PlatformName::Ucloud => Settings::new()
            .with("broker", url)
            .with("product_sn", product)
            .with("product_secret", secret)
            .with("device_sn", device),
        PlatformName::Krtyun => Settings::new()
            .with("broker", url)
            .with("product_id", product)
            .with("product_secret", secret)
            .with("device_id", device),
        PlatformName::Cmcc => Settings::new()
            .with("base_url", "http://127.0.0.1:1")
            .with("product_id", product)
            .with("product_key", secret)
            .with("device_no_type", "SN")
            .with("device_no", device)
            .with("cmei", "111234561234569"),
        PlatformName::Alibaba => Settings::new()
            .with("broker", url)
            .with("auth_url", "http://127.0.0.1:1")
            .with("product_key", product)
            .with("product_secret", secret)
            .with("device_name", device),
    }
}

fn operate(cloud: &mut Cloud, platform: PlatformName, action: Action) -> OperationResult {
    let operation = Operation { platform, action };
    cloud.handle_input(CloudInput::Operate { id: RequestId(0), operation }, Now::new(0, UNIX_MS));
    let mut result = None;
    loop {
        match cloud.poll_output() {
            CloudOutput::Operated { result: r, .. } => {
                result = Some(r.expect("the operator's action is valid"))
            }
            CloudOutput::Timeout(_) => return result.expect("every action is answered"),
            _ => {}
        }
    }
}

/// One device and the cloud, the outputs of one being the inputs of the other at once.
struct Life<'a> {
    cloud: &'a mut Cloud,
    now: Now,
    number: u64,
    connections: u64,
    connection: Option<(ConnectionId, Token)>,
    to_device: VecDeque<Input>,
    ready: bool,
}

impl<'a> Life<'a> {
    fn new(cloud: &'a mut Cloud, number: u64) -> Self {
        Self {
            cloud,
            // Devices come one second apart, so that limits over time do not bind.
            now: Now::new(number * 1_000, UNIX_MS + number * 1_000),
            number,
            connections: 0,
            connection: None,
            to_device: VecDeque::with_capacity(8),
            ready: false,
        }
    }

    fn run(mut self, platform: PlatformName, config: Config) -> bool {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.number.to_le_bytes());
        let mut agent =
            Agent::new(config, Stored::empty(), seed, self.now).expect("the store is empty");
        self.drain(&mut agent, platform);
        while !self.ready {
            let Some(input) = self.to_device.pop_front() else { break };
            agent.handle_input(input, self.now).expect("no intent is given");
            self.drain(&mut agent, platform);
        }
        if let Some((connection, _)) = self.connection.take() {
            self.cloud_input(CloudInput::Lost { connection });
        }
        self.ready
    }

    /// When it wants to be woken.
    fn drain(&mut self, agent: &mut Agent, platform: PlatformName) -> Option<Instant> {
        loop {
            match agent.poll_output() {
                Output::Timeout(at) => return at,
                Output::Event(Event::Ready) => self.ready = true,
                Output::Event(_) => {}
                Output::Command(command) => self.carry_out(command, platform),
            }
        }
    }

    fn carry_out(&mut self, command: Command, platform: PlatformName) {
        match command {
            Command::Connect(token, connect) => {
                self.connections += 1;
                let connection = ConnectionId(self.number * 8 + self.connections);
                self.connection = Some((connection, token));
                let connect = ConnectPacket {
                    protocol_level: 4,
                    client_id: connect.client_id,
                    username: Some(connect.username),
                    password: Some(connect.password),
                    keep_alive: connect.keep_alive,
                    clean_session: true,
                    will: false,
                };
                self.cloud_input(CloudInput::Connect { connection, platform, connect });
            }
            Command::Close(token) => {
                if let Some((connection, _)) = self.connection.take() {
                    self.cloud_input(CloudInput::Packet { connection, packet: Packet::Disconnect });
                    self.cloud_input(CloudInput::Lost { connection });
                }
                self.to_device.push_back(Input::Closed(token, Closed::Requested));
            }
            Command::Subscribe(token, subscribe) => {
                if let Some((connection, _)) = self.connection {
                    let packet_id = packet_id(token);
                    let filters = vec![(subscribe.topic, subscribe.qos as u8)];
                    self.cloud_input(CloudInput::Packet {
                        connection,
                        packet: Packet::Subscribe { packet_id, filters },
                    });
                }
            }
            Command::Publish(token, publish) => {
                if let Some((connection, _)) = self.connection {
                    let packet_id = (publish.qos == QoS::AtLeastOnce).then(|| packet_id(token));
                    if packet_id.is_none() {
                        self.to_device.push_back(Input::Acked(token, Ack::Published));
                    }
                    let packet = Packet::Publish {
                        packet_id,
                        topic: publish.topic,
                        qos: publish.qos as u8,
                        retain: false,
                        payload: publish.payload,
                    };
                    self.cloud_input(CloudInput::Packet { connection, packet });
                }
            }
            Command::Request(token, request) => {
                let request = sim::to_server(request);
                self.cloud_input(CloudInput::Request {
                    id: RequestId(u64::from(token.0)),
                    request,
                });
            }
            Command::Store(token, ..) | Command::Erase(token, ..) => {
                self.to_device.push_back(Input::Stored(token, Outcome::Done));
            }
            _ => {}
        }
    }

    fn cloud_input(&mut self, input: CloudInput) {
        self.cloud.handle_input(input, self.now);
        loop {
            let device = match self.cloud.poll_output() {
                CloudOutput::Timeout(_) => return,
                CloudOutput::ConnAck { code, .. } => self.connection.map(|(_, token)| match code {
                    0 => Input::Connected(token),
                    code => Input::Closed(token, Closed::Refused(code)),
                }),
                CloudOutput::SubAck { packet_id, codes, .. } => {
                    let ack = match codes.first() {
                        Some(0) => Ack::Subscribed(QoS::AtMostOnce),
                        Some(1) => Ack::Subscribed(QoS::AtLeastOnce),
                        _ => Ack::SubscribeRefused,
                    };
                    Some(Input::Acked(token(packet_id), ack))
                }
                CloudOutput::PubAck { packet_id, .. } => {
                    Some(Input::Acked(token(packet_id), Ack::Published))
                }
                CloudOutput::Publish { topic, payload, .. } => {
                    Some(Input::Message(Message { topic, payload }))
                }
                CloudOutput::Close { .. } => self
                    .connection
                    .take()
                    .map(|(_, token)| Input::Closed(token, Closed::Failed(Failure::Lost))),
                CloudOutput::Response { id, response } => u32::try_from(id.0)
                    .ok()
                    .map(|id| Input::Response(Token(id), Answer::Response(response))),
                _ => None,
            };
            self.to_device.extend(device);
        }
    }
}

/// A life needs a few dozen tokens, far from where packet identifiers wrap.
fn packet_id(token: Token) -> u16 {
    token.0 as u16
}

fn token(packet_id: u16) -> Token {
    Token(u32::from(packet_id))
}
