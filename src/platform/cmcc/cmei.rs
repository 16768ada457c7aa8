//! CMEI: the 15-digit number of a product that is not cellular.
//!
//! Source: the seed document, "CMEI 编码规则".
//!
//! ```text
//!  11   123456   123456   1
//!  │    │        │        └ free: any digit, or a check digit made as an IMEI's is
//!  │    │        └ serial number, the maker's own
//!  │    └ brand and model, given out by China Mobile
//!  └ always 11: intelligent hardware that is not cellular
//!  └────┬────┘
//!      TUI, eight digits
//! ```
//!
//! `^11[0-9]{13}$` is the whole hard rule. The last digit is never a reason to refuse a number: makers may fix it, draw
//! it, or compute it.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use super::imei::{self, Shape, luhn};

/// In sentences.
pub(super) const NAME: &str = "a CMEI";
/// What is wrong with a number that begins otherwise.
pub(super) const PREFIX: &str =
    "it has to begin with 11, the mark of hardware that is not cellular";

/// How many serial numbers a TUI has: 000000 to 999999.
pub const SERIALS: u32 = 1_000_000;

/// A CMEI: `^11[0-9]{13}$` in ASCII digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cmei(String);

impl Cmei {
    /// Reads 15 digits that begin with 11, nothing around them.
    pub fn parse(text: &str) -> Result<Self, CmeiError> {
        match imei::digits(text) {
            Err(Shape::Length(found)) => Err(CmeiError::Length { expected: imei::DIGITS, found }),
            Err(Shape::Digit(at)) => Err(CmeiError::NotADigit { at }),
            Ok(()) if !text.starts_with("11") => Err(CmeiError::Prefix),
            Ok(()) => Ok(Self(text.to_string())),
        }
    }

    /// Reads what a heartbeat may carry: a CMEI, or nothing where it cannot be read.
    pub fn parse_reported(text: &str) -> Result<Option<Self>, CmeiError> {
        if text.is_empty() { Ok(None) } else { Self::parse(text).map(Some) }
    }

    /// Puts a number together.
    pub fn build(tui: &Tui, serial: u32, free: &mut FreeDigit<'_>) -> Result<Self, CmeiError> {
        if serial >= SERIALS {
            return Err(CmeiError::Serial { serial });
        }
        let mut text = [tui.as_str(), &padded(serial)].concat();
        let digit = match free {
            FreeDigit::Fixed(digit) if *digit > 9 => {
                return Err(CmeiError::FreeDigit { digit: *digit });
            }
            FreeDigit::Fixed(digit) => *digit,
            FreeDigit::Check => luhn(text.bytes()),
            FreeDigit::Random(bytes) => random_digit(bytes),
        };
        text.push(char::from(b'0' + digit));
        Ok(Self(text))
    }

    /// The 15 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight digits.
    pub fn tui(&self) -> Tui {
        Tui(self.0.get(..8).unwrap_or_default().to_string())
    }

    /// The six digits behind the TUI, as a number.
    pub fn serial(&self) -> u32 {
        self.0.get(8..14).and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// The last digit.
    pub fn free_digit(&self) -> u8 {
        self.0.bytes().last().map_or(0, |byte| byte - b'0')
    }

    /// What the last digit would be if it were a check digit.
    pub fn computed_check_digit(&self) -> u8 {
        luhn(self.0.bytes().take(imei::DIGITS - 1))
    }

    /// Whether the last digit happens to be (or was made as) a check digit. Worth telling, never worth refusing.
    pub fn check_digit_fits(&self) -> bool {
        self.free_digit() == self.computed_check_digit()
    }
}

impl fmt::Display for Cmei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Cmei {
    type Err = CmeiError;

    fn from_str(text: &str) -> Result<Self, CmeiError> {
        Self::parse(text)
    }
}

/// The eight digits that China Mobile gives out for a product: `11` and six more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tui(String);

impl Tui {
    /// Reads eight digits that begin with 11.
    pub fn parse(text: &str) -> Result<Self, CmeiError> {
        let found = text.chars().count();
        if found != 8 {
            return Err(CmeiError::Length { expected: 8, found });
        }
        if let Some(at) = text.chars().position(|c| !c.is_ascii_digit()) {
            return Err(CmeiError::NotADigit { at: at + 1 });
        }
        if !text.starts_with("11") {
            return Err(CmeiError::Prefix);
        }
        Ok(Self(text.to_string()))
    }

