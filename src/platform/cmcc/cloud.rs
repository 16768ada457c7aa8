//! The platform: products, imported device numbers, the two calls, and what was reported.
//!
//! Strict by default. What the document leaves open is assumed, listed in `docs/protocols/cmcc.md`, and in part a
//! [switch](Switch).
//!
//! Every look-up is in an ordered map. Memory is bounded by what the operator imported and by
//! [`Limits`](crate::cloud::Limits): at most so many reports of a device, and of all devices together, are kept, each
//! built from fields of bounded length.

mod check;
mod operate;
mod request;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::cbor::{Decode, Encode};

use super::config::DeviceNoType;
use crate::cloud::{
    CloudCx, CloudSide, ConnectPacket, ConnectionId, HttpRequest, Operation, OperationError,
    OperationResult, Packet, RequestId, decode,
};
use crate::secret::Secret;
use crate::time::Instant;

/// Tables of kept values.
const PRODUCTS: &str = "product";
const DEVICES: &str = "device";
const REPORTS: &str = "report";
const PLATFORM: &str = "platform";
/// The only key of [`PLATFORM`].
const SWITCHES: &str = "switches";

/// A device's place: product id and device number.
type DeviceKey = (String, String);

/// `deviceId`. The platform makes them, of 15 digits; numbers are compared faster than texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
struct DeviceId(#[n(0)] u64);

impl DeviceId {
    /// Reads its one spelling.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let padded = text.len() > 1 && text.starts_with('0');
        if digits && !padded { text.parse().ok().map(Self) } else { None }
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What belongs to a `deviceId`.
#[derive(Debug, Default)]
struct Known {
    /// Of the device. None while only its reports were loaded.
    place: Option<DeviceKey>,
    /// Which of [`CloudState::reports`] are its own.
    reports: Vec<u64>,
}

/// All that the platform knows.
#[derive(Debug, Default)]
pub(crate) struct CloudState {
    products: BTreeMap<String, Product>,
    /// By product, then by device number: one table for all would compare the product's id at every step.
    devices: BTreeMap<String, BTreeMap<String, Device>>,
    /// By `deviceId`, which is unique on the platform.
    ids: BTreeMap<DeviceId, Known>,
    /// By the order of their coming.
    reports: BTreeMap<u64, Report>,
    switches: Switches,
}

#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
struct Product {
    #[n(0)]
    name: String,
    /// `productKey`
    #[n(1)]
    key: Secret,
    #[n(2)]
    switches: Switches,
    /// `protocolTypeTime`: when its settings last changed, Unix milliseconds.
    #[n(3)]
    changed_at: u64,
}

#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
struct Device {
    #[n(0)]
    product: String,
    #[n(1)]
    number: String,
    /// `deviceNoType`; any text if [`Switch::AnyDeviceNoType`] was on at the import.
    #[n(2)]
    number_type: String,
    #[n(3)]
    id: DeviceId,
    /// `deviceSecret`
    #[n(4)]
    secret: Secret,
    #[n(5)]
    disabled: bool,
    /// How often `secret/info` was answered: a device that asks at every start gives itself away here.
    #[n(6)]
    asked: u64,
    #[n(7)]
    first_report: Option<u64>,
    /// 最后活动时间, Unix milliseconds.
    #[n(8)]
    last_active: Option<u64>,
    /// `firmwareVersion` of the latest report.
    #[n(9)]
    version: Option<String>,
}

/// An accepted report, secrets masked.
#[derive(Clone, Debug, Encode, Decode)]
#[cbor(map)]
struct Report {
    #[n(0)]
    device: DeviceId,
    #[n(1)]
    at: u64,
    #[n(2)]
    json: String,
}

/// Named leniencies, and choices that the document leaves open. All are off unless an operator sets them, for a
/// product or for the whole platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
enum Switch {
    /// `code` is a number in replies.
    #[n(0)]
    NumericCode,
    /// `protocolTypeTime` is a number in replies, as seen in the field.
    #[n(1)]
    NumericTime,
    /// `deviceNoType` may be any text, and need not be the imported one.
    #[n(2)]
    AnyDeviceNoType,
    /// `params` may lack keys, have other types and other formats.
    #[n(3)]
    LenientParams,
}

impl Switch {
    const ALL: [Switch; 4] =
        [Self::NumericCode, Self::NumericTime, Self::AnyDeviceNoType, Self::LenientParams];

    fn name(self) -> &'static str {
        match self {
            Self::NumericCode => "numeric_code",
            Self::NumericTime => "numeric_protocol_type_time",
            Self::AnyDeviceNoType => "any_device_no_type",
            Self::LenientParams => "lenient_params",
        }
    }
}

/// Switches as set at one place; what is not set there is another place's matter.
#[derive(Clone, Debug, Default, Encode, Decode)]
#[cbor(transparent)]
struct Switches(#[n(0)] BTreeMap<Switch, bool>);

impl CloudSide for CloudState {
    fn load(&mut self, table: &str, key: &str, value: &[u8]) -> Result<(), crate::cbor::Fault> {
        match table {
            PRODUCTS => {
                self.products.insert(key.into(), decode(value)?);
            }
            DEVICES => self.insert_device(decode(value)?),
            REPORTS => {
                let sequence = key.parse().map_err(|_| crate::cbor::Fault::Malformed)?;
                self.insert_report(sequence, decode(value)?);
            }
            PLATFORM => self.switches = decode(value)?,
            // A later version's table.
            _ => {}
        }
        Ok(())
    }

    /// This platform has no MQTT.
    fn connect(&mut self, connection: ConnectionId, _: ConnectPacket, cx: &mut CloudCx<'_>) {
        cx.refuse(connection, 5);
    }

    fn packet(&mut self, _: ConnectionId, _: Packet, _: &mut CloudCx<'_>) {}

    fn lost(&mut self, _: ConnectionId, _: &mut CloudCx<'_>) {}

    fn serves(path: &str) -> bool {
        path.starts_with("/v2/customer/")
    }

    fn request(&mut self, id: RequestId, request: HttpRequest, cx: &mut CloudCx<'_>) {
        let response = self.answer(&request, cx);
        cx.respond(id, response);
    }

    fn operate(
        &mut self,
        operation: Operation,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        self.act(operation.action, cx)
    }

    /// Nothing here happens on its own.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn expired(&mut self, _: &mut CloudCx<'_>) {}
}

impl CloudState {
    /// Whether `switch` is on for `product`: its own setting, else the platform's.
    fn is_on(&self, product: Option<&Product>, switch: Switch) -> bool {
        let own = product.and_then(|product| product.switches.0.get(&switch));
        *own.or_else(|| self.switches.0.get(&switch)).unwrap_or(&false)
    }

    fn insert_device(&mut self, device: Device) {
        let place = (device.product.clone(), device.number.clone());
        self.ids.entry(device.id).or_default().place = Some(place);
        let of_product = self.devices.entry(device.product.clone()).or_default();
        of_product.insert(device.number.clone(), device);
    }

    fn insert_report(&mut self, sequence: u64, report: Report) {
        let of_device = &mut self.ids.entry(report.device).or_default().reports;
        if let Err(place) = of_device.binary_search(&sequence) {
            of_device.insert(place, sequence);
        }
        self.reports.insert(sequence, report);
    }

    fn remove_report(&mut self, sequence: u64, cx: &mut CloudCx<'_>) {
        let Some(report) = self.reports.remove(&sequence) else { return };
        if let Some(known) = self.ids.get_mut(&report.device) {
            known.reports.retain(|&other| other != sequence);
            if known.reports.is_empty() && known.place.is_none() {
                self.ids.remove(&report.device);
            }
        }
        cx.delete(REPORTS, report_key(sequence));
    }

    /// Keeps a report and drops what is over the limits.
    fn keep_report(&mut self, report: Report, cx: &mut CloudCx<'_>) {
        let sequence = self.reports.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
        cx.put(REPORTS, report_key(sequence), &report);
        let of_device = &mut self.ids.entry(report.device).or_default().reports;
        of_device.push(sequence);
        let too_many = of_device.len() > cx.limits.reports_per_device;
        let oldest = of_device.first().copied().filter(|_| too_many);
        self.reports.insert(sequence, report);
        if let Some(oldest) = oldest {
            self.remove_report(oldest, cx);
        }
        if self.reports.len() > cx.limits.remembered
            && let Some((&oldest, _)) = self.reports.first_key_value()
        {
            self.remove_report(oldest, cx);
        }
    }
}

fn put_device(device: &Device, cx: &mut CloudCx<'_>) {
    cx.put(DEVICES, device.subject(), device);
}

impl Device {
    /// `product/number`. A product id has no slash in it, so it is unambiguous.
    fn subject(&self) -> String {
        [&self.product, "/", &self.number].concat()
    }
}

/// Padded, so that the order of keys is the order of coming.
fn report_key(sequence: u64) -> String {
    let digits = sequence.to_string();
    let zeros = "00000000000000000000".get(digits.len()..).unwrap_or_default();
    [zeros, &digits].concat()
}

/// `number_type` as a known type.
fn known_type(number_type: &str) -> Option<DeviceNoType> {
    DeviceNoType::parse(number_type)
}
