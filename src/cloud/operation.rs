//! What operators do, as values: the same for the command line, the HTTP API and the page.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::platform::PlatformName;

/// An operator's action on one platform.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Operation {
    /// Whose cloud.
    pub platform: PlatformName,
    /// What to do.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub action: Action,
}

/// What to do. Not every platform knows every action; one that does not says so.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "action", rename_all = "snake_case"))]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
pub enum Action {
    /// Creates a product. Id and secret are generated where they are not given.
    CreateProduct {
        /// A name for people.
        #[cfg_attr(feature = "serde", serde(default))]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<_>"))]
        name: String,
        /// ProductSN, productId, ProductID or ProductKey.
        #[cfg_attr(feature = "serde", serde(default))]
        id: Option<String>,
        /// ProductSecret or productKey.
        #[cfg_attr(feature = "serde", serde(default))]
        secret: Option<String>,
        /// Switches and settings of the product, by the platform's names, as [`Action::Switch`] takes them.
        #[cfg_attr(feature = "serde", serde(default))]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<_>"))]
        switches: BTreeMap<String, String>,
    },
    /// Lists the products.
    ListProducts {
        /// With their secrets.
        #[cfg_attr(feature = "serde", serde(default))]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<_>"))]
        reveal: bool,
    },
    /// Imports devices from CSV. The first row names the columns; which ones a platform knows is in its
    /// documentation. Known devices are left as they are.
    ImportDevices {
        /// The product.
        product: String,
        /// CSV, RFC 4180.
        csv: String,
    },
    /// Lists devices of a product, in the order of their names.
    ListDevices {
        /// The product.
        product: String,
        /// Only names after this one.
        #[cfg_attr(feature = "serde", serde(default))]
        after: Option<String>,
        /// At most this many; 100 if absent, 1,000 at most.
        #[cfg_attr(feature = "serde", serde(default))]
        limit: Option<usize>,
        /// With their secrets.
        #[cfg_attr(feature = "serde", serde(default))]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<_>"))]
        reveal: bool,
    },
    /// Shows these devices of a product, in the order of their names; those that are not there are left out. A page
    /// that follows the log asks for what a line speaks of, and not for everything again.
    GetDevices {
        /// The product.
        product: String,
        /// Their names, at most 1,000.
        devices: Vec<String>,
        /// With their secrets.
        #[cfg_attr(feature = "serde", serde(default))]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<_>"))]
        reveal: bool,
    },
    /// Changes a switch or setting of a product, or of the platform if `product` is absent.
    Switch {
        /// The product.
        #[cfg_attr(feature = "serde", serde(default))]
        product: Option<String>,
        /// Name, by the platform's documentation.
        name: String,
        /// `true`, `false`, or a value.
        value: String,
    },
    /// Forbids a device to connect, or allows it again. Its session is closed.
    Disable {
        /// The product.
        product: String,
        /// The device.
        device: String,
        /// Whether it is to be forbidden.
        disabled: bool,
    },
    /// Puts a device back to before its activation, so that it may register again.
    Reset {
        /// The product.
        product: String,
        /// The device.
        device: String,
        /// Whether it is to get a new secret; this voids the one in the field.
        #[cfg_attr(feature = "serde", serde(default))]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<_>"))]
        new_secret: bool,
    },
    /// Deletes a device. Its session is closed.
    DeleteDevice {
        /// The product.
        product: String,
        /// The device.
        device: String,
    },
    /// Makes an image known. The host keeps its bytes, and serves them at `url`, before it says so.
    AddFirmware {
        /// The product.
        product: String,
        /// UCloud's module; `default` if absent.
        #[cfg_attr(feature = "serde", serde(default))]
        module: Option<String>,
        /// The version that the image is.
        version: String,
        /// Where devices fetch it.
        url: String,
        /// Bytes.
        size: u64,
        /// Lower-case hex.
        md5: String,
        /// Lower-case hex.
        sha256: String,
    },
    /// Lists the images of a product, with sizes and digests.
    ListFirmware {
        /// The product.
        product: String,
    },
    /// Orders devices to update to an image that is known.
    PushUpgrade {
        /// The product.
        product: String,
        /// UCloud's module; `default` if absent.
        #[cfg_attr(feature = "serde", serde(default))]
        module: Option<String>,
        /// The version.
        version: String,
        /// These devices; all of the product if absent.
        #[cfg_attr(feature = "serde", serde(default))]
        devices: Option<Vec<String>>,
    },
    /// Takes an order to update back.
    CancelUpgrade {
        /// The product.
        product: String,
        /// UCloud's module; `default` if absent.
        #[cfg_attr(feature = "serde", serde(default))]
        module: Option<String>,
        /// These devices; all of the product if absent.
        #[cfg_attr(feature = "serde", serde(default))]
        devices: Option<Vec<String>>,
    },
    /// Lists the updates ordered for a product's devices, with their states.
    ListUpgrades {
        /// The product.
        product: String,
    },
    /// Sets properties on a device (UCloud `tmodel/property/set`, Alibaba `thing/service/property/set`).
    SetProperties {
        /// The product.
        product: String,
        /// The device.
        device: String,
        /// JSON object of identifier and value.
        json: String,
    },
    /// What was reported by a device, latest first.
    ListReports {
        /// The product.
        product: String,
        /// The device.
        device: String,
    },
    /// Creates an owner with a home and an `iotToken` (Alibaba).
    CreateOwner {
        /// Who.
        identity: String,
    },
    /// Lists owners, homes and bound devices (Alibaba).
    ListOwners {
        /// With their tokens.
        #[cfg_attr(feature = "serde", serde(default))]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<_>"))]
        reveal: bool,
    },
    /// Puts a sub-device under a gateway (Alibaba).
    AddTopology {
        /// The gateway's product.
        product: String,
        /// The gateway.
        device: String,
        /// The sub-device's product.
        sub_product: String,
        /// The sub-device.
        sub_device: String,
    },
    /// Takes a sub-device from its gateway, as the app's `/thing/topo/remove` does (Alibaba).
    RemoveTopology {
        /// The gateway's product.
        product: String,
        /// The gateway.
        device: String,
        /// The sub-device's product.
        sub_product: String,
        /// The sub-device.
        sub_device: String,
    },
    /// Lists gateways, who may join them, and their sub-devices (Alibaba).
    ListTopology,
    /// Lists devices that wait for an owner: with a bind token that is good, or announced by an operator (Alibaba).
    ListBindTokens {
        /// With the tokens: who knows one can take the device.
        #[cfg_attr(feature = "serde", serde(default))]
        #[cfg_attr(feature = "ts", ts(optional, as = "Option<_>"))]
        reveal: bool,
    },
    /// Opens or closes joining on a gateway, as the app's call does (Alibaba).
    Permit {
        /// The gateway's product.
        product: String,
        /// The gateway.
        device: String,
        /// Only for sub-devices of this product.
        #[cfg_attr(feature = "serde", serde(default))]
        sub_product: Option<String>,
        /// 0 always, 1–65534 seconds, 65535 closed.
        seconds: u32,
    },
}

