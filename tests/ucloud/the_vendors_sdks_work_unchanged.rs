//! What the vendor's C and Arduino SDKs really send (recorded on a loopback stand-in), packet by packet.

use muster::QoS;
use muster::cloud::{CloudOutput, ConnectPacket, OperationResult, Packet};

use super::support::*;

fn sdk_connect(keep_alive: u16, mode: u8, secret: &str) -> ConnectPacket {
    ConnectPacket { keep_alive, ..connect_packet(mode, secret) }
}

fn subscribe(packet_id: u16, filter: &str, qos: u8) -> Packet {
    Packet::Subscribe { packet_id, filters: vec![(filter.into(), qos)] }
}

fn publish(packet_id: Option<u16>, topic: &str, payload: &str) -> Packet {
    Packet::Publish {
        packet_id,
        topic: topic.into(),
        qos: u8::from(packet_id.is_some()),
        retain: false,
        payload: muster::SecretBytes::new(payload.as_bytes().to_vec()),
    }
}

fn suback(outputs: &[CloudOutput]) -> Option<(u16, Vec<u8>)> {
    outputs.iter().find_map(|output| match output {
        CloudOutput::SubAck { packet_id, codes, .. } => Some((*packet_id, codes.clone())),
        _ => None,
    })
}

#[test]
fn the_c_sdk_registers_logs_in_and_updates() {
    let mut platform = Platform::new();
    let url = "http://uiot-ota1.cn-sh2.ufileos.com/fw_2.0.0.bin?Signature=x&Expires=1";
    platform
        .operate(add_firmware("2.0.0", url, "941546D1C333E2F0D9E1F0C4B0C0FFEE", 12_000))
        .unwrap();

    let (connection, out) = platform.connect(sdk_connect(240, 2, "sqx0cltqba402z7z"));
    assert_eq!(connack(&out), Some(0));
    let silence = out.iter().find_map(|output| match output {
        CloudOutput::ConnAck { silence, .. } => *silence,
        _ => None,
    });
    assert_eq!(silence, Some(std::time::Duration::from_secs(360)), "one and a half keep alives");
    let reply_topic = "/$system/70ly1tvowt696r15/112233445566/password_reply";
    let out = platform.packet(connection, subscribe(2, reply_topic, 1));
    assert_eq!(suback(&out), Some((2, vec![1])));
    let password = "/$system/70ly1tvowt696r15/112233445566/password";
    let out = platform.packet(connection, publish(Some(3), password, r#"{"RequestID":"1"}"#));
    assert!(matches!(out[0], CloudOutput::PubAck { packet_id: 3, .. }), "PUBACK first: {out:?}");
    let [(to, QoS::AtLeastOnce, body)] = &downs(&out)[..] else { panic!("{out:?}") };
    assert_eq!(to, reply_topic);
    assert_eq!(body, r#"{"RetCode":"0","RequestID":"1","Password":"zlc3d21u5k8fq0d2"}"#);
    let token = out.iter().find_map(|output| match output {
        CloudOutput::Publish { token, .. } => Some(*token),
        _ => None,
    });
    assert!(platform.packet(connection, Packet::Acked { token: token.unwrap() }).is_empty());
    let filters = vec![reply_topic.to_string()];
    let out = platform.packet(connection, Packet::Unsubscribe { packet_id: 4, filters });
    assert!(matches!(out[..], [CloudOutput::UnsubAck { packet_id: 4, .. }]));
    platform.packet(connection, Packet::Disconnect);

    let (connection, out) = platform.connect(sdk_connect(240, 1, "zlc3d21u5k8fq0d2"));
    assert_eq!(connack(&out), Some(0));
    let out = platform.packet(connection, subscribe(2, "/70ly1tvowt696r15/112233445566/set", 1));
    assert_eq!(suback(&out), Some((2, vec![1])));
    let upload = "/70ly1tvowt696r15/112233445566/upload";
    let out = platform.packet(connection, publish(Some(3), upload, r#"{"test": "18"}"#));
    assert_eq!(pubacks(&out), 1);
    let down = "/$system/70ly1tvowt696r15/112233445566/ota/downstream";
    assert_eq!(suback(&platform.packet(connection, subscribe(4, down, 1))), Some((4, vec![1])));
    let up = "/$system/70ly1tvowt696r15/112233445566/ota/upstream";
    let version =
        r#"{"Method": "report_version", "Payload":{"Module":"default", "Version":"1.0.0"}}"#;
    let out = platform.packet(connection, publish(Some(5), up, version));
    assert_eq!((pubacks(&out), downs(&out).len()), (1, 0), "reports are not answered");
    let request =
        r#"{"Method": "request_firmware", "Payload":{"Module":"default", "Version":"1.0.0"}}"#;
    let out = platform.packet(connection, publish(Some(6), up, request));
    assert_eq!((pubacks(&out), downs(&out).len()), (1, 0), "nothing is pending");

    // The operator's order reaches it in the form that its parser reads.
    let out = platform.operate_all(push("2.0.0"));
    let [(to, QoS::AtLeastOnce, body)] = &downs(&out)[..] else { panic!("{out:?}") };
    assert_eq!(to, down);
    assert_eq!(
        body,
        r#"{"Method":"update_firmware","Payload":{"Module":"default","Version":"2.0.0","URL":"http://uiot-ota1.cn-sh2.ufileos.com/fw_2.0.0.bin?Signature=x&Expires=1","MD5":"941546d1c333e2f0d9e1f0c4b0c0ffee","Size":12000}}"#
    );
    for (percent, state) in [(0, "downloading"), (100, "downloading")] {
        let progress = format!(
            r#"{{"Method": "report_progress", "Payload": {{"State":"{state}", "Percent":{percent}, "Module":"default", "Version":"2.0.0" }}}}"#
        );
        assert_eq!(pubacks(&platform.packet(connection, publish(None, up, &progress))), 0);
        assert_eq!(upgrade(&mut platform), ("downloading".into(), percent.to_string()));
    }
    let success =
        r#"{"Method": "report_success", "Payload":{"Module":"default", "Version":"2.0.0"}}"#;
    assert_eq!(pubacks(&platform.packet(connection, publish(Some(7), up, success))), 1);
    assert_eq!(upgrade(&mut platform), ("succeeded".into(), String::new()));
    platform.packet(connection, Packet::Disconnect);
}

fn upgrade(platform: &mut Platform) -> (String, String) {
    use muster::cloud::Action;
    let list = operation(Action::ListUpgrades { product: PRODUCT.into() });
    match platform.operate(list).unwrap() {
        OperationResult::Upgrades { mut items } => {
            let item = items.remove(0);
            (item.state, item.detail)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_arduino_sdk_registers_at_qos_0_and_logs_in() {
    let mut platform = Platform::new();
    let (connection, out) = platform.connect(sdk_connect(500, 2, "sqx0cltqba402z7z"));
    assert_eq!(connack(&out), Some(0));
    let reply_topic = "/$system/70ly1tvowt696r15/112233445566/password_reply";
    let out = platform.packet(connection, subscribe(2, reply_topic, 0));
    assert_eq!(suback(&out), Some((2, vec![0])));
    let password = "/$system/70ly1tvowt696r15/112233445566/password";
    let out = platform.packet(connection, publish(None, password, r#"{"RequestID":"1"}"#));
    assert_eq!(pubacks(&out), 0);
    let [(_, QoS::AtMostOnce, body)] = &downs(&out)[..] else { panic!("{out:?}") };
    assert_eq!(body, r#"{"RetCode":"0","RequestID":"1","Password":"zlc3d21u5k8fq0d2"}"#);
    platform.packet(connection, Packet::Disconnect);

    let (connection, out) = platform.connect(sdk_connect(500, 1, "zlc3d21u5k8fq0d2"));
    assert_eq!(connack(&out), Some(0));
    let out = platform.packet(connection, subscribe(2, "/70ly1tvowt696r15/112233445566/set", 0));
    assert_eq!(suback(&out), Some((2, vec![0])));
    let upload = "/70ly1tvowt696r15/112233445566/upload";
    let out = platform.packet(connection, publish(None, upload, r#"{"test":1}"#));
    assert!(closed(&out).is_empty());
    // The program ends without a DISCONNECT.
    platform.bench.give(muster::cloud::CloudInput::Lost { connection });
}

#[test]
fn a_url_without_a_query_gets_one_because_the_c_sdk_needs_it() {
    let mut platform = Platform::new();
    let url = "http://127.0.0.1/fw.bin";
    platform.operate(add_firmware("2.0.0", url, &"a".repeat(32), 1)).unwrap();
    let connection = platform.online();
    let out = platform.operate_all(push("2.0.0"));
    assert!(downs(&out)[0].2.contains(r#""URL":"http://127.0.0.1/fw.bin?Version=2.0.0","#));
    assert!(closed(&out).is_empty());
    platform.packet(connection, Packet::Disconnect);
}

#[test]
fn every_message_down_is_below_the_c_sdks_buffer_and_ascii_and_begins_with_a_brace() {
    let mut platform = Platform::new();
    let long_url = format!("http://127.0.0.1/{}?x", "a".repeat(1000));
    platform.operate(add_firmware("2.0.0", &long_url, &"a".repeat(32), 1)).unwrap();
    let connection = platform.online();
    platform.subscribe(connection, &topic("password_reply"), 1);
    let mut all = downs(&platform.operate_all(push("2.0.0")));
    for request_id in
        [r#""100""#, "100", r#""caf\u00e9""#, "\"caf\u{e9}\"", &format!("\"{}\"", "i".repeat(250))]
    {
        for (name, rest) in [
            ("password", ""),
            ("tmodel/property/post", r#","Property":{"a":{"Value":"é"}}"#),
            ("tmodel/property/restore", ""),
            ("tmodel/event/post", r#","Identifier":"e","Output":{}"#),
        ] {
            let body = format!(r#"{{"RequestID":{request_id}{rest}}}"#);
            all.extend(downs(&platform.publish(connection, &topic(name), 1, &body)));
        }
    }
    assert_eq!(all.len(), 21);
    for (to, _, body) in &all {
        assert!(to.len() + body.len() + 9 < 2048);
        assert!(body.starts_with('{') && !body.contains('\n'));
    }
    assert!(all.iter().all(|(.., body)| body.is_ascii()));
}
