use std::time::Duration;

use muster::cloud::{ConnectPacket, What};

use crate::support::*;

fn packet() -> ConnectPacket {
    ConnectPacket {
        protocol_level: 4,
        client_id: PRODUCT.into(),
        username: Some(DEVICE.into()),
        password: Some(PRODUCT_SECRET.into()),
        keep_alive: 60,
        clean_session: true,
        will: false,
    }
}

#[test]
fn only_mqtt_3_1_1() {
    for protocol_level in [3, 5, 0, 6] {
        let mut door = Door::new(&[]);
        let (connection, seen) = door.connect_with(ConnectPacket { protocol_level, ..packet() });
        assert_eq!(seen, refused(connection, 1));
    }
}

#[test]
fn no_name_or_no_password_is_5() {
    for (username, password) in [
        (None, None),
        (None, Some(PRODUCT_SECRET)),
        (Some(DEVICE), None),
        (Some(""), Some(PRODUCT_SECRET)),
        (Some(DEVICE), Some("")),
    ] {
        let mut door = Door::new(&[]);
        let (connection, seen) = door.connect_with(ConnectPacket {
            username: username.map(Into::into),
            password: password.map(Into::into),
            ..packet()
        });
        assert_eq!(seen, refused(connection, 5));
    }
}

#[test]
fn a_wrong_pair_is_4() {
    let mut door = Door::new(&[("AutoCreate", "true")]);
    for (client_id, name, password) in [
        ("1", DEVICE, PRODUCT_SECRET),
        ("", DEVICE, PRODUCT_SECRET),
        (DEVICE, DEVICE, PRODUCT_SECRET),
        (PRODUCT, DEVICE, "wrong"),
        (PRODUCT, "unlisted", "wrong"),
        (PRODUCT, "unlisted", DEVICE_SECRET),
        (PRODUCT, "a/b", PRODUCT_SECRET),
        (PRODUCT, "a#", PRODUCT_SECRET),
        (PRODUCT, &"x".repeat(65), PRODUCT_SECRET),
    ] {
        let (connection, seen) = door.connect(client_id, name, password);
        assert_eq!(seen, refused(connection, 4), "{client_id} {name} {password}");
    }
    assert!(door.logged(What::Refused) && !door.logged(What::Accepted));
}

#[test]
fn what_an_operator_has_to_allow_first_is_5() {
    let mut door = Door::new(&[("DynamicRegister", "false")]);
    let (connection, seen) = door.connect(PRODUCT, DEVICE, PRODUCT_SECRET);
    assert_eq!(seen, refused(connection, 5), "registration is off");
    door.login(DEVICE_SECRET);
    let (connection, seen) = door.connect(PRODUCT, "unlisted", PRODUCT_SECRET);
    assert_eq!(seen, refused(connection, 5));
    door.operate(switch("DynamicRegister", "true")).unwrap();
    door.login(PRODUCT_SECRET);
    let (connection, seen) = door.connect(PRODUCT, "unlisted", PRODUCT_SECRET);
    assert_eq!(seen, refused(connection, 5), "devices are not created");
    door.operate(switch("AutoCreate", "true")).unwrap();
    door.operate(switch("AutoCreateLimit", "1")).unwrap();
    let (connection, seen) = door.connect(PRODUCT, "unlisted", PRODUCT_SECRET);
    assert_eq!(seen, [accepted(connection)]);
    let (connection, seen) = door.connect(PRODUCT, "another", PRODUCT_SECRET);
    assert_eq!(seen, refused(connection, 5), "the limit");
    let (connection, seen) = door.connect(PRODUCT, "unlisted", PRODUCT_SECRET);
    assert!(seen.contains(&accepted(connection)), "those created before still come in");
    // Making room by deleting one.
    let (product, device) = (PRODUCT.into(), "unlisted".into());
    door.operate(action(muster::cloud::Action::DeleteDevice { product, device })).unwrap();
    let (connection, seen) = door.connect(PRODUCT, "another", PRODUCT_SECRET);
    assert_eq!(seen, [accepted(connection)]);
}

