//! Device and cloud against each other on virtual time, over a link that loses, repeats and delays.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use muster::cloud::{Action, Operation, OperationError, OperationResult};
use muster::sim::{Crossing, DeviceId, Fault, World};
use muster::{Advice, Event, Intent, PlatformName, Settings, StoreKey, Stored, Update};

use super::bench::{DN, PK, PRODUCT_SECRET, config, over_mqtt, settings};

const LATENCY: Duration = Duration::from_millis(20);
const HOUR: Duration = Duration::from_secs(3_600);

fn operate(world: &mut World, action: Action) -> Result<OperationResult, OperationError> {
    world.operate(Operation { platform: PlatformName::Alibaba, action })
}

fn switch(world: &mut World, name: &str, value: &str) {
    let (product, name, value) = (Some(PK.to_owned()), name.to_owned(), value.to_owned());
    operate(world, Action::Switch { product, name, value }).unwrap();
}

/// A cloud that knows the device's product, and the device by name.
fn world() -> World {
    let mut world = World::new(LATENCY);
    let action = Action::CreateProduct {
        name: "lamp".into(),
        id: Some(PK.into()),
        secret: Some(PRODUCT_SECRET.into()),
        switches: BTreeMap::new(),
    };
    operate(&mut world, action).unwrap();
    switch(&mut world, "DynamicRegister", "true");
    let csv = format!("DeviceName\n{DN}\n");
    operate(&mut world, Action::ImportDevices { product: PK.into(), csv }).unwrap();
    world
}

fn is_ready(world: &World, id: DeviceId) -> bool {
    world.events(id).iter().any(|(_, event)| *event == Event::Ready)
}

fn until_ready(world: &mut World, id: DeviceId) {
    assert!(world.run_until(HOUR, |world| is_ready(world, id)), "{:?}", world.events(id));
}

/// What the cloud says the device's secret is.
fn secret_in_cloud(world: &mut World) -> String {
    let action = Action::ListDevices { product: PK.into(), after: None, limit: None, reveal: true };
    match operate(world, action).unwrap() {
        OperationResult::Devices { items, .. } => items[0].secret.clone().unwrap(),
        _ => panic!("no devices"),
    }
}

fn secret_in_store(world: &World, id: DeviceId) -> String {
    let kept = world.stored(id).get(StoreKey::Credential).unwrap();
    let json: serde_json::Value = serde_json::from_slice(kept.expose()).unwrap();
    json["device_secret"].as_str().unwrap().to_owned()
}

fn ways() -> [Settings; 2] {
    [settings(), over_mqtt()]
}

#[test]
fn from_nothing_to_ready() {
    for settings in ways() {
        let mut world = world();
        let id = world.add(config(&settings), Stored::empty()).unwrap();
        until_ready(&mut world, id);
        assert_eq!(secret_in_store(&world, id), secret_in_cloud(&mut world));
        assert!(world.events(id).iter().any(|(_, e)| matches!(e, Event::BindToken { .. })));
        let failures = world.events(id).iter().filter(|(_, event)| {
            matches!(event, Event::Retrying { .. } | Event::Stopped { .. } | Event::Warning { .. })
        });
        assert_eq!(failures.count(), 0, "{:?}", world.events(id));
        world.run_for(HOUR);
        assert_eq!(world.agent(id).unwrap().stray_inputs(), 0);
    }
}

#[test]
fn without_whitelist() {
    let mut world = world();
    switch(&mut world, "RegisterWithoutWhitelist", "true");
    let settings = over_mqtt().with("auth_type", "regnwl").with("device_name", "not-imported");
    let id = world.add(config(&settings), Stored::empty()).unwrap();
    until_ready(&mut world, id);
    world.cut_power(id);
    world.clear_events(id);
    world.power_on(id).unwrap();
    until_ready(&mut world, id);
}

