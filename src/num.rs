//! Numbers as text, both ways, and shapes of text. The library's own ways are for every width and radix: 1.5 KB of the
//! plugin.

use alloc::string::String;

/// As `str::parse` reads it.
pub(crate) fn read(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    digits.bytes().try_fold(0, |n: u64, byte| {
        let digit = u64::from(byte.wrapping_sub(b'0'));
        (digit <= 9 && n <= (u64::MAX - digit) / 10).then(|| n * 10 + digit)
    })
}

/// The same with a sign.
#[cfg(any(test, feature = "cloud"))]
pub(crate) fn read_signed(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => 0_i64.checked_sub_unsigned(read(digits)?),
        None => i64::try_from(read(text)?).ok(),
    }
}

/// In decimal digits.
#[inline(never)]
pub(crate) fn text(mut n: u64) -> String {
    let (mut digits, mut at) = ([b'0'; 20], 20);
    loop {
        at -= 1;
        digits[at] += (n % 10) as u8;
        n /= 10;
        if n == 0 {
            return digits[at..].iter().map(|&digit| char::from(digit)).collect();
        }
    }
}

/// In decimal digits, with a sign if need be.
pub(crate) fn text_signed(n: i64) -> String {
    let mut out = text(n.unsigned_abs());
    if n < 0 {
        out.insert(0, '-');
    }
    out
}

/// Whether it is 1 to `most` characters of ASCII that leave ink on paper.
#[inline(never)]
pub(crate) fn is_printed(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The same with spaces.
#[inline(never)]
pub(crate) fn is_printable(text: &str, most: usize) -> bool {
    !text.is_empty() && text.len() <= most && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// How many characters there are.
pub(crate) fn characters(text: &str) -> usize {
    // All but the bytes that continue one.
    text.bytes().filter(|byte| byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn it_reads_what_the_library_reads() {
        for text in [
            "",
            "+",
            "-",
            "0",
            "-0",
            "+0",
            "00",
            "7",
            "+7",
            "-7",
            "--7",
            "-+7",
            "+-7",
            " 7",
            "7 ",
            "7a",
            "１",
            "18446744073709551615",
            "18446744073709551616",
            "18446744073709551620",
            "99999999999999999999",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "-9223372036854775809",
        ] {
            assert_eq!(read(text), text.parse().ok(), "{text}");
            assert_eq!(read_signed(text), text.parse().ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_writes_what_the_library_writes(n: u64, m: i64, small in 0..30_u64, anything: String) {
            for n in [n, small, 0, u64::MAX, n >> 40] {
                prop_assert_eq!(text(n), n.to_string());
                prop_assert_eq!(read(&text(n)), Some(n));
            }
            for m in [m, 0, i64::MIN, m >> 50] {
                prop_assert_eq!(text_signed(m), m.to_string());
                prop_assert_eq!(read_signed(&text_signed(m)), Some(m));
            }
            prop_assert_eq!(characters(&anything), anything.chars().count());
        }
    }
}
