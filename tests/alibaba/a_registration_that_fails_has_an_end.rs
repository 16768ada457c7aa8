//! Refusals are honest and final; faults are tried again, said aloud, and not for ever.

use muster::{
    Advice, Answer, Closed, CodecError, Error, Event, Failure, Input, Intent, PeerMisbehaved,
    Rejected, Step,
};

use super::bench::{Bench, DN, PK, issued, json, over_mqtt, settings};

/// Answers every request like this, until the device stops.
fn answered(body: &str) -> Bench {
    let mut bench = Bench::new(&settings());
    while !bench.events.iter().any(|event| matches!(event, Event::Stopped { .. })) {
        let (token, _) = bench.until_request();
        bench.input(Input::Response(token, json(body)));
    }
    bench
}

#[test]
fn every_documented_refusal_stops_at_once_with_its_advice() {
    for (code, advice) in [
        ("6289", Advice::AlreadyRegistered),
        ("401", Advice::CheckProductSecret),
        ("460", Advice::CheckProductSecret),
        ("5005", Advice::CheckProductSecret),
        ("403", Advice::ImportDevice),
        ("6100", Advice::ImportDevice),
        ("28560", Advice::ImportDevice),
        ("62101", Advice::ImportDevice),
        ("6204", Advice::CheckDevice),
        ("2000", Advice::AskVendor),
    ] {
        for spelled in [code.to_owned(), format!("\"{code}\"")] {
            let bench = answered(&format!(r#"{{"code":{spelled},"message":"no"}}"#));
            let by = Rejected::Code { code: code.into(), message: "no".into() };
            assert_eq!(bench.stopped(), (&Error::Rejected { by }, advice));
            assert!(bench.retries().is_empty());
            assert_eq!(bench.credential(), None);
        }
    }
}

#[test]
fn a_stopped_device_is_silent_until_a_person_says_try_again() {
    let mut bench = answered(r#"{"code":6289,"message":"device is already active"}"#);
    assert!(!bench.next_deadline(), "no timer runs");
    bench.wait(100_000_000);
    assert!(bench.commands.is_empty());
    bench.events.clear();
    bench.intent(Intent::TryAgain);
    bench.until_ready();
}

#[test]
fn passing_trouble_of_the_server_is_tried_again_with_an_end() {
    for body in [r#"{"code":500}"#, r#"{"code":"503"}"#, r#"{"code":429,"message":"slow down"}"#] {
        let bench = answered(body);
        assert_eq!(bench.retries().len(), 3, "{body}");
        assert_eq!(bench.stopped().1, Advice::AskVendor);
    }
}

#[test]
fn http_statuses_are_told_apart() {
    for (status, retries) in [(404, 0), (403, 0), (408, 3), (429, 3), (500, 3), (503, 3)] {
        let mut bench = Bench::new(&settings());
        let mut asked = 0;
        while !bench.events.iter().any(|event| matches!(event, Event::Stopped { .. })) {
            let (token, _) = bench.until_request();
            asked += 1;
            let response = muster::http::Response {
                status,
                headers: vec![],
                body: b"<html>\x07\xff</html>".to_vec(),
            };
            bench.input(Input::Response(token, Answer::Response(response)));
        }
        assert_eq!((asked, bench.retries().len()), (retries + 1, retries), "{status}");
        let (error, _) = bench.stopped();
        assert!(
            matches!(error, Error::Rejected { by: Rejected::Http { status: s, .. } } if *s == status)
        );
    }
}

#[test]
fn without_an_answer_it_asks_four_times_and_then_says_so() {
    let mut bench = Bench::new(&settings());
    let began = bench.now_ms;
    let mut asked = Vec::new();
    for _ in 0..4 {
        bench.until_request();
        asked.push(bench.now_ms - began);
        bench.wait(10_000);
    }
    // 10 s for the answer, then 1, 2 and 4 s, each 20 % more or less.
    assert_eq!(asked[0], 0);
    for (i, doubled) in [(1, 1_000), (2, 2_000), (3, 4_000)] {
        let pause = asked[i] - asked[i - 1] - 10_000;
        assert!((doubled * 8 / 10..=doubled * 12 / 10).contains(&pause), "{pause}");
    }
    let error = Error::NoReply { step: Step::RequestSecret };
    assert_eq!(bench.stopped(), (&error, Advice::CheckNetwork));
    assert_eq!(bench.retries(), [&error, &error, &error]);
}

#[test]
fn retries_are_a_setting() {
    let mut bench = Bench::new(&settings().with("request_retries", "0"));
    bench.until_request();
    bench.wait(10_000);
    assert_eq!(bench.stopped().1, Advice::CheckNetwork);
}

#[test]
fn a_network_that_is_down_is_tried_again_and_then_reported() {
    let mut bench = Bench::new(&settings());
    for _ in 0..4 {
        let (token, _) = bench.until_request();
        bench.input(Input::Response(token, Answer::Failed(Failure::Dns)));
    }
    assert_eq!(bench.stopped(), (&Error::Network { failure: Failure::Dns }, Advice::CheckNetwork));
}

#[test]
fn answers_that_cannot_be_used_name_what_is_wrong() {
    let other = issued("s").replace(DN, "somebody-else");
    let long = issued(&"x".repeat(65));
    let codec = |error| Error::Codec { error };
    let peer = |how| Error::PeerMisbehaved { how };
    for (body, error) in [
        ("", codec(CodecError::NotJson)),
        ("<html>", codec(CodecError::NotJson)),
        ("[]", codec(CodecError::NotAnObject)),
        ("{}", codec(CodecError::Missing("code".into()))),
        (r#"{"code":200}"#, codec(CodecError::Missing("data".into()))),
        (r#"{"code":200,"data":{}}"#, codec(CodecError::Missing("deviceSecret".into()))),
        (r#"{"code":200,"data":"x"}"#, codec(CodecError::Missing("deviceSecret".into()))),
        (&issued(""), peer(PeerMisbehaved::UnusableSecret)),
        (&issued("with space"), peer(PeerMisbehaved::UnusableSecret)),
        (&issued("secret\\u0007"), peer(PeerMisbehaved::UnusableSecret)),
        (&long, peer(PeerMisbehaved::UnusableSecret)),
        (&other, peer(PeerMisbehaved::WrongIdentity)),
        (&"[".repeat(40), codec(CodecError::TooDeep)),
        (&" ".repeat(10).replace(' ', "x").repeat(7_000), codec(CodecError::TooLong)),
    ] {
        let bench = answered(body);
        assert_eq!(bench.stopped(), (&error, Advice::AskVendor), "{body:.80}");
        assert_eq!(bench.retries().len(), 3);
        assert_eq!(bench.credential(), None);
    }
}

#[test]
fn connack_refusals_of_a_registration_stop_with_their_advice() {
    for (code, advice) in [
        (1, Advice::AskVendor),
        (2, Advice::AskVendor),
        (4, Advice::CheckProductSecret),
        (5, Advice::ImportDevice),
    ] {
        let mut bench = Bench::new(&over_mqtt());
        let (token, _) = bench.until_connect();
        bench.input(Input::Closed(token, Closed::Refused(code)));
        let by = Rejected::Connack { code };
        assert_eq!(bench.stopped(), (&Error::Rejected { by }, advice));
        assert!(!bench.next_deadline());
    }
}

#[test]
fn a_broker_that_is_busy_or_away_is_tried_again_with_an_end() {
    for why in [Closed::Refused(3), Closed::Failed(Failure::Unreachable)] {
        let mut bench = Bench::new(&over_mqtt());
        for _ in 0..4 {
            let (token, _) = bench.until_connect();
            bench.input(Input::Closed(token, why.clone()));
        }
        assert_eq!(bench.retries().len(), 3);
        bench.stopped();
    }
}

#[test]
fn a_silent_broker_is_given_up_step_by_step() {
    let mut bench = Bench::new(&over_mqtt().with("request_retries", "1"));
    let (first, _) = bench.until_connect();
    bench.wait(10_000);
    let no_reply = |step| Error::NoReply { step };
    assert_eq!(bench.retries(), [&no_reply(Step::ConnectToRegister)]);
    assert_eq!(bench.commands.pop_front(), Some(muster::Command::Close(first)));
    // Now it lets the device in, and says nothing.
    let (second, _) = bench.until_connect();
    bench.input(Input::Connected(second));
    bench.wait(10_000);
    assert_eq!(bench.stopped(), (&no_reply(Step::RequestSecret), Advice::CheckNetwork));
    assert_eq!(bench.commands.pop_back(), Some(muster::Command::Close(second)));
    assert_eq!(bench.stray(), 0);
}

#[test]
fn a_broker_that_hangs_up_before_the_secret_is_said_to() {
    let mut bench = Bench::new(&over_mqtt());
    let (token, _) = bench.until_connect();
    bench.input(Input::Connected(token));
    bench.input(Input::Closed(token, Closed::Failed(Failure::Lost)));
    let error = Error::PeerMisbehaved { how: PeerMisbehaved::ClosedEarly };
    assert_eq!(bench.retries(), [&error]);
    bench.until_ready();
}

#[test]
fn pushes_that_cannot_be_used_close_the_session_and_are_tried_again() {
    for (settings, body) in [
        (over_mqtt(), "junk".to_owned()),
        (over_mqtt(), format!(r#"{{"productKey":"{PK}","deviceName":"x","deviceSecret":"s"}}"#)),
        (over_mqtt(), format!(r#"{{"productKey":"{PK}","deviceName":"{DN}","deviceSecret":""}}"#)),
        (over_mqtt().with("auth_type", "regnwl"), r#"{"clientId":"c"}"#.to_owned()),
        (over_mqtt().with("auth_type", "regnwl"), r#"{"deviceToken":"t"}"#.to_owned()),
        (
            over_mqtt().with("auth_type", "regnwl"),
            r#"{"clientId":"c|securemode=3","deviceToken":"t"}"#.to_owned(),
        ),
    ] {
        let mut bench = Bench::new(&settings);
        let (token, connect) = bench.until_connect();
        let topic = match connect.client_id.contains("regnwl") {
            true => "/ext/regnwl",
            false => "/ext/register",
        };
        bench.input(Input::Connected(token));
        bench.message(topic, body.clone());
        assert_eq!(bench.retries().len(), 1, "{body}");
        assert_eq!(bench.commands.pop_front(), Some(muster::Command::Close(token)));
        bench.until_ready();
    }
}

#[test]
fn a_person_may_cut_a_pause_short() {
    let mut bench = Bench::new(&settings());
    let (token, _) = bench.until_request();
    bench.input(Input::Response(token, Answer::Failed(Failure::Lost)));
    assert!(bench.commands.is_empty());
    bench.intent(Intent::TryAgain);
    assert_eq!(bench.commands.len(), 1);
    bench.until_ready();
}
