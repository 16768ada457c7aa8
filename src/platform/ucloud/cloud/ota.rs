//! Firmware updates as the platform sees them. Source: the vendor's page `ota.md` and its C SDK.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::records::{Product, Upgrade, UpgradeState};
use super::{Session, Visit, down};
use crate::cloud::{CloudCx, ConnectionId, Firmware, What};
use crate::error::CodecError;
use crate::json::{Document, Object, Value};
use crate::platform::ucloud::wire;

/// A message on `ota/upstream`. The platform answers none of them but `request_firmware`, and that only if an update
/// is pending.
pub(super) fn upstream(payload: &[u8], visit: &mut Visit<'_, '_>) {
    let doc = Document::parse(payload);
    let Ok(report) = doc.as_ref().map_err(Clone::clone).and_then(Report::read) else {
        return visit.dropped("a firmware report that cannot be read");
    };
    if !visit.product.has_module(&report.module) {
        return visit.dropped("a firmware report of a module that has no firmware here");
    }
    let Report { module, what } = report;
    match what {
        Reported::Version(version) => {
            visit.report_json(wire::OTA_UP, payload);
            visit.cx.log(What::Reported, visit.session.subject(), ["version ", &version].concat());
            visit.runs(&module, &version);
            visit.settle(&module, &version);
        }
        Reported::Request(version) => {
            visit.runs(&module, &version);
            visit.settle(&module, &version);
            visit.send_pending(&module, &version);
        }
        Reported::Progress { state, percent, version } => {
            visit.progress(&module, state, percent, version.as_deref());
        }
        Reported::Success(version) => {
            visit.report_json(wire::OTA_UP, payload);
            visit.succeeded(&module, &version);
        }
        Reported::Failure(code) => {
            visit.report_json(wire::OTA_UP, payload);
            let failed = [&code.to_string(), ": ", reason(code)].concat();
            visit.ended(&module, UpgradeState::Failed, &failed);
        }
    }
}

struct Report<'d> {
    module: Cow<'d, str>,
    what: Reported<'d>,
}

enum Reported<'d> {
    Version(Cow<'d, str>),
    Request(Cow<'d, str>),
    Progress { state: UpgradeState, percent: u64, version: Option<Cow<'d, str>> },
    Success(Cow<'d, str>),
    Failure(i64),
}

impl<'d> Report<'d> {
    fn read(doc: &'d Document<'d>) -> Result<Self, CodecError> {
        let root = doc.object()?;
        let payload = root.get("Payload").ok_or_else(|| CodecError::missing("Payload"))?;
        let module = payload.text("Module").unwrap_or(Cow::Borrowed(wire::DEFAULT_MODULE));
        if !wire::is_module(&module) {
            return Err(CodecError::invalid("Module"));
        }
        let what = match root.text("Method").ok_or_else(|| CodecError::missing("Method"))?.as_ref()
        {
            "report_version" => Reported::Version(version(payload)?),
            "request_firmware" => Reported::Request(version(payload)?),
            "report_success" => Reported::Success(version(payload)?),
            "report_fail" => {
                let code = payload.get("ErrCode").and_then(Value::as_i64);
                Reported::Failure(code.ok_or_else(|| CodecError::missing("ErrCode"))?)
            }
            "report_progress" => {
                let percent = payload.get("Percent").and_then(Value::as_u64);
                let percent = percent.filter(|percent| *percent <= 100);
                let state = match payload
                    .text("State")
                    .ok_or_else(|| CodecError::missing("State"))?
                    .as_ref()
                {
                    "downloading" => UpgradeState::Downloading,
                    "burning" => UpgradeState::Upgrading,
                    _ => return Err(CodecError::invalid("State")),
                };
                let percent = percent.ok_or_else(|| CodecError::invalid("Percent"))?;
                Reported::Progress { state, percent, version: version(payload).ok() }
            }
            _ => return Err(CodecError::invalid("Method")),
        };
        Ok(Self { module, what })
    }
}

fn version<'d>(payload: Value<'d>) -> Result<Cow<'d, str>, CodecError> {
    let version = payload.text("Version").ok_or_else(|| CodecError::missing("Version"))?;
    if wire::is_version(&version) { Ok(version) } else { Err(CodecError::invalid("Version")) }
}

/// What an ErrCode stands for, for operators.
fn reason(code: i64) -> &'static str {
    match code {
        -1 => "the URL cannot be reached",
        -2 => "the URL's signature has run out",
        -3 => "the download took too long",
        -4 => "the MD5 does not match",
        -5 => "burning failed",
        _ => "not documented",
    }
}

