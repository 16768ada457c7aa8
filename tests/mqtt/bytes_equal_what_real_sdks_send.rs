//! Golden bytes. The transcripts of two real UCloud SDKs say, field by field, what they sent: level 4, flags c2, keep
//! alive 240 (C) or 500 (Arduino), these names. The bytes here are that CONNECT, written out by hand after MQTT 3.1.1.

use muster::mqtt::{ClientSession, ServerEvent};
use muster::{QoS, Token};

use super::common::*;

const C_SDK_CONNECT: &[u8] = b"\x10\x5c\x00\x04MQTT\x04\xc2\x00\xf0\
    \x00\x1d70ly1tvowt696r15.112233445566\
    \x00\x1f70ly1tvowt696r15|112233445566|2\
    \x00\x10sqx0cltqba402z7z";

const ARDUINO_CONNECT: &[u8] = b"\x10\x5c\x00\x04MQTT\x04\xc2\x01\xf4\
    \x00\x1d70ly1tvowt696r15.112233445566\
    \x00\x1f70ly1tvowt696r15|112233445566|1\
    \x00\x10zlc3d21u5k8fq0d2";

#[test]
fn our_connect_is_byte_for_byte_that_of_the_c_sdk() {
    let mut client = ClientSession::new(&connect(), START);
    assert_eq!(transmit(&mut client), C_SDK_CONNECT);
}

#[test]
fn both_sdks_connects_are_read_in_full() {
    for (bytes, keep, mode, secret) in
        [(C_SDK_CONNECT, 240, 2, "sqx0cltqba402z7z"), (ARDUINO_CONNECT, 500, 1, "zlc3d21u5k8fq0d2")]
    {
        let mut server = server();
        server.receive(bytes, START);
        let Some(ServerEvent::Connect(connect)) = server.poll_event() else { panic!("no CONNECT") };
        assert_eq!(
            describe_connect(&connect),
            format!(
                "CONNECT level 4 70ly1tvowt696r15.112233445566 \
                 Some(\"70ly1tvowt696r15|112233445566|{mode}\") Some(\"{secret}\") keep {keep} \
                 clean true will false"
            )
        );
    }
}

#[test]
fn the_c_sdk_s_packets_after_connect_are_read_and_answered() {
    let mut server = accepted();
    server.receive(b"\x82\x10\x00\x02\x00\x0b/p/d/answer\x01"[..].as_ref(), START);
    server.receive(b"\x32\x1b\x00\x06/p/ask\x00\x03{\"RequestID\":\"1\"}"[..].as_ref(), START);
    server.receive(b"\xa2\x0f\x00\x04\x00\x0b/p/d/answer\xe0\x00", START);
    assert_eq!(
        server_events(&mut server).iter().map(describe).collect::<Vec<_>>(),
        [
            "Subscribe { packet_id: 2, filters: [(\"/p/d/answer\", 1)] }",
            "PUBLISH Some(3) /p/ask q1 rfalse {\"RequestID\":\"1\"}",
            "Unsubscribe { packet_id: 4, filters: [\"/p/d/answer\"] }",
            "Disconnect",
            "Disconnected",
        ]
    );
}

#[test]
fn the_server_s_answers_are_the_documented_bytes() {
    let mut server = accepted();
    server.suback(2, &[1, 0x80]);
    server.puback(3);
    server.publish(7, "/a", QoS::AtLeastOnce, &bytes("x"));
    server.publish(8, "/a", QoS::AtMostOnce, &bytes("y"));
    server.unsuback(4);
    assert_eq!(
        answers(&mut server),
        b"\x90\x04\x00\x02\x01\x80\x40\x02\x00\x03\x32\x07\x00\x02/a\x00\x01x\x30\x05\x00\x02/ay\
          \xb0\x02\x00\x04"
    );
    // A SUBACK long enough for two bytes of length.
    server.suback(5, &[1; 200]);
    assert_eq!(answers(&mut server)[..5], [0x90, 202, 1, 0, 5]);
}

#[test]
fn the_client_s_packets_are_the_documented_bytes() {
    let mut client = connected();
    client.subscribe(Token(1), &subscribe("/p/a")).unwrap();
    client.publish(Token(2), &publish("/p/b", QoS::AtLeastOnce, "x")).unwrap();
    client.publish(Token(3), &publish("/p/c", QoS::AtMostOnce, "y")).unwrap();
    client.disconnect();
    assert_eq!(
        transmit(&mut client),
        b"\x82\x09\x00\x01\x00\x04/p/a\x01\x32\x09\x00\x04/p/b\x00\x02x\x30\x07\x00\x04/p/cy\xe0\x00"
    );
    assert!(client.wants_close());
}
