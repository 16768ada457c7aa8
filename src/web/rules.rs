//! Rules of faults as JavaScript writes them, read strictly: what is wrong is named.

use std::format;
use std::string::String;
use std::vec::Vec;

use wasm_bindgen::JsValue;

use super::driver::Change;
use super::read::{Members, need};
use super::values::invalid;
use crate::faults::{Armed, Fault, Kept, Kind, MOST_RULES, On, Rule, Times, When};
use crate::platform::PlatformName;
use crate::trace::Direction;

/// Of an id, and of a part to look for.
const LONGEST: usize = 256;
/// Of a body.
const BODY: usize = 4 * 1024;
/// A day.
const DAY: u32 = 24 * 60 * 60 * 1000;
/// A hundred years, in milliseconds.
const CENTURY: f64 = 100.0 * 366.0 * 86_400_000.0;

type Read<T> = Result<T, JsValue>;

/// `{ clear, disarm, arm }`.
pub(super) fn read_change(value: JsValue, platform: PlatformName) -> Read<Change> {
    let of = Members::of("faults", value)?;
    let change = Change {
        clear: of.flag("clear")?,
        disarm: of.maybe_texts("disarm")?.unwrap_or_default(),
        arm: read_rules(of.list("arm")?, platform)?,
    };
    of.finish()?;
    Ok(change)
}

/// The rules, each with an id of its own.
pub(super) fn read_rules(values: Vec<JsValue>, platform: PlatformName) -> Read<Vec<Armed>> {
    if values.len() > MOST_RULES {
        return Err(too_many());
    }
    let mut rules: Vec<Armed> = Vec::new();
    for (at, value) in values.into_iter().enumerate() {
        let armed =
            read_rule(value, platform).map_err(|error| within(&error, &format!("faults[{at}]")))?;
        if rules.iter().any(|other| other.rule.id == armed.rule.id) {
            return Err(invalid(&format!("faults[{at}].id"), "is that of another rule"));
        }
        rules.push(armed);
    }
    Ok(rules)
}

/// A device has as many as it may have.
pub(super) fn too_many() -> JsValue {
    invalid("faults", &format!("has more than {MOST_RULES} rules"))
}

/// The same error, said of a member of something.
fn within(error: &JsValue, place: &str) -> JsValue {
    let text = |of: &JsValue, name: &str| {
        let value = js_sys::Reflect::get(of, &name.into()).ok();
        value.and_then(|value| value.as_string())
    };
    let data = js_sys::Reflect::get(error, &"data".into()).unwrap_or(JsValue::NULL);
    match (text(&data, "key"), text(&data, "problem")) {
        (Some(key), Some(problem)) => invalid(&[place, ".", &*key].concat(), &problem),
        _ => error.clone(),
    }
}

fn read_rule(value: JsValue, platform: PlatformName) -> Read<Armed> {
    let of = Members::of("rule", value)?;
    let fault = read_fault(&of)?;
    let on = of.maybe_members("on")?.map(read_on).transpose();
    let on = on.map_err(|error| within(&error, "on"))?;
    let rule = Rule {
        id: short(of.text("id")?, "id", 1)?,
        fault,
        on,
        nth: at_least_one(&of, "nth")?,
        every: at_least_one(&of, "every")?,
        chance: match of.maybe_real("chance")? {
            None => 1.0,
            Some(chance) if (0.0..=1.0).contains(&chance) => chance,
            Some(_) => return Err(invalid("chance", "has to be 0 to 1")),
        },
        seed: of.maybe_number("seed")?.unwrap_or(1),
        times: read_times(&of)?,
    };
    let armed = Armed {
        seen: of.maybe_number("seen")?.unwrap_or(0),
        struck: of.maybe_number("struck")?.unwrap_or(0),
        rule,
    };
    of.finish()?;
    armed.rule.check(platform).map_err(|(key, problem)| invalid(key, problem))?;
    Ok(armed)
}

fn read_times(of: &Members) -> Read<Times> {
    let problem = || invalid("times", "has to be a whole number from 1, or \"always\"");
    match of.value("times") {
        None => Ok(Times::Count(1)),
        Some(value) if value.as_string().as_deref() == Some("always") => Ok(Times::Always),
        Some(_) => match of.maybe_number("times").map_err(|_| problem())? {
            Some(count) if count > 0 => Ok(Times::Count(count)),
            _ => Err(problem()),
        },
    }
}

fn at_least_one(of: &Members, name: &'static str) -> Read<u32> {
    match of.maybe_number(name)? {
        None => Ok(1),
        Some(0) => Err(invalid(name, "has to be a whole number from 1")),
        Some(number) => Ok(number),
    }
}

fn short(text: String, name: &str, least: usize) -> Read<String> {
    if (least..=LONGEST).contains(&text.len()) {
        Ok(text)
    } else {
        Err(invalid(name, &format!("has to have {least} to {LONGEST} bytes")))
    }
}

