//! Each breach, and what both ends call it.

use muster::mqtt::{ClientEvent, ClientSession, NotSent};
use muster::{Connect, Failure, QoS, Secret, Token};

use super::common::*;

#[test]
fn a_server_names_each_breach() {
    for (bytes, name) in [
        (&b"\x10\x02\x00\x00"[..], "Breach(SecondConnect)"),
        (b"\x20\x02\x00\x00", "Breach(Unexpected)"),
        (b"\x00\x00", "Breach(Unexpected)"),
        (b"\xf0\x00", "Breach(Unexpected)"),
        (b"\x62\x02\x00\x01", "Breach(Malformed)"),
        (b"\x50\x02\x00\x01", "Breach(Unexpected)"),
        // Flags, lengths, identifiers.
        (b"\x80\x06\x00\x05\x00\x01t\x01", "Breach(Malformed)"),
        (b"\x82\x06\x00\x00\x00\x01t\x01", "Breach(Malformed)"),
        (b"\x82\x06\x00\x05\x00\x01t\x03", "Breach(Malformed)"),
        (b"\x82\x06\x00\x05\x00\x01t\x09", "Breach(Malformed)"),
        (b"\x82\x02\x00\x05", "Breach(Malformed)"),
        (b"\xa2\x02\x00\x05", "Breach(Malformed)"),
        (b"\x32\x06\x00\x01t\x00\x00x", "Breach(Malformed)"),
        (b"\x36\x06\x00\x01t\x00\x01x", "Breach(Malformed)"),
        (b"\x38\x04\x00\x01tx", "Breach(Malformed)"),
        (b"\x40\x03\x00\x01\x00", "Breach(Malformed)"),
        (b"\xc0\x01\x00", "Breach(Unexpected)"),
        (b"\xc1\x00", "Breach(Malformed)"),
        (b"\x30\xff\xff\xff\xff\x7f", "Breach(Malformed)"),
        (b"\x30\xff\xff\xff\x7f", "TooLarge"),
        // Topics.
        (b"\x30\x03\x00\x00x", "Breach(Topic)"),
        (b"\x30\x04\x00\x01#x", "Breach(Topic)"),
        (b"\x30\x04\x00\x01\x00x", "Breach(Topic)"),
        (b"\x30\x04\x00\x01\xffx", "Breach(Malformed)"),
        (b"\x82\x05\x00\x05\x00\x00\x01", "Breach(Topic)"),
    ] {
        let mut server = accepted();
        server.receive(bytes, START);
        assert_eq!(describe(&server.poll_event().expect(name)), name, "{bytes:x?}");
        assert!(server.wants_close());
        assert!(server.poll_event().is_none());
    }
}

