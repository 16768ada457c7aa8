use muster::{CodecError, Error, Event, Now, Output, Stored};
use proptest::prelude::*;

use super::setup::{Hand, REPORT_REPLY, config, info_reply, stored_credential};

/// What the device says about this answer to its question for the secret.
fn codec(body: &[u8]) -> CodecError {
    let mut hand = Hand::new(config(), Stored::empty(), Now::mono(0));
    hand.reply(body);
    match &hand.events()[..] {
        [Event::Retrying { error: Error::Codec { error }, .. }] => error.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    assert_eq!(codec(b""), CodecError::NotJson);
    assert_eq!(codec(b"<html>log in to the hotel's network</html>"), CodecError::NotJson);
    assert_eq!(codec(&info_reply().as_bytes()[..40]), CodecError::NotJson);
    assert_eq!(codec(b"[]"), CodecError::NotAnObject);
    assert_eq!(codec(b"200"), CodecError::NotAnObject);
    assert_eq!(codec(b"{\"code\":\"\xff\"}"), CodecError::NotUtf8);
    assert_eq!(codec(&[b' '; 3]), CodecError::NotJson);
    let long = format!("{{\"code\":\"200\",\"x\":\"{}\"}}", "x".repeat(65_536));
    assert_eq!(codec(long.as_bytes()), CodecError::TooLong);
    let deep = format!("{{\"code\":\"200\",\"x\":{}{}}}", "[".repeat(40), "]".repeat(40));
    assert_eq!(codec(deep.as_bytes()), CodecError::TooDeep);
    assert_eq!(codec(b"{}"), CodecError::Missing("code".into()));
    assert_eq!(codec(b"{\"code\":{}}"), CodecError::Invalid("code".into()));
    assert_eq!(codec(b"{\"code\":null}"), CodecError::Missing("code".into()));
    assert_eq!(codec(b"{\"code\":200}"), CodecError::Missing("data".into()));
    assert_eq!(codec(b"{\"code\":200,\"data\":[]}"), CodecError::Invalid("data".into()));
    assert_eq!(codec(b"{\"code\":200,\"data\":{}}"), CodecError::Missing("deviceId".into()));
    assert_eq!(
        codec(b"{\"code\":200,\"data\":{\"deviceId\":\" \",\"deviceSecret\":\"s\"}}"),
        CodecError::Invalid("deviceId".into())
    );
    assert_eq!(
        codec(b"{\"code\":200,\"data\":{\"deviceId\":\"1\",\"deviceSecret\":[1]}}"),
        CodecError::Invalid("deviceSecret".into())
    );
}

/// The device always has something to wait for, or told why not.
fn is_alive(hand: &Hand) -> bool {
    let stopped = |output: &Output| matches!(output, Output::Event(Event::Stopped { .. }));
    let busy = |output: &Output| matches!(output, Output::Command(_));
    hand.next.is_some() || hand.out.iter().any(|output| stopped(output) || busy(output))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_bytes(status: u16, body in proptest::collection::vec(any::<u8>(), 0..300)) {
        for stored in [Stored::empty(), stored_credential()] {
            let mut hand = Hand::new(config(), stored, Now::mono(0));
            let (token, _) = hand.request();
            hand.reply_to(token, status, body.clone());
            prop_assert!(is_alive(&hand));
        }
    }

    /// One byte of a good answer changed, or the answer cut.
    #[test]
    fn almost_good_answers(at in 0usize..200, byte: u8, cut: bool) {
        for (stored, reply) in
            [(Stored::empty(), info_reply()), (stored_credential(), REPORT_REPLY.to_string())]
        {
            let mut reply = reply.into_bytes();
            let at = at % reply.len();
            if cut { reply.truncate(at) } else { reply[at] = byte }
            let mut hand = Hand::new(config(), stored, Now::mono(0));
            hand.reply(reply);
            prop_assert!(is_alive(&hand));
        }
    }

    /// Whatever is in the store: an error with a name, or a device that runs.
    #[test]
    fn any_store(bytes in proptest::collection::vec(any::<u8>(), 0..200), numbers: [u64; 2]) {
        use muster::{Agent, SecretBytes, StoreKey};
        let mut stored = stored_credential();
        stored.insert(StoreKey::Schedule, SecretBytes::new(bytes.clone()));
        Hand::new(config(), stored.clone(), Now::new(0, 5));
        let json = format!(
            r#"{{"device_no":"{}","product_id":"{}","reported_at_ms":{},"next_at_ms":{},"date":{}}}"#,
            super::setup::NUMBER, super::setup::PRODUCT, numbers[0], numbers[1], numbers[0]
        );
        stored.insert(StoreKey::Schedule, SecretBytes::new(json.into_bytes()));
        for unix in [0, numbers[0], numbers[1], u64::MAX] {
            let mut hand = Hand::new(config(), stored.clone(), Now::new(numbers[1] / 2, unix));
            prop_assert!(is_alive(&hand));
            hand.pass(0);
        }
        stored.insert(StoreKey::Credential, SecretBytes::new(bytes));
        let _ = Agent::new(config(), stored, [0; 32], Now::mono(0));
    }
}
