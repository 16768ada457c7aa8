//! CBOR with numbered fields, in little code.
//!
//! Types get it by the derives `Encode` and `Decode`. The core was first written with `minicbor`, whose attributes they
//! share; it took two thirds of the plugin, because each field came with its own error handling, name and position,
//! which nobody reads in a plugin. Here encoding cannot fail, and decoding does not stop where it fails: the
//! [`Decoder`] remembers its first [`Fault`] and reads zeros from there on. What it made of them is thrown away by
//! [`decode`], the one place that looks. `minicbor` stays as the second opinion of the tests.
//!
//! The encoding is the core deterministic one of RFC 8949, 4.2.1: definite lengths, keys in ascending order, each
//! once. A struct is a map of field numbers or an array; an enum is an array of its variant's number and fields, or
//! the number alone; an `Option` is null where it is `None`, and a field of that type may be left out. Readers skip
//! what stands behind the fields that they know, so fields can be added.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub use muster_derive::{Decode, Encode};

/// What can be written.
pub trait Encode {
    /// Writes the value.
    fn encode(&self, e: &mut Encoder);
}

/// What can be read.
pub trait Decode: Sized {
    /// Whether a field of this type may be left out.
    const OPTIONAL: bool = false;

    /// Reads the value, or makes one of zeros after a [`Fault`]. For a whole value, use [`decode`](decode()).
    fn decode(d: &mut Decoder<'_>) -> Self;
}

/// Why bytes cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not CBOR, or not of the expected type.
    Malformed,
    /// Well-formed, with a variant that this build does not know.
    Unknown,
}

/// The bytes of a value.
pub fn encode(value: &impl Encode) -> Vec<u8> {
    let mut e = Encoder::new();
    value.encode(&mut e);
    e.into_bytes()
}

/// Reads bytes that are one value and nothing else.
pub fn decode<T: Decode>(bytes: &[u8]) -> Result<T, Fault> {
    let mut d = Decoder::new(bytes);
    let value = T::decode(&mut d);
    d.finish()?;
    Ok(value)
}

/// Writes items one after the other. It cannot fail.
#[derive(Debug)]
pub struct Encoder(Vec<u8>);

/// The major types (RFC 8949, 3.1), in the upper three bits of an item's first byte.
mod major {
    pub(super) const UINT: u8 = 0 << 5;
    pub(super) const NEGATIVE: u8 = 1 << 5;
    pub(super) const BYTES: u8 = 2 << 5;
    pub(super) const TEXT: u8 = 3 << 5;
    pub(super) const ARRAY: u8 = 4 << 5;
    pub(super) const MAP: u8 = 5 << 5;
    pub(super) const TAG: u8 = 6 << 5;
    pub(super) const SIMPLE: u8 = 7 << 5;
}

const FALSE: u8 = major::SIMPLE | 20;
const TRUE: u8 = major::SIMPLE | 21;
const NULL: u8 = major::SIMPLE | 22;

// `inline(never)`: one copy of each, because they are called from everywhere.
impl Encoder {
    /// Nothing written yet.
    pub fn new() -> Self {
        // Most values fit, and so are allocated once.
        Self(Vec::with_capacity(192))
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A number from zero.
    #[inline(never)]
    pub fn uint(&mut self, n: u64) {
        self.head(major::UINT, n);
    }

    /// Any number.
    #[inline(never)]
    pub fn int(&mut self, n: i64) {
        if n < 0 {
            self.head(major::NEGATIVE, !n as u64);
        } else {
            self.uint(n as u64);
        }
    }

    /// True or false.
    #[inline(never)]
    pub fn bool(&mut self, b: bool) {
        self.0.push(if b { TRUE } else { FALSE });
    }

    /// Nothing.
    #[inline(never)]
    pub fn null(&mut self) {
        self.0.push(NULL);
    }

    /// Text.
    #[inline(never)]
    pub fn text(&mut self, text: &str) {
        self.string(major::TEXT, text.as_bytes());
    }

    /// Bytes.
    #[inline(never)]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.string(major::BYTES, bytes);
    }

    /// `n` items follow.
    #[inline(never)]
    pub fn array(&mut self, n: u32) {
        self.head(major::ARRAY, u64::from(n));
    }

