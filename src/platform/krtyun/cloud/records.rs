//! What the cloud keeps: products, devices, reports. Every change goes out as a value to persist.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};

use super::super::wire;
use super::product::{Product, Rules};
use crate::cloud::{CloudCx, ConnectionId, ReportView, What, decode};
use crate::error::CodecError;
use crate::json::Object;
use crate::secret::Secret;

const PRODUCT: &str = "product";
const DEVICE: &str = "device";
const REPORT: &str = "report";

/// Secrets that we make (the vendor's length is unknown).
pub(super) const SECRET_LEN: usize = 16;

/// All products and their devices. Devices stand apart, because kept values come back in any order.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub(super) products: BTreeMap<String, Product>,
    pub(super) devices: BTreeMap<String, Devices>,
    reports: BTreeMap<String, BTreeMap<String, Reports>>,
}

/// The devices of one product, by DeviceID.
#[derive(Debug, Default)]
pub(super) struct Devices {
    by_name: BTreeMap<String, Device>,
    auto: u64,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Device {
    #[n(0)]
    pub(super) secret: Secret,
    #[n(1)]
    pub(super) standing: Standing,
    #[n(2)]
    pub(super) disabled: bool,
    /// Created by its own first login.
    #[n(3)]
    pub(super) auto: bool,
    #[n(4)]
    pub(super) hardware: Option<String>,
    #[n(5)]
    pub(super) firmware: Option<String>,
    /// Unix milliseconds; kept along with other changes, not for itself.
    #[n(6)]
    pub(super) last_active: Option<u64>,
    #[n(7)]
    pub(super) upgrade: Option<Upgrade>,
    #[cbor(skip)]
    pub(super) online: Option<ConnectionId>,
}

/// How far a device is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) enum Standing {
    /// Its secret was never handed out by registration; it may log in with it all the same (一机一密).
    #[n(0)]
    Inactive,
    /// Handed out, and not confirmed. It may be asked for again: the same one.
    #[n(1)]
    Issued {
        /// Of the last request: what the confirmation has to carry.
        #[n(0)]
        id: String,
    },
    #[n(2)]
    Active,
}

/// An order to update one device.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
pub(super) struct Upgrade {
    #[n(0)]
    pub(super) id: String,
    #[n(1)]
    pub(super) version: String,
    #[n(2)]
    pub(super) state: UpgradeState,
    #[n(3)]
    pub(super) detail: String,
    #[n(4)]
    pub(super) sent: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub(super) enum UpgradeState {
    /// The device was not there yet.
    #[n(0)]
    Pending,
    #[n(1)]
    Sent,
    /// It said OK; nothing tells more until it reports.
    #[n(2)]
    Downloading,
    #[n(3)]
    Succeeded,
    #[n(4)]
    Failed,
    #[n(5)]
    Cancelled,
}

/// The last reports of one device, oldest first.
#[derive(Debug, Default, Encode, Decode)]
#[cbor(map)]
struct Reports {
    #[n(0)]
    items: VecDeque<Report>,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Report {
    #[n(0)]
    at: u64,
    #[n(1)]
    hardware: String,
    #[n(2)]
    firmware: String,
}

impl Catalog {
    pub(super) fn load(
        &mut self,
        table: &str,
        key: &str,
        value: &[u8],
    ) -> Result<(), crate::cbor::Fault> {
        let pair = || {
            let error = || crate::cbor::Fault::Malformed;
            key.split_once('/').ok_or_else(error)
        };
        match table {
            PRODUCT => {
                self.products.insert(key.to_string(), decode(value)?);
            }
            DEVICE => {
                let (product, device) = pair()?;
                entry(&mut self.devices, product).insert(device, decode(value)?);
            }
            REPORT => {
                let (product, device) = pair()?;
                let reports = decode(value)?;
                entry(&mut self.reports, product).insert(device.to_string(), reports);
            }
            // Of a later version.
            _ => {}
        }
        Ok(())
    }

    /// The rules of a product that exists; the default ones for one that does not.
    pub(super) fn rules(&self, product: &str) -> Rules {
        self.products.get(product).map(|p| p.rules).unwrap_or_default()
    }

    pub(super) fn device(&self, product: &str, device: &str) -> Option<&Device> {
        self.devices.get(product)?.get(device)
    }

    pub(super) fn device_mut(&mut self, product: &str, device: &str) -> Option<&mut Device> {
        self.devices.get_mut(product)?.get_mut(device)
    }

    pub(super) fn insert_device(
        &mut self,
        product: &str,
        name: &str,
        device: Device,
        cx: &mut CloudCx<'_>,
    ) {
        device.keep(product, name, cx);
        entry(&mut self.devices, product).insert(name, device);
    }

