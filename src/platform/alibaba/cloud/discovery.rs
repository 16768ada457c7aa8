//! Devices that wait to be provisioned: `/awss/enrollee/list/get`, and what devices tell about their neighbours.
//!
//! Three sources, all that a local world can know: devices without an owner that reported a bind token which still
//! lives, devices that the operator announced (switch `announce.<deviceName>`), and devices that an owner's own device
//! heard (`thing/awss/enrollee/found`), which that owner alone gets to see. What was heard is a matter of minutes: it
//! is held in memory only.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::CloudState;
use super::business::{Answer, Params};
use super::provisioning::key_secret;
use super::registry::Key;
use crate::cloud::CloudCx;
use crate::hex;
use crate::json::{self, Object, Value};
use crate::platform::alibaba::cipher::{CipherType, Random};
use crate::platform::alibaba::credentials::SignMethod;
use crate::platform::alibaba::local::discovery_sign;

/// How long something heard is shown, and how long a device counts as being provisioned after its key was fetched.
const LIFE_MS: u64 = 600_000;
/// As many of each are held: whoever reports more than that is not provisioning devices.
const MAX_HELD: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Discovery {
    /// By the device that was heard.
    heard: BTreeMap<Key, Heard>,
    /// When a key was fetched for a device.
    provisioning: BTreeMap<Key, u64>,
}

/// What a registrar told about a device.
#[derive(Debug)]
struct Heard {
    registrar: Key,
    ssid: String,
    bssid: String,
    rssi: String,
    /// 0 device, 1 router.
    kind: u64,
    created: u64,
    modified: u64,
}

impl Discovery {
    /// A key was fetched for this device: somebody is provisioning it.
    pub(super) fn provisioning(&mut self, key: Key, cx: &CloudCx<'_>) {
        let now = cx.unix();
        if self.provisioning.len() >= MAX_HELD && !self.provisioning.contains_key(&key) {
            self.provisioning.retain(|_, at| now < at.saturating_add(LIFE_MS));
            if self.provisioning.len() >= MAX_HELD {
                return;
            }
        }
        self.provisioning.insert(key, now);
    }

    pub(super) fn forget(&mut self, key: &Key) {
        self.heard.remove(key);
        self.provisioning.remove(key);
    }

    fn hear(&mut self, key: Key, mut heard: Heard) {
        if self.heard.len() >= MAX_HELD && !self.heard.contains_key(&key) {
            self.heard.retain(|_, h| heard.modified < h.modified.saturating_add(LIFE_MS));
            if self.heard.len() >= MAX_HELD {
                return;
            }
        }
        if let Some(old) = self.heard.get(&key) {
            heard.created = old.created;
        }
        self.heard.insert(key, heard);
    }

    fn status(&self, key: &Key, now: u64) -> u64 {
        let at = self.provisioning.get(key);
        u64::from(at.is_some_and(|at| now < at.saturating_add(LIFE_MS)))
    }
}

impl CloudState {
    /// `/awss/enrollee/list/get`.
    pub(super) fn list(&self, who: &str, params: Params<'_>, cx: &CloudCx<'_>) -> Answer {
        let size = params.integer("pageSize", 1, 99)?;
        let page = params.integer("pageNum", 1, u64::from(u32::MAX))?;
        let now = cx.unix();
        let heard: Vec<(&Key, &Heard)> = self
            .discovery
            .heard
            .iter()
            .filter(|(key, heard)| {
                let free = |key: &Key| self.registry.device(key).is_some_and(|d| d.owner.is_none());
                let mine = self
                    .registry
                    .device(&heard.registrar)
                    .is_some_and(|registrar| registrar.owner.as_deref() == Some(who));
                mine && now < heard.modified.saturating_add(LIFE_MS) && free(key)
            })
            .collect();
        let waiting =
            || self.registry.waiting(now).filter(|(_, key, _)| heard.iter().all(|(k, _)| k != key));
        let total = heard.len() + waiting().count();
        let skip = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
        let heard_items = heard.iter().map(|(key, heard)| self.item(key, Some(heard), 0, now));
        let items = heard_items
            .chain(waiting().map(|(at, key, _)| self.item(key, None, at, now)))
            .skip(skip)
            .take(usize::try_from(size).unwrap_or(99));
        let items = json::array(items);
        Ok(Object::new().raw("totalNum", &total.to_string()).raw("items", &items).end())
    }

