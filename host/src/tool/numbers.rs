//! `muster tool cmei` and `muster tool imei`.

use clap::Subcommand;
use muster::cmcc::cmei::{self, Cmei as Number, FreeDigit, Tui};
use muster::cmcc::imei::Imei as ImeiNumber;
use serde_json::{Value, json};

use super::{Answer, unusable};
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
            Cmei::Check { number } => Ok(check_cmei(&number)),
            Cmei::Build { tui, serial, digit } => {
                let mut random = entropy();
                let mut free = free_digit(&digit, &mut random)?;
                let number = Number::build(&parse_tui(&tui)?, serial, &mut free)
                    .map_err(|e| unusable("cmei", e))?;
                Ok(check_cmei(number.as_str()))
            }
            Cmei::Batch { tui, first, count, digit } => {
                let mut random = entropy();
                let free = free_digit(&digit, &mut random)?;
                let numbers: Vec<String> = cmei::batch(&parse_tui(&tui)?, first, count, free)
                    .map_err(|e| unusable("cmei", e))?
                    .map(|number| number.as_str().to_owned())
                    .collect();
                Ok(Answer {
                    text: numbers.join("\n"),
                    json: json!({ "count": numbers.len(), "cmeis": numbers }),
                })
            }
        }
    }
}

fn parse_tui(text: &str) -> Result<Tui, Exit> {
    Tui::parse(text).map_err(|e| unusable("--tui", e))
}

fn free_digit<'a>(text: &str, random: &'a mut dyn FnMut() -> u8) -> Result<FreeDigit<'a>, Exit> {
    match text {
        "luhn" | "check" => Ok(FreeDigit::Check),
        "random" => Ok(FreeDigit::Random(random)),
        digit => match digit.parse() {
            Ok(digit @ 0..=9) => Ok(FreeDigit::Fixed(digit)),
            _ => Err(unusable("--digit", "has to be 0 to 9, luhn or random")),
        },
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

fn check_cmei(text: &str) -> Answer {
    match Number::parse_reported(text) {
        Ok(None) => Answer {
            json: json!({ "cmei": "", "valid": true, "why": "empty: the device could not read its CMEI" }),
            text: "An empty CMEI is what a device reports that cannot read it. Products that are not cellular have to \
                   carry one all the same."
                .into(),
        },
        Ok(Some(number)) => {
            let (tui, serial, digit, luhn) =
                (number.tui(), number.serial(), number.free_digit(), number.computed_check_digit());
            let meaning = if digit == luhn { "the Luhn check digit" } else { "free: any digit is valid here" };
            Answer {
                json: json!({
                    "cmei": number.as_str(), "valid": true, "tui": tui.as_str(), "serial": format!("{serial:06}"),
                    "free_digit": digit, "luhn_digit": luhn, "luhn": digit == luhn,
                }),
                text: format!(
                    "{number}\n\n  TUI     {}   given out by China Mobile for the product\n  serial  {serial:06}     \
                     yours\n  digit   {digit}          {meaning} (Luhn would be {luhn})",
                    tui.as_str(),
                    number = number.as_str(),
                ),
            }
        }
        Err(error) => invalid("cmei", text, &error.to_string()),
    }
}

impl Imei {
    pub(super) fn answer(self) -> Result<Answer, Exit> {
        let Imei::Check { number: text } = self;
        Ok(match ImeiNumber::parse(&text) {
            Ok(number) => {
                let (digit, luhn) = (number.check_digit(), number.computed_check_digit());
                let verdict = if digit == luhn {
                    "which is right".to_owned()
                } else {
                    format!(
                        "but Luhn gives {luhn}: a typing error, or a modem that transmits 0 in its place"
                    )
                };
                Answer {
                    json: json!({
                        "imei": number.as_str(), "valid": true, "tac": number.tac(), "serial": number.serial(),
                        "check_digit": digit, "luhn_digit": luhn, "luhn": digit == luhn,
                    }),
                    text: format!(
                        "{}\n\n  TAC     {}   names the model\n  serial  {}\n  digit   {digit}          {verdict}",
                        number.as_str(),
                        number.tac(),
                        number.serial(),
                    ),
                }
            }
            Err(error) => invalid("imei", &text, &error.to_string()),
        })
    }
}

fn invalid(kind: &str, text: &str, why: &str) -> Answer {
    let mut json = serde_json::Map::new();
    json.insert(kind.to_owned(), text.into());
    json.insert("valid".to_owned(), false.into());
    json.insert("why".to_owned(), why.into());
    Answer { text: format!("{text}: not valid: {why}"), json: Value::Object(json) }
}
