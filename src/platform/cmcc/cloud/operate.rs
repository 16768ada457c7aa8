//! What operators do here: products, device numbers, switches, reports.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Bound;

use super::{
    CloudState, DEVICES, Device, DeviceId, PLATFORM, PRODUCTS, Product, SWITCHES, Switch, Switches,
    known_type, put_device,
};
use crate::cloud::{
    Action, CloudCx, DeviceView, Import, OperationError, OperationResult, ProductView, ReportView,
    What, asked_for,
};
use crate::platform::cmcc::config::check_number;
use crate::rng::Rng;
use crate::secret::Secret;

/// The columns of an import; a list without a first row of names is one of device numbers.
const COLUMNS: [&str; 3] = ["device_no", "device_no_type", "device_secret"];

/// A device that reported this recently is called online.
const ONLINE_MS: u64 = 86_400_000;

impl CloudState {
    pub(super) fn act(
        &mut self,
        action: Action,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        let name = action.name();
        let (subject, result) = match action {
            Action::CreateProduct { name, id, secret, switches } => {
                let view = self.create_product(name, id, secret, &switches, cx)?;
                (view.id.clone(), OperationResult::Product(view))
            }
            Action::ListProducts { reveal } => {
                let items = self.products.keys().map(|id| self.product_view(id, reveal)).collect();
                return Ok(OperationResult::Products { items });
            }
            Action::ImportDevices { product, csv } => {
                let result = self.import(&product, &csv, cx)?;
                (product, result)
            }
            Action::ListDevices { product, after, limit, reveal } => {
                return self.list_devices(product, after, limit, reveal, cx);
            }
            Action::GetDevices { product, devices, reveal } => {
                return self.get_devices(&product, devices, reveal, cx);
            }
            Action::ListReports { product, device } => return self.list_reports(&product, &device),
            Action::Switch { product, name, value } => {
                self.switch(product.as_deref(), &name, &value, cx)?;
                (product.unwrap_or_default(), OperationResult::Done)
            }
            Action::Disable { product, device, disabled } => {
                let device = self.device(&product, &device)?;
                device.disabled = disabled;
                put_device(device, cx);
                (device.subject(), OperationResult::Done)
            }
            Action::Reset { product, device, new_secret } => {
                let secret = Secret::new(cx.rng.alphanumeric(32));
                let device = self.device(&product, &device)?;
                if new_secret {
                    device.secret = secret;
                }
                (device.asked, device.first_report) = (0, None);
                (device.last_active, device.version) = (None, None);
                put_device(device, cx);
                (device.subject(), OperationResult::Done)
            }
            Action::DeleteDevice { product, device } => {
                (self.delete_device(&product, &device, cx)?, OperationResult::Done)
            }
            _ => {
                return Err(OperationError::unsupported(
                    "China Mobile's platform knows products, device numbers and reports; it has no firmware, no \
                     properties, no owners and no gateways",
                ));
            }
        };
        cx.log(What::Operated, subject, name);
        Ok(result)
    }

