use muster::cloud::{CloudOutput, ConnectPacket};

use super::support::*;

fn code(platform: &mut Platform, connect: ConnectPacket) -> Option<u8> {
    let (connection, outputs) = platform.connect(connect);
    let code = connack(&outputs);
    if code != Some(0) {
        assert_eq!(closed(&outputs), [connection], "every refusal closes the connection");
    }
    code
}

#[test]
fn for_each_reason() {
    let named = |client_id: &str, username: &str, secret: &str| ConnectPacket {
        client_id: client_id.into(),
        username: Some(username.into()),
        ..connect_packet(1, secret)
    };
    let good = || connect_packet(1, DEVICE_SECRET);
    let p_d = "70ly1tvowt696r15.112233445566";
    let cases: Vec<(&str, ConnectPacket, u8)> = vec![
        ("MQTT 5", ConnectPacket { protocol_level: 5, ..good() }, 1),
        ("MQTT 3.1", ConnectPacket { protocol_level: 3, ..good() }, 1),
        ("keep alive off", ConnectPacket { keep_alive: 0, ..good() }, 2),
        ("keep alive 29", ConnectPacket { keep_alive: 29, ..good() }, 2),
        ("keep alive 1201", ConnectPacket { keep_alive: 1201, ..good() }, 2),
        ("no user name", ConnectPacket { username: None, ..good() }, 4),
        ("no password", ConnectPacket { password: None, ..good() }, 4),
        ("wrong device secret", connect_packet(1, "zlc3d21u5k8fq0d3"), 4),
        ("device secret too short", connect_packet(1, "zlc3d21u5k8fq0d"), 4),
        ("empty device secret", connect_packet(1, ""), 4),
        ("product secret in mode 1", connect_packet(1, PRODUCT_SECRET), 4),
        ("wrong product secret", connect_packet(2, "sqx0cltqba402z7y"), 4),
        ("device secret in mode 2", connect_packet(2, DEVICE_SECRET), 4),
        ("mode 3", named(p_d, "70ly1tvowt696r15|112233445566|3", DEVICE_SECRET), 4),
        ("no mode", named(p_d, "70ly1tvowt696r15|112233445566", DEVICE_SECRET), 4),
        ("four parts", named(p_d, "70ly1tvowt696r15|112233445566|1|", DEVICE_SECRET), 4),
        (
            "other client id",
            named(
                "70ly1tvowt696r15.112233445567",
                "70ly1tvowt696r15|112233445566|1",
                DEVICE_SECRET,
            ),
            4,
        ),
        (
            "client id without device",
            named("70ly1tvowt696r15", "70ly1tvowt696r15|112233445566|1", DEVICE_SECRET),
            4,
        ),
        ("empty names", named("", "", DEVICE_SECRET), 4),
        (
            "unknown product",
            named(
                "nosuchproduct000.112233445566",
                "nosuchproduct000|112233445566|1",
                DEVICE_SECRET,
            ),
            4,
        ),
        (
            "unknown product, no secret",
            named("nosuchproduct000.112233445566", "nosuchproduct000|112233445566|2", ""),
            4,
        ),
        (
            "unknown device",
            named("70ly1tvowt696r15.nosuch", "70ly1tvowt696r15|nosuch|1", DEVICE_SECRET),
            5,
        ),
        (
            "not imported",
            named("70ly1tvowt696r15.nosuch", "70ly1tvowt696r15|nosuch|2", PRODUCT_SECRET),
            5,
        ),
        (
            "DeviceSN of three",
            named("70ly1tvowt696r15.abc", "70ly1tvowt696r15|abc|2", PRODUCT_SECRET),
            2,
        ),
        (
            "DeviceSN with a dot",
            named("70ly1tvowt696r15.a.b.c", "70ly1tvowt696r15|a.b.c|2", PRODUCT_SECRET),
            2,
        ),
        (
            "DeviceSN of 65",
            named(
                &format!("{PRODUCT}.{}", "d".repeat(65)),
                &format!("{PRODUCT}|{}|2", "d".repeat(65)),
                PRODUCT_SECRET,
            ),
            2,
        ),
    ];
    let mut platform = Platform::new();
    for (what, connect, expected) in cases {
        assert_eq!(code(&mut platform, connect), Some(expected), "{what}");
    }
    for keep_alive in [30, 1200] {
        let connect = ConnectPacket { keep_alive, ..good() };
        assert_eq!(code(&mut platform, connect), Some(0));
    }
}

#[test]
fn a_will_closes_without_an_answer() {
    let mut platform = Platform::new();
    let (connection, out) =
        platform.connect(ConnectPacket { will: true, ..connect_packet(1, DEVICE_SECRET) });
    assert_eq!(connack(&out), None);
    assert_eq!(closed(&out), [connection]);
}

