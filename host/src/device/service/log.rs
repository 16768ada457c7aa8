//! The log: one JSON object a line on stderr, with time, level, who, and what.
//!
//! Where stderr is the journal (`JOURNAL_STREAM`), a line begins with its priority as `sd-daemon(3)` has it, `<3>` to
//! `<7>`; journald takes that off and files the line under it.
//!
//! No secret reaches the log: commands and messages are told by kind, topic and size, never by content. Beneath that is a
//! net: every text that is known to be a secret, from the settings and from what is stored, is blotted out of whatever is
//! written, whoever said it, the last line included. Only what is shorter than six bytes is not.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(feature = "full")]
use muster::{Ack, Answer, Closed, Command, Downloaded, Input, Message, Outcome};
use muster::{Event, Identity, PlatformName, Settings, Update};
#[cfg(any(feature = "full", test))]
use serde_json::json;
use serde_json::{Map, Value};

use super::super::clock::{rfc3339, unix};
#[cfg(feature = "full")]
use super::super::http::host;
use crate::exit::Exit;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Level {
    Error,
    Warning,
    Info,
    Debug,
}

impl Level {
    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Error, Self::Warning, Self::Info, Self::Debug]
            .into_iter()
            .find(|level| level.word() == word)
    }

    pub(in super::super) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }

    /// syslog's number.
    fn priority(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warning => 4,
            Self::Info => 6,
            Self::Debug => 7,
        }
    }
}

/// Texts that are never written. A copy is the same list: what one learns, all know.
#[derive(Clone, Default)]
pub(in super::super) struct Hidden(Arc<Mutex<Texts>>);

#[derive(Default)]
struct Texts {
    settings: Vec<String>,
    /// Of each credential, the latest last.
    stored: VecDeque<Vec<String>>,
}

/// A shorter one is found by chance, and is none.
const SHORTEST: usize = 6;
const INSTEAD: &str = "[hidden]";
/// An honest device has one credential, seldom two in a life, with one secret each. A plugin may store without an end what
/// it calls one, and this must not grow with it.
const CREDENTIALS: usize = 8;
const SECRETS_IN_ONE: usize = 8;

impl Hidden {
    /// The secrets of the settings: what is called one, and China Mobile's `product_key`, which signs.
    pub(in super::super) fn learn_settings(&self, platform: PlatformName, settings: &Settings) {
        let signs = |key: &str| platform == PlatformName::Cmcc && key == "product_key";
        let secrets = settings.keys().filter(|key| is_secret(key) || signs(key));
        let texts = secrets.filter_map(|key| settings.get(key)).filter(|text| is_long_enough(text));
        self.lock().settings.extend(texts.map(str::to_owned));
    }

