//! Answers carry the token of their command; everything else is counted and ignored.

use muster::{Ack, Answer, Closed, Command, Failure, Input, Outcome, Token};

use super::bench::{Bench, issued, json, over_mqtt, settings};

#[test]
fn a_late_answer_to_an_earlier_registration_is_not_stored() {
    let mut bench = Bench::new(&settings());
    let (first, _) = bench.until_request();
    bench.wait(10_000);
    let (second, request) = bench.until_request();
    bench.input(Input::Response(first, json(&issued("superseded"))));
    assert!(bench.commands.is_empty());
    assert_eq!(bench.stray(), 1);
    bench.answer(Command::Request(second, request));
    bench.until_ready();
    assert!(!bench.credential().unwrap().contains("superseded"));
}

#[test]
fn a_repeated_answer_is_counted_and_ignored() {
    let mut bench = Bench::new(&settings());
    let (token, _) = bench.until_request();
    bench.cloud.issued.push("s3cret".into());
    for _ in 0..3 {
        bench.input(Input::Response(token, json(&issued("s3cret"))));
    }
    assert_eq!(bench.commands.len(), 1, "one store");
    assert_eq!(bench.stray(), 2);
    bench.until_ready();
}

#[test]
fn a_secret_pushed_twice_is_stored_once() {
    let mut bench = Bench::new(&over_mqtt());
    let (token, key, value) = bench.until_store();
    let other = issued("other-secret").replace(r#"{"code":200,"data":"#, "");
    bench.message("/ext/register", other.replace(r#","message":"success"}"#, ""));
    assert!(bench.commands.is_empty());
    assert_eq!(bench.stray(), 1);
    bench.answer(Command::Store(token, key, value));
    bench.until_ready();
    assert!(!bench.credential().unwrap().contains("other-secret"));
}

#[test]
fn answers_to_nothing_do_nothing_in_any_step() {
    let nonsense = || {
        let token = Token(0xffff);
        [
            Input::Connected(token),
            Input::Closed(token, Closed::Failed(Failure::Lost)),
            Input::Closed(token, Closed::Refused(5)),
            Input::Acked(token, Ack::Published),
            Input::Acked(token, Ack::SubscribeRefused),
            Input::Response(token, Answer::Failed(Failure::Lost)),
            Input::Response(token, json(&issued("forged"))),
            Input::Stored(token, Outcome::Done),
            Input::Installed(token, Outcome::Done),
            Input::Downloaded(token, muster::Downloaded::Failed(Failure::Lost)),
            Input::Progress(token, muster::Progress { received: 1, total: None }),
        ]
    };
    for settings in [settings(), over_mqtt()] {
        for nth in 0..16 {
            let mut bench = Bench::new(&settings);
            for _ in 0..nth {
                if let Some(command) = bench.commands.pop_front() {
                    bench.answer(command);
                }
            }
            let (commands, events, stray) =
                (bench.commands.len(), bench.events.len(), bench.stray());
            for input in nonsense() {
                bench.input(input);
            }
            assert_eq!((bench.commands.len(), bench.events.len()), (commands, events), "{nth}");
            assert_eq!(bench.stray(), stray + 11, "{nth}");
            bench.until_ready();
        }
    }
}
