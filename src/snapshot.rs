//! What a snapshot keeps, as one walk over it for both ways.
//!
//! A snapshot is read by the same layout that wrote it and no other, so it has no field numbers, no lengths of structs
//! and nothing optional: items of CBOR in a row. Writing and reading are the same walk, in place; separate codecs of
//! the same types were 5 KB more of the plugin.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(crate) use muster_derive::Kept;

use crate::cbor::{Decoder, Encoder, Fault};
use crate::secret::Secret;
use crate::time::{Instant, Timer};

/// What a snapshot keeps.
pub(crate) trait Kept {
    /// Writes the value, or replaces it by what is read. After a fault that is zeros.
    fn walk(&mut self, w: &mut Walk<'_>);
}

/// A walk over the state, in one of two ways. No `Debug`: it goes over secrets.
pub(crate) struct Walk<'b> {
    pub(crate) from: Decoder<'b>,
    pub(crate) to: Encoder,
    pub(crate) reads: bool,
    /// The secrets that were met, where somebody looks for them.
    #[cfg(feature = "tool")]
    pub(crate) secrets: Vec<Secret>,
}

impl<'b> Walk<'b> {
    pub(crate) fn writing() -> Self {
        Self {
            from: Decoder::new(&[]),
            to: Encoder::new(),
            reads: false,
            #[cfg(feature = "tool")]
            secrets: Vec::new(),
        }
    }

    pub(crate) fn reading(snapshot: &'b [u8]) -> Self {
        Self {
            from: Decoder::new(snapshot),
            to: Encoder::new(),
            reads: true,
            #[cfg(feature = "tool")]
            secrets: Vec::new(),
        }
    }

    /// The number of a variant, one of `0..count`.
    #[inline(never)]
    pub(crate) fn variant(&mut self, number: u32, count: u32) -> u32 {
        if self.reads {
            return self.from.index(count);
        }
        self.to.number(number);
        number
    }

    /// How many items follow.
    #[inline(never)]
    fn length(&mut self, length: usize) -> usize {
        if self.reads {
            return self.from.array() as usize;
        }
        self.to.array(length as u32);
        length
    }
}

impl Kept for u64 {
    #[inline(never)]
    fn walk(&mut self, w: &mut Walk<'_>) {
        if w.reads {
            *self = w.from.uint();
        } else {
            w.to.uint(*self);
        }
    }
}

impl Kept for u32 {
    #[inline(never)]
    fn walk(&mut self, w: &mut Walk<'_>) {
        *self = w.variant(*self, u32::MAX);
    }
}

impl Kept for u8 {
    #[inline(never)]
    fn walk(&mut self, w: &mut Walk<'_>) {
        *self = w.variant((*self).into(), 256) as u8;
    }
}

impl Kept for bool {
    #[inline(never)]
    fn walk(&mut self, w: &mut Walk<'_>) {
        *self = w.variant((*self).into(), 2) == 1;
    }
}

impl Kept for String {
    #[inline(never)]
    fn walk(&mut self, w: &mut Walk<'_>) {
        if w.reads {
            *self = w.from.text().to_string();
        } else {
            w.to.text(self);
        }
    }
}

impl Kept for Secret {
    #[inline(never)]
    fn walk(&mut self, w: &mut Walk<'_>) {
        if w.reads {
            *self = Secret::new(w.from.text());
        } else {
            w.to.text(self.expose());
            #[cfg(feature = "tool")]
            w.secrets.push(self.clone());
        }
    }
}

impl Kept for [u8; 32] {
    fn walk(&mut self, w: &mut Walk<'_>) {
        if !w.reads {
            return w.to.bytes(self);
        }
        match w.from.bytes().try_into() {
            Ok(bytes) => *self = bytes,
            Err(_) => w.from.fail(Fault::Malformed),
        }
    }
}

impl<T: Kept + Default> Kept for Option<T> {
    fn walk(&mut self, w: &mut Walk<'_>) {
        let mut some = self.is_some();
        some.walk(w);
        if some {
            self.get_or_insert_with(T::default).walk(w);
        } else {
            *self = None;
        }
    }
}

impl<T: Kept + Default> Kept for Vec<T> {
    fn walk(&mut self, w: &mut Walk<'_>) {
        let length = w.length(self.len());
        // A promise of many items ends with the bytes.
        for at in 0..length {
            if w.from.fault().is_some() {
                break;
            }
            if w.reads {
                self.push(T::default());
            }
            if let Some(item) = self.get_mut(at) {
                item.walk(w);
            }
        }
    }
}

/// The deadlines of an agent.
impl Kept for [Option<Instant>; Timer::ALL.len()] {
    fn walk(&mut self, w: &mut Walk<'_>) {
        for item in self {
            item.walk(w);
        }
    }
}

impl<A: Kept, B: Kept> Kept for (A, B) {
    fn walk(&mut self, w: &mut Walk<'_>) {
        self.0.walk(w);
        self.1.walk(w);
    }
}

impl<T: Kept> Kept for Box<T> {
    fn walk(&mut self, w: &mut Walk<'_>) {
        (**self).walk(w);
    }
}