    fn item(&self, key: &Key, heard: Option<&Heard>, at: u64, now: u64) -> String {
        let (created, modified) = heard.map_or((at, at), |heard| (heard.created, heard.modified));
        let mut item = Object::new()
            .raw("gmtCreate", &created.to_string())
            .raw("gmtModified", &modified.to_string());
        let parts = |prefix: &str, item: Object, key: &Key| {
            let product = self.registry.product(key.product()).map(|product| product.name.as_str());
            let device = self.registry.device(key).map(|device| device.iot_id.as_str());
            item.maybe(&[prefix, "IotId"].concat(), device)
                .string(&[prefix, "ProductKey"].concat(), key.product())
                .string(&[prefix, "DeviceName"].concat(), key.device())
                .maybe(&[prefix, "ProductName"].concat(), product)
        };
        if let Some(heard) = heard {
            item = parts("reg", item, &heard.registrar);
        }
        item = parts("enrollee", item, key);
        if let Some(heard) = heard {
            item = item
                .string("bssid", &heard.bssid)
                .string("ssid", &heard.ssid)
                .string("rssi", &heard.rssi);
        }
        item.raw("type", &heard.map_or(0, |heard| heard.kind).to_string())
            .raw("status", &self.discovery.status(key, now).to_string())
            .end()
    }

    /// `thing/awss/enrollee/found`: a bound device heard others that are not on the network yet. Each names itself in
    /// `payload` and signs with its product's or its own secret; returns the `data` of the reply.
    pub(super) fn found(
        &mut self,
        registrar: &Key,
        params: Value<'_>,
        cx: &CloudCx<'_>,
    ) -> Option<String> {
        let text = |key: &str| {
            let text: String = params.text(key)?.chars().take(64).collect();
            Some(text)
        };
        let now = cx.unix();
        let mut taken = Vec::new();
        // The vendor's registrar holds at most five.
        for entry in params.get("payload")?.elements().take(5) {
            let Some(key) = entry.as_str().and_then(|hex| self.genuine(&hex)) else { continue };
            let entry = Object::new()
                .string("productKey", key.product())
                .string("deviceName", key.device())
                .number("timeout", 60);
            taken.push(entry.end());
            let heard = Heard {
                registrar: registrar.clone(),
                ssid: text("ssid").unwrap_or_default(),
                bssid: text("bssid").unwrap_or_default(),
                rssi: text("rssi").unwrap_or_default(),
                kind: params.get("type").and_then(Value::as_u64).filter(|&t| t <= 1).unwrap_or(0),
                created: now,
                modified: now,
            };
            self.discovery.hear(key, heard);
        }
        Some(json::array(taken))
    }

    /// `len dn, len pk, 16 random, security, sign method, len sign`: the device, if it is known and the signature is
    /// its own.
    fn genuine(&self, hex_text: &str) -> Option<Key> {
        let bytes = hex::decode(hex_text)?;
        let mut rest = bytes.as_slice();
        let mut take = |n: usize| {
            let (head, tail) = rest.split_at_checked(n)?;
            rest = tail;
            Some(head)
        };
        let n = usize::from(*take(1)?.first()?);
        let device = core::str::from_utf8(take(n)?).ok()?;
        let n = usize::from(*take(1)?.first()?);
        let product = core::str::from_utf8(take(n)?).ok()?;
        let random = Random(take(16)?.try_into().ok()?);
        let cipher = CipherType::from_number(u64::from(*take(1)?.first()?))?;
        let method = match *take(1)?.first()? {
            0 => SignMethod::HmacSha1,
            1 => SignMethod::HmacSha256,
            _ => return None,
        };
        let n = usize::from(*take(1)?.first()?);
        let sign = take(n)?;
        let key = Key::new(product, device);
        self.registry.device(&key)?;
        let secret = key_secret(&self.registry, cipher, product, Some(device)).ok()?;
        let ours = discovery_sign(method, &secret, random, product, device);
        (ours == sign).then_some(key)
    }
}
