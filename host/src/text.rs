//! What people read about a device: events, errors, advice. Each error comes with its next move; none shows a secret.

use muster::{
    Advice, CodecError, Due, Error, Event, Failure, LocalFailure, PeerMisbehaved, PlatformName,
    Rejected, Step, Update, UpdateFailure, Warning,
};

use crate::plugin::{Blame, PluginError, Trap};

/// An event in a line; `None` for what a terminal shows better than a line (see [`Update::Downloading`]).
///
/// Times are left to the caller, who knows the time zone: see [`Event::Heartbeat`].
pub fn event(event: &Event, platform: PlatformName) -> Option<String> {
    Some(match event {
        Event::Step { step } => step_text(*step).into(),
        Event::Registered { identity } => {
            format!("registered: {} has its own secret, and it is stored", identity.device)
        }
        Event::Ready => match platform {
            PlatformName::Cmcc => {
                "ready: the cloud knows this device and takes its heartbeats".into()
            }
            _ => "ready: logged in with the device's own secret".into(),
        },
        Event::Heartbeat { why, .. } => format!("accepted; {}", due(*why)),
        Event::Scheduled { why, .. } => format!("an earlier heartbeat still stands; {}", due(*why)),
        Event::Update { update } => return update_text(update),
        Event::Retrying { error: why, failures, in_ms } => {
            format!("{} (failure {failures}); next try in {}", error(why, platform), wait(*in_ms))
        }
        Event::Stopped { error: why, advice: what } => {
            format!("stopped: {}\n  next: {}", error(why, platform), advice(*what))
        }
        Event::Warning { warning } => warning_text(warning, platform),
        Event::PropertiesSet { json } => format!("the cloud set properties: {json}"),
        Event::PropertiesPosted => "the cloud took the properties".into(),
        Event::BindToken { token, for_ms } => {
            format!("bind token for the owner's app: {token} (good for {})", wait(*for_ms))
        }
        Event::Permit { seconds, product } => permit(*seconds, product.as_deref()),
        Event::Topology { status, devices } => {
            let what = match status {
                0 => "added to",
                1 => "removed from",
                2 => "enabled under",
                8 => "disabled under",
                _ => "changed under",
            };
            format!("{what} this gateway: {}", devices.join(", "))
        }
        other => format!("{other:?}"),
    })
}

fn step_text(step: Step) -> &'static str {
    match step {
        Step::ConnectToRegister => "connecting with the product's credential",
        Step::SubscribeForSecret => "subscribing to where the secret will come",
        Step::RequestSecret => "asking the cloud for this device's secret",
        Step::StoreSecret => "storing the secret",
        Step::ConfirmSecret => "telling the cloud that the secret is stored",
        Step::LeaveRegistration => "leaving the product's session",
        Step::Login => "logging in with the device's own secret",
        Step::Subscribe => "subscribing to the device's topics",
        Step::ReportVersion => "reporting the firmware version",
        Step::Heartbeat => "sending a heartbeat",
        Step::ReportToken => "reporting a bind token",
        Step::Download => "fetching the firmware image",
        Step::Install => "installing the firmware image",
        Step::EraseSecret => "forgetting the stored secret, as asked",
        Step::PostProperties => "posting properties",
        _ => "going on",
    }
}

fn due(why: Due) -> &'static str {
    match why {
        Due::Period => "the next one is due after the usual period",
        Due::PeriodWithJitter => {
            "the next one is due after the usual period, give or take a little"
        }
        Due::FirstUseOfDay => "the next one is due at the first use of another day",
        Due::Limit => "the next one is due at the platform's limit",
        Due::KeepAlive => "from here on the MQTT keep alive stands in for it",
    }
}

fn update_text(update: &Update) -> Option<String> {
    Some(match update {
        Update::Offered { from, to, size } => {
            let size = size.map(|size| format!(", {}", bytes(size))).unwrap_or_default();
            format!("update ordered: from {from} to {to}{size}")
        }
        Update::Downloading { .. } => return None,
        Update::Verified { digest: true } => {
            "image verified: size and digest are as announced".into()
        }
        Update::Verified { digest: false } => {
            "image complete; the cloud announced no digest to compare with".into()
        }
        Update::Installed { from, to } => format!("installed: {to} runs now instead of {from}"),
        Update::Reported { version } => format!("the cloud knows that {version} runs: update done"),
        Update::Failed { reason } => {
            format!("update failed: {}; the old version runs on", update_failure(reason))
        }
        Update::Cancelled => "the cloud took the update back".into(),
        other => format!("{other:?}"),
    })
}