    fn create_product(
        &mut self,
        name: String,
        id: Option<String>,
        key: Option<String>,
        switches: &BTreeMap<String, String>,
        cx: &mut CloudCx<'_>,
    ) -> Result<ProductView, OperationError> {
        if self.products.len() >= cx.limits.products {
            return Err(OperationError::full("the platform takes no more products"));
        }
        let id = match id {
            Some(id) => id,
            None => fresh(cx.rng, 13, |id| self.products.contains_key(&id.to_string())).to_string(),
        };
        if !(1..=32).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(OperationError::invalid(
                "a product id has 1 to 32 letters and digits; the platform's own have 13 digits",
            ));
        }
        if self.products.contains_key(&id) {
            return Err(OperationError::exists("there is a product of this id"));
        }
        let key = key.unwrap_or_else(|| cx.rng.alphanumeric(16));
        if !is_secret(&key) {
            return Err(OperationError::invalid(
                "a product key has 1 to 64 printable ASCII characters",
            ));
        }
        if name.chars().count() > 64 || name.chars().any(char::is_control) {
            return Err(OperationError::invalid("a name has at most 64 printable characters"));
        }
        let mut set = Switches::default();
        for (name, value) in switches {
            let (switch, on) = parse_switch(name, value)?;
            set.0.insert(switch, on);
        }
        let product = Product { name, key: Secret::new(key), switches: set, changed_at: cx.unix() };
        cx.put(PRODUCTS, id.as_str(), &product);
        self.products.insert(id.clone(), product);
        Ok(self.product_view(&id, true))
    }

    fn product_view(&self, id: &str, reveal: bool) -> ProductView {
        let product = self.products.get(id);
        let switches = Switch::ALL.into_iter().map(|switch| {
            let value = if self.is_on(product, switch) { "true" } else { "false" };
            (switch.name().to_string(), value.to_string())
        });
        ProductView {
            id: id.to_string(),
            name: product.map(|product| product.name.clone()).unwrap_or_default(),
            secret: product.filter(|_| reveal).map(|product| product.key.expose().to_string()),
            switches: switches.collect(),
            devices: self.devices.get(id).map_or(0, BTreeMap::len),
            firmware: Vec::new(),
        }
    }

    fn import(
        &mut self,
        product: &str,
        csv: &str,
        cx: &mut CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        let any_type = self.is_on(Some(self.find_product(product)?), Switch::AnyDeviceNoType);
        let import = Import::parse(csv, &COLUMNS)?;
        let (mut added, mut existing) = (0, 0);
        let rejected = import.each(|column| {
            let number = column("device_no").ok_or("device_no is missing")?;
            let number_type = column("device_no_type").unwrap_or_else(|| "SN".to_string());
            match known_type(&number_type) {
                Some(kind) => {
                    check_number(kind, &number).map_err(|what| ["device_no ", &what].concat())?;
                }
                None if any_type && number_type.len() <= 16 && number.len() <= 64 => {}
                None => return Err("device_no_type has to be SN, IMEI or CMEI".to_string()),
            }
            let of_product = self.devices.get(product);
            if of_product.is_some_and(|devices| devices.contains_key(&number)) {
                existing += 1;
                return Ok(());
            }
            if of_product.map_or(0, BTreeMap::len) >= cx.limits.devices_per_product {
                return Err("the product takes no more devices".to_string());
            }
            let secret = match column("device_secret") {
                Some(secret) if !is_secret(&secret) => {
                    return Err("device_secret has 1 to 64 printable ASCII characters".to_string());
                }
                Some(secret) => secret,
                None => cx.rng.alphanumeric(32),
            };
            let device = Device {
                product: product.to_string(),
                number,
                number_type,
                id: DeviceId(fresh(cx.rng, 15, |id| self.ids.contains_key(&DeviceId(id)))),
                secret: Secret::new(secret),
                disabled: false,
                asked: 0,
                first_report: None,
                last_active: None,
                version: None,
            };
            put_device(&device, cx);
            self.insert_device(device);
            added += 1;
            Ok(())
        });
        Ok(OperationResult::Imported { added, existing, rejected })
    }

    fn list_devices(
        &self,
        product: String,
        after: Option<String>,
        limit: Option<usize>,
        reveal: bool,
        cx: &CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        self.find_product(&product)?;
        let limit = limit.unwrap_or(100).min(1_000);
        let Some(devices) = self.devices.get(&product) else {
            return Ok(OperationResult::Devices { total: 0, items: Vec::new() });
        };
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let items = devices
            .range((from, Bound::Unbounded))
            .take(limit)
            .map(|(_, device)| device_view(device, reveal, cx.unix()))
            .collect();
        let total = devices.len();
        Ok(OperationResult::Devices { total, items })
    }

    fn get_devices(
        &self,
        product: &str,
        names: Vec<String>,
        reveal: bool,
        cx: &CloudCx<'_>,
    ) -> Result<OperationResult, OperationError> {
        self.find_product(product)?;
        let names = asked_for(names)?;
        let devices = self.devices.get(product);
        let view = |name: &String| Some(device_view(devices?.get(name)?, reveal, cx.unix()));
        let items = names.iter().filter_map(view).collect();
        Ok(OperationResult::Devices { total: devices.map_or(0, BTreeMap::len), items })
    }

    fn list_reports(
        &mut self,
        product: &str,
        device: &str,
    ) -> Result<OperationResult, OperationError> {
        let id = self.device(product, device)?.id;
        let items = self
            .ids
            .get(&id)
            .into_iter()
            .flat_map(|known| known.reports.iter().rev())
            .filter_map(|sequence| self.reports.get(sequence))
            .map(|report| ReportView { at: report.at, json: report.json.clone() })
            .collect();
        Ok(OperationResult::Reports { items })
    }

    fn switch(
        &mut self,
        product: Option<&str>,
        name: &str,
        value: &str,
        cx: &mut CloudCx<'_>,
    ) -> Result<(), OperationError> {
        let (switch, on) = parse_switch(name, value)?;
        let Some(id) = product else {
            self.switches.0.insert(switch, on);
            cx.put(PLATFORM, SWITCHES, &self.switches);
            return Ok(());
        };
        let Some(product) = self.products.get_mut(id) else {
            return Err(no_product());
        };
        product.switches.0.insert(switch, on);
        product.changed_at = cx.unix();
        cx.put(PRODUCTS, id, product);
        Ok(())
    }

    /// Returns the subject for the log.
    fn delete_device(
        &mut self,
        product: &str,
        number: &str,
        cx: &mut CloudCx<'_>,
    ) -> Result<String, OperationError> {
        let device = self.device(product, number)?;
        let (id, subject) = (device.id, device.subject());
        if let Some(of_product) = self.devices.get_mut(product) {
            of_product.remove(number);
        }
        let known = self.ids.remove(&id).unwrap_or_default();
        cx.delete(DEVICES, &subject);
        for sequence in known.reports {
            self.remove_report(sequence, cx);
        }
        Ok(subject)
    }

    fn find_product(&self, id: &str) -> Result<&Product, OperationError> {
        self.products.get(id).ok_or_else(no_product)
    }

    fn device(&mut self, product: &str, number: &str) -> Result<&mut Device, OperationError> {
        self.find_product(product)?;
        let device = self.devices.get_mut(product).and_then(|devices| devices.get_mut(number));
        device.ok_or_else(|| {
            OperationError::not_found("no such device number in this product; import it first")
        })
    }
}

