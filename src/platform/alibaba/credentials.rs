//! What a device proves itself with: dynamic registration (over HTTP and over MQTT) and MQTT login.
//!
//! Beyond the seed. Sources: help.aliyun.com "unique-certificate-per-product verification" and "MQTT-TCP connection",
//! with the C, Python and Node SDKs; `tests/vectors/alibaba.json` records what they agreed on.
//!
//! ```text
//! register:  HMAC( productSecret, "deviceName" dn "productKey" pk "random" random )
//! login:     HMAC( deviceSecret,  "clientId" id "deviceName" dn "productKey" pk ["timestamp" ts] )
//! ```
//!
//! The SDKs differ in the case of the hex, in the order of the fields behind the client id and in the unit of the
//! timestamp; the platform compares hex without case and reads fields in any order. So do [`ClientId::parse`] and
//! [`matches`](SignMethod::matches).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::cbor::{Decode, Encode};

use super::digest;
use crate::hex;
use crate::secret::Secret;

/// `signMethod`, `signmethod`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum SignMethod {
    /// The vendor's recommendation.
    #[default]
    #[n(0)]
    HmacSha256,
    /// What the Python and Node SDKs use.
    #[n(1)]
    HmacSha1,
    /// Where nothing better fits into the device.
    #[n(2)]
    HmacMd5,
}

impl SignMethod {
    /// All of them.
    pub const ALL: [SignMethod; 3] = [Self::HmacSha256, Self::HmacSha1, Self::HmacMd5];

    /// As written in forms and client ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmacsha256",
            Self::HmacSha1 => "hmacsha1",
            Self::HmacMd5 => "hmacmd5",
        }
    }

    /// The HMAC of all parts in a row.
    pub fn hmac(self, secret: &Secret, parts: &[&[u8]]) -> Vec<u8> {
        self.mac(secret, parts).as_ref().to_vec()
    }

    fn mac(self, secret: &Secret, parts: &[&[u8]]) -> digest::Mac {
        let key = secret.expose().as_bytes();
        match self {
            Self::HmacSha256 => digest::hmac_sha256(key, parts),
            Self::HmacSha1 => digest::hmac_sha1(key, parts),
            Self::HmacMd5 => digest::hmac_md5(key, parts),
        }
    }

    fn hex(self, secret: &Secret, parts: &[&str]) -> String {
        // What is signed is the parts in a row, however they are cut.
        hex::lower(self.mac(secret, &[parts.concat().as_bytes()]).as_ref())
    }

    /// Whether two signatures in hex are the same, whatever their case, in a time that does not depend on where they
    /// differ.
    pub fn matches(ours: &str, theirs: &str) -> bool {
        ours.len() == theirs.len()
            && ours
                .bytes()
                .zip(theirs.bytes())
                .fold(0, |acc, (a, b)| acc | (a.to_ascii_lowercase() ^ b.to_ascii_lowercase()))
                == 0
    }
}

/// A sign method with another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownSignMethod;

impl FromStr for SignMethod {
    type Err = UnknownSignMethod;

    /// Whatever its case: sub-devices are documented with `hmacSha256`.
    fn from_str(text: &str) -> Result<Self, UnknownSignMethod> {
        let found = Self::ALL.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(text));
        found.ok_or(UnknownSignMethod)
    }
}

impl fmt::Display for SignMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for UnknownSignMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sign method has to be hmacsha256, hmacsha1 or hmacmd5")
    }
}

impl core::error::Error for UnknownSignMethod {}

/// `securemode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum SecureMode {
    /// TLS.
    #[n(0)]
    Tls,
    /// Plain TCP.
    #[n(1)]
    Tcp,
    /// The token of [`AuthType::Regnwl`]; and dynamic registration on newer Enterprise instances.
    #[n(2)]
    NoWhitelist,
}

impl SecureMode {
    /// As written in client ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "2",
            Self::Tcp => "3",
            Self::NoWhitelist => "-2",
        }
    }
}

