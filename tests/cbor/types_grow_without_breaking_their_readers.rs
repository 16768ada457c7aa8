//! What a newer writer adds, an older reader steps over; what it cannot step over, it names.

use muster::cbor::{self, Encode, Encoder, Fault};
use muster::wire::{ReplyError, drained};
use muster::{Event, Now, Output, Stored};

fn encoded(write: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    let mut e = Encoder::new();
    write(&mut e);
    e.into_bytes()
}

/// `[0, {0: [outputs], 1: 5}]`
fn reply(outputs: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = encoded(|e| {
        e.variant(0, 1);
        e.map(2);
        e.number(0);
        e.array(outputs.len() as u32);
    });
    bytes.extend(outputs.concat());
    bytes.extend(encoded(|e| {
        e.number(1);
        e.number(5);
    }));
    bytes
}

fn timeout() -> Vec<u8> {
    cbor::encode(&Output::Timeout(None))
}

#[test]
fn a_field_that_is_not_known_is_skipped() {
    let bytes = encoded(|e| {
        e.map(4);
        e.number(0);
        e.uint(9);
        e.number(1);
        e.null();
        e.number(2);
        e.text("what a later version says here");
        e.number(70_000);
        e.array(2);
        e.bytes(&[1]);
        e.bool(true);
    });
    assert_eq!(cbor::decode(&bytes), Ok(Now::mono(9)));
}

#[test]
fn a_field_that_may_be_null_may_be_left_out_and_no_other() {
    assert_eq!(cbor::decode(&[0xa1, 0, 9]), Ok(Now::mono(9)));
    assert_eq!(cbor::decode::<Now>(&[0xa1, 1, 0xf6]), Err(Fault::Malformed));
}

#[test]
fn an_event_that_is_not_known_is_skipped_and_counted() {
    let unknown = encoded(|e| {
        e.variant(1, 1);
        e.variant(4711, 1);
        e.text("news");
    });
    let known = cbor::encode(&Output::Event(Event::Ready));
    let drain = drained(&reply(&[unknown, known, timeout()])).unwrap().unwrap();
    assert_eq!(drain.outputs, [Output::Event(Event::Ready), Output::Timeout(None)]);
    assert_eq!((drain.skipped, drain.stray), (1, 5));
}

#[test]
fn a_command_that_is_not_known_fails_by_its_number() {
    let unknown = encoded(|e| {
        e.variant(0, 1);
        e.variant(42, 1);
        e.number(1);
    });
    let error = drained(&reply(&[unknown, timeout()])).unwrap_err();
    assert_eq!(error, ReplyError::UnknownCommand(42));
}

#[test]
fn an_output_that_is_not_known_fails() {
    let unknown = encoded(|e| e.variant(3, 0));
    let error = drained(&reply(&[unknown, timeout()])).unwrap_err();
    assert_eq!(error, ReplyError::UnknownOutput);
}

#[test]
fn a_reply_ends_with_one_time_out() {
    for outputs in
        [&[][..], &[timeout(), timeout()], &[timeout(), cbor::encode(&Output::Event(Event::Ready))]]
    {
        assert_eq!(drained(&reply(outputs)).unwrap_err(), ReplyError::NotDrained);
    }
}

#[test]
fn a_stored_value_of_a_newer_version_is_left_alone() {
    let bytes = encoded(|e| {
        e.map(2);
        e.number(0);
        e.bytes(b"ours");
        e.number(99);
        e.bytes(b"theirs");
    });
    let stored: Stored = cbor::decode(&bytes).unwrap();
    let values: Vec<&[u8]> = stored.iter().map(|(_, value)| value.expose()).collect();
    assert_eq!(values, [b"ours"]);
    let mut e = Encoder::new();
    stored.encode(&mut e);
    assert_eq!(e.into_bytes(), [0xa1, 0, 0x44, b'o', b'u', b'r', b's']);
}
