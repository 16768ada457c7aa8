//! What comes back, parsed.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::call::{CallName, DeviceName};
use crate::error::{CodecError, Error, Rejected};
use crate::hex;
use crate::http::{Response, header};
use crate::json::{Document, Value};
use crate::secret::{Secret, SecretBytes};

/// The result of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// Of [`CallName::List`].
    Discovered(Discovered),
    /// Of [`CallName::Filter`].
    Filtered(Vec<Bindable>),
    /// Of [`CallName::TokenCheck`].
    Token(TokenHolder),
    /// Of the two binds.
    Bound {
        /// The device's iotId.
        iot_id: String,
    },
    /// Of [`CallName::Cipher`].
    Key(CipherKey),
    /// Of the calls that return nothing.
    Done,
}

/// A page of discovered devices.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Discovered {
    /// On all pages.
    pub total: u64,
    /// On this page.
    pub items: Vec<DiscoveredDevice>,
}

/// An entry of the list. Everything but the device's names may be missing: the document's own sample lacks some.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct DiscoveredDevice {
    /// The device to be provisioned.
    pub enrollee: DeviceName,
    /// Its iotId.
    pub enrollee_iot_id: Option<String>,
    /// Its product's name.
    pub enrollee_product_name: Option<String>,
    /// The device that discovered it.
    pub registrar: Option<DeviceName>,
    /// That one's iotId.
    pub registrar_iot_id: Option<String>,
    /// That one's product's name.
    pub registrar_product_name: Option<String>,
    /// Router.
    pub bssid: Option<String>,
    /// Hotspot.
    pub ssid: Option<String>,
    /// Hotspot.
    pub rssi: Option<String>,
    /// The kind of the discovering device: 0 device, 1 router.
    pub kind: Option<u64>,
    /// 0 initial, 1 being provisioned.
    pub status: Option<u64>,
    /// Date or milliseconds, as sent.
    pub created: Option<String>,
    /// Date or milliseconds, as sent.
    pub modified: Option<String>,
}

/// A device that can be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Bindable {
    /// As asked.
    pub device: DeviceName,
    /// The product's name.
    pub product_name: Option<String>,
    /// 0 LoRa, 3 Wi-Fi, 4 Zigbee, 5 Bluetooth, 6 cellular, 7 Ethernet, 8 other.
    pub net_type: Option<u64>,
    /// 0 device, 1 gateway.
    pub node_type: Option<u64>,
    /// The category's identifier.
    pub category_key: Option<String>,
    /// The category's name.
    pub category_name: Option<String>,
    /// The category's number.
    pub category_id: Option<u64>,
}

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct TokenHolder {
    /// The device.
    pub device: DeviceName,
    /// Its iotId.
    pub iot_id: String,
}

/// An AES-128 key. `Debug` shows nothing, and it has no serde form.
#[derive(Clone, PartialEq, Eq)]
pub struct CipherKey(SecretBytes);

impl CipherKey {
    /// 32 or 64 hex characters of either case; the first 32 are the key.
    pub(super) fn parse(hex_text: &str) -> Option<Self> {
        let mut bytes = hex::decode(hex_text)?;
        if !matches!(bytes.len(), 16 | 32) {
            return None;
        }
        bytes.truncate(16);
        Some(Self(SecretBytes::new(bytes)))
    }

    /// The 16 bytes.
    pub fn bytes(&self) -> [u8; 16] {
        let mut key = [0; 16];
        key.iter_mut().zip(self.0.expose()).for_each(|(to, &from)| *to = from);
        key
    }

    /// 32 upper-case hex characters.
    pub fn hex(&self) -> Secret {
        Secret::new(hex::upper(self.0.expose()))
    }
}

impl fmt::Debug for CipherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CipherKey(…)")
    }
}

/// The `data` of a session, from `/account/checkOrRefreshSession`.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) iot_token: Secret,
    pub(super) refresh_token: Option<Secret>,
}

/// A reply's envelope was read: its `data`, or the no that it was.
pub(super) struct Envelope<'t>(Document<'t>);

impl<'t> Envelope<'t> {
    pub(super) fn read(response: &'t Response, secrets: &[&Secret]) -> Result<Self, Error> {
        if response.status != 200 {
            let message = header(&response.headers, "X-Ca-Error-Message").unwrap_or_default();
            return Err(Rejected::http(response.status, message, secrets).into());
        }
        let document = Document::parse(&response.body)?;
        let envelope = document.object()?;
        let code = envelope.text("code").ok_or_else(|| CodecError::missing("code"))?;
        if code.trim() != "200" {
            let message = envelope.text("localizedMsg").or_else(|| envelope.text("message"));
            return Err(Rejected::code(&code, &message.unwrap_or_default(), secrets).into());
        }
        Ok(Self(document))
    }

