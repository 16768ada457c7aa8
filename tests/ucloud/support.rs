//! The seed document's product and device, and shorthands.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;
use std::time::Duration;

use muster::cloud::{
    Action, CloudInput, CloudOutput, ConnectPacket, ConnectionId, DeviceView, Operation,
    OperationError, OperationResult, Packet, RequestId, UpgradeView,
};
use muster::sim::{DeviceId, World};
use muster::{
    Command, Config, Event, Input, Message, Output, PlatformName, QoS, Secret, SecretBytes,
    Settings, StoreKey, Stored, Token,
};

use crate::common::{CloudBench, commands, settings};

/// The seed document's examples.
pub const PRODUCT: &str = "70ly1tvowt696r15";
pub const PRODUCT_SECRET: &str = "sqx0cltqba402z7z";
pub const DEVICE: &str = "112233445566";
pub const DEVICE_SECRET: &str = "zlc3d21u5k8fq0d2";

pub const UCLOUD: PlatformName = PlatformName::Ucloud;
/// Longer than any flow takes that goes well.
pub const SOON: Duration = Duration::from_secs(5);
pub const HOUR: Duration = Duration::from_secs(3600);

/// A device that knows only its product's secret.
pub fn dynamic() -> Settings {
    settings(&[
        ("broker", "mqtt://127.0.0.1:18831"),
        ("product_sn", PRODUCT),
        ("product_secret", PRODUCT_SECRET),
        ("device_sn", DEVICE),
    ])
}

/// A device with its own secret in the settings.
pub fn static_() -> Settings {
    settings(&[
        ("broker", "mqtt://127.0.0.1:18831"),
        ("product_sn", PRODUCT),
        ("device_sn", DEVICE),
        ("device_secret", DEVICE_SECRET),
    ])
}

pub fn config(settings: &Settings) -> Config {
    Config::from_settings(UCLOUD, settings).unwrap()
}

/// What the device keeps after it was given `secret`.
pub fn stored(secret: &str) -> Stored {
    let json = format!(
        r#"{{"product_sn":"{PRODUCT}","device_sn":"{DEVICE}","device_secret":"{secret}"}}"#
    );
    let mut stored = Stored::empty();
    stored.insert(StoreKey::Credential, SecretBytes::new(json.into_bytes()));
    stored
}

pub fn topic(name: &str) -> String {
    format!("/$system/{PRODUCT}/{DEVICE}/{name}")
}

pub fn message(name: &str, payload: &str) -> Input {
    let payload = SecretBytes::new(payload.as_bytes().to_vec());
    Input::Message(Message { topic: topic(name), payload })
}

/// The token of the only command of its kind.
pub fn token(outputs: &[Output]) -> Token {
    let commands = commands(outputs);
    let tokens: Vec<Token> = commands.iter().filter_map(command_token).collect();
    assert_eq!(tokens.len(), 1, "{commands:?}");
    tokens[0]
}

pub fn command_token(command: &Command) -> Option<Token> {
    match command {
        Command::Connect(token, _)
        | Command::Subscribe(token, _)
        | Command::Publish(token, _)
        | Command::Store(token, ..)
        | Command::Erase(token, _)
        | Command::Download(token, _)
        | Command::Install(token, _) => Some(*token),
        _ => None,
    }
}

/// Topic, QoS and payload of every publish.
pub fn publishes(outputs: &[Output]) -> Vec<(String, QoS, String)> {
    commands(outputs)
        .into_iter()
        .filter_map(|command| match command {
            Command::Publish(_, publish) => {
                let text = String::from_utf8(publish.payload.expose().to_vec()).unwrap();
                Some((publish.topic, publish.qos, text))
            }
            _ => None,
        })
        .collect()
}

pub fn operation(action: Action) -> Operation {
    Operation { platform: UCLOUD, action }
}

/// The seed's product, dynamic registration open.
pub fn create_product() -> Operation {
    operation(Action::CreateProduct {
        name: "seed".into(),
        id: Some(PRODUCT.into()),
        secret: Some(PRODUCT_SECRET.into()),
        switches: BTreeMap::from([("DynamicRegister".into(), "true".into())]),
    })
}

/// The seed's device, with the seed's secret.
pub fn import_device() -> Operation {
    let csv = format!("device_sn,device_secret\n{DEVICE},{DEVICE_SECRET}\n");
    operation(Action::ImportDevices { product: PRODUCT.into(), csv })
}

