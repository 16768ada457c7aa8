//! What must not be seen in a packet, found and overwritten.
//!
//! A secret is covered wherever its bytes stand, and so is the value of a field that is known to hold one, the first
//! time it is ever seen. What covers it has its length, so that a packet keeps its shape and its offsets.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::PlatformName;
use crate::agent::Stored;
use crate::secret::Secret;
use crate::settings::Settings;

/// What covers a secret, one for each byte.
pub const COVER: u8 = b'*';

/// A shorter secret is not searched for: it would be found in the middle of everything.
const SHORTEST: usize = 4;

/// Names of fields and settings whose values are secrets, in lower case and without `_` and `-`.
const FIELDS: [&str; 9] = [
    "password",
    "passwd",
    "secret",
    "productsecret",
    "devicesecret",
    "appsecret",
    "iottoken",
    "refreshtoken",
    "devicetoken",
];

/// Names of fields whose values are addresses with a right of access in their query.
const ADDRESSES: [&str; 3] = ["url", "fileurl", "downloadurl"];

/// Whether a setting's value is a secret.
pub fn is_secret_setting(platform: PlatformName, key: &str) -> bool {
    secret_name(platform, key.as_bytes(), &[])
}

/// The secrets of one device, or of one owner.
#[derive(Debug)]
pub(crate) struct Mask {
    platform: PlatformName,
    known: Vec<Secret>,
    /// Names that this device's settings give to the field of its secret.
    names: Vec<String>,
}

impl Mask {
    pub(crate) fn new(platform: PlatformName) -> Self {
        Self { platform, known: Vec::new(), names: Vec::new() }
    }

    /// Knows the secrets of these settings and of this store.
    pub(crate) fn of(platform: PlatformName, settings: &Settings, stored: &Stored) -> Self {
        let mut mask = Self::new(platform);
        for key in settings.keys() {
            let value = settings.get(key).unwrap_or_default();
            if is_secret_setting(platform, key) {
                mask.learn(value);
            }
            if key == "key.device_secret" {
                mask.learn_name(value);
            }
        }
        if platform == PlatformName::Krtyun {
            for name in ["DEVICE_SECRET", "DeviceSecret", "SECRET", "KEY"] {
                mask.learn_name(name);
            }
        }
        for (_, value) in stored.iter() {
            mask.learn_from(value.expose());
        }
        mask
    }

    /// From now on this is covered wherever it stands.
    pub(crate) fn learn(&mut self, secret: &str) {
        if secret.len() >= SHORTEST && !self.known.iter().any(|known| known.expose() == secret) {
            self.known.push(Secret::new(secret));
        }
    }

    /// The value of a field with this name is a secret too.
    pub(crate) fn learn_name(&mut self, name: &str) {
        self.names.push(name.to_string());
    }

    /// Learns from the fields of a JSON text, or of a part of one.
    pub(crate) fn learn_from(&mut self, json: &[u8]) {
        let values: Vec<String> = self
            .secret_values(json)
            .into_iter()
            .filter_map(|(from, to)| core::str::from_utf8(json.get(from..to)?).ok())
            .map(ToString::to_string)
            .collect();
        for value in values {
            self.learn(&value);
        }
    }

    /// Covers every secret in `bytes`, and what is at `more`; how many there were.
    pub(crate) fn cover(&self, bytes: &mut [u8], more: &[(usize, usize)]) -> usize {
        let mut spans = self.secret_values(bytes);
        spans.extend_from_slice(more);
        for secret in &self.known {
            let needle = secret.expose().as_bytes();
            spans.extend(find_all(bytes, needle).map(|at| (at, at + needle.len())));
        }
        cover_spans(bytes, spans)
    }

    /// A text with its secrets covered.
    #[cfg(feature = "tool")]
    pub(crate) fn hide(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.cover(&mut bytes, &[]);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Where the values of secret fields are.
    pub(crate) fn secret_values(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut spans = Vec::new();
        for Field { name, value } in fields(bytes) {
            let (Some(name), Some(text)) = (bytes.get(name.0..name.1), bytes.get(value.0..value.1))
            else {
                continue;
            };
            if secret_name(self.platform, name, &self.names) {
                spans.push(value);
            } else if ADDRESSES.contains(&&*plain_name(name))
                && let Some(query) = text.iter().position(|&byte| byte == b'?')
            {
                spans.push((value.0 + query + 1, value.1));
            }
        }
        spans
    }
}

/// Covers these spans; how many they are, those that overlap counted once.
fn cover_spans(bytes: &mut [u8], mut spans: Vec<(usize, usize)>) -> usize {
    spans.retain(|(from, to)| from < to);
    spans.sort_unstable();
    let (mut count, mut end) = (0, 0);
    for (from, to) in spans {
        if from >= end {
            count += 1;
        }
        end = end.max(to);
        if let Some(span) = bytes.get_mut(from..to) {
            span.fill(COVER);
        }
    }
    count
}

fn secret_name(platform: PlatformName, name: &[u8], more: &[String]) -> bool {
    let plain = plain_name(name);
    FIELDS.contains(&plain.as_str())
        // China Mobile's productKey is the product's secret; Alibaba's is its public name.
        || (platform == PlatformName::Cmcc && plain == "productkey")
        || more.iter().any(|known| known.as_bytes() == name)
}

fn plain_name(name: &[u8]) -> String {
    let letters = name.iter().filter(|byte| !matches!(byte, b'_' | b'-'));
    letters.map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// Where a member's name and its text value are, without the quotes.
struct Field {
    name: (usize, usize),
    value: (usize, usize),
}

/// Where the text value of this member is.
pub(crate) fn value_of(bytes: &[u8], name: &str) -> Option<(usize, usize)> {
    let named = |field: &Field| bytes.get(field.name.0..field.name.1) == Some(name.as_bytes());
    fields(bytes).into_iter().find(named).map(|field| field.value)
}

/// The members with text values of whatever in `bytes` looks like JSON: broken or cut JSON may hold a secret too.
fn fields(bytes: &[u8]) -> Vec<Field> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((name, after)) = string(bytes, at) {
        at = after;
        let colon = skip_space(bytes, after);
        if bytes.get(colon) != Some(&b':') {
            continue;
        }
        let begin = skip_space(bytes, colon + 1);
        if bytes.get(begin) != Some(&b'"') {
            continue;
        }
        match string(bytes, begin) {
            Some((value, after)) => {
                found.push(Field { name, value });
                at = after;
            }
            // Cut off in the middle of the value.
            None => {
                found.push(Field { name, value: (begin + 1, bytes.len()) });
                break;
            }
        }
    }
    found
}

/// The next text in quotes from `at` on: its span without them, and where it is over.
fn string(bytes: &[u8], at: usize) -> Option<((usize, usize), usize)> {
    let from = at + bytes.get(at..)?.iter().position(|&byte| byte == b'"')? + 1;
    let mut to = from;
    loop {
        match bytes.get(to)? {
            b'"' => return Some(((from, to), to + 1)),
            b'\\' => to += 2,
            _ => to += 1,
        }
    }
}

fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
        at += 1;
    }
    at
}