#[test]
fn a_secret_that_was_burnt_in_activates_by_its_first_login() {
    let mut door = Door::new(&[("DynamicRegister", "false")]);
    door.login(DEVICE_SECRET);
    assert!(door.logged(What::Activated));
    assert_eq!(door.device().state, "online");
}

#[test]
fn four_keep_alives_of_silence_end_a_session() {
    for (keep_alive, silence) in [
        (60, Some(Duration::from_secs(240))),
        (1, Some(Duration::from_secs(4))),
        (u16::MAX, Some(Duration::from_secs(262_140))),
        (0, None),
    ] {
        let mut door = Door::new(&[]);
        let (connection, seen) = door.connect_with(ConnectPacket { keep_alive, ..packet() });
        assert_eq!(seen, [Seen::ConnAck(connection, 0, silence)]);
    }
}

#[test]
fn a_will_and_a_kept_session_are_no_reason_to_refuse() {
    let mut door = Door::new(&[]);
    let odd = ConnectPacket { will: true, clean_session: false, ..packet() };
    let (connection, seen) = door.connect_with(odd);
    assert_eq!(seen, [accepted(connection)]);
}

#[test]
fn devices_that_share_a_client_id_do_not_disturb_each_other() {
    let mut door = Door::new(&[]);
    door.operate(import("880002")).unwrap();
    let first = door.login(PRODUCT_SECRET);
    let (second, seen) = door.connect(PRODUCT, "880002", PRODUCT_SECRET);
    assert_eq!(seen, [accepted(second)]);
    door.subscribe(first, &topic("register/set"));
    issued(&door.publish(first, &topic("register/post"), &request("a")));
}

#[test]
fn the_same_user_name_again_closes_the_older_session() {
    let mut door = Door::new(&[]);
    let first = door.login(DEVICE_SECRET);
    let (second, seen) = door.connect(PRODUCT, DEVICE, DEVICE_SECRET);
    assert_eq!(seen, [Seen::Close(first), accepted(second)]);
    assert_eq!(door.device().state, "online");
    // What the host still says of the first one changes nothing.
    let lost = muster::cloud::ConnectionId(first);
    door.input(muster::cloud::CloudInput::Lost { connection: lost });
    assert_eq!(door.device().state, "online");
    assert_eq!(door.subscribe(first, &topic("ota/set")), []);
    // A refused login closes nobody.
    let (third, seen) = door.connect(PRODUCT, DEVICE, "wrong");
    assert_eq!(seen, refused(third, 4));
    assert_eq!(door.device().state, "online");
}

#[test]
fn the_same_name_in_two_products_is_two_devices() {
    let mut door = Door::new(&[]);
    let second = action(muster::cloud::Action::CreateProduct {
        name: String::new(),
        id: Some("1700000002".into()),
        secret: Some("othersecret".into()),
        switches: [("DynamicRegister", "true"), ("AutoCreate", "true")]
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .into(),
    });
    door.operate(second).unwrap();
    let first = door.login(DEVICE_SECRET);
    let (other, seen) = door.connect("1700000002", DEVICE, "othersecret");
    assert_eq!(seen, [accepted(other)]);
    assert_ne!(first, other);
}

#[test]
fn a_login_again_closes_the_older_session_of_a_real_device_which_comes_back_later() {
    let mut world = world(&[]);
    let id = world.add(config(&settings()), muster::Stored::empty()).unwrap();
    assert!(world.run_until(Duration::from_secs(1), |w| is_settled(w, id)));
    let secret = view(&mut world).secret.unwrap();
    world.clear_events(id);
    world.cloud_input(muster::cloud::CloudInput::Connect {
        connection: muster::cloud::ConnectionId(1 << 40),
        platform: muster::PlatformName::Krtyun,
        connect: ConnectPacket { password: Some(secret.as_str().into()), ..packet() },
    });
    assert!(world.run_until(Duration::from_secs(3), |w| is_settled(w, id)));
}
