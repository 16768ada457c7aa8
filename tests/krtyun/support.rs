//! A product, devices, an agent fed by hand, and a cloud spoken to by hand.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use muster::cloud::{
    Action, Change, Cloud, CloudConfig, CloudInput, CloudOutput, ConnectPacket, ConnectionId,
    DeviceView, LogEntry, Operation, OperationError, OperationResult, Packet, RequestId,
    UpgradeView, What,
};
use muster::sim::{DeviceId, World};
use muster::{
    Ack, Agent, Closed, Command, Config, Connect, Event, Failure, Input, Message, Now, Outcome,
    Output, PlatformName, QoS, SecretBytes, Settings, StoreKey, Stored, Token,
};

pub(crate) const PRODUCT: &str = "1700000001";
pub(crate) const PRODUCT_SECRET: &str = "theproductsecret";
pub(crate) const DEVICE: &str = "880001";
pub(crate) const DEVICE_SECRET: &str = "sixteencharssec1";
pub(crate) const IMAGE_URL: &str = "http://iot.krtyun.com:16004/iot-telegov-html/rtthread.rbl";

pub(crate) fn topic(rest: &str) -> String {
    format!("/sys/{PRODUCT}/{DEVICE}/thing/{rest}")
}

pub(crate) fn settings() -> Settings {
    Settings::new()
        .with("broker", "mqtt://iot.krtyun.com:16007")
        .with("product_id", PRODUCT)
        .with("product_secret", PRODUCT_SECRET)
        .with("device_id", DEVICE)
}

pub(crate) fn config(settings: &Settings) -> Config {
    Config::from_settings(PlatformName::Krtyun, settings).unwrap()
}

/// What a device has stored that was let in with its secret before.
pub(crate) fn stored(proven: bool) -> Stored {
    let json = format!(
        r#"{{"product_id":"{PRODUCT}","device_id":"{DEVICE}","device_secret":"{DEVICE_SECRET}","proven":{proven},"register_id":"00ff"}}"#
    );
    let mut stored = Stored::empty();
    stored.insert(StoreKey::Credential, SecretBytes::new(json.into_bytes()));
    stored
}

pub(crate) fn action(action: Action) -> Operation {
    Operation { platform: PlatformName::Krtyun, action }
}

pub(crate) fn create_product(switches: &[(&str, &str)]) -> Operation {
    let mut all: BTreeMap<String, String> =
        [("DynamicRegister".to_string(), "true".to_string())].into();
    all.extend(switches.iter().map(|(k, v)| (k.to_string(), v.to_string())));
    action(Action::CreateProduct {
        name: "test".into(),
        id: Some(PRODUCT.into()),
        secret: Some(PRODUCT_SECRET.into()),
        switches: all,
    })
}

pub(crate) fn import(csv: &str) -> Operation {
    action(Action::ImportDevices { product: PRODUCT.into(), csv: csv.into() })
}

pub(crate) fn switch(name: &str, value: &str) -> Operation {
    let (name, value) = (name.into(), value.into());
    action(Action::Switch { product: Some(PRODUCT.into()), name, value })
}

pub(crate) fn add_firmware(version: &str) -> Operation {
    action(Action::AddFirmware {
        product: PRODUCT.into(),
        module: None,
        version: version.into(),
        url: IMAGE_URL.into(),
        size: 5,
        md5: String::new(),
        sha256: String::new(),
    })
}

pub(crate) fn push_upgrade(version: &str) -> Operation {
    let devices = Some(vec![DEVICE.into()]);
    let (product, version) = (PRODUCT.into(), version.into());
    action(Action::PushUpgrade { product, module: None, version, devices })
}

/// A world with one product and one listed device, which is not switched on.
pub(crate) fn world(switches: &[(&str, &str)]) -> World {
    let mut world = World::new(Duration::from_millis(20));
    world.operate(create_product(switches)).unwrap();
    world.operate(import(&format!("device_id\n{DEVICE}\n"))).unwrap();
    world.images.insert(IMAGE_URL.into(), b"image".to_vec());
    world
}

pub(crate) fn devices(result: OperationResult) -> Vec<DeviceView> {
    match result {
        OperationResult::Devices { items, .. } => items,
        _ => panic!("no list of devices"),
    }
}

pub(crate) fn list_devices() -> Operation {
    let product = PRODUCT.into();
    action(Action::ListDevices { product, after: None, limit: None, reveal: true })
}

/// The device as the world's operator sees it.
pub(crate) fn view(world: &mut World) -> DeviceView {
    let list = world.operate(list_devices()).unwrap();
    devices(list).into_iter().find(|d| d.name == DEVICE).unwrap()
}

