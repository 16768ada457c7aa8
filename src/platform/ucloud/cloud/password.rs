//! The password topics: the one thing a pre-authenticated session may do.

use alloc::string::{String, ToString};

use super::Visit;
use super::switches::Switches;
use crate::cloud::What;
use crate::error::CodecError;
use crate::json::{Document, Object};
use crate::platform::ucloud::wire;

/// A device asks for its secret. It is the same one however often it asks: it exists since the device does.
pub(super) fn asked(payload: &[u8], switches: &Switches, visit: &mut Visit<'_, '_>) {
    let request_id = match request_id(payload) {
        Ok(request_id) => request_id,
        // (assumed) Without a RequestID there is nothing to answer to.
        Err(_) => {
            return visit.dropped("a password request that is no JSON object with a RequestID");
        }
    };
    if let Some(refusal) = visit.session.refused {
        let code = switches.ret_code(refusal).unwrap_or_default().to_string();
        let reply = Object::new().string("RetCode", &code).raw("RequestID", &request_id).end();
        if visit.down(wire::PASSWORD_REPLY, reply) {
            visit.cx.log(What::Refused, visit.session.subject(), refusal.reason());
        }
        return;
    }
    let Some(device) = visit.product.devices.get(&visit.session.device) else { return };
    // RetCode as a string, in this order: the seed document. Compact, ASCII, nothing before the brace: the vendor's C
    // SDK reads nothing else.
    let reply = Object::new()
        .string("RetCode", "0")
        .raw("RequestID", &request_id)
        .string("Password", device.record.secret.expose())
        .end();
    if visit.down(wire::PASSWORD_REPLY, reply) {
        visit.cx.log(
            What::SecretIssued,
            visit.session.subject(),
            "the device asked for its secret",
        );
    }
}

fn request_id(payload: &[u8]) -> Result<String, CodecError> {
    let doc = Document::parse(payload)?;
    let id = doc.object()?.get("RequestID").ok_or_else(|| CodecError::missing("RequestID"))?;
    wire::echo(id).ok_or_else(|| CodecError::invalid("RequestID"))
}
