//! The reader: one pass over the text leaves an index of its values.
//!
//! A library did this before. It named every mistake with a text and a boxed error, which drew `core::fmt` into the
//! plugin. Vendors' messages are read by machines: that one is no JSON is all that is ever told.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::{MAX_DEPTH, MAX_TEXT};
use crate::error::{CodecError, Error, PeerMisbehaved};
use crate::num;

/// A parsed document, which borrows its text: there is no second copy of a secret in it.
///
/// [`Document::open`] never fails: what is wrong with the text, or with a field that [`Value::must`] and its kin were
/// asked for, is noted, and [`Document::finish`] has the first such error. Until then an empty text or a zero stands
/// in the place of what is not there. Messages are read without a way out at every field by this, which took half of
/// the code for it.
#[derive(Clone)]
pub(crate) struct Document<'t> {
    text: &'t str,
    /// Every value of the text in the order of their first characters; an object's names count as values.
    nodes: Vec<Node>,
    wrong: RefCell<Option<Error>>,
}

/// Where a value stands. Texts are short enough for 32 bits, see [`MAX_TEXT`].
#[derive(Clone, Copy)]
struct Node {
    start: u32,
    end: u32,
    /// The index of the first value that is not inside this one.
    next: u32,
}

impl<'t> Document<'t> {
    /// Parses strictly (RFC 8259).
    #[cfg(any(test, feature = "cloud", feature = "app"))]
    pub(crate) fn parse(bytes: &'t [u8]) -> Result<Self, CodecError> {
        Self::read(bytes, false)
    }

    /// Parses, and lets a comma stand before a closing bracket, as the krtyun document does in its own example.
    #[cfg(all(feature = "krtyun", any(test, feature = "cloud")))]
    pub(crate) fn parse_trailing_comma(bytes: &'t [u8]) -> Result<Self, CodecError> {
        Self::read(bytes, true)
    }

    /// An object, parsed strictly.
    pub(crate) fn open(bytes: &'t [u8]) -> Self {
        Self::opened(bytes, false)
    }

    /// The same, parsed like [`Document::parse_trailing_comma`].
    #[cfg(feature = "krtyun")]
    pub(crate) fn open_trailing_comma(bytes: &'t [u8]) -> Self {
        Self::opened(bytes, true)
    }

    #[inline(never)]
    fn opened(bytes: &'t [u8], trailing_comma: bool) -> Self {
        match Self::read(bytes, trailing_comma) {
            Ok(doc) => {
                if !doc.root().is_object() {
                    doc.root().wrong(CodecError::NotAnObject);
                }
                doc
            }
            Err(error) => {
                let wrong = RefCell::new(Some(error.into()));
                Self { text: "", nodes: Vec::new(), wrong }
            }
        }
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_good(&self) -> bool {
        self.wrong.borrow().is_none()
    }

    /// What was wrong first.
    #[inline(never)]
    pub(crate) fn finish(&self) -> Result<(), Error> {
        match self.wrong.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    pub(crate) fn root(&self) -> Value<'_> {
        Value { doc: self, at: 0 }
    }

    /// The root, if it is an object.
    #[cfg(feature = "cloud")]
    pub(crate) fn object(&self) -> Result<Value<'_>, CodecError> {
        let root = self.root();
        if root.is_object() { Ok(root) } else { Err(CodecError::NotAnObject) }
    }

    #[inline(never)]
    fn read(bytes: &'t [u8], trailing_comma: bool) -> Result<Self, CodecError> {
        // Some SDKs send NULs behind the JSON.
        let end = bytes.iter().rposition(|&b| b != 0 && !is_space(b)).map_or(0, |last| last + 1);
        let bytes = bytes.get(..end).unwrap_or_default();
        if bytes.len() > MAX_TEXT {
            return Err(CodecError::TooLong);
        }
        let text = core::str::from_utf8(bytes).map_err(|_| CodecError::NotUtf8)?;
        // Most texts have no more values than this, and their index is allocated once.
        let nodes = Vec::with_capacity((bytes.len() / 8 + 4).min(64));
        let mut reader = Reader { bytes, at: 0, nodes, trailing_comma, too_deep: false };
        let whole = reader.value(0) && reader.at == bytes.len();
        if reader.too_deep {
            return Err(CodecError::TooDeep);
        }
        if !whole {
            return Err(CodecError::NotJson);
        }
        let wrong = RefCell::new(None);
        Ok(Self { text, nodes: reader.nodes, wrong })
    }
}

impl core::fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // There may be a secret in it.
        f.write_str("Document(…)")
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    trailing_comma: bool,
    too_deep: bool,
}

