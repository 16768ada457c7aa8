use muster::{
    Advice, ApiMisuse, Closed, Command, Error, Event, Input, Intent, Rejected, SecretBytes,
    StoreKey, Stored,
};

use super::support::*;
use crate::common::{Bench, commands, events};

fn login(bench: &Bench) -> (muster::Token, String, String) {
    let commands = commands(&bench.outputs);
    let Some(Command::Connect(token, connect)) = commands.last() else { panic!("{commands:?}") };
    (*token, connect.username.clone(), connect.password.expose().to_string())
}

#[test]
fn a_stored_secret_logs_in() {
    let bench = Bench::new(UCLOUD, &dynamic(), stored("stored0secret000"));
    let (_, username, password) = login(&bench);
    assert_eq!(username, "70ly1tvowt696r15|112233445566|1");
    assert_eq!(password, "stored0secret000");
}

#[test]
fn a_configured_secret_logs_in_and_is_not_stored() {
    let mut world = world();
    let id = world.add(config(&static_()), Stored::empty()).unwrap();
    assert!(world.run_until(SOON, |world| is_ready(world, id)));
    assert_eq!(world.stored(id), &Stored::empty());
    assert_eq!(count(&world, id, |event| matches!(event, Event::Registered { .. })), 0);
}

#[test]
fn a_configured_secret_wins_over_the_stored_one() {
    let bench = Bench::new(UCLOUD, &static_(), stored("stored0secret000"));
    let (_, username, password) = login(&bench);
    assert_eq!(username, "70ly1tvowt696r15|112233445566|1");
    assert_eq!(password, DEVICE_SECRET);
}

#[test]
fn a_refused_secret_stops_the_device_and_try_again_tries_the_same() {
    for (code, advice) in [
        (4, Advice::CheckDevice),
        (5, Advice::CheckDevice),
        (2, Advice::CheckDevice),
        (1, Advice::AskVendor),
        (9, Advice::AskVendor),
    ] {
        let mut bench = Bench::new(UCLOUD, &dynamic(), stored(DEVICE_SECRET));
        for _ in 0..3 {
            let (connection, username, _) = login(&bench);
            assert!(username.ends_with("|1"), "{username}");
            let out = bench.give(Input::Closed(connection, Closed::Refused(code)));
            let error = Error::Rejected { by: Rejected::Connack { code } };
            assert_eq!(events(&out), [Event::Stopped { error, advice }]);
            assert!(commands(&out).is_empty());
            assert_eq!(bench.deadline, None, "it waits for a person");
            bench.give(Input::User(Intent::TryAgain));
        }
    }
}

#[test]
fn a_secret_of_another_device_is_an_error_of_the_caller() {
    let other = crate::common::settings(&[
        ("broker", "mqtt://127.0.0.1"),
        ("product_sn", PRODUCT),
        ("product_secret", PRODUCT_SECRET),
        ("device_sn", "another1"),
    ]);
    let now = muster::Now::mono(0);
    let error = muster::Agent::new(config(&other), stored(DEVICE_SECRET), [0; 32], now);
    assert_eq!(error.unwrap_err(), ApiMisuse::StoredForAnotherDevice);
    for damaged in ["", "{", "[]", "{}", r#"{"product_sn":"70ly1tvowt696r15"}"#, "\u{0}\u{1}"] {
        let mut kept = Stored::empty();
        kept.insert(StoreKey::Credential, SecretBytes::new(damaged.as_bytes().to_vec()));
        let error = muster::Agent::new(config(&dynamic()), kept, [0; 32], now);
        assert_eq!(error.unwrap_err(), ApiMisuse::StoredUnreadable(StoreKey::Credential));
    }
}

#[test]
fn without_any_secret_the_settings_are_incomplete() {
    let bare = crate::common::settings(&[
        ("broker", "mqtt://127.0.0.1"),
        ("product_sn", PRODUCT),
        ("device_sn", DEVICE),
    ]);
    let now = muster::Now::mono(0);
    let error = muster::Agent::new(config(&bare), Stored::empty(), [0; 32], now).unwrap_err();
    let ApiMisuse::Config(error) = error else { panic!("{error:?}") };
    assert_eq!(error.key, "product_secret");
    // What is stored is enough.
    assert!(muster::Agent::new(config(&bare), stored(DEVICE_SECRET), [0; 32], now).is_ok());
}

#[test]
fn settings_out_of_shape_name_the_key() {
    for (key, value) in [
        ("broker", "http://127.0.0.1"),
        ("broker", ""),
        ("product_sn", "a"),
        ("product_sn", "has/slash"),
        ("device_sn", "abc"),
        ("device_sn", "a|b|c|d"),
        ("device_sn", "dotted.name"),
        ("keep_alive", "29"),
        ("keep_alive", "1201"),
        ("firmware_version", "1.0/../.."),
        ("module", "abc"),
        ("product_secret", "caf\u{e9}"),
        ("reply_timeout_ms", "5"),
        ("request_retries", "11"),
        ("colour", "red"),
    ] {
        let error = muster::Config::from_settings(UCLOUD, &dynamic().with(key, value)).unwrap_err();
        assert_eq!(error.key, key, "{value}");
    }
}
