//! The vectors that independent implementations agreed on, by section.

use serde_json::Value;

/// All entries of a section, never none.
pub(crate) fn section(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../vectors/alibaba.json")).unwrap();
    let entries = all[name].as_array().unwrap().clone();
    assert!(!entries.is_empty(), "{name}");
    entries
}

/// A section that is one object.
pub(crate) fn object(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../vectors/alibaba.json")).unwrap();
    assert!(all[name].is_object(), "{name}");
    all[name].clone()
}

/// The text of a field; empty for `null`.
pub(crate) fn text<'a>(entry: &'a Value, key: &str) -> &'a str {
    match &entry[key] {
        Value::Null => "",
        value => value.as_str().unwrap(),
    }
}

/// An array of pairs.
pub(crate) fn pairs(entry: &Value, key: &str) -> Vec<(String, String)> {
    let pairs = entry[key].as_array().unwrap();
    pairs.iter().map(|p| (p[0].as_str().unwrap().into(), p[1].as_str().unwrap().into())).collect()
}
