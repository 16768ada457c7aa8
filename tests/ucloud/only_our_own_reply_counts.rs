use muster::{
    Ack, Advice, CodecError, Command, Error, Event, Input, Message, PeerMisbehaved, QoS,
    SecretBytes, Stored, Warning,
};

use super::support::*;
use crate::common::{Bench, commands, events};

fn asked() -> (Bench, String) {
    let mut bench = Bench::new(UCLOUD, &dynamic(), Stored::empty());
    let connection = token(&bench.outputs);
    let out = bench.give(Input::Connected(connection));
    let out = bench.give(Input::Acked(token(&out), Ack::Subscribed(QoS::AtLeastOnce)));
    let (_, _, body) = publishes(&out).remove(0);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    (bench, body["RequestID"].as_str().unwrap().to_string())
}

fn good(id: &str) -> String {
    format!(r#"{{"RetCode":"0","RequestID":"{id}","Password":"{DEVICE_SECRET}"}}"#)
}

#[test]
fn numbers_strings_any_order_unknown_keys_and_trailing_nulls_are_fine() {
    for form in [
        r#"{"RetCode":0,"RequestID":ID,"Password":"P"}"#,
        r#"{"Password":"P","RequestID":"ID","RetCode":"0"}"#,
        r#"  {"RetCode" : "0" , "RequestID":"ID","Password":"P","Extra":{"a":[1,null]}}  "#,
        "{\"RetCode\":0,\"RequestID\":\"ID\",\"Password\":\"P\"}\n\u{0}\u{0}",
    ] {
        let (mut bench, id) = asked();
        let reply = form.replace("ID\"", &format!("{id}\"")).replace("ID,", &format!("{id},"));
        let reply = reply.replace(&format!("Request{id}"), "RequestID").replace("\"P\"", "\"abc\"");
        let out = bench.give(message("password_reply", &reply));
        assert!(matches!(&commands(&out)[..], [Command::Store(..)]), "{reply}");
    }
}

#[test]
fn a_foreign_or_broken_reply_is_ignored_with_a_warning_and_the_right_one_still_counts() {
    let (mut bench, id) = asked();
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let long = format!(
        r#"{{"RequestID":"{id}","RetCode":"0","Password":"x","a":"{}"}}"#,
        "y".repeat(70_000)
    );
    let cases: Vec<(String, Error)> = vec![
        (good("0"), PeerMisbehaved::WrongRequestId.into()),
        (good(&format!("{id}0")), PeerMisbehaved::WrongRequestId.into()),
        ("".into(), CodecError::NotJson.into()),
        ("{".into(), CodecError::NotJson.into()),
        ("null".into(), CodecError::NotAnObject.into()),
        ("[1]".into(), CodecError::NotAnObject.into()),
        ("{}".into(), CodecError::Missing("RequestID".into()).into()),
        (format!(r#"{{"RequestID":"{id}"}}"#), CodecError::Missing("RetCode".into()).into()),
        (
            format!(r#"{{"RequestID":{{"a":1}},"RetCode":0,"Password":"x{id}"}}"#),
            CodecError::Invalid("RequestID".into()).into(),
        ),
        (deep, CodecError::TooDeep.into()),
        (long, CodecError::TooLong.into()),
    ];
    for (reply, error) in cases {
        let out = bench.give(message("password_reply", &reply));
        assert!(commands(&out).is_empty());
        assert_eq!(events(&out), [Event::Warning { warning: Warning::Ignored { error } }]);
    }
    let not_utf8 = SecretBytes::new(vec![0xff, 0xfe, b'{']);
    let out =
        bench.give(Input::Message(Message { topic: topic("password_reply"), payload: not_utf8 }));
    assert!(matches!(&events(&out)[..], [Event::Warning { .. }]));
    let out = bench.give(message("password_reply", &good(&id)));
    assert!(matches!(&commands(&out)[..], [Command::Store(..)]));
}

#[test]
fn another_topic_does_not_count() {
    let (mut bench, id) = asked();
    for other in [
        "/$system/70ly1tvowt696r15/112233445567/password_reply".to_string(),
        "/$system/70ly1tvowt696r16/112233445566/password_reply".to_string(),
        topic("password"),
        topic("password_reply/x"),
        format!("{}x", topic("password_reply")),
        String::new(),
    ] {
        let payload = SecretBytes::new(good(&id).into_bytes());
        let out = bench.give(Input::Message(Message { topic: other, payload }));
        assert!(out.is_empty());
    }
    assert_eq!(bench.agent.stray_inputs(), 6);
}

#[test]
fn an_unusable_secret_is_asked_for_again_and_then_is_the_vendors_fault() {
    let too_long = "x".repeat(65);
    for secret in
        [r#""""#, r#""tab\tinside""#, r#""caf\u00e9""#, "null", "[1]", &format!(r#""{too_long}""#)]
    {
        let (mut bench, id) = asked();
        let reply = format!(r#"{{"RetCode":"0","RequestID":"{id}","Password":{secret}}}"#);
        for _ in 0..3 {
            let out = bench.give(message("password_reply", &reply));
            assert!(matches!(
                events(&out)[..],
                [Event::Retrying {
                    error: Error::PeerMisbehaved { how: PeerMisbehaved::UnusableSecret },
                    ..
                }]
            ));
            // Twice while it rests makes no difference.
            let out = bench.give(message("password_reply", &reply));
            assert!(matches!(events(&out)[..], [Event::Warning { .. }]));
            assert_eq!(publishes(&bench.wake().1).len(), 1);
        }
        let out = bench.give(message("password_reply", &reply));
        let error = PeerMisbehaved::UnusableSecret.into();
        assert_eq!(events(&out), [Event::Stopped { error, advice: Advice::AskVendor }]);
    }
}

#[test]
fn unknown_and_repeated_tokens_are_counted_and_change_nothing() {
    let (mut bench, id) = asked();
    let strays = [
        Input::Connected(muster::Token(9999)),
        Input::Closed(muster::Token(9999), muster::Closed::Refused(5)),
        Input::Stored(muster::Token(9999), muster::Outcome::Done),
        Input::Installed(muster::Token(9999), muster::Outcome::Done),
        Input::Downloaded(muster::Token(9999), muster::Downloaded::Failed(muster::Failure::Lost)),
        Input::Response(muster::Token(9999), muster::Answer::Failed(muster::Failure::Lost)),
    ];
    let deadline = bench.deadline;
    for (i, stray) in strays.into_iter().enumerate() {
        assert!(bench.give(stray).is_empty());
        assert_eq!(bench.agent.stray_inputs(), i as u64 + 1);
    }
    assert_eq!(bench.deadline, deadline);
    let out = bench.give(message("password_reply", &good(&id)));
    let store = token(&out);
    bench.give(Input::Stored(store, muster::Outcome::Done));
    let before = bench.agent.stray_inputs();
    assert!(bench.give(Input::Stored(store, muster::Outcome::Done)).is_empty(), "once is enough");
    assert_eq!(bench.agent.stray_inputs(), before + 1);
}