fn no_product() -> OperationError {
    OperationError::not_found("no such product; list_products shows those there are")
}

fn device_view(device: &Device, reveal: bool, now: u64) -> DeviceView {
    let state = match device.last_active {
        _ if device.disabled => "disabled",
        None => "inactive",
        Some(at) if now.saturating_sub(at) <= ONLINE_MS => "online",
        Some(_) => "offline",
    };
    let mut more = BTreeMap::new();
    more.insert("device_id".to_string(), device.id.to_string());
    more.insert("device_no_type".to_string(), device.number_type.clone());
    more.insert("secret_info_answers".to_string(), device.asked.to_string());
    if let Some(first) = device.first_report {
        more.insert("first_report".to_string(), first.to_string());
    }
    DeviceView {
        name: device.number.clone(),
        state: state.to_string(),
        secret: reveal.then(|| device.secret.expose().to_string()),
        version: device.version.clone(),
        last_active: device.last_active,
        more,
    }
}

fn parse_switch(name: &str, value: &str) -> Result<(Switch, bool), OperationError> {
    let switch = Switch::ALL.into_iter().find(|switch| switch.name() == name).ok_or_else(|| {
        let names = Switch::ALL.map(Switch::name).join(", ");
        OperationError::invalid(&["there is no such switch; there are ", &names].concat())
    })?;
    match value {
        "true" => Ok((switch, true)),
        "false" => Ok((switch, false)),
        _ => Err(OperationError::invalid("a switch is true or false")),
    }
}

fn is_secret(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A random number of so many digits that is not taken yet.
fn fresh(rng: &mut Rng, digits: u32, taken: impl Fn(u64) -> bool) -> u64 {
    let low = 10u64.pow(digits - 1);
    loop {
        let id = rng.between(low, low * 10 - 1);
        if !taken(id) {
            return id;
        }
    }
}