    fn data(&self) -> Result<Value<'_>, CodecError> {
        self.0.root().get("data").ok_or_else(|| CodecError::missing("data"))
    }

    pub(super) fn session(&self) -> Result<Session, CodecError> {
        let data = self.data()?;
        let token = required(data, "iotToken")?;
        Ok(Session {
            iot_token: Secret::new(token),
            refresh_token: optional(data, "refreshToken").map(Secret::new),
        })
    }

    pub(super) fn reply(&self, call: CallName) -> Result<Reply, CodecError> {
        Ok(match call {
            CallName::List => Reply::Discovered(discovered(self.data()?)?),
            CallName::Filter => {
                let data = self.data()?;
                if !data.is_array() {
                    return Err(CodecError::invalid("data"));
                }
                Reply::Filtered(data.elements().map(bindable).collect::<Result<_, _>>()?)
            }
            CallName::TokenCheck => {
                let data = self.data()?;
                let device = DeviceName {
                    product_key: required(data, "productKey")?,
                    device_name: required(data, "deviceName")?,
                };
                Reply::Token(TokenHolder { device, iot_id: required(data, "iotId")? })
            }
            CallName::TokenBind | CallName::WindowBind => {
                let data = self.data()?;
                // A string in this document, an object on newer pages.
                let iot_id = match data.as_str() {
                    Some(iot_id) if !iot_id.is_empty() => iot_id.into_owned(),
                    Some(_) => return Err(CodecError::invalid("data")),
                    None => required(data, "iotId")?,
                };
                Reply::Bound { iot_id }
            }
            CallName::Cipher => {
                let data = self.data()?.as_str();
                let key = data.and_then(|hex| CipherKey::parse(hex.trim()));
                Reply::Key(key.ok_or_else(|| CodecError::invalid("data"))?)
            }
            CallName::Permit | CallName::TopoRemove | CallName::Refresh => Reply::Done,
        })
    }
}

fn discovered(data: Value<'_>) -> Result<Discovered, CodecError> {
    let items = data.get("items").filter(|items| items.is_array());
    let items = match items {
        Some(items) => items.elements().map(discovered_device).collect::<Result<Vec<_>, _>>()?,
        None => Vec::new(),
    };
    let total = data.get("totalNum").and_then(Value::as_u64);
    Ok(Discovered { total: total.unwrap_or(items.len() as u64), items })
}

fn discovered_device(item: Value<'_>) -> Result<DiscoveredDevice, CodecError> {
    let registrar = optional(item, "regProductKey").zip(optional(item, "regDeviceName"));
    Ok(DiscoveredDevice {
        enrollee: DeviceName {
            product_key: required(item, "enrolleeProductKey")?,
            device_name: required(item, "enrolleeDeviceName")?,
        },
        enrollee_iot_id: optional(item, "enrolleeIotId"),
        enrollee_product_name: optional(item, "enrolleeProductName"),
        registrar: registrar
            .map(|(product_key, device_name)| DeviceName { product_key, device_name }),
        registrar_iot_id: optional(item, "regIotId"),
        registrar_product_name: optional(item, "regProductName"),
        bssid: optional(item, "bssid"),
        ssid: optional(item, "ssid"),
        rssi: optional(item, "rssi"),
        kind: item.get("type").and_then(Value::as_u64),
        status: item.get("status").and_then(Value::as_u64),
        created: optional(item, "gmtCreate"),
        modified: optional(item, "gmtModified"),
    })
}

fn bindable(item: Value<'_>) -> Result<Bindable, CodecError> {
    Ok(Bindable {
        device: DeviceName {
            product_key: required(item, "productKey")?,
            device_name: required(item, "deviceName")?,
        },
        product_name: optional(item, "productName"),
        net_type: item.get("netType").and_then(Value::as_u64),
        node_type: item.get("nodeType").and_then(Value::as_u64),
        category_key: optional(item, "categoryKey"),
        category_name: optional(item, "categoryName"),
        category_id: item.get("categoryId").and_then(Value::as_u64),
    })
}

fn required(value: Value<'_>, key: &str) -> Result<String, CodecError> {
    optional(value, key).ok_or_else(|| CodecError::missing(key))
}

/// Text or number, unless empty or too long for what it is.
fn optional(value: Value<'_>, key: &str) -> Option<String> {
    let text = value.text(key)?;
    (!text.is_empty() && text.len() <= 1_024).then(|| text.to_string())
}
