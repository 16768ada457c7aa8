//! CBOR with numbered fields, in little code.
//!
//! `minicbor` reads and writes the single items; what is here gives them to structs and enums, together with the
//! derives of the same names. The derives of `minicbor` itself took two thirds of the plugin: each field came with
//! its own error handling, name and position, which nobody reads in a plugin. Here encoding cannot fail, and decoding
//! does not stop where it fails: the [`Decoder`] remembers its first [`Fault`] and reads zeros from there on. What it
//! made of them is thrown away by [`decode`], the one place that looks.
//!
//! The encoding is the core deterministic one of RFC 8949, 4.2.1: definite lengths, keys in ascending order, each
//! once. A struct is a map of field numbers or an array; an enum is an array of its variant's number and fields, or
//! the number alone; an `Option` is null where it is `None`, and a field of that type may be left out. Readers skip
//! what stands behind the fields that they know, so fields can be added.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::convert::Infallible;

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
pub struct Encoder(minicbor::Encoder<Bytes>);

#[derive(Debug)]
struct Bytes(Vec<u8>);

impl minicbor::encode::Write for Bytes {
    type Error = Infallible;

    #[inline(never)]
    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

// `inline(never)`: one copy of each, because they are called from everywhere.
impl Encoder {
    /// Nothing written yet.
    pub fn new() -> Self {
        // Most values fit; growing from nothing would move them four times.
        Self(minicbor::Encoder::new(Bytes(Vec::with_capacity(96))))
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0.into_writer().0
    }

    /// A number from zero.
    #[inline(never)]
    pub fn uint(&mut self, n: u64) {
        let _ = self.0.u64(n);
    }

    /// Any number.
    #[inline(never)]
    pub fn int(&mut self, n: i64) {
        let _ = self.0.i64(n);
    }

    /// True or false.
    #[inline(never)]
    pub fn bool(&mut self, b: bool) {
        let _ = self.0.bool(b);
    }

    /// Nothing.
    #[inline(never)]
    pub fn null(&mut self) {
        let _ = self.0.null();
    }

    /// Text.
    #[inline(never)]
    pub fn text(&mut self, text: &str) {
        let _ = self.0.str(text);
    }

    /// Bytes.
    #[inline(never)]
    pub fn bytes(&mut self, bytes: &[u8]) {
        let _ = self.0.bytes(bytes);
    }

    /// `n` items follow.
    #[inline(never)]
    pub fn array(&mut self, n: u32) {
        let _ = self.0.array(u64::from(n));
    }

    /// `n` pairs follow.
    #[inline(never)]
    pub fn map(&mut self, n: u32) {
        let _ = self.0.map(u64::from(n));
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
}

impl Default for Encoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Reads items one after the other, until something is wrong; from there on it reads zeros.
#[derive(Debug)]
pub struct Decoder<'b> {
    inner: minicbor::Decoder<'b>,
    fault: Option<Fault>,
    /// The next field is not there, and may be left out.
    absent: bool,
}

impl<'b> Decoder<'b> {
    /// At the first byte.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { inner: minicbor::Decoder::new(bytes), fault: None, absent: false }
    }

    /// Whether all went well, to the very end.
    #[inline(never)]
    pub fn finish(&self) -> Result<(), Fault> {
        match self.fault {
            Some(fault) => Err(fault),
            None if self.left() > 0 => Err(Fault::Malformed),
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
        self.read(minicbor::Decoder::u64)
    }

    /// A number of a field, a variant or a smaller type.
    #[inline(never)]
    pub fn number(&mut self) -> u32 {
        self.read(minicbor::Decoder::u32)
    }

    /// Any number.
    #[inline(never)]
    pub fn int(&mut self) -> i64 {
        self.read(minicbor::Decoder::i64)
    }

    /// True or false.
    #[inline(never)]
    pub fn bool(&mut self) -> bool {
        self.read(minicbor::Decoder::bool)
    }

    /// Whether the next item is null, or left out; if so, it is read.
    #[inline(never)]
    pub fn null(&mut self) -> bool {
        if self.fault.is_some() || core::mem::take(&mut self.absent) {
            return true;
        }
        let null = self.inner.input().get(self.inner.position()) == Some(&0xf6);
        if null {
            self.inner.set_position(self.inner.position() + 1);
        }
        null
    }

    /// Text.
    #[inline(never)]
    pub fn text(&mut self) -> &'b str {
        self.read(minicbor::Decoder::str)
    }

    /// Bytes.
    #[inline(never)]
    pub fn bytes(&mut self) -> &'b [u8] {
        self.read(minicbor::Decoder::bytes)
    }

    /// How many items follow.
    #[inline(never)]
    pub fn array(&mut self) -> u32 {
        let n = self.read(minicbor::Decoder::array);
        self.length(n)
    }

    /// How many pairs follow.
    #[inline(never)]
    pub fn map(&mut self) -> u32 {
        let n = self.read(minicbor::Decoder::map);
        self.length(n)
    }

    /// One item of whatever type, with all that is in it.
    #[inline(never)]
    pub fn skip(&mut self) -> &'b [u8] {
        let start = self.inner.position();
        self.read(minicbor::Decoder::skip);
        self.inner.input().get(start..self.inner.position()).unwrap_or_default()
    }

    /// The number of a variant without fields, one of `0..count`.
    #[inline(never)]
    pub fn index(&mut self, count: u32) -> u32 {
        let n = self.number();
        if n >= count {
            self.fail(Fault::Unknown);
            return 0;
        }
        n
    }

    fn left(&self) -> usize {
        self.inner.input().len().saturating_sub(self.inner.position())
    }

    /// A definite length that the bytes left can hold, so that nobody loops on a promise.
    fn length(&mut self, n: Option<u64>) -> u32 {
        match n {
            _ if self.fault.is_some() => 0,
            Some(n) if n <= self.left() as u64 => n as u32,
            _ => {
                self.fail(Fault::Malformed);
                0
            }
        }
    }

    fn read<T: Default>(
        &mut self,
        item: impl FnOnce(&mut minicbor::Decoder<'b>) -> Result<T, minicbor::decode::Error>,
    ) -> T {
        if self.fault.is_none()
            && let Ok(value) = item(&mut self.inner)
        {
            return value;
        }
        self.fail(Fault::Malformed);
        T::default()
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
