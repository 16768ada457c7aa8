use muster::{CodecError, Command, Error, Event, PeerMisbehaved, Warning};

use crate::support::*;

fn refusal(id: &str) -> String {
    format!(r#"{{"CMD":11,"ID":"{id}","BACK":"ERROR"}}"#)
}

#[test]
fn any_scheme_but_http() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    let urls = [
        "https://iot.krtyun.com/f.rbl",
        "ftp://iot.krtyun.com/f.rbl",
        "file:///etc/passwd",
        "//iot.krtyun.com/f.rbl",
        "http://",
        "http:///f.rbl",
        "http://:80/f.rbl",
        "http://a b/",
        "f.rbl",
        "httpx://a/b",
    ];
    for url in urls {
        hand.events.clear();
        hand.message(&topic("ota/set"), order("X1", url, "2.0.0").as_bytes());
        let (token, to, body) = hand.publish();
        assert_eq!((to, body), (topic("ota/post"), refusal("X1")), "{url}");
        hand.acked(token);
        let error = Error::PeerMisbehaved { how: PeerMisbehaved::ForbiddenUrl };
        assert_eq!(hand.events, [Event::Warning { warning: Warning::Ignored { error } }], "{url}");
        assert!(hand.commands.is_empty());
    }
    assert_eq!(hand.agent.stray_inputs(), 0);
}

#[test]
fn http_in_any_case_is_http() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    hand.message(&topic("ota/set"), order("X1", "HTTP://h/f", "2.0.0").as_bytes());
    assert!(matches!(hand.next(), Command::Store(..)));
}

#[test]
fn what_is_missing_or_wrong_is_named_and_refused() {
    let cases = [
        (r#"{"CMD":11,"ID":"7","URL":"http://h/f"}"#, CodecError::Missing("FW_VERSION".into())),
        (r#"{"CMD":11,"ID":"7","FW_VERSION":"2"}"#, CodecError::Missing("URL".into())),
        (
            r#"{"CMD":11,"ID":"7","URL":"http://h/f","FW_VERSION":""}"#,
            CodecError::Invalid("FW_VERSION".into()),
        ),
        (
            r#"{"CMD":11,"ID":7,"URL":"http://h/f","FW_VERSION":{}}"#,
            CodecError::Invalid("FW_VERSION".into()),
        ),
    ];
    for (body, error) in cases {
        let mut hand = Hand::new(&settings(), stored(true));
        hand.until_online();
        hand.message(&topic("ota/set"), body.as_bytes());
        assert_eq!(hand.publish().2, refusal("7"), "{body}");
        let warning = Warning::Ignored { error: Error::Codec { error } };
        assert_eq!(hand.events, [Event::Warning { warning }], "{body}");
    }
}

#[test]
fn what_cannot_be_answered_is_ignored() {
    for body in [
        r#"{"CMD":11,"URL":"http://h/f","FW_VERSION":"2"}"#,
        r#"{"CMD":11,"ID":"","URL":"http://h/f","FW_VERSION":"2"}"#,
        r#"{"CMD":12,"ID":"7","URL":"http://h/f","FW_VERSION":"2"}"#,
        r#"{"ID":"7","URL":"http://h/f","FW_VERSION":"2"}"#,
        "[]",
        "{",
        "",
    ] {
        let mut hand = Hand::new(&settings(), stored(true));
        hand.until_online();
        hand.message(&topic("ota/set"), body.as_bytes());
        assert!(hand.commands.is_empty(), "{body}");
        assert!(
            matches!(hand.events[..], [Event::Warning { warning: Warning::Ignored { .. } }]),
            "{body}"
        );
    }
}

#[test]
fn an_order_on_another_topic_is_none() {
    let mut hand = Hand::new(&settings(), stored(true));
    hand.until_online();
    let body = order("7", "http://h/f", "2");
    for other in [topic("ota/post"), topic("cmd/set"), topic("register/set"), "ota/set".into()] {
        hand.message(&other, body.as_bytes());
        assert!(hand.commands.is_empty(), "CMD 11 on {other} is something else");
    }
    assert_eq!(hand.agent.stray_inputs(), 4);
}
