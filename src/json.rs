//! JSON in and out, with the limits that every platform shares.
//!
//! In: key order free, unknown keys ignored, numbers or strings for codes and ids, trailing NULs and white space
//! stripped, at most [`MAX_TEXT`] bytes and [`MAX_DEPTH`] levels. Out: compact, ASCII only, keys in the order written.
//! The parser is `nojson`; here are only the limits and the vendors' habits.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use nojson::{JsonValueKind, RawJsonOwned, RawJsonValue};

use crate::error::CodecError;

/// The longest JSON text that is read.
pub const MAX_TEXT: usize = 64 * 1024;
/// The deepest nesting that is read.
pub const MAX_DEPTH: usize = 32;

/// A parsed document.
#[derive(Debug, Clone)]
pub(crate) struct Document(RawJsonOwned);

impl Document {
    /// Parses strictly (RFC 8259).
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, CodecError> {
        let text = prepare(bytes)?;
        RawJsonOwned::parse(text).map(Self).map_err(|_| CodecError::NotJson)
    }

    /// Parses, and lets a comma stand before a closing bracket, as the krtyun document does in its own example.
    #[cfg(feature = "krtyun")]
    pub(crate) fn parse_trailing_comma(bytes: &[u8]) -> Result<Self, CodecError> {
        Self::parse(&without_trailing_commas(bytes))
    }

    pub(crate) fn root(&self) -> Value<'_> {
        Value(self.0.value())
    }

    /// Parses strictly; the root has to be an object.
    #[cfg(feature = "alibaba")]
    #[inline(never)]
    pub(crate) fn parse_object(bytes: &[u8]) -> Result<Self, CodecError> {
        let doc = Self::parse(bytes)?;
        if doc.root().is_object() { Ok(doc) } else { Err(CodecError::NotAnObject) }
    }

    /// The root, if it is an object.
    pub(crate) fn object(&self) -> Result<Value<'_>, CodecError> {
        let root = self.root();
        if root.is_object() { Ok(root) } else { Err(CodecError::NotAnObject) }
    }
}

/// Blanks every comma between a value and a closing bracket. A pass over the text costs the plugin a tenth of what
/// a second parser would.
#[cfg(feature = "krtyun")]
fn without_trailing_commas(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut text = Cow::Borrowed(bytes);
    let (mut in_string, mut escaped) = (false, false);
    // The last two characters that mean something, the later one with its place.
    let (mut before, mut last, mut last_at) = (b'{', b'{', 0);
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        if in_string || !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            let closes = !in_string && matches!(byte, b'}' | b']');
            let dangling = last == b',' && !matches!(before, b'{' | b'[' | b',');
            if closes
                && dangling
                && let Some(comma) = text.to_mut().get_mut(last_at)
            {
                *comma = b' ';
            }
            // What is inside a string is no comma and no bracket.
            (before, last, last_at) = (last, if in_string { b'"' } else { byte }, at);
        }
    }
    text
}

/// Cuts off what some SDKs send behind the JSON, and checks size, encoding and depth.
fn prepare(bytes: &[u8]) -> Result<&str, CodecError> {
    let end = bytes
        .iter()
        .rposition(|b| !matches!(b, 0 | b' ' | b'\t' | b'\r' | b'\n'))
        .map_or(0, |last| last + 1);
    let bytes = &bytes[..end];
    if bytes.len() > MAX_TEXT {
        return Err(CodecError::TooLong);
    }
    let text = core::str::from_utf8(bytes).map_err(|_| CodecError::NotUtf8)?;
    // Almost every text has fewer brackets than it may have levels.
    if bytes.iter().filter(|byte| matches!(byte, b'{' | b'[')).count() <= MAX_DEPTH {
        return Ok(text);
    }
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(CodecError::TooDeep);
        }
    }
    Ok(text)
}

/// One value inside a [`Document`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a>(RawJsonValue<'a, 'a>);

impl<'a> Value<'a> {
    pub(crate) fn is_object(self) -> bool {
        self.0.kind() == JsonValueKind::Object
    }

    pub(crate) fn is_array(self) -> bool {
        self.0.kind() == JsonValueKind::Array
    }

    pub(crate) fn is_null(self) -> bool {
        self.0.kind() == JsonValueKind::Null
    }

    pub(crate) fn is_string(self) -> bool {
        self.0.kind() == JsonValueKind::String
    }