/// Why an update came to nothing.
pub fn update_failure(reason: &UpdateFailure) -> String {
    match reason {
        UpdateFailure::Url => "its address cannot be used (http:// and https:// can)".into(),
        UpdateFailure::Refused(status) => format!(
            "the server refused the download with HTTP status {status}; have the operator push it again"
        ),
        UpdateFailure::Download(why) => format!("the download broke off, {}", failure(why)),
        UpdateFailure::Size => "the size is not the one that was announced".into(),
        UpdateFailure::Digest => "the digest is not the one that was announced".into(),
        UpdateFailure::Install => "it could not be installed".into(),
        other => format!("{other:?}"),
    }
}

fn warning_text(warning: &Warning, platform: PlatformName) -> String {
    let text = match warning {
        Warning::Ignored { error: why } => format!("ignored a message: {}", error(why, platform)),
        Warning::ProductIdAsDeviceNumber => {
            "the product id serves as device number; the vendor does not recommend that".into()
        }
        Warning::ImeiCheckDigit => "the IMEI's check digit is wrong; compare it with the label".into(),
        Warning::ClockJumped => "this machine's clock jumped; the schedule was kept".into(),
        Warning::UnprotectedImage => {
            "nothing protects this image: the protocol has no digest, and none is in the settings".into()
        }
        Warning::SubscribeRefused { topic } => format!("the cloud refused the subscription to {topic}"),
        Warning::SecretConfigured => {
            "the settings hold the device's secret, and it would beat a new one; remove it there first".into()
        }
        other => format!("{other:?}"),
    };
    format!("warning: {text}")
}

/// What went wrong, without the next move.
pub fn error(error: &Error, platform: PlatformName) -> String {
    match error {
        Error::Codec { error } => format!("the cloud's answer cannot be read: {}", codec(error)),
        Error::PeerMisbehaved { how } => {
            format!("the cloud broke the protocol: {}", misbehaved(how))
        }
        Error::Rejected { by } => rejected(by, platform),
        Error::Network { failure: why } => format!("no connection: {}", failure(why)),
        Error::NoReply { step } => format!("no answer in time, while {}", step_text(*step)),
        Error::Local { failure: LocalFailure::Store } => {
            "this machine could not store a value".into()
        }
        Error::Local { failure: LocalFailure::Install } => {
            "this machine could not install the image".into()
        }
        other => format!("{other:?}"),
    }
}

fn codec(error: &CodecError) -> String {
    match error {
        CodecError::NotJson => "it is no JSON".into(),
        CodecError::NotAnObject => "it is no JSON object".into(),
        CodecError::NotUtf8 => "it is no UTF-8".into(),
        CodecError::TooLong => "it is too long".into(),
        CodecError::TooDeep => "it is nested too deeply".into(),
        CodecError::Missing(field) => format!("`{field}` is missing"),
        CodecError::Invalid(field) => format!("`{field}` is not what it has to be"),
        other => format!("{other:?}"),
    }
}

fn misbehaved(how: &PeerMisbehaved) -> &'static str {
    match how {
        PeerMisbehaved::WrongRequestId => "a reply to a request that was never sent",
        PeerMisbehaved::UnusableSecret => "a secret that is empty, too long or not printable",
        PeerMisbehaved::WrongIdentity => "a reply that speaks of another device",
        PeerMisbehaved::ForbiddenUrl => {
            "a firmware address of a kind that the vendor does not allow"
        }
        PeerMisbehaved::ClosedEarly => "it closed the connection in the middle of the step",
        _ => "in a way that this version has no words for",
    }
}

fn rejected(by: &Rejected, platform: PlatformName) -> String {
    match by {
        Rejected::Connack { code } => {
            let why = match code {
                1 => "it does not take this version of MQTT",
                2 => "it does not take this client identifier",
                3 => "it is not available now",
                4 => "wrong user name or password",
                5 => "not authorized",
                _ => "for a reason of its own",
            };
            format!("{platform} refused the login: {why} (CONNACK {code})")
        }
        Rejected::Suback { topic } => format!("{platform} refused the subscription to {topic}"),
        Rejected::Code { code, message } if message.is_empty() => {
            format!("{platform} said no: code {code}")
        }
        Rejected::Code { code, message } => format!("{platform} said no: code {code}, {message}"),
        Rejected::Http { status, message } if message.is_empty() => {
            format!("{platform} answered with HTTP status {status}")
        }
        Rejected::Http { status, message } => {
            format!("{platform} answered with HTTP status {status}: {message}")
        }
        other => format!("{other:?}"),
    }
}

