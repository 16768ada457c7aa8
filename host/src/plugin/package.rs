//! A plugin as its maker ships it: the module's bytes as they are, a manifest, and a signature over the manifest.
//! Machine code is shipped in the same way; its manifest says so, and of which module it was made.
//!
//! ```text
//! muster.wasm            the plugin
//! muster.wasm.manifest   JSON: who it is, its counter, its size and SHA-256
//! muster.wasm.sig        64 bytes: Ed25519 over the manifest's bytes as they are
//! ```
//!
//! The signature is the plain one of RFC 8032, so that OpenSSL, a security module or a key service can make it; a file
//! is signed byte by byte, so that there is nothing to make canonical. What kind of statement was signed is the
//! manifest's first field: a signature of the same key over something else can never pass for a package.
//!
//! Nothing of a package is believed before its signature is right: then the manifest is read, then the module's size
//! and digest are compared, then the module is compiled and asked what it is.
//!
//! Deliberately absent: certificates and dates. A device may have no clock, and the profile names its keys.

mod error;
mod key;
mod manifest;

pub use error::PackageError;
pub use key::{PublicKey, SigningKey};
pub(crate) use manifest::is_name;
pub use manifest::{Code, Manifest};

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use muster::hex;
use muster::wire::{Describe, OLDEST_SCHEMA, SCHEMA};
use sha2::{Digest, Sha256};

use super::engine::MAX_MODULE;
use super::{Engine, Plugin, PluginError};
use crate::exit::Exit;

const MAX_MANIFEST: u64 = 4096;
const SIGNATURE: u64 = 64;

/// The three files' content, as they were found: nothing of it is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    wasm: Vec<u8>,
    manifest: Vec<u8>,
    signature: Vec<u8>,
}

/// A package whose signature, manifest, size and digest are right.
#[derive(Clone, Debug)]
pub struct Verified {
    package: Package,
    manifest: Manifest,
}

/// What a device asks of a package beside a good signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The plugin's name.
    pub name: String,
    /// The lowest counter.
    pub counter: u64,
    /// Whether it may be machine code, which no sandbox holds.
    pub machine_code: bool,
}

impl Package {
    /// Reads `muster.wasm` and the two files beside it.
    pub fn read(wasm: &Path) -> Result<Self, PackageError> {
        Ok(Self {
            wasm: read(wasm, MAX_MODULE as u64)?,
            manifest: read(&manifest_path(wasm), MAX_MANIFEST)?,
            signature: read(&signature_path(wasm), SIGNATURE)?,
        })
    }

    /// What was read elsewhere.
    pub fn from_files(module: Vec<u8>, manifest: Vec<u8>, signature: Vec<u8>) -> Self {
        Self { wasm: module, manifest, signature }
    }

    /// Makes a package of a module.
    pub fn sign(wasm: Vec<u8>, manifest: &Manifest, key: &SigningKey) -> Self {
        let manifest = manifest.to_bytes();
        let signature = key.sign(&manifest);
        Self { wasm, manifest, signature }
    }

    /// The three files, by what is behind the module's name.
    pub fn files(&self) -> [(&'static str, &[u8]); 3] {
        [("", &self.wasm), (MANIFEST, &self.manifest), (SIG, &self.signature)]
    }

    /// Believes it, or says who is to blame. `keys` are those that the profile pins.
    pub fn verify(self, keys: &[PublicKey], wanted: &Wanted) -> Result<Verified, PackageError> {
        if keys.is_empty() {
            return Err(PackageError::NoKey);
        }
        if self.signature.len() as u64 != SIGNATURE {
            return Err(PackageError::NotASignature(self.signature.len()));
        }
        if !keys.iter().any(|key| key.verifies(&self.manifest, &self.signature)) {
            // Only for the message: the manifest says by whom it means to be signed.
            return Err(match manifest::claimed_key(&self.manifest) {
                Some(key) if keys.contains(&key) => PackageError::Tampered("manifest"),
                Some(key) => PackageError::WrongKey(key),
                None => PackageError::Tampered("manifest"),
            });
        }
        let manifest = Manifest::from_bytes(&self.manifest)?;
        if manifest.name != wanted.name {
            let (found, wanted) = (manifest.name, wanted.name.clone());
            return Err(PackageError::Name { found, wanted });
        }
        if manifest.code.is_some() && !wanted.machine_code {
            return Err(PackageError::MachineCode);
        }
        if self.wasm.len() as u64 != manifest.size || digest(&self.wasm) != manifest.sha256 {
            return Err(PackageError::Tampered("module"));
        }
        if manifest.counter < wanted.counter {
            return Err(PackageError::Older { counter: manifest.counter, lowest: wanted.counter });
        }
        Ok(Verified { package: self, manifest })
    }
}

impl Verified {
    /// What it is, as its maker signed it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The files.
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// Compiles it, or maps it if it is machine code, and asks it whether it is what the manifest says, and speaks what this host speaks.
    #[allow(unsafe_code)]
    pub fn load(&self, engine: &Engine) -> Result<(Plugin, Describe), PackageError> {
        let plugin = match &self.manifest.code {
            None => engine.load(&self.package.wasm)?,
            // SAFETY: a key that the profile pins has signed the digest of exactly these bytes as machine code, and
            // nothing can change them since that was verified: they are this value's own.
            Some(_) => unsafe { engine.load_precompiled(&self.package.wasm)? },
        };
        let describe = plugin.instantiate()?.describe()?;
        if describe.oldest_schema > SCHEMA || describe.schema < OLDEST_SCHEMA {
            let (oldest, newest) = (describe.oldest_schema, describe.schema);
            return Err(PackageError::Plugin(PluginError::Schema { oldest, newest }));
        }
        let says = [describe.oldest_schema, describe.schema];
        if self.manifest.schema != says {
            return Err(PackageError::Disagrees("schema"));
        }
        if self.manifest.snapshot_schema != describe.snapshot_schema {
            return Err(PackageError::Disagrees("snapshot_schema"));
        }
        Ok((plugin, describe))
    }
}

/// A package that no device would take.
pub(crate) fn refused(error: PackageError) -> Exit {
    let next = error.advice();
    match error {
        PackageError::Unreadable { .. } => Exit::local(error, next),
        PackageError::NoKey => Exit::usage(error, next),
        _ => Exit::rejected(error, next),
    }
}

const MANIFEST: &str = ".manifest";
const SIG: &str = ".sig";

/// Where a module's manifest is.
pub fn manifest_path(wasm: &Path) -> PathBuf {
    beside(wasm, MANIFEST)
}

/// Where the signature is.
pub fn signature_path(wasm: &Path) -> PathBuf {
    beside(wasm, SIG)
}

fn beside(wasm: &Path, ending: &str) -> PathBuf {
    let mut name = wasm.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Lower-case hex.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::lower(&Sha256::digest(bytes))
}

/// A byte more than the limit is read, and refused.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, PackageError> {
    let unreadable = |why: String| PackageError::Unreadable { path: path.to_owned(), why };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|e: io::Error| unreadable(e.to_string()))?;
    if bytes.len() as u64 > limit {
        return Err(unreadable(format!("it is longer than {limit} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
