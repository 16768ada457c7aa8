use muster::SecretBytes;
use muster::cloud::{CloudInput, ConnectPacket, ConnectionId, Packet, What};
use proptest::prelude::*;

use crate::support::*;

#[test]
fn qos_2_ends_the_session() {
    let mut door = Door::new(&[]);
    let connection = door.login(DEVICE_SECRET);
    let packet = Packet::Publish {
        packet_id: Some(1),
        topic: topic("ota/post"),
        qos: 2,
        retain: false,
        payload: SecretBytes::new(b"{}".to_vec()),
    };
    assert_eq!(door.packet(connection, packet), [Seen::Close(connection)]);
    assert!(door.logged(What::Closed));
    assert_eq!(door.device().state, "offline");
}

#[test]
fn bodies_that_are_nothing_are_dropped_with_a_reason() {
    let mut door = Door::new(&[]);
    let secret = door.register();
    let connection = door.login(&secret);
    for body in [
        &b""[..],
        b"\xff",
        b"[]",
        b"{",
        b"{,}",
        b"{} {}",
        b"{\"CMD\":10,/* */}",
        b"{\"CMD\":10}",
        b"{\"CMD\":10,\"HW_VERSION\":\"1\",\"FW_VERSION\":\"\"}",
        b"{\"CMD\":11,\"ID\":\"unknown\",\"BACK\":\"OK\"}",
        b"{\"CMD\":11,\"BACK\":\"OK\"}",
        b"{\"CMD\":12}",
        &[b'['; 100],
        &[b' '; 70_000],
    ] {
        door.log.clear();
        let seen = door.publish_bytes(connection, &topic("ota/post"), body);
        assert_eq!(seen, [Seen::PubAck(connection, 7)]);
        assert!(door.logged(What::Dropped), "{:?}", String::from_utf8_lossy(body));
    }
    assert_eq!(door.device().version, None);
}

#[test]
fn packets_of_connections_that_were_never_let_in_mean_nothing() {
    let mut door = Door::new(&[]);
    let (refused, _) = door.connect(PRODUCT, DEVICE, "wrong");
    for connection in [refused, 999] {
        assert_eq!(door.publish_bytes(connection, &topic("register/post"), b"{}"), []);
        assert_eq!(door.subscribe(connection, &topic("register/set")), []);
    }
    door.input(CloudInput::Lost { connection: ConnectionId(999) });
}

