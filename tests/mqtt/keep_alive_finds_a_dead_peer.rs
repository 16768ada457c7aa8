//! Timers of both ends, on virtual time.

use std::time::Duration;

use muster::mqtt::{ClientEvent, ClientSession, ServerLimits, ServerSession};
use muster::{Failure, QoS, Token};

use super::common::*;

#[test]
fn the_client_pings_within_its_keep_alive_and_goes_on_when_answered() {
    let mut client = connected();
    for round in 1..=5u64 {
        let due = client.poll_timeout().unwrap();
        assert_eq!(due, at(216_000 * round));
        client.handle_timeout(due);
        assert_eq!(transmit(&mut client), [0xc0, 0]);
        client.receive(&[0xd0, 0], due);
        assert!(client_events(&mut client).is_empty());
    }
}

#[test]
fn a_ping_without_an_answer_is_the_end() {
    let mut client = connected();
    client.handle_timeout(at(216_000));
    transmit(&mut client);
    assert_eq!(client.poll_timeout(), Some(at(226_000)));
    client.handle_timeout(at(225_999));
    assert!(client_events(&mut client).is_empty());
    client.handle_timeout(at(226_000));
    assert_eq!(client_events(&mut client), [ClientEvent::Failed(Failure::TimedOut)]);
    assert!(client.wants_close());
    assert_eq!(client.poll_timeout(), None);
}

#[test]
fn a_client_that_only_sends_still_asks_whether_anybody_hears() {
    let mut client = connected();
    client.handle_timeout(at(200_000));
    client.publish(Token(1), &publish("/p", QoS::AtMostOnce, "x")).unwrap();
    assert_eq!(client.poll_timeout(), Some(at(216_000)));
}

#[test]
fn keep_alive_0_never_pings() {
    let mut connect = connect();
    connect.keep_alive = 0;
    let mut client = ClientSession::new(&connect, START);
    client.receive(&[0x20, 2, 0, 0], START);
    assert_eq!(client.poll_timeout(), None);
}

#[test]
fn a_server_that_does_not_answer_connect_is_given_up() {
    let mut client = ClientSession::new(&connect(), START);
    assert_eq!(client.poll_timeout(), Some(at(10_000)));
    client.handle_timeout(at(10_000));
    assert_eq!(client_events(&mut client), [ClientEvent::Failed(Failure::TimedOut)]);
}

#[test]
fn the_server_drops_a_client_that_is_silent_for_longer_than_the_cloud_allows() {
    let mut server = accepted();
    assert_eq!(server.poll_timeout(), Some(at(360_000)));
    // Half a packet is no sign of life, a whole one is.
    server.receive(&[0xc0], at(300_000));
    assert_eq!(server.poll_timeout(), Some(at(360_000)));
    server.receive(&[0x00], at(350_000));
    assert_eq!(server.poll_timeout(), Some(at(710_000)));
    assert!(server.poll_event().is_none());
    assert_eq!(answers(&mut server), [0xd0, 0]);
    server.handle_timeout(at(710_000));
    assert_eq!(describe(&server.poll_event().unwrap()), "Silent");
    assert!(server.wants_close());
}

#[test]
fn the_server_does_not_wait_for_connect_for_ever() {
    let mut server = server();
    server.receive(&[0x10, 90, 0, 4], at(9_000));
    assert_eq!(server.poll_timeout(), Some(at(10_000)));
    server.handle_timeout(at(10_000));
    assert_eq!(describe(&server.poll_event().unwrap()), "NoConnect");
}

#[test]
fn without_a_limit_on_silence_the_server_waits() {
    let mut server = ServerSession::new(ServerLimits::default(), START);
    server.receive(&transmit(&mut ClientSession::new(&connect(), START)), START);
    server.poll_event();
    server.connack(0, None);
    assert_eq!(server.poll_timeout(), None);
    server.handle_timeout(START + Duration::from_secs(1_000_000));
    assert!(server.poll_event().is_none());
}
