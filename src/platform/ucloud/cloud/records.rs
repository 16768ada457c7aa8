//! What is kept, in memory and (through [`CloudCx::put`]) on the host's storage.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};

use super::{Visit, subject};
use crate::cloud::{CloudCx, ConnectionId, Firmware};
use crate::json::{Document, Object};
use crate::platform::ucloud::wire::{self, AuthMode};
use crate::secret::Secret;

/// Tables of the host's storage. Keys are `product`, `product/device`, `product/module/version`,
/// `product/device/module` and `product/device/slot`.
pub(super) const PRODUCT: &str = "product";
pub(super) const DEVICE: &str = "device";
pub(super) const FIRMWARE: &str = "firmware";
pub(super) const UPGRADE: &str = "upgrade";
pub(super) const REPORT: &str = "report";
pub(super) const PROPERTIES: &str = "properties";
pub(super) const SWITCH: &str = "switch";

/// Longer payloads are remembered by their length alone.
const MAX_REPORT: usize = 1024;

/// One product and all that belongs to it.
#[derive(Debug, Default)]
pub(super) struct Product {
    pub(super) record: ProductRecord,
    pub(super) devices: BTreeMap<String, Device>,
    /// By module and version.
    pub(super) firmware: BTreeMap<(String, String), Firmware>,
    /// By device; one for each module.
    pub(super) upgrades: BTreeMap<String, Vec<Upgrade>>,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct ProductRecord {
    #[n(0)]
    pub(super) name: String,
    #[n(1)]
    pub(super) secret: Secret,
    #[n(2)]
    pub(super) dynamic_register: bool,
    #[n(3)]
    pub(super) pre_register: bool,
}

impl Default for ProductRecord {
    /// As the vendor's console creates them: the switch for dynamic registration has to be opened (seed document), and
    /// only devices that were added may register.
    fn default() -> Self {
        Self {
            name: String::new(),
            secret: Secret::new(""),
            dynamic_register: false,
            pre_register: true,
        }
    }
}

impl Product {
    /// While a host loads, a product may have devices before it has a record of its own.
    pub(super) fn exists(&self) -> bool {
        !self.record.secret.is_empty()
    }

    pub(super) fn device_entry(&mut self, name: &str) -> &mut Device {
        self.devices
            .entry(name.to_string())
            .or_insert_with(|| Device::new(DeviceRecord::new(Secret::new(""))))
    }

    pub(super) fn add_firmware(&mut self, image: Firmware) {
        let module = image.module.clone().unwrap_or_default();
        self.firmware.insert((module, image.version.clone()), image);
    }

    pub(super) fn image(&self, module: &str, version: &str) -> Option<&Firmware> {
        self.firmware.get(&(module.to_string(), version.to_string()))
    }

    /// A module exists once there is an image for it; the default one always does.
    pub(super) fn has_module(&self, module: &str) -> bool {
        if module == wire::DEFAULT_MODULE {
            return true;
        }
        let from = (module.to_string(), String::new());
        self.firmware.range(from..).next().is_some_and(|((known, _), _)| known == module)
    }

    pub(super) fn upgrade(&mut self, device: &str, module: &str) -> Option<&mut Upgrade> {
        self.upgrades.get_mut(device)?.iter_mut().find(|upgrade| upgrade.module == module)
    }
}

/// One device.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) record: DeviceRecord,
    /// Where it is connected now, and how it logged in.
    pub(super) online: Option<(ConnectionId, AuthMode)>,
    /// What few devices have, apart, so that a million idle ones stay small.
    extra: Option<Box<Extra>>,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct DeviceRecord {
    #[n(0)]
    pub(super) secret: Secret,
    #[n(1)]
    pub(super) activated: bool,
    #[n(2)]
    pub(super) disabled: bool,
    /// Module and version, as last reported.
    #[n(3)]
    pub(super) versions: Vec<(String, String)>,
    /// Unix milliseconds; kept whenever something else changes. 0: never.
    #[n(4)]
    pub(super) last_active: u64,
}

impl DeviceRecord {
    pub(super) fn new(secret: Secret) -> Self {
        Self { secret, activated: false, disabled: false, versions: Vec::new(), last_active: 0 }
    }

    pub(super) fn version(&self, module: &str) -> Option<&str> {
        self.versions.iter().find(|(known, _)| known == module).map(|(_, version)| version.as_str())
    }

    /// `false`: it was known.
    pub(super) fn set_version(&mut self, module: &str, version: &str) -> bool {
        match self.versions.iter_mut().find(|(known, _)| known == module) {
            Some((_, known)) if known == version => return false,
            Some((_, known)) => *known = version.to_string(),
            None => self.versions.push((module.to_string(), version.to_string())),
        }
        true
    }
}

/// Reports and properties of one device.
#[derive(Debug, Default)]
pub(super) struct Extra {
    /// Oldest first.
    pub(super) reports: VecDeque<Report>,
    pub(super) properties: Properties,
}

impl Extra {
    /// Takes back a kept report; they may come in any order.
    pub(super) fn load_report(&mut self, report: Report) {
        let at = self.reports.partition_point(|known| known.number < report.number);
        self.reports.insert(at, report);
    }
}

/// Something that a device published.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Report {
    /// Counted up for each device.
    #[n(0)]
    pub(super) number: u64,
    /// Unix milliseconds.
    #[n(1)]
    pub(super) at: u64,
    /// JSON: topic and payload.
    #[n(2)]
    pub(super) json: String,
}