#[test]
fn memory_does_not_grow_with_what_clients_send() {
    let mut door = Door::new(&[]);
    let secret = door.register();
    let connection = door.login(&secret);
    let filters: Vec<_> = (0..5_000).map(|n| (topic(&format!("x/{n}")), 1)).collect();
    door.packet(connection, Packet::Subscribe { packet_id: 1, filters });
    let kept = |door: &Door| door.kept.values().map(|v| v.expose().len()).sum::<usize>();
    for n in 0..20 {
        let body = format!(r#"{{"CMD":10,"HW_VERSION":"1","FW_VERSION":"{n:060}"}}"#);
        door.publish(connection, &topic("ota/post"), &body);
    }
    let full = kept(&door);
    for n in 0..1_000 {
        let body = format!(r#"{{"CMD":10,"HW_VERSION":"1","FW_VERSION":"{n:060}"}}"#);
        door.publish(connection, &topic("ota/post"), &body);
    }
    assert_eq!(kept(&door), full);
    let reports =
        muster::cloud::Action::ListReports { product: PRODUCT.into(), device: DEVICE.into() };
    let muster::cloud::OperationResult::Reports { items } = door.operate(action(reports)).unwrap()
    else {
        panic!("no reports")
    };
    assert_eq!(items.len(), 20);
    assert!(items[0].json.contains("999"), "latest first");
}

#[test]
fn every_change_comes_ahead_of_what_depends_on_it() {
    // `Door::input` asserts it on every drain; a whole life goes through all of them.
    let mut door = Door::new(&[("AutoCreate", "true")]);
    let secret = door.register();
    door.operate(add_firmware("2")).unwrap();
    door.operate(push_upgrade("2")).unwrap();
    let connection = door.login(&secret);
    assert_eq!(door.subscribe(connection, &topic("ota/set")).len(), 2);
    door.connect(PRODUCT, "fresh", PRODUCT_SECRET);
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![Just(PRODUCT.to_string()), Just(DEVICE.to_string()), ".{0,12}"]
}

fn any_password() -> impl Strategy<Value = String> {
    prop_oneof![Just(PRODUCT_SECRET.to_string()), Just(DEVICE_SECRET.to_string()), ".{0,12}"]
}

#[derive(Clone, Debug)]
enum Step {
    Connect(Option<String>, Option<String>, String, u8, u16),
    Publish(u64, usize, u8, Vec<u8>),
    Subscribe(u64, usize, u8),
    Unsubscribe(u64, usize),
    Disconnect(u64),
    Lost(u64),
    Later(u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    let json = r#"\{("(CMD|ID|BACK|PRODUCT_ID|DEVICE_ID|HW_VERSION|FW_VERSION)":("(OK|a|1700000001|880001)"|1[01]|2[01]|null),?){0,6}\}"#;
    let payload = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        proptest::string::string_regex(json).unwrap().prop_map(String::into_bytes),
        Just(request("a").into_bytes()),
        Just(confirmation("a", "OK").into_bytes()),
    ];
    prop_oneof![
        (
            proptest::option::of(any_name()),
            proptest::option::of(any_password()),
            any_name(),
            3..6u8,
            any::<u16>()
        )
            .prop_map(|(n, p, c, l, k)| Step::Connect(n, p, c, l, k)),
        Just(Step::Connect(
            Some(DEVICE.into()),
            Some(PRODUCT_SECRET.into()),
            PRODUCT.into(),
            4,
            60
        )),
        (1..6u64, 0..6usize, 0..3u8, payload).prop_map(|(c, t, q, p)| Step::Publish(c, t, q, p)),
        (1..6u64, 0..6usize, 0..3u8).prop_map(|(c, t, q)| Step::Subscribe(c, t, q)),
        (1..6u64, 0..6usize).prop_map(|(c, t)| Step::Unsubscribe(c, t)),
        (1..6u64).prop_map(Step::Disconnect),
        (1..6u64).prop_map(Step::Lost),
        (0..100_000u32).prop_map(Step::Later),
    ]
}

proptest! {
    #[test]
    fn no_order_of_packets_breaks_it(steps in proptest::collection::vec(any_step(), 1..40)) {
        let mut door = Door::new(&[("AutoCreate", "true")]);
        let topics = ["register/set", "register/post", "ota/set", "ota/post", "#", ""].map(topic);
        for step in steps {
            match step {
                Step::Connect(username, password, client_id, protocol_level, keep_alive) => {
                    door.connect_with(ConnectPacket {
                        protocol_level,
                        client_id,
                        username,
                        password: password.map(muster::Secret::new),
                        keep_alive,
                        clean_session: true,
                        will: false,
                    });
                }
                Step::Publish(connection, to, qos, payload) => {
                    let packet = Packet::Publish {
                        packet_id: (qos > 0).then_some(1),
                        topic: topics[to].clone(),
                        qos,
                        retain: false,
                        payload: SecretBytes::new(payload),
                    };
                    door.packet(connection, packet);
                }
                Step::Subscribe(connection, to, qos) => {
                    let filters = vec![(topics[to].clone(), qos)];
                    door.packet(connection, Packet::Subscribe { packet_id: 1, filters });
                }
                Step::Unsubscribe(connection, to) => {
                    let filters = vec![topics[to].clone()];
                    door.packet(connection, Packet::Unsubscribe { packet_id: 1, filters });
                }
                Step::Disconnect(connection) => {
                    door.packet(connection, Packet::Disconnect);
                }
                Step::Lost(connection) => {
                    door.input(CloudInput::Lost { connection: ConnectionId(connection) });
                }
                Step::Later(ms) => {
                    door.now.mono.0 += u64::from(ms);
                    door.input(CloudInput::Timeout);
                }
            }
            if let Some(at) = door.timeout {
                prop_assert!(at >= door.now.mono);
            }
        }
        let log = format!("{:?}", door.log);
        prop_assert!(!log.contains(DEVICE_SECRET));
        prop_assert!(!log.contains(PRODUCT_SECRET));
    }
}
