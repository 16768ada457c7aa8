//! What operators do here: products, device numbers, switches, reports.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Bound;

use super::{
    CloudState, DEVICES, Device, DeviceKey, PLATFORM, PRODUCTS, Product, SWITCHES, Switch,
    Switches, known_type,
};
use crate::cloud::{
    Action, CloudCx, DeviceView, Import, OperationError, OperationResult, ProductView, ReportView,
    What,
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
            Action::ListReports { product, device } => return self.list_reports(product, device),
            Action::Switch { product, name, value } => {
                self.switch(product.as_deref(), &name, &value, cx)?;
                (product.unwrap_or_default(), OperationResult::Done)
            }
            Action::Disable { product, device, disabled } => {
                let key = (product, device);
                self.device(&key)?.disabled = disabled;
                self.put_device(&key, cx);
                (joined(&key), OperationResult::Done)
            }
            Action::Reset { product, device, new_secret } => {
                let key = (product, device);
                let secret = Secret::new(cx.rng.alphanumeric(32));
                let device = self.device(&key)?;
                if new_secret {
                    device.secret = secret;
                }
                (device.asked, device.first_report) = (0, None);
                (device.last_active, device.version) = (None, None);
                self.put_device(&key, cx);
                (joined(&key), OperationResult::Done)
            }
            Action::DeleteDevice { product, device } => {
                let key = (product, device);
                self.delete_device(&key, cx)?;
                (joined(&key), OperationResult::Done)
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
            None => fresh(cx.rng, 13, |id| self.products.contains_key(id)),
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
        cx.put(PRODUCTS, &id, &product);
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
            devices: self.devices_in.get(id).copied().unwrap_or(0),
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
            let key = (product.to_string(), number);
            if self.devices.contains_key(&key) {
                existing += 1;
                return Ok(());
            }
            let count = self.devices_in.get(product).copied().unwrap_or(0);
            if count >= cx.limits.devices_per_product {
                return Err("the product takes no more devices".to_string());
            }
            let secret = match column("device_secret") {
                Some(secret) if !is_secret(&secret) => {
                    return Err("device_secret has 1 to 64 printable ASCII characters".to_string());
                }
                Some(secret) => secret,
                None => cx.rng.alphanumeric(32),
            };
            let (product, number) = key.clone();
            self.insert_device(Device {
                product,
                number,
                number_type,
                id: fresh(cx.rng, 15, |id| self.ids.contains_key(id)),
                secret: Secret::new(secret),
                disabled: false,
                asked: 0,
                first_report: None,
                last_active: None,
                version: None,
            });
            self.put_device(&key, cx);
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
        let from = match after {
            Some(after) => Bound::Excluded((product.clone(), after)),
            None => Bound::Included((product.clone(), String::new())),
        };
        let items = self
            .devices
            .range((from, Bound::Unbounded))
            .take_while(|((of, _), _)| *of == product)
            .take(limit)
            .map(|(_, device)| device_view(device, reveal, cx.unix()))
            .collect();
        let total = self.devices_in.get(&product).copied().unwrap_or(0);
        Ok(OperationResult::Devices { total, items })
    }

    fn list_reports(
        &mut self,
        product: String,
        device: String,
    ) -> Result<OperationResult, OperationError> {
        let key = (product, device);
        self.device(&key)?;
        let items = self
            .reports_of
            .get(&key)
            .into_iter()
            .flatten()
            .rev()
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

    fn delete_device(
        &mut self,
        key: &DeviceKey,
        cx: &mut CloudCx<'_>,
    ) -> Result<(), OperationError> {
        self.device(key)?;
        if let Some(device) = self.devices.remove(key) {
            self.ids.remove(&device.id);
            if let Some(count) = self.devices_in.get_mut(&key.0) {
                *count = count.saturating_sub(1);
            }
        }
        cx.delete(DEVICES, &joined(key));
        for sequence in self.reports_of.get(key).cloned().unwrap_or_default() {
            self.remove_report(sequence, cx);
        }
        Ok(())
    }

    fn find_product(&self, id: &str) -> Result<&Product, OperationError> {
        self.products.get(id).ok_or_else(no_product)
    }

    fn device(&mut self, key: &DeviceKey) -> Result<&mut Device, OperationError> {
        self.find_product(&key.0)?;
        self.devices.get_mut(key).ok_or_else(|| {
            OperationError::not_found("no such device number in this product; import it first")
        })
    }
}

fn no_product() -> OperationError {
    OperationError::not_found("no such product; list_products shows those there are")
}

fn joined((product, number): &DeviceKey) -> String {
    [product, "/", number].concat()
}

fn device_view(device: &Device, reveal: bool, now: u64) -> DeviceView {
    let state = match device.last_active {
        _ if device.disabled => "disabled",
        None => "inactive",
        Some(at) if now.saturating_sub(at) <= ONLINE_MS => "online",
        Some(_) => "offline",
    };
    let mut more = BTreeMap::new();
    more.insert("device_id".to_string(), device.id.clone());
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

/// So many random digits, the first not 0, that are not taken yet.
fn fresh(rng: &mut Rng, digits: u32, taken: impl Fn(&str) -> bool) -> String {
    let low = 10u64.pow(digits - 1);
    loop {
        let id = rng.between(low, low * 10 - 1).to_string();
        if !taken(&id) {
            return id;
        }
    }
}
