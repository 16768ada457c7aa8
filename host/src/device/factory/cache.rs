//! Machine code that this device made itself: `plugin/cache.cwasm` in its folder.
//!
//! It is a package like any other, signed with a key of the device's own that lies beside it, for the owner alone. So a
//! damaged or half-written file is found out and made anew, and so is one of another build. It is no protection from who
//! may write to the folder as the device itself: nobody else can.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::store;
use crate::plugin::package::{Code, Manifest, Package, PackageError, SigningKey, Wanted};
use crate::plugin::{Engine, Plugin};
use muster::SecretBytes;

const NAME: &str = "cache";

/// The module's plugin, from the cache if it fits, else compiled, and the cache replaced. In words, how.
pub(super) fn load(
    device: &Path,
    engine: &Engine,
    wasm: &[u8],
) -> Result<(Plugin, &'static str), PackageError> {
    let dir = device.join("plugin");
    if let Some(plugin) = cached(&dir, engine, wasm) {
        return Ok((plugin, "runs what this device once compiled from"));
    }
    let plugin = engine.load(wasm)?;
    let kept = engine.precompile(wasm).ok().and_then(|code| {
        let describe = plugin.instantiate().and_then(|mut instance| instance.describe()).ok()?;
        let key = key(&dir).ok()?;
        let manifest = Manifest::new(NAME, "0.0.0", 1, &code, &describe, &key.public()).ok()?;
        let manifest = manifest.of_code(Code::made_of(wasm, None));
        write(&dir, &Package::sign(code, &manifest, &key)).ok()
    });
    // A disk that is full is no reason not to start.
    let how = if kept.is_some() { "compiled again from" } else { "compiled, and not kept, from" };
    Ok((plugin, how))
}

fn cached(dir: &Path, engine: &Engine, wasm: &[u8]) -> Option<Plugin> {
    let pem = SecretBytes::new(fs::read(key_path(dir)).ok()?);
    let key = SigningKey::from_pem(&pem).ok()?.public();
    let wanted = Wanted { name: NAME.into(), counter: 1, machine_code: true };
    let verified = Package::read(&path(dir)).ok()?.verify(&[key], &wanted).ok()?;
    if !verified.manifest().is_made_of(wasm) {
        return None;
    }
    verified.load(engine).ok().map(|(plugin, _)| plugin)
}

/// The device's own key; a new one where there is none that can be read.
fn key(dir: &Path) -> io::Result<SigningKey> {
    let path = key_path(dir);
    let parse = |pem: &SecretBytes| SigningKey::from_pem(pem).map_err(io::Error::other);
    if let Ok(found) = fs::read(&path)
        && let Ok(key) = parse(&SecretBytes::new(found))
    {
        return Ok(key);
    }
    let pem = SigningKey::generate().map_err(io::Error::other)?;
    store::make(dir)?;
    store::replace(&path, &dir.join(".cache.key.tmp"), pem.expose())?;
    parse(&pem)
}

/// A process that is killed between two of the three leaves what does not fit together, and so nothing.
fn write(dir: &Path, package: &Package) -> io::Result<()> {
    for (ending, bytes) in package.files() {
        let mut name = path(dir).into_os_string();
        name.push(ending);
        store::replace(Path::new(&name), &dir.join(".cache.tmp"), bytes)?;
    }
    Ok(())
}

fn path(dir: &Path) -> PathBuf {
    dir.join("cache.cwasm")
}

fn key_path(dir: &Path) -> PathBuf {
    dir.join("cache.key")
}
