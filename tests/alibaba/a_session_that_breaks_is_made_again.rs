//! Breaks and silences in every step of a session.

use muster::{Ack, Command, Error, Event, Failure, Input, Step, Warning};

use super::bench::{Bench, ota, settings, sys};

#[test]
fn the_topics_of_a_device_and_of_a_gateway() {
    for gateway in ["true", "false"] {
        let mut bench = Bench::new(&settings().with("gateway", gateway));
        let mut topics = Vec::new();
        let (token, connect) = bench.until_connect();
        bench.answer(Command::Connect(token, connect));
        while let Some(command) = bench.commands.pop_front() {
            let Command::Subscribe(token, subscribe) = command else { panic!("{command:?}") };
            topics.push(subscribe.topic);
            bench.input(Input::Acked(token, Ack::Subscribed(muster::QoS::AtLeastOnce)));
            if topics.len() == 4 && gateway == "false" || topics.len() == 6 {
                break;
            }
        }
        let mut expected = vec![
            sys("thing/awss/enrollee/match_reply"),
            sys("thing/service/property/set"),
            sys("thing/event/property/post_reply"),
            ota("upgrade"),
        ];
        if gateway == "true" {
            expected.extend([sys("thing/gateway/permit"), sys("thing/topo/change")]);
        }
        assert_eq!(topics, expected);
        bench.until_ready();
    }
}

#[test]
fn a_refused_subscription_is_said_aloud_and_the_device_goes_on() {
    let mut bench = Bench::new(&settings());
    let topic = sys("thing/gateway/permit");
    let token = bench.until(|command| match command {
        Command::Subscribe(token, subscribe) if subscribe.topic == topic => Some(*token),
        _ => None,
    });
    bench.input(Input::Acked(token, Ack::SubscribeRefused));
    bench.until_ready();
    assert_eq!(bench.warnings(), [&Warning::SubscribeRefused { topic }]);
}

#[test]
fn a_break_after_any_command_of_a_session_ends_in_a_new_session() {
    // CONNECT, six subscriptions, version, token.
    for nth in 0..9 {
        let mut bench = Bench::new(&settings());
        let (token, connect) = bench.until_connect();
        bench.answer(Command::Connect(token, connect));
        for _ in 0..nth {
            let command = bench.commands.pop_front().unwrap();
            bench.answer(command);
        }
        bench.events.clear();
        bench.break_connection();
        bench.commands.clear();
        assert_eq!(bench.retries(), [&Error::Network { failure: Failure::Lost }], "{nth}");
        bench.until_ready();
        assert_eq!(bench.cloud.logins.len(), 2);
        assert_eq!(bench.cloud.issued.len(), 1);
    }
}

#[test]
fn silence_in_a_session_ends_it() {
    for (step, skip) in [(Step::Subscribe, 5), (Step::ReportVersion, 6)] {
        let mut bench = Bench::new(&settings());
        let (token, connect) = bench.until_connect();
        bench.answer(Command::Connect(token, connect));
        for _ in 0..skip {
            let command = bench.commands.pop_front().unwrap();
            bench.answer(command);
        }
        bench.commands.clear();
        bench.wait(10_000);
        assert_eq!(bench.retries(), [&Error::NoReply { step }]);
        assert_eq!(bench.commands.pop_front(), Some(Command::Close(token)));
        bench.cloud.connection = None;
        bench.until_ready();
    }
}

#[test]
fn a_device_at_work_logs_in_again_with_what_it_stored() {
    let mut bench = Bench::ready(&settings());
    for n in 2..6 {
        bench.break_connection();
        bench.until_ready();
        bench.settle();
        bench.events.clear();
        assert_eq!(bench.cloud.logins.len(), n);
    }
    assert_eq!(bench.cloud.issued.len(), 1);
    assert_eq!(bench.cloud.versions.len(), 5);
    assert_eq!(bench.stray(), 0);
}

#[test]
fn a_report_is_sent_on_demand() {
    let mut bench = Bench::ready(&settings().with("firmware_version", "2.1"));
    bench.intent(muster::Intent::Report);
    bench.settle();
    assert_eq!(bench.cloud.versions, ["2.1", "2.1"]);
    assert!(bench.events.iter().any(|event| matches!(event, Event::Heartbeat { .. })));
    // Two at once: the first one's acknowledgement is expected all the same.
    bench.intent(muster::Intent::Report);
    bench.intent(muster::Intent::Report);
    bench.settle();
    assert_eq!(bench.stray(), 0);
}