impl Visit<'_, '_> {
    /// The device says which version a module runs.
    fn runs(&mut self, module: &str, version: &str) {
        let (product, name) = (&self.session.product, &self.session.device);
        let Some(device) = self.product.devices.get_mut(name) else { return };
        device.record.last_active = self.cx.unix();
        if device.record.set_version(module, version) {
            device.put(product, name, self.cx);
        }
    }

    fn change(&mut self, module: &str, change: impl FnOnce(&mut Upgrade) -> Option<String>) {
        let (product, name) = (&self.session.product, &self.session.device);
        let Some(upgrade) = self.product.upgrade(name, module) else { return };
        if let Some(detail) = change(upgrade) {
            upgrade.put(product, name, self.cx);
            self.cx.log(What::Update, self.session.subject(), detail);
        }
    }

    /// An order that never went out to a device that runs the version already has nothing left to do. One that went
    /// out waits for `report_success`, as documented.
    fn settle(&mut self, module: &str, version: &str) {
        self.change(module, |upgrade| {
            (upgrade.state == UpgradeState::Pending && upgrade.version == version).then(|| {
                upgrade.state = UpgradeState::Succeeded;
                upgrade.detail = "ran it already".to_string();
                ["version ", version, " ran already"].concat()
            })
        });
    }

    fn progress(&mut self, module: &str, state: UpgradeState, percent: u64, version: Option<&str>) {
        self.change(module, |upgrade| {
            let meant = version.is_none_or(|version| version == upgrade.version);
            let detail = percent.to_string();
            let under_way = !upgrade.state.is_over() && upgrade.state != UpgradeState::Pending;
            let moved = upgrade.state != state || upgrade.detail != detail;
            (meant && under_way && moved).then(|| {
                upgrade.state = state;
                upgrade.detail = detail;
                [state.name(), " ", &upgrade.detail, " %"].concat()
            })
        });
    }

    fn succeeded(&mut self, module: &str, version: &str) {
        let name = &self.session.device;
        let target = self.product.upgrade(name, module).map(|upgrade| upgrade.version == *version);
        match target {
            // Success of another version than ordered counts as a failure.
            Some(false) => {
                let other = ["success was reported for version ", version].concat();
                self.ended(module, UpgradeState::Failed, &other);
            }
            Some(true) => {
                self.runs(module, version);
                self.ended(module, UpgradeState::Succeeded, "");
            }
            None => self.runs(module, version),
        }
    }

    fn ended(&mut self, module: &str, end: UpgradeState, detail: &str) {
        self.change(module, |upgrade| {
            let counts = match upgrade.state {
                UpgradeState::Sent | UpgradeState::Downloading | UpgradeState::Upgrading => true,
                // Too late to be taken back.
                UpgradeState::Cancelled => end == UpgradeState::Succeeded,
                UpgradeState::Pending | UpgradeState::Succeeded | UpgradeState::Failed => false,
            };
            counts.then(|| {
                upgrade.state = end;
                upgrade.detail = detail.to_string();
                upgrade.untold = false;
                [end.name(), " ", detail].concat()
            })
        });
    }

