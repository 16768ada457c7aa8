//! Hexadecimal text, both cases.

use alloc::string::String;
use alloc::vec::Vec;

#[inline(never)]
fn encode(bytes: &[u8], digits: &[u8; 16]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    // That it is ASCII spares the code for characters of several bytes.
    let digit = |nibble: u8| char::from(digits[usize::from(nibble)] & 0x7f);
    for byte in bytes {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 0x0f));
    }
    out
}

/// `bytes` as lower-case hex.
pub fn lower(bytes: &[u8]) -> String {
    encode(bytes, b"0123456789abcdef")
}

/// `bytes` as upper-case hex.
pub fn upper(bytes: &[u8]) -> String {
    encode(bytes, b"0123456789ABCDEF")
}

/// Decodes hex of either case; `None` for an odd length or a character that is no hex digit.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    fn digit(byte: u8) -> Option<u8> {
        char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok())
    }
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}
