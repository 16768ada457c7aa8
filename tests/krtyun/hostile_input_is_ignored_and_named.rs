use muster::{CodecError, Command, Error, Event, Input, PeerMisbehaved, Stored, Token, Warning};
use proptest::prelude::*;

use crate::support::*;

/// What the device says about `body` as an issue; it goes on waiting.
fn ignored(body: &[u8]) -> Error {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (_, id) = hand.until_asked();
    hand.events.clear();
    let timeout = hand.timeout;
    hand.message(&topic("register/set"), body);
    assert!(hand.commands.is_empty(), "{body:?}");
    assert_eq!(hand.timeout, timeout, "it goes on waiting as before");
    let error = match &hand.events[..] {
        [Event::Warning { warning: Warning::Ignored { error } }] => error.clone(),
        other => panic!("{other:?}"),
    };
    hand.message(&topic("register/set"), issue(&id, DEVICE_SECRET).as_bytes());
    hand.store();
    error
}

/// The agent of [`ignored`] is always the same, and so is its request's `ID`.
fn known_id() -> String {
    Hand::new(&settings(), Stored::empty()).until_asked().1
}

#[test]
fn a_wrong_or_missing_id() {
    let wrong = Error::PeerMisbehaved { how: PeerMisbehaved::WrongRequestId };
    assert_eq!(ignored(issue("another", DEVICE_SECRET).as_bytes()), wrong);
    let missing = ignored(br#"{"CMD":21,"DEVICE_SECRET":"sixteencharssec1"}"#);
    assert_eq!(missing, Error::Codec { error: CodecError::Missing("ID".into()) });
}

#[test]
fn what_is_no_issue() {
    let id = known_id();
    let cases: [(Vec<u8>, CodecError); 9] = [
        (b"".into(), CodecError::NotJson),
        (b"secret".into(), CodecError::NotJson),
        (b"[21]".into(), CodecError::NotAnObject),
        (b"\xff\xfe{}".into(), CodecError::NotUtf8),
        (vec![b' '; 70_000].into_iter().chain(*b"x").collect(), CodecError::TooLong),
        ("[".repeat(40).into_bytes(), CodecError::TooDeep),
        (b"{}".into(), CodecError::Missing("CMD".into())),
        (
            format!(r#"{{"CMD":20,"ID":"{id}","DEVICE_SECRET":"x"}}"#).into(),
            CodecError::Invalid("CMD".into()),
        ),
        (
            format!(r#"{{"CMD":21,"ID":"{id}"}}"#).into(),
            CodecError::Missing("DEVICE_SECRET".into()),
        ),
    ];
    for (body, error) in cases {
        assert_eq!(ignored(&body), Error::Codec { error });
    }
}

#[test]
fn an_issue_for_another_device() {
    let id = known_id();
    let body = format!(r#"{{"CMD":21,"ID":"{id}","DEVICE_ID":"other","DEVICE_SECRET":"x"}}"#);
    let wrong = Error::PeerMisbehaved { how: PeerMisbehaved::WrongIdentity };
    assert_eq!(ignored(body.as_bytes()), wrong);
}

#[test]
fn a_secret_that_cannot_be_one_ends_the_try() {
    for secret in ["", " ", "a b", "\\u0007", "€", &"x".repeat(65)] {
        let mut hand = Hand::new(&settings(), Stored::empty());
        let (connection, id) = hand.until_asked();
        hand.message(&topic("register/set"), issue(&id, secret).as_bytes());
        assert_eq!(hand.next(), Command::Close(connection), "{secret}");
        let error = PeerMisbehaved::UnusableSecret.into();
        assert!(
            matches!(hand.last_event(), Event::Retrying { error: e, .. } if *e == error),
            "{secret}"
        );
    }
}

#[test]
fn an_answer_that_says_no_ends_the_try() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (connection, id) = hand.until_asked();
    hand.message(&topic("register/set"), confirmation(&id, "ERROR").as_bytes());
    assert_eq!(hand.next(), Command::Close(connection));
    let error = Error::Rejected {
        by: muster::Rejected::Code { code: "ERROR".into(), message: String::new() },
    };
    assert!(matches!(hand.last_event(), Event::Retrying { error: e, .. } if *e == error));
}

#[test]
fn a_second_issue_changes_nothing() {
    let mut hand = Hand::new(&settings(), Stored::empty());
    let (connection, id) = hand.until_asked();
    hand.message(&topic("register/set"), issue(&id, DEVICE_SECRET).as_bytes());
    let (token, ..) = hand.store();
    hand.message(&topic("register/set"), issue(&id, "another").as_bytes());
    hand.stored(token);
    assert_eq!(hand.publish().2, confirmation(&id, "OK"));
    hand.message(&topic("register/set"), issue(&id, "another").as_bytes());
    hand.lost(connection);
    let (second, connect) = hand.connect();
    assert_eq!(connect.password.expose(), DEVICE_SECRET);
    hand.connected(second);
    let (token, ..) = hand.store();
    hand.stored(token);
    hand.message(&topic("register/set"), issue(&id, "another").as_bytes());
    assert_eq!(hand.agent.stray_inputs(), 3);
    hand.subscribe();
    assert!(hand.commands.is_empty());
}

#[test]
fn answers_to_nobody_are_counted() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    let unknown = Token(4_000);
    hand.connected(unknown);
    hand.acked(unknown);
    hand.stored(unknown);
    hand.lost(unknown);
    assert_eq!(hand.agent.stray_inputs(), 4);
    assert!(hand.commands.is_empty() && hand.events.is_empty());
}

fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    let json = r#"\{("(CMD|ID|BACK|URL|FW_VERSION|VERSION|DEVICE_SECRET)":("[a-z0-9:/.]{0,9}"|1[01]|2[01]|null|\{\}|\[\]),?){0,5}\}"#;
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..64),
        proptest::string::string_regex(json).unwrap().prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn no_payload_on_any_topic_breaks_a_device(
        payloads in proptest::collection::vec((0..5usize, any_payload()), 1..8),
        start in 0..3usize,
    ) {
        let mut hand = match start {
            0 => Hand::new(&settings(), Stored::empty()),
            1 => {
                let mut hand = Hand::new(&settings(), Stored::empty());
                hand.until_asked();
                hand
            }
            _ => {
                let mut hand = Hand::new(&settings(), stored(true));
                hand.until_online();
                hand
            }
        };
        let topics =
            ["register/set", "register/post", "ota/set", "ota/post", "cmd/set"].map(topic);
        for (to, payload) in payloads {
            hand.message(&topics[to], &payload);
            hand.agent.save();
        }
        hand.input(Input::Timeout);
    }
}