    /// `n` pairs follow.
    #[inline(never)]
    pub fn map(&mut self, n: u32) {
        self.head(major::MAP, u64::from(n));
    }

    /// The number of a field, or of a variant without any.
    #[inline(never)]
    pub fn number(&mut self, n: u32) {
        self.uint(u64::from(n));
    }

    /// Variant `n` with `fields` fields, which follow.
    #[inline(never)]
    pub fn variant(&mut self, n: u32, fields: u32) {
        self.array(fields + 1);
        self.number(n);
    }

    #[inline(never)]
    fn string(&mut self, major: u8, bytes: &[u8]) {
        self.head(major, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// The shortest head for `n`.
    #[inline(never)]
    fn head(&mut self, major: u8, n: u64) {
        let (info, length) = match n {
            0..24 => (n as u8, 0),
            24..0x100 => (24, 1),
            0x100..0x1_0000 => (25, 2),
            0x1_0000..0x1_0000_0000 => (26, 4),
            _ => (27, 8),
        };
        self.0.push(major | info);
        let bytes = n.to_be_bytes();
        self.0.extend_from_slice(&bytes[bytes.len() - length..]);
    }
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads items one after the other, until something is wrong; from there on it reads zeros.
#[derive(Debug)]
pub struct Decoder<'b> {
    /// What is not read yet; nothing after a fault.
    rest: &'b [u8],
    fault: Option<Fault>,
    /// The next field is not there, and may be left out.
    absent: bool,
}

impl<'b> Decoder<'b> {
    /// At the first byte.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes, fault: None, absent: false }
    }

    /// Whether all went well, to the very end.
    #[inline(never)]
    pub fn finish(&self) -> Result<(), Fault> {
        match self.fault {
            Some(fault) => Err(fault),
            None if !self.rest.is_empty() => Err(Fault::Malformed),
            None => Ok(()),
        }
    }

    /// Whether something is wrong.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Notes that something is wrong. The first fault counts.
    #[inline(never)]
    pub fn fail(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    /// For a reader that can go on after a variant that it does not know.
    pub fn forgive_unknown(&mut self) -> bool {
        let unknown = self.fault == Some(Fault::Unknown);
        if unknown {
            self.fault = None;
        }
        unknown
    }

    /// A number from zero.
    #[inline(never)]
    pub fn uint(&mut self) -> u64 {
        self.expect(major::UINT)
    }

    /// A number of a field, a variant or a smaller type.
    #[inline(never)]
    pub fn number(&mut self) -> u32 {
        self.within(u64::from(u32::MAX), major::UINT) as u32
    }

    /// Any number.
    #[inline(never)]
    pub fn int(&mut self) -> i64 {
        let negative = self.rest.first().is_some_and(|first| first & 0xe0 == major::NEGATIVE);
        let major = if negative { major::NEGATIVE } else { major::UINT };
        let n = self.within(i64::MAX as u64, major) as i64;
        if negative { !n } else { n }
    }

    /// True or false.
    #[inline(never)]
    pub fn bool(&mut self) -> bool {
        match self.take(1) {
            [TRUE] => true,
            [FALSE] => false,
            _ => {
                self.fail(Fault::Malformed);
                false
            }
        }
    }

    /// Whether the next item is null, or left out; if so, it is read.
    #[inline(never)]
    pub fn null(&mut self) -> bool {
        if self.fault.is_some() || core::mem::take(&mut self.absent) {
            return true;
        }
        let null = self.rest.first() == Some(&NULL);
        if null {
            self.take(1);
        }
        null
    }

    /// Text.
    #[inline(never)]
    pub fn text(&mut self) -> &'b str {
        let bytes = self.string(major::TEXT);
        core::str::from_utf8(bytes).unwrap_or_else(|_| {
            self.fail(Fault::Malformed);
            ""
        })
    }

    /// Bytes.
    #[inline(never)]
    pub fn bytes(&mut self) -> &'b [u8] {
        self.string(major::BYTES)
    }

    /// How many items follow.
    #[inline(never)]
    pub fn array(&mut self) -> u32 {
        self.length(major::ARRAY)
    }

    /// How many pairs follow.
    #[inline(never)]
    pub fn map(&mut self) -> u32 {
        self.length(major::MAP)
    }

