use muster::{Command, Due, Error, Event, Input, Intent, Step, UnixTime};

use crate::support::*;

fn online(settings: &muster::Settings) -> (Hand, muster::Token) {
    let mut hand = Hand::new(settings, stored(true));
    let connection = hand.until_online();
    (hand, connection)
}

#[test]
fn once_an_hour_if_nothing_else_is_said() {
    let (mut hand, _) = online(&settings());
    assert_eq!(hand.wait(), 3_600_000);
    let (token, _, body) = hand.publish();
    assert_eq!(body, r#"{"CMD":10,"HW_VERSION":"1.0.0","FW_VERSION":"1.0.0"}"#);
    hand.acked(token);
    let next = muster::Instant(hand.now.mono.0 + 3_600_000);
    let next_unix = UnixTime(hand.now.unix.unwrap().0 + 3_600_000);
    assert_eq!(
        *hand.last_event(),
        Event::Heartbeat { next: Some(next), next_unix: Some(next_unix), why: Due::Period }
    );
}

#[test]
fn only_after_the_login_if_the_period_is_zero() {
    let mut hand = Hand::new(&settings().with("report_interval_s", "0"), stored(true));
    let (connection, _) = hand.connect();
    hand.connected(connection);
    let (token, _) = hand.subscribe();
    hand.subscribed(token);
    let (token, ..) = hand.publish();
    hand.acked(token);
    assert_eq!(
        *hand.last_event(),
        Event::Heartbeat { next: None, next_unix: None, why: Due::KeepAlive }
    );
    assert_eq!(hand.timeout, None);
}

#[test]
fn at_once_if_a_person_wants_it() {
    let (mut hand, _) = online(&settings());
    hand.input(Input::User(Intent::Report));
    hand.publish();
}

#[test]
fn a_report_that_is_not_acknowledged_is_repeated_and_then_the_connection_is_given_up() {
    let (mut hand, connection) = online(&settings());
    hand.wait();
    hand.publish();
    for _ in 0..3 {
        assert_eq!(hand.wait(), 10_000);
        assert!(matches!(
            hand.last_event(),
            Event::Retrying { error: Error::NoReply { step: Step::ReportVersion }, .. }
        ));
        hand.wait();
        hand.publish();
    }
    assert_eq!(hand.wait(), 10_000);
    assert_eq!(hand.next(), Command::Close(connection));
    hand.wait();
    assert_eq!(hand.connect().1.password.expose(), DEVICE_SECRET);
}

#[test]
fn a_lost_session_is_taken_up_again_with_a_report() {
    let (mut hand, connection) = online(&settings());
    hand.wait();
    let (token, ..) = hand.publish();
    hand.acked(token);
    hand.lost(connection);
    let pause = hand.wait();
    assert!((800..=1_200).contains(&pause), "an hour online ends every back-off: {pause}");
    let (connection, _) = hand.connect();
    hand.connected(connection);
    let (token, _) = hand.subscribe();
    hand.subscribed(token);
    hand.publish();
}

#[test]
fn sessions_that_never_last_are_spaced_out() {
    let mut hand = Hand::new(&settings(), stored(true));
    let mut last = 0;
    for _ in 0..8 {
        let (connection, _) = hand.connect();
        hand.connected(connection);
        hand.subscribe();
        hand.lost(connection);
        last = hand.wait();
    }
    assert!(last >= 48_000, "{last}");
}
