//! What a maker signs.

use muster::wire::Describe;
use serde::{Deserialize, Serialize};

use super::{PackageError, PublicKey, digest};

/// What is signed here, and its form: another form has another name.
const FORMAT: &str = "muster-plugin-1";

/// The manifest of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    /// Which plugin it is: one key may sign several.
    pub name: String,
    /// For people: `1.4.0`.
    pub version: String,
    /// For devices: each release has a higher one, and a device never goes back by itself.
    pub counter: u64,
    /// Bytes of the module.
    pub size: u64,
    /// SHA-256 of the module, in lower-case hex.
    pub sha256: String,
    /// The oldest and the newest byte schema that it speaks, as of its `describe`.
    pub schema: [u32; 2],
    /// The schema of its snapshots.
    pub snapshot_schema: u32,
    /// There if it is machine code; absent if it is a module of WebAssembly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The public key that it means to be signed with. It tells a wrong key from a changed manifest, and decides
    /// nothing.
    pub key: String,
}

/// Machine code: whence it is, and for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// SHA-256 of the module that it was compiled from, in lower-case hex.
    pub module: String,
    /// For people: who compiled it.
    pub compiler: String,
    /// For people: the machines that it is for.
    pub target: String,
}

impl Code {
    /// What this host makes of a module: for machines like this one, or for a target.
    pub fn made_of(wasm: &[u8], target: Option<&str>) -> Self {
        let here =
            || format!("machines like a {} {}", std::env::consts::ARCH, std::env::consts::OS);
        Self {
            module: digest(wasm),
            compiler: concat!("muster ", env!("CARGO_PKG_VERSION")).into(),
            target: target.map_or_else(here, str::to_owned),
        }
    }
}

/// As much of it as a message needs.
#[derive(Deserialize)]
struct Claim {
    key: String,
}

impl Manifest {
    /// Of a module that describes itself like this.
    pub fn new(
        name: &str,
        version: &str,
        counter: u64,
        wasm: &[u8],
        describe: &Describe,
        key: &PublicKey,
    ) -> Result<Self, PackageError> {
        let manifest = Self {
            format: FORMAT.into(),
            name: name.into(),
            version: version.into(),
            counter,
            size: wasm.len() as u64,
            sha256: digest(wasm),
            schema: [describe.oldest_schema, describe.schema],
            snapshot_schema: describe.snapshot_schema,
            code: None,
            key: key.to_string(),
        };
        manifest.check()?;
        Ok(manifest)
    }

    /// The same for machine code.
    pub fn of_code(self, code: Code) -> Self {
        Self { code: Some(code), ..self }
    }

    /// Whether this is machine code that was compiled from that module.
    pub fn is_made_of(&self, wasm: &[u8]) -> bool {
        self.code.as_ref().is_some_and(|code| code.module == digest(wasm))
    }

    /// Reads what was signed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PackageError> {
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|e| PackageError::Manifest(e.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// What is signed.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Of strings and numbers: it cannot fail.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    fn check(&self) -> Result<(), PackageError> {
        let problem = if self.format != FORMAT {
            format!("its `format` is `{}`, not `{FORMAT}`", self.format)
        } else if !is_name(&self.name) {
            "`name` has to be 1 to 64 of a-z, 0-9, `-`, `_` and `.`".into()
        } else if !is_version(&self.version) {
            "`version` has to be a semantic version such as 1.4.0".into()
        } else if self.counter == 0 || self.counter > i64::MAX as u64 {
            "`counter` has to be a number from 1".into()
        } else {
            return Ok(());
        };
        Err(PackageError::Manifest(problem))
    }
}

/// Whom a manifest names, whether it is signed or not.
pub(super) fn claimed_key(bytes: &[u8]) -> Option<PublicKey> {
    let claim: Claim = serde_json::from_slice(bytes).ok()?;
    PublicKey::parse(&claim.key).ok()
}

pub(crate) fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}

/// Three numbers, and what may be behind them (semver.org, 2.0.0), in at most 64 characters.
fn is_version(version: &str) -> bool {
    let end = version.find(['-', '+']).unwrap_or(version.len());
    let (core, rest) = version.split_at(end);
    let number = |n: &str| {
        !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) && (n == "0" || !n.starts_with('0'))
    };
    let identifiers = |part: &str| {
        part.split('.')
            .all(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
    };
    let (pre, build) = match rest.split_once('+') {
        Some((pre, build)) => (pre, Some(build)),
        None => (rest, None),
    };
    version.len() <= 64
        && core.split('.').count() == 3
        && core.split('.').all(number)
        && pre.strip_prefix('-').map_or(pre.is_empty(), identifiers)
        && build.is_none_or(identifiers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_semantic() {
        for good in ["0.1.0", "1.4.0-rc.1", "10.20.30+build.5", "1.0.0-a-b+c"] {
            assert!(is_version(good), "{good}");
        }
        for bad in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.2.x",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-a..b",
            "v1.2.3",
        ] {
            assert!(!is_version(bad), "{bad}");
        }
    }

    #[test]
    fn names_are_plain() {
        assert!(is_name("muster") && is_name("acme.gateway-2"));
        for bad in ["", "A", "a/b", "a b", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
