//! The device's own secret: as stored, as configured, and which of them counts.

use alloc::string::String;
use alloc::vec::Vec;

use super::Config;
use crate::agent::Stored;
use crate::error::ApiMisuse;
use crate::json::{Document, Object};
use crate::output::StoreKey;
use crate::platform::ucloud::wire;
use crate::secret::Secret;
use crate::{hash, hex};

/// What is kept under [`StoreKey::Credential`].
pub(super) struct Credential {
    secret: Secret,
    /// SHA-256 of the configured secret that this one replaced, on a person's demand.
    supersedes: Option<String>,
}

impl Credential {
    /// The secret to log in with, if there is one. A configured one is newer than the stored one, unless the stored
    /// one says that it replaced just that.
    pub(super) fn in_use(config: &Config, stored: &Stored) -> Result<Option<Secret>, ApiMisuse> {
        let kept = match stored.get(StoreKey::Credential) {
            Some(kept) => Some(Self::read(kept.expose(), config)?),
            None => None,
        };
        Ok(match (&config.device_secret, kept) {
            (Some(configured), Some(kept))
                if kept.supersedes.as_deref() == Some(digest(configured).as_str()) =>
            {
                Some(kept.secret)
            }
            (Some(configured), _) => Some(configured.clone()),
            (None, kept) => kept.map(|kept| kept.secret),
        })
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

    fn read(bytes: &[u8], config: &Config) -> Result<Self, ApiMisuse> {
        let unreadable = || ApiMisuse::StoredUnreadable(StoreKey::Credential);
        let doc = Document::parse(bytes).map_err(|_| unreadable())?;
        let root = doc.object().map_err(|_| unreadable())?;
        let text = |key: &str| root.text(key).ok_or_else(unreadable);
        if text("product_sn")? != config.product_sn || text("device_sn")? != config.device_sn {
            return Err(ApiMisuse::StoredForAnotherDevice);
        }
        let secret = text("device_secret")?;
        if !wire::is_secret(&secret) {
            return Err(unreadable());
        }
        Ok(Self {
            secret: Secret::new(secret.into_owned()),
            supersedes: root.text("supersedes").map(|text| text.into_owned()),
        })
    }
}

fn digest(secret: &Secret) -> String {
    hex::lower(&hash::sha256(&[secret.expose().as_bytes()]))
}
