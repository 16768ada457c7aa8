//! What a device logs in with, in memory and on its storage.

use alloc::string::String;
use alloc::vec::Vec;

use crate::num;
use crate::snapshot::Kept;

use crate::agent::Cx;
use crate::error::{ApiMisuse, PeerMisbehaved};
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

/// The device's own secret, or the token of a registration without whitelist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Kept)]
pub(super) struct Credential {
    /// The client id that goes with a token; with a DeviceSecret there is none.
    client_id: String,
    secret: Secret,
}

impl Credential {
    pub(super) fn device_secret(secret: Secret) -> Self {
        Self { client_id: String::new(), secret }
    }

    /// Reads the `data` of a registration over HTTP, or a push to `/ext/register`.
    pub(super) fn issued_secret(data: Value<'_>, config: &Config) -> Self {
        check_identity(data, config);
        Self::device_secret(secret(data, "deviceSecret", is_secret))
    }

    /// Reads a push to `/ext/regnwl`.
    pub(super) fn issued_token(data: Value<'_>, config: &Config) -> Self {
        check_identity(data, config);
        let client_id = data.must_be("clientId", is_client_id);
        Self { client_id, secret: secret(data, "deviceToken", is_token) }
    }

    /// As stored: JSON with the identity that it belongs to, readable by people and flashers.
    pub(super) fn write(&self, config: &Config) -> Vec<u8> {
        let (mut client_id, mut secret) = (None, "device_secret");
        if !self.client_id.is_empty() {
            (client_id, secret) = (Some(self.client_id.as_str()), "device_token");
        }
        Object::new()
            .string("product_key", &config.product_key)
            .string("device_name", &config.device_name)
            .maybe("client_id", client_id)
            .string(secret, self.secret.expose())
            .bytes()
    }

    pub(super) fn read(bytes: &SecretBytes, config: &Config, cx: &mut Cx<'_>) -> Self {
        let doc = Document::open(bytes.expose());
        let root = doc.root();
        let (product, device) = (root.must("product_key"), root.must("device_name"));
        let named = doc.is_good();
        let credential = if root.get("device_secret").is_some() {
            Self::device_secret(secret(root, "device_secret", is_secret))
        } else {
            let client_id = root.must_be("client_id", is_client_id);
            Self { client_id, secret: secret(root, "device_token", is_token) }
        };
        if named && (product != config.product_key || device != config.device_name) {
            cx.misuse(ApiMisuse::StoredForAnotherDevice);
        }
        if doc.finish().is_err() {
            cx.misuse(ApiMisuse::StoredUnreadable(StoreKey::Credential));
        }
        credential
    }

    /// CONNECT with it. The signature covers a timestamp: the wall clock's where it is known, else the one that the
    /// vendor's C SDK always sends.
    pub(super) fn connect(&self, config: &Config, now: Now) -> Connect {
        let device = config.device();
        let credential = if self.client_id.is_empty() {
            let timestamp = now.unix.map(|unix| num::text(unix.0));
            let timestamp = timestamp.as_deref().unwrap_or(FIXED_TIMESTAMP);
            let (method, mode) = (config.sign_method, config.secure_mode);
            login_connect(Style::Muster, method, device, &self.secret, mode, timestamp)
        } else {
            token_connect(device, &self.client_id, &self.secret)
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
fn check_identity(data: Value<'_>, config: &Config) {
    data.must_not_contradict("productKey", &config.product_key);
    data.must_not_contradict("deviceName", &config.device_name);
}

#[inline(never)]
fn secret(data: Value<'_>, key: &str, good: fn(&str) -> bool) -> Secret {
    let text = data.must(key);
    if !good(&text) {
        data.wrong(PeerMisbehaved::UnusableSecret);
    }
    Secret::new(text)
}

fn is_client_id(text: &str) -> bool {
    is_token(text) && !text.bytes().any(|byte| byte == b'|')
}

fn is_secret(text: &str) -> bool {
    text.len() <= MAX_SECRET && is_token(text)
}

fn is_token(text: &str) -> bool {
    num::is_printed(text, MAX_TOKEN)
}
