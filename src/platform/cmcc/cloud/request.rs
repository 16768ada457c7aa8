//! The two calls.

use alloc::string::{String, ToString};

use super::check::Body;
use super::{CloudState, Device, DeviceId, Product, Report, Switch, known_type, put_device};
use crate::cloud::{CloudCx, HttpRequest, What};
use crate::error::vendor_text;
use crate::http::{Response, header};
use crate::json::Object;
use crate::platform::cmcc::{REPORT, SECRET_INFO};

/// Why a request is refused: for the device, in the platform's language.
struct Refusal {
    message: String,
    /// `product/device`, as far as the request named some.
    subject: String,
}

impl Refusal {
    fn new(message: impl Into<String>, product: &str, device: &str) -> Self {
        let subject =
            if device.is_empty() { product.to_string() } else { [product, "/", device].concat() };
        Self { message: message.into(), subject: vendor_text(&subject, &[]) }
    }
}

impl CloudState {
    pub(super) fn answer(&mut self, request: &HttpRequest, cx: &mut CloudCx<'_>) -> Response {
        let path = request.path.trim_start_matches('/');
        if path != SECRET_INFO && path != REPORT {
            return plain(404);
        }
        if request.method != "POST" {
            let mut response = plain(405);
            response.headers.push(("Allow".into(), "POST".into()));
            return response;
        }
        if !is_json(header(&request.headers, "Content-Type")) {
            let refusal = Refusal::new("Content-Type应为application/json", "", "");
            let mut response = self.refuse(None, refusal, cx);
            response.status = 415;
            return response;
        }
        let body = match Body::parse(&request.body) {
            Ok(body) => body,
            Err(message) => return self.refuse(None, Refusal::new(message, "", ""), cx),
        };
        let product = body.product_id();
        let answered = if path == SECRET_INFO {
            self.secret_info(&body, cx)
        } else {
            let ip = header(&request.headers, "X-AI-IP");
            self.report(&body, ip, cx)
        };
        match answered {
            Ok(data) => {
                let product = product.and_then(|id| self.products.get(&*id));
                reply(self.is_on(product, Switch::NumericCode), true, "成功", Some(data))
            }
            Err(refusal) => self.refuse(product.as_deref(), refusal, cx),
        }
    }

    fn refuse(&self, product: Option<&str>, refusal: Refusal, cx: &mut CloudCx<'_>) -> Response {
        cx.log(What::Refused, refusal.subject, refusal.message.clone());
        let product = product.and_then(|id| self.products.get(id));
        let numeric = self.is_on(product, Switch::NumericCode);
        reply(numeric, false, &refusal.message, None)
    }

    fn secret_info(&mut self, body: &Body<'_>, cx: &mut CloudCx<'_>) -> Result<Object, Refusal> {
        let nobody = |message| Refusal::new(message, "", "");
        let number_type = body.id("deviceNoType").map_err(nobody)?;
        let number = body.id("deviceNo").map_err(nobody)?;
        let product_id = body.id("productId").map_err(nobody)?;
        let product_key = body.id("productKey").map_err(nobody)?;
        let refuse = |message: &str| Refusal::new(message, &product_id, &number);
        let any_type = self.is_on(self.products.get(&*product_id), Switch::AnyDeviceNoType);
        if !any_type && known_type(&number_type).is_none() {
            return Err(refuse("参数错误: deviceNoType 应为SN、IMEI或CMEI"));
        }
        self.product(&product_id, &product_key).map_err(refuse)?;
        let of_product = self.devices.get_mut(&*product_id);
        let device = of_product
            .and_then(|devices| devices.get_mut(&*number))
            .ok_or_else(|| refuse("设备不存在"))?;
        if !any_type && device.number_type != number_type {
            return Err(refuse("参数错误: deviceNoType 与导入的设备号类型不一致"));
        }
        if device.disabled {
            return Err(refuse("设备已禁用"));
        }
        device.asked = device.asked.saturating_add(1);
        put_device(device, cx);
        cx.log(What::SecretIssued, device.subject(), "secret/info");
        Ok(Object::new()
            .string("deviceId", &device.id.to_string())
            .string("deviceNo", &device.number)
            .string("productId", &device.product)
            .string("deviceSecret", device.secret.expose()))
    }