pub(crate) fn upgrade(result: OperationResult) -> UpgradeView {
    match result {
        OperationResult::Upgrades { mut items } => items.remove(0),
        _ => panic!("no list of upgrades"),
    }
}

pub(crate) fn list_upgrades() -> Operation {
    action(Action::ListUpgrades { product: PRODUCT.into() })
}

pub(crate) fn is_ready(world: &World, id: DeviceId) -> bool {
    world.events(id).iter().any(|(_, event)| *event == Event::Ready)
}

/// Ready, with its report acknowledged and nothing left to store.
pub(crate) fn is_settled(world: &World, id: DeviceId) -> bool {
    world.events(id).iter().any(|(_, event)| matches!(event, Event::Heartbeat { .. }))
}

pub(crate) fn stored_json(stored: &Stored) -> serde_json::Value {
    serde_json::from_slice(stored.get(StoreKey::Credential).unwrap().expose()).unwrap()
}

pub(crate) fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

/// An agent whose inputs are given by hand.
pub(crate) struct Hand {
    pub(crate) agent: Agent,
    pub(crate) now: Now,
    pub(crate) timeout: Option<muster::Instant>,
    pub(crate) commands: VecDeque<Command>,
    pub(crate) events: Vec<Event>,
}

impl Hand {
    pub(crate) fn new(settings: &Settings, stored: Stored) -> Self {
        let now = Now::new(1_000, 1_767_225_600_000);
        let agent = Agent::new(config(settings), stored, [3; 32], now).unwrap();
        let mut hand =
            Self { agent, now, timeout: None, commands: VecDeque::new(), events: Vec::new() };
        hand.drain();
        hand
    }

    fn drain(&mut self) {
        loop {
            match self.agent.poll_output() {
                Output::Command(command) => self.commands.push_back(command),
                Output::Event(event) => self.events.push(event),
                Output::Timeout(at) => {
                    self.timeout = at;
                    return;
                }
            }
        }
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.agent.handle_input(input, self.now).unwrap();
        self.drain();
    }

    /// Lets the time of the next timeout come; how many milliseconds passed.
    pub(crate) fn wait(&mut self) -> u64 {
        let at = self.timeout.expect("the agent waits for something");
        let passed = at.millis_since(self.now.mono);
        self.now = Now::new(at.0, self.now.unix.unwrap().0 + passed);
        self.input(Input::Timeout);
        passed
    }

    pub(crate) fn next(&mut self) -> Command {
        self.commands.pop_front().expect("a command")
    }