/// The latest value of each property, as JSON, with the time at which it came.
#[derive(Default, Encode, Decode)]
#[cbor(transparent)]
pub(super) struct Properties(#[n(0)] pub(super) BTreeMap<String, (String, u64)>);

impl core::fmt::Debug for Properties {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Values are the owner's.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Device {
    pub(super) fn new(record: DeviceRecord) -> Self {
        Self { record, online: None, extra: None }
    }

    pub(super) fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    pub(super) fn reports(&self) -> impl Iterator<Item = &Report> {
        self.extra.iter().flat_map(|extra| extra.reports.iter().rev())
    }

    pub(super) fn put(&self, product: &str, device: &str, cx: &mut CloudCx<'_>) {
        cx.put(DEVICE, subject(product, device), &self.record);
    }

    /// Where it can be reached with its own secret.
    pub(super) fn reachable(&self) -> Option<ConnectionId> {
        self.online.filter(|(_, mode)| *mode == AuthMode::Static).map(|(connection, _)| connection)
    }

    fn add_report(&mut self, product: &str, device: &str, json: String, cx: &mut CloudCx<'_>) {
        let keep = cx.limits.reports_per_device.max(1);
        let at = cx.unix();
        let extra = self.extra();
        let number = extra.reports.back().map_or(0, |last| last.number + 1);
        while extra.reports.len() >= keep {
            extra.reports.pop_front();
        }
        let report = Report { number, at, json };
        // Slots are used in turn: what is kept stays bounded too.
        let slot = (number % keep as u64).to_string();
        cx.put(REPORT, [product, "/", device, "/", &slot].concat(), &report);
        extra.reports.push_back(report);
    }

    /// Deletes all that is kept of it.
    pub(super) fn delete(&self, product: &str, device: &str, cx: &mut CloudCx<'_>) {
        let key = subject(product, device);
        cx.delete(DEVICE, &key);
        let Some(extra) = &self.extra else { return };
        if !extra.properties.0.is_empty() {
            cx.delete(PROPERTIES, &key);
        }
        let keep = cx.limits.reports_per_device.max(1) as u64;
        for report in &extra.reports {
            let slot = (report.number % keep).to_string();
            cx.delete(REPORT, [&key, "/", &slot].concat());
        }
    }
}

impl Visit<'_, '_> {
    /// Remembers what a device published.
    pub(super) fn report(&mut self, topic: &str, payload: &[u8]) {
        let text = core::str::from_utf8(payload).ok();
        self.remember(topic, payload.len(), text, Document::parse(payload).is_ok());
    }

    /// Remembers what a device published; it was parsed already.
    pub(super) fn report_json(&mut self, topic: &str, payload: &[u8]) {
        let text = core::str::from_utf8(payload).ok();
        self.remember(topic, payload.len(), text, true);
    }

    /// By its length alone if it is long or holds a secret: masking could break the JSON around it, and nobody needs a
    /// report of one's own secret.
    fn remember(&mut self, topic: &str, len: usize, text: Option<&str>, is_json: bool) {
        let (product, name) = (&self.session.product, &self.session.device);
        let product_secret = &self.product.record.secret;
        let Some(device) = self.product.devices.get_mut(name) else { return };
        device.record.last_active = self.cx.unix();
        let secrets = [product_secret, &device.record.secret];
        let text = text
            .filter(|text| text.len() <= MAX_REPORT)
            .filter(|text| !secrets.iter().any(|secret| holds(text, secret)));
        let json = Object::new().string("Topic", topic);
        let json = match text {
            // Behind the JSON there may be white space and NULs.
            Some(text) if is_json => {
                json.raw("Payload", text.trim_end_matches(['\0', ' ', '\t', '\r', '\n']))
            }
            Some(text) => json.string("Text", text),
            None => json.number("Bytes", i64::try_from(len).unwrap_or(i64::MAX)),
        };
        device.add_report(product, name, json.end(), self.cx);
    }
}

/// Whether a text gives a secret away; shorter ones are in everything.
fn holds(text: &str, secret: &Secret) -> bool {
    secret.expose().len() >= 4 && text.contains(secret.expose())
}

/// An update ordered for one module of one device.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Upgrade {
    #[n(0)]
    pub(super) module: String,
    #[n(1)]
    pub(super) version: String,
    #[n(2)]
    pub(super) state: UpgradeState,
    /// Percent, or the reason of a failure.
    #[n(3)]
    pub(super) detail: String,
    /// The order went out and was taken back while the device was away: it has to hear of it.
    #[n(4)]
    pub(super) untold: bool,
}

/// The vendor's 待升级, (sent), 下载中, 升级中, 升级成功, 升级失败, 已取消.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(super) enum UpgradeState {
    #[n(0)]
    Pending,
    #[n(1)]
    Sent,
    #[n(2)]
    Downloading,
    #[n(3)]
    Upgrading,
    #[n(4)]
    Succeeded,
    #[n(5)]
    Failed,
    #[n(6)]
    Cancelled,
}

impl UpgradeState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Downloading => "downloading",
            Self::Upgrading => "upgrading",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl Upgrade {
    pub(super) fn put(&self, product: &str, device: &str, cx: &mut CloudCx<'_>) {
        cx.put(UPGRADE, [product, "/", device, "/", &self.module].concat(), self);
    }
}
