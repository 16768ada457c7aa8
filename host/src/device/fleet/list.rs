//! Who the devices of a fleet are.

use std::collections::HashMap;
use std::path::Path;

use muster::{Config, ConfigError, PlatformName, Settings};
use serde_json::json;

use super::super::config;
use super::super::http::Http;
use crate::exit::Exit;
use crate::local::{LocalArgs, LocalClouds};

/// Rows that are imported with one request.
const ROWS: usize = 10_000;

/// One device.
pub(super) struct Device {
    /// As its cloud calls it.
    pub(super) name: String,
    pub(super) settings: Settings,
    pub(super) config: Config,
    /// Whether a person named the firmware version.
    pub(super) version_given: bool,
}

/// What stands beside the list.
pub(super) struct Given<'a> {
    pub(super) platform: PlatformName,
    /// Of --config.
    pub(super) file: Vec<(String, String)>,
    pub(super) has_file: bool,
    /// Of --set.
    pub(super) set: &'a [(String, String)],
    pub(super) local: Option<&'a Path>,
}

type Pairs = Vec<(String, String)>;

/// Reads a list of devices: the header names settings, each row is one device. An empty field is no setting.
pub(super) fn read(path: &Path, given: &Given<'_>, http: &Http) -> Result<Vec<Device>, Exit> {
    let at = path.display();
    let bytes = std::fs::read(path).map_err(|e| {
        Exit::local(format!("cannot read {at}: {e}"), "give an existing file with --devices")
    })?;
    let rows = rows(&bytes).map_err(|why| Exit::usage(format!("{at}: {why}"), HOW_TO_WRITE))?;
    let own =
        |row: &Pairs| -> Pairs { given.file.iter().chain(given.set).chain(row).cloned().collect() };
    let Some((_, first)) = rows.first() else {
        return Err(Exit::usage(format!("{at} has no row below its header"), HOW_TO_WRITE));
    };
    // As with one device: settings that stand on their own, or a file of them, need no demo.
    let wants_demo =
        given.local.is_some() || (!given.has_file && device(given.platform, own(first)).is_err());
    let base = if wants_demo {
        config::demo(http, &base(given.local)?, given.platform)?
    } else {
        Vec::new()
    };
    let mut seen: HashMap<(String, String), u64> = HashMap::new();
    let mut devices = Vec::with_capacity(rows.len());
    for (line, row) in &rows {
        let pairs = base.iter().cloned().chain(own(row)).collect();
        let device = device(given.platform, pairs).map_err(|error| {
            let next = format!(
                "a column a setting, as docs/protocols/{p}.md lists them; what all have in common may stand in \
                 --config or --set",
                p = given.platform
            );
            Exit::usage(format!("{at}, line {line}: {error}"), next)
        })?;
        let identity = device.config.identity();
        if let Some(before) = seen.insert((identity.product, identity.device), *line) {
            return Err(Exit::usage(
                format!("{at}, line {line}: device {} is in line {before} already", device.name),
                "a device is one row",
            ));
        }
        devices.push(device);
    }
    Ok(devices)
}

/// New devices of the demo product, imported as its operator would.
pub(super) fn demo(
    platform: PlatformName,
    count: u32,
    set: &[(String, String)],
    local: Option<&Path>,
    http: &Http,
) -> Result<Vec<Device>, Exit> {
    let base = base(local)?;
    let mut common = config::demo(http, &base, platform)?;
    common.extend(set.iter().cloned());
    let clouds = LocalClouds::find(&LocalArgs { url: Some(base), local: None })?;
    let names: Vec<String> = (1..=count).map(|n| format!("fleet-{n:06}")).collect();
    let devices: Vec<Device> = names
        .iter()
        .map(|name| {
            let mut pairs = common.clone();
            pairs.extend(named(platform, name));
            device(platform, pairs)
                .map_err(|error| Exit::usage(error, "change or leave out what --set says of it"))
        })
        .collect::<Result<_, _>>()?;
    let product = devices.first().map(|d| d.config.identity().product).unwrap_or_default();
    let header = match platform {
        PlatformName::Ucloud => "device_sn",
        PlatformName::Cmcc => "device_no,device_no_type",
        PlatformName::Krtyun => "device_id",
        PlatformName::Alibaba => "DeviceName",
    };
    for names in names.chunks(ROWS) {
        let mut csv = String::from(header);
        for name in names {
            csv.push('\n');
            csv.push_str(name);
            if platform == PlatformName::Cmcc {
                csv.push_str(",SN");
            }
        }
        csv.push('\n');
        // Rows that are there from an earlier run are said to be rejected; the devices are there all the same.
        clouds.post(
            "/operate",
            &json!({ "platform": platform, "action": "import_devices", "product": product, "csv": csv }),
        )?;
    }
    Ok(devices)
}