    /// Those in a stored credential.
    pub(in super::super) fn learn(&self, credential: &[u8]) {
        let Ok(Value::Object(fields)) = serde_json::from_slice(credential) else { return };
        let secrets = fields.iter().filter(|(key, _)| is_secret(key));
        let texts = secrets.filter_map(|(_, value)| value.as_str()).filter(|t| is_long_enough(t));
        let texts: Vec<String> = texts.take(SECRETS_IN_ONE).map(str::to_owned).collect();
        let stored = &mut self.lock().stored;
        if !texts.is_empty() && !stored.contains(&texts) {
            stored.push_back(texts);
            if stored.len() > CREDENTIALS {
                stored.pop_front();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Texts> {
        // Whole after each step, so right even after a panic elsewhere.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text without them.
    pub(super) fn clean(&self, text: &str) -> String {
        let known = self.lock();
        let all = known.settings.iter().chain(known.stored.iter().flatten());
        let mut found: Vec<&String> = all.filter(|secret| text.contains(secret.as_str())).collect();
        // One may be a part of another.
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let cleaned = |text: String, secret: &String| text.replace(secret.as_str(), INSTEAD);
        found.into_iter().fold(text.to_owned(), cleaned)
    }

    fn blot(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.clean(text),
            Value::Array(values) => values.iter_mut().for_each(|value| self.blot(value)),
            Value::Object(fields) => fields.values_mut().for_each(|value| self.blot(value)),
            _ => {}
        }
    }
}

fn is_long_enough(text: &str) -> bool {
    text.len() >= SHORTEST
}

/// By a setting's or a field's name.
pub(in super::super) fn is_secret(key: &str) -> bool {
    ["secret", "password", "token"].iter().any(|word| key.contains(word))
}

/// Where lines go.
pub(super) struct Log {
    most: Level,
    who: Option<Identity>,
    journal: bool,
    pub(super) hidden: Hidden,
}

impl Log {
    pub(super) fn new(most: Level, who: Option<&Identity>, hidden: Hidden) -> Self {
        let journal = std::env::var_os("JOURNAL_STREAM").is_some_and(|stream| is_ours(&stream));
        Self { most, who: who.cloned(), journal, hidden }
    }

    pub(super) fn wants(&self, level: Level) -> bool {
        level <= self.most
    }

    pub(super) fn write(&self, level: Level, fields: Map<String, Value>) {
        if !self.wants(level) {
            return;
        }
        let line = self.line(level, fields);
        // Nobody is left to tell if this fails, and a device does not end for its log.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }

    fn line(&self, level: Level, fields: Map<String, Value>) -> String {
        let mut line = Map::new();
        line.insert("time".into(), rfc3339(unix()).into());
        line.insert("level".into(), level.word().into());
        if let Some(Identity { platform, product, device }) = &self.who {
            line.insert("platform".into(), platform.as_str().into());
            line.insert("product".into(), product.as_str().into());
            line.insert("device".into(), device.as_str().into());
        }
        for (key, value) in fields {
            // The first line of a life says who it is by itself.
            line.entry(key).or_insert(value);
        }
        let mut line = Value::Object(line);
        self.hidden.blot(&mut line);
        match self.journal {
            true => format!("<{}>{line}", level.priority()),
            false => line.to_string(),
        }
    }
}

/// `JOURNAL_STREAM` is inherited: it is about our stderr only if device and inode are those of our stderr.
#[cfg(target_os = "linux")]
fn is_ours(stream: &std::ffi::OsStr) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self/fd/2")
        .is_ok_and(|it| stream == format!("{}:{}", it.dev(), it.ino()).as_str())
}

#[cfg(not(target_os = "linux"))]
fn is_ours(_: &std::ffi::OsStr) -> bool {
    false
}

/// The last line of a service that failed, at whatever point: so far as `who` it is and what has to be `hidden` was known
/// by then.
pub(in super::super) fn last_words(exit: &Exit, who: Option<&Identity>, hidden: Hidden) {
    Log::new(Level::Error, who, hidden).write(Level::Error, of_exit(exit));
}

fn of_exit(exit: &Exit) -> Map<String, Value> {
    let Exit { kind, message, next } = exit;
    let mut fields = Map::new();
    fields.insert("event".into(), "end".into());
    fields.insert("code".into(), (*kind as u8).into());
    fields.insert("why".into(), message.as_str().into());
    fields.insert("next".into(), next.as_str().into());
    fields
}

pub(super) fn level_of(event: &Event) -> Level {
    match event {
        Event::Stopped { .. } | Event::Update { update: Update::Failed { .. } } => Level::Error,
        Event::Retrying { .. } | Event::Warning { .. } => Level::Warning,
        Event::Step { .. } | Event::Update { update: Update::Downloading { .. } } => Level::Debug,
        _ => Level::Info,
    }
}

/// Whether an event's text may be told as well. What an owner needs to bind a device, and what a cloud sets on it, are
/// nobody else's: the text holds them.
pub(super) fn says_itself(event: &Event) -> bool {
    !matches!(event, Event::BindToken { .. } | Event::PropertiesSet { .. })
}

/// An event's fields.
pub(super) fn of_event(event: &Event) -> Map<String, Value> {
    let mut fields = match serde_json::to_value(event) {
        Ok(Value::Object(fields)) => fields,
        Ok(other) => Map::from_iter([("event".to_owned(), other)]),
        Err(_) => Map::new(),
    };
    match event {
        Event::BindToken { .. } => {
            fields.remove("token");
        }
        Event::PropertiesSet { json } => {
            fields.remove("json");
            fields.insert("bytes".into(), json.len().into());
        }
        _ => {}
    }
    fields
}

/// What the plugin wants done, without its content.
#[cfg(feature = "full")]
pub(super) fn of_command(command: &Command) -> Value {
    let (what, token, more) = match command {
        Command::Connect(t, c) => {
            ("connect", t, json!({ "to": host(&c.url), "keep_alive": c.keep_alive }))
        }
        Command::Close(t) => ("close", t, json!({})),
        Command::Subscribe(t, s) => ("subscribe", t, json!({ "topic": s.topic })),
        Command::Publish(t, p) => {
            ("publish", t, json!({ "topic": p.topic, "bytes": p.payload.expose().len() }))
        }
        Command::Request(t, r) => {
            ("request", t, json!({ "to": host(&r.url), "method": r.method, "bytes": r.body.len() }))
        }
        Command::Store(t, key, value) => {
            ("store", t, json!({ "key": key.name(), "bytes": value.expose().len() }))
        }
        Command::Erase(t, key) => ("erase", t, json!({ "key": key.name() })),
        Command::Download(t, d) => {
            ("download", t, json!({ "from": host(&d.url), "version": d.version, "bytes": d.size }))
        }
        Command::CancelDownload(t) => ("cancel_download", t, json!({})),
        Command::Install(t, i) => ("install", t, json!({ "version": i.version })),
        _ => return json!({ "event": "command" }),
    };
    named("command", what, Some(token.0), more)
}

/// What the plugin is told, without its content.
#[cfg(feature = "full")]
pub(super) fn of_input(input: &Input) -> Value {
    let (what, token, more) = match input {
        Input::Timeout => ("timeout", None, json!({})),
        Input::Connected(t) => ("connected", Some(t), json!({})),
        Input::Closed(t, closed) => {
            let why = match closed {
                Closed::Refused(code) => format!("refused with code {code}"),
                Closed::Failed(why) => crate::text::failure(why),
                Closed::Requested => "requested".into(),
            };
            ("closed", Some(t), json!({ "why": why }))
        }
        Input::Message(Message { topic, payload }) => {
            ("message", None, json!({ "topic": topic, "bytes": payload.expose().len() }))
        }
        Input::Acked(t, ack) => {
            ("acked", Some(t), json!({ "refused": matches!(ack, Ack::SubscribeRefused) }))
        }
        Input::Response(t, Answer::Response(response)) => {
            let (status, bytes) = (response.status, response.body.len());
            ("response", Some(t), json!({ "status": status, "bytes": bytes }))
        }
        Input::Response(t, Answer::Failed(why)) => {
            ("response", Some(t), json!({ "why": crate::text::failure(why) }))
        }
        Input::Stored(t, outcome) => {
            ("stored", Some(t), json!({ "done": matches!(outcome, Outcome::Done) }))
        }
        Input::Progress(t, progress) => {
            ("progress", Some(t), json!({ "bytes": progress.received, "of": progress.total }))
        }
        Input::Downloaded(t, Downloaded::Complete { size, .. }) => {
            ("downloaded", Some(t), json!({ "bytes": size }))
        }
        Input::Downloaded(t, Downloaded::Failed(why)) => {
            ("downloaded", Some(t), json!({ "why": crate::text::failure(why) }))
        }
        Input::Installed(t, outcome) => {
            ("installed", Some(t), json!({ "done": matches!(outcome, Outcome::Done) }))
        }
        // `Debug` of an intent is its name alone.
        Input::User(intent) => ("user", None, json!({ "wants": format!("{intent:?}") })),
        _ => return json!({ "event": "input" }),
    };
    named("input", what, token.map(|t| t.0), more)
}

#[cfg(feature = "full")]
fn named(event: &str, what: &str, token: Option<u32>, more: Value) -> Value {
    let mut fields = Map::new();
    fields.insert("event".into(), event.into());
    fields.insert("what".into(), what.into());
    if let Some(token) = token {
        fields.insert("call".into(), token.into());
    }
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_to_be_a_secret_is_blotted_out_wherever_it_is() {
        let settings =
            Settings::new().with("product_secret", "p4ssw0rd").with("product_key", "public");
        let hidden = Hidden::default();
        hidden.learn_settings(PlatformName::Alibaba, &settings);
        hidden.learn(br#"{"device":"abcdefg","device_secret":"xp4ssw0rdx","standing":1}"#);
        let log = Log { most: Level::Debug, who: None, journal: false, hidden };
        let object =
            json!({ "a": ["1 p4ssw0rd 2"], "b": { "c": "xp4ssw0rdx" }, "d": "public abcdefg" });
        let Value::Object(fields) = object else { unreachable!() };
        let line = log.line(Level::Info, fields);
        assert!(
            line.contains(r#"["1 [hidden] 2"]"#) && line.contains(r#""c":"[hidden]""#),
            "{line}"
        );
        assert!(line.contains("public abcdefg") && !line.contains("p4ssw0rd"), "{line}");
    }

    #[test]
    fn china_mobiles_product_key_is_a_secret() {
        let settings = Settings::new().with("product_key", "it signs");
        let hidden = Hidden::default();
        hidden.learn_settings(PlatformName::Cmcc, &settings);
        assert_eq!(hidden.clean("so it signs."), "so [hidden].");
    }

    #[test]
    fn the_last_line_hides_what_was_learned_during_the_life() {
        let hidden = Hidden::default();
        let of_the_life = hidden.clone();
        of_the_life.learn(br#"{"device_secret":"learned late"}"#);
        let log = Log { most: Level::Error, who: None, journal: false, hidden };
        let exit = Exit::rejected("the cloud said no: learned late is wrong", "try again");
        let line = log.line(Level::Error, of_exit(&exit));
        assert!(line.contains(r#""why":"the cloud said no: [hidden] is wrong""#), "{line}");
    }

    #[test]
    fn a_plugin_that_stores_without_an_end_does_not_fill_the_memory() {
        let hidden = Hidden::default();
        let settings = Settings::new().with("product_secret", "of the settings");
        hidden.learn_settings(PlatformName::Ucloud, &settings);
        for n in 0..1000 {
            let field = |k| (format!("secret{k}"), Value::from(format!("stored {n} {k}.")));
            let credential = Value::Object((0..20).map(field).collect());
            hidden.learn(credential.to_string().as_bytes());
            hidden.learn(credential.to_string().as_bytes());
        }
        let known: usize = hidden.lock().stored.iter().map(Vec::len).sum();
        assert_eq!(known, CREDENTIALS * SECRETS_IN_ONE);
        let said = "of the settings, stored 999 0., stored 992 0., stored 991 0.";
        assert_eq!(hidden.clean(said), "[hidden], [hidden], [hidden], stored 991 0.");
    }

    #[test]
    fn a_bind_token_and_properties_are_not_told() {
        let event = Event::BindToken { token: "0123456789ABCDEF".into(), for_ms: 9 };
        let line = Value::Object(of_event(&event)).to_string();
        assert!(line.contains("bind_token") && !line.contains("0123"), "{line}");
        let event = Event::PropertiesSet { json: "{\"pin\":1234}".into() };
        let line = Value::Object(of_event(&event)).to_string();
        assert!(line.contains("\"bytes\":12") && !line.contains("1234"), "{line}");
        assert!(!says_itself(&event));
    }

    #[test]
    fn in_the_journal_a_line_begins_with_its_priority() {
        let hidden = Hidden::default();
        let log = Log { most: Level::Warning, who: None, journal: true, hidden };
        assert!(log.line(Level::Error, Map::new()).starts_with("<3>{\"level\":\"error\""));
        assert!(log.wants(Level::Error) && !log.wants(Level::Info));
    }
}
