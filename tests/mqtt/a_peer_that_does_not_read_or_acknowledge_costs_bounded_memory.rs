//! The bounds of `ServerLimits`, each met.

use muster::mqtt::{ServerLimits, ServerSession};
use muster::{QoS, Token};

use super::common::*;

fn small() -> ServerLimits {
    ServerLimits { queued: 1_000, unsent: 1_000, in_flight: 5, packet: 500, ..Default::default() }
}

fn last(server: &mut ServerSession) -> String {
    describe(server_events(server).last().expect("an event"))
}

#[test]
fn a_flood_of_packets_is_cut_off() {
    for flood in [&b"\x30\x04\x00\x01tx"[..], b"\xc0\x00"] {
        let mut server = accepted_with(small());
        server.receive(&flood.repeat(10_000), START);
        let events = server_events(&mut server);
        assert_eq!(describe(events.last().unwrap()), "TooMany");
        assert!(events.len() < 20, "{} events", events.len());
    }
}

#[test]
fn one_subscribe_with_very_many_filters_counts_them() {
    let mut server = accepted_with(small());
    let mut packet = vec![0x82, 2 + 4 * 30, 0, 1];
    packet.extend_from_slice(&b"\x00\x01t\x01".repeat(30));
    server.receive(&packet, START);
    assert_eq!(last(&mut server), "TooMany");
}

#[test]
fn a_flood_that_is_polled_is_no_flood() {
    let mut server = accepted_with(small());
    for _ in 0..1_000 {
        server.receive(b"\x30\x04\x00\x01tx\xc0\x00", START);
        assert_eq!(server_events(&mut server).len(), 1);
        assert_eq!(answers(&mut server), [0xd0, 0]);
    }
}

#[test]
fn a_reader_too_slow_for_its_answers_is_dropped() {
    let mut server = accepted_with(small());
    for _ in 0..1_000 {
        server.publish(1, "/t", QoS::AtMostOnce, &bytes("0123456789"));
    }
    assert_eq!(last(&mut server), "SlowReader");
    assert!(answers(&mut server).len() <= 1_000);
}

#[test]
fn a_peer_that_never_acknowledges_is_dropped() {
    let mut server = accepted_with(small());
    for token in 0..6 {
        server.publish(token, "/t", QoS::AtLeastOnce, &bytes("x"));
    }
    assert_eq!(last(&mut server), "Unacknowledged");
}

#[test]
fn acknowledgements_free_their_places_and_carry_the_tokens() {
    let mut server = accepted_with(small());
    for token in 0..70_000u32 {
        server.publish(token, "/t", QoS::AtLeastOnce, &bytes("x"));
        let sent = answers(&mut server);
        let id = [sent[6], sent[7]];
        assert_ne!(id, [0, 0]);
        server.receive(&[0x40, 2, id[0], id[1]], START);
        assert_eq!(last(&mut server), format!("Acked {{ token: {token} }}"));
    }
}

#[test]
fn a_packet_over_the_limit_is_refused_by_its_header_alone() {
    let mut server = accepted_with(small());
    server.receive(&[0x30, 0xff, 0x03], START);
    assert_eq!(last(&mut server), "TooLarge");
}

#[test]
fn a_client_bounds_what_waits_for_its_server() {
    let mut client = connected();
    let sent = (0..2_000)
        .take_while(|&n| client.publish(Token(n), &publish("/p", QoS::AtLeastOnce, "x")).is_ok())
        .count();
    assert_eq!(sent, 1_000);
}
