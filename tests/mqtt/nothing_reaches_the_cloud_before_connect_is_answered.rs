//! Clients may send on before CONNACK. The order still holds, and a refusal voids what came behind.

use muster::mqtt::{ClientSession, ServerEvent};

use super::common::*;

/// CONNECT, PINGREQ and a PUBLISH in one breath.
fn impatient() -> Vec<u8> {
    let mut bytes = transmit(&mut ClientSession::new(&connect(), START));
    bytes.extend_from_slice(b"\xc0\x00\x30\x04\x00\x01tx");
    bytes
}

#[test]
fn packets_behind_connect_wait_for_connack() {
    let mut server = server();
    server.receive(&impatient(), START);
    assert!(matches!(server.poll_event(), Some(ServerEvent::Connect(_))));
    assert!(server.poll_event().is_none());
    assert!(server.poll_transmit().is_none());
    server.connack(0, None);
    assert_eq!(describe(&server.poll_event().unwrap()), "PUBLISH None t q0 rfalse x");
    // CONNACK first, then PINGRESP.
    assert_eq!(answers(&mut server), b"\x20\x02\x00\x00\xd0\x00");
}

#[test]
fn a_refusal_drops_what_came_behind_connect() {
    let mut server = server();
    server.receive(&impatient(), START);
    assert!(matches!(server.poll_event(), Some(ServerEvent::Connect(_))));
    server.connack(5, None);
    assert_eq!(answers(&mut server), b"\x20\x02\x00\x05");
    assert!(server.poll_event().is_none());
    assert!(server.wants_close());
}

#[test]
fn a_peer_that_leaves_before_connack_leaves_nothing_but_its_loss() {
    let mut server = server();
    server.receive(&impatient(), START);
    server.connection_lost();
    let events: Vec<_> = server_events(&mut server).iter().map(describe).collect();
    assert!(events[0].starts_with("CONNECT"));
    assert_eq!(events[1..], ["Gone"]);
}
