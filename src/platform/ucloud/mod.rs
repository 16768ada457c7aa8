//! UCloud UIoT Core.
#[cfg(feature = "cloud")]
pub(crate) mod cloud;
pub(crate) mod device;
use crate::error::ConfigError;
use crate::settings::Settings;
/// Configuration.
#[derive(Clone, Debug)]
pub struct Config {
    p: alloc::string::String,
}
impl Config {
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut s = settings.reader();
        let c = Self { p: s.required("x")?.into() };
        s.finish()?;
        Ok(c)
    }
    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.p, &self.p)
    }
}
