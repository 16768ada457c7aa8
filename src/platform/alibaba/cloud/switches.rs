//! Every choice that the vendor's document leaves open, and every leniency, by name.
//!
//! They are kept as text, one entry a name, so that a later version may add some and forget others.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use core::ops::RangeInclusive;

use crate::cloud::OperationError;

/// Switches of the whole platform. The defaults are the document's values, or marked (assumed) in
/// `docs/protocols/alibaba.md`.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// `iot_token_seconds`: life of an iotToken.
    pub(super) iot_token_seconds: u64,
    /// `refresh_token_seconds`: life of a refreshToken.
    pub(super) refresh_token_seconds: u64,
    /// `window_seconds`: how long after power-on a device can be bound by time window.
    pub(super) window_seconds: u64,
    /// `token_seconds`: how long a reported bind token is good for.
    pub(super) token_seconds: u64,
    /// `window_expired_code`: the code for a bind after the window.
    pub(super) window_expired_code: u64,
    /// `product_scope`: `published` or `all`.
    pub(super) scope_all: bool,
    /// `bind_data`: `string` or `object`.
    pub(super) bind_data_object: bool,
    /// `cipher_length`: 32 or 64 hex characters.
    pub(super) cipher_length: u64,
    /// `home_required`: whether a bind by token or window has to name a home.
    pub(super) home_required: bool,
    /// `cipher_needs_token`: the phone's SDK asks for keys without an iotToken.
    pub(super) cipher_needs_token: bool,
    /// `join_needs_permit`: whether a gateway may add sub-devices only while joining is open.
    pub(super) join_needs_permit: bool,
    /// `flow_limit`: requests a second and AppKey; 0 is no limit.
    pub(super) flow_limit: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            iot_token_seconds: 7_200,
            refresh_token_seconds: 1_728_000,
            window_seconds: 600,
            token_seconds: 600,
            window_expired_code: 6_608,
            scope_all: false,
            bind_data_object: false,
            cipher_length: 32,
            home_required: true,
            cipher_needs_token: true,
            join_needs_permit: true,
            flow_limit: 0,
        }
    }
}

impl Settings {
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), OperationError> {
        match name {
            "iot_token_seconds" => self.iot_token_seconds = number(value, 1..=31_536_000)?,
            "refresh_token_seconds" => self.refresh_token_seconds = number(value, 1..=31_536_000)?,
            "window_seconds" => self.window_seconds = number(value, 1..=86_400)?,
            "token_seconds" => self.token_seconds = number(value, 1..=86_400)?,
            "window_expired_code" => self.window_expired_code = number(value, 201..=99_999)?,
            "product_scope" => self.scope_all = choice(value, "published", "all")?,
            "bind_data" => self.bind_data_object = choice(value, "string", "object")?,
            "cipher_length" => {
                self.cipher_length = if choice(value, "32", "64")? { 64 } else { 32 };
            }
            "home_required" => self.home_required = flag(value)?,
            "cipher_needs_token" => self.cipher_needs_token = flag(value)?,
            "join_needs_permit" => self.join_needs_permit = flag(value)?,
            "flow_limit" => self.flow_limit = number(value, 0..=1_000_000)?,
            _ => {
                return Err(OperationError::not_found(
                    "no such switch of the platform; known are iot_token_seconds, refresh_token_seconds, \
                     window_seconds, token_seconds, window_expired_code, product_scope, bind_data, cipher_length, \
                     home_required, cipher_needs_token, join_needs_permit, flow_limit, app_secret.<key>, \
                     app_authorized.<key>, iot_token.<identity>, auth_code.<identity>",
                ));
            }
        }
        Ok(())
    }
}

/// Switches of one product.
#[derive(Clone, Debug)]
pub(super) struct ProductSwitches {
    /// `DynamicRegister`: off, as a new product is in the vendor's console.
    pub(super) dynamic_register: bool,
    /// `RegisterWithoutWhitelist`: `authType=regnwl` creates devices.
    pub(super) without_whitelist: bool,
    /// `netType`: 0 LoRa, 3 Wi-Fi, 4 Zigbee, 5 Bluetooth, 6 cellular, 7 Ethernet, 8 other.
    pub(super) net_type: u64,
    /// `nodeType`: 0 device, 1 gateway.
    pub(super) node_type: u64,
    /// `categoryKey`.
    pub(super) category_key: String,
    /// `categoryName`.
    pub(super) category_name: String,
    /// `categoryId`.
    pub(super) category_id: u64,
    /// `published`: a new product is under development.
    pub(super) published: bool,
    /// `productId`: what Bluetooth devices are asked for by.
    pub(super) product_id: String,
    /// `rebind`: whether a bind may take a device from its owner.
    pub(super) rebind: bool,
    /// `otaSignMethod`: `SHA256` or `Md5`.
    pub(super) ota_md5: bool,
}

