//! placeholder
use super::{Addresses, Up};
pub(crate) async fn start(_up: &Up, _r: &axum::http::request::Parts) -> axum::response::Response {
    super::http::plain(axum::http::StatusCode::OK, "muster\n")
}
pub(crate) fn terminal(a: &Addresses, d: &serde_json::Value) -> String {
    format!("{}\n{}\n", super::json(a), serde_json::to_string_pretty(d).unwrap_or_default())
}
