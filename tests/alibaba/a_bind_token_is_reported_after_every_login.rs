//! Bind tokens.

use muster::{Error, Event, Input, Intent, Rejected, Step, Warning};

use super::bench::{Bench, settings, sys};

const MATCH: &str = "thing/awss/enrollee/match";
const MATCH_REPLY: &str = "thing/awss/enrollee/match_reply";

fn announced(bench: &Bench) -> Vec<(&str, u64)> {
    let tokens = bench.events.iter().filter_map(|event| match event {
        Event::BindToken { token, for_ms } => Some((token.as_str(), *for_ms)),
        _ => None,
    });
    tokens.collect()
}

#[test]
fn it_is_16_random_bytes_in_upper_case_hex_and_announced_once_the_cloud_has_it() {
    let mut bench = Bench::new(&settings());
    let (publish, body) = bench.until_publish(&sys(MATCH));
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    let token = json["params"]["token"].as_str().unwrap().to_owned();
    assert!(body.starts_with(r#"{"id":""#), "{body}");
    assert_eq!(
        (&json["version"], &json["method"]),
        (&"1.0".into(), &"thing.awss.enrollee.match".into())
    );
    assert_eq!(token.len(), 32);
    assert!(token.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)), "{token}");
    assert_eq!(announced(&bench), []);
    bench.input(Input::Acked(publish, muster::Ack::Published));
    assert_eq!(announced(&bench), [], "PUBACK is not the cloud's word");
    let id = &json["id"];
    bench.message(&sys(MATCH_REPLY), format!("{{\"id\":{id},\"code\":200,\"data\":{{}}}}\0\0"));
    assert_eq!(announced(&bench), [(token.as_str(), 60_000)]);
    assert!(bench.events.contains(&Event::Ready));
}

#[test]
fn without_an_answer_it_is_reported_three_times_and_then_the_device_works_without() {
    let mut bench = Bench::new(&settings());
    let (_, first) = bench.until_publish(&sys(MATCH));
    let began = bench.now_ms;
    for n in 1..3 {
        let (_, again) = bench.until_publish(&sys(MATCH));
        assert_eq!(again, first, "the same token under the same id");
        assert_eq!(bench.now_ms - began, n * 3_000);
    }
    bench.wait(3_000);
    let error = Error::NoReply { step: Step::ReportToken };
    assert_eq!(bench.warnings(), [&Warning::Ignored { error }]);
    assert!(bench.events.contains(&Event::Ready));
    assert_eq!(announced(&bench), []);
}

#[test]
fn an_answer_to_the_first_report_serves_after_the_second_one_too() {
    let mut bench = Bench::new(&settings());
    let (_, first) = bench.until_publish(&sys(MATCH));
    bench.until_publish(&sys(MATCH));
    let json: serde_json::Value = serde_json::from_str(&first).unwrap();
    let reply = format!(r#"{{"id":{},"code":"200"}}"#, json["id"]);
    bench.message(&sys(MATCH_REPLY), reply.clone());
    assert_eq!(announced(&bench).len(), 1);
    bench.message(&sys(MATCH_REPLY), reply);
    assert_eq!(
        (announced(&bench).len(), bench.stray()),
        (1, 1),
        "the second answer is nothing new"
    );
}

#[test]
fn an_answer_to_something_else_does_not_count() {
    let mut bench = Bench::new(&settings());
    bench.until_publish(&sys(MATCH));
    bench.message(&sys(MATCH_REPLY), r#"{"id":"4711","code":200}"#);
    bench.message(&sys(MATCH_REPLY), r#"{"code":200}"#);
    assert_eq!(announced(&bench), []);
    assert_eq!(bench.stray(), 1);
    assert_eq!(bench.warnings().len(), 1);
}

#[test]
fn a_refused_token_is_said_aloud_and_the_device_works_without() {
    let mut bench = Bench::new(&settings());
    let (_, body) = bench.until_publish(&sys(MATCH));
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    let reply = format!(r#"{{"id":{},"code":500,"message":"busy"}}"#, json["id"]);
    bench.message(&sys(MATCH_REPLY), reply);
    let by = Rejected::Code { code: "500".into(), message: "busy".into() };
    assert_eq!(bench.warnings(), [&Warning::Ignored { error: Error::Rejected { by } }]);
    assert!(bench.events.contains(&Event::Ready));
}

#[test]
fn every_login_makes_a_new_one() {
    let mut bench = Bench::ready(&settings());
    bench.break_connection();
    bench.until_ready();
    let tokens = &bench.cloud.tokens;
    assert_eq!(tokens.len(), 2);
    assert_ne!(tokens[0], tokens[1]);
}

#[test]
fn a_person_may_ask_for_a_new_one_at_any_time() {
    let settings = settings().with("bind_token", "false").with("bind_token_life_s", "90");
    let mut bench = Bench::new(&settings);
    bench.until_ready();
    assert!(bench.cloud.tokens.is_empty());
    bench.intent(Intent::NewBindToken);
    bench.settle();
    assert_eq!(announced(&bench), [(bench.cloud.tokens[0].as_str(), 90_000)]);

    // While the device is away the wish is kept for the next session.
    bench.break_connection();
    bench.intent(Intent::NewBindToken);
    bench.events.clear();
    bench.until_ready();
    assert_eq!(bench.cloud.tokens.len(), 2);
    bench.break_connection();
    bench.events.clear();
    bench.until_ready();
    assert_eq!(bench.cloud.tokens.len(), 2, "once");
}

#[test]
fn asking_again_while_one_is_being_reported_replaces_it() {
    let mut bench = Bench::new(&settings());
    let (_, old) = bench.until_publish(&sys(MATCH));
    bench.intent(Intent::NewBindToken);
    let (_, new) = bench.until_publish(&sys(MATCH));
    assert_ne!(old, new);
    let json: serde_json::Value = serde_json::from_str(&old).unwrap();
    bench.message(&sys(MATCH_REPLY), format!(r#"{{"id":{},"code":200}}"#, json["id"]));
    assert_eq!(announced(&bench), [], "the old one is not the device's any more");
}

#[test]
fn a_token_that_has_run_out_leaves_nothing_behind() {
    let mut bench = Bench::ready(&settings());
    assert!(bench.next_deadline(), "its life is over");
    assert!(!bench.next_deadline());
    assert!(bench.commands.is_empty() && bench.events.is_empty());
}