    /// The member called `key`; `null` counts as absent, as the vendors' own parsers treat it.
    pub(crate) fn get(self, key: &str) -> Option<Value<'a>> {
        let mut members = self.0.to_object().ok()?;
        members
            .find(|&(name, _)| is_name(name, key))
            .map(|(_, value)| Value(value))
            .filter(|value| !value.is_null())
    }

    /// The members of an object; nothing for any other kind.
    pub(crate) fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
        let members = self.0.to_object().ok();
        members
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.to_unquoted_string_str().ok()?, Value(value))))
    }

    /// The elements of an array; nothing for any other kind.
    pub(crate) fn elements(self) -> impl Iterator<Item = Value<'a>> {
        self.0.to_array().ok().into_iter().flatten().map(Value)
    }

    /// The text of a string.
    pub(crate) fn as_str(self) -> Option<Cow<'a, str>> {
        self.0.to_unquoted_string_str().ok()
    }

    /// The text of a string, or the digits of a number as they were sent: for codes and ids.
    pub(crate) fn as_text(self) -> Option<Cow<'a, str>> {
        match self.0.kind() {
            JsonValueKind::Integer | JsonValueKind::Float => {
                self.0.as_number_str().ok().map(Cow::Borrowed)
            }
            _ => self.as_str(),
        }
    }

    /// A number, or a string of digits.
    pub(crate) fn as_i64(self) -> Option<i64> {
        self.as_text()?.trim().parse().ok()
    }

    pub(crate) fn as_u64(self) -> Option<u64> {
        self.as_text()?.trim().parse().ok()
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        self.0.as_boolean_str().ok().map(|text| text == "true")
    }

    /// The text of `key`, a string or a number.
    pub(crate) fn text(self, key: &str) -> Option<Cow<'a, str>> {
        self.get(key)?.as_text()
    }

    /// The text of `key`, which has to be there.
    #[cfg(feature = "alibaba")]
    #[inline(never)]
    pub(crate) fn required(self, key: &str) -> Result<String, CodecError> {
        match self.text(key) {
            Some(text) => Ok(text.into_owned()),
            None => Err(CodecError::missing(key)),
        }
    }

    /// The value as it stands in the text, to echo it with its own JSON type.
    pub(crate) fn raw(self) -> &'a str {
        self.0.as_raw_str()
    }
}

/// Whether a member's name is `key`. Almost no name has an escape in it, and then nothing is copied.
fn is_name(name: RawJsonValue<'_, '_>, key: &str) -> bool {
    match name.as_raw_str().strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if !plain.contains('\\') => plain == key,
        _ => name.to_unquoted_string_str().is_ok_and(|unquoted| unquoted == key),
    }
}

/// Writes compact JSON: `Object::new().string("a", "b").raw("n", "1").end()`.
#[derive(Debug)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        // Most bodies fit, and so are allocated once.
        let mut out = String::with_capacity(128);
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

    pub(crate) fn number(self, key: &str, value: i64) -> Self {
        let text = value.to_string();
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
pub(crate) fn array<I: IntoIterator<Item = S>, S: AsRef<str>>(items: I) -> String {
    let mut out = String::from("[");
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
    let mut out = String::new();
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
    if text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\') {
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
        out.push_str(&crate::hex::lower(&unit.to_be_bytes()));
    }
}

#[cfg(all(test, feature = "krtyun"))]
mod tests {
    use super::*;

    #[test]
    fn a_comma_may_stand_after_a_value_and_nowhere_else() {
        let read = |text: &str| Document::parse_trailing_comma(text.as_bytes()).is_ok();
        for good in [
            "{}",
            r#"{"a":1,}"#,
            r#"{"a":[1,2,],"b":{"c":null,},}"#,
            "{\"a\":\"x\" ,\r\n\t}\0",
            r#"{"a":"\"",}"#,
            "[[],]",
        ] {
            assert!(read(good), "{good}");
        }
        for bad in [
            "{,}",
            "[,]",
            r#"{"a":1,,}"#,
            r#"{"a",}"#,
            r#"{"a":,}"#,
            r#"{"a":1},"#,
            ",",
            r#"{"a":1,/**/}"#,
            r#"{"a":"1,}"#,
        ] {
            assert!(!read(bad), "{bad}");
        }
        let doc = Document::parse_trailing_comma(br#"{"a":",}","b":"{,]\",}",}"#).unwrap();
        assert_eq!(doc.root().text("a").unwrap(), ",}");
        assert_eq!(doc.root().text("b").unwrap(), r#"{,]",}"#);
    }
}