#[test]
fn a_server_names_a_bad_beginning() {
    for (bytes, name) in [
        (&b"GET / HTTP/1.1\r\n"[..], "Breach(Malformed)"),
        (b"\xc0\x00", "Breach(NotConnect)"),
        (b"\x10\x0d\x00\x04MQTX\x04\x02\x00\x3c\x00\x01c", "Breach(Malformed)"),
        // Reserved flag; will flags without a will; will QoS 3; password without user name; trailing byte.
        (b"\x10\x0d\x00\x04MQTT\x04\x03\x00\x3c\x00\x01c", "Breach(Malformed)"),
        (b"\x10\x0d\x00\x04MQTT\x04\x22\x00\x3c\x00\x01c", "Breach(Malformed)"),
        (b"\x10\x13\x00\x04MQTT\x04\x1e\x00\x3c\x00\x01c\x00\x01t\x00\x01w", "Breach(Malformed)"),
        (b"\x10\x10\x00\x04MQTT\x04\x42\x00\x3c\x00\x01c\x00\x01p", "Breach(Malformed)"),
        (b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x01cx", "Breach(Malformed)"),
        (b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01\x00", "Breach(Malformed)"),
        (b"\x10\xff\xff\x03", "TooLarge"),
    ] {
        let mut server = server();
        server.receive(bytes, START);
        // An HTTP request looks like a packet of another type whose end has not come yet.
        if bytes.starts_with(b"GET") {
            server.receive(&[b' '; 100], START);
            assert_eq!(describe(&server.poll_event().unwrap()), name);
            continue;
        }
        assert_eq!(describe(&server.poll_event().expect(name)), name, "{bytes:x?}");
        assert!(server.poll_transmit().is_none());
    }
}

#[test]
fn a_client_calls_each_breach_a_failure_of_the_protocol() {
    for bytes in [
        &b"\x20\x02\x00\x00"[..],
        b"\x10\x00",
        b"\x82\x06\x00\x05\x00\x01t\x01",
        b"\xc0\x00",
        b"\x40\x02\x00\x00",
        b"\x40\x03\x00\x01\x00",
        b"\x90\x02\x00\x01",
        b"\x90\x03\x00\x01\x03",
        b"\x90\x04\x00\x01\x01\x01",
        b"\xd1\x00",
        b"\xd0\x01\x00",
        b"\x34\x06\x00\x01t\x00\x09x",
        b"\x32\x06\x00\x01t\x00\x00x",
        b"\x30\x03\x00\x00x",
        b"\x30\x04\x00\x01+x",
        b"\x30\xff\xff\xff\xff\x01",
    ] {
        let mut client = connected();
        client.receive(bytes, START);
        let failed = [ClientEvent::Failed(Failure::Protocol)];
        assert_eq!(client_events(&mut client), failed, "{bytes:x?}");
        assert!(client.wants_close());
    }
    let mut client = connected();
    client.receive(b"\x30\xff\xff\xff\x7f", START);
    assert_eq!(client_events(&mut client), [ClientEvent::Failed(Failure::TooLarge)]);
}

#[test]
fn a_client_takes_no_message_before_connack_and_no_malformed_connack() {
    for bytes in [
        &b"\x30\x04\x00\x01tx"[..],
        b"\x20\x02\x02\x00",
        b"\x20\x03\x00\x00\x00",
        b"\x21\x02\x00\x00",
    ] {
        let mut client = ClientSession::new(&connect(), START);
        client.receive(bytes, START);
        assert_eq!(client_events(&mut client), [ClientEvent::Failed(Failure::Protocol)]);
    }
}

#[test]
fn a_refusal_is_told_with_its_code_even_an_undocumented_one() {
    for code in [1, 2, 3, 4, 5, 6, 0x87, 255] {
        let mut client = ClientSession::new(&connect(), START);
        client.receive(&[0x20, 2, 0, code], START);
        client.connection_lost();
        assert_eq!(client_events(&mut client), [ClientEvent::Refused(code)]);
        assert!(client.wants_close());
    }
}

#[test]
fn what_cannot_be_sent_is_refused_before_it_is() {
    let mut client = ClientSession::new(&connect(), START);
    let message = publish("/p", QoS::AtLeastOnce, "x");
    assert_eq!(client.publish(Token(1), &message), Err(NotSent::NotConnected));
    let mut client = connected();
    let topics = ["", "a+", "#", "a\0"];
    for topic in topics {
        assert_eq!(
            client.publish(Token(1), &publish(topic, QoS::AtMostOnce, "x")),
            Err(NotSent::Topic)
        );
    }
    assert_eq!(client.subscribe(Token(1), &subscribe("")), Err(NotSent::Topic));
    let long = "t".repeat(65_536);
    assert_eq!(client.subscribe(Token(1), &subscribe(&long)), Err(NotSent::TooLarge));
    let large = publish("/p", QoS::AtMostOnce, &"x".repeat(262_145));
    assert_eq!(client.publish(Token(1), &large), Err(NotSent::TooLarge));
    assert!(client.poll_transmit().is_none());
    client.disconnect();
    assert_eq!(client.publish(Token(1), &message), Err(NotSent::NotConnected));
}

#[test]
fn names_too_long_for_mqtt_fail_at_once() {
    let connect = Connect { password: Secret::new("x".repeat(70_000)), ..connect() };
    let mut client = ClientSession::new(&connect, START);
    assert!(client.poll_transmit().is_none());
    assert_eq!(client_events(&mut client), [ClientEvent::Failed(Failure::TooLarge)]);
}
