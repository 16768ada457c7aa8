//! What a device keeps after its registration, in the forms in which it is handed on: JSON, a C header, Espressif's CSV,
//! an image of an ESP32's NVS partition.
//!
//! Only identity and secret are handed on; what else is stored beside them is the agent's own.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use super::nvs::{NvsEntry, NvsFormat, NvsPlace, nvs_image};
use super::{ToolError, ToolStep};
use crate::json::{self, Document};
use crate::platform::PlatformName;
use crate::secret::SecretBytes;

/// A form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoverForm {
    /// One object.
    Json,
    /// `#define`s.
    Header,
    /// For Espressif's generator and other tools.
    Csv,
    /// For the flash of an ESP32.
    Nvs,
}

impl HandoverForm {
    /// All of them, by their names.
    pub const ALL: [(&'static str, Self); 4] =
        [("json", Self::Json), ("header", Self::Header), ("csv", Self::Csv), ("nvs", Self::Nvs)];

    /// From its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, form)| form)
    }
}

/// What is handed on, and how.
pub struct HandoverInput {
    /// Whose it is.
    pub platform: PlatformName,
    /// As the device stored it under `credential`: a JSON object.
    pub credential: SecretBytes,
    /// The form.
    pub form: HandoverForm,
    /// Of CSV and NVS; `muster` if none is given.
    pub namespace: Option<String>,
    /// Of the NVS partition, in bytes; 0x6000 if none is given.
    pub size: Option<u32>,
    /// Of the NVS partition.
    pub format: NvsFormat,
}

/// A file.
#[derive(serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct HandoverOutput {
    /// What to call it: platform and device, and the ending of its form.
    pub file: String,
    /// Its media type.
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub media_type: &'static str,
    /// Names of what it holds.
    pub names: Vec<String>,
    /// Of NVS: what is written where.
    pub places: Vec<NvsPlace>,
    /// What a person should know before using it.
    pub notes: Vec<ToolStep>,
    /// What it holds.
    #[serde(skip)]
    #[cfg_attr(feature = "ts", ts(skip))]
    pub bytes: SecretBytes,
}

opaque!(HandoverInput, HandoverOutput);

/// Identity and secret, in the order in which people look for them.
const NAMES: [&str; 11] = [
    "product_sn",
    "product_id",
    "product_key",
    "device_sn",
    "device_id",
    "device_name",
    "device_no",
    "device_no_type",
    "client_id",
    "device_secret",
    "device_token",
];

const NAMESPACE: &str = "muster";
/// The size of `nvs` in ESP-IDF's own partition tables.
const SIZE: u32 = 0x6000;

/// Makes the file.
pub fn handover(input: &HandoverInput) -> Result<HandoverOutput, ToolError> {
    let fields = fields(&input.credential)?;
    let platform = input.platform.as_str();
    let namespace = input.namespace.as_deref().unwrap_or(NAMESPACE);
    let mut places = Vec::new();
    let mut notes = Vec::new();
    let (ending, media_type, bytes) = match input.form {
        HandoverForm::Json => ("json", "application/json", as_json(platform, &fields).into_bytes()),
        HandoverForm::Header => ("h", "text/x-c", as_header(platform, &fields).into_bytes()),
        HandoverForm::Csv => ("csv", "text/csv", as_csv(namespace, &fields).into_bytes()),
        HandoverForm::Nvs => {
            let entry = |(key, value): &(&str, String)| NvsEntry::text(namespace, key, value);
            let entries: Vec<_> = fields.iter().map(entry).collect();
            let image = nvs_image(&entries, input.size.unwrap_or(SIZE), input.format)?;
            if image.read_only {
                let text =
                    "below 0x3000 bytes ESP-IDF can only read a partition: flag it as readonly";
                notes.push(ToolStep::new("read-only", text));
            }
            let text =
                "flashing this replaces everything in the partition, Wi-Fi settings included";
            notes.push(ToolStep::new("replaces", text));
            places = image.places;
            ("bin", "application/octet-stream", image.bytes.into_inner())
        }
    };
    let device = ["device_sn", "device_name", "device_no", "device_id"];
    let device = device.iter().find_map(|name| value(&fields, name)).unwrap_or("device");
    let device: String = device
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .collect();
    Ok(HandoverOutput {
        file: format!("{platform}-{device}.{ending}"),
        media_type,
        names: fields.iter().map(|(name, _)| (*name).to_string()).collect(),
        places,
        notes,
        bytes: SecretBytes::new(bytes),
    })
}

fn value<'a>(fields: &'a [(&str, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

fn fields(credential: &SecretBytes) -> Result<Vec<(&'static str, String)>, ToolError> {
    let wrong = |problem: &str| ToolError::new("credential", problem);
    let document = Document::parse(credential.expose()).map_err(|_| wrong("is not JSON"))?;
    let object = document.object().map_err(|_| wrong("is not a JSON object"))?;
    let fields: Vec<_> = NAMES
        .into_iter()
        .filter_map(|name| Some((name, object.get(name)?.as_str()?.into_owned())))
        .collect();
    if value(&fields, "device_secret").is_none() && value(&fields, "device_token").is_none() {
        return Err(wrong("holds no device_secret: the device has to be registered first"));
    }
    Ok(fields)
}

fn as_json(platform: &str, fields: &[(&str, String)]) -> String {
    let mut out = format!("{{\n  \"platform\": \"{platform}\"");
    for (name, value) in fields {
        let _ = write!(out, ",\n  \"{name}\": {}", json::string(value));
    }
    out.push_str("\n}\n");
    out
}

fn as_header(platform: &str, fields: &[(&str, String)]) -> String {
    let mut out = String::from(
        "/* Credentials of one device: keep this file as secret as the device. */\n\
         #ifndef MUSTER_CREDENTIALS_H\n#define MUSTER_CREDENTIALS_H\n\n",
    );
    let _ = writeln!(out, "#define MUSTER_PLATFORM \"{platform}\"");
    for (name, value) in fields {
        let _ = writeln!(out, "#define MUSTER_{} {}", name.to_ascii_uppercase(), c_string(value));
    }
    out.push_str("\n#endif\n");
    out
}

/// A string literal that means the same bytes in every C: `?` could begin a trigraph, and an octal escape ends after
/// three digits where a hexadecimal one goes on.
fn c_string(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | b'?' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\{byte:03o}");
            }
        }
    }
    out.push('"');
    out
}

fn as_csv(namespace: &str, fields: &[(&str, String)]) -> String {
    let mut out = format!("key,type,encoding,value\n{},namespace,,\n", cell(namespace));
    for (name, value) in fields {
        let _ = writeln!(out, "{name},data,string,{}", cell(value));
    }
    out
}

fn cell(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) || text.starts_with('#') {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_string()
}