impl core::fmt::Debug for Action {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Some actions carry secrets; the name alone is enough for a log.
        f.write_str(self.name())
    }
}

impl Action {
    /// The action's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CreateProduct { .. } => "create_product",
            Self::ListProducts { .. } => "list_products",
            Self::ImportDevices { .. } => "import_devices",
            Self::ListDevices { .. } => "list_devices",
            Self::GetDevices { .. } => "get_devices",
            Self::Switch { .. } => "switch",
            Self::Disable { .. } => "disable",
            Self::Reset { .. } => "reset",
            Self::DeleteDevice { .. } => "delete_device",
            Self::AddFirmware { .. } => "add_firmware",
            Self::ListFirmware { .. } => "list_firmware",
            Self::PushUpgrade { .. } => "push_upgrade",
            Self::CancelUpgrade { .. } => "cancel_upgrade",
            Self::ListUpgrades { .. } => "list_upgrades",
            Self::SetProperties { .. } => "set_properties",
            Self::ListReports { .. } => "list_reports",
            Self::CreateOwner { .. } => "create_owner",
            Self::ListOwners { .. } => "list_owners",
            Self::AddTopology { .. } => "add_topology",
            Self::RemoveTopology { .. } => "remove_topology",
            Self::ListTopology => "list_topology",
            Self::ListBindTokens { .. } => "list_bind_tokens",
            Self::Permit { .. } => "permit",
        }
    }

    /// Whether it only looks. That is not written to the log: whoever follows the log, and looks at what it speaks
    /// of, would be answering to themselves for ever.
    pub(crate) fn only_looks(&self) -> bool {
        match self {
            Self::ListProducts { .. }
            | Self::ListDevices { .. }
            | Self::GetDevices { .. }
            | Self::ListFirmware { .. }
            | Self::ListUpgrades { .. }
            | Self::ListReports { .. }
            | Self::ListOwners { .. }
            | Self::ListTopology
            | Self::ListBindTokens { .. } => true,
            Self::CreateProduct { .. }
            | Self::ImportDevices { .. }
            | Self::Switch { .. }
            | Self::Disable { .. }
            | Self::Reset { .. }
            | Self::DeleteDevice { .. }
            | Self::AddFirmware { .. }
            | Self::PushUpgrade { .. }
            | Self::CancelUpgrade { .. }
            | Self::SetProperties { .. }
            | Self::CreateOwner { .. }
            | Self::AddTopology { .. }
            | Self::RemoveTopology { .. }
            | Self::Permit { .. } => false,
        }
    }

    /// What it is about, as a line of the log names it: `product/device`, the product, or nothing.
    pub(crate) fn subject(&self) -> String {
        match self {
            Self::Disable { product, device, .. }
            | Self::Reset { product, device, .. }
            | Self::DeleteDevice { product, device }
            | Self::SetProperties { product, device, .. }
            | Self::AddTopology { product, device, .. }
            | Self::RemoveTopology { product, device, .. }
            | Self::Permit { product, device, .. }
            | Self::ListReports { product, device } => [product, "/", device].concat(),
            Self::ImportDevices { product, .. }
            | Self::ListDevices { product, .. }
            | Self::GetDevices { product, .. }
            | Self::AddFirmware { product, .. }
            | Self::ListFirmware { product }
            | Self::PushUpgrade { product, .. }
            | Self::CancelUpgrade { product, .. }
            | Self::ListUpgrades { product } => product.clone(),
            Self::Switch { product, .. } | Self::CreateProduct { id: product, .. } => {
                product.clone().unwrap_or_default()
            }
            Self::ListProducts { .. }
            | Self::CreateOwner { .. }
            | Self::ListOwners { .. }
            | Self::ListTopology
            | Self::ListBindTokens { .. } => String::new(),
        }
    }
}