/// `authType` of dynamic registration over MQTT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum AuthType {
    /// The device was imported beforehand; it gets a DeviceSecret.
    #[default]
    #[n(0)]
    Register,
    /// Without import ("no whitelist"); it gets a client id and a token.
    #[n(1)]
    Regnwl,
}

impl AuthType {
    /// As written in client ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Regnwl => "regnwl",
        }
    }
}

/// What CONNECT carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MqttCredential {
    /// ClientID, fields included.
    pub client_id: String,
    /// User name.
    pub username: String,
    /// Password.
    pub password: Secret,
}

/// A device by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device<'a> {
    /// ProductKey.
    pub product_key: &'a str,
    /// DeviceName.
    pub device_name: &'a str,
}

impl Device<'_> {
    /// `{dn}&{pk}`.
    pub fn username(&self) -> String {
        [self.device_name, "&", self.product_key].concat()
    }
}

/// `sign` of a dynamic registration, lower-case hex.
pub fn registration_sign(
    method: SignMethod,
    device: Device<'_>,
    product_secret: &Secret,
    random: &str,
) -> String {
    let (dn, pk) = (device.device_name, device.product_key);
    method.hex(product_secret, &["deviceName", dn, "productKey", pk, "random", random])
}

/// The form body of `POST /auth/register/device`, as the linkkit SDKs send it.
pub fn registration_form(
    method: SignMethod,
    device: Device<'_>,
    product_secret: &Secret,
    random: &str,
) -> String {
    let sign = registration_sign(method, device, product_secret, random);
    form_encode(&[
        ("productKey", device.product_key),
        ("deviceName", device.device_name),
        ("random", random),
        ("sign", &sign),
        ("signMethod", method.as_str()),
    ])
}

/// `application/x-www-form-urlencoded`. Device names may hold `@` and `:`.
fn form_encode(fields: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(256);
    for (i, (key, value)) in fields.iter().enumerate() {
        if i > 0 {
            out.push('&');
        }
        out.push_str(key);
        out.push('=');
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        // Almost every value is plain: copied in one go, and looked at without a way out in the middle, so that many
        // are looked at at a time.
        if value.bytes().fold(true, |all, byte| all & plain(byte)) {
            out.push_str(value);
            continue;
        }
        for byte in value.bytes() {
            if plain(byte) {
                out.push(char::from(byte));
            } else {
                out.push('%');
                out.push_str(&hex::upper(&[byte]));
            }
        }
    }
    out
}

/// CONNECT of a dynamic registration over MQTT. `instance_id` names an Enterprise instance.
pub fn registration_connect(
    method: SignMethod,
    device: Device<'_>,
    product_secret: &Secret,
    random: &str,
    auth_type: AuthType,
    secure_mode: SecureMode,
    instance_id: Option<&str>,
) -> MqttCredential {
    let fields = [
        ("random", random),
        ("authType", auth_type.as_str()),
        ("securemode", secure_mode.as_str()),
        ("signmethod", method.as_str()),
        ("instanceId", instance_id.unwrap_or_default()),
    ];
    let fields = if instance_id.is_some() { &fields[..] } else { &fields[..4] };
    MqttCredential {
        client_id: client_id(&[device.device_name, ".", device.product_key].concat(), fields),
        username: device.username(),
        password: Secret::new(registration_sign(method, device, product_secret, random)),
    }
}

/// The password of a login, lower-case hex. `client_id` is the part before the first `|`.
pub fn login_sign(
    method: SignMethod,
    device: Device<'_>,
    device_secret: &Secret,
    client_id: &str,
    timestamp: Option<&str>,
) -> Secret {
    let (dn, pk) = (device.device_name, device.product_key);
    let (name, time) = timestamp.map_or(("", ""), |time| ("timestamp", time));
    let parts = ["clientId", client_id, "deviceName", dn, "productKey", pk, name, time];
    Secret::new(method.hex(device_secret, &parts))
}