/// Names of the switch, how the reason comes about, and which mode meets it.
type Reason = (&'static str, fn(&mut Platform), fn() -> ConnectPacket);

const REASONS: [Reason; 10] = [
    (
        "Protocol",
        |_| {},
        || ConnectPacket { protocol_level: 5, ..connect_packet(2, PRODUCT_SECRET) },
    ),
    ("KeepAlive", |_| {}, || ConnectPacket { keep_alive: 1, ..connect_packet(2, PRODUCT_SECRET) }),
    (
        "DeviceSN",
        |_| {},
        || ConnectPacket {
            client_id: format!("{PRODUCT}.x"),
            username: Some(format!("{PRODUCT}|x|2")),
            ..connect_packet(2, PRODUCT_SECRET)
        },
    ),
    (
        "Names",
        |_| {},
        || ConnectPacket { client_id: "x".into(), ..connect_packet(2, PRODUCT_SECRET) },
    ),
    ("Secret", |_| {}, || connect_packet(2, "wrong")),
    (
        "DynamicOff",
        |p| drop(p.operate(switch("DynamicRegister", "false")).unwrap()),
        || connect_packet(2, PRODUCT_SECRET),
    ),
    (
        "NotImported",
        |_| {},
        || ConnectPacket {
            client_id: format!("{PRODUCT}.nosuch"),
            username: Some(format!("{PRODUCT}|nosuch|2")),
            ..connect_packet(2, PRODUCT_SECRET)
        },
    ),
    ("Activated", |p| _ = p.log_in(1, DEVICE_SECRET), || connect_packet(2, PRODUCT_SECRET)),
    ("Disabled", |p| drop(p.operate(disable(true)).unwrap()), || connect_packet(2, PRODUCT_SECRET)),
    (
        "Full",
        |p| {
            let limits = muster::cloud::Limits { devices_per_product: 1, ..Default::default() };
            let config = muster::cloud::CloudConfig { limits };
            p.bench.cloud = muster::cloud::Cloud::new(config, [1; 32], p.bench.now);
            p.operate(create_product()).unwrap();
            p.operate(import_device()).unwrap();
            p.operate(switch("PreRegister", "false")).unwrap();
        },
        || ConnectPacket {
            client_id: format!("{PRODUCT}.one-more"),
            username: Some(format!("{PRODUCT}|one-more|2")),
            ..connect_packet(2, PRODUCT_SECRET)
        },
    ),
];

#[test]
fn each_code_can_be_changed_by_name() {
    for (name, prepare, connect) in REASONS {
        let mut platform = Platform::new();
        prepare(&mut platform);
        platform.operate(switch(&format!("Connack{name}"), "77")).unwrap();
        assert_eq!(code(&mut platform, connect()), Some(77), "{name}");
    }
}

#[test]
fn a_registration_can_be_refused_by_ret_code_instead() {
    for (name, prepare, connect) in REASONS {
        let told = matches!(name, "DynamicOff" | "NotImported" | "Activated" | "Disabled" | "Full");
        let mut platform = Platform::new();
        prepare(&mut platform);
        platform.operate(switch("RefuseByRetCode", "true")).unwrap();
        let switched = platform.operate(switch(&format!("RetCode{name}"), "4711"));
        assert_eq!(switched.is_ok(), told, "{name}");
        let connect = connect();
        let device = connect.client_id.split('.').next_back().unwrap_or_default().to_string();
        let (connection, out) = platform.connect(connect);
        assert_eq!(connack(&out) == Some(0), told, "{name}");
        if told {
            let topic = |name: &str| format!("/$system/{PRODUCT}/{device}/{name}");
            assert_eq!(platform.subscribe(connection, &topic("password_reply"), 1), 1);
            let out = platform.publish(connection, &topic("password"), 1, r#"{"RequestID":9}"#);
            assert_eq!(downs(&out)[0].2, r#"{"RetCode":"4711","RequestID":9}"#);
        }
    }
}

#[test]
fn switches_take_only_what_makes_sense() {
    let mut platform = Platform::new();
    for (name, value) in [
        ("ConnackSecret", "0"),
        ("ConnackSecret", "256"),
        ("ConnackSecret", "five"),
        ("RetCodeActivated", "0"),
        ("RefuseByRetCode", "maybe"),
        ("NoSuchSwitch", "true"),
        ("DynamicRegister", "perhaps"),
    ] {
        assert!(platform.operate(switch(name, value)).is_err(), "{name} = {value}");
    }
}

#[test]
fn a_refused_login_leaves_the_real_device_alone() {
    let mut platform = Platform::new();
    let real = platform.online();
    for connect in [
        connect_packet(1, "wrong"),
        connect_packet(2, PRODUCT_SECRET),
        connect_packet(2, "wrong"),
        ConnectPacket { keep_alive: 0, ..connect_packet(1, DEVICE_SECRET) },
    ] {
        let (connection, out) = platform.connect(connect);
        assert_eq!(closed(&out), [connection]);
    }
    platform.operate(switch("RefuseByRetCode", "true")).unwrap();
    let (_, out) = platform.connect(connect_packet(2, PRODUCT_SECRET));
    assert!(closed(&out).is_empty());
    let out = platform.publish(
        real,
        &topic("tmodel/property/post"),
        1,
        r#"{"RequestID":"1","Property":{}}"#,
    );
    assert_eq!(downs(&out).len(), 1, "it is still in its session");
    assert!(!out.iter().any(|output| matches!(output, CloudOutput::Close { .. })));
}
