use std::time::Duration;

use muster::cloud::{Action, Cloud, CloudConfig, CloudOutput, OperationResult};
use muster::{Event, Intent, Stored};

use super::support::*;
use crate::common::restart_cloud;

fn everything(world: &mut muster::sim::World) -> Vec<OperationResult> {
    [
        Action::ListProducts { reveal: true },
        Action::ListDevices { product: PRODUCT.into(), after: None, limit: None, reveal: true },
        Action::ListUpgrades { product: PRODUCT.into() },
        Action::ListReports { product: PRODUCT.into(), device: DEVICE.into() },
    ]
    .into_iter()
    .map(|action| {
        let mut result = world.operate(operation(action)).unwrap();
        if let OperationResult::Devices { items, .. } = &mut result {
            for item in items {
                // Kept only when something else changes.
                item.last_active = None;
            }
        }
        result
    })
    .collect()
}

#[test]
fn products_devices_secrets_upgrades_reports_and_switches() {
    let mut world = world();
    world.operate(switch("PreRegister", "false")).unwrap();
    world.operate(switch("ConnackNames", "66")).unwrap();
    world.images.insert(IMAGE_URL.into(), image());
    world.operate(add_firmware("2.0.0", IMAGE_URL, IMAGE_MD5, 200_000)).unwrap();
    let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
    let stranger = config(&dynamic().with("device_sn", "stranger-1"));
    let stranger = world.add(stranger, Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id) && is_ready(world, stranger)));
    for i in 0..30 {
        world.intent(id, Intent::PostProperties { json: format!(r#"{{"n":{i}}}"#) }).unwrap();
        world.run_for(SOON);
    }
    world.operate(push("2.0.0")).unwrap();
    world.run_for(SOON);
    world.cut_power(id);
    world.cut_power(stranger);
    world.run_for(SOON);
    let before = everything(&mut world);
    restart_cloud(&mut world);
    assert!(before == everything(&mut world), "listings differ after a restart");

    world.power_on_with(id, config(&dynamic().with("firmware_version", "2.0.0"))).unwrap();
    world.power_on(stranger).unwrap();
    world.clear_events(id);
    world.clear_events(stranger);
    assert!(world.run_until(SOON, |world| is_ready(world, id) && is_ready(world, stranger)));
    assert_eq!(count(&world, id, |e| matches!(e, Event::Registered { .. })), 0);

    // The switch, too.
    let connect =
        muster::cloud::ConnectPacket { client_id: "x".into(), ..connect_packet(1, DEVICE_SECRET) };
    let connection = muster::cloud::ConnectionId(1 << 40);
    let input = muster::cloud::CloudInput::Connect { connection, platform: UCLOUD, connect };
    world.cloud.handle_input(input, world.now());
    let mut code = None;
    loop {
        match world.cloud.poll_output() {
            muster::cloud::CloudOutput::ConnAck { code: given, .. } => code = Some(given),
            muster::cloud::CloudOutput::Timeout(_) => break,
            _ => {}
        }
    }
    assert_eq!(code, Some(66));
}

#[test]
fn who_may_hold_its_password_is_known_to_have_been_there() {
    let mut platform = Platform::empty();
    let mut outputs = platform.operate_all(create_product());
    outputs.extend(platform.operate_all(import_device()));
    let (_, admitted) = platform.connect(connect_packet(2, PRODUCT_SECRET));
    assert_eq!(connack(&admitted), Some(0));
    outputs.extend(admitted);
    let mut cloud = Cloud::new(CloudConfig::default(), [1; 32], platform.bench.now);
    for output in outputs {
        if let CloudOutput::Persist(change) = output {
            let value = change.value.unwrap();
            cloud.load(UCLOUD, change.table, &change.key, value.expose()).unwrap();
        }
    }
    platform.bench.cloud = cloud;
    let OperationResult::Devices { items, .. } = platform.operate(list_devices()).unwrap() else {
        panic!()
    };
    assert_eq!((items[0].name.as_str(), items[0].state.as_str()), (DEVICE, "inactive"));
    assert_eq!(items[0].last_active, platform.bench.now.unix.map(|unix| unix.0));
}

#[test]
fn a_deleted_device_leaves_nothing_behind() {
    let mut world = world();
    let before = world.kept.clone();
    world.operate(add_firmware("2.0.0", IMAGE_URL, IMAGE_MD5, 200_000)).unwrap();
    let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    for _ in 0..30 {
        world.intent(id, Intent::PostProperties { json: r#"{"n":1}"#.into() }).unwrap();
        world.run_for(Duration::from_secs(1));
    }
    world.operate(push("2.0.0")).unwrap();
    world.run_for(SOON);
    assert!(world.kept.len() > 20);
    let delete = Action::DeleteDevice { product: PRODUCT.into(), device: DEVICE.into() };
    world.operate(operation(delete)).unwrap();
    let tables: Vec<&str> = world.kept.keys().map(|(_, table, _)| *table).collect();
    assert_eq!(tables, ["firmware", "product"]);
    world.operate(import_device()).unwrap();
    assert_eq!(world.kept.len(), before.len() + 1);
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_it() {
    let mut cloud = muster::cloud::Cloud::new(
        muster::cloud::CloudConfig::default(),
        [0; 32],
        muster::Now::mono(0),
    );
    for (table, key) in [
        ("product", "p"),
        ("device", "p/d"),
        ("device", "p"),
        ("firmware", "p/m/v"),
        ("upgrade", "p/d/m"),
        ("report", "p/d/0"),
        ("properties", "p/d"),
        ("switch", "s"),
    ] {
        let error = cloud.load(UCLOUD, table, key, &[0xff, 0x00]).unwrap_err();
        assert_eq!((error.table.as_str(), error.key.as_str()), (table, key));
    }
}
