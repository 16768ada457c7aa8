//! Gateways and their sub-devices: `/thing/gateway/permit`, `/thing/topo/remove`, and the gateway's own topics.
//!
//! A permit is kept, and told to the gateway now or when it next subscribes to hear of it. (assumed) what the vendor
//! does for a gateway that is offline. Deliberately absent: sub-device sessions (`/ext/session/…/combine/login`).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::CloudState;
use super::business::{Answer, No, Params};
use super::registry::{Key, Permit, no_device};
use crate::cloud::{CloudCx, OperationError, What};
use crate::json::{self, Object, Value};
use crate::platform::alibaba::credentials::{Device as Name, SignMethod, login_sign};

/// "The gateway does not allow sub-devices to be added."
const CLOSED: u64 = 65_535;

impl CloudState {
    /// `/thing/gateway/permit`.
    pub(super) fn permit(&mut self, who: &str, params: Params<'_>, cx: &mut CloudCx<'_>) -> Answer {
        let gateway = self.owned(who, &params.text("iotId")?)?;
        let product = params.text("productKey")?;
        let time = params.integer("time", 0, CLOSED)?;
        self.registry.product(&product).ok_or_else(|| No::code(5005))?;
        if !self.is_gateway(&gateway) {
            return Err(No::param("iotId is no gateway"));
        }
        self.set_permit(&gateway, Some(&product), time, cx);
        Ok("null".to_string())
    }

    /// `/thing/topo/remove`, with either spelling of `subIotId`.
    pub(super) fn remove_topology(
        &mut self,
        who: &str,
        params: Params<'_>,
        cx: &mut CloudCx<'_>,
    ) -> Answer {
        let gateway = self.owned(who, &params.text("iotId")?)?;
        let sub = match params.maybe("subIotId")? {
            Some(sub) => sub,
            None => params.text("subIotid")?,
        };
        let (sub, _) = self.registry.by_iot_id(&sub).ok_or_else(|| No::code(2063))?;
        let sub = sub.clone();
        if !self.remove_sub(&gateway, &sub, cx) {
            return Err(No::param("the sub-device is not under this gateway"));
        }
        self.tell_topology(&gateway, &sub, 1, cx);
        Ok("null".to_string())
    }

    /// The device with this iotId, if it is the caller's.
    fn owned(&self, who: &str, iot_id: &str) -> Result<Key, No> {
        let (key, device) = self.registry.by_iot_id(iot_id).ok_or_else(|| No::code(2063))?;
        if device.owner.as_deref() == Some(who) { Ok(key.clone()) } else { Err(No::code(2066)) }
    }

    pub(super) fn is_gateway(&self, key: &Key) -> bool {
        self.registry.product(key.product()).is_some_and(|p| p.switches.node_type == 1)
    }

    pub(super) fn set_permit(
        &mut self,
        gateway: &Key,
        product: Option<&str>,
        time: u64,
        cx: &mut CloudCx<'_>,
    ) {
        let now = cx.unix();
        self.registry.edit_device(gateway, cx, |device| {
            device.permit = (time != CLOSED).then(|| Permit {
                product: product.map(ToString::to_string),
                until: (time != 0).then(|| now.saturating_add(time.saturating_mul(1_000))),
            });
        });
        self.tell_permit(gateway, product, time, cx);
    }

    /// A gateway that was offline when joining was opened hears of it once it listens.
    pub(super) fn tell_kept_permit(&mut self, gateway: &Key, cx: &mut CloudCx<'_>) {
        let now = cx.unix();
        let permit = self.registry.device(gateway).and_then(|device| device.permit.clone());
        let Some(permit) = permit else { return };
        let left = match permit.until {
            None => 0,
            Some(until) if until > now => (until - now).div_ceil(1_000),
            Some(_) => return,
        };
        self.tell_permit(gateway, permit.product.as_deref(), left, cx);
    }

    fn tell_permit(&self, gateway: &Key, product: Option<&str>, time: u64, cx: &mut CloudCx<'_>) {
        let params = Object::new().raw("time", &time.to_string()).maybe("productKey", product);
        self.downlink(gateway, "thing/gateway/permit", "thing.gateway.permit", &params.end(), cx);
        cx.log(What::Operated, gateway, "joining: time as the app said");
    }

    /// Status: 0 created, 1 deleted.
    fn tell_topology(&self, gateway: &Key, sub: &Key, status: i64, cx: &mut CloudCx<'_>) {
        let entry = name_json(sub);
        let params =
            Object::new().number("status", status).raw("subList", &json::array([entry])).end();
        self.downlink(gateway, "thing/topo/change", "thing.topo.change", &params, cx);
    }

