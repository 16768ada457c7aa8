//! Signatures of Alibaba Cloud API Gateway.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{ToolError, ToolStep};
use crate::hex;
use crate::http::header;
use crate::platform::alibaba::sign::{
    Algorithm, SignedRequest, content_md5, default_signed_headers, signature,
    split_signature_headers, string_to_sign,
};
use crate::secret::Secret;

/// A request to sign.
#[derive(Default, serde::Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
pub struct SignInput {
    /// `HmacSHA256` if absent, or `HmacSHA1`.
    #[serde(default)]
    pub algorithm: Option<String>,
    /// AppSecret.
    pub secret: String,
    /// `POST` if absent.
    #[serde(default)]
    pub method: Option<String>,
    /// Beginning with `/`.
    pub path: String,
    /// Name and value.
    #[serde(default)]
    pub query: Vec<(String, String)>,
    /// Name and value, of a form body.
    #[serde(default)]
    pub form: Vec<(String, String)>,
    /// Name and value.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// Any other body.
    #[serde(default)]
    pub body: Option<String>,
}

/// A signed request.
#[derive(serde::Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SignOutput {
    /// What is signed.
    pub string_to_sign: String,
    /// Of a body that is no form; null if there is none.
    pub content_md5: Option<String>,
    /// `X-Ca-Signature`.
    pub signature: String,
    /// `X-Ca-Signature-Headers`.
    pub signature_headers: String,
    /// Something that the gateway will refuse.
    pub warning: Option<String>,
    /// How.
    pub steps: Vec<ToolStep>,
}

/// Signs a request.
pub fn sign(input: &SignInput) -> Result<SignOutput, ToolError> {
    let algorithm: Algorithm = match input.algorithm.as_deref() {
        None | Some("") => Algorithm::default(),
        Some(name) => name.parse().map_err(|e| ToolError::new("algorithm", e))?,
    };
    if !input.path.starts_with('/') {
        return Err(ToolError::new("path", "has to begin with /"));
    }
    let body = input.body.as_deref().unwrap_or_default();
    let listed = header(&input.headers, "X-Ca-Signature-Headers").map(split_signature_headers);
    let method = input.method.as_deref().filter(|method| !method.is_empty()).unwrap_or("POST");
    let string = string_to_sign(&SignedRequest {
        method: &method.to_ascii_uppercase(),
        path: &input.path,
        query: &input.query,
        form: &input.form,
        headers: &input.headers,
        signed_headers: listed.as_deref(),
    });
    let md5 = content_md5(body.as_bytes()).filter(|_| input.form.is_empty());
    let signature = signature(algorithm, &Secret::new(input.secret.as_str()), &string);
    let names = listed.unwrap_or_else(|| default_signed_headers(&input.headers)).join(",");
    let warning = match (&md5, header(&input.headers, "Content-MD5")) {
        (Some(ours), Some(theirs)) if ours != theirs => Some(
            "the Content-MD5 among the headers is not that of the body: the gateway answers \"Invalid Content-MD5\"",
        ),
        (Some(_), None) => Some(
            "there is a body and no Content-MD5 header: the line of Content-MD5 is empty; add the header",
        ),
        _ => None,
    };
    let plain = |base64: &str| hex::lower(&STANDARD.decode(base64).unwrap_or_default());
    let md5_hex = md5.as_deref().map(plain).unwrap_or_default();
    let steps = Vec::from([
        ToolStep::new("MD5 of the body", md5_hex),
        ToolStep::new("Content-MD5", md5.as_deref().unwrap_or_default()),
        ToolStep::new("X-Ca-Signature-Headers", names.as_str()),
        ToolStep::new("X-Ca-Signature-Method", algorithm.as_str()),
        ToolStep::new("bytes to sign", string.len().to_string()),
        ToolStep::new("HMAC by the AppSecret", plain(&signature)),
        ToolStep::new("X-Ca-Signature", signature.as_str()),
    ]);
    Ok(SignOutput {
        string_to_sign: string,
        content_md5: md5,
        signature,
        signature_headers: names,
        warning: warning.map(ToString::to_string),
        steps,
    })
}