    /// The eight digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Tui {
    type Err = CmeiError;

    fn from_str(text: &str) -> Result<Self, CmeiError> {
        Self::parse(text)
    }
}

/// Where the last digit comes from. All three are the document's.
pub enum FreeDigit<'a> {
    /// Always this one, 0 to 9.
    Fixed(u8),
    /// Drawn from random bytes, which the caller brings.
    Random(&'a mut dyn FnMut() -> u8),
    /// The Luhn digit over the fourteen before it, as an IMEI has it.
    Check,
}

impl fmt::Debug for FreeDigit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(digit) => write!(f, "Fixed({digit})"),
            Self::Random(_) => f.write_str("Random"),
            Self::Check => f.write_str("Check"),
        }
    }
}

/// Numbers for one production run: `count` of them from `first_serial` on, each serial once, so none twice.
///
/// Says no before the first number, not in the middle of a run.
pub fn batch<'a>(
    tui: &Tui,
    first_serial: u32,
    count: u32,
    free: FreeDigit<'a>,
) -> Result<Batch<'a>, CmeiError> {
    if first_serial >= SERIALS {
        return Err(CmeiError::Serial { serial: first_serial });
    }
    let end = first_serial
        .checked_add(count)
        .filter(|&end| end <= SERIALS)
        .ok_or(CmeiError::TooMany { first: first_serial, count, left: SERIALS - first_serial })?;
    if let FreeDigit::Fixed(digit) = free
        && digit > 9
    {
        return Err(CmeiError::FreeDigit { digit });
    }
    Ok(Batch { tui: tui.clone(), next: first_serial, end, free })
}

/// See [`batch`].
#[derive(Debug)]
pub struct Batch<'a> {
    tui: Tui,
    next: u32,
    end: u32,
    free: FreeDigit<'a>,
}

impl Iterator for Batch<'_> {
    type Item = Cmei;

    fn next(&mut self) -> Option<Cmei> {
        if self.next >= self.end {
            return None;
        }
        let cmei = Cmei::build(&self.tui, self.next, &mut self.free).ok()?;
        self.next += 1;
        Some(cmei)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.end - self.next).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Batch<'_> {}

/// Why a text is no CMEI or TUI, or why none can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CmeiError {
    /// The wrong number of characters.
    Length {
        /// 15 for a CMEI, 8 for a TUI.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A character other than an ASCII digit.
    NotADigit {
        /// Which character, counted from 1.
        at: usize,
    },
    /// It does not begin with 11.
    Prefix,
    /// A serial number of more than six digits.
    Serial {
        /// The number.
        serial: u32,
    },
    /// A last digit above 9.
    FreeDigit {
        /// The digit.
        digit: u8,
    },
    /// The TUI has not that many serial numbers left.
    TooMany {
        /// Where the batch was to begin.
        first: u32,
        /// How many were asked for.
        count: u32,
        /// How many there are from there on.
        left: u32,
    },
}

impl fmt::Display for CmeiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected: 8, found } => write!(f, "a TUI has 8 digits, not {found}"),
            Self::Length { found, .. } => f.write_str(&Shape::Length(*found).text(NAME)),
            Self::NotADigit { at } => f.write_str(&Shape::Digit(*at).text(NAME)),
            Self::Prefix => f.write_str(PREFIX),
            Self::Serial { serial } => write!(f, "serial number {serial} has more than six digits"),
            Self::FreeDigit { digit } => write!(f, "the last digit has to be 0 to 9, not {digit}"),
            Self::TooMany { first, count, left } => write!(
                f,
                "a TUI has serial numbers up to 999999: {left} are left from {first:06} on, not {count}; ask China \
                 Mobile for another TUI"
            ),
        }
    }
}

impl core::error::Error for CmeiError {}

fn padded(serial: u32) -> String {
    let digits = serial.to_string();
    ["000000".get(digits.len()..).unwrap_or_default(), &digits].concat()
}

fn random_digit(bytes: &mut dyn FnMut() -> u8) -> u8 {
    // 250 = 25 · 10: throwing the rest away keeps the choice uniform. A source that gives nothing else is no reason
    // to hang.
    for _ in 0..64 {
        let byte = bytes();
        if byte < 250 {
            return byte % 10;
        }
    }
    bytes() % 10
}
