//! The same conversation gives the same events, wherever the transport cuts the bytes.

use std::time::Duration;

use muster::mqtt::{ClientEvent, ClientSession};
use muster::{Ack, Message, QoS, Token};

use super::common::*;

/// Delivers `bytes` in pieces of the given sizes, the rest at once.
fn in_pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let (mut rest, mut pieces) = (bytes, Vec::new());
    for &cut in cuts {
        let (head, tail) = rest.split_at(cut.min(rest.len()));
        pieces.push(head);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}

/// One conversation; both directions are cut after the same number of bytes. Returns all that both sides saw.
fn converse(cuts: &[usize]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut client = ClientSession::new(&connect(), START);
    let mut server = server();
    let carry = |client: &mut ClientSession,
                 server: &mut muster::mqtt::ServerSession,
                 seen: &mut Vec<String>| {
        loop {
            let (up, down) = (transmit(client), answers(server));
            for piece in in_pieces(&up, cuts) {
                server.receive(piece, START);
            }
            for piece in in_pieces(&down, cuts) {
                client.receive(piece, START);
            }
            seen.extend(server_events(server).iter().map(|e| format!("< {}", describe(e))));
            for event in client_events(client) {
                seen.push(match event {
                    ClientEvent::Message(m) => {
                        format!("> {} {}", m.topic, String::from_utf8_lossy(m.payload.expose()))
                    }
                    other => format!("> {other:?}"),
                });
            }
            if up.is_empty() && down.is_empty() {
                return;
            }
        }
    };
    carry(&mut client, &mut server, &mut seen);
    server.connack(0, Some(Duration::from_secs(360)));
    carry(&mut client, &mut server, &mut seen);
    client.subscribe(Token(1), &subscribe("/p/d/reply")).unwrap();
    client
        .publish(Token(2), &publish("/p/d/ask", QoS::AtLeastOnce, "{\"RequestID\":\"1\"}"))
        .unwrap();
    client.publish(Token(3), &publish("/p/d/note", QoS::AtMostOnce, &"n".repeat(300))).unwrap();
    carry(&mut client, &mut server, &mut seen);
    server.suback(1, &[1]);
    server.puback(2);
    server.publish(70, "/p/d/reply", QoS::AtLeastOnce, &bytes("{\"RetCode\":\"0\"}"));
    server.publish(71, "/p/d/reply", QoS::AtMostOnce, &bytes(""));
    carry(&mut client, &mut server, &mut seen);
    client.disconnect();
    carry(&mut client, &mut server, &mut seen);
    assert!(client.wants_close() && server.wants_close());
    seen
}

#[test]
fn a_conversation_in_one_piece_is_what_both_sides_meant() {
    assert_eq!(
        converse(&[]),
        [
            "< CONNECT level 4 70ly1tvowt696r15.112233445566 \
             Some(\"70ly1tvowt696r15|112233445566|2\") Some(\"sqx0cltqba402z7z\") keep 240 \
             clean true will false",
            "> Connected { session_present: false }",
            "< Subscribe { packet_id: 1, filters: [(\"/p/d/reply\", 1)] }",
            "< PUBLISH Some(2) /p/d/ask q1 rfalse {\"RequestID\":\"1\"}",
            &format!("< PUBLISH None /p/d/note q0 rfalse {}", "n".repeat(300)),
            "> Acked(Token(3), Published)",
            "> Acked(Token(1), Subscribed(AtLeastOnce))",
            "> Acked(Token(2), Published)",
            "> /p/d/reply {\"RetCode\":\"0\"}",
            "> /p/d/reply ",
            "< Acked { token: 70 }",
            "< Disconnect",
            "< Disconnected",
        ]
    );
}

#[test]
fn every_single_cut_gives_the_same_events() {
    let whole = converse(&[]);
    // The longest burst is 360 bytes or so.
    for cut in 0..400 {
        assert_eq!(converse(&[cut]), whole, "cut after {cut} bytes");
    }
}

#[test]
fn one_byte_at_a_time_gives_the_same_events() {
    assert_eq!(converse(&[1; 500]), converse(&[]));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]
    #[test]
    fn any_cuts_give_the_same_events(cuts in proptest::collection::vec(0usize..40, 0..60)) {
        proptest::prop_assert_eq!(converse(&cuts), converse(&[]));
    }

    #[test]
    fn any_topic_and_payload_arrive_as_sent(
        topic in "[^\u{0}+#]{1,40}", payload in ".{0,400}", at_least_once: bool,
    ) {
        let mut client = connected();
        let mut server = accepted();
        let qos = if at_least_once { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        client.publish(Token(1), &publish(&topic, qos, &payload)).unwrap();
        server.receive(&transmit(&mut client), START);
        let events = server_events(&mut server);
        let id = at_least_once.then_some(1u16);
        let q = qos as u8;
        proptest::prop_assert_eq!(describe(&events[0]), format!("PUBLISH {id:?} {topic} q{q} rfalse {payload}"));
        server.publish(5, &topic, qos, &bytes(&payload));
        client_events(&mut client);
        client.receive(&answers(&mut server), START);
        let message = Message { topic, payload: bytes(&payload) };
        proptest::prop_assert_eq!(client_events(&mut client), vec![ClientEvent::Message(message)]);
        proptest::prop_assert_eq!(transmit(&mut client).len(), if at_least_once { 4 } else { 0 });
    }
}

#[test]
fn a_refused_subscription_and_a_lower_grant_are_told_apart() {
    let mut client = connected();
    for token in 1..=3 {
        client.subscribe(Token(token), &subscribe("/p/d")).unwrap();
    }
    client.receive(b"\x90\x03\x00\x01\x80\x90\x03\x00\x02\x00\x90\x03\x00\x03\x01", START);
    assert_eq!(
        client_events(&mut client),
        [
            ClientEvent::Acked(Token(1), Ack::SubscribeRefused),
            ClientEvent::Acked(Token(2), Ack::Subscribed(QoS::AtMostOnce)),
            ClientEvent::Acked(Token(3), Ack::Subscribed(QoS::AtLeastOnce)),
        ]
    );
}

#[test]
fn a_second_acknowledgement_is_nobody_s() {
    let mut client = connected();
    client.publish(Token(9), &publish("/p", QoS::AtLeastOnce, "x")).unwrap();
    client.receive(b"\x40\x02\x00\x01\x40\x02\x00\x01\x40\x02\x00\x07", START);
    assert_eq!(client_events(&mut client), [ClientEvent::Acked(Token(9), Ack::Published)]);
    assert!(!client.wants_close());
}
