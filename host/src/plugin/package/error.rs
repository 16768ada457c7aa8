//! Why a package is refused, and who has to mend it.

use std::fmt;
use std::path::PathBuf;

use super::PublicKey;
use crate::plugin::{Blame, PluginError};

/// A package that this device does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackageError {
    /// A file is not there, or cannot be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The device's profile pins no key: it takes no upgrades.
    NoKey,
    /// The file of the signature is something else.
    NotASignature(usize),
    /// Signed, as it says, with a key that the profile does not pin.
    WrongKey(PublicKey),
    /// The part was changed after it was signed.
    Tampered(&'static str),
    /// Well signed, but not a manifest that this host reads.
    Manifest(String),
    /// Well signed, but a plugin for something else.
    Name {
        /// What the manifest says.
        found: String,
        /// What the profile says.
        wanted: String,
    },
    /// A roll-back: a counter below what this device has seen.
    Older {
        /// Of the package.
        counter: u64,
        /// What is still taken.
        lowest: u64,
    },
    /// The manifest's field is not what the plugin itself says.
    Disagrees(&'static str),
    /// Machine code, for a device that runs none.
    MachineCode,
    /// It lacks the platform of this device.
    Platform(String),
    /// No plugin, or none for this host.
    Plugin(PluginError),
}

impl PackageError {
    /// In one word, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::NoKey => "no_key",
            Self::NotASignature(_) => "not_a_signature",
            Self::WrongKey(_) => "wrong_key",
            Self::Tampered(_) => "tampered",
            Self::Manifest(_) => "manifest",
            Self::Name { .. } => "name",
            Self::Older { .. } => "older",
            Self::Disagrees(_) => "disagrees",
            Self::MachineCode => "machine_code",
            Self::Platform(_) => "platform",
            Self::Plugin(PluginError::Foreign(_)) => "foreign",
            Self::Plugin(PluginError::NoCompiler) => "no_compiler",
            Self::Plugin(PluginError::Schema { .. }) => "schema",
            Self::Plugin(_) => "plugin",
        }
    }

    /// Who is to blame: the maker, who signed it; the courier, between maker and device; the device's profile; or this
    /// machine.
    pub fn blame(&self) -> &'static str {
        match self {
            Self::NoKey | Self::WrongKey(_) => "profile or maker",
            Self::NotASignature(_) | Self::Tampered(_) => "courier",
            Self::Unreadable { .. } => "machine",
            Self::Plugin(error) if error.blame() == Blame::Host => "machine",
            Self::Older { .. } => "operator",
            _ => "maker",
        }
    }

    /// The next move.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => {
                "have the three files in one folder: FILE, FILE.manifest, FILE.sig; `muster plugin sign` makes them"
            }
            Self::NoKey => {
                "pin the maker's public key: `keys = [\"…\"]` in the table [plugin] of the profile"
            }
            Self::WrongKey(_) => {
                "sign it with the key that the profile pins, or pin this one if it is the maker's"
            }
            Self::NotASignature(_) | Self::Tampered(_) => {
                "fetch all three files again from the maker; do not install these"
            }
            Self::Manifest(_) | Self::Disagrees(_) => {
                "have the maker make it again with `muster plugin sign`"
            }
            Self::Name { .. } => "stage the package that was made for this device",
            Self::Older { .. } => {
                "stage a newer one; to go back, have the maker sign the old module with a higher counter"
            }
            Self::MachineCode => {
                "stage the module itself, or allow it with `machine_code = true` in the table [plugin] of the profile"
            }
            Self::Plugin(PluginError::Foreign(_) | PluginError::NoCompiler) => concat!(
                "compile it with the full build of the same version (",
                env!("CARGO_PKG_VERSION"),
                "), on a machine like this one or with --target, and with this device's profile: muster plugin \
                 precompile muster.wasm --config PROFILE --output muster.cwasm --key maker.pem --release VERSION \
                 --counter N"
            ),
            Self::Platform(_) => "have the maker build it with this platform",
            Self::Plugin(PluginError::Schema { oldest, .. }) if *oldest > muster::wire::SCHEMA => {
                "upgrade the host first, then the plugin"
            }
            Self::Plugin(_) => "have the maker build a plugin for this version of the host",
        }
    }
}

impl From<PluginError> for PackageError {
    fn from(error: PluginError) -> Self {
        Self::Plugin(error)
    }
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, why } => write!(f, "cannot read {}: {why}", path.display()),
            Self::NoKey => f.write_str("the profile pins no key, so this device takes no upgrades"),
            Self::NotASignature(length) => {
                write!(f, "the signature has {length} bytes; one of Ed25519 has 64")
            }
            Self::WrongKey(key) => {
                write!(f, "the package is signed with {key}, which the profile does not pin")
            }
            Self::Tampered(part) => {
                write!(f, "the {part} is not the one that was signed")
            }
            Self::Manifest(why) => write!(f, "the manifest is not one that this host reads: {why}"),
            Self::Name { found, wanted } => {
                write!(f, "the package is `{found}`, this device runs `{wanted}`")
            }
            Self::Older { counter, lowest } => write!(
                f,
                "the package's counter is {counter}; this device takes {lowest} and higher"
            ),
            Self::Disagrees(field) => {
                write!(f, "the manifest's `{field}` is not what the plugin itself says")
            }
            Self::MachineCode => {
                f.write_str("the package is machine code, and the profile does not allow that")
            }
            Self::Platform(name) => write!(f, "the plugin was built without {name}"),
            Self::Plugin(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PackageError {}
