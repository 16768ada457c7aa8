//! Reads values that JavaScript gives, member by member, and says which one is wrong.
//!
//! By hand instead of by serde: a derived reader of a tagged enum is ten times the code, and this crosses into every
//! page.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::values::invalid;
use crate::platform::PlatformName;

/// The members of one object. Each is read once; what nobody read is unknown, and said to be so.
pub(super) struct Members {
    object: JsValue,
    read: RefCell<Vec<&'static str>>,
}

type Read<T> = Result<T, JsValue>;

impl Members {
    pub(super) fn of(what: &str, value: JsValue) -> Read<Self> {
        if value.is_object() {
            Ok(Self { object: value, read: RefCell::default() })
        } else {
            Err(invalid(what, "has to be an object"))
        }
    }

    /// The value, unless absent, undefined or null.
    pub(super) fn value(&self, name: &'static str) -> Option<JsValue> {
        self.read.borrow_mut().push(name);
        let value = Reflect::get(&self.object, &name.into()).ok();
        value.filter(|value| !value.is_undefined() && !value.is_null())
    }

    fn typed<T>(
        &self,
        name: &'static str,
        kind: &str,
        take: impl FnOnce(JsValue) -> Option<T>,
    ) -> Read<Option<T>> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => match take(value) {
                Some(taken) => Ok(Some(taken)),
                None => Err(invalid(name, &["has to be ", kind].concat())),
            },
        }
    }

    pub(super) fn maybe_text(&self, name: &'static str) -> Read<Option<String>> {
        self.typed(name, "a text", |value| value.as_string())
    }

    pub(super) fn text(&self, name: &'static str) -> Read<String> {
        need(self.maybe_text(name)?, name)
    }

    /// The text; empty if absent.
    pub(super) fn text_or_empty(&self, name: &'static str) -> Read<String> {
        Ok(self.maybe_text(name)?.unwrap_or_default())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "looked at before")]
    pub(super) fn maybe_number(&self, name: &'static str) -> Read<Option<u32>> {
        self.typed(name, "a whole number of at most 32 bits", |value| {
            let number = value.as_f64()?;
            let whole = number >= 0.0 && number <= f64::from(u32::MAX) && number % 1.0 == 0.0;
            whole.then_some(number as u32)
        })
    }

    pub(super) fn maybe_real(&self, name: &'static str) -> Read<Option<f64>> {
        self.typed(name, "a number", |value| value.as_f64().filter(|number| number.is_finite()))
    }

    pub(super) fn number(&self, name: &'static str) -> Read<u32> {
        need(self.maybe_number(name)?, name)
    }

    /// False if absent.
    pub(super) fn flag(&self, name: &'static str) -> Read<bool> {
        Ok(self.typed(name, "true or false", |value| value.as_bool())?.unwrap_or(false))
    }

    pub(super) fn platform(&self, name: &'static str) -> Read<PlatformName> {
        self.text(name)?
            .parse()
            .map_err(|_| invalid(name, "has to be one of ucloud, cmcc, krtyun, alibaba"))
    }

    /// Empty if absent.
    pub(super) fn list(&self, name: &'static str) -> Read<Vec<JsValue>> {
        let list = self.typed(name, "a list", |value| value.dyn_into::<Array>().ok())?;
        Ok(list.map(|list| list.iter().collect()).unwrap_or_default())
    }

    pub(super) fn maybe_texts(&self, name: &'static str) -> Read<Option<Vec<String>>> {
        let list = self.typed(name, "a list of texts", |value| {
            let list = value.dyn_into::<Array>().ok()?;
            list.iter().map(|item| item.as_string()).collect::<Option<Vec<_>>>()
        })?;
        Ok(list)
    }

    /// Pairs of texts, as a list of lists or as an object; empty if absent.
    pub(super) fn pairs(&self, name: &'static str) -> Read<Vec<(String, String)>> {
        let pairs = self.typed(name, "pairs of name and text", |value| {
            let pairs = match value.dyn_into::<Array>() {
                Ok(list) => list,
                Err(other) => Object::entries(other.dyn_ref::<Object>()?),
            };
            let pair = |pair: JsValue| {
                let pair = pair.dyn_into::<Array>().ok()?;
                Some((pair.get(0).as_string()?, pair.get(1).as_string()?))
            };
            pairs.iter().map(pair).collect::<Option<Vec<_>>>()
        })?;
        Ok(pairs.unwrap_or_default())
    }

    pub(super) fn map(&self, name: &'static str) -> Read<BTreeMap<String, String>> {
        // One by one: collecting would bring a sort along, and that is more code than all of this file.
        let mut map = BTreeMap::new();
        for (key, value) in self.pairs(name)? {
            map.insert(key, value);
        }
        Ok(map)
    }

    /// Bytes by their names, as a list of lists or as an object; empty if absent.
    pub(super) fn bytes_by_name(&self, name: &'static str) -> Read<Vec<(String, Vec<u8>)>> {
        let pairs = self.typed(name, "pairs of name and bytes", |value| {
            let pairs = match value.dyn_into::<Array>() {
                Ok(list) => list,
                Err(other) => Object::entries(other.dyn_ref::<Object>()?),
            };
            let pair = |pair: JsValue| {
                let pair = pair.dyn_into::<Array>().ok()?;
                let bytes = pair.get(1).dyn_into::<Uint8Array>().ok()?;
                Some((pair.get(0).as_string()?, bytes.to_vec()))
            };
            pairs.iter().map(pair).collect::<Option<Vec<_>>>()
        })?;
        Ok(pairs.unwrap_or_default())
    }

    pub(super) fn maybe_members(&self, name: &'static str) -> Read<Option<Members>> {
        self.value(name).map(|value| Members::of(name, value)).transpose()
    }

    /// Says which members nobody knows.
    pub(super) fn finish(self) -> Read<()> {
        let read = self.read.into_inner();
        let names = self.object.dyn_ref::<Object>().map(Object::keys).unwrap_or_default();
        for name in names.iter().filter_map(|name| name.as_string()) {
            if !read.contains(&&*name) {
                let problem = format!("is not known here; known are {}", read.join(", "));
                return Err(invalid(&name, &problem));
            }
        }
        Ok(())
    }
}

pub(super) fn need<T>(value: Option<T>, name: &str) -> Read<T> {
    value.ok_or_else(|| invalid(name, "is missing"))
}