impl Reader<'_> {
    /// A value and the white space around it.
    fn value(&mut self, depth: usize) -> bool {
        self.space();
        let (node, start) = (self.nodes.len(), self.at as u32);
        self.nodes.push(Node { start, end: start, next: 0 });
        let whole = match self.peek() {
            b'{' => self.items(b'}', depth),
            b'[' => self.items(b']', depth),
            b'"' => self.string(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.number(),
        };
        if !whole {
            return false;
        }
        let (end, next) = (self.at as u32, self.nodes.len() as u32);
        if let Some(node) = self.nodes.get_mut(node) {
            (node.end, node.next) = (end, next);
        }
        self.space();
        true
    }

    /// What is between two brackets: values, or names with values.
    fn items(&mut self, close: u8, depth: usize) -> bool {
        if depth == MAX_DEPTH {
            self.too_deep = true;
            return false;
        }
        self.at += 1;
        self.space();
        if self.eat(close) {
            return true;
        }
        loop {
            if close == b'}' {
                self.space();
                if self.peek() != b'"' {
                    return false;
                }
                if !self.value(depth) || !self.eat(b':') {
                    return false;
                }
            }
            if !self.value(depth + 1) {
                return false;
            }
            if self.eat(close) {
                return true;
            }
            if !self.eat(b',') {
                return false;
            }
            if self.trailing_comma {
                self.space();
                if self.eat(close) {
                    return true;
                }
            }
        }
    }

    fn string(&mut self) -> bool {
        self.at += 1;
        loop {
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return true;
                }
                b'\\' => {
                    self.at += 1;
                    let escape = self.peek();
                    self.at += 1;
                    if escape == b'u' {
                        let digits = self.bytes.get(self.at..self.at + 4).unwrap_or_default();
                        if digits.len() < 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                            return false;
                        }
                        self.at += 4;
                    } else if plain_escape(escape).is_none() {
                        return false;
                    }
                }
                // Also the end of the text.
                0..0x20 => return false,
                _ => {
                    let rest = self.bytes.get(self.at..).unwrap_or_default();
                    let plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
                    self.at += rest.iter().take_while(plain).count();
                }
            }
        }
    }

    fn number(&mut self) -> bool {
        self.eat(b'-');
        // No zeros ahead of other digits.
        let whole = self.eat(b'0') || self.digits();
        let fraction = !self.eat(b'.') || self.digits();
        let exponent = !(self.eat(b'e') || self.eat(b'E')) || {
            let _sign = self.eat(b'+') || self.eat(b'-');
            self.digits()
        };
        whole && fraction && exponent
    }

    fn digits(&mut self) -> bool {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        self.at > start
    }

    fn literal(&mut self, literal: &[u8]) -> bool {
        let found = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(literal));
        self.at += literal.len();
        found
    }

    fn space(&mut self) {
        while is_space(self.peek()) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == byte;
        self.at += usize::from(there);
        there
    }

    /// The next byte; NUL, which stands nowhere in JSON, at the end.
    #[cfg_attr(feature = "plugin", inline(never))]
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn plain_escape(byte: u8) -> Option<char> {
    Some(match byte {
        b'"' | b'\\' | b'/' => char::from(byte),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => return None,
    })
}

/// One value inside a [`Document`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    doc: &'a Document<'a>,
    at: u32,
}

impl<'a> Value<'a> {
    pub(crate) fn is_object(self) -> bool {
        self.first() == b'{'
    }

    pub(crate) fn is_array(self) -> bool {
        self.first() == b'['
    }

    pub(crate) fn is_null(self) -> bool {
        self.first() == b'n'
    }

    #[cfg(any(feature = "cloud", feature = "app"))]
    pub(crate) fn is_string(self) -> bool {
        self.first() == b'"'
    }