    /// One item of whatever type, with all that is in it.
    #[inline(never)]
    pub fn skip(&mut self) -> &'b [u8] {
        let all = self.rest;
        // Items that are still to come; each takes a byte at least, so this ends.
        let mut left = 1_u64;
        while left > 0 && self.fault.is_none() {
            left -= 1;
            let (major, n) = self.head();
            match major {
                major::BYTES | major::TEXT => drop(self.take(n)),
                major::ARRAY => left = left.saturating_add(n),
                major::MAP => left = left.saturating_add(n).saturating_add(n),
                major::TAG => left = left.saturating_add(1),
                // Numbers and simple values are all head.
                _ => {}
            }
        }
        all.get(..all.len().saturating_sub(self.rest.len())).unwrap_or_default()
    }

    /// The number of a variant, one of `0..count`.
    #[inline(never)]
    pub fn index(&mut self, count: u32) -> u32 {
        let n = self.number();
        if n >= count {
            self.fail(Fault::Unknown);
            return 0;
        }
        n
    }

    #[inline(never)]
    fn string(&mut self, major: u8) -> &'b [u8] {
        let n = self.expect(major);
        self.take(n)
    }

    /// A length that the bytes left can hold, so that nobody loops on a promise.
    #[inline(never)]
    fn length(&mut self, major: u8) -> u32 {
        let n = self.expect(major);
        if n > self.rest.len() as u64 {
            self.fail(Fault::Malformed);
            return 0;
        }
        n as u32
    }

    #[inline(never)]
    fn within(&mut self, most: u64, major: u8) -> u64 {
        let n = self.expect(major);
        if n > most {
            self.fail(Fault::Malformed);
            return 0;
        }
        n
    }

    /// The number in the head of an item of this type.
    #[inline(never)]
    fn expect(&mut self, major: u8) -> u64 {
        let (found, n) = self.head();
        if found != major || self.fault.is_some() {
            self.fail(Fault::Malformed);
            return 0;
        }
        n
    }

    /// Type and number of the next item. Lengths are definite.
    #[inline(never)]
    fn head(&mut self) -> (u8, u64) {
        let &[first] = self.take(1) else { return (0, 0) };
        let n = match first & 0x1f {
            info @ 0..24 => u64::from(info),
            info @ 24..28 => {
                let bytes = self.take(1 << (info - 24));
                bytes.iter().fold(0, |n, &byte| n << 8 | u64::from(byte))
            }
            _ => {
                self.fail(Fault::Malformed);
                0
            }
        };
        (first & 0xe0, n)
    }

    /// The next `n` bytes; nothing if there are not so many, or after a fault.
    #[inline(never)]
    fn take(&mut self, n: u64) -> &'b [u8] {
        match self.rest.split_at_checked(usize::try_from(n).unwrap_or(usize::MAX)) {
            Some((taken, rest)) if self.fault.is_none() => {
                self.rest = rest;
                taken
            }
            _ => {
                self.fail(Fault::Malformed);
                &[]
            }
        }
    }
}

/// Reads an array, item by item.
#[derive(Debug)]
pub struct Array {
    left: u32,
}

impl Array {
    /// At the array's head.
    #[inline(never)]
    pub fn start(d: &mut Decoder<'_>) -> Self {
        Self { left: d.array() }
    }

    /// The number of an enum's variant, one of `0..count`.
    #[inline(never)]
    pub fn variant(&mut self, d: &mut Decoder<'_>, count: u32) -> u32 {
        self.next(d, false);
        d.index(count)
    }

    /// Goes to the next item.
    #[inline(never)]
    pub fn next(&mut self, d: &mut Decoder<'_>, optional: bool) {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None if optional => d.absent = true,
            None => d.fail(Fault::Malformed),
        }
    }

    /// The next item.
    #[inline]
    pub fn field<T: Decode>(&mut self, d: &mut Decoder<'_>) -> T {
        self.next(d, T::OPTIONAL);
        T::decode(d)
    }

    /// Skips what is left.
    #[inline(never)]
    pub fn end(self, d: &mut Decoder<'_>) {
        for _ in 0..self.left {
            if d.fault.is_some() {
                break;
            }
            d.skip();
        }
    }
}