    fn remove_sub(&mut self, gateway: &Key, sub: &Key, cx: &mut CloudCx<'_>) -> bool {
        let under = self.registry.device(sub).and_then(|device| device.gateway.as_ref());
        if under != Some(gateway) {
            return false;
        }
        self.registry.edit_device(sub, cx, |device| device.gateway = None);
        cx.log(What::Operated, sub, "removed from its gateway");
        true
    }

    /// An operator puts a sub-device under a gateway.
    pub(super) fn add_topology(
        &mut self,
        gateway: &Key,
        sub: &Key,
        cx: &mut CloudCx<'_>,
    ) -> Result<(), OperationError> {
        self.registry.device(gateway).ok_or_else(no_device)?;
        let device = self.registry.device(sub).ok_or_else(no_device)?;
        if !self.is_gateway(gateway) {
            return Err(OperationError::invalid("no gateway: its product's nodeType has to be 1"));
        }
        if gateway == sub {
            return Err(OperationError::invalid("a gateway cannot be under itself"));
        }
        match &device.gateway {
            Some(at) if at == gateway => return Ok(()),
            Some(_) => return Err(OperationError::exists("it is under another gateway")),
            None => {}
        }
        self.registry.edit_device(sub, cx, |device| device.gateway = Some(gateway.clone()));
        self.tell_topology(gateway, sub, 0, cx);
        Ok(())
    }

    /// An operator takes a sub-device from its gateway.
    pub(super) fn take_from_gateway(
        &mut self,
        gateway: &Key,
        sub: &Key,
        cx: &mut CloudCx<'_>,
    ) -> Result<(), OperationError> {
        if !self.remove_sub(gateway, sub, cx) {
            return Err(OperationError::not_found("the sub-device is not under this gateway"));
        }
        self.tell_topology(gateway, sub, 1, cx);
        Ok(())
    }

    /// `thing/topo/add`: the gateway proves that it knows the secret of each sub-device.
    pub(super) fn topo_add(
        &mut self,
        gateway: &Key,
        params: Value<'_>,
        cx: &mut CloudCx<'_>,
    ) -> Result<String, u64> {
        if !self.is_gateway(gateway) {
            return Err(460);
        }
        let mut subs = Vec::new();
        for entry in params.elements() {
            let text = |key: &str| entry.text(key).map(|text| text.to_string()).ok_or(460u64);
            let sub = Key::new(&text("productKey")?, &text("deviceName")?);
            let device = self.registry.device(&sub).ok_or(6100u64)?;
            let method: SignMethod = text("signmethod")?.parse().map_err(|_| 460u64)?;
            let timestamp = entry.text("timestamp");
            let name = Name { product_key: sub.product(), device_name: sub.device() };
            let ours =
                login_sign(method, name, &device.secret, &text("clientId")?, timestamp.as_deref());
            if !SignMethod::matches(ours.expose(), &text("sign")?) {
                return Err(401);
            }
            if device.disabled {
                return Err(6204);
            }
            let under = device.gateway.as_ref();
            if sub == *gateway || under.is_some_and(|under| under != gateway) {
                return Err(460);
            }
            if under.is_none() && !self.may_join(gateway, &sub, cx) {
                return Err(403);
            }
            subs.push(sub);
        }
        let names: Vec<String> = subs.iter().map(name_json).collect();
        for sub in subs {
            self.registry.edit_device(&sub, cx, |device| device.gateway = Some(gateway.clone()));
            cx.log(What::Operated, &sub, "joined its gateway");
        }
        Ok(json::array(names))
    }

    fn may_join(&self, gateway: &Key, sub: &Key, cx: &CloudCx<'_>) -> bool {
        if !self.registry.settings.join_needs_permit {
            return true;
        }
        let permit = self.registry.device(gateway).and_then(|device| device.permit.as_ref());
        permit.is_some_and(|permit| {
            permit.until.is_none_or(|until| cx.unix() < until)
                && permit.product.as_ref().is_none_or(|product| product == sub.product())
        })
    }

    /// `thing/topo/delete`.
    pub(super) fn topo_delete(
        &mut self,
        gateway: &Key,
        params: Value<'_>,
        cx: &mut CloudCx<'_>,
    ) -> Result<String, u64> {
        let mut subs = Vec::new();
        for entry in params.elements() {
            let product = entry.text("productKey").ok_or(460u64)?;
            let device = entry.text("deviceName").ok_or(460u64)?;
            subs.push(Key::new(&product, &device));
        }
        for sub in &subs {
            self.remove_sub(gateway, sub, cx);
        }
        Ok(json::array(subs.iter().map(name_json)))
    }

    /// `thing/topo/get`. A reply has to fit into one packet: at most 500 names.
    pub(super) fn topo_get(&self, gateway: &Key) -> String {
        json::array(self.registry.subs(gateway).take(500).map(name_json))
    }
}

fn name_json(key: &Key) -> String {
    Object::new().string("deviceName", key.device()).string("productKey", key.product()).end()
}