/// What makes the demo device another one.
fn named(platform: PlatformName, name: &str) -> Pairs {
    let pairs: &[(&str, &str)] = match platform {
        PlatformName::Ucloud => &[("device_sn", name)],
        // A CMEI that cannot be read is sent empty.
        PlatformName::Cmcc => &[("device_no", name), ("device_no_type", "SN"), ("cmei", "")],
        PlatformName::Krtyun => &[("device_id", name)],
        PlatformName::Alibaba => &[("device_name", name)],
    };
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn base(local: Option<&Path>) -> Result<String, Exit> {
    local.map_or_else(|| Ok(crate::local::DEFAULT_URL.to_owned()), config::local_address)
}

fn device(platform: PlatformName, pairs: Pairs) -> Result<Device, ConfigError> {
    let mut settings = Settings::new();
    for (key, value) in &pairs {
        settings.set(key, value);
    }
    let config = Config::from_settings(platform, &settings)?;
    let version_given = pairs.iter().any(|(key, _)| key == "firmware_version");
    Ok(Device { name: config.identity().device, settings, config, version_given })
}

const HOW_TO_WRITE: &str = "write a CSV: a header with the settings' names, then one device a row, such as device_sn,device_secret";

/// The rows, each with its line. Errors never show a field: any may be a secret.
fn rows(bytes: &[u8]) -> Result<Vec<(u64, Pairs)>, String> {
    // Spreadsheets put a mark in front.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(bytes);
    let header = reader.headers().map_err(|e| problem(&e, bytes))?.clone();
    let mut names = HashMap::new();
    for (at, name) in header.iter().enumerate() {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(format!("column {} of the header is no name of a setting", at + 1));
        }
        if names.insert(name, at).is_some() {
            return Err(format!("the header has `{name}` twice"));
        }
    }
    let mut rows = Vec::new();
    let mut lines = Lines { bytes, at: 0, line: 1 };
    for record in reader.records() {
        let record = record.map_err(|e| problem(&e, bytes))?;
        let line = lines.of(record.position());
        let pairs = header.iter().zip(record.iter()).filter(|(_, value)| !value.is_empty());
        rows.push((line, pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()));
    }
    Ok(rows)
}

/// Lines as editors count them. The reader's own count is taken where it left off: before the second half of the end of
/// a line, and before a comment.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// Of a position behind the ones before.
    fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let begin = position.map_or(0, |position| position.byte());
        let begin = usize::try_from(begin).unwrap_or(usize::MAX);
        let mut in_comment = false;
        while let Some(&byte) = self.bytes.get(self.at) {
            if self.at >= begin {
                in_comment = byte == b'#' || (in_comment && byte != b'\n');
                if !in_comment && byte != b'\r' && byte != b'\n' {
                    break;
                }
            }
            self.line += u64::from(byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

fn problem(error: &csv::Error, bytes: &[u8]) -> String {
    let line = Lines { bytes, at: 0, line: 1 }.of(error.position());
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("line {line} has {len} fields, the header {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => format!("line {line} is not UTF-8"),
        _ => format!("line {line} is no CSV"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_spreadsheets_write_them() {
        let rows =
            rows(b"\xef\xbb\xbfdevice_sn, device_secret\r\n\"a\",\"x,y\"\r\n# a note\r\n b ,\r\n")
                .unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            rows,
            [
                (2, vec![pair("device_sn", "a"), pair("device_secret", "x,y")]),
                (4, vec![pair("device_sn", "b")]),
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_without_its_content() {
        let why = |text: &str| rows(text.as_bytes()).unwrap_err();
        assert_eq!(why("a,b\n1,2\nhunter22\n"), "line 3 has 1 fields, the header 2");
        assert_eq!(why("a,a\n"), "the header has `a` twice");
        assert_eq!(why("a,hunter 22\n"), "column 2 of the header is no name of a setting");
        let why = rows(b"a\nhunter22\xff\n").unwrap_err();
        assert_eq!(why, "line 2 is not UTF-8");
    }
}
