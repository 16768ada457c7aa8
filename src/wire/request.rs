//! What a host sends.

use zeroize::Zeroize;

use super::SCHEMA;
use crate::cbor::{self, Decode, Decoder, Encode, Encoder};
use crate::{Input, Now, PlatformName, SecretBytes, Settings, StoreKey, Stored};

/// The argument of `open`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Open {
    /// The schema of all bytes to come; see [`SCHEMA`].
    #[n(0)]
    pub schema: u32,
    /// Which cloud.
    #[n(1)]
    pub platform: PlatformName,
    /// The settings as a person wrote them.
    #[n(2)]
    pub settings: Settings,
    /// What is on stable storage.
    #[n(3)]
    pub stored: Stored,
    /// From the host's entropy source, new at every boot.
    #[n(4)]
    pub seed: Seed,
    /// Both clocks.
    #[n(5)]
    pub now: Now,
}

/// 32 random bytes. What the guest draws from them includes nonces and tokens: they are not shown.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Seed(#[cbor(n(0), with = "crate::cbor::bytes")] [u8; 32]);

/// The argument of `restore`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Restore {
    /// The schema of all bytes to come.
    #[n(0)]
    pub schema: u32,
    /// The same as at `open`.
    #[n(1)]
    pub platform: PlatformName,
    /// The same as at `open`.
    #[n(2)]
    pub settings: Settings,
    /// What [`saved`](super::saved) gave.
    #[n(3)]
    pub snapshot: SecretBytes,
    /// Both clocks.
    #[n(4)]
    pub now: Now,
}

/// The argument of `handle`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Handle {
    /// Both clocks.
    #[n(0)]
    pub now: Now,
    /// What happened.
    #[n(1)]
    pub input: Input,
}

/// What every request that names a schema has in common, whatever the schema.
#[derive(Debug, Decode)]
#[cbor(map)]
pub(super) struct SchemaOf {
    #[n(0)]
    pub(super) schema: u32,
}

/// What is left of [`Handle`] if the input is not known.
#[derive(Debug, Decode)]
#[cbor(map)]
pub(super) struct NowOf {
    #[n(0)]
    pub(super) now: Now,
}

impl Open {
    /// A request in this build's schema.
    pub fn new(
        platform: PlatformName,
        settings: Settings,
        stored: Stored,
        seed: [u8; 32],
        now: Now,
    ) -> Self {
        Self { schema: SCHEMA, platform, settings, stored, seed: Seed(seed), now }
    }

    /// As bytes. They hold what is stored: keep them no longer than the call.
    pub fn to_bytes(&self) -> SecretBytes {
        bytes(self)
    }
}

impl Restore {
    /// A request in this build's schema.
    pub fn new(
        platform: PlatformName,
        settings: Settings,
        snapshot: SecretBytes,
        now: Now,
    ) -> Self {
        Self { schema: SCHEMA, platform, settings, snapshot, now }
    }

    /// As bytes. They hold the snapshot: keep them no longer than the call.
    pub fn to_bytes(&self) -> SecretBytes {
        bytes(self)
    }
}

impl Handle {
    /// As bytes. They may hold a secret that just came: keep them no longer than the call.
    pub fn to_bytes(&self) -> SecretBytes {
        bytes(self)
    }
}

impl Seed {
    /// Takes bytes in.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn expose(&self) -> [u8; 32] {
        self.0
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl core::fmt::Debug for Seed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Seed(…)")
    }
}

pub(super) fn bytes(value: &impl Encode) -> SecretBytes {
    SecretBytes::new(cbor::encode(value))
}

/// A map of key numbers and bytes. A key that this build does not know was stored by a newer one: it is skipped, and
/// stays where it is.
impl Encode for Stored {
    fn encode(&self, e: &mut Encoder) {
        e.map(self.iter().count() as u32);
        for (key, value) in self.iter() {
            key.encode(e);
            e.bytes(value.expose());
        }
    }
}

impl Decode for Stored {
    fn decode(d: &mut Decoder<'_>) -> Self {
        let mut stored = Stored::empty();
        for _ in 0..d.map() {
            let key = StoreKey::decode(d);
            let known = !d.forgive_unknown();
            let value = d.bytes();
            if known {
                stored.insert(key, SecretBytes::new(value.to_vec()));
            }
        }
        stored
    }
}