/// Reads a map of field numbers, which stand in ascending order.
#[derive(Debug)]
pub struct Map {
    left: u32,
    /// The lowest key that may come next.
    floor: u64,
    /// A key that was read ahead of its value.
    ahead: Option<u32>,
}

impl Map {
    /// At the map's head.
    #[inline(never)]
    pub fn start(d: &mut Decoder<'_>) -> Self {
        Self { left: d.map(), floor: 0, ahead: None }
    }

    /// Goes to the value of field `number`.
    #[inline(never)]
    pub fn next(&mut self, d: &mut Decoder<'_>, number: u32, optional: bool) {
        if self.seek(d, number) {
            return;
        }
        if optional {
            d.absent = true;
        } else {
            d.fail(Fault::Malformed);
        }
    }

    /// The value of field `number`.
    #[inline]
    pub fn field<T: Decode>(&mut self, d: &mut Decoder<'_>, number: u32) -> T {
        self.next(d, number, T::OPTIONAL);
        T::decode(d)
    }

    /// Skips what is left.
    #[inline(never)]
    pub fn end(mut self, d: &mut Decoder<'_>) {
        while self.seek(d, u32::MAX) {
            d.skip();
        }
    }

    /// Skips fields below `number`; whether it is there.
    #[inline(never)]
    fn seek(&mut self, d: &mut Decoder<'_>, number: u32) -> bool {
        loop {
            let key = match self.ahead.take() {
                _ if d.fault.is_some() => return false,
                Some(key) => key,
                None if self.left == 0 => return false,
                None => {
                    self.left -= 1;
                    let key = d.number();
                    if u64::from(key) < self.floor {
                        d.fail(Fault::Malformed);
                    }
                    self.floor = u64::from(key) + 1;
                    key
                }
            };
            if key > number {
                self.ahead = Some(key);
                return false;
            }
            if key == number {
                return true;
            }
            d.skip();
        }
    }
}

/// For `with`: bytes as a byte string instead of an array of numbers.
pub mod bytes {
    use super::{Decoder, Encoder, Fault};

    /// Writes bytes.
    pub fn encode(bytes: &impl AsRef<[u8]>, e: &mut Encoder) {
        e.bytes(bytes.as_ref());
    }

    /// Reads bytes.
    pub fn decode<T: FromBytes>(d: &mut Decoder<'_>) -> T {
        let bytes = d.bytes();
        T::from_bytes(bytes).unwrap_or_else(|| {
            d.fail(Fault::Malformed);
            T::zero()
        })
    }

    /// What bytes can become.
    pub trait FromBytes: Sized {
        /// Takes them.
        fn from_bytes(bytes: &[u8]) -> Option<Self>;
        /// Stands in for what could not be read.
        fn zero() -> Self;
    }

    impl FromBytes for alloc::vec::Vec<u8> {
        fn from_bytes(bytes: &[u8]) -> Option<Self> {
            Some(bytes.to_vec())
        }

        fn zero() -> Self {
            Self::new()
        }
    }

    impl<const N: usize> FromBytes for [u8; N] {
        fn from_bytes(bytes: &[u8]) -> Option<Self> {
            bytes.try_into().ok()
        }

        fn zero() -> Self {
            [0; N]
        }
    }
}

macro_rules! numbers {
    ($($ty:ty)*) => { $(
        impl Encode for $ty {
            #[inline]
            fn encode(&self, e: &mut Encoder) {
                e.number(u32::from(*self));
            }
        }

        impl Decode for $ty {
            fn decode(d: &mut Decoder<'_>) -> Self {
                <$ty>::try_from(d.number()).unwrap_or_else(|_| {
                    d.fail(Fault::Malformed);
                    0
                })
            }
        }
    )* };
}

numbers!(u8 u16 u32);

impl Encode for u64 {
    #[inline]
    fn encode(&self, e: &mut Encoder) {
        e.uint(*self);
    }
}

impl Decode for u64 {
    #[inline]
    fn decode(d: &mut Decoder<'_>) -> Self {
        d.uint()
    }
}

macro_rules! signed_numbers {
    ($($ty:ty)*) => { $(
        impl Encode for $ty {
            #[inline]
            fn encode(&self, e: &mut Encoder) {
                e.int(i64::from(*self));
            }
        }

        impl Decode for $ty {
            fn decode(d: &mut Decoder<'_>) -> Self {
                <$ty>::try_from(d.int()).unwrap_or_else(|_| {
                    d.fail(Fault::Malformed);
                    0
                })
            }
        }
    )* };
}