    /// The member called `key`; `null` counts as absent, as the vendors' own parsers treat it.
    #[inline(never)]
    pub(crate) fn get(self, key: &str) -> Option<Value<'a>> {
        let mut children = self.children(b'{');
        while let (Some(name), Some(value)) = (children.next(), children.next()) {
            if name.is(key) {
                return if value.is_null() { None } else { Some(value) };
            }
        }
        None
    }

    /// The members of an object; nothing for any other kind.
    pub(crate) fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
        let mut children = self.children(b'{');
        core::iter::from_fn(move || Some((children.next()?, children.next()?)))
            .filter_map(|(name, value)| Some((name.as_str()?, value)))
    }

    /// The elements of an array; nothing for any other kind.
    pub(crate) fn elements(self) -> impl Iterator<Item = Value<'a>> {
        self.children(b'[')
    }

    /// The text of a string.
    #[inline(never)]
    pub(crate) fn as_str(self) -> Option<Cow<'a, str>> {
        let inside = self.inside()?;
        if inside.as_bytes().contains(&b'\\') {
            unescape(inside).map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inside))
        }
    }

    /// The text of a string, or the digits of a number as they were sent: for codes and ids.
    #[inline(never)]
    pub(crate) fn as_text(self) -> Option<Cow<'a, str>> {
        match self.first() {
            b'-' | b'0'..=b'9' => Some(Cow::Borrowed(self.raw())),
            _ => self.as_str(),
        }
    }

    /// A number, or a string of digits.
    #[cfg(feature = "cloud")]
    pub(crate) fn as_i64(self) -> Option<i64> {
        num::read_signed(self.as_text()?.trim_ascii())
    }

    pub(crate) fn as_u64(self) -> Option<u64> {
        num::read(self.as_text()?.trim_ascii())
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        match self.first() {
            b't' => Some(true),
            b'f' => Some(false),
            _ => None,
        }
    }

    /// The text of `key`, a string or a number.
    #[inline(never)]
    pub(crate) fn text(self, key: &str) -> Option<Cow<'a, str>> {
        self.get(key)?.as_text()
    }

    /// Notes that something is wrong. The first error counts.
    #[inline(never)]
    pub(crate) fn wrong(self, error: impl Into<Error>) {
        self.doc.wrong.borrow_mut().get_or_insert(error.into());
    }

    /// Notes that the value of `key` is not what it has to be.
    #[inline(never)]
    pub(crate) fn invalid(self, key: &str) {
        self.wrong(CodecError::invalid(key));
    }

    /// The value of `key`, which has to be there; else `None`, and that is noted.
    #[inline(never)]
    pub(crate) fn must_have(self, key: &str) -> Option<Value<'a>> {
        let value = self.get(key);
        if value.is_none() {
            self.wrong(CodecError::missing(key));
        }
        value
    }

    /// The text of `key`, a string or a number, which has to be there.
    #[inline(never)]
    pub(crate) fn must(self, key: &str) -> String {
        let text = self.must_have(key).map(Value::as_text);
        if let Some(None) = text {
            self.invalid(key);
        }
        text.flatten().unwrap_or_default().into_owned()
    }

    /// The same, which has to be good.
    #[inline(never)]
    pub(crate) fn must_be(self, key: &str, good: fn(&str) -> bool) -> String {
        let text = self.must(key);
        if !good(&text) {
            self.invalid(key);
        }
        text
    }

    /// The number of `key`, or a string of its digits, which has to be there.
    #[inline(never)]
    pub(crate) fn must_count(self, key: &str) -> u64 {
        let number = self.must_have(key).map(Value::as_u64);
        if let Some(None) = number {
            self.invalid(key);
        }
        number.flatten().unwrap_or(0)
    }

    /// The object of `key`, which has to be there.
    #[inline(never)]
    pub(crate) fn must_open(self, key: &str) -> Value<'a> {
        let nothing = Value { doc: self.doc, at: u32::MAX };
        let value = self.must_have(key).unwrap_or(nothing);
        if !value.is_object() {
            self.invalid(key);
        }
        value
    }

    /// Who is named has to be us; what is not named, cannot contradict.
    #[inline(never)]
    pub(crate) fn must_not_contradict(self, key: &str, ours: &str) {
        if self.text(key).is_some_and(|theirs| theirs != ours) {
            self.wrong(PeerMisbehaved::WrongIdentity);
        }
    }

    /// The text of `key`; empty if there is none.
    #[inline(never)]
    pub(crate) fn text_or_empty(self, key: &str) -> String {
        self.text(key).unwrap_or_default().into_owned()
    }

    /// The value as it stands in the text, to echo it with its own JSON type.
    #[inline(never)]
    pub(crate) fn raw(self) -> &'a str {
        let Some(node) = self.node() else { return "" };
        self.doc.text.get(node.start as usize..node.end as usize).unwrap_or_default()
    }

    fn node(self) -> Option<&'a Node> {
        self.doc.nodes.get(self.at as usize)
    }

    /// The first character, which tells the kind.
    fn first(self) -> u8 {
        self.node()
            .and_then(|node| self.doc.text.as_bytes().get(node.start as usize))
            .copied()
            .unwrap_or(0)
    }

    /// What is between the quotes of a string.
    fn inside(self) -> Option<&'a str> {
        self.raw().strip_prefix('"')?.strip_suffix('"')
    }

    /// Whether it is a string that says `text`, which has no backslash. One with escapes is longer than what it says,
    /// so almost none has to be looked at in full.
    fn is(self, text: &str) -> bool {
        self.inside().is_some_and(|inside| {
            inside == text
                || inside.len() > text.len() && self.as_str().is_some_and(|own| own == text)
        })
    }

    /// What is between the brackets, if the value begins with this one.
    fn children(self, open: u8) -> Children<'a> {
        let end = if self.first() == open { self.node().map_or(0, |node| node.next) } else { 0 };
        Children { doc: self.doc, at: self.at.wrapping_add(1), end }
    }
}

