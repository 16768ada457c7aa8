use std::time::Duration;

use muster::cloud::{Cloud, CloudConfig};
use muster::sim::World;
use muster::{Event, Stored};

use crate::support::*;

/// A new process with the old one's database: everything that was not persisted is gone.
fn restart(world: &mut World, reverse: bool) {
    let mut cloud = Cloud::new(CloudConfig::default(), [8; 32], world.now());
    let mut kept: Vec<_> = world.kept.iter().collect();
    if reverse {
        kept.reverse();
    }
    for ((platform, table, key), value) in kept {
        cloud.load(*platform, table, key, value.expose()).unwrap();
    }
    world.cloud = cloud;
}

#[test]
fn after_any_step_of_a_life() {
    for n in 0..90 {
        let mut world = world(&[]);
        world.operate(add_firmware("2.0.0")).unwrap();
        world.operate(push_upgrade("2.0.0")).unwrap();
        let id = world.add(config(&settings()), Stored::empty()).unwrap();
        for _ in 0..n {
            world.step();
        }
        world.break_connection(id);
        restart(&mut world, n % 2 == 1);
        let done = |w: &World| is_settled(w, id) && w.installed(id).len() == 1;
        assert!(world.run_until(Duration::from_secs(600), done), "after {n}");
        world.run_for(Duration::from_secs(120));
        let device = view(&mut world);
        assert_eq!(device.state, "online", "after {n}");
        let kept = stored_json(world.stored(id));
        assert_eq!(device.secret.as_deref(), kept["device_secret"].as_str(), "after {n}");
        let order = upgrade(world.operate(list_upgrades()).unwrap());
        assert_eq!(order.state, "succeeded", "after {n}");
        let stopped = world.events(id).iter().find(|(_, e)| matches!(e, Event::Stopped { .. }));
        assert_eq!(stopped, None, "after {n}");
    }
}

#[test]
fn with_everything_that_operators_see() {
    let mut door = Door::new(&[("AutoCreate", "true"), ("AutoCreateLimit", "2")]);
    door.operate(add_firmware("2.0.0")).unwrap();
    door.operate(push_upgrade("2.0.0")).unwrap();
    let secret = door.register();
    let connection = door.login(&secret);
    let body = r#"{"CMD":10,"HW_VERSION":"1","FW_VERSION":"1.9"}"#;
    door.publish(connection, &topic("ota/post"), body);
    door.connect(PRODUCT, "new1", PRODUCT_SECRET);
    let mut again = Cloud::new(CloudConfig::default(), [8; 32], door.now);
    for ((platform, table, key), value) in &door.kept {
        again.load(*platform, table, key, value.expose()).unwrap();
    }
    let questions = || {
        [
            action(muster::cloud::Action::ListProducts { reveal: true }),
            list_upgrades(),
            action(muster::cloud::Action::ListReports {
                product: PRODUCT.into(),
                device: DEVICE.into(),
            }),
        ]
    };
    let before: Vec<_> = questions().into_iter().map(|q| door.operate(q).unwrap()).collect();
    let offline = muster::cloud::ConnectionId(connection);
    door.input(muster::cloud::CloudInput::Lost { connection: offline });
    let devices_before = devices(door.operate(list_devices()).unwrap());
    door.cloud = again;
    let after: Vec<_> = questions().into_iter().map(|q| door.operate(q).unwrap()).collect();
    assert!(before == after);
    let strip = |mut all: Vec<muster::cloud::DeviceView>| {
        // A login by itself is not worth a write.
        all.iter_mut().for_each(|d| d.last_active = None);
        all
    };
    assert!(strip(devices_before) == strip(devices(door.operate(list_devices()).unwrap())));
    // One more may be created, and no second one.
    let (connection, seen) = door.connect(PRODUCT, "new2", PRODUCT_SECRET);
    assert_eq!(seen, [accepted(connection)]);
    let (connection, seen) = door.connect(PRODUCT, "new3", PRODUCT_SECRET);
    assert_eq!(seen, refused(connection, 5));
}

#[test]
fn a_damaged_value_is_named_and_a_table_of_the_future_ignored() {
    let mut cloud = Cloud::new(CloudConfig::default(), [8; 32], muster::Now::mono(0));
    let platform = muster::PlatformName::Krtyun;
    for (table, key) in [("product", "p"), ("device", "p/d"), ("report", "p/d")] {
        let error = cloud.load(platform, table, key, b"\xff").unwrap_err();
        assert_eq!((error.table.as_str(), error.key.as_str()), (table, key));
    }
    assert!(cloud.load(platform, "device", "nopair", b"\xa0").is_err());
    cloud.load(platform, "shadow", "x", b"\xff").unwrap();
}

#[test]
fn between_the_issue_and_its_confirmation() {
    let mut door = Door::new(&[]);
    let connection = door.login(PRODUCT_SECRET);
    door.subscribe(connection, &topic("register/set"));
    issued(&door.publish(connection, &topic("register/post"), &request("a")));
    let mut again = Cloud::new(CloudConfig::default(), [8; 32], door.now);
    for ((platform, table, key), value) in &door.kept {
        again.load(*platform, table, key, value.expose()).unwrap();
    }
    door.cloud = again;
    assert_eq!(door.device().more["registration"], "secret issued, not confirmed");
    let (connection, seen) = door.connect(PRODUCT, DEVICE, DEVICE_SECRET);
    assert_eq!(seen, refused(connection, 4), "it is not confirmed, restart or not");
    let connection = door.login(PRODUCT_SECRET);
    assert_eq!(door.publish(connection, &topic("register/post"), &confirmation("b", "OK")), []);
    let seen = door.publish(connection, &topic("register/post"), &confirmation("a", "OK"));
    assert_eq!(seen, [Seen::Close(connection)]);
    assert_eq!(door.device().state, "offline");
}
