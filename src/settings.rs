//! Settings as people write them, and the reader that turns them into a typed configuration.
//!
//! The same keys serve the command line, configuration files, the browser and the plugin's `open`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::cbor::{Decode, Encode};
use crate::num;

use crate::error::ConfigError;
use crate::secret::Secret;

/// Key and value, in no particular order. A later value of the same key replaces an earlier one.
///
/// `Debug` shows the keys alone: any value may be a secret.
#[derive(Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Settings(#[n(0)] Vec<(String, Secret)>);

impl Settings {
    /// No settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one.
    pub fn set(&mut self, key: &str, value: &str) {
        match self.0.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = Secret::new(value),
            None => self.0.push((key.to_string(), Secret::new(value))),
        }
    }

    /// Sets one, and returns all: for building.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.set(key, value);
        self
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, value)| value.expose())
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(k, _)| k.as_str())
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { settings: self, read: Vec::new(), problem: None }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys()).finish()
    }
}

/// Reads settings once each; what nobody read is unknown, and said to be so.
///
/// Reading goes on after a setting that cannot be used, with something in its place: [`Reader::finish`] has the first
/// problem. So a configuration is read without a way out at every setting, which took a third of the plugin's code
/// for settings.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    settings: &'a Settings,
    read: Vec<&'static str>,
    problem: Option<ConfigError>,
}

/// What a text has to look like, and how to say so.
pub(crate) type Shape = (fn(&str) -> bool, &'static str);

impl<'a> Reader<'a> {
    /// The setting cannot be used. The first problem counts.
    #[inline(never)]
    pub(crate) fn fail(&mut self, key: &str, what: &str) {
        self.problem.get_or_insert_with(|| problem(key, what));
    }

    /// The text of `key`, even if empty.
    #[inline(never)]
    pub(crate) fn raw(&mut self, key: &'static str) -> Option<&'a str> {
        self.read.push(key);
        self.settings.get(key)
    }

    /// The text of `key`, unless absent or empty.
    #[inline(never)]
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<&'a str> {
        self.raw(key).filter(|value| !value.is_empty())
    }

    #[cfg(feature = "app")]
    pub(crate) fn required(&mut self, key: &'static str) -> &'a str {
        self.shaped(key, None, (|_| true, ""))
    }

    /// The text of `key`, by default this one; without a default it has to be there.
    #[inline(never)]
    pub(crate) fn shaped<'b>(
        &mut self,
        key: &'static str,
        default: Option<&'b str>,
        (good, rule): Shape,
    ) -> &'b str
    where
        'a: 'b,
    {
        match self.optional(key) {
            Some(text) => {
                if !good(text) {
                    self.fail(key, rule);
                }
                text
            }
            None => default.unwrap_or_else(|| {
                self.fail(key, "is missing");
                ""
            }),
        }
    }

    /// The secret `key`, if it is there.
    #[inline(never)]
    pub(crate) fn secret(&mut self, key: &'static str, shape: Shape) -> Option<Secret> {
        let text = self.shaped(key, Some(""), shape);
        if text.is_empty() { None } else { Some(text.into()) }
    }

    #[inline(never)]
    pub(crate) fn number(&mut self, key: &'static str, low: u64, high: u64, default: u64) -> u64 {
        let Some(text) = self.optional(key) else { return default };
        match num::read(text) {
            Some(n) if low <= n && n <= high => n,
            _ => {
                let (low, high) = (num::text(low), num::text(high));
                self.fail(key, &["has to be a number from ", &low, " to ", &high].concat());
                default
            }
        }
    }

    #[inline(never)]
    pub(crate) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        match self.optional(key) {
            None => default,
            Some("true" | "on" | "yes" | "1") => true,
            Some("false" | "off" | "no" | "0") => false,
            Some(_) => {
                self.fail(key, "has to be true or false");
                default
            }
        }
    }

    /// Which of `names`; the first is the default.
    #[inline(never)]
    pub(crate) fn choice(&mut self, key: &'static str, names: &[&str]) -> usize {
        let Some(text) = self.optional(key) else { return 0 };
        names.iter().position(|&name| name == text).unwrap_or_else(|| {
            self.fail(key, &["has to be one of ", &names.join(", ")].concat());
            0
        })
    }

    /// A URL with one of `schemes` and a host; without a default it has to be there.
    #[inline(never)]
    pub(crate) fn url(
        &mut self,
        key: &'static str,
        schemes: &[&str],
        default: Option<&str>,
    ) -> String {
        let text = self.shaped(key, default, (|_| true, ""));
        let good = schemes.iter().any(|scheme| {
            let rest = text.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
            rest.is_some_and(|rest| !matches!(rest.as_bytes(), [] | [b'/' | b':', ..]))
        });
        if !good || !num::is_printed(text, 1024) {
            let rule = ["has to be a URL with one of the schemes ", &schemes.join(", ")].concat();
            self.fail(key, &rule);
        }
        text.to_string()
    }

    /// The same without slashes at its end.
    pub(crate) fn base_url(
        &mut self,
        key: &'static str,
        schemes: &[&str],
        default: Option<&str>,
    ) -> String {
        let mut url = self.url(key, schemes, default);
        let end = url.bytes().rposition(|byte| byte != b'/').map_or(0, |last| last + 1);
        url.truncate(end);
        url
    }

    /// The MQTT server of a device.
    pub(crate) fn broker(&mut self) -> String {
        self.url("broker", &["mqtt", "mqtts", "ws", "wss"], None)
    }

    /// Says what is wrong, or which settings nobody knows.
    #[inline(never)]
    pub(crate) fn finish(mut self) -> Result<(), ConfigError> {
        if let Some(key) = self.settings.keys().find(|key| !self.read.contains(key)) {
            self.fail(key, "is not a setting of this platform");
        }
        match self.problem {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }
}

/// A setting and what is wrong with it.
pub(crate) fn problem(key: &str, problem: &str) -> ConfigError {
    ConfigError { key: key.to_string(), problem: problem.to_string() }
}
