//! The device's secret, and how sure it is that the platform knows of it.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};

use super::config::Config;
use super::wire;
use crate::agent::Stored;
use crate::error::ApiMisuse;
use crate::json::{Document, Object};
use crate::output::StoreKey;
use crate::secret::Secret;

/// A secret to log in with.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Credential {
    #[n(0)]
    pub(super) secret: Secret,
    #[n(1)]
    pub(super) standing: Standing,
}

/// What is known about the other side.
///
/// A cut between storing a secret and the platform's receipt of the confirmation leaves a device that holds a secret
/// which its platform may refuse. Such a device, and no other, may finish its registration without a person.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) enum Standing {
    /// From the settings: the platform's operator vouches for it.
    #[n(0)]
    Configured,
    /// The platform let us in with it once.
    #[n(1)]
    Proven,
    /// Stored, and perhaps confirmed.
    #[n(2)]
    Unproven {
        /// Of the registration, so that the same one can be confirmed.
        #[n(0)]
        id: String,
        /// Logins refused with it in a row.
        #[n(1)]
        refusals: u32,
    },
}

impl Credential {
    /// The secret to log in with, if there is one: the settings beat the store.
    pub(super) fn find(config: &Config, stored: &Stored) -> Result<Option<Self>, ApiMisuse> {
        if let Some(secret) = &config.device_secret {
            let secret = secret.clone();
            return Ok(Some(Self { secret, standing: Standing::Configured }));
        }
        let Some(bytes) = stored.get(StoreKey::Credential) else { return Ok(None) };
        let unreadable = || ApiMisuse::StoredUnreadable(StoreKey::Credential);
        let doc = Document::parse(bytes.expose()).map_err(|_| unreadable())?;
        let root = doc.object().map_err(|_| unreadable())?;
        let text = |key: &str| root.text(key).ok_or_else(unreadable);
        if text("product_id")? != config.product_id || text("device_id")? != config.device_id {
            return Err(ApiMisuse::StoredForAnotherDevice);
        }
        let secret = text("device_secret")?;
        if !wire::is_secret(&secret) {
            return Err(unreadable());
        }
        let standing = match (root.get("proven"), root.text("register_id")) {
            (Some(proven), Some(id)) if proven.as_bool() == Some(false) && wire::is_id(&id) => {
                Standing::Unproven { id: id.into_owned(), refusals: 0 }
            }
            // A flasher writes the three names alone, and vouches for them.
            (None, _) => Standing::Proven,
            (Some(proven), _) if proven.as_bool() == Some(true) => Standing::Proven,
            _ => return Err(unreadable()),
        };
        Ok(Some(Self { secret: Secret::new(secret.to_string()), standing }))
    }

    /// As it is stored: JSON, readable by people and flashers.
    pub(super) fn to_json(&self, config: &Config) -> Vec<u8> {
        let (proven, id) = match &self.standing {
            Standing::Configured | Standing::Proven => (true, None),
            Standing::Unproven { id, .. } => (false, Some(id.as_str())),
        };
        Object::new()
            .string("product_id", &config.product_id)
            .string("device_id", &config.device_id)
            .string("device_secret", self.secret.expose())
            .bool("proven", proven)
            .maybe("register_id", id)
            .bytes()
    }
}
