//! Properties of the thing model: posted by the device, set by the cloud.

use alloc::string::String;
use alloc::vec::Vec;

use crate::snapshot::Kept;

use super::session::Tries;
use crate::error::{CodecError, Error, Rejected};
use crate::json::{Document, Object, compact};
use crate::num;
use crate::platform::ucloud::wire;

/// Posts that wait for a session or for their turn; one more pushes the oldest out.
const MAX_WAITING: usize = 8;
/// What still fits, with its topic, into a message that the vendor's clients would take.
const MAX_POST: usize = 32 * 1024;

/// Properties to be posted, oldest first.
#[derive(Debug, Default, Kept)]
pub(super) struct Posts(Vec<Properties>);

/// The `Property` object of one post. Its values are the owner's, and not shown.
#[derive(Default, Kept)]
pub(super) struct Properties(String);

impl core::fmt::Debug for Properties {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Properties({} bytes)", self.0.len())
    }
}

/// Properties under way: one post at a time.
#[derive(Debug, Default, Kept)]
pub(super) struct Posting {
    /// The RequestID.
    pub(super) request: u32,
    pub(super) properties: Properties,
    pub(super) tries: Tries,
}

impl Posts {
    /// Takes `{"id":value,…}` in.
    pub(super) fn add(&mut self, json: &str) -> Result<(), Error> {
        if json.len() > MAX_POST {
            return Err(CodecError::TooLong.into());
        }
        let doc = Document::open(json.as_bytes());
        doc.finish()?;
        let mut properties = Object::new();
        for (id, value) in doc.root().members() {
            properties = properties.object(&id, Object::new().raw("Value", &compact(value.raw())));
        }
        if self.0.len() == MAX_WAITING {
            self.0.remove(0);
        }
        self.0.push(Properties(properties.end()));
        Ok(())
    }

    pub(super) fn next(&mut self) -> Option<Properties> {
        if self.0.is_empty() { None } else { Some(self.0.remove(0)) }
    }

    /// Puts one back that was sent and not answered.
    pub(super) fn put_back(&mut self, posting: Posting) {
        if self.0.len() < MAX_WAITING {
            self.0.insert(0, posting.properties);
        }
    }
}

impl Posting {
    /// `{"RequestID":"…","Property":{"id":{"Value":…}}}`
    pub(super) fn body(&self) -> Vec<u8> {
        let id = num::text(self.request.into());
        Object::new().string("RequestID", &id).raw("Property", &self.properties.0).bytes()
    }

    /// What a `post_reply` says to this request.
    pub(super) fn reply(&self, bytes: &[u8]) -> Result<Replied, Error> {
        let doc = Document::open(bytes);
        let root = doc.root();
        let (id, code) = (root.must("RequestID"), root.must("RetCode"));
        doc.finish()?;
        if id != num::text(self.request.into()) {
            return Ok(Replied::ToAnother);
        }
        if code.trim_ascii() == "0" {
            return Ok(Replied::Posted);
        }
        Ok(Replied::Refused(Rejected::code(&code, &root.text_or_empty("Message"), &[])))
    }
}

/// What a `post_reply` says.
pub(super) enum Replied {
    Posted,
    Refused(Rejected),
    /// It is about another request.
    ToAnother,
}

/// What the cloud sets: the properties, and the reply.
pub(super) fn set(bytes: &[u8]) -> Result<(String, Vec<u8>), Error> {
    let doc = Document::open(bytes);
    let root = doc.root();
    let echo = root.must_have("RequestID").map(wire::echo);
    if let Some(None) = echo {
        root.invalid("RequestID");
    }
    let property = root.must_open("Property");
    doc.finish()?;
    let echo = echo.flatten().unwrap_or_default();
    let reply = Object::new().raw("RequestID", &echo).number("RetCode", 0).bytes();
    Ok((compact(property.raw()), reply))
}