#[test]
fn refusals_come_with_their_advice() {
    for (spoil, over_http, over_mqtt_) in [
        ("product secret", Advice::CheckProductSecret, Advice::CheckProductSecret),
        ("device name", Advice::ImportDevice, Advice::ImportDevice),
        ("switch", Advice::ImportDevice, Advice::ImportDevice),
        ("active", Advice::AlreadyRegistered, Advice::ImportDevice),
        ("disabled", Advice::CheckDevice, Advice::ImportDevice),
    ] {
        for (settings, advice) in [(settings(), over_http), (over_mqtt(), over_mqtt_)] {
            let mut world = world();
            let settings = match spoil {
                "product secret" => settings.with("product_secret", "wrong"),
                "device name" => settings.with("device_name", "stranger"),
                _ => settings,
            };
            match spoil {
                "switch" => switch(&mut world, "DynamicRegister", "false"),
                "active" => {
                    let first = world.add(config(&settings), Stored::empty()).unwrap();
                    until_ready(&mut world, first);
                    world.cut_power(first);
                }
                "disabled" => {
                    let (product, device) = (PK.into(), DN.into());
                    operate(&mut world, Action::Disable { product, device, disabled: true })
                        .unwrap();
                }
                _ => {}
            }
            let id = world.add(config(&settings), Stored::empty()).unwrap();
            world.run_for(HOUR);
            let Some((_, Event::Stopped { advice: given, .. })) = world.events(id).last() else {
                panic!("{spoil}: {:?}", world.events(id));
            };
            assert_eq!(*given, advice, "{spoil}");
            assert!(world.stored(id).get(StoreKey::Credential).is_none());
        }
    }
}

#[test]
fn a_device_that_is_disabled_or_reset_stops_and_a_person_brings_it_back() {
    let mut world = world();
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    until_ready(&mut world, id);
    let (product, device) = (PK.to_owned(), DN.to_owned());
    let disable =
        |disabled| Action::Disable { product: PK.to_owned(), device: DN.to_owned(), disabled };
    operate(&mut world, disable(true)).unwrap();
    world.run_for(HOUR);
    let stopped = |world: &World| {
        matches!(
            world.events(id).last(),
            Some((_, Event::Stopped { advice: Advice::CheckDevice, .. }))
        )
    };
    assert!(stopped(&world), "{:?}", world.events(id));
    operate(&mut world, disable(false)).unwrap();
    world.clear_events(id);
    world.intent(id, Intent::TryAgain).unwrap();
    until_ready(&mut world, id);

    operate(&mut world, Action::Reset { product, device, new_secret: true }).unwrap();
    world.break_connection(id);
    world.run_for(HOUR);
    assert!(stopped(&world), "{:?}", world.events(id));
    world.clear_events(id);
    world.intent(id, Intent::RegisterAgain).unwrap();
    until_ready(&mut world, id);
    assert_eq!(secret_in_store(&world, id), secret_in_cloud(&mut world));
}

/// Every crossing of a life, once lost, once doubled, once late.
#[test]
fn a_fault_at_any_crossing_ends_in_a_device_that_is_ready() {
    for settings in ways() {
        let crossings = {
            let mut world = world();
            let count = Rc::new(RefCell::new(0));
            let seen = Rc::clone(&count);
            world.set_fault(move |_, _| {
                *seen.borrow_mut() += 1;
                Fault::None
            });
            let id = world.add(config(&settings), Stored::empty()).unwrap();
            until_ready(&mut world, id);
            *count.borrow()
        };
        assert!(crossings > 10);
        for fault in [Fault::Lose, Fault::Duplicate, Fault::Delay(Duration::from_secs(15))] {
            for nth in 1..=crossings {
                let mut world = world();
                let mut count = 0;
                world.set_fault(move |_, crossing| {
                    count += 1;
                    // A subscription has no crossing of its own; its SUBACK has.
                    let _: Crossing<'_> = crossing;
                    if count == nth { fault } else { Fault::None }
                });
                let id = world.add(config(&settings), Stored::empty()).unwrap();
                // The secret of a registration that came late may have voided the stored one: the device then stops, and
                // a person decides. Nothing else may stop it.
                world.run_until(HOUR, |world| {
                    world
                        .events(id)
                        .iter()
                        .any(|(_, event)| matches!(event, Event::Ready | Event::Stopped { .. }))
                });
                if let Some((_, Event::Stopped { advice, .. })) = world.events(id).last() {
                    assert_eq!(*advice, Advice::CheckDevice, "{fault:?} at {nth}");
                    assert!(matches!(fault, Fault::Duplicate | Fault::Delay(_)));
                    world.clear_events(id);
                    world.intent(id, Intent::RegisterAgain).unwrap();
                }
                until_ready(&mut world, id);
                assert_eq!(
                    secret_in_store(&world, id),
                    secret_in_cloud(&mut world),
                    "{fault:?} at {nth}"
                );
            }
        }
    }
}

