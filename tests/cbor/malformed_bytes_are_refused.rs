//! No bytes make a reader panic, loop, or return a value as if nothing had been wrong.

use muster::cbor::{self, Decode, Encode, Fault};
use muster::wire::{Describe, Handle, Open, Restore, drained, saved};
use muster::{
    Input, Intent, Message, Now, Output, PlatformName, SecretBytes, Settings, StoreKey, Stored,
};
use proptest::prelude::*;

fn examples() -> Vec<Vec<u8>> {
    let mut stored = Stored::empty();
    stored.insert(StoreKey::Credential, SecretBytes::new(b"{}".to_vec()));
    let settings = Settings::new().with("broker", "mqtt://127.0.0.1");
    let now = Now::new(70_000, 1_767_225_600_000);
    let message = Message { topic: "a/b".into(), payload: SecretBytes::new(vec![7; 30]) };
    let snapshot = SecretBytes::new(vec![1; 300]);
    vec![
        cbor::encode(&Open::new(PlatformName::Cmcc, settings.clone(), stored, [7; 32], now)),
        cbor::encode(&Restore::new(PlatformName::Ucloud, settings, snapshot, now)),
        cbor::encode(&Handle { now, input: Input::Message(message) }),
        cbor::encode(&Handle { now, input: Input::User(Intent::Use { date: 20_260_101 }) }),
    ]
}

fn read_as_everything(bytes: &[u8]) {
    let _ = cbor::decode::<Open>(bytes);
    let _ = cbor::decode::<Restore>(bytes);
    let _ = cbor::decode::<Handle>(bytes);
    let _ = cbor::decode::<Output>(bytes);
    let _ = cbor::decode::<Stored>(bytes);
    let _ = cbor::decode::<Vec<Vec<(String, Option<u64>)>>>(bytes);
    let _ = drained(bytes);
    let _ = saved(bytes);
    let _ = Describe::from_bytes(bytes);
}

#[test]
fn a_part_of_a_value_is_no_value() {
    fn refuse<T: Decode + Encode>(bytes: &[u8]) {
        if let Ok(value) = cbor::decode::<T>(bytes) {
            assert_eq!(cbor::encode(&value), bytes);
            for end in 0..bytes.len() {
                assert!(cbor::decode::<T>(&bytes[..end]).is_err(), "{end} of {}", bytes.len());
            }
            let longer = [bytes, &[0]].concat();
            assert_eq!(cbor::decode::<T>(&longer).err(), Some(Fault::Malformed));
        }
    }
    for bytes in examples() {
        refuse::<Open>(&bytes);
        refuse::<Restore>(&bytes);
        refuse::<Handle>(&bytes);
    }
}

#[test]
fn promises_cost_nothing() {
    // Lengths of 2^32 and 2^64 items, with nothing behind them.
    for head in ["9affffffff", "bbffffffffffffffff", "5affffffff", "7bffffffffffffffff"] {
        let bytes = muster::hex::decode(head).unwrap();
        assert_eq!(cbor::decode::<Vec<u64>>(&bytes).err(), Some(Fault::Malformed));
        read_as_everything(&bytes);
    }
    // Arrays in arrays, deeper than any stack.
    read_as_everything(&vec![0x81; 1 << 20]);
}

#[test]
fn keys_out_of_order_or_twice_are_refused() {
    // Now: {0: 1, 1: null}.
    let good = [0xa2, 0, 1, 1, 0xf6];
    assert_eq!(cbor::decode::<Now>(&good), Ok(Now::mono(1)));
    for bad in [&[0xa2, 1, 0xf6, 0, 1][..], &[0xa2, 0, 1, 0, 2], &[0xa3, 0, 1, 1, 0xf6, 1, 0xf6]] {
        assert_eq!(cbor::decode::<Now>(bad), Err(Fault::Malformed));
    }
}

proptest! {
    #[test]
    fn noise(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn spoilt_requests(which in 0_usize..4, at: prop::sample::Index, byte: u8) {
        let mut bytes = examples().swap_remove(which);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        read_as_everything(&bytes);
    }
}
