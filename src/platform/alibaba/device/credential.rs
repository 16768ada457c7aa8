//! What a device logs in with, in memory and on its storage.

use alloc::string::String;
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};
use crate::num;

use crate::error::{ApiMisuse, CodecError, Error, PeerMisbehaved};
use crate::json::{Document, Object, Value};
use crate::output::{Connect, StoreKey};
use crate::platform::alibaba::Config;
use crate::platform::alibaba::credentials::{FIXED_TIMESTAMP, Style, login_connect, token_connect};
use crate::secret::{Secret, SecretBytes};
use crate::time::Now;

/// Longer ones are no secrets of this platform: a DeviceSecret has 32 characters.
const MAX_SECRET: usize = 64;
/// A token's and its client id's length are not documented.
const MAX_TOKEN: usize = 512;

#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) enum Credential {
    #[n(0)]
    DeviceSecret(#[n(0)] Secret),
    /// Of a registration without whitelist.
    #[n(1)]
    Token {
        #[n(0)]
        client_id: String,
        #[n(1)]
        token: Secret,
    },
}

impl Credential {
    /// Reads the `data` of a registration over HTTP, or a push to `/ext/register`.
    pub(super) fn issued_secret(data: Value<'_>, config: &Config) -> Result<Self, Error> {
        check_identity(data, config)?;
        usable(&data.required("deviceSecret")?, MAX_SECRET).map(Self::DeviceSecret)
    }

    /// Reads a push to `/ext/regnwl`.
    pub(super) fn issued_token(data: Value<'_>, config: &Config) -> Result<Self, Error> {
        check_identity(data, config)?;
        let client_id = data.required("clientId")?;
        let token = data.required("deviceToken")?;
        if client_id.as_bytes().contains(&b'|') || !is_usable(&client_id, MAX_TOKEN) {
            return Err(CodecError::invalid("clientId").into());
        }
        let token = usable(&token, MAX_TOKEN)?;
        Ok(Self::Token { client_id, token })
    }

    /// As stored: JSON with the identity that it belongs to, readable by people and flashers.
    pub(super) fn write(&self, config: &Config) -> Vec<u8> {
        let object = Object::new()
            .string("product_key", &config.product_key)
            .string("device_name", &config.device_name);
        match self {
            Self::DeviceSecret(secret) => object.string("device_secret", secret.expose()),
            Self::Token { client_id, token } => {
                object.string("client_id", client_id).string("device_token", token.expose())
            }
        }
        .bytes()
    }

    pub(super) fn read(bytes: &SecretBytes, config: &Config) -> Result<Self, ApiMisuse> {
        let unreadable = ApiMisuse::StoredUnreadable(StoreKey::Credential);
        let Ok(doc) = Document::parse_object(bytes.expose()) else { return Err(unreadable) };
        let root = doc.root();
        let (Some(product), Some(device)) = (root.text("product_key"), root.text("device_name"))
        else {
            return Err(unreadable);
        };
        if product != config.product_key || device != config.device_name {
            return Err(ApiMisuse::StoredForAnotherDevice);
        }
        Self::read_secret(root).ok_or(unreadable)
    }

    fn read_secret(root: Value<'_>) -> Option<Self> {
        if let Some(secret) = root.text("device_secret") {
            return usable(&secret, MAX_SECRET).map(Self::DeviceSecret).ok();
        }
        let token = usable(&root.text("device_token")?, MAX_TOKEN).ok()?;
        let client_id = root.text("client_id")?.into_owned();
        Some(Self::Token { client_id, token })
    }

    /// CONNECT with it. The signature covers a timestamp: the wall clock's where it is known, else the one that the
    /// vendor's C SDK always sends.
    pub(super) fn connect(&self, config: &Config, now: Now) -> Connect {
        let device = config.device();
        let credential = match self {
            Self::DeviceSecret(secret) => {
                let timestamp = now.unix.map(|unix| num::text(unix.0));
                let timestamp = timestamp.as_deref().unwrap_or(FIXED_TIMESTAMP);
                let (method, mode) = (config.sign_method, config.secure_mode);
                login_connect(Style::Muster, method, device, secret, mode, timestamp)
            }
            Self::Token { client_id, token } => token_connect(device, client_id, token),
        };
        Connect {
            url: config.broker.clone(),
            client_id: credential.client_id,
            username: credential.username,
            password: credential.password,
            keep_alive: config.keep_alive,
        }
    }
}

/// A secret for another device would lock this one out of its own account.
fn check_identity(data: Value<'_>, config: &Config) -> Result<(), Error> {
    let is = |key: &str, ours: &str| data.text(key).is_none_or(|theirs| theirs == ours);
    if is("productKey", &config.product_key) && is("deviceName", &config.device_name) {
        Ok(())
    } else {
        Err(PeerMisbehaved::WrongIdentity.into())
    }
}

fn usable(text: &str, max: usize) -> Result<Secret, Error> {
    if is_usable(text, max) {
        Ok(Secret::new(text))
    } else {
        Err(PeerMisbehaved::UnusableSecret.into())
    }
}

fn is_usable(text: &str, max: usize) -> bool {
    !text.is_empty() && text.len() <= max && text.bytes().all(|b| b.is_ascii_graphic())
}
