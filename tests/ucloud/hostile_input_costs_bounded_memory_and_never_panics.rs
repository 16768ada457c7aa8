use std::time::Duration;

use muster::cloud::{CloudInput, ConnectPacket, ConnectionId, Packet};
use muster::{
    Ack, Answer, Closed, Downloaded, Failure, Input, Intent, LocalFailure, Message, Outcome,
    Progress, QoS, SecretBytes, Stored, Token,
};
use proptest::prelude::*;

use super::support::*;
use crate::common::Bench;

/// Pieces from which both well-formed and broken bodies come about.
fn body() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{".to_string()),
        Just("}".into()),
        Just("[".into()),
        Just(",".into()),
        Just(":".into()),
        Just(r#""RequestID":"1""#.into()),
        Just(r#""RequestID":1"#.into()),
        Just(r#""RetCode":"0""#.into()),
        Just(r#""RetCode":7"#.into()),
        Just(r#""Password":"0123456789abcdef""#.into()),
        Just(r#""Method":"update_firmware""#.into()),
        Just(r#""Method":"report_progress""#.into()),
        Just(r#""Method":"cancel_update""#.into()),
        Just(r#""Method":"request_firmware""#.into()),
        Just(r#""Payload":{"Version":"2.0.0","URL":"http://x/y?z","MD5":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#.into()),
        Just(r#""Payload":{"Version":"1.0.0","State":"downloading","Percent":5}"#.into()),
        Just(r#""Property":{"a":{"Value":1}}"#.into()),
        Just(r#""Property":{"a":1}"#.into()),
        any::<String>(),
    ];
    prop_oneof![
        prop::collection::vec(piece.clone(), 0..8).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(piece, 0..6).prop_map(|pieces| format!("{{{}}}", pieces.join(","))),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "password_reply",
            "password",
            "ota/downstream",
            "ota/upstream",
            "tmodel/property/set",
            "tmodel/property/post",
            "tmodel/property/post_reply",
            "tmodel/property/restore",
            "tmodel/event/post",
            "shadow/upstream",
        ])
        .prop_map(topic),
        any::<String>(),
    ]
}

fn input() -> impl Strategy<Value = Input> {
    let token = (1..40u32).prop_map(Token);
    prop_oneof![
        3 => Just(Input::Timeout),
        2 => token.clone().prop_map(Input::Connected),
        1 => (token.clone(), any::<u8>()).prop_map(|(t, code)| Input::Closed(t, Closed::Refused(code))),
        1 => token.clone().prop_map(|t| Input::Closed(t, Closed::Failed(Failure::Lost))),
        1 => token.clone().prop_map(|t| Input::Closed(t, Closed::Requested)),
        3 => (name(), body()).prop_map(|(topic, body)| {
            Input::Message(Message { topic, payload: SecretBytes::new(body.into_bytes()) })
        }),
        3 => token.clone().prop_map(|t| Input::Acked(t, Ack::Subscribed(QoS::AtMostOnce))),
        2 => token.clone().prop_map(|t| Input::Acked(t, Ack::Published)),
        1 => token.clone().prop_map(|t| Input::Acked(t, Ack::SubscribeRefused)),
        1 => token.clone().prop_map(|t| Input::Response(t, Answer::Failed(Failure::Lost))),
        2 => token.clone().prop_map(|t| Input::Stored(t, Outcome::Done)),
        1 => token.clone().prop_map(|t| Input::Stored(t, Outcome::Failed(LocalFailure::Store))),
        1 => (token.clone(), any::<u64>(), any::<Option<u64>>())
            .prop_map(|(t, received, total)| Input::Progress(t, Progress { received, total })),
        1 => token.clone().prop_map(|t| Input::Downloaded(t, Downloaded::Complete {
            size: 1, md5: "a".repeat(32), sha256: "b".repeat(64),
        })),
        1 => token.clone().prop_map(|t| Input::Downloaded(t, Downloaded::Failed(Failure::TimedOut))),
        1 => token.prop_map(|t| Input::Installed(t, Outcome::Done)),
        1 => prop::sample::select(vec![
            Intent::TryAgain, Intent::RegisterAgain, Intent::Report, Intent::RequestFirmware,
            Intent::PostProperties { json: r#"{"a":1}"#.into() },
            Intent::PostProperties { json: "nonsense".into() },
        ]).prop_map(Input::User),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    /// Any inputs in any order: no panic, a snapshot that restores and then behaves the same, and bounded state.
    #[test]
    fn a_device_survives_anything(inputs in prop::collection::vec((input(), 0..20_000u64), 1..80), start in 0..3usize) {
        let stored = if start == 1 { stored(DEVICE_SECRET) } else { Stored::empty() };
        let settings = if start == 2 { static_() } else { dynamic() };
        let mut bench = Bench::new(UCLOUD, &settings, stored.clone());
        let mut twin = Bench::new(UCLOUD, &settings, stored);
        for (input, passed) in inputs {
            bench.now.mono = bench.now.mono + Duration::from_millis(passed);
            twin.now = bench.now;
            twin.swap();
            prop_assert_eq!(bench.give(input.clone()), twin.give(input));
            prop_assert_eq!(bench.deadline, twin.deadline);
        }
        prop_assert!(bench.agent.save().expose().len() < 16 * 1024);
    }

    #[test]
    fn a_cloud_survives_anything(
        packets in prop::collection::vec((0..4u64, 0..8u8, name(), body(), any::<u8>()), 1..120),
    ) {
        let mut platform = Platform::new();
        platform.operate(add_firmware("2.0.0", "http://x/y", &"a".repeat(32), 9)).unwrap();
        for (i, (connection, kind, topic, body, byte)) in packets.into_iter().enumerate() {
            let connection = ConnectionId((1 << 32) + connection);
            platform.bench.pass(Duration::from_millis(u64::from(byte)));
            let packet = match kind {
                0 | 1 => {
                    let connect = ConnectPacket {
                        client_id: if byte % 8 == 0 { topic } else { format!("{PRODUCT}.{DEVICE}") },
                        keep_alive: u16::from(byte) + 20,
                        ..connect_packet(1 + kind, if kind == 0 { DEVICE_SECRET } else { PRODUCT_SECRET })
                    };
                    platform.bench.give(CloudInput::Connect { connection, platform: UCLOUD, connect });
                    continue;
                }
                2 => Packet::Subscribe { packet_id: 1, filters: vec![(topic, byte % 3), (body, 1)] },
                3 => Packet::Unsubscribe { packet_id: 1, filters: vec![topic, body] },
                4 => Packet::Acked { token: u32::from(byte) },
                5 if byte % 4 == 0 => Packet::Disconnect,
                _ => Packet::Publish {
                    packet_id: (byte % 3 > 0).then_some(7),
                    topic,
                    qos: byte % 3,
                    retain: byte % 16 == 0,
                    payload: SecretBytes::new(body.into_bytes()),
                },
            };
            if i == 40 {
                platform.operate(push("2.0.0")).unwrap();
            }
            for (to, _, body) in downs(&platform.bench.give(CloudInput::Packet { connection, packet })) {
                prop_assert!(to.len() + body.len() + 9 < 2048);
                prop_assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok(), "{}", body);
            }
        }
    }
}

#[test]
fn a_flood_of_everything_leaves_bounded_traces() {
    let mut world = world();
    let id = world.add(config(&dynamic()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    for i in 0..20_000 {
        let json = format!(r#"{{"property{i}":"{}"}}"#, "x".repeat(300));
        world.intent(id, Intent::PostProperties { json }).unwrap();
        world
            .input(id, message("tmodel/property/set", r#"{"RequestID":"1","Property":{}}"#))
            .unwrap();
        if i % 100 == 0 {
            world.run_for(Duration::from_secs(1));
            world.clear_events(id);
            world.log.clear();
        }
    }
    let agent = world.agent_mut(id).unwrap().save().expose().len();
    assert!(agent < 16 * 1024, "the agent's state has {agent} bytes");
    let kept: usize = world.kept.values().map(|value| value.expose().len()).sum();
    assert!(world.kept.len() < 40, "{} values kept", world.kept.len());
    assert!(kept < 100 * 1024, "{kept} bytes kept");
}

#[test]
fn connections_that_never_say_anything_right_leave_nothing() {
    let mut platform = Platform::new();
    for _ in 0..10_000 {
        let (_, out) = platform.connect(connect_packet(1, "wrong"));
        assert_eq!(closed(&out).len(), 1);
    }
    // And the product's secret alone makes no devices while pre-registration is on.
    for i in 0..1000 {
        platform.connect(ConnectPacket {
            client_id: format!("{PRODUCT}.ghost-{i}"),
            username: Some(format!("{PRODUCT}|ghost-{i}|2")),
            ..connect_packet(2, PRODUCT_SECRET)
        });
    }
    let muster::cloud::OperationResult::Devices { total, .. } =
        platform.operate(list_devices()).unwrap()
    else {
        panic!()
    };
    assert_eq!(total, 1);
}
