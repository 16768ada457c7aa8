//! Properties of the thing model: posted by the device, set by the cloud.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use crate::cbor::{Decode, Encode};

use crate::error::{CodecError, Rejected};
use crate::json::{Document, Object, compact};
use crate::platform::ucloud::wire;

/// Posts that wait for a session or for their turn; one more pushes the oldest out.
const MAX_WAITING: usize = 8;
/// What still fits, with its topic, into a message that the vendor's clients would take.
const MAX_POST: usize = 32 * 1024;

/// Properties to be posted, oldest first.
#[derive(Debug, Default, Encode, Decode)]
#[cbor(transparent)]
pub(super) struct Posts(#[n(0)] VecDeque<Properties>);

/// The `Property` object of one post. Its values are the owner's, and not shown.
#[derive(Encode, Decode)]
#[cbor(transparent)]
pub(super) struct Properties(#[n(0)] String);

impl core::fmt::Debug for Properties {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Properties({} bytes)", self.0.len())
    }
}

impl Posts {
    /// Takes `{"id":value,…}` in.
    pub(super) fn add(&mut self, json: &str) -> Result<(), CodecError> {
        if json.len() > MAX_POST {
            return Err(CodecError::TooLong);
        }
        let doc = Document::parse(json.as_bytes())?;
        let mut properties = Object::new();
        for (id, value) in doc.object()?.members() {
            properties = properties.object(&id, Object::new().raw("Value", &compact(value.raw())));
        }
        if self.0.len() == MAX_WAITING {
            self.0.pop_front();
        }
        self.0.push_back(Properties(properties.end()));
        Ok(())
    }

    pub(super) fn next(&mut self) -> Option<Properties> {
        self.0.pop_front()
    }

    /// Puts one back that was sent and not answered.
    pub(super) fn put_back(&mut self, properties: Properties) {
        if self.0.len() < MAX_WAITING {
            self.0.push_front(properties);
        }
    }
}

/// `{"RequestID":"…","Property":{"id":{"Value":…}}}`
pub(super) fn post_body(request_id: &str, properties: &Properties) -> Vec<u8> {
    Object::new().string("RequestID", request_id).raw("Property", &properties.0).bytes()
}

/// What a `post_reply` says to the request `request_id`; `None`: it is about another one.
pub(super) fn post_reply(
    bytes: &[u8],
    request_id: &str,
) -> Result<Option<Result<(), Rejected>>, CodecError> {
    let doc = Document::parse(bytes)?;
    let root = doc.object()?;
    if wire::required(root, "RequestID")? != request_id {
        return Ok(None);
    }
    let code = wire::required(root, "RetCode")?;
    if code.trim() == "0" {
        return Ok(Some(Ok(())));
    }
    let message = root.text("Message").unwrap_or_default();
    Ok(Some(Err(Rejected::code(&code, &message, &[]))))
}

/// What the cloud sets: the properties, and the reply.
pub(super) fn set(bytes: &[u8]) -> Result<(String, Vec<u8>), CodecError> {
    let doc = Document::parse(bytes)?;
    let root = doc.object()?;
    let request_id = root.get("RequestID").ok_or_else(|| CodecError::missing("RequestID"))?;
    let echo = wire::echo(request_id).ok_or_else(|| CodecError::invalid("RequestID"))?;
    let property = root.get("Property").ok_or_else(|| CodecError::missing("Property"))?;
    if !property.is_object() {
        return Err(CodecError::invalid("Property"));
    }
    let reply = Object::new().raw("RequestID", &echo).number("RetCode", 0).bytes();
    Ok((compact(property.raw()), reply))
}