/// Why there is no connection, as a part of a sentence.
pub fn failure(failure: &Failure) -> String {
    match failure {
        Failure::Dns => "the host name cannot be resolved".into(),
        Failure::Unreachable => "nobody listens there, or the network is down".into(),
        Failure::Tls => "TLS could not be set up".into(),
        Failure::TimedOut => "no answer in time".into(),
        Failure::Lost => "the connection broke".into(),
        Failure::Protocol => "the answer does not follow the protocol".into(),
        Failure::TooLarge => "more bytes than are taken".into(),
        Failure::Forbidden => "the address is not allowed".into(),
        Failure::Status(status) => format!("HTTP status {status}"),
        other => format!("{other:?}"),
    }
}

/// The next move after a stop.
pub fn advice(advice: Advice) -> &'static str {
    match advice {
        Advice::CheckProductSecret => {
            "check the product's credential in the settings, then try again"
        }
        Advice::ImportDevice => {
            "have the cloud's operator import this device or open dynamic registration (local clouds: muster cloud), \
             then try again"
        }
        Advice::AlreadyRegistered => {
            "the cloud gave this device its secret before: put that secret into the settings, or have the operator \
             reset the device and register again"
        }
        Advice::CheckDevice => {
            "the stored secret is refused: ask the operator whether the device was reset or disabled; `register-again` \
             forgets the secret and gets a new one, and only a person may decide that"
        }
        Advice::CheckStorage => {
            "make room or mend the storage, then try again; nothing was confirmed to the cloud"
        }
        Advice::CheckNetwork => "check the network and the address in the settings, then try again",
        Advice::AskVendor => {
            "the cloud does not behave as its document says: show this line to the vendor, then try again"
        }
        _ => "try again",
    }
}

fn permit(seconds: u32, product: Option<&str>) -> String {
    let whom = product.map_or("any product".into(), |p| format!("product {p}"));
    match seconds {
        0 => format!("this gateway takes in sub-devices of {whom} from now on"),
        65_535 => format!("this gateway takes in no more sub-devices of {whom}"),
        _ => format!("this gateway takes in sub-devices of {whom} for {seconds} s"),
    }
}

/// The same without what steers a terminal: a text may come from a cloud, or from whoever wrote the plugin.
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// What to do about a plugin that failed for good.
pub fn plugin_advice(error: &PluginError) -> &'static str {
    match error {
        PluginError::Trapped { trap: Trap::OutOfFuel, .. } => {
            "what is stored is safe; if the plugin is an honest one, raise `fuel` under [limits] in the profile, else \
             use another plugin"
        }
        PluginError::Trapped { trap: Trap::OutOfTime, .. } => {
            "what is stored is safe; if the machine is only slow, raise `deadline_ms` under [limits] in the profile, \
             else use another plugin"
        }
        PluginError::Trapped { .. } | PluginError::ReplyTooLong { .. } => {
            "what is stored is safe; raise the limit under [limits] in the profile if the plugin is an honest one, else \
             use another plugin"
        }
        PluginError::Forbidden { .. } => {
            "what is stored is safe; if the plugin is an honest one, allow it under [policy] in the profile, else use \
             another plugin"
        }
        _ => match error.blame() {
            Blame::Host => "what is stored is safe; free some memory, then start it again",
            _ => {
                "what is stored is safe; use the built-in plugin (without --plugin), or one for this version"
            }
        },
    }
}

/// A stretch of time as people say it.
pub fn wait(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..10 => format!("{}.{} s", seconds, millis % 1000 / 100),
        10..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A size as people say it.
pub fn bytes(n: u64) -> String {
    match n {
        0..10_240 => format!("{n} bytes"),
        10_240..10_485_760 => format!("{} KiB", n / 1024),
        _ => format!("{} MiB", n / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_others_cannot_steer_a_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\u{9b}c\n  d"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\n  d");
    }

    #[test]
    fn a_stop_says_what_and_what_next() {
        let stopped = Event::Stopped {
            error: Error::Rejected { by: Rejected::Connack { code: 4 } },
            advice: Advice::CheckProductSecret,
        };
        let text = event(&stopped, PlatformName::Ucloud).unwrap();
        assert!(
            text.contains("CONNACK 4") && text.contains("\n  next: check the product"),
            "{text}"
        );
    }

    #[test]
    fn waits_and_sizes_are_said_in_their_own_units() {
        for (millis, text) in [
            (900, "0.9 s"),
            (59_000, "59 s"),
            (240_000, "4 min"),
            (43_260_000, "12 h 1 min"),
            (259_200_000, "3 days"),
        ] {
            assert_eq!(wait(millis), text);
        }
        assert_eq!(bytes(4096), "4096 bytes");
        assert_eq!(bytes(1_048_576), "1024 KiB");
        assert_eq!(bytes(16 << 20), "16 MiB");
    }
}
