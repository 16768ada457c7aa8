//! Redaction: no secret, and nothing it could be guessed from, in any event or `Debug`.

use muster::{Answer, Closed, Input, Intent, Output};

use super::bench::{Bench, PRODUCT_SECRET, config, json, ota, over_mqtt, settings, sys};

fn assert_silent(bench: &Bench, settings: &muster::Settings) {
    let mut secrets = bench.cloud.issued.clone();
    secrets.push(PRODUCT_SECRET.into());
    secrets.extend(bench.cloud.logins.iter().map(|login| login.password.expose().to_owned()));
    let mut shown = format!("{:?}{:?}{:?}", bench.agent, bench.stored, config(settings));
    for output in &bench.outputs {
        shown += &format!("{output:?}\n");
        if let Output::Event(event) = output {
            shown += &serde_json::to_string(event).unwrap();
        }
    }
    for secret in secrets {
        assert!(!shown.contains(&secret[..6]), "a part of {secret} is shown");
    }
}

#[test]
fn in_a_whole_life() {
    for settings in [settings(), over_mqtt(), over_mqtt().with("auth_type", "regnwl")] {
        let mut bench = Bench::new(&settings);
        bench.until_ready();
        bench.settle();
        bench.intent(Intent::NewBindToken);
        bench.message(&ota("upgrade"), r#"{"code":500,"message":"no"}"#);
        bench.message(&sys("thing/gateway/permit"), "junk");
        bench.settle();
        bench.break_connection();
        let (token, _) = bench.until_connect();
        bench.input(Input::Closed(token, Closed::Refused(4)));
        bench.intent(Intent::RegisterAgain);
        bench.settle();
        assert_silent(&bench, &settings);
    }
}

#[test]
fn in_every_step() {
    for settings in [settings(), over_mqtt()] {
        for nth in 0..14 {
            let mut bench = Bench::new(&settings);
            for _ in 0..nth {
                if let Some(command) = bench.commands.pop_front() {
                    bench.answer(command);
                }
            }
            assert_silent(&bench, &settings);
        }
    }
}

#[test]
fn when_the_server_echoes_it() {
    let mut bench = Bench::new(&settings());
    let (token, _) = bench.until_request();
    let echo = format!(r#"{{"code":460,"message":"what is {PRODUCT_SECRET}?"}}"#);
    bench.input(Input::Response(token, json(&echo)));
    assert_silent(&bench, &settings());
    let mut bench = Bench::new(&settings());
    let (token, _) = bench.until_request();
    let response = muster::http::Response {
        status: 404,
        headers: vec![],
        body: format!("{}{PRODUCT_SECRET}", "x".repeat(190)).into_bytes(),
    };
    bench.input(Input::Response(token, Answer::Response(response)));
    assert_silent(&bench, &settings());
}
