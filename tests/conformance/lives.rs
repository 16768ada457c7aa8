//! One recorded life a platform: from the first power-up through registration, heartbeats, an update, a broken
//! connection, answers that nobody waits for, and hours of silence.

use std::time::Duration;

use md5::{Digest as _, Md5};
use muster::cloud::{Action, Operation, OperationResult};
use muster::sim::{Recording, World};
use muster::{
    Ack, Config, Event, Input, Intent, Message, PlatformName, QoS, SecretBytes, Settings, Stored,
    Token, hex,
};
use sha2::Sha256;

/// A device's settings and what happened to it.
pub(crate) struct Life {
    pub(crate) platform: PlatformName,
    pub(crate) settings: Settings,
    pub(crate) recording: Recording,
}

const SOON: Duration = Duration::from_secs(60);
const IMAGE: &[u8] = &[0x5a; 4096];
const IMAGE_URL: &str = "http://iot.krtyun.com:16004/images/2.0.0.bin";

/// Lives through it all. Where the expected does not come to pass, the test fails here.
pub(crate) fn life(platform: PlatformName) -> Life {
    life_with(platform, IMAGE_URL)
}

/// The same with an image that is elsewhere.
pub(crate) fn life_with(platform: PlatformName, image_url: &str) -> Life {
    let mut world = World::new(Duration::from_millis(20));
    world.record();
    let act = |world: &mut World, action| world.operate(Operation { platform, action }).unwrap();
    let switches = match platform {
        PlatformName::Cmcc => Default::default(),
        _ => [("DynamicRegister".to_owned(), "true".to_owned())].into(),
    };
    let create = Action::CreateProduct { name: "life".into(), id: None, secret: None, switches };
    let OperationResult::Product(product) = act(&mut world, create) else { panic!("no product") };
    let device = "example1";
    let csv = match platform {
        PlatformName::Ucloud => format!("device_sn\n{device}\n"),
        PlatformName::Cmcc => format!("device_no,device_no_type\n{device},SN\n"),
        PlatformName::Krtyun => format!("device_id\n{device}\n"),
        PlatformName::Alibaba => format!("device_name\n{device}\n"),
    };
    act(&mut world, Action::ImportDevices { product: product.id.clone(), csv });
    let settings = settings(platform, &product.id, &product.secret.unwrap(), device);
    let config = Config::from_settings(platform, &settings).unwrap();
    let id = world.add(config, Stored::empty()).unwrap();
    let is_ready = |events: &[(muster::Instant, Event)]| {
        events.iter().any(|(_, event)| *event == Event::Ready)
    };
    assert!(world.run_until(SOON, |world| is_ready(world.events(id))), "{platform}: not ready");

    if platform != PlatformName::Cmcc {
        world.images.insert(image_url.into(), IMAGE.to_vec());
        let firmware = Action::AddFirmware {
            product: product.id.clone(),
            module: None,
            version: "2.0.0".into(),
            url: image_url.into(),
            size: IMAGE.len() as u64,
            md5: hex::lower(&Md5::digest(IMAGE)),
            sha256: hex::lower(&Sha256::digest(IMAGE)),
        };
        act(&mut world, firmware);
        world.run_for(SOON);
        let push = Action::PushUpgrade {
            product: product.id.clone(),
            module: None,
            version: "2.0.0".into(),
            devices: Some(vec![device.into()]),
        };
        act(&mut world, push);
        let updated = world.run_until(SOON * 10, |world| world.installed(id) == ["2.0.0"]);
        assert!(updated, "{platform}: not updated");
        world.run_for(SOON);
    }

    // Intents: each platform refuses some.
    for intent in [
        Intent::Report,
        Intent::TryAgain,
        Intent::Use { date: 20_260_101 },
        Intent::RequestFirmware,
        Intent::NewBindToken,
        Intent::PostProperties { json: r#"{"temperature":21.5}"#.into() },
    ] {
        let _ = world.intent(id, intent);
        world.run_for(SOON);
    }

    // Answers that nobody waits for, and messages that nobody asked for: 2 KiB of them.
    let payload = SecretBytes::new(vec![b'['; 1900]);
    for topic in ["/unknown", &format!("/$system/{}/{device}/ota/upgrade", product.id)] {
        let message = Message { topic: topic.to_owned(), payload: payload.clone() };
        let _ = world.input(id, Input::Message(message));
    }
    let _ = world.input(id, Input::Acked(Token(u32::MAX), Ack::Subscribed(QoS::AtLeastOnce)));

    world.break_connection(id);
    world.run_for(SOON);
    world.run_for(Duration::from_secs(12 * 3600));
    let recording = world.recording(id).unwrap().clone();
    assert!(recording.inputs.len() > 10, "{platform}: {} inputs", recording.inputs.len());
    Life { platform, settings, recording }
}

fn settings(platform: PlatformName, product: &str, secret: &str, device: &str) -> Settings {
    let pairs: &[(&str, &str)] = match platform {
        PlatformName::Ucloud => &[
            ("broker", "mqtt://127.0.0.1:18831"),
            ("product_sn", product),
            ("product_secret", secret),
            ("device_sn", device),
        ],
        PlatformName::Cmcc => &[
            ("base_url", "http://127.0.0.1:7878"),
            ("product_id", product),
            ("product_key", secret),
            ("device_no_type", "SN"),
            ("device_no", device),
            ("cmei", "111234561234569"),
        ],
        PlatformName::Krtyun => &[
            ("broker", "mqtt://127.0.0.1:18832"),
            ("product_id", product),
            ("product_secret", secret),
            ("device_id", device),
        ],
        PlatformName::Alibaba => &[
            ("broker", "mqtt://127.0.0.1:18833"),
            ("auth_url", "http://127.0.0.1:7878"),
            ("product_key", product),
            ("product_secret", secret),
            ("device_name", device),
        ],
    };
    pairs.iter().fold(Settings::new(), |settings, (key, value)| settings.with(key, value))
}