    fn report(
        &mut self,
        body: &Body<'_>,
        ip: Option<&str>,
        cx: &mut CloudCx<'_>,
    ) -> Result<Object, Refusal> {
        let nobody = |message| Refusal::new(message, "", "");
        let device_id = body.id("deviceId").map_err(nobody)?;
        let device_secret = body.id("deviceSecret").map_err(nobody)?;
        let product_id = body.id("productId").map_err(nobody)?;
        let product_key = body.id("productKey").map_err(nobody)?;
        let known = DeviceId::parse(&device_id).and_then(|id| self.ids.get(&id));
        let place = known.and_then(|known| known.place.as_ref());
        let place = place.filter(|(product, _)| *product == product_id);
        let number = place.map(|(_, number)| number.as_str()).unwrap_or_default();
        let refuse = |message: &str| Refusal::new(message, &product_id, number);
        let lenient = self.is_on(self.products.get(&*product_id), Switch::LenientParams);
        let params = body.params(lenient).map_err(|message| refuse(&message))?;
        let product = self.product(&product_id, &product_key).map_err(refuse)?;
        let changed_at = product.changed_at;
        let numeric_time = self.is_on(Some(product), Switch::NumericTime);
        let of_product = self.devices.get_mut(&*product_id).filter(|_| place.is_some());
        let device = of_product
            .and_then(|devices| devices.get_mut(number))
            .ok_or_else(|| refuse("设备不存在"))?;
        if device.secret.expose() != device_secret {
            return Err(refuse("设备密钥错误"));
        }
        if device.disabled {
            return Err(refuse("设备已禁用"));
        }
        let now = cx.unix();
        device.first_report.get_or_insert(now);
        device.last_active = Some(now);
        device.version = Some(params.firmware_version.to_string());
        put_device(device, cx);
        cx.log(What::Reported, device.subject(), "report");
        let json = masked(device, &product_key, params.object().end(), ip);
        let report = Report { device: device.id, at: now, json };
        self.keep_report(report, cx);
        let time = changed_at.to_string();
        let data = Object::new().string("deviceId", &device_id);
        Ok(if numeric_time {
            data.raw("protocolTypeTime", &time)
        } else {
            data.string("protocolTypeTime", &time)
        })
    }

    fn product(&self, id: &str, key: &str) -> Result<&Product, &'static str> {
        let product = self.products.get(id).ok_or("产品不存在")?;
        if product.key.expose() == key { Ok(product) } else { Err("产品密钥错误") }
    }
}

/// The report as it is kept: rebuilt from checked fields, so its length is bounded, and no secret of the device's is in
/// it, not even one that strayed into another field.
fn masked(device: &Device, product_key: &str, mut params: String, ip: Option<&str>) -> String {
    for secret in [device.secret.expose(), product_key] {
        if secret.len() >= 4 && params.contains(secret) {
            params = params.replace(secret, "***");
        }
    }
    let report = Object::new()
        .string("deviceId", &device.id.to_string())
        .string("deviceSecret", "***")
        .string("productId", &device.product)
        .string("productKey", "***")
        .raw("params", &params);
    match ip {
        // Of a vendor's server that relays for the device; not part of the body.
        Some(ip) => report.string("X-AI-IP", &vendor_text(ip, &[])),
        None => report,
    }
    .end()
}

fn reply(numeric: bool, success: bool, message: &str, data: Option<Object>) -> Response {
    let code = if success { "200" } else { "500" };
    let reply = Object::new();
    let reply = if numeric { reply.raw("code", code) } else { reply.string("code", code) };
    let reply = reply.string("message", message).bool("success", success);
    let reply = match data {
        Some(data) => reply.object("data", data),
        None => reply,
    };
    Response::json(reply.bytes())
}

fn plain(status: u16) -> Response {
    Response { status, headers: alloc::vec::Vec::new(), body: alloc::vec::Vec::new() }
}

/// `application/json`, with any parameters but a charset other than UTF-8.
fn is_json(content_type: Option<&str>) -> bool {
    let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    json && parts.all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        !name.trim().eq_ignore_ascii_case("charset")
            || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}