    /// The device asks whether there is something for it.
    fn send_pending(&mut self, module: &str, runs: &str) {
        let name = &self.session.device;
        let Some(upgrade) = self.product.upgrade(name, module) else { return };
        if upgrade.untold {
            let body = cancel_body(upgrade);
            upgrade.untold = false;
            upgrade.put(&self.session.product, name, self.cx);
            self.down(wire::OTA_DOWN, body);
        } else if !upgrade.state.is_over() && upgrade.version != runs {
            let version = upgrade.version.clone();
            let at = (self.connection, self.session);
            send_update(self.product, at, module, &version, self.cx);
        }
    }
}

/// Sends an order to a device that listens; it waits otherwise.
pub(super) fn send_update(
    product: &mut Product,
    (connection, session): (ConnectionId, &Session),
    module: &str,
    version: &str,
    cx: &mut CloudCx<'_>,
) {
    if session.subscriptions.granted(wire::OTA_DOWN).is_none() {
        return;
    }
    let Some(image) = product.image(module, version) else { return };
    let body = update_body(module, image);
    if !down(connection, session, wire::OTA_DOWN, body, cx) {
        return;
    }
    if let Some(upgrade) = product.upgrade(&session.device, module)
        && upgrade.state != UpgradeState::Sent
    {
        upgrade.state = UpgradeState::Sent;
        upgrade.detail.clear();
        upgrade.put(&session.product, &session.device, cx);
        cx.log(What::Update, session.subject(), ["ordered version ", version].concat());
    }
}

fn update_body(module: &str, image: &Firmware) -> String {
    let payload = Object::new()
        .string("Module", module)
        .string("Version", &image.version)
        .string("URL", &image.url)
        .string("MD5", &image.md5)
        .raw("Size", &image.size.to_string());
    Object::new().string("Method", "update_firmware").object("Payload", payload).end()
}

pub(super) fn cancel_body(upgrade: &Upgrade) -> String {
    let payload =
        Object::new().string("Module", &upgrade.module).string("Version", &upgrade.version);
    Object::new().string("Method", "cancel_update").object("Payload", payload).end()
}

/// Checks an image that an operator makes known, and puts it into the form that devices can use.
pub(super) fn image(
    module: Option<String>,
    version: String,
    url: String,
    size: u64,
    md5: &str,
    sha256: &str,
) -> Result<Firmware, &'static str> {
    let module = module.unwrap_or_else(|| wire::DEFAULT_MODULE.to_string());
    if !wire::is_module(&module) {
        return Err("a module has 4 to 32 letters, digits, `.`, `-` or `_`");
    }
    if !wire::is_version(&version) {
        return Err("a version has 1 to 32 letters, digits, `.`, `-` or `_`");
    }
    if !(1..=wire::MAX_FIRMWARE).contains(&size) {
        return Err("an image has 1 byte to 10 MB");
    }
    let hex = |text: &str, len| text.len() == len && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !hex(md5, 32) || !hex(sha256, 64) {
        return Err("MD5 has to be 32 hex characters, SHA-256 64");
    }
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    if host.is_none_or(str::is_empty) || url.len() > 1024 || !url.bytes().all(plain) {
        return Err("the URL has to be http or https, of at most 1024 plain ASCII characters");
    }
    // The vendor's C SDK cannot fetch from a URL without a query.
    let url = if url.contains('?') { url } else { [&url, "?Version=", &version].concat() };
    let (md5, sha256) = (md5.to_ascii_lowercase(), sha256.to_ascii_lowercase());
    Ok(Firmware { module: Some(module), version, url, size, md5, sha256 })
}

/// Versions known, as `version` or `module/version`.
pub(super) fn versions(product: &Product) -> Vec<String> {
    let name = |(module, version): &(String, String)| match module.as_str() {
        wire::DEFAULT_MODULE => version.clone(),
        module => [module, "/", version].concat(),
    };
    product.firmware.keys().map(name).collect()
}