/// As many names as [`Action::GetDevices`] takes, and devices as one list shows.
pub(crate) const MOST_LISTED: usize = 1_000;

/// The names of a [`Action::GetDevices`], in order and each once.
pub(crate) fn asked_for(mut names: Vec<String>) -> Result<Vec<String>, OperationError> {
    if names.len() > MOST_LISTED {
        return Err(OperationError::invalid("at most 1,000 devices at a time"));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// What came of an action.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "result", rename_all = "snake_case"))]
#[non_exhaustive]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum OperationResult {
    /// Done; nothing to tell.
    Done,
    /// One product, its secret shown if it was just made.
    Product(ProductView),
    /// Products.
    Products {
        /// Each.
        items: Vec<ProductView>,
    },
    /// Devices.
    Devices {
        /// How many the product has.
        total: usize,
        /// Those asked for.
        items: Vec<DeviceView>,
    },
    /// What an import did.
    Imported {
        /// New devices.
        added: usize,
        /// Devices that were there already.
        existing: usize,
        /// Rows that could not be taken, by line, with the reason.
        rejected: Vec<RejectedRow>,
    },
    /// Images.
    Firmware {
        /// Each.
        items: Vec<FirmwareView>,
    },
    /// Updates.
    Upgrades {
        /// Each.
        items: Vec<UpgradeView>,
    },
    /// How many devices an order went to (now or when they ask).
    Ordered {
        /// Devices.
        devices: usize,
    },
    /// Reports, latest first.
    Reports {
        /// Each.
        items: Vec<ReportView>,
    },
    /// Owners.
    Owners {
        /// Each.
        items: Vec<OwnerView>,
    },
    /// Gateways.
    Topology {
        /// Each, at most 1,000.
        items: Vec<GatewayView>,
    },
    /// Devices that wait for an owner.
    BindTokens {
        /// Each, at most 1,000; those announced first, then as they reported.
        items: Vec<BindTokenView>,
    },
}

impl core::fmt::Debug for OperationResult {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Results may show secrets to the operator who asked; a log must not.
        f.write_str("OperationResult(…)")
    }
}

/// A product as operators see it.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ProductView {
    /// ProductSN, productId, ProductID or ProductKey.
    pub id: String,
    /// A name for people.
    pub name: String,
    /// Only if asked for.
    pub secret: Option<String>,
    /// Switches and settings by the platform's names.
    pub switches: BTreeMap<String, String>,
    /// How many devices it has.
    pub devices: usize,
    /// Firmware versions known.
    pub firmware: Vec<String>,
}

/// A device as operators see it.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct DeviceView {
    /// DeviceSN, deviceNo, DeviceID or DeviceName.
    pub name: String,
    /// `inactive`, `offline`, `online` or `disabled`.
    pub state: String,
    /// Only if asked for, and there is one.
    pub secret: Option<String>,
    /// The firmware version last reported.
    pub version: Option<String>,
    /// Unix milliseconds of the last sign of life.
    pub last_active: Option<u64>,
    /// More, by the platform's names: iotId, deviceId, number type, …
    pub more: BTreeMap<String, String>,
}

