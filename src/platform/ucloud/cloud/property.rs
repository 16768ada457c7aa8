//! Properties and events of the thing model. Sources: the vendor's pages `thingmode/*.md`.
//!
//! There is no template here to check values against: every identifier and every value is taken.

use alloc::string::{String, ToString};

use super::topics::{EVENT_REPLY, RESTORE_REPLY};
use super::{MAX_DOWNLINK, Visit, records};
use crate::cloud::What;
use crate::error::CodecError;
use crate::json::{Document, Object, Value, compact};
use crate::platform::ucloud::wire;

/// How many properties are remembered of a device; further ones are refused.
const MAX_PROPERTIES: usize = 64;
/// How long identifier and value of one may be together.
const MAX_PROPERTY: usize = 512;
/// "Parameter error" in the platform's list of codes.
const PARAMETER_ERROR: i64 = 230;

/// `tmodel/property/post`
pub(super) fn posted(payload: &[u8], visit: &mut Visit<'_, '_>) {
    let doc = Document::parse(payload);
    let Some((root, request_id)) = request(&doc) else {
        return visit.dropped("a property post that is no JSON object with a RequestID");
    };
    let stored = match root.get("Property").filter(|property| property.is_object()) {
        Some(property) => visit.store_properties(property),
        None => Err("Property has to be an object"),
    };
    let (code, message) = match stored {
        Ok(()) => (0, "success"),
        Err(why) => (PARAMETER_ERROR, why),
    };
    if code == 0 {
        visit.report_json(wire::POST, payload);
        visit.cx.log(What::Reported, visit.session.subject(), "properties");
    } else {
        visit.dropped(message);
    }
    visit.reply(wire::POST_REPLY, &request_id, code, message);
}

/// `tmodel/event/post`
pub(super) fn event(payload: &[u8], visit: &mut Visit<'_, '_>) {
    let doc = Document::parse(payload);
    let Some((root, request_id)) = request(&doc) else {
        return visit.dropped("an event that is no JSON object with a RequestID");
    };
    let (code, message) = match root.text("Identifier") {
        Some(_) => (0, "success"),
        None => (PARAMETER_ERROR, "Identifier is missing"),
    };
    if code == 0 {
        visit.report_json("tmodel/event/post", payload);
        visit.cx.log(What::Reported, visit.session.subject(), "an event");
    }
    visit.reply(EVENT_REPLY, &request_id, code, message);
}

/// `tmodel/property/restore`: the device asks for its last values.
pub(super) fn restore(payload: &[u8], visit: &mut Visit<'_, '_>) {
    let doc = Document::parse(payload);
    let Some((_, request_id)) = request(&doc) else {
        return visit.dropped("a restore that is no JSON object with a RequestID");
    };
    let Some(device) = visit.device() else { return };
    let known = &device.extra().properties.0;
    let latest = known.values().map(|(_, at)| *at).max().unwrap_or(0);
    let (mut properties, mut len) = (Object::new(), request_id.len() + 256);
    for (id, (value, at)) in known {
        let time = at.to_string();
        len += id.len() + value.len() + time.len() + 32;
        if len >= MAX_DOWNLINK {
            // The vendor does not say what happens beyond what a device can take in.
            break;
        }
        properties = properties.object(id, Object::new().raw("Value", value).raw("Time", &time));
    }
    let reply = Object::new()
        .number("RetCode", 0)
        .raw("RequestID", &request_id)
        .raw("LatestUpdateTime", &latest.to_string())
        .object("Property", properties)
        .end();
    visit.down(RESTORE_REPLY, reply);
}

/// The body of `tmodel/property/set`; `None` if `json` is no JSON object.
pub(super) fn set_body(request_id: &str, json: &str) -> Option<String> {
    let doc = Document::parse(json.as_bytes()).ok()?;
    let mut properties = Object::new();
    for (id, value) in doc.object().ok()?.members() {
        properties = properties.raw(&id, &compact(value.raw()));
    }
    Some(Object::new().string("RequestID", request_id).object("Property", properties).end())
}

/// The root and the RequestID to echo.
fn request<'d>(doc: &'d Result<Document<'d>, CodecError>) -> Option<(Value<'d>, String)> {
    let root = doc.as_ref().ok()?.object().ok()?;
    Some((root, wire::echo(root.get("RequestID")?)?))
}

impl Visit<'_, '_> {
    fn reply(&mut self, name: &'static str, request_id: &str, code: i64, message: &str) {
        let reply = Object::new()
            .raw("RequestID", request_id)
            .number("RetCode", code)
            .string("Message", message)
            .end();
        self.down(name, reply);
    }

    /// Takes `{"id":{"Value":…,"Time":…},…}` in: all or nothing.
    fn store_properties(&mut self, property: Value<'_>) -> Result<(), &'static str> {
        let now = self.cx.unix();
        let key = self.session.subject();
        let Some(device) = self.product.devices.get_mut(&self.session.device) else {
            return Err("no such device");
        };
        let known = &mut device.extra().properties;
        let mut added = 0;
        for (id, entry) in property.members() {
            let value = entry.get("Value").ok_or("every property needs a Value")?;
            if id.is_empty() || id.len() + compact(value.raw()).len() > MAX_PROPERTY {
                return Err("a property of more than 512 bytes, or without a name");
            }
            added += usize::from(!known.0.contains_key(id.as_ref()));
        }
        if known.0.len() + added > MAX_PROPERTIES {
            return Err("more than 64 properties");
        }
        for (id, entry) in property.members() {
            let time = entry.get("Time").and_then(Value::as_u64).unwrap_or(now);
            if let Some(value) = entry.get("Value") {
                known.0.insert(id.into_owned(), (compact(value.raw()), time));
            }
        }
        self.cx.put(records::PROPERTIES, key, &*known);
        Ok(())
    }
}