pub fn switch(name: &str, value: &str) -> Operation {
    let product = matches!(name, "DynamicRegister" | "PreRegister").then(|| PRODUCT.to_string());
    operation(Action::Switch { product, name: name.into(), value: value.into() })
}

pub fn reset(new_secret: bool) -> Operation {
    operation(Action::Reset { product: PRODUCT.into(), device: DEVICE.into(), new_secret })
}

pub fn disable(disabled: bool) -> Operation {
    operation(Action::Disable { product: PRODUCT.into(), device: DEVICE.into(), disabled })
}

pub fn list_devices() -> Operation {
    operation(Action::ListDevices {
        product: PRODUCT.into(),
        after: None,
        limit: None,
        reveal: true,
    })
}

/// A world with the seed's product and device.
pub fn world() -> World {
    let mut world = World::new(Duration::from_millis(20));
    world.operate(create_product()).unwrap();
    world.operate(import_device()).unwrap();
    world
}

/// What the operator sees of the seed's device.
pub fn device_view(world: &mut World) -> DeviceView {
    match world.operate(list_devices()).unwrap() {
        OperationResult::Devices { items, .. } => {
            items.into_iter().find(|device| device.name == DEVICE).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

pub fn upgrades(world: &mut World) -> Vec<UpgradeView> {
    match world.operate(operation(Action::ListUpgrades { product: PRODUCT.into() })).unwrap() {
        OperationResult::Upgrades { items } => items,
        other => panic!("{other:?}"),
    }
}

/// The state of the only upgrade.
pub fn upgrade_state(world: &mut World) -> String {
    let upgrades = upgrades(world);
    assert_eq!(upgrades.len(), 1);
    upgrades[0].state.clone()
}

pub fn is_ready(world: &World, id: DeviceId) -> bool {
    count(world, id, |event| *event == Event::Ready) > 0
}

pub fn count(world: &World, id: DeviceId, which: impl Fn(&Event) -> bool) -> usize {
    world.events(id).iter().filter(|(_, event)| which(event)).count()
}

pub fn is_stopped(world: &World, id: DeviceId) -> bool {
    count(world, id, |event| matches!(event, Event::Stopped { .. })) > 0
}

pub fn image() -> Vec<u8> {
    (0..50_000u32).flat_map(u32::to_le_bytes).collect()
}

/// MD5 of [`image`], from another implementation (Python's hashlib).
pub const IMAGE_MD5: &str = "93bca2a75bf3835fb7bd07fefbc859f4";
pub const IMAGE_URL: &str = "http://127.0.0.1:7878/firmware/fw_2.0.0.bin?Signature=x&Expires=1";

pub fn add_firmware(version: &str, url: &str, md5: &str, size: u64) -> Operation {
    operation(Action::AddFirmware {
        product: PRODUCT.into(),
        module: None,
        version: version.into(),
        url: url.into(),
        size,
        md5: md5.into(),
        sha256: "0".repeat(64),
    })
}

pub fn push(version: &str) -> Operation {
    operation(Action::PushUpgrade {
        product: PRODUCT.into(),
        module: None,
        version: version.into(),
        devices: None,
    })
}

pub fn cancel_upgrade() -> Operation {
    operation(Action::CancelUpgrade { product: PRODUCT.into(), module: None, devices: None })
}

/// A cloud driven by hand, with the seed's product and device.
pub struct Platform {
    pub bench: CloudBench,
    next: u64,
}

impl Platform {
    pub fn empty() -> Self {
        Self { bench: CloudBench::new(), next: 1 }
    }

    pub fn new() -> Self {
        let mut platform = Self::empty();
        platform.operate(create_product()).unwrap();
        platform.operate(import_device()).unwrap();
        platform
    }

    pub fn operate(&mut self, operation: Operation) -> Result<OperationResult, OperationError> {
        let outputs = self.operate_all(operation);
        let result = outputs.into_iter().find_map(|output| match output {
            CloudOutput::Operated { result, .. } => Some(result),
            _ => None,
        });
        result.unwrap()
    }

    /// With all that came of it.
    pub fn operate_all(&mut self, operation: Operation) -> Vec<CloudOutput> {
        self.next += 1;
        self.bench.give(CloudInput::Operate { id: RequestId(self.next), operation })
    }

    /// CONNECT on a new connection.
    pub fn connect(&mut self, connect: ConnectPacket) -> (ConnectionId, Vec<CloudOutput>) {
        self.next += 1;
        let connection = ConnectionId(self.next);
        let input = CloudInput::Connect { connection, platform: UCLOUD, connect };
        (connection, self.bench.give(input))
    }

    /// CONNECT that has to be accepted.
    pub fn log_in(&mut self, mode: u8, secret: &str) -> ConnectionId {
        let (connection, outputs) = self.connect(connect_packet(mode, secret));
        assert_eq!(connack(&outputs), Some(0), "{outputs:?}");
        connection
    }

    pub fn packet(&mut self, connection: ConnectionId, packet: Packet) -> Vec<CloudOutput> {
        self.bench.give(CloudInput::Packet { connection, packet })
    }

    pub fn subscribe(&mut self, connection: ConnectionId, filter: &str, qos: u8) -> u8 {
        let filters = vec![(filter.to_string(), qos)];
        let outputs = self.packet(connection, Packet::Subscribe { packet_id: 2, filters });
        let code = outputs.iter().find_map(|output| match output {
            CloudOutput::SubAck { codes, .. } => Some(codes[0]),
            _ => None,
        });
        code.unwrap()
    }

    pub fn publish(
        &mut self,
        connection: ConnectionId,
        topic: &str,
        qos: u8,
        payload: &str,
    ) -> Vec<CloudOutput> {
        let packet_id = (qos > 0).then_some(3);
        let payload = SecretBytes::new(payload.as_bytes().to_vec());
        let topic = topic.to_string();
        let packet = Packet::Publish { packet_id, topic, qos, retain: false, payload };
        self.packet(connection, packet)
    }

    /// A session with the device's own secret that listens to everything.
    pub fn online(&mut self) -> ConnectionId {
        let connection = self.log_in(1, DEVICE_SECRET);
        for name in [
            "ota/downstream",
            "tmodel/property/set",
            "tmodel/property/post_reply",
            "tmodel/property/restore_reply",
            "tmodel/event/post_reply",
        ] {
            assert_eq!(self.subscribe(connection, &topic(name), 1), 1);
        }
        connection
    }

    /// The secret that a pre-authenticated device is given.
    pub fn ask(&mut self, connection: ConnectionId) -> Option<String> {
        self.subscribe(connection, &topic("password_reply"), 1);
        let outputs = self.publish(connection, &topic("password"), 1, r#"{"RequestID":"1"}"#);
        let (_, _, reply) = downs(&outputs).into_iter().next()?;
        let reply: serde_json::Value = serde_json::from_str(&reply).unwrap();
        Some(reply["Password"].as_str()?.to_string())
    }
}

pub fn connect_packet(mode: u8, secret: &str) -> ConnectPacket {
    ConnectPacket {
        protocol_level: 4,
        client_id: format!("{PRODUCT}.{DEVICE}"),
        username: Some(format!("{PRODUCT}|{DEVICE}|{mode}")),
        password: Some(Secret::new(secret)),
        keep_alive: 240,
        clean_session: true,
        will: false,
    }
}

pub fn connack(outputs: &[CloudOutput]) -> Option<u8> {
    outputs.iter().find_map(|output| match output {
        CloudOutput::ConnAck { code, .. } => Some(*code),
        _ => None,
    })
}

pub fn closed(outputs: &[CloudOutput]) -> Vec<ConnectionId> {
    let closed = |output: &CloudOutput| match output {
        CloudOutput::Close { connection } => Some(*connection),
        _ => None,
    };
    outputs.iter().filter_map(closed).collect()
}

/// Topic, QoS and payload of everything sent down.
pub fn downs(outputs: &[CloudOutput]) -> Vec<(String, QoS, String)> {
    outputs
        .iter()
        .filter_map(|output| match output {
            CloudOutput::Publish { topic, qos, payload, .. } => {
                let text = String::from_utf8(payload.expose().to_vec()).unwrap();
                Some((topic.clone(), *qos, text))
            }
            _ => None,
        })
        .collect()
}

pub fn pubacks(outputs: &[CloudOutput]) -> usize {
    outputs.iter().filter(|output| matches!(output, CloudOutput::PubAck { .. })).count()
}