impl ProductSwitches {
    /// The document calls productId "the hexadecimal string of the ProductKey", so that is the default.
    pub(super) fn new(product_key: &str) -> Self {
        Self {
            dynamic_register: false,
            without_whitelist: false,
            net_type: 3,
            node_type: 0,
            category_key: "Other".to_string(),
            category_name: "Other".to_string(),
            category_id: 0,
            published: false,
            product_id: crate::hex::lower(product_key.as_bytes()),
            rebind: false,
            ota_md5: false,
        }
    }

    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), OperationError> {
        match name {
            "DynamicRegister" => self.dynamic_register = flag(value)?,
            "RegisterWithoutWhitelist" => self.without_whitelist = flag(value)?,
            "netType" => {
                let net_type = number(value, 0..=8)?;
                if matches!(net_type, 1 | 2) {
                    return Err(OperationError::invalid("netType has to be 0, 3, 4, 5, 6, 7 or 8"));
                }
                self.net_type = net_type;
            }
            "nodeType" => self.node_type = number(value, 0..=1)?,
            "categoryKey" => self.category_key = text(value)?,
            "categoryName" => self.category_name = text(value)?,
            "categoryId" => self.category_id = number(value, 0..=i64::MAX as u64)?,
            "published" => self.published = flag(value)?,
            "productId" => {
                if value.is_empty()
                    || value.len() > 64
                    || !value.bytes().all(|b| b.is_ascii_hexdigit())
                {
                    return Err(OperationError::invalid("productId has to be 1 to 64 hex digits"));
                }
                self.product_id = value.to_ascii_lowercase();
            }
            "rebind" => self.rebind = flag(value)?,
            "otaSignMethod" => self.ota_md5 = choice(value, "SHA256", "Md5")?,
            _ => {
                return Err(OperationError::not_found(
                    "no such switch of a product; known are DynamicRegister, RegisterWithoutWhitelist, netType, \
                     nodeType, categoryKey, categoryName, categoryId, published, productId, rebind, otaSignMethod, \
                     announce.<deviceName>",
                ));
            }
        }
        Ok(())
    }

    pub(super) fn to_map(&self) -> BTreeMap<String, String> {
        let bool = |value: bool| String::from(if value { "true" } else { "false" });
        [
            ("DynamicRegister", bool(self.dynamic_register)),
            ("RegisterWithoutWhitelist", bool(self.without_whitelist)),
            ("netType", self.net_type.to_string()),
            ("nodeType", self.node_type.to_string()),
            ("categoryKey", self.category_key.clone()),
            ("categoryName", self.category_name.clone()),
            ("categoryId", self.category_id.to_string()),
            ("published", bool(self.published)),
            ("productId", self.product_id.clone()),
            ("rebind", bool(self.rebind)),
            ("otaSignMethod", String::from(if self.ota_md5 { "Md5" } else { "SHA256" })),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_string(), value))
        .collect()
    }
}

pub(super) fn flag(value: &str) -> Result<bool, OperationError> {
    match value {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => Err(OperationError::invalid("the value has to be true or false")),
    }
}

fn number(value: &str, range: RangeInclusive<u64>) -> Result<u64, OperationError> {
    value.parse().ok().filter(|n| range.contains(n)).ok_or_else(|| {
        let (low, high) = (range.start(), range.end());
        OperationError::invalid(&format!("the value has to be a number from {low} to {high}"))
    })
}

/// Whether it is the second of two values.
fn choice(value: &str, first: &str, second: &str) -> Result<bool, OperationError> {
    if value == first || value == second {
        Ok(value == second)
    } else {
        Err(OperationError::invalid(&format!("the value has to be {first} or {second}")))
    }
}

fn text(value: &str) -> Result<String, OperationError> {
    if value.len() <= 128 && !value.chars().any(char::is_control) {
        Ok(value.to_string())
    } else {
        Err(OperationError::invalid("at most 128 bytes without control characters"))
    }
}
