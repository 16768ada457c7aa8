//! What the owner reads.

use muster::app::{AppEvent, BindFailure, CallName, HandOver, Reply};
use muster::{Error, Rejected};
use serde_json::{Value, json};

use crate::exit::Exit;

/// How to show.
pub(super) struct Shown {
    pub(super) json: bool,
    pub(super) reveal: bool,
}

impl Shown {
    /// Something beside the result, on stderr.
    pub(super) fn note(&self, text: &str) {
        eprintln!("note: {text}");
    }

    pub(super) fn reply(&self, call: CallName, reply: &Reply) {
        let (value, text) = self.reply_value(reply);
        if self.json {
            println!("{}", json!({ "call": call, "data": value }));
        } else {
            println!("{text}");
        }
    }

    fn reply_value(&self, reply: &Reply) -> (Value, String) {
        match reply {
            Reply::Discovered(page) => {
                let mut text = format!("{} discovered", page.total);
                for item in &page.items {
                    let state = match item.status {
                        Some(1) => "being provisioned",
                        _ => "initial",
                    };
                    text.push_str(&format!("\n  {}  {state}", item.enrollee));
                }
                (value(page), text)
            }
            Reply::Filtered(devices) => {
                let lines: Vec<String> = devices
                    .iter()
                    .map(|d| {
                        format!("  {}  {}", d.device, d.product_name.as_deref().unwrap_or_default())
                    })
                    .collect();
                (value(devices), format!("{} can be bound\n{}", devices.len(), lines.join("\n")))
            }
            Reply::Token(holder) => (
                value(holder),
                format!("the token is that of {} (iotId {})", holder.device, holder.iot_id),
            ),
            Reply::Bound { iot_id } => {
                (json!({ "iotId": iot_id }), format!("bound: iotId {iot_id}"))
            }
            Reply::Key(key) => {
                let shown =
                    if self.reveal { key.hex().expose().to_owned() } else { "***".to_owned() };
                (json!({ "key": shown }), format!("AES-128 key {shown}{}", self.hint()))
            }
            _ => (Value::Null, "done".into()),
        }
    }

    pub(super) fn hand_over(&self, hand_over: &HandOver) {
        let masked = |text: &str| if self.reveal { text.to_owned() } else { "***".to_owned() };
        let key = masked(hand_over.key.hex().expose());
        let passwd = hand_over.passwd.as_ref().map(|p| masked(p.expose()));
        if self.json {
            println!(
                "{}",
                json!({ "event": "hand_over", "device": hand_over.device, "key": key, "ssid": hand_over.ssid,
                        "passwd": passwd })
            );
        } else {
            println!("hand over to {}: key {key}{}", hand_over.device, self.hint());
            if let (Some(ssid), Some(passwd)) = (&hand_over.ssid, passwd) {
                println!("  ssid {ssid}  passwd {passwd}");
            }
        }
    }

    fn hint(&self) -> &'static str {
        if self.reveal { "" } else { "  (--reveal shows it)" }
    }

    pub(super) fn event(&self, event: &AppEvent) {
        if self.json {
            println!("{}", value(event));
            return;
        }
        let text = match event {
            AppEvent::Step { step } => format!("step: {}", word(step)),
            AppEvent::Discovered { devices } => {
                format!(
                    "discovered: {}",
                    devices.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                )
            }
            AppEvent::Filtered { devices } => format!("{} can be bound", devices.len()),
            AppEvent::Chosen { device } => format!("chosen: {device}"),
            AppEvent::KeyReady { device } => format!("key for {device} is there"),
            AppEvent::Waiting { for_ms } => {
                format!("waiting for the token, {} s at most", for_ms / 1000)
            }
            AppEvent::TokenKnown { iot_id } => {
                format!("the cloud knows the token (iotId {iot_id})")
            }
            AppEvent::Bound { device, iot_id } => format!("bound: {device} (iotId {iot_id})"),
            AppEvent::Cancelled => "cancelled".into(),
            AppEvent::Failed { step, .. } => format!("failed at {}", word(step)),
            AppEvent::Retrying { error, in_ms, .. } => format!(
                "{}; next try in {:.1} s",
                crate::text::error(error, muster::PlatformName::Alibaba),
                *in_ms as f64 / 1000.0
            ),
            other => format!("{other:?}"),
        };
        println!("{text}");
    }
}

fn word(step: &impl serde::Serialize) -> String {
    value(step).as_str().unwrap_or_default().replace('_', " ")
}

fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).unwrap_or(Value::Null)
}

/// The next move after an honest no.
pub(super) fn next(error: &Error) -> &'static str {
    match error {
        Error::Rejected { by: Rejected::Code { code, .. } } => match code.as_str() {
            "401" | "2401" => {
                "log in again: --set iot_token=… (local: `muster cloud owners --reveal`)"
            }
            "460" => "compare the parameters with the document",
            "6608" => "the token is unknown or has run out: let the device announce a new one",
            "5005" => "check the productKey",
            "6100" => "check the deviceName, and whether the device was created",
            "2063" => "check the iotId",
            "2066" => "the device belongs to somebody else: its owner has to release it first",
            _ => "docs/protocols/alibaba.md lists the codes",
        },
        Error::Rejected { by: Rejected::Http { .. } } => {
            "compare the string to sign with `muster tool sign`, and check app_key, app_secret and the clock"
        }
        _ => "see the message",
    }
}

/// Why the guided flow ended.
pub(super) fn failed(failure: &BindFailure) -> Exit {
    match failure {
        BindFailure::Call { error } => super::driver::exit(error),
        BindFailure::Parameter { error } => {
            Exit::usage(error, "see `muster app alibaba bind --help`")
        }
        BindFailure::NothingToBind => Exit::rejected(
            "no device can be bound",
            "switch the device on, and see that nobody has bound it",
        ),
        BindFailure::NotAmongThem => Exit::rejected(
            "the device is not among those that can be bound",
            "somebody has bound it, or its product is not published (--scope-all)",
        ),
        BindFailure::Password => {
            Exit::usage("the Wi-Fi password cannot be encrypted", "at most 256 bytes, no NUL")
        }
        BindFailure::NoToken => Exit::network(
            "no token came in time",
            "see whether the device is online; its bind token lives a minute: `muster device` prints it",
        ),
        BindFailure::NoWindow => Exit::rejected(
            "the time after power-on is over",
            "switch the device off and on, and bind again",
        ),
        other => Exit::rejected(format!("{other:?}"), "see docs/protocols/alibaba.md"),
    }
}
