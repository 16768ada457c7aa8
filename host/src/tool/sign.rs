//! `muster tool sign`.

use muster::Secret;
use muster::alibaba::sign::{
    Algorithm, SignedRequest, content_md5, default_signed_headers, signature,
    split_signature_headers, string_to_sign,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, stdin, unusable};
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
        let input: Input = serde_json::from_str(&stdin()?).map_err(|e| unusable("stdin", e))?;
        let algorithm: Algorithm = match input.algorithm.as_deref() {
            None | Some("") => Algorithm::default(),
            Some(name) => name.parse().map_err(|e| unusable("algorithm", e))?,
        };
        let body = match input.body {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text,
            // A body given as JSON is signed compact, as it would be sent.
            Some(other) => other.to_string(),
        };
        let (query, form, headers) =
            (input.query.into_list(), input.form.into_list(), input.headers.into_list());
        let listed = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("X-Ca-Signature-Headers"))
            .map(|(_, value)| split_signature_headers(value));
        let request = SignedRequest {
            method: &input.method.unwrap_or_else(|| "POST".into()).to_ascii_uppercase(),
            path: &input.path,
            query: &query,
            form: &form,
            headers: &headers,
            signed_headers: listed.as_deref(),
        };
        let string = string_to_sign(&request);
        let md5 = content_md5(body.as_bytes()).filter(|_| form.is_empty());
        let signed = signature(algorithm, &Secret::new(input.secret), &string);
        let names = listed.unwrap_or_else(|| default_signed_headers(&headers));
        let sent_md5 = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("Content-MD5"))
            .map(|(_, v)| v);
        let warning = match (&md5, sent_md5) {
            (Some(ours), Some(theirs)) if ours != theirs => {
                "\nThe Content-MD5 among the headers is not that of the body: the gateway answers \"Invalid Content-MD5\"."
            }
            (Some(_), None) => {
                "\nThere is a body and no Content-MD5 header: the line of Content-MD5 above is empty. Add the header."
            }
            _ => "",
        };
        let mut text = String::from("String to sign, line by line:\n\n");
        for line in string.split('\n') {
            text.push_str(&format!("  {line}\n"));
        }
        text.push_str(&format!(
            "\nContent-MD5             {}\nX-Ca-Signature-Headers  {}\nX-Ca-Signature          {signed}   ({algorithm})\n{warning}",
            md5.as_deref().unwrap_or("(no body: leave the header out)"),
            names.join(","),
        ));
        let json = json!({
            "string_to_sign": string,
            "content_md5": md5,
            "signature": signed,
            "signature_headers": names.join(","),
        });
        Ok(Answer { json, text })
    }
}
