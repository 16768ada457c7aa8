//! `muster tool sign`.

use muster::tool::{SignInput, sign};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, explained, refused, stdin, unusable};
use crate::exit::Exit;

/// Sign a request for Alibaba Cloud API Gateway.
///
/// Reads one JSON object on stdin: {"algorithm": "HmacSHA256", "app_key", "secret", "method", "path",
/// "query": [[name, value]…], "form": [[name, value]…], "headers": [[name, value]…], "body": text or null}.
/// Unknown keys are ignored.
#[derive(Debug, clap::Args)]
pub(super) struct Sign {}

#[derive(Deserialize)]
struct Input {
    #[serde(default)]
    algorithm: Option<String>,
    secret: String,
    #[serde(default)]
    method: Option<String>,
    path: String,
    #[serde(default)]
    query: Pairs,
    #[serde(default)]
    form: Pairs,
    #[serde(default)]
    headers: Pairs,
    #[serde(default)]
    body: Option<Value>,
}

/// `[[name, value]…]`, or an object for those who write by hand, or null.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum Pairs {
    List(Vec<(String, String)>),
    Object(serde_json::Map<String, Value>),
    #[default]
    Nothing,
}

impl Pairs {
    fn into_list(self) -> Vec<(String, String)> {
        match self {
            Pairs::List(list) => list,
            Pairs::Object(map) => map
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(text) => (name, text),
                    Value::Null => (name, String::new()),
                    other => (name, other.to_string()),
                })
                .collect(),
            Pairs::Nothing => Vec::new(),
        }
    }
}

impl Sign {
    pub(super) fn answer(self) -> Result<Answer, Exit> {
        let input: Input =
            serde_json::from_str(&stdin()?).map_err(|error| unusable(format!("stdin: {error}")))?;
        let body = match input.body {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            // A body given as JSON is signed compact, as it would be sent.
            Some(other) => Some(other.to_string()),
        };
        let signed = sign(&SignInput {
            algorithm: input.algorithm,
            secret: input.secret,
            method: input.method,
            path: input.path,
            query: input.query.into_list(),
            form: input.form.into_list(),
            headers: input.headers.into_list(),
            body,
        })
        .map_err(refused)?;
        let mut text = String::from("String to sign, line by line:\n\n");
        for line in signed.string_to_sign.split('\n') {
            text.push_str(&format!("  {line}\n"));
        }
        text.push('\n');
        text.push_str(&explained(&signed.steps));
        if let Some(warning) = &signed.warning {
            text.push_str(&format!("\nMind: {warning}.\n"));
        }
        let json = json!({
            "string_to_sign": signed.string_to_sign,
            "content_md5": signed.content_md5,
            "signature": signed.signature,
            "signature_headers": signed.signature_headers,
        });
        Ok(Answer { json, text })
    }
}