signed_numbers!(i8 i16 i32);

impl Encode for i64 {
    #[inline]
    fn encode(&self, e: &mut Encoder) {
        e.int(*self);
    }
}

impl Decode for i64 {
    #[inline]
    fn decode(d: &mut Decoder<'_>) -> Self {
        d.int()
    }
}

impl Encode for bool {
    #[inline]
    fn encode(&self, e: &mut Encoder) {
        e.bool(*self);
    }
}

impl Decode for bool {
    #[inline]
    fn decode(d: &mut Decoder<'_>) -> Self {
        d.bool()
    }
}

impl Encode for String {
    #[inline]
    fn encode(&self, e: &mut Encoder) {
        e.text(self);
    }
}

impl Decode for String {
    #[inline(never)]
    fn decode(d: &mut Decoder<'_>) -> Self {
        d.text().to_string()
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, e: &mut Encoder) {
        (**self).encode(e);
    }
}

impl Encode for str {
    fn encode(&self, e: &mut Encoder) {
        e.text(self);
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, e: &mut Encoder) {
        match self {
            Some(value) => value.encode(e),
            None => e.null(),
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    const OPTIONAL: bool = true;

    fn decode(d: &mut Decoder<'_>) -> Self {
        if d.null() { None } else { Some(T::decode(d)) }
    }
}

impl<T: Encode> Encode for Box<T> {
    fn encode(&self, e: &mut Encoder) {
        (**self).encode(e);
    }
}

impl<T: Decode> Decode for Box<T> {
    fn decode(d: &mut Decoder<'_>) -> Self {
        Box::new(T::decode(d))
    }
}

impl<T: Encode> Encode for [T] {
    fn encode(&self, e: &mut Encoder) {
        e.array(self.len() as u32);
        for value in self {
            value.encode(e);
        }
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, e: &mut Encoder) {
        self.as_slice().encode(e);
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(d: &mut Decoder<'_>) -> Self {
        // The room grows with what really comes, not with what the head promises.
        let mut values = Vec::new();
        for _ in 0..d.array() {
            if d.fault.is_some() {
                break;
            }
            values.push(T::decode(d));
        }
        values
    }
}

impl<T: Encode> Encode for VecDeque<T> {
    fn encode(&self, e: &mut Encoder) {
        e.array(self.len() as u32);
        for value in self {
            value.encode(e);
        }
    }
}

impl<T: Decode> Decode for VecDeque<T> {
    fn decode(d: &mut Decoder<'_>) -> Self {
        Vec::decode(d).into()
    }
}

impl<T: Encode, const N: usize> Encode for [T; N] {
    fn encode(&self, e: &mut Encoder) {
        self.as_slice().encode(e);
    }
}

impl<T: Decode, const N: usize> Decode for [T; N] {
    fn decode(d: &mut Decoder<'_>) -> Self {
        if d.array() != N as u32 {
            d.fail(Fault::Malformed);
        }
        core::array::from_fn(|_| T::decode(d))
    }
}

impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, e: &mut Encoder) {
        e.array(2);
        self.0.encode(e);
        self.1.encode(e);
    }
}

impl<A: Decode, B: Decode> Decode for (A, B) {
    fn decode(d: &mut Decoder<'_>) -> Self {
        if d.array() != 2 {
            d.fail(Fault::Malformed);
        }
        (A::decode(d), B::decode(d))
    }
}

impl<K: Encode, V: Encode> Encode for BTreeMap<K, V> {
    fn encode(&self, e: &mut Encoder) {
        e.map(self.len() as u32);
        for (key, value) in self {
            key.encode(e);
            value.encode(e);
        }
    }
}

impl<K: Decode + Ord, V: Decode> Decode for BTreeMap<K, V> {
    fn decode(d: &mut Decoder<'_>) -> Self {
        let mut map = BTreeMap::new();
        for _ in 0..d.map() {
            let (key, value) = (K::decode(d), V::decode(d));
            if d.fault.is_some() {
                break;
            }
            if map.insert(key, value).is_some() {
                d.fail(Fault::Malformed);
            }
        }
        map
    }
}
