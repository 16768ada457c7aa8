//! CMEI and IMEI (China Mobile).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::ToolError;
use crate::platform::cmcc::cmei::{self, Cmei, FreeDigit, Tui};
use crate::platform::cmcc::imei::Imei;

/// A batch has at most this many numbers in one answer.
const MOST: u32 = 1_000_000;

/// What a number is made of.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Parts {
    /// 8 digits that China Mobile gave out.
    pub tui: String,
    /// 6 digits.
    pub serial: String,
    /// The last digit.
    pub free_digit: u8,
    /// What it would be by Luhn.
    pub luhn_digit: u8,
    /// Whether it is.
    pub luhn: bool,
}

/// A number that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
pub struct CmeiCheck {
    /// As given.
    pub cmei: String,
    /// Whether the platform takes it.
    pub valid: bool,
    /// Why, or why not, where there is something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its parts, if it has any.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
}

/// An IMEI that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
pub struct ImeiCheck {
    /// As given.
    pub imei: String,
    /// Whether it is one.
    pub valid: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Names the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tac: Option<String>,
    /// 6 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The last digit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_digit: Option<u8>,
    /// What it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub luhn_digit: Option<u8>,
    /// Whether it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub luhn: Option<bool>,
}

/// One number to build.
#[derive(Clone, Debug, serde::Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct CmeiBuildInput {
    /// 8 digits.
    pub tui: String,
    /// 0 to 999999.
    pub serial: u32,
    /// The last digit: `0` to `9`, `luhn` (if absent) or `random`.
    #[serde(default)]
    pub digit: Option<String>,
}

/// Numbers to build.
#[derive(Clone, Debug, serde::Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct CmeiBatchInput {
    /// 8 digits.
    pub tui: String,
    /// The first serial number.
    #[serde(default)]
    pub first: u32,
    /// How many.
    pub count: u32,
    /// The last digit: `0` to `9`, `luhn` (if absent) or `random`.
    #[serde(default)]
    pub digit: Option<String>,
}

/// Numbers that were built, none twice.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct CmeiBatch {
    /// How many.
    pub count: usize,
    /// They.
    pub cmeis: Vec<String>,
}

/// Says whether a number is a CMEI, and takes it apart. An empty one is what a device reports that cannot read its own.
pub fn cmei_check(text: &str) -> CmeiCheck {
    let said = |valid, why: &str, parts| CmeiCheck {
        cmei: text.to_string(),
        valid,
        why: (!why.is_empty()).then(|| why.to_string()),
        parts,
    };
    match Cmei::parse_reported(text) {
        Ok(None) => said(true, "empty: the device could not read its CMEI", None),
        Ok(Some(number)) => {
            let (digit, luhn) = (number.free_digit(), number.computed_check_digit());
            let parts = Parts {
                tui: number.tui().as_str().to_string(),
                serial: alloc::format!("{:06}", number.serial()),
                free_digit: digit,
                luhn_digit: luhn,
                luhn: digit == luhn,
            };
            said(true, "", Some(parts))
        }
        Err(error) => said(false, &error.to_string(), None),
    }
}

/// Builds one number. `random` gives the last digit where that was asked for.
pub fn cmei_build(
    input: &CmeiBuildInput,
    random: &mut dyn FnMut() -> u8,
) -> Result<CmeiCheck, ToolError> {
    let mut free = free_digit(input.digit.as_deref(), random)?;
    let number = Cmei::build(&tui(&input.tui)?, input.serial, &mut free)
        .map_err(|e| ToolError::new("cmei", e))?;
    Ok(cmei_check(number.as_str()))
}

/// Builds many numbers.
pub fn cmei_batch(
    input: &CmeiBatchInput,
    random: &mut dyn FnMut() -> u8,
) -> Result<CmeiBatch, ToolError> {
    if input.count > MOST {
        return Err(ToolError::new("count", "has to be at most 1000000"));
    }
    let free = free_digit(input.digit.as_deref(), random)?;
    let numbers = cmei::batch(&tui(&input.tui)?, input.first, input.count, free)
        .map_err(|e| ToolError::new("cmei", e))?;
    let cmeis: Vec<String> = numbers.map(|number| number.as_str().to_string()).collect();
    Ok(CmeiBatch { count: cmeis.len(), cmeis })
}

/// Says whether a number is an IMEI, and whether its check digit fits.
pub fn imei_check(text: &str) -> ImeiCheck {
    let mut check = ImeiCheck {
        imei: text.to_string(),
        valid: false,
        why: None,
        tac: None,
        serial: None,
        check_digit: None,
        luhn_digit: None,
        luhn: None,
    };
    match Imei::parse(text) {
        Ok(number) => {
            let (digit, luhn) = (number.check_digit(), number.computed_check_digit());
            check.valid = true;
            check.tac = Some(number.tac().to_string());
            check.serial = Some(number.serial().to_string());
            check.check_digit = Some(digit);
            check.luhn_digit = Some(luhn);
            check.luhn = Some(digit == luhn);
        }
        Err(error) => check.why = Some(error.to_string()),
    }
    check
}

fn tui(text: &str) -> Result<Tui, ToolError> {
    Tui::parse(text).map_err(|e| ToolError::new("tui", e))
}

fn free_digit<'a>(
    text: Option<&str>,
    random: &'a mut dyn FnMut() -> u8,
) -> Result<FreeDigit<'a>, ToolError> {
    match text.unwrap_or("luhn") {
        "luhn" | "check" | "" => Ok(FreeDigit::Check),
        "random" => Ok(FreeDigit::Random(random)),
        digit => match digit.parse() {
            Ok(digit @ 0..=9) => Ok(FreeDigit::Fixed(digit)),
            _ => Err(ToolError::new("digit", "has to be 0 to 9, luhn or random")),
        },
    }
}