#[test]
fn a_power_cut_after_any_output_converges() {
    for settings in ways() {
        let outputs = {
            let mut world = world();
            let id = world.add(config(&settings), Stored::empty()).unwrap();
            until_ready(&mut world, id);
            world.outputs(id)
        };
        let born = {
            let mut world = world();
            let id = world.add(config(&settings), Stored::empty()).unwrap();
            world.outputs(id)
        };
        for nth in 1..=outputs - born {
            let mut world = world();
            let id = world.add(config(&settings), Stored::empty()).unwrap();
            world.cut_power_after(id, nth);
            world.run_until(HOUR, |world| !world.is_on(id));
            assert!(!world.is_on(id), "cut after {nth}");
            world.run_for(Duration::from_secs(1));
            world.clear_events(id);
            world.power_on(id).unwrap();
            until_ready(&mut world, id);
            assert_eq!(secret_in_store(&world, id), secret_in_cloud(&mut world), "{nth}");
        }
    }
}

#[test]
fn a_swap_of_the_agent_at_any_moment_goes_unnoticed() {
    for settings in ways() {
        let life = |swap: bool| {
            let mut world = world();
            let id = world.add(config(&settings), Stored::empty()).unwrap();
            let end = world.now().mono + Duration::from_secs(90);
            while world.now().mono < end && world.step() {
                if swap {
                    world.swap_agent(id).unwrap();
                }
            }
            world.events(id).to_vec()
        };
        let events = life(false);
        assert!(events.len() > 8);
        assert_eq!(events, life(true));
    }
}

fn with_image(world: &mut World, bytes: &[u8], sha256: &str, md5: &str) {
    let url = "http://127.0.0.1:7878/firmware/alibaba/2.0.0".to_owned();
    world.images.insert(url.clone(), bytes.to_vec());
    let action = Action::AddFirmware {
        product: PK.into(),
        module: None,
        version: "2.0.0".into(),
        url,
        size: bytes.len() as u64,
        md5: md5.into(),
        sha256: sha256.into(),
    };
    operate(world, action).unwrap();
}

fn push(world: &mut World) {
    let (product, version) = (PK.into(), "2.0.0".into());
    operate(world, Action::PushUpgrade { product, module: None, version, devices: None }).unwrap();
}

fn upgrade(world: &mut World) -> (String, String) {
    match operate(world, Action::ListUpgrades { product: PK.into() }).unwrap() {
        OperationResult::Upgrades { items } => (items[0].state.clone(), items[0].detail.clone()),
        _ => panic!("no upgrades"),
    }
}

const IMAGE: &[u8] = b"firmware 2.0.0";

/// The digests of [`IMAGE`], computed where they are needed.
fn digests() -> (String, String) {
    use md5::Md5;
    use sha2::{Digest, Sha256};
    (muster::hex::lower(&Sha256::digest(IMAGE)), muster::hex::lower(&Md5::digest(IMAGE)))
}

#[test]
fn an_update_that_an_operator_pushes_is_installed_and_seen_to_run() {
    for by_md5 in [false, true] {
        let mut world = world();
        if by_md5 {
            switch(&mut world, "otaSignMethod", "Md5");
        }
        let (sha256, md5) = digests();
        with_image(&mut world, IMAGE, &sha256, &md5);
        let id = world.add(config(&settings()), Stored::empty()).unwrap();
        until_ready(&mut world, id);
        push(&mut world);
        world.run_for(Duration::from_secs(60));
        assert_eq!(world.installed(id), ["2.0.0"]);
        assert_eq!(upgrade(&mut world).0, "succeeded");
        let reported = Event::Update { update: Update::Reported { version: "2.0.0".into() } };
        assert!(world.events(id).iter().any(|(_, event)| *event == reported));
        assert!(world.stored(id).get(StoreKey::Firmware).is_none());
    }
}