/// A row of an import that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct RejectedRow {
    /// Counted from 1, the row of names included.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// An ordered update as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct UpgradeView {
    /// The device.
    pub device: String,
    /// UCloud's module.
    pub module: Option<String>,
    /// The target version.
    pub version: String,
    /// `pending`, `sent`, `downloading`, `upgrading`, `succeeded`, `failed` or `cancelled`.
    pub state: String,
    /// Percent, or the reason of a failure.
    pub detail: String,
}

/// A firmware image as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct FirmwareView {
    /// UCloud's and Alibaba's module; absent for the default one.
    pub module: Option<String>,
    /// The version that it is.
    pub version: String,
    /// Bytes.
    pub size: u64,
    /// Lower-case hex.
    pub md5: String,
    /// Lower-case hex.
    pub sha256: String,
    /// Where devices fetch it.
    pub url: String,
}

/// A report as operators see it. Secrets in it are masked.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ReportView {
    /// Unix milliseconds.
    pub at: u64,
    /// JSON.
    pub json: String,
}

/// An owner as operators see it.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct OwnerView {
    /// Who.
    pub identity: String,
    /// The home.
    pub home_id: String,
    /// Only if asked for, or just made.
    pub iot_token: Option<String>,
    /// What an app gets another `iotToken` with; only if asked for, or just made.
    #[cfg_attr(feature = "serde", serde(default))]
    pub refresh_token: Option<String>,
    /// Unix milliseconds until which the `iotToken` is good.
    #[cfg_attr(feature = "serde", serde(default))]
    pub iot_token_until: u64,
    /// Unix milliseconds until which another one can be got.
    #[cfg_attr(feature = "serde", serde(default))]
    pub refresh_token_until: u64,
    /// `productKey/deviceName` of bound devices.
    pub devices: Vec<String>,
}

/// A gateway as operators see it (Alibaba).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct GatewayView {
    /// Its ProductKey.
    pub product: String,
    /// Its DeviceName.
    pub device: String,
    /// As in [`DeviceView::state`].
    pub state: String,
    /// Who owns it.
    pub owner: Option<String>,
    /// Whether sub-devices may join.
    pub permit: Option<PermitView>,
    /// Its sub-devices.
    pub subs: Vec<SubDeviceView>,
}

/// That joining is open, as operators see it (Alibaba).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct PermitView {
    /// Only for sub-devices of this product.
    pub product: Option<String>,
    /// Unix milliseconds; absent: always.
    pub until: Option<u64>,
}

/// A sub-device as operators see it (Alibaba).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SubDeviceView {
    /// Its ProductKey.
    pub product: String,
    /// Its DeviceName.
    pub device: String,
    /// As in [`DeviceView::state`].
    pub state: String,
}

/// A device that waits for an owner, as operators see it (Alibaba).
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct BindTokenView {
    /// Its ProductKey.
    pub product: String,
    /// Its DeviceName.
    pub device: String,
    /// Its token, if it reported one that is good; shown only if asked for.
    pub token: Option<String>,
    /// Unix milliseconds until which its token is good.
    pub token_until: Option<u64>,
    /// Unix milliseconds until which it can be bound by time window.
    pub window_until: Option<u64>,
    /// Whether an operator announced it.
    pub announced: bool,
}

/// Views may show secrets to the operator who asked; `Debug` shows who it is about, and nothing else.
macro_rules! debug_by_name {
    ($($View:ident $name:ident),*) => { $(
        impl core::fmt::Debug for $View {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, concat!(stringify!($View), "({})"), self.$name)
            }
        }
    )* };
}

debug_by_name!(ProductView id, DeviceView name, ReportView at, OwnerView identity, BindTokenView device);

/// Why an action was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct OperationError {
    /// The kind of refusal.
    pub kind: OperationErrorKind,
    /// For a person, with the next move.
    pub message: String,
}

/// The kind of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum OperationErrorKind {
    /// No such product, device or image.
    NotFound,
    /// It exists already.
    Exists,
    /// A value cannot be used.
    Invalid,
    /// A limit is reached.
    Full,
    /// This platform knows no such action.
    Unsupported,
}

impl OperationError {
    pub(crate) fn new(kind: OperationErrorKind, message: &str) -> Self {
        Self { kind, message: message.to_string() }
    }
    pub(crate) fn not_found(message: &str) -> Self {
        Self::new(OperationErrorKind::NotFound, message)
    }
    pub(crate) fn exists(message: &str) -> Self {
        Self::new(OperationErrorKind::Exists, message)
    }
    pub(crate) fn invalid(message: &str) -> Self {
        Self::new(OperationErrorKind::Invalid, message)
    }
    pub(crate) fn full(message: &str) -> Self {
        Self::new(OperationErrorKind::Full, message)
    }
    pub(crate) fn unsupported(message: &str) -> Self {
        Self::new(OperationErrorKind::Unsupported, message)
    }
}
