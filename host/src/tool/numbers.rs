//! `muster tool cmei` and `muster tool imei`.

use clap::Subcommand;
use muster::tool::{
    CmeiBatchInput, CmeiBuildInput, CmeiCheck, ImeiCheck, cmei_batch, cmei_build, cmei_check,
    imei_check,
};
use serde_json::Value;

use super::{Answer, refused};
use crate::exit::Exit;

/// China Mobile's numbers for hardware that is not cellular: 8 digits TUI (11 and six more), 6 digits serial, 1 free.
#[derive(Debug, Subcommand)]
pub(super) enum Cmei {
    /// Say whether a number is a CMEI, and take it apart.
    Check {
        /// 15 digits; an empty text is what a device reports that cannot read its CMEI.
        number: String,
    },
    /// Build one number.
    Build {
        /// The 8 digits that China Mobile gave out.
        #[arg(long)]
        tui: String,
        /// 0 to 999999.
        #[arg(long)]
        serial: u32,
        /// The last digit: 0 to 9, luhn, or random.
        #[arg(long, default_value = "luhn")]
        digit: String,
    },
    /// Build many numbers, none twice.
    Batch {
        /// The 8 digits that China Mobile gave out.
        #[arg(long)]
        tui: String,
        /// The first serial number.
        #[arg(long, alias = "serial", alias = "start", default_value_t = 0)]
        first: u32,
        /// How many.
        #[arg(long)]
        count: u32,
        /// The last digit: 0 to 9, luhn, or random.
        #[arg(long, default_value = "luhn")]
        digit: String,
    },
}

/// Numbers of cellular devices.
#[derive(Debug, Subcommand)]
pub(super) enum Imei {
    /// Say whether a number is an IMEI, and whether its check digit fits.
    Check {
        /// 15 digits.
        number: String,
    },
}

impl Cmei {
    pub(super) fn answer(self) -> Result<Answer, Exit> {
        match self {
            Cmei::Check { number } => Ok(told_cmei(&cmei_check(&number))),
            Cmei::Build { tui, serial, digit } => {
                let input = CmeiBuildInput { tui, serial, digit: Some(digit) };
                cmei_build(&input, &mut entropy()).map(|number| told_cmei(&number)).map_err(refused)
            }
            Cmei::Batch { tui, first, count, digit } => {
                let input = CmeiBatchInput { tui, first, count, digit: Some(digit) };
                let batch = cmei_batch(&input, &mut entropy()).map_err(refused)?;
                Ok(Answer { text: batch.cmeis.join("\n"), json: json(&batch) })
            }
        }
    }
}

impl Imei {
    pub(super) fn answer(self) -> Result<Answer, Exit> {
        let Imei::Check { number } = self;
        Ok(told_imei(&imei_check(&number)))
    }
}

/// Bytes of the system's entropy source, fetched in blocks.
fn entropy() -> impl FnMut() -> u8 {
    let (mut block, mut used) = ([0u8; 256], 256);
    move || {
        if used == block.len() {
            // The last digit means nothing; without entropy it is as good as any.
            let _ = getrandom::fill(&mut block);
            used = 0;
        }
        used += 1;
        block[used - 1]
    }
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn told_cmei(check: &CmeiCheck) -> Answer {
    let text = match (&check.parts, &check.why) {
        (Some(parts), _) => format!(
            "{}\n\n  TUI     {}   given out by China Mobile for the product\n  serial  {}     yours\n  digit   {}          \
             {} (Luhn would be {})",
            check.cmei,
            parts.tui,
            parts.serial,
            parts.free_digit,
            if parts.luhn { "the Luhn check digit" } else { "free: any digit is valid here" },
            parts.luhn_digit,
        ),
        (None, why) if check.valid => format!(
            "{}. Products that are not cellular have to carry one all the same.",
            why.as_deref().unwrap_or_default()
        ),
        (None, why) => not_valid(&check.cmei, why.as_deref()),
    };
    Answer { json: json(check), text }
}

fn told_imei(check: &ImeiCheck) -> Answer {
    let text = match (&check.tac, &check.serial, check.check_digit, check.luhn_digit) {
        (Some(tac), Some(serial), Some(digit), Some(luhn)) => {
            let verdict = if digit == luhn {
                "which is right".to_owned()
            } else {
                format!(
                    "but Luhn gives {luhn}: a typing error, or a modem that transmits 0 in its place"
                )
            };
            format!(
                "{}\n\n  TAC     {tac}   names the model\n  serial  {serial}\n  digit   {digit}          {verdict}",
                check.imei
            )
        }
        _ => not_valid(&check.imei, check.why.as_deref()),
    };
    Answer { json: json(check), text }
}

fn not_valid(number: &str, why: Option<&str>) -> String {
    format!("{number}: not valid: {}", why.unwrap_or_default())
}
