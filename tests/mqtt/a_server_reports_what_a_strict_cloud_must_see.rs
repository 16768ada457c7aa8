//! Will, retain, QoS 2 and other protocol levels reach the cloud; the refusal is the vendor's.

use muster::mqtt::ServerEvent;

use super::common::*;

fn connect_of(bytes: &[u8]) -> String {
    let mut server = server();
    server.receive(bytes, START);
    describe(&server.poll_event().expect("CONNECT or its refusal"))
}

#[test]
fn a_will_is_reported() {
    let bytes = b"\x10\x18\x00\x04MQTT\x04\x06\x00\x3c\x00\x01c\x00\x01t\x00\x06secret";
    assert_eq!(connect_of(bytes), "CONNECT level 4 c None None keep 60 clean true will true");
}

#[test]
fn an_unclean_session_is_reported() {
    let bytes = b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x3c\x00\x01c";
    assert_eq!(connect_of(bytes), "CONNECT level 4 c None None keep 60 clean false will false");
}

#[test]
fn mqtt_5_arrives_as_level_5_and_is_refused_in_words_that_old_clients_know() {
    // 11 bytes of properties: session expiry 0x11, receive maximum 0x21, topic alias maximum 0x22.
    let bytes =
        b"\x10\x1d\x00\x04MQTT\x05\xc2\x00\x3c\x0b\x11\x00\x00\x00\x0a\x21\x00\x14\x22\x00\x05\
        \x00\x01c\x00\x00\x00\x00";
    let mut server = server();
    server.receive(&bytes[..], START);
    let Some(ServerEvent::Connect(connect)) = server.poll_event() else { panic!("no CONNECT") };
    assert_eq!((connect.protocol_level, connect.client_id.as_str()), (5, "c"));
    server.connack(1, None);
    assert_eq!(answers(&mut server), [0x20, 2, 0, 1]);
    assert!(server.wants_close());
    assert!(server.poll_event().is_none());
}

#[test]
fn mqtt_3_1_arrives_as_level_3() {
    let bytes = b"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01c";
    assert!(connect_of(bytes).starts_with("CONNECT level 3 c "));
}

#[test]
fn a_password_that_is_no_text_is_reported_and_matches_nothing() {
    let bytes = b"\x10\x14\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01c\x00\x01u\x00\x02\xff\xfe";
    assert!(connect_of(bytes).contains("Some(\"\u{fffd}\u{fffd}\")"));
}

#[test]
fn retain_and_qos_2_are_reported() {
    let mut server = accepted();
    server.receive(
        b"\x31\x04\x00\x01tx\x34\x06\x00\x01t\x00\x09x\x82\x06\x00\x05\x00\x01t\x02",
        START,
    );
    assert_eq!(
        server_events(&mut server).iter().map(describe).collect::<Vec<_>>(),
        [
            "PUBLISH None t q0 rtrue x",
            "PUBLISH Some(9) t q2 rfalse x",
            "Subscribe { packet_id: 5, filters: [(\"t\", 2)] }",
        ]
    );
}

#[test]
fn a_closed_connection_tells_the_cloud_nothing_more() {
    let mut server = accepted();
    server.receive(b"\x30\x04\x00\x01tx", START);
    server.close();
    server.receive(b"\x30\x04\x00\x01ty", START);
    server.connection_lost();
    assert!(server.poll_event().is_none());
    assert!(server.wants_close());
}

#[test]
fn what_came_before_the_connection_broke_is_still_reported() {
    let mut server = accepted();
    server.receive(b"\x30\x04\x00\x01tx", START);
    server.connection_lost();
    server.connection_lost();
    assert_eq!(
        server_events(&mut server).iter().map(describe).collect::<Vec<_>>(),
        ["PUBLISH None t q0 rfalse x", "Gone"]
    );
}