struct Children<'a> {
    doc: &'a Document<'a>,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Children<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.at >= self.end {
            return None;
        }
        let value = Value { doc: self.doc, at: self.at };
        self.at = value.node()?.next;
        Some(value)
    }
}

/// The text that a string with escapes stands for; nothing if half of a surrogate pair is missing.
#[inline(never)]
fn unescape(inside: &str) -> Option<String> {
    let mut out = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let c = match chars.next()? {
            'u' => match unit(&mut chars)? {
                high @ 0xd800..0xdc00 => {
                    if chars.next()? != '\\' || chars.next()? != 'u' {
                        return None;
                    }
                    let low = unit(&mut chars)?.checked_sub(0xdc00).filter(|&low| low < 0x400)?;
                    char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low)?
                }
                unit => char::from_u32(unit)?,
            },
            escape => plain_escape(u8::try_from(escape).ok()?)?,
        };
        out.push(c);
    }
    Some(out)
}

/// Four hexadecimal digits.
fn unit(chars: &mut core::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit << 4 | chars.next()?.to_digit(16)?))
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

    #[test]
    fn what_rfc_8259_allows_is_read_and_nothing_else() {
        fn read(text: &str) -> Result<Document<'_>, CodecError> {
            Document::parse(text.as_bytes())
        }
        for good in [
            "0",
            "-0",
            "10.25e-3",
            "1E+9",
            r#""""#,
            "true",
            "null",
            " [ ] ",
            r#"[1,[2,{"a":[]}],"b"]"#,
            r#""\u00e4\n\/\\\"""#,
            "{\"a\" : 1 , \"b\" : [ true , false ] }\0\0",
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            "\0",
            "01",
            "+1",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "--1",
            "0x1",
            "NaN",
            "tru",
            "nul",
            "truex",
            "'a'",
            "\"a",
            "\"\t\"",
            r#""\x""#,
            r#""\u12g4""#,
            r#""\u12"#,
            r#""\"#,
            "[1,]",
            "[,1]",
            "[1 2]",
            "{\"a\" 1}",
            "{a:1}",
            "{\"a\":1,}",
            "{1:2}",
            "[1]]",
            "1 2",
            "{\"a\"}",
            "{\"a\":}",
            "[",
            "{",
            "]",
            "[1}",
            "{\"a\":1]",
            "\u{feff}1",
            "[1]\0]",
        ] {
            assert_eq!(read(bad).err(), Some(CodecError::NotJson), "{bad}");
        }
        let deep = |n: usize| ["[".repeat(n), "]".repeat(n)].concat();
        assert!(read(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(read(&deep(MAX_DEPTH + 1)).err(), Some(CodecError::TooDeep));
        assert_eq!(read(&deep(30_000)).err(), Some(CodecError::TooDeep));
        assert_eq!(Document::parse(&[b'1', 0xff]).err(), Some(CodecError::NotUtf8));
        let long = ["[", &" ".repeat(MAX_TEXT), "]"].concat();
        assert_eq!(read(&long).err(), Some(CodecError::TooLong));
    }

    #[test]
    fn strings_mean_what_their_escapes_say() {
        let text =
            br#"{"\u0061\u00e4":"\ud83d\ude00 \b\f\n\r\t\/","b":"\ud83d","c":"\udc00\ud83d"}"#;
        let doc = Document::parse(text).unwrap();
        let root = doc.root();
        assert_eq!(root.text("a\u{e4}").unwrap(), "\u{1f600} \u{8}\u{c}\n\r\t/");
        // Half a pair is no text.
        assert_eq!(root.text("b"), None);
        assert_eq!(root.text("c"), None);
        assert_eq!(root.get("b").unwrap().raw(), r#""\ud83d""#);
        assert_eq!(root.members().count(), 3);
    }

    #[test]
    fn members_and_elements_are_found_at_every_depth() {
        let text = br#" {"a": {"b": [1, {"c": "d"}, [], "e"]}, "b": null, "a": 2, "f": -1.5e3, "g": "7"} "#;
        let doc = Document::parse(text).unwrap();
        let root = doc.root();
        let elements: Vec<&str> =
            root.get("a").and_then(|a| a.get("b")).unwrap().elements().map(Value::raw).collect();
        assert_eq!(elements, ["1", r#"{"c": "d"}"#, "[]", r#""e""#]);
        // The first of two counts, null is as if absent, and a name is no value.
        assert!(root.get("a").unwrap().is_object());
        assert!(root.get("b").is_none());
        assert!(root.get("c").is_none() && root.get("d").is_none());
        assert_eq!(root.text("f").unwrap(), "-1.5e3");
        assert_eq!(root.get("g").unwrap().as_u64(), Some(7));
        assert_eq!(root.get("g").unwrap().get("x").map(Value::raw), None);
        assert_eq!(root.elements().count(), 0);
    }
}
