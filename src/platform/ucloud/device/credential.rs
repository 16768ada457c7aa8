//! The device's own secret: as stored, as configured, and which of them counts.

use alloc::string::String;
use alloc::vec::Vec;

use super::Config;
use crate::agent::{Cx, Stored};
use crate::error::ApiMisuse;
use crate::json::{Document, Object};
use crate::output::StoreKey;
use crate::platform::ucloud::wire;
use crate::secret::Secret;
use crate::{hash, hex};

/// What is kept under [`StoreKey::Credential`].
pub(super) struct Credential {
    secret: Secret,
    /// SHA-256 of the configured secret that this one replaced, on a person's demand; or nothing.
    supersedes: String,
}

impl Credential {
    /// The secret to log in with, if there is one. A configured one is newer than the stored one, unless the stored
    /// one says that it replaced just that.
    pub(super) fn in_use(config: &Config, stored: &Stored, cx: &mut Cx<'_>) -> Option<Secret> {
        let configured = config.device_secret.as_ref();
        if let Some(kept) = stored.get(StoreKey::Credential) {
            let kept = Self::read(kept.expose(), config, cx);
            if configured.is_none_or(|configured| kept.supersedes == digest(configured)) {
                return Some(kept.secret);
            }
        }
        configured.cloned()
    }

    /// What to keep. JSON, for people and flashers.
    pub(super) fn write(secret: &Secret, config: &Config) -> Vec<u8> {
        let supersedes = config.device_secret.as_ref().map(digest);
        Object::new()
            .string("product_sn", &config.product_sn)
            .string("device_sn", &config.device_sn)
            .string("device_secret", secret.expose())
            .maybe("supersedes", supersedes.as_deref())
            .bytes()
    }

    fn read(bytes: &[u8], config: &Config, cx: &mut Cx<'_>) -> Self {
        let doc = Document::open(bytes);
        let root = doc.root();
        let (product, device) = (root.must("product_sn"), root.must("device_sn"));
        let named = doc.is_good();
        let secret = Secret::new(root.must_be("device_secret", wire::is_secret));
        if named && (product != config.product_sn || device != config.device_sn) {
            cx.misuse(ApiMisuse::StoredForAnotherDevice);
        }
        if doc.finish().is_err() {
            cx.misuse(ApiMisuse::StoredUnreadable(StoreKey::Credential));
        }
        Self { secret, supersedes: root.text_or_empty("supersedes") }
    }
}

fn digest(secret: &Secret) -> String {
    hex::lower(&hash::sha256(&[secret.expose().as_bytes()]))
}