/// How a client writes its login. The platform takes all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// This project's: `pk.dn`, timestamp in milliseconds, lower-case hex.
    #[default]
    Muster,
    /// iotkit-embedded 3.0.1: `pk.dn`, upper-case hex.
    LinkkitC,
    /// PyPI `aliyun-iot-linkkit` 1.2.13: `pk&dn`, timestamp in seconds.
    LinkkitPython,
    /// npm `alibabacloud-iot-device-sdk` 1.2.8: `pk&dn`, timestamp in milliseconds.
    LinkkitNode,
}

/// The timestamp of a device without a clock, the one that the vendor's C SDK always sends: 2050-01-01.
pub const FIXED_TIMESTAMP: &str = "2524608000000";

/// CONNECT of a login with the device's own secret.
pub fn login_connect(
    style: Style,
    method: SignMethod,
    device: Device<'_>,
    device_secret: &Secret,
    secure_mode: SecureMode,
    timestamp: &str,
) -> MqttCredential {
    let (pk, dn) = (device.product_key, device.device_name);
    let (mode, sign) = (("securemode", secure_mode.as_str()), ("signmethod", method.as_str()));
    let time = ("timestamp", timestamp);
    let (separator, fields): (_, &[(&str, &str)]) = match style {
        Style::Muster => (".", &[mode, sign, time]),
        Style::LinkkitC => (
            ".",
            &[time, ("_v", "sdk-c-3.0.1"), mode, sign, ("lan", "C"), ("gw", "0"), ("ext", "0")],
        ),
        Style::LinkkitPython => {
            let (ext, ss) = (("ext", "1"), ("_ss", "1"));
            ("&", &[mode, sign, ext, ss, ("lan", "Python"), ("_v", "1.2.13"), time])
        }
        Style::LinkkitNode => ("&", &[mode, sign, time, ("lan", "NodeJS"), ("_v", "1.2.8")]),
    };
    let name = [pk, separator, dn].concat();
    let password = login_sign(method, device, device_secret, &name, Some(timestamp));
    MqttCredential {
        client_id: client_id(&name, fields),
        username: device.username(),
        password: match style {
            Style::LinkkitC => Secret::new(password.expose().to_ascii_uppercase()),
            _ => password,
        },
    }
}

/// CONNECT of a login with the client id and token of [`AuthType::Regnwl`].
pub fn token_connect(device: Device<'_>, client: &str, device_token: &Secret) -> MqttCredential {
    let fields = [("authType", "connwl"), ("securemode", SecureMode::NoWhitelist.as_str())];
    MqttCredential {
        client_id: client_id(client, &fields),
        username: device.username(),
        password: device_token.clone(),
    }
}

/// `name|key=value,…|`.
fn client_id(name: &str, fields: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(128);
    out.push_str(name);
    out.push('|');
    for (i, (key, value)) in fields.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str(key);
        out.push('=');
        out.push_str(value);
    }
    out.push('|');
    out
}

/// A client id taken apart, for whoever checks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientId<'a> {
    /// Before the first `|`.
    pub name: &'a str,
    /// Between the bars.
    fields: &'a str,
}

impl<'a> ClientId<'a> {
    /// `None` if it is not `name|key=value,…|`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (name, rest) = text.split_once('|')?;
        let fields = rest.strip_suffix('|')?;
        let whole = fields.split(',').all(|field| field.is_empty() || field.contains('='));
        whole.then_some(Self { name, fields })
    }

    /// The value of a field, its name in any case.
    pub fn field(&self, name: &str) -> Option<&'a str> {
        self.fields.split(',').find_map(|field| {
            let (key, value) = field.split_at_checked(name.len())?;
            value.strip_prefix('=').filter(|_| key.eq_ignore_ascii_case(name))
        })
    }
}