#[test]
fn an_image_that_is_not_what_was_announced_is_not_installed() {
    let mut world = world();
    with_image(&mut world, IMAGE, &"0".repeat(64), &"0".repeat(32));
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    until_ready(&mut world, id);
    push(&mut world);
    world.run_for(Duration::from_secs(60));
    assert!(world.installed(id).is_empty());
    assert_eq!(upgrade(&mut world), ("failed".into(), "-3 wrong digest".into()));
}

#[test]
fn an_order_waits_for_a_device_that_is_away() {
    let mut world = world();
    let (sha256, md5) = digests();
    with_image(&mut world, IMAGE, &sha256, &md5);
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    until_ready(&mut world, id);
    world.cut_power(id);
    world.run_for(Duration::from_secs(1));
    push(&mut world);
    world.power_on(id).unwrap();
    world.run_for(Duration::from_secs(60));
    assert_eq!(world.installed(id), ["2.0.0"]);
    assert_eq!(upgrade(&mut world).0, "succeeded");
}

#[test]
fn a_power_cut_during_an_update_converges() {
    let run = |cut: Option<u64>| {
        let mut world = world();
        let (sha256, md5) = digests();
        with_image(&mut world, IMAGE, &sha256, &md5);
        let id = world.add(config(&settings()), Stored::empty()).unwrap();
        until_ready(&mut world, id);
        let before = world.outputs(id);
        if let Some(nth) = cut {
            world.cut_power_after(id, nth);
        }
        push(&mut world);
        world.run_for(Duration::from_secs(60));
        if !world.is_on(id) {
            let runs = world.installed(id).last().cloned().unwrap_or("1.0.0".into());
            let settings = settings().with("firmware_version", &runs);
            world.power_on_with(id, config(&settings)).unwrap();
            world.run_for(Duration::from_secs(120));
        }
        let outputs = world.outputs(id) - before;
        (upgrade(&mut world), outputs)
    };
    let (end, outputs) = run(None);
    assert_eq!(end.0, "succeeded");
    for nth in 1..=outputs {
        let (end, _) = run(Some(nth));
        // A cut between "about to install" and the installation is told as what it looks like: not installed.
        let told = end == ("failed".into(), "-4 not installed".into());
        assert!(end.0 == "succeeded" || told, "cut after {nth}: {end:?}");
    }
}

#[test]
fn permits_and_topology_reach_the_gateway() {
    let mut world = world();
    switch(&mut world, "nodeType", "1");
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    until_ready(&mut world, id);
    let (product, device) = (PK.to_owned(), DN.to_owned());
    let permit = Action::Permit { product, device, sub_product: None, seconds: 60 };
    operate(&mut world, permit).unwrap();
    world.run_for(Duration::from_secs(1));
    let event = Event::Permit { seconds: 60, product: None };
    assert!(world.events(id).iter().any(|(_, e)| *e == event), "{:?}", world.events(id));
}

#[test]
fn properties_go_both_ways() {
    let mut world = world();
    let id = world.add(config(&settings()), Stored::empty()).unwrap();
    until_ready(&mut world, id);
    let (product, device) = (PK.to_owned(), DN.to_owned());
    let json = r#"{"power":1}"#.to_owned();
    operate(&mut world, Action::SetProperties { product, device, json: json.clone() }).unwrap();
    world.intent(id, Intent::PostProperties { json: json.clone() }).unwrap();
    world.run_for(Duration::from_secs(1));
    let events: Vec<&Event> = world.events(id).iter().map(|(_, event)| event).collect();
    assert!(events.contains(&&Event::PropertiesSet { json }), "{events:?}");
    assert!(events.contains(&&Event::PropertiesPosted), "{events:?}");
}
