//! Settings as people write them, and the reader that turns them into a typed configuration.
//!
//! The same keys serve the command line, configuration files, the browser and the plugin's `open`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

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
        Reader { settings: self, read: Vec::new() }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys()).finish()
    }
}

/// Reads settings once each; what nobody read is unknown, and said to be so.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    settings: &'a Settings,
    read: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    /// The text of `key`, unless absent or empty.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<&'a str> {
        self.read.push(key);
        self.settings.get(key).filter(|value| !value.is_empty())
    }

    /// The text of `key`, even if empty.
    pub(crate) fn raw(&mut self, key: &'static str) -> Option<&'a str> {
        self.read.push(key);
        self.settings.get(key)
    }

    pub(crate) fn required(&mut self, key: &'static str) -> Result<&'a str, ConfigError> {
        self.optional(key).ok_or_else(|| problem(key, "is missing"))
    }

    pub(crate) fn text(&mut self, key: &'static str, default: &str) -> String {
        self.optional(key).unwrap_or(default).to_string()
    }

    pub(crate) fn secret(&mut self, key: &'static str) -> Option<Secret> {
        self.optional(key).map(Secret::from)
    }

    #[inline(never)]
    pub(crate) fn number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
        default: u64,
    ) -> Result<u64, ConfigError> {
        let Some(text) = self.optional(key) else { return Ok(default) };
        match num::read(text) {
            Some(n) if range.contains(&n) => Ok(n),
            _ => {
                let (low, high) = (num::text(*range.start()), num::text(*range.end()));
                Err(problem(key, &["has to be a number from ", &low, " to ", &high].concat()))
            }
        }
    }

    pub(crate) fn flag(&mut self, key: &'static str, default: bool) -> Result<bool, ConfigError> {
        match self.optional(key) {
            None => Ok(default),
            Some("true" | "on" | "yes" | "1") => Ok(true),
            Some("false" | "off" | "no" | "0") => Ok(false),
            Some(_) => Err(problem(key, "has to be true or false")),
        }
    }

    /// One of `choices`; the first is the default.
    pub(crate) fn choice<T: Copy, const N: usize>(
        &mut self,
        key: &'static str,
        choices: &[(&str, T); N],
    ) -> Result<T, ConfigError> {
        let names: [&str; N] = core::array::from_fn(|at| choices[at].0);
        self.one_of(key, &names).map(|at| choices[at].1)
    }

    /// Which of `names`. Apart from [`Reader::choice`], so that there is one of it for all types.
    #[inline(never)]
    fn one_of(&mut self, key: &'static str, names: &[&str]) -> Result<usize, ConfigError> {
        let Some(text) = self.optional(key) else { return Ok(0) };
        names
            .iter()
            .position(|&name| name == text)
            .ok_or_else(|| problem(key, &["has to be one of ", &names.join(", ")].concat()))
    }

    /// A URL with one of `schemes` and a host.
    pub(crate) fn url(
        &mut self,
        key: &'static str,
        schemes: &[&str],
        default: Option<&str>,
    ) -> Result<String, ConfigError> {
        let text = self.optional(key).or(default).ok_or_else(|| problem(key, "is missing"))?;
        let good = schemes.iter().any(|scheme| {
            let rest = text.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
            rest.is_some_and(|rest| !matches!(rest.as_bytes(), [] | [b'/' | b':', ..]))
        });
        if good && text.len() <= 1024 && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(text.to_string())
        } else {
            Err(problem(
                key,
                &["has to be a URL with one of the schemes ", &schemes.join(", ")].concat(),
            ))
        }
    }

    /// Says which settings nobody knows.
    pub(crate) fn finish(self) -> Result<(), ConfigError> {
        match self.settings.keys().find(|key| !self.read.contains(key)) {
            Some(key) => Err(problem(key, "is not a setting of this platform")),
            None => Ok(()),
        }
    }
}

/// A setting and what is wrong with it.
pub(crate) fn problem(key: &str, problem: &str) -> ConfigError {
    ConfigError { key: key.to_string(), problem: problem.to_string() }
}