    /// Changes a device, and keeps it if `change` says that it did.
    pub(super) fn change_device(
        &mut self,
        product: &str,
        name: &str,
        cx: &mut CloudCx<'_>,
        change: impl FnOnce(&mut Device, &mut CloudCx<'_>) -> bool,
    ) {
        if let Some(device) = self.device_mut(product, name)
            && change(device, cx)
        {
            device.keep(product, name, cx);
        }
    }

    /// A version report: the only proof that an update succeeded.
    pub(super) fn reported(
        &mut self,
        product: &str,
        name: &str,
        hardware: String,
        firmware: String,
        cx: &mut CloudCx<'_>,
    ) {
        let at = cx.unix();
        self.change_device(product, name, cx, |device, cx| {
            device.last_active = Some(at);
            device.hardware = Some(hardware.clone());
            device.firmware = Some(firmware.clone());
            if let Some(upgrade) = device.upgrade.as_mut()
                && upgrade.state.is_open()
                && upgrade.version == firmware
            {
                upgrade.state = UpgradeState::Succeeded;
                cx.log(What::Update, key(product, name), upgrade.state.name());
            }
            true
        });
        let most = cx.limits.reports_per_device;
        let reports = entry(entry(&mut self.reports, product), name);
        reports.items.push_back(Report { at, hardware, firmware });
        while reports.items.len() > most {
            reports.items.pop_front();
        }
        cx.put(REPORT, key(product, name), reports);
    }

    /// Latest first.
    pub(super) fn reports(&self, product: &str, name: &str) -> Vec<ReportView> {
        let Some(reports) = self.reports.get(product).and_then(|all| all.get(name)) else {
            return Vec::new();
        };
        let view = |report: &Report| ReportView {
            at: report.at,
            json: Object::new()
                .string("HW_VERSION", &report.hardware)
                .string("FW_VERSION", &report.firmware)
                .end(),
        };
        reports.items.iter().rev().map(view).collect()
    }

    pub(super) fn remove_device(&mut self, product: &str, name: &str, cx: &mut CloudCx<'_>) {
        if self.devices.get_mut(product).is_some_and(|all| all.remove(name)) {
            cx.delete(DEVICE, key(product, name));
        }
        if self.reports.get_mut(product).and_then(|all| all.remove(name)).is_some() {
            cx.delete(REPORT, key(product, name));
        }
    }

    pub(super) fn keep_product(&self, id: &str, cx: &mut CloudCx<'_>) {
        if let Some(product) = self.products.get(id) {
            cx.put(PRODUCT, id, product);
        }
    }
}

impl Devices {
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn auto_created(&self) -> u64 {
        self.auto
    }

    pub(super) fn get(&self, name: &str) -> Option<&Device> {
        self.by_name.get(name)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Device> {
        self.by_name.get_mut(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Device)> {
        self.by_name.iter()
    }

    /// Those whose names come after `name`.
    pub(super) fn after(&self, name: &str) -> impl Iterator<Item = (&String, &Device)> {
        use core::ops::Bound::{Excluded, Unbounded};
        self.by_name.range::<str, _>((Excluded(name), Unbounded))
    }

    fn insert(&mut self, name: &str, device: Device) {
        self.auto += u64::from(device.auto);
        if let Some(old) = self.by_name.insert(name.to_string(), device) {
            self.auto -= u64::from(old.auto);
        }
    }

    fn remove(&mut self, name: &str) -> bool {
        let Some(device) = self.by_name.remove(name) else { return false };
        self.auto -= u64::from(device.auto);
        true
    }
}

impl Device {
    pub(super) fn new(secret: String, auto: bool) -> Self {
        Self {
            secret: Secret::new(secret),
            standing: Standing::Inactive,
            disabled: false,
            auto,
            hardware: None,
            firmware: None,
            last_active: None,
            upgrade: None,
            online: None,
        }
    }

    pub(super) fn keep(&self, product: &str, name: &str, cx: &mut CloudCx<'_>) {
        cx.put(DEVICE, key(product, name), self);
    }
}

impl UpgradeState {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Downloading => "downloading",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the order still stands.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Sent | Self::Downloading)
    }
}

impl Upgrade {
    /// Anything but exactly OK is a failed command (the vendor's console).
    pub(super) fn answered(&mut self, back: &str) {
        if back == wire::OK {
            self.state = UpgradeState::Downloading;
        } else {
            self.fail(&["the device answered BACK ", back].concat());
        }
    }

    pub(super) fn fail(&mut self, why: &str) {
        self.state = UpgradeState::Failed;
        self.detail = why.to_string();
    }
}

/// The entry called `name`, made if there is none.
fn entry<'a, T: Default>(map: &'a mut BTreeMap<String, T>, name: &str) -> &'a mut T {
    map.entry(name.to_string()).or_default()
}

/// `product/device`: neither has a slash in it.
pub(super) fn key(product: &str, device: &str) -> String {
    [product, "/", device].concat()
}

/// What is wrong with a body, for the log.
pub(super) fn explain(error: &CodecError) -> String {
    match error {
        CodecError::NotJson => "the body is not JSON".to_string(),
        CodecError::NotAnObject => "the body is no JSON object".to_string(),
        CodecError::NotUtf8 => "the body is not UTF-8".to_string(),
        CodecError::TooLong => "the body is too long".to_string(),
        CodecError::TooDeep => "the body is nested too deeply".to_string(),
        CodecError::Missing(field) => format!("`{field}` is missing"),
        CodecError::Invalid(field) => format!("`{field}` is not what it has to be"),
    }
}
