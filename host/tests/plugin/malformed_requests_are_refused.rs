//! Whatever bytes come in, the plugin answers and lives on.

use muster::cbor::{self, Encoder};
use muster::wire::{self, Handle, Open, Refusal, Restore};
use muster::{ApiMisuse, Input, Now, PlatformName, SecretBytes, Settings, Stored};
use muster_host::plugin::PluginError;

use super::executors;

fn settings() -> Settings {
    Settings::new()
        .with("broker", "mqtt://127.0.0.1:18832")
        .with("product_id", "1700000001")
        .with("product_secret", "theproductsecret")
        .with("device_id", "880001")
}

fn open() -> Open {
    let now = Now::new(0, 1_767_225_600_000);
    Open::new(PlatformName::Krtyun, settings(), Stored::empty(), [1; 32], now)
}

#[test]
fn every_prefix_and_every_flipped_bit_of_an_open_request() {
    let good = open().to_bytes();
    let good = good.expose();
    let mut instance = executors::core();
    for end in 0..good.len() {
        let reply = instance.open_bytes(&good[..end]).unwrap();
        let refusal = wire::drained(reply.expose()).unwrap().unwrap_err();
        assert_eq!(refusal, Refusal::Malformed, "prefix of {end} bytes");
    }
    for bit in 0..good.len() * 8 {
        let mut bytes = good.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut instance = executors::core();
        let reply = instance.open_bytes(&bytes).unwrap();
        // Most are refused; some are another device's settings.
        let _ = wire::drained(reply.expose()).unwrap();
    }
}

#[test]
fn every_prefix_of_an_input_while_the_device_goes_on() {
    let mut instance = executors::core();
    instance.open(&open()).unwrap();
    let good = Handle { now: Now::mono(5), input: Input::Timeout }.to_bytes();
    for end in 0..good.expose().len() {
        let reply = instance.handle_bytes(&good.expose()[..end]).unwrap();
        assert_eq!(wire::drained(reply.expose()).unwrap().unwrap_err(), Refusal::Malformed);
    }
    instance.handle(&Input::Timeout, Now::mono(5)).unwrap();
}

#[test]
fn an_unknown_input_is_ignored_and_counted() {
    let mut instance = executors::core();
    instance.open(&open()).unwrap();
    // Input 4711, with fields that nobody knows.
    let mut e = Encoder::new();
    e.map(2);
    e.number(0);
    cbor::Encode::encode(&Now::mono(7), &mut e);
    e.number(1);
    e.variant(4711, 2);
    e.text("what");
    e.bytes(&[1, 2, 3]);
    let reply = instance.handle_bytes(&e.into_bytes()).unwrap();
    let drain = wire::drained(reply.expose()).unwrap().unwrap();
    assert_eq!(drain.outputs.len(), 1, "{:?}", drain.outputs);
    assert_eq!(drain.stray, 1);
}

#[test]
fn a_request_that_promises_more_than_it_brings() {
    let mut instance = executors::core();
    // An array of 4 billion items, a string of 4 GB, a map of as many pairs, and 60,000 arrays in one another.
    let nested = vec![0x81; 60_000];
    for bytes in [
        &[0x9a, 0xff, 0xff, 0xff, 0xff][..],
        &[0xa1, 0x00, 0x7a, 0xff, 0xff, 0xff, 0xff],
        &[0xba, 0xff, 0xff, 0xff, 0xff],
        &[0x9f, 0xff],
        &nested,
    ] {
        let reply = instance.open_bytes(bytes).unwrap();
        assert_eq!(wire::drained(reply.expose()).unwrap().unwrap_err(), Refusal::Malformed);
    }
}

#[test]
fn a_request_beyond_the_limit() {
    let mut instance = executors::core();
    let reply = instance.open_bytes(&vec![0; wire::MAX_REQUEST + 1]).unwrap();
    assert_eq!(wire::drained(reply.expose()).unwrap().unwrap_err(), Refusal::TooLong);
}

#[test]
fn calls_out_of_order_and_settings_that_are_wrong() {
    let mut instance = executors::core();
    let refused = |result: Result<_, PluginError>| match result {
        Err(PluginError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(instance.handle(&Input::Timeout, Now::mono(0))), Refusal::NotOpen);
    assert_eq!(refused(instance.save().map(|_| Vec::new())), Refusal::NotOpen);

    let mut newer = open();
    newer.schema = 7;
    assert_eq!(refused(instance.open(&newer)), Refusal::Schema { oldest: 1, newest: 1 });

    let mut wrong = open();
    wrong.settings.set("colour", "blue");
    match refused(instance.open(&wrong)) {
        Refusal::Misuse(ApiMisuse::Config(error)) => assert_eq!(error.key, "colour"),
        other => panic!("{other:?}"),
    }

    let snapshot = SecretBytes::new(vec![1, 2, 3]);
    let restore = Restore::new(PlatformName::Krtyun, settings(), snapshot, Now::mono(0));
    let refusal = refused(instance.restore(&restore));
    assert_eq!(refusal, Refusal::Misuse(ApiMisuse::SnapshotUnreadable));

    // None of it has done any harm.
    instance.open(&open()).unwrap();
    assert_eq!(refused(instance.open(&open())), Refusal::AlreadyOpen);
    assert!(!instance.is_poisoned());
}
