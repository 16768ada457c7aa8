//! The device's secret, and how sure it is that the platform knows of it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::snapshot::Kept;

use super::config::Config;
use super::wire;
use crate::agent::{Cx, Stored};
use crate::error::ApiMisuse;
use crate::json::{Document, Object, Value};
use crate::output::StoreKey;
use crate::secret::Secret;

/// A secret to log in with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Kept)]
pub(super) struct Credential {
    pub(super) secret: Secret,
    pub(super) standing: Standing,
}

/// What is known about the other side.
///
/// A cut between storing a secret and the platform's receipt of the confirmation leaves a device that holds a secret
/// which its platform may refuse. Such a device, and no other, may finish its registration without a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Kept)]
pub(super) enum Standing {
    /// There is no secret yet.
    #[default]
    Absent,
    /// From the settings: the platform's operator vouches for it.
    Configured,
    /// The platform let us in with it once.
    Proven,
    /// Stored, and perhaps confirmed.
    Unproven {
        /// Of the registration, so that the same one can be confirmed.
        id: String,
        /// Logins refused with it in a row.
        refusals: u32,
    },
}

impl Credential {
    /// The secret to log in with, or its absence: the settings beat the store.
    pub(super) fn find(config: &Config, stored: &Stored, cx: &mut Cx<'_>) -> Self {
        if let Some(secret) = &config.device_secret {
            let secret = secret.clone();
            return Self { secret, standing: Standing::Configured };
        }
        let Some(bytes) = stored.get(StoreKey::Credential) else { return Self::default() };
        let doc = Document::open(bytes.expose());
        let root = doc.root();
        let (product, device) = (root.must("product_id"), root.must("device_id"));
        let named = doc.is_good();
        let secret = Secret::new(root.must_be("device_secret", wire::is_secret));
        // A flasher writes the three names alone, and vouches for them.
        let proven = root.get("proven").map(Value::as_bool);
        let standing = match proven {
            Some(Some(false)) => {
                Standing::Unproven { id: root.must_be("register_id", wire::is_id), refusals: 0 }
            }
            None | Some(Some(true)) => Standing::Proven,
            Some(None) => {
                root.invalid("proven");
                Standing::Absent
            }
        };
        if named && (product != config.product_id || device != config.device_id) {
            cx.misuse(ApiMisuse::StoredForAnotherDevice);
        }
        if doc.finish().is_err() {
            cx.misuse(ApiMisuse::StoredUnreadable(StoreKey::Credential));
        }
        Self { secret, standing }
    }

    /// As it is stored: JSON, readable by people and flashers.
    pub(super) fn to_json(&self, config: &Config) -> Vec<u8> {
        let (proven, id) = match &self.standing {
            Standing::Absent | Standing::Configured | Standing::Proven => (true, None),
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
