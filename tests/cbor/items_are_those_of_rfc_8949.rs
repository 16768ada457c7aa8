//! Single items: the RFC's own examples, and whatever `minicbor` reads and writes.

use muster::cbor::{Decoder, Encoder};
use muster::hex;
use proptest::prelude::*;

fn encoded(write: impl FnOnce(&mut Encoder)) -> Vec<u8> {
    let mut e = Encoder::new();
    write(&mut e);
    e.into_bytes()
}

/// RFC 8949, appendix A.
#[test]
fn numbers_of_the_appendix() {
    for (n, hex) in [
        (0, "00"),
        (1, "01"),
        (10, "0a"),
        (23, "17"),
        (24, "1818"),
        (25, "1819"),
        (100, "1864"),
        (1000, "1903e8"),
        (1_000_000, "1a000f4240"),
        (1_000_000_000_000, "1b000000e8d4a51000"),
        (u64::MAX, "1bffffffffffffffff"),
    ] {
        assert_eq!(hex::lower(&encoded(|e| e.uint(n))), hex);
    }
    for (n, hex) in [(-1, "20"), (-10, "29"), (-100, "3863"), (-1000, "3903e7")] {
        assert_eq!(hex::lower(&encoded(|e| e.int(n))), hex);
    }
}

/// RFC 8949, appendix A.
#[test]
fn strings_of_the_appendix() {
    for (text, hex) in [
        ("", "60"),
        ("a", "6161"),
        ("IETF", "6449455446"),
        ("\"\\", "62225c"),
        ("\u{fc}", "62c3bc"),
        ("\u{6c34}", "63e6b0b4"),
        ("\u{10151}", "64f0908591"),
    ] {
        let bytes = encoded(|e| e.text(text));
        assert_eq!(hex::lower(&bytes), hex);
        assert_eq!(Decoder::new(&bytes).text(), text);
    }
    assert_eq!(hex::lower(&encoded(|e| e.bytes(&[1, 2, 3, 4]))), "4401020304");
    assert_eq!(hex::lower(&encoded(|e| e.bool(false))), "f4");
    assert_eq!(hex::lower(&encoded(|e| e.bool(true))), "f5");
    assert_eq!(hex::lower(&encoded(Encoder::null)), "f6");
}

proptest! {
    #[test]
    fn what_we_write_minicbor_reads(
        n: u64, i: i64, b: bool, text: String, bytes: Vec<u8>, length in 0_u32..100_000,
    ) {
        let ours = encoded(|e| {
            e.uint(n);
            e.int(i);
            e.bool(b);
            e.text(&text);
            e.bytes(&bytes);
            e.null();
            e.array(length);
            e.map(length);
        });
        let mut d = minicbor::Decoder::new(&ours);
        prop_assert_eq!(d.u64().unwrap(), n);
        prop_assert_eq!(d.i64().unwrap(), i);
        prop_assert_eq!(d.bool().unwrap(), b);
        prop_assert_eq!(d.str().unwrap(), text);
        prop_assert_eq!(d.bytes().unwrap(), bytes);
        d.null().unwrap();
        prop_assert_eq!(d.array().unwrap(), Some(u64::from(length)));
        prop_assert_eq!(d.map().unwrap(), Some(u64::from(length)));
        prop_assert_eq!(d.position(), ours.len());
    }

    #[test]
    fn what_minicbor_writes_we_read(n: u64, i: i64, b: bool, text: String, bytes: Vec<u8>) {
        let mut theirs = Vec::new();
        let mut e = minicbor::Encoder::new(&mut theirs);
        e.u64(n).unwrap().i64(i).unwrap().bool(b).unwrap().str(&text).unwrap();
        e.bytes(&bytes).unwrap().null().unwrap().array(0).unwrap().map(0).unwrap();
        let mut d = Decoder::new(&theirs);
        prop_assert_eq!(d.uint(), n);
        prop_assert_eq!(d.int(), i);
        prop_assert_eq!(d.bool(), b);
        prop_assert_eq!(d.text(), text);
        prop_assert_eq!(d.bytes(), bytes);
        prop_assert!(d.null());
        prop_assert_eq!(d.array(), 0);
        prop_assert_eq!(d.map(), 0);
        prop_assert_eq!(d.finish(), Ok(()));
    }

    /// Where both can skip, both skip the same; what has an indefinite length we refuse.
    #[test]
    fn any_item_is_skipped_as_minicbor_skips_it(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut ours = Decoder::new(&bytes);
        let skipped = ours.skip();
        if ours.fault().is_none() {
            let mut theirs = minicbor::Decoder::new(&bytes);
            if theirs.skip().is_ok() {
                prop_assert_eq!(skipped.len(), theirs.position());
            }
        }
    }
}
