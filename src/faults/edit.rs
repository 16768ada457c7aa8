//! Changes to packets and bodies, which stay what they are: a packet keeps its framing, JSON stays JSON.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::platform::PlatformName;
use crate::trace::packet;
use crate::trace::value_span;

/// What a change made of something, and how it reads.
pub(super) type Changed = Option<(Vec<u8>, String)>;

/// By which name a platform's replies name their request. China Mobile's have none: there the device they are about.
fn id_names(platform: PlatformName) -> &'static [&'static str] {
    match platform {
        PlatformName::Ucloud => &["RequestID"],
        PlatformName::Krtyun => &["ID"],
        PlatformName::Cmcc => &["deviceNo"],
        PlatformName::Alibaba => &["id", "deviceName"],
    }
}

/// By which name a platform's replies say how it went. krtyun's have none.
fn code_name(platform: PlatformName) -> Option<&'static str> {
    match platform {
        PlatformName::Ucloud => Some("RetCode"),
        PlatformName::Cmcc | PlatformName::Alibaba => Some("code"),
        PlatformName::Krtyun => None,
    }
}

/// The body with another id of the same shape: its last letter or digit is the next one.
pub(super) fn wrong_id(platform: PlatformName, body: &[u8]) -> Changed {
    id_names(platform).iter().find_map(|name| {
        let (from, to) = value_span(body, name)?;
        let at = from + body.get(from..to)?.iter().rposition(u8::is_ascii_alphanumeric)?;
        let mut changed = body.to_vec();
        let byte = changed.get_mut(at)?;
        *byte = match *byte {
            b'9' => b'0',
            b'f' => b'a',
            b'F' => b'A',
            b'z' => b'a',
            b'Z' => b'A',
            other => other + 1,
        };
        let text = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes.get(from..to).unwrap_or_default()).into_owned()
        };
        let detail = format!("{name} {} → {}", text(body), text(&changed));
        Some((changed, detail))
    })
}

/// The body with another code. A number stays a number if the new one is one that JSON knows: `007` is none. What is
/// neither text nor number nor a word is no code, and stays.
pub(super) fn vendor_code(platform: PlatformName, body: &[u8], code: &str) -> Changed {
    let name = code_name(platform)?;
    let (from, to) = value_span(body, name)?;
    let quoted = from > 0 && body.get(from - 1) == Some(&b'"');
    if !quoted && matches!(body.get(from)?, b'{' | b'[') {
        return None;
    }
    let digits = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits && (code.len() == 1 || !code.starts_with('0'));
    let mut value = Vec::new();
    if quoted || number {
        value.extend_from_slice(code.as_bytes());
    } else {
        value.push(b'"');
        value.extend_from_slice(code.as_bytes());
        value.push(b'"');
    }
    let before = String::from_utf8_lossy(body.get(from..to)?).into_owned();
    let mut changed = body.to_vec();
    changed.splice(from..to, value);
    Some((changed, format!("{name} {before} → {code}")))
}

/// CONNACK or SUBACK with another return code.
pub(super) fn refuse(packet: &[u8], code: u8) -> Changed {
    let mut changed = packet.to_vec();
    let last = changed.last_mut()?;
    let before = core::mem::replace(last, code);
    Some((changed, format!("{before} → {code}")))
}

/// PUBLISH with another payload.
pub(super) fn publish(bytes: &[u8], change: impl FnOnce(&[u8]) -> Changed) -> Changed {
    let (from, to) = packet::payload(bytes)?;
    let (payload, detail) = change(bytes.get(from..to)?)?;
    let begin = packet::body(bytes);
    let head = bytes.get(begin..from)?;
    let mut changed = Vec::with_capacity(bytes.len() + 8);
    changed.push(*bytes.first()?);
    let mut length = head.len() + payload.len();
    // MQTT 3.1.1, section 2.2.3.
    loop {
        let [low, ..] = (length % 128).to_le_bytes();
        length /= 128;
        changed.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    changed.extend_from_slice(head);
    changed.extend_from_slice(&payload);
    Some((changed, detail))
}
