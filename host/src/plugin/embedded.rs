//! The plugin that was built from the same sources as this host.

use super::{Engine, Plugin, PluginError};

/// The embedded plugin's file.
pub fn embedded_bytes() -> &'static [u8] {
    include_bytes!(env!("MUSTER_PLUGIN"))
}

/// The embedded plugin, compiled and verified.
pub fn embedded(engine: &Engine) -> Result<Plugin, PluginError> {
    engine.load(embedded_bytes())
}
