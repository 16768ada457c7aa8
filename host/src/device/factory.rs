//! The plugin that a device came with: the built-in one, or the one that `--plugin` names.
//!
//! A module of WebAssembly needs no signature: whoever names it decides, and it runs in the sandbox. Machine code runs
//! outside of any, so it is signed by a key that the profile pins, and verified whenever it is loaded.

#[cfg(feature = "full")]
mod cache;

use std::fs;
use std::path::{Path, PathBuf};

use super::slots::{self, Need};
use crate::exit::Exit;
#[cfg(feature = "full")]
use crate::plugin::embedded;
use crate::plugin::package::{self, Package, PackageError};
use crate::plugin::{Engine, Plugin, PluginError};

/// Where it is. It is loaded when nothing newer runs.
#[derive(Clone, Debug)]
pub(super) struct Factory {
    path: Option<PathBuf>,
    need: Need,
    /// The device's folder, for what it compiles itself.
    #[cfg(feature = "full")]
    device: PathBuf,
}

/// A plugin, and what a person should know about how it was come by.
pub(super) struct Loaded {
    pub(super) plugin: Plugin,
    pub(super) note: Option<String>,
}

impl Factory {
    pub(super) fn new(path: Option<PathBuf>, need: &Need, device: &Path) -> Self {
        #[cfg(not(feature = "full"))]
        let _ = device;
        Self {
            path,
            need: need.clone(),
            #[cfg(feature = "full")]
            device: device.to_owned(),
        }
    }

    pub(super) fn name(&self) -> String {
        self.path.as_ref().map_or("built in".to_owned(), |path| path.display().to_string())
    }

    pub(super) fn load(&self, engine: &Engine) -> Result<Loaded, PackageError> {
        let Some(path) = &self.path else { return built_in(engine) };
        let begins_with = fs::read(path).map_err(|e| {
            let why = format!("{} cannot be read: {e}", path.display());
            PackageError::Plugin(PluginError::NotAModule(why))
        })?;
        if !begins_with.starts_with(MACHINE_CODE) {
            return Ok(Loaded { plugin: engine.load(&begins_with)?, note: None });
        }
        // What is verified is what is loaded: read once, here, and never again.
        let code = Package::read(path)?;
        match slots::look(code.clone(), 0, engine, &self.need) {
            Ok((_, plugin)) => Ok(Loaded { plugin, note: None }),
            Err(PackageError::Plugin(PluginError::Foreign(why))) => {
                self.compile(engine, path, &code, why)
            }
            Err(error) => Err(error),
        }
    }

    /// The same for who only looks: nothing is compiled again and kept.
    #[cfg(feature = "full")]
    pub(super) fn look(&self, engine: &Engine) -> Result<Plugin, PackageError> {
        let Some(path) = &self.path else { return Ok(built_in(engine)?.plugin) };
        let bytes = fs::read(path).map_err(|e| {
            let why = format!("{} cannot be read: {e}", path.display());
            PackageError::Plugin(PluginError::NotAModule(why))
        })?;
        if !bytes.starts_with(MACHINE_CODE) {
            return Ok(engine.load(&bytes)?);
        }
        slots::look(Package::read(path)?, 0, engine, &self.need).map(|(_, plugin)| plugin)
    }

    /// Code that does not fit is made again from the module beside it, which the same signature vouches for.
    #[cfg(feature = "full")]
    fn compile(
        &self,
        engine: &Engine,
        path: &Path,
        code: &Package,
        why: String,
    ) -> Result<Loaded, PackageError> {
        let beside = path.with_extension("wasm");
        let foreign = || PackageError::Plugin(PluginError::Foreign(why.clone()));
        let Ok(wasm) = fs::read(&beside) else { return Err(foreign()) };
        let verified = code.clone().verify(&self.need.pinned.keys, &self.need.pinned.wanted(0))?;
        if !verified.manifest().is_made_of(&wasm) {
            return Err(PackageError::Tampered("module beside the machine code"));
        }
        let (plugin, how) = cache::load(&self.device, engine, &wasm)?;
        let note = format!("{}: {why}; {how} {}", path.display(), beside.display());
        Ok(Loaded { plugin, note: Some(note) })
    }

    #[cfg(not(feature = "full"))]
    fn compile(
        &self,
        _: &Engine,
        _: &Path,
        _: &Package,
        why: String,
    ) -> Result<Loaded, PackageError> {
        Err(PluginError::Foreign(why).into())
    }
}

/// What every file of machine code begins with: it is an ELF.
const MACHINE_CODE: &[u8] = b"\x7fELF";

#[cfg(feature = "full")]
fn built_in(engine: &Engine) -> Result<Loaded, PackageError> {
    Ok(Loaded { plugin: embedded(engine)?, note: None })
}

#[cfg(not(feature = "full"))]
fn built_in(_: &Engine) -> Result<Loaded, PackageError> {
    Err(PluginError::NotAModule("this build has none built in, and --plugin names none".into())
        .into())
}

/// Why a device cannot begin.
pub(super) fn unusable(error: PackageError) -> Exit {
    match error {
        PackageError::Plugin(PluginError::Foreign(_) | PluginError::NoCompiler) => {
            let next = error.advice();
            Exit::local(error, next)
        }
        PackageError::Plugin(error) => super::broken_plugin(&error),
        other => package::refused(other),
    }
}
