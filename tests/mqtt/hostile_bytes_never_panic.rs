//! Whatever comes: an event or a refusal, never a panic, and never more memory than allowed.

use muster::mqtt::{ClientSession, ServerEvent};
use muster::{QoS, Token};
use proptest::prelude::*;

use super::common::*;

/// Bytes that look like packets more often than chance would have it.
fn packets() -> impl Strategy<Value = Vec<u8>> {
    let packet = (any::<u8>(), prop::collection::vec(any::<u8>(), 0..40), any::<bool>()).prop_map(
        |(first, body, honest)| {
            let mut bytes = vec![first, if honest { body.len() as u8 } else { first ^ 0x55 }];
            bytes.extend(body);
            bytes
        },
    );
    prop::collection::vec(packet, 0..8).prop_map(|packets| packets.concat())
}

fn feed_server(bytes: &[u8], cut: usize, accept: bool) {
    let mut server = if accept { accepted() } else { server() };
    let (head, tail) = bytes.split_at(cut.min(bytes.len()));
    for piece in [head, tail] {
        server.receive(piece, START);
        for event in server_events(&mut server) {
            if matches!(event, ServerEvent::Connect(_)) {
                server.connack(0, None);
            }
            let _ = (describe(&event), format!("{event:?} {server:?}"));
        }
        server.publish(1, "/t", QoS::AtLeastOnce, &super::common::bytes("x"));
        assert!(answers(&mut server).len() < 10_000);
        server.handle_timeout(at(50));
        let _ = server.poll_timeout();
    }
}

fn feed_client(bytes: &[u8], cut: usize, accept: bool) {
    let mut client = if accept { connected() } else { ClientSession::new(&connect(), START) };
    let (head, tail) = bytes.split_at(cut.min(bytes.len()));
    for piece in [head, tail] {
        client.receive(piece, START);
        let _ = (client_events(&mut client), format!("{client:?}"));
        let _ = client.publish(Token(1), &publish("/t", QoS::AtLeastOnce, "x"));
        assert!(transmit(&mut client).len() < 10_000);
        client.handle_timeout(at(50));
        let _ = client.poll_timeout();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0usize..300, accept: bool) {
        feed_server(&bytes, cut, accept);
        feed_client(&bytes, cut, accept);
    }

    #[test]
    fn almost_packets(bytes in packets(), cut in 0usize..300, accept: bool) {
        feed_server(&bytes, cut, accept);
        feed_client(&bytes, cut, accept);
    }

    #[test]
    fn a_connect_with_damage(at in 0usize..92, to: u8, cut in 0usize..92) {
        let mut bytes = transmit(&mut ClientSession::new(&connect(), START));
        bytes[at] = to;
        bytes.extend_from_slice(b"\x82\x06\x00\x05\x00\x01t\x01\xc0\x00");
        feed_server(&bytes, cut, false);
    }
}

#[test]
fn every_packet_of_up_to_three_body_bytes_of_interest() {
    let interesting = [0u8, 1, 2, 4, 0x7f, 0x80, 0xff];
    for first in 0..=255u8 {
        feed_server(&[first, 0], 0, true);
        feed_client(&[first, 0], 0, true);
        for a in interesting {
            for b in interesting {
                for body in [&[first, 1, a][..], &[first, 2, a, b], &[first, 3, 0, a, b]] {
                    feed_server(body, 0, true);
                    feed_client(body, 0, true);
                }
            }
        }
    }
}

#[test]
fn debug_shows_no_secret() {
    let client = ClientSession::new(&connect(), START);
    assert!(!format!("{client:?}").contains("sqx0"));
    let mut server = server();
    let mut client = client;
    server.receive(&transmit(&mut client), START);
    let shown = format!("{:?} {server:?}", server.poll_event());
    assert!(!shown.contains("sqx0") && shown.contains("Secret(…)"), "{shown}");
}
