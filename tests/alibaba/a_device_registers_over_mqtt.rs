//! Registration over MQTT, with and without whitelist.

use muster::{Command, Event, Input, Step};

use super::bench::{Bench, DN, PK, over_mqtt};

#[test]
fn the_secret_is_pushed_stored_and_used_in_a_session_of_its_own() {
    let mut bench = Bench::new(&over_mqtt());
    let (_, connect) = bench.until_connect();
    assert!(connect.client_id.starts_with(&format!("{DN}.{PK}|random=")));
    assert!(connect.client_id.ends_with(",authType=register,securemode=2,signmethod=hmacsha256|"));
    // The same once more, answered.
    let mut bench = Bench::new(&over_mqtt());
    bench.until_ready();
    let steps: Vec<Step> = bench
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Step { step } => Some(*step),
            _ => None,
        })
        .collect();
    assert_eq!(
        steps,
        [
            Step::ConnectToRegister,
            Step::RequestSecret,
            Step::StoreSecret,
            Step::LeaveRegistration,
            Step::Login,
            Step::Subscribe,
            Step::ReportVersion,
            Step::ReportToken
        ]
    );
    assert!(bench.credential().unwrap().contains(&bench.cloud.issued[0]));
    assert_eq!(bench.stray(), 0);
}

#[test]
fn the_next_session_begins_after_the_last_one_is_gone() {
    let mut bench = Bench::new(&over_mqtt());
    let close = bench.until(|command| match command {
        Command::Close(token) => Some(*token),
        _ => None,
    });
    assert!(bench.commands.is_empty(), "nothing is sent before the host says Closed");
    bench.input(Input::Closed(close, muster::Closed::Requested));
    bench.until_ready();
}

#[test]
fn a_host_that_never_says_closed_does_not_stop_the_device() {
    let mut bench = Bench::new(&over_mqtt());
    bench.until(|command| matches!(command, Command::Close(_)).then_some(()));
    bench.until_ready();
}

#[test]
fn a_server_that_closes_while_the_secret_is_being_stored_does_no_harm() {
    let mut bench = Bench::new(&over_mqtt());
    let (token, key, value) = bench.until_store();
    bench.break_connection();
    bench.answer(Command::Store(token, key, value));
    bench.until_ready();
    assert_eq!(bench.cloud.issued.len(), 1);
}

#[test]
fn without_whitelist_client_id_and_token_are_stored_and_used() {
    let settings = over_mqtt().with("auth_type", "regnwl").with("instance_id", "iot-060a");
    let mut bench = Bench::new(&settings);
    bench.until_ready();
    let token = bench.cloud.issued[0].clone();
    let stored = format!(
        r#"{{"product_key":"{PK}","device_name":"{DN}","client_id":"client-7","device_token":"{token}"}}"#
    );
    assert_eq!(bench.credential(), Some(stored));
    let login = &bench.cloud.logins[0];
    assert_eq!(login.client_id, "client-7|authType=connwl,securemode=-2|");
    assert_eq!(login.password.expose(), token);

    bench.cut_power();
    bench.power_on().unwrap();
    bench.events.clear();
    bench.until_ready();
    assert_eq!(bench.cloud.issued.len(), 1);
    assert_eq!(bench.cloud.logins.len(), 2);
}

#[test]
fn newer_instances_are_asked_with_minus_two() {
    let settings = over_mqtt().with("secure_mode", "-2").with("instance_id", "iot-060a");
    let (_, connect) = Bench::new(&settings).until_connect();
    assert!(
        connect.client_id.ends_with("securemode=-2,signmethod=hmacsha256,instanceId=iot-060a|")
    );
}

#[test]
fn a_push_to_another_topic_is_not_taken_for_the_secret() {
    let mut bench = Bench::new(&over_mqtt());
    let (token, _) = bench.until_connect();
    bench.input(Input::Connected(token));
    for topic in ["/ext/regnwl", "/ext/register/", "/sys/a/b/register", ""] {
        bench.message(topic, r#"{"deviceSecret":"stolen-name"}"#);
    }
    assert_eq!(bench.stray(), 4);
    assert!(bench.commands.is_empty());
}
