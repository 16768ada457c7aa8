//! JSON in and out, with the limits that every platform shares.
//!
//! In: key order free, unknown keys ignored, numbers or strings for codes and ids, trailing NULs and white space
//! stripped, at most [`MAX_TEXT`] bytes and [`MAX_DEPTH`] levels. Out: compact, ASCII only, keys in the order written.

use alloc::string::String;
use alloc::vec::Vec;

use crate::num;

mod read;

#[cfg_attr(not(feature = "alibaba"), allow(unused_imports))]
pub(crate) use read::{Document, Value};

/// The longest JSON text that is read.
pub const MAX_TEXT: usize = 64 * 1024;
/// The deepest nesting that is read.
pub const MAX_DEPTH: usize = 32;

/// Writes compact JSON: `Object::new().string("a", "b").raw("n", "1").end()`.
#[derive(Debug)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        // Most bodies fit, and so are allocated once.
        let mut out = String::with_capacity(256);
        out.push('{');
        Self(out)
    }

    fn key(mut self, key: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        push_string(&mut self.0, key);
        self.0.push(':');
        self
    }

    pub(crate) fn string(self, key: &str, value: &str) -> Self {
        let mut out = self.key(key);
        push_string(&mut out.0, value);
        out
    }

    /// The member only if there is a value.
    pub(crate) fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.string(key, value),
            None => self,
        }
    }

    /// The text, unless there is none.
    pub(crate) fn given(self, key: &str, value: &str) -> Self {
        if value.is_empty() { self } else { self.string(key, value) }
    }

    pub(crate) fn number(self, key: &str, value: i64) -> Self {
        let text = num::text_signed(value);
        self.raw(key, &text)
    }

    pub(crate) fn bool(self, key: &str, value: bool) -> Self {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// `json` has to be JSON already.
    pub(crate) fn raw(self, key: &str, json: &str) -> Self {
        let mut out = self.key(key);
        out.0.push_str(json);
        out
    }

    pub(crate) fn object(self, key: &str, value: Object) -> Self {
        let json = value.end();
        self.raw(key, &json)
    }

    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.end().into_bytes()
    }
}

/// `[a,b]` from values that are JSON already.
#[cfg(any(feature = "cloud", feature = "app"))]
pub(crate) fn array<I: IntoIterator<Item = S>, S: AsRef<str>>(items: I) -> String {
    let mut out = String::with_capacity(64);
    out.push('[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(item.as_ref());
    }
    out.push(']');
    out
}

/// `text` as a JSON string.
pub(crate) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_string(&mut out, text);
    out
}

/// JSON as it came in, without the white space between its parts and in ASCII.
#[cfg(feature = "ucloud")]
pub(crate) fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in json.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            ' ' | '\t' | '\r' | '\n' if !in_string => continue,
            _ => {}
        }
        push_ascii(&mut out, c);
    }
    out
}

/// Appends a JSON string of ASCII characters only: the vendors' C readers know no UTF-8.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    // Almost every text is plain: copied in one go.
    let plain = |b: u8| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\';
    // Without a way out in the middle, so that many are looked at at a time.
    if text.bytes().fold(true, |all, b| all & plain(b)) {
        out.push_str(text);
        out.push('"');
        return;
    }
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ => push_ascii(out, c),
        }
    }
    out.push('"');
}

fn push_ascii(out: &mut String, c: char) {
    if matches!(c, ' '..='~') {
        return out.push(c);
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        out.push_str("\\u");
        for shift in [12, 8, 4, 0] {
            out.push(char::from_digit(u32::from(*unit >> shift & 0xf), 16).unwrap_or('0'));
        }
    }
}