fn find_all<'a>(bytes: &'a [u8], needle: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let windows = bytes.windows(needle.len().max(1)).enumerate();
    windows.filter(move |(_, window)| *window == needle).map(|(at, _)| at)
}

/// Where the value of this member is: of a text without the quotes, else up to what ends it.
#[cfg(feature = "lab")]
pub(crate) fn value_span(bytes: &[u8], name: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    while let Some((span, after)) = string(bytes, at) {
        at = after;
        let colon = skip_space(bytes, after);
        if bytes.get(colon) != Some(&b':') {
            continue;
        }
        let begin = skip_space(bytes, colon + 1);
        let text = bytes.get(begin) == Some(&b'"');
        if bytes.get(span.0..span.1) != Some(name.as_bytes()) {
            if text {
                at = string(bytes, begin)?.1;
            }
            continue;
        }
        if text {
            return string(bytes, begin).map(|(value, _)| value);
        }
        let ends = |&byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
        let to = bytes.get(begin..)?.iter().position(ends).map_or(bytes.len(), |to| begin + to);
        return (to > begin).then_some((begin, to));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(mask: &Mask, text: &str) -> (String, usize) {
        let mut bytes = text.as_bytes().to_vec();
        let count = mask.cover(&mut bytes, &[]);
        (String::from_utf8(bytes).unwrap(), count)
    }

    #[test]
    fn a_secret_is_covered_when_it_is_seen_for_the_first_time_and_wherever_it_stands_later() {
        let mut mask = Mask::new(PlatformName::Ucloud);
        let reply = r#"{"RetCode":"0", "Password" : "hunter22","RequestID":"1"}"#;
        assert_eq!(
            covered(&mask, reply),
            (r#"{"RetCode":"0", "Password" : "********","RequestID":"1"}"#.into(), 1)
        );
        mask.learn_from(reply.as_bytes());
        assert_eq!(covered(&mask, "echo hunter22!"), ("echo ********!".into(), 1));
    }

    #[test]
    fn broken_json_hides_no_secret() {
        let mask = Mask::new(PlatformName::Ucloud);
        for (text, expected) in [
            (r#"{"deviceSecret":"abc"#, r#"{"deviceSecret":"***"#),
            (r#"{"device_secret":"a\"b","x":"y"}"#, r#"{"device_secret":"****","x":"y"}"#),
            (r#""secret":"abc"trailing"#, r#""secret":"***"trailing"#),
            (r#"{"secret":"#, r#"{"secret":"#),
            (r#"{"secret":12}"#, r#"{"secret":12}"#),
            (r#"{"secret\"#, r#"{"secret\"#),
        ] {
            assert_eq!(covered(&mask, text).0, expected);
        }
    }

    #[test]
    fn a_product_key_is_a_secret_at_china_mobile_and_a_name_at_alibaba() {
        let text = r#"{"productKey":"abcdef"}"#;
        assert_eq!(covered(&Mask::new(PlatformName::Cmcc), text).1, 1);
        assert_eq!(covered(&Mask::new(PlatformName::Alibaba), text).1, 0);
        assert!(is_secret_setting(PlatformName::Cmcc, "product_key"));
        assert!(!is_secret_setting(PlatformName::Alibaba, "product_key"));
        assert!(is_secret_setting(PlatformName::Ucloud, "product_secret"));
    }

    #[test]
    fn the_query_of_an_address_is_covered() {
        let mask = Mask::new(PlatformName::Ucloud);
        let text = r#"{"URL":"https://h/f.bin?Signature=abc","Size":1}"#;
        assert_eq!(covered(&mask, text).0, r#"{"URL":"https://h/f.bin?*************","Size":1}"#);
    }

    #[test]
    fn a_field_of_the_devices_own_naming_is_covered() {
        let mut mask = Mask::new(PlatformName::Krtyun);
        mask.learn_name("SN_KEY");
        assert_eq!(covered(&mask, r#"{"SN_KEY":"abcd"}"#).1, 1);
    }

    #[test]
    fn overlapping_secrets_count_once_and_short_ones_are_not_searched_for() {
        let mut mask = Mask::new(PlatformName::Ucloud);
        mask.learn("abcdef");
        mask.learn("cdefgh");
        mask.learn("x");
        assert_eq!(covered(&mask, "x abcdefgh x"), ("x ******** x".into(), 1));
    }
}