fn between(of: &Members, name: &'static str, low: u32, high: u32) -> Read<u32> {
    let number = of.number(name)?;
    if (low..=high).contains(&number) {
        Ok(number)
    } else {
        Err(invalid(name, &format!("has to be {low} to {high}")))
    }
}

fn status(of: &Members, low: u32) -> Read<u16> {
    let status = between(of, "status", low, 599)?;
    Ok(u16::try_from(status).unwrap_or(599))
}

fn read_fault(of: &Members) -> Read<Fault> {
    let ms = || between(of, "ms", 1, DAY);
    let wrong_by = || match of.maybe_real("ms")? {
        None => Err(invalid("ms", "is missing")),
        Some(ms) if ms.abs() <= CENTURY && ms != 0.0 => Ok(ms),
        Some(_) => Err(invalid("ms", "has to be at most a hundred years, and not 0")),
    };
    let after = || Ok::<_, JsValue>(of.maybe_number("after")?.unwrap_or(0));
    Ok(match &*of.text("fault")? {
        "lose" => Fault::Lose,
        "delay" => Fault::Delay { ms: ms()? },
        "duplicate" => Fault::Duplicate,
        "reorder" => Fault::Reorder,
        "wrong_id" => Fault::WrongId,
        "refuse" => {
            let code = between(of, "code", 1, 255)?;
            Fault::Refuse { code: u8::try_from(code).unwrap_or(u8::MAX) }
        }
        "vendor_code" => Fault::VendorCode { code: read_code(of)? },
        "status" => Fault::Status {
            status: status(of, 100)?,
            body: match of.maybe_text("body")? {
                Some(body) if body.len() > BODY => {
                    return Err(invalid("body", "has to have at most 4096 bytes"));
                }
                body => body,
            },
        },
        "clock_skew" => Fault::ClockSkew { ms: wrong_by()? },
        "clock_jump" => Fault::ClockJump { ms: wrong_by()? },
        "no_clock" => Fault::NoClock,
        "network_loss" => Fault::NetworkLoss { ms: ms()? },
        "broker_restart" => Fault::BrokerRestart { ms: ms()? },
        "power_cut" => Fault::PowerCut {
            key: of.maybe_text("key")?.map(|key| read_key(&key)).transpose()?,
            when: match of.maybe_text("when")?.as_deref() {
                None | Some("before") => When::Before,
                Some("after") => When::After,
                Some(_) => return Err(invalid("when", "has to be before or after")),
            },
            restart_ms: match of.maybe_number("restart_ms")? {
                Some(ms) if ms > DAY => {
                    return Err(invalid("restart_ms", "has to be at most a day, 86400000"));
                }
                ms => ms,
            },
        },
        "store_fail" => Fault::StoreFail { key: read_key(&of.text("key")?)? },
        "download_corrupt" => {
            Fault::DownloadCorrupt { bytes: between(of, "bytes", 1, u32::MAX)?, after: after()? }
        }
        "download_truncate" => Fault::DownloadTruncate { after: after()? },
        "download_break" => Fault::DownloadBreak { after: after()? },
        "download_stall" => Fault::DownloadStall { after: after()?, ms: ms()? },
        "download_slow" => {
            Fault::DownloadSlow { bytes_per_s: between(of, "bytes_per_s", 1, u32::MAX)? }
        }
        "download_status" => Fault::DownloadStatus { status: status(of, 300)? },
        _ => return Err(invalid("fault", "is none that is known here")),
    })
}

/// A vendor's code, as a number or as a text.
fn read_code(of: &Members) -> Read<String> {
    let code = match of.value("code") {
        None => return need(None, "code"),
        Some(value) => match value.as_string() {
            Some(text) => text,
            None => format!("{}", of.number("code")?),
        },
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if (1..=32).contains(&code.len()) && code.bytes().all(plain) {
        Ok(code)
    } else {
        Err(invalid("code", "has to be 1 to 32 letters, digits, -, _ or ."))
    }
}

fn read_key(name: &str) -> Read<Kept> {
    Kept::ALL
        .into_iter()
        .find(|key| key.name() == name)
        .ok_or_else(|| invalid("key", "has to be credential, schedule, firmware or version"))
}

fn read_on(of: Members) -> Read<On> {
    let name = of.text("message")?;
    let kind = Kind::ALL.into_iter().find(|(_, known)| *known == name);
    let Some((message, _)) = kind else {
        let known: Vec<&str> = Kind::ALL.iter().map(|(_, known)| *known).collect();
        return Err(invalid("message", &format!("has to be one of {}", known.join(", "))));
    };
    let part =
        |name: &'static str| of.maybe_text(name)?.map(|text| short(text, name, 1)).transpose();
    let on = On {
        message,
        direction: match of.maybe_text("direction")?.as_deref() {
            None => None,
            Some("up") => Some(Direction::Up),
            Some("down") => Some(Direction::Down),
            Some(_) => return Err(invalid("direction", "has to be up or down")),
        },
        topic: part("topic")?,
        path: part("path")?,
        text: part("text")?,
        event: part("event")?,
    };
    of.finish()?;
    Ok(on)
}