    pub(crate) fn connect(&mut self) -> (Token, Connect) {
        match self.next() {
            Command::Connect(token, connect) => (token, connect),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn subscribe(&mut self) -> (Token, String) {
        match self.next() {
            Command::Subscribe(token, subscribe) => {
                assert_eq!(subscribe.qos, QoS::AtLeastOnce);
                (token, subscribe.topic)
            }
            other => panic!("{other:?}"),
        }
    }

    /// The next command, a publish of QoS 1: token, topic, payload as text.
    pub(crate) fn publish(&mut self) -> (Token, String, String) {
        match self.next() {
            Command::Publish(token, publish) => {
                assert_eq!(publish.qos, QoS::AtLeastOnce);
                let payload = String::from_utf8(publish.payload.expose().to_vec()).unwrap();
                (token, publish.topic, payload)
            }
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn store(&mut self) -> (Token, StoreKey, serde_json::Value) {
        match self.next() {
            Command::Store(token, key, value) => (token, key, json(value.expose())),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn connected(&mut self, token: Token) {
        self.input(Input::Connected(token));
    }

    pub(crate) fn subscribed(&mut self, token: Token) {
        self.input(Input::Acked(token, Ack::Subscribed(QoS::AtLeastOnce)));
    }

    pub(crate) fn acked(&mut self, token: Token) {
        self.input(Input::Acked(token, Ack::Published));
    }

    pub(crate) fn stored(&mut self, token: Token) {
        self.input(Input::Stored(token, Outcome::Done));
    }

    pub(crate) fn refused(&mut self, token: Token, code: u8) {
        self.input(Input::Closed(token, Closed::Refused(code)));
    }

    pub(crate) fn lost(&mut self, token: Token) {
        self.input(Input::Closed(token, Closed::Failed(Failure::Lost)));
    }

    pub(crate) fn message(&mut self, topic: &str, payload: &[u8]) {
        let payload = SecretBytes::new(payload.to_vec());
        self.input(Input::Message(Message { topic: topic.into(), payload }));
    }

    /// From the start to the request, whose `ID` is returned with the connection.
    pub(crate) fn until_asked(&mut self) -> (Token, String) {
        let (connection, _) = self.connect();
        self.connected(connection);
        let (token, _) = self.subscribe();
        self.subscribed(token);
        let (token, _, body) = self.publish();
        self.acked(token);
        (connection, json(body.as_bytes())["ID"].as_str().unwrap().to_string())
    }

    /// From the login to the acknowledged report, with a proven secret.
    pub(crate) fn until_online(&mut self) -> Token {
        let (connection, _) = self.connect();
        self.connected(connection);
        let (token, _) = self.subscribe();
        self.subscribed(token);
        let (token, _, _) = self.publish();
        self.acked(token);
        self.events.clear();
        connection
    }

    pub(crate) fn last_event(&self) -> &Event {
        self.events.last().expect("an event")
    }
}

/// A cloud whose clients are played by hand.
pub(crate) struct Door {
    pub(crate) cloud: Cloud,
    pub(crate) now: Now,
    pub(crate) kept: BTreeMap<(PlatformName, &'static str, String), SecretBytes>,
    pub(crate) log: Vec<LogEntry>,
    pub(crate) timeout: Option<muster::Instant>,
    next: u64,
}

/// What a client of a [`Door`] gets to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    ConnAck(u64, u8, Option<Duration>),
    SubAck(u64, Vec<u8>),
    UnsubAck(u64),
    PubAck(u64, u16),
    Publish(u64, String, QoS, String),
    Close(u64),
}

impl Door {
    pub(crate) fn new(switches: &[(&str, &str)]) -> Self {
        let now = Now::new(5_000, 1_767_225_600_000);
        let mut door = Self {
            cloud: Cloud::new(CloudConfig::default(), [9; 32], now),
            now,
            kept: BTreeMap::new(),
            log: Vec::new(),
            timeout: None,
            next: 0,
        };
        door.operate(create_product(switches)).unwrap();
        door.operate(import(&format!("device_id,device_secret\n{DEVICE},{DEVICE_SECRET}\n")))
            .unwrap();
        door.log.clear();
        door
    }

    pub(crate) fn input(&mut self, input: CloudInput) -> (Vec<Seen>, Option<Operated>) {
        self.cloud.handle_input(input, self.now);
        let (mut seen, mut operated) = (Vec::new(), None);
        loop {
            match self.cloud.poll_output() {
                CloudOutput::Persist(Change { platform, table, key, value }) => {
                    assert!(seen.is_empty(), "a change after an output");
                    match value {
                        Some(value) => self.kept.insert((platform, table, key.into()), value),
                        None => self.kept.remove(&(platform, table, key.into())),
                    };
                }
                CloudOutput::ConnAck { connection, code, silence } => {
                    seen.push(Seen::ConnAck(connection.0, code, silence));
                }
                CloudOutput::SubAck { connection, codes, .. } => {
                    seen.push(Seen::SubAck(connection.0, codes));
                }
                CloudOutput::UnsubAck { connection, .. } => {
                    seen.push(Seen::UnsubAck(connection.0));
                }
                CloudOutput::PubAck { connection, packet_id } => {
                    seen.push(Seen::PubAck(connection.0, packet_id));
                }
                CloudOutput::Publish { connection, topic, qos, payload, .. } => {
                    let payload = String::from_utf8(payload.expose().to_vec()).unwrap();
                    seen.push(Seen::Publish(connection.0, topic, qos, payload));
                }
                CloudOutput::Close { connection } => seen.push(Seen::Close(connection.0)),
                CloudOutput::Response { .. } => panic!("HTTP is not asked"),
                CloudOutput::Operated { result, .. } => operated = Some(result),
                CloudOutput::Log(entry) => self.log.push(entry),
                CloudOutput::Timeout(at) => {
                    self.timeout = at;
                    return (seen, operated);
                }
            }
        }
    }

    pub(crate) fn operate(&mut self, operation: Operation) -> Operated {
        let (_, operated) = self.operate_seen(operation);
        operated
    }

    /// Also what clients see of it.
    pub(crate) fn operate_seen(&mut self, operation: Operation) -> (Vec<Seen>, Operated) {
        let (seen, result) = self.input(CloudInput::Operate { id: RequestId(1), operation });
        (seen, result.unwrap())
    }

    /// CONNECT; the connection's number, and what came of it.
    pub(crate) fn connect(
        &mut self,
        client_id: &str,
        name: &str,
        password: &str,
    ) -> (u64, Vec<Seen>) {
        self.connect_with(ConnectPacket {
            protocol_level: 4,
            client_id: client_id.into(),
            username: Some(name.into()),
            password: Some(password.into()),
            keep_alive: 60,
            clean_session: true,
            will: false,
        })
    }

    pub(crate) fn connect_with(&mut self, connect: ConnectPacket) -> (u64, Vec<Seen>) {
        self.next += 1;
        let connection = ConnectionId(self.next);
        let platform = PlatformName::Krtyun;
        let (seen, _) = self.input(CloudInput::Connect { connection, platform, connect });
        (self.next, seen)
    }

    /// A login that has to succeed.
    pub(crate) fn login(&mut self, password: &str) -> u64 {
        let (connection, seen) = self.connect(PRODUCT, DEVICE, password);
        assert!(seen.contains(&accepted(connection)), "{seen:?}");
        connection
    }

    pub(crate) fn packet(&mut self, connection: u64, packet: Packet) -> Vec<Seen> {
        self.input(CloudInput::Packet { connection: ConnectionId(connection), packet }).0
    }

    pub(crate) fn subscribe(&mut self, connection: u64, topic: &str) -> Vec<Seen> {
        let filters = vec![(topic.to_string(), 1)];
        self.packet(connection, Packet::Subscribe { packet_id: 2, filters })
    }

    /// PUBLISH of QoS 1; what came of it but the acknowledgement.
    pub(crate) fn publish(&mut self, connection: u64, topic: &str, payload: &str) -> Vec<Seen> {
        let mut seen = self.publish_bytes(connection, topic, payload.as_bytes());
        seen.retain(|s| *s != Seen::PubAck(connection, 7));
        seen
    }

    pub(crate) fn publish_bytes(
        &mut self,
        connection: u64,
        topic: &str,
        payload: &[u8],
    ) -> Vec<Seen> {
        let packet = Packet::Publish {
            packet_id: Some(7),
            topic: topic.into(),
            qos: 1,
            retain: false,
            payload: SecretBytes::new(payload.to_vec()),
        };
        self.packet(connection, packet)
    }

    pub(crate) fn device(&mut self) -> DeviceView {
        let list = self.operate(list_devices()).unwrap();
        devices(list).into_iter().find(|d| d.name == DEVICE).unwrap()
    }

    /// From nothing to an active device; its secret.
    pub(crate) fn register(&mut self) -> String {
        let connection = self.login(PRODUCT_SECRET);
        self.subscribe(connection, &topic("register/set"));
        let seen = self.publish(connection, &topic("register/post"), &request("r1"));
        let secret = issued(&seen).1;
        let seen = self.publish(connection, &topic("register/post"), &confirmation("r1", "OK"));
        assert_eq!(seen, [Seen::Close(connection)]);
        secret
    }

    pub(crate) fn logged(&self, what: What) -> bool {
        self.log.iter().any(|entry| entry.what == what)
    }
}

pub(crate) type Operated = Result<OperationResult, OperationError>;

pub(crate) fn accepted(connection: u64) -> Seen {
    Seen::ConnAck(connection, 0, Some(Duration::from_secs(240)))
}

pub(crate) fn refused(connection: u64, code: u8) -> Vec<Seen> {
    vec![Seen::ConnAck(connection, code, None), Seen::Close(connection)]
}

pub(crate) fn request(id: &str) -> String {
    format!(r#"{{"CMD":20,"ID":"{id}","PRODUCT_ID":"{PRODUCT}","DEVICE_ID":"{DEVICE}"}}"#)
}

pub(crate) fn issue(id: &str, secret: &str) -> String {
    format!(r#"{{"CMD":21,"ID":"{id}","DEVICE_SECRET":"{secret}"}}"#)
}

pub(crate) fn confirmation(id: &str, back: &str) -> String {
    format!(r#"{{"CMD":21,"ID":"{id}","BACK":"{back}"}}"#)
}

pub(crate) fn order(id: &str, url: &str, version: &str) -> String {
    format!(r#"{{"CMD":11,"ID":"{id}","URL":"{url}","FW_VERSION":"{version}"}}"#)
}

/// `ID` and secret of the one issue in `seen`.
pub(crate) fn issued(seen: &[Seen]) -> (String, String) {
    match seen {
        [Seen::Publish(_, t, QoS::AtLeastOnce, body)] => {
            assert_eq!(*t, topic("register/set"));
            let body = json(body.as_bytes());
            assert_eq!(body["CMD"], 21);
            let text = |key: &str| body[key].as_str().unwrap().to_string();
            (text("ID"), text("DEVICE_SECRET"))
        }
        other => panic!("no issue but {other:?}"),
    }
}
