//! What a device logs in with, in memory and on its storage.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};

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
        let secret =
            data.text("deviceSecret").ok_or_else(|| CodecError::missing("deviceSecret"))?;
        usable(&secret, MAX_SECRET).map(Self::DeviceSecret)
    }

    /// Reads a push to `/ext/regnwl`.
    pub(super) fn issued_token(data: Value<'_>, config: &Config) -> Result<Self, Error> {
        check_identity(data, config)?;
        let client_id = data.text("clientId").ok_or_else(|| CodecError::missing("clientId"))?;
        let token = data.text("deviceToken").ok_or_else(|| CodecError::missing("deviceToken"))?;
        if client_id.contains('|') || usable(&client_id, MAX_TOKEN).is_err() {
            return Err(CodecError::invalid("clientId").into());
        }
        let token = usable(&token, MAX_TOKEN)?;
        Ok(Self::Token { client_id: client_id.into_owned(), token })
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
        let unreadable = || ApiMisuse::StoredUnreadable(StoreKey::Credential);
        let doc = Document::parse(bytes.expose()).map_err(|_| unreadable())?;
        let root = doc.object().map_err(|_| unreadable())?;
        let text = |key: &str| root.text(key).ok_or_else(unreadable);
        if text("product_key")? != config.product_key || text("device_name")? != config.device_name
        {
            return Err(ApiMisuse::StoredForAnotherDevice);
        }
        if let Some(secret) = root.text("device_secret") {
            return usable(&secret, MAX_SECRET).map(Self::DeviceSecret).map_err(|_| unreadable());
        }
        let client_id = text("client_id")?.to_string();
        let token = usable(&text("device_token")?, MAX_TOKEN).map_err(|_| unreadable())?;
        Ok(Self::Token { client_id, token })
    }

    /// CONNECT with it. The signature covers a timestamp: the wall clock's where it is known, else the one that the
    /// vendor's C SDK always sends.
    pub(super) fn connect(&self, config: &Config, now: Now) -> Connect {
        let device = config.device();
        let credential = match self {
            Self::DeviceSecret(secret) => {
                let timestamp = now.unix.map(|unix| unix.0.to_string());
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
    if !text.is_empty() && text.len() <= max && text.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(Secret::new(text))
    } else {
        Err(PeerMisbehaved::UnusableSecret.into())
    }
}
