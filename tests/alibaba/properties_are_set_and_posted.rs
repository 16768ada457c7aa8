//! The thing model's two property messages.

use muster::{CodecError, Error, Event, Failure, Intent, Rejected, Step, Warning};

use super::bench::{Bench, settings, sys};

fn post(json: &str) -> Intent {
    Intent::PostProperties { json: json.into() }
}

#[test]
fn a_set_is_told_and_answered_with_its_id() {
    let mut bench = Bench::ready(&settings());
    let set = r#"{"method":"thing.service.property.set","id":"12","params":{"power":1,"名":"x"},"version":"1.0.0"}"#;
    bench.message(&sys("thing/service/property/set"), set);
    bench.settle();
    let json = r#"{"power":1,"名":"x"}"#.to_owned();
    assert_eq!(bench.take_events(), [Event::PropertiesSet { json }]);
    let (topic, body) = bench.cloud.published.last().unwrap();
    assert_eq!(*topic, sys("thing/service/property/set_reply"));
    assert_eq!(body, r#"{"id":"12","code":200,"data":{}}"#);

    bench.message(&sys("thing/service/property/set"), r#"{"id":{"a":1},"params":[1]}"#);
    bench.settle();
    let (_, body) = bench.cloud.published.last().unwrap();
    assert_eq!(body, r#"{"id":"0","code":400,"data":{}}"#);
}

#[test]
fn a_post_is_answered_by_id() {
    let mut bench = Bench::ready(&settings());
    bench.intent(post(r#" {"power":1} "#));
    let (_, body) = bench.until_publish(&sys("thing/event/property/post"));
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["method"], "thing.event.property.post");
    assert_eq!(json["params"], serde_json::json!({"power": 1}));
    let reply = sys("thing/event/property/post_reply");
    bench.message(&reply, r#"{"id":"999","code":200}"#);
    assert!(!bench.events.contains(&Event::PropertiesPosted));
    bench.message(&reply, format!(r#"{{"id":{},"code":200,"data":{{}}}}"#, json["id"]));
    assert!(bench.events.contains(&Event::PropertiesPosted));
    bench.events.clear();
    bench.wait(20_000);
    assert!(bench.warnings().is_empty(), "nothing is awaited any more");
}

#[test]
fn a_refused_or_unanswered_post_is_said_aloud() {
    let mut bench = Bench::ready(&settings());
    bench.intent(post("{}"));
    let (_, body) = bench.until_publish(&sys("thing/event/property/post"));
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    let reply = format!(r#"{{"id":{},"code":460,"message":"bad"}}"#, json["id"]);
    bench.message(&sys("thing/event/property/post_reply"), reply);
    let by = Rejected::Code { code: "460".into(), message: "bad".into() };
    assert_eq!(bench.warnings(), [&Warning::Ignored { error: Error::Rejected { by } }]);
    bench.events.clear();
    bench.intent(post("{}"));
    bench.wait(10_000);
    let error = Error::NoReply { step: Step::PostProperties };
    assert_eq!(bench.warnings(), [&Warning::Ignored { error }]);
}

#[test]
fn what_cannot_be_posted_is_not_sent() {
    let mut bench = Bench::ready(&settings());
    let codec = |error| Warning::Ignored { error: Error::Codec { error } };
    for (json, error) in [
        ("", CodecError::NotJson),
        ("[]", CodecError::NotAnObject),
        (r#"{"a":1},"x":{}"#, CodecError::NotJson),
    ] {
        bench.intent(post(json));
        assert_eq!(bench.warnings(), [&codec(error)], "{json}");
        assert!(bench.commands.is_empty());
        bench.events.clear();
    }
    bench.break_connection();
    bench.events.clear();
    bench.intent(post("{}"));
    let error = Error::Network { failure: Failure::Unreachable };
    assert_eq!(bench.warnings(), [&Warning::Ignored { error }]);
}

#[test]
fn posts_in_flight_are_bounded() {
    let mut bench = Bench::ready(&settings());
    for _ in 0..20 {
        bench.intent(post("{}"));
    }
    assert_eq!(bench.commands.len(), 16);
    assert_eq!(bench.warnings().len(), 4);
}
