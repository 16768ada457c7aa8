//! IMEI: the number of a cellular device, and the Luhn check digit that it ends in.
//!
//! Sources: 3GPP TS 23.003 §6.2 and Annex B (15 digits, of which the last is a Luhn digit over the first 14). The
//! standard transmits that digit as 0, so a modem may hand out a number that ends in 0: a wrong check digit is worth a
//! warning, never a refusal.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use crate::num;

/// In sentences.
pub(super) const NAME: &str = "an IMEI";

/// How many digits an IMEI, and a CMEI, has.
pub const DIGITS: usize = 15;

/// An IMEI of 15 ASCII digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Imei(String);

impl Imei {
    /// Reads 15 digits, nothing around them. The check digit is not looked at: see [`Imei::check_digit_fits`].
    pub fn parse(text: &str) -> Result<Self, ImeiError> {
        match digits(text) {
            Ok(()) => Ok(Self(text.to_string())),
            Err(Shape::Length(found)) => Err(ImeiError::Length { found }),
            Err(Shape::Digit(at)) => Err(ImeiError::NotADigit { at }),
        }
    }

    /// The 15 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The type allocation code: the first eight digits, which name the model.
    pub fn tac(&self) -> &str {
        self.0.get(..8).unwrap_or_default()
    }

    /// The serial number: the six digits behind the type allocation code.
    pub fn serial(&self) -> &str {
        self.0.get(8..14).unwrap_or_default()
    }

    /// The last digit, as it stands.
    pub fn check_digit(&self) -> u8 {
        self.0.bytes().last().map_or(0, |byte| byte - b'0')
    }

    /// The last digit, as it should be.
    pub fn computed_check_digit(&self) -> u8 {
        luhn(self.0.bytes().take(DIGITS - 1))
    }

    /// Whether the last digit is what it should be.
    pub fn check_digit_fits(&self) -> bool {
        self.check_digit() == self.computed_check_digit()
    }
}

impl fmt::Display for Imei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Imei {
    type Err = ImeiError;

    fn from_str(text: &str) -> Result<Self, ImeiError> {
        Self::parse(text)
    }
}

/// Why a text is no IMEI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImeiError {
    /// Not 15 characters.
    Length {
        /// How many there are.
        found: usize,
    },
    /// A character other than an ASCII digit.
    NotADigit {
        /// Which character, counted from 1.
        at: usize,
    },
}

impl fmt::Display for ImeiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = match self {
            Self::Length { found } => Shape::Length(*found),
            Self::NotADigit { at } => Shape::Digit(*at),
        };
        f.write_str(&shape.text(NAME))
    }
}

impl core::error::Error for ImeiError {}

/// The Luhn check digit over any number of ASCII digits; `None` if there is anything else, or nothing, in `text`.
pub fn check_digit(text: &str) -> Option<u8> {
    let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| luhn(text.bytes()))
}

/// `digits` have to be ASCII digits. From the right every second digit is doubled, beginning with the last.
pub(super) fn luhn(digits: impl DoubleEndedIterator<Item = u8>) -> u8 {
    let mut sum = 0u32;
    for (place, byte) in digits.rev().enumerate() {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        let weighed = if place % 2 == 0 { digit * 2 } else { digit };
        sum += weighed / 10 + weighed % 10;
    }
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

/// What is wrong with the shape of a 15-digit number.
pub(super) enum Shape {
    Length(usize),
    Digit(usize),
}

impl Shape {
    /// For people; `name` is what the number was to be. Without `Display`, whose machinery a plugin does without.
    pub(super) fn text(&self, name: &str) -> String {
        match self {
            Self::Length(found) => {
                [name, " has 15 digits, not ", &num::text(*found as u64)].concat()
            }
            Self::Digit(at) => {
                let at = num::text(*at as u64);
                ["character ", &at, " is no digit from 0 to 9 (full-width digits do not count)"]
                    .concat()
            }
        }
    }
}

/// Exactly 15 ASCII digits.
pub(super) fn digits(text: &str) -> Result<(), Shape> {
    let found = num::characters(text);
    if found != DIGITS {
        return Err(Shape::Length(found));
    }
    match text.chars().position(|c| !c.is_ascii_digit()) {
        Some(at) => Err(Shape::Digit(at + 1)),
        None => Ok(()),
    }
}
