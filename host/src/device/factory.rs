//! The plugin that a device came with: the built-in one, or the one that `--plugin` names.

use std::path::PathBuf;

use crate::plugin::{Engine, Plugin, PluginError, embedded};

/// Where it is. It is compiled when nothing newer runs.
#[derive(Clone, Debug)]
pub(super) struct Factory(pub(super) Option<PathBuf>);

impl Factory {
    pub(super) fn name(&self) -> String {
        self.0.as_ref().map_or("built in".to_owned(), |path| path.display().to_string())
    }

    pub(super) fn load(&self, engine: &Engine) -> Result<Plugin, PluginError> {
        let Some(path) = &self.0 else { return embedded(engine) };
        let bytes = std::fs::read(path).map_err(|e| {
            PluginError::NotAModule(format!("{} cannot be read: {e}", path.display()))
        })?;
        engine.load(&bytes)
    }
}
