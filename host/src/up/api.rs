//! The operator API: JSON over HTTP, for the command line, the page and people with `curl`.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use muster::PlatformName;
use muster::cloud::{Action, Operation, OperationResult, ProductView};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::engine::Engine;
use super::error::ApiError;
use super::http::{self, Answer};
use super::journal::Line;
use super::{Up, demo};

/// A firmware operation carries no image, a CSV of 100,000 rows fits.
const OPERATION: usize = 8 * 1024 * 1024;

/// The query of a request, read strictly: a mistyped parameter is an error, not the default.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(request: &Request) -> Self {
        Self(http::query(request.uri().query().unwrap_or_default()))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// `?name`, `?name=true` or `?name=1`.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ApiError> {
        match self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()) {
            None | Some("false" | "0") => Ok(false),
            Some("" | "true" | "1") => Ok(true),
            Some(_) => Err(ApiError::invalid(
                format!("`{name}` is true or false"),
                format!("write ?{name}=true"),
            )),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| {
            ApiError::invalid(
                format!("`{name}` is a number, not `{text}`"),
                format!("write ?{name}=100"),
            )
        })
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| {
            ApiError::invalid(
                format!("the parameter `{name}` is missing"),
                format!("add {name}=… to the address"),
            )
        })
    }

    pub(crate) fn platform(&self) -> Result<PlatformName, ApiError> {
        parse_platform(self.required("platform")?)
    }

    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.0.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some((key, _)) => Err(ApiError::invalid(
                format!("`{key}` is not a parameter of this"),
                format!(
                    "it takes {}",
                    if known.is_empty() { "none".into() } else { known.join(", ") }
                ),
            )),
        }
    }
}

fn parse_platform(text: &str) -> Result<PlatformName, ApiError> {
    text.parse().map_err(|_| {
        ApiError::invalid(
            format!("`{text}` is no platform"),
            "use one of ucloud, cmcc, krtyun, alibaba",
        )
    })
}

/// One operation, its refusal as an error.
pub(crate) async fn run(
    engine: &Engine,
    platform: PlatformName,
    action: Action,
) -> Result<OperationResult, ApiError> {
    Ok(engine.operate(Operation { platform, action }).await??)
}

/// The products of a platform.
pub(crate) async fn list_products(
    engine: &Engine,
    platform: PlatformName,
    reveal: bool,
) -> Result<Vec<ProductView>, ApiError> {
    match run(engine, platform, Action::ListProducts { reveal }).await? {
        OperationResult::Products { items } => Ok(items),
        _ => Ok(Vec::new()),
    }
}

/// Says so if there is no such product.
pub(crate) async fn find_product(
    engine: &Engine,
    platform: PlatformName,
    product: &str,
) -> Result<(), ApiError> {
    let products = list_products(engine, platform, false).await?;
    if products.iter().any(|p| p.id == product) {
        return Ok(());
    }
    let ids: Vec<&str> = products.iter().map(|p| p.id.as_str()).collect();
    Err(ApiError::new(
        StatusCode::NOT_FOUND,
        "not_found",
        format!("{platform} has no product `{product}`"),
        if ids.is_empty() {
            "create one first".into()
        } else {
            format!("use one of {}", ids.join(", "))
        },
    ))
}

/// `GET /api`: what there is.
pub(crate) async fn index() -> Response {
    http::json(&json!({
        "GET": {
            "/api/status": "addresses, connections, storage",
            "/api/demo": "complete settings of a demo device for each platform, with secrets",
            "/api/products": "?platform= &reveal=true",
            "/api/devices": "?platform= &product= &after= &limit= &reveal=true",
            "/api/reports": "?platform= &product= &device=",
            "/api/upgrades": "?platform= &product=",
            "/api/owners": "?platform=alibaba &reveal=true",
            "/api/log": "?follow &platform= &after=; ndjson, or Server-Sent Events with Accept: text/event-stream",
        },
        "POST": {
            "/api/operate": "an operation: {\"platform\":…,\"action\":…,…}, Content-Type: application/json",
            "/api/firmware": "?platform= &product= &version= &module=; the raw image, Content-Type: application/octet-stream",
        },
    }))
}

/// `GET /api/status`.
pub(crate) async fn status(State(up): State<Arc<Up>>, request: Request) -> Answer {
    Query::of(&request).only(&[])?;
    let engine = up.engine.status().await?;
    Ok(http::json(&json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_ms": up.clock.mono().0,
        "addresses": up.addresses,
        "engine": engine,
    })))
}

/// `GET /api/products`.
pub(crate) async fn products(State(up): State<Arc<Up>>, request: Request) -> Answer {
    let query = Query::of(&request);
    query.only(&["platform", "reveal"])?;
    let reveal = query.flag("reveal")?;
    let platforms = match query.get("platform") {
        Some(text) => vec![parse_platform(text)?],
        None => PlatformName::ALL.to_vec(),
    };
    let mut items = Vec::new();
    for platform in platforms {
        for product in list_products(&up.engine, platform, reveal).await? {
            let mut value = serde_json::to_value(product).unwrap_or_default();
            if let Value::Object(members) = &mut value {
                members.insert("platform".into(), json!(platform));
            }
            items.push(value);
        }
    }
    Ok(http::json(&json!({ "items": items })))
}

/// `GET /api/devices`.
pub(crate) async fn devices(State(up): State<Arc<Up>>, request: Request) -> Answer {
    let query = Query::of(&request);
    query.only(&["platform", "product", "after", "limit", "reveal"])?;
    let limit = query.number("limit")?.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let action = Action::ListDevices {
        product: query.required("product")?.to_owned(),
        after: query.get("after").map(str::to_owned),
        limit,
        reveal: query.flag("reveal")?,
    };
    Ok(http::json(&run(&up.engine, query.platform()?, action).await?))
}

/// `GET /api/reports`.
pub(crate) async fn reports(State(up): State<Arc<Up>>, request: Request) -> Answer {
    let query = Query::of(&request);
    query.only(&["platform", "product", "device"])?;
    let action = Action::ListReports {
        product: query.required("product")?.to_owned(),
        device: query.required("device")?.to_owned(),
    };
    Ok(http::json(&run(&up.engine, query.platform()?, action).await?))
}

/// `GET /api/upgrades`.
pub(crate) async fn upgrades(State(up): State<Arc<Up>>, request: Request) -> Answer {
    let query = Query::of(&request);
    query.only(&["platform", "product"])?;
    let action = Action::ListUpgrades { product: query.required("product")?.to_owned() };
    Ok(http::json(&run(&up.engine, query.platform()?, action).await?))
}

/// `GET /api/owners`.
pub(crate) async fn owners(State(up): State<Arc<Up>>, request: Request) -> Answer {
    let query = Query::of(&request);
    query.only(&["platform", "reveal"])?;
    let platform = query.get("platform").map_or(Ok(PlatformName::Alibaba), parse_platform)?;
    let action = Action::ListOwners { reveal: query.flag("reveal")? };
    Ok(http::json(&run(&up.engine, platform, action).await?))
}

/// `GET /api/demo`.
pub(crate) async fn demo(State(up): State<Arc<Up>>, request: Request) -> Answer {
    Query::of(&request).only(&[])?;
    Ok(http::json(&demo::settings(&up.engine, &up.addresses, up.app_secret.as_deref()).await?))
}

/// `POST /api/operate`.
pub(crate) async fn operate(State(up): State<Arc<Up>>, request: Request) -> Answer {
    Query::of(&request).only(&[])?;
    let body = match http::read(request.into_body(), OPERATION).await {
        Ok(body) => body,
        Err(refusal) if refusal.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Err(ApiError::too_large(
                format!("an operation has at most {} MiB", OPERATION / 1024 / 1024),
                "split the import into several",
            ));
        }
        Err(_) => return Err(ApiError::invalid("the body did not arrive", "send it again")),
    };
    let operation: Operation = serde_json::from_slice(&body).map_err(|e| {
        ApiError::invalid(
            format!("this is not an operation: {e}"),
            "write {\"platform\":\"ucloud\",\"action\":\"list_products\"} or another one of docs/local-clouds.md",
        )
    })?;
    if let Action::AddFirmware { .. } = operation.action {
        return Err(ApiError::invalid(
            "an image is added together with its bytes",
            "POST the raw image to /api/firmware?platform=&product=&version=",
        ));
    }
    Ok(http::json(&up.engine.operate(operation).await??))
}

/// `GET /api/log`.
pub(crate) async fn log(State(up): State<Arc<Up>>, request: Request) -> Answer {
    let query = Query::of(&request);
    query.only(&["follow", "platform", "after"])?;
    let platform = query.get("platform").map(parse_platform).transpose()?;
    let accepts =
        |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let events = accepts(header::ACCEPT).is_some_and(|kinds| kinds.contains("text/event-stream"));
    // A browser that lost the connection says where it was.
    let seen =
        accepts(header::HeaderName::from_static("last-event-id")).and_then(|id| id.parse().ok());
    let after = seen.or(query.number("after")?).unwrap_or(0);
    let (past, feed) = up.journal.read(after);

    let wanted = move |line: &Line| platform.is_none_or(|platform| line.entry.platform == platform);
    let write = move |line: &Line| -> Bytes {
        let json = super::json(line);
        if events { format!("id: {}\ndata: {json}\n\n", line.seq) } else { format!("{json}\n") }
            .into()
    };
    let past: Vec<Bytes> =
        past.iter().filter(|line| wanted(line)).map(|line| write(line)).collect();
    let past = stream::iter(past.into_iter().map(Ok::<_, Infallible>));
    let body = if query.flag("follow")? || events {
        let coming = stream::unfold(feed, move |mut feed| async move {
            loop {
                match feed.recv().await {
                    Ok(line) if wanted(&line) => return Some((Ok(write(&line)), feed)),
                    Ok(_) => {}
                    Err(RecvError::Lagged(missed)) => {
                        let json = json!({ "missed": missed });
                        let text = if events {
                            format!("event: missed\ndata: {json}\n\n")
                        } else {
                            format!("{json}\n")
                        };
                        return Some((Ok(Bytes::from(text)), feed));
                    }
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        Body::from_stream(past.chain(coming))
    } else {
        Body::from_stream(past)
    };
    let kind = if events { "text/event-stream" } else { "application/x-ndjson" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, body).into_response())
}

/// Any other path below `/api/`.
pub(crate) async fn unknown() -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is no such call",
        "GET /api lists them all",
    )
}

/// A path that is there, with another method.
pub(crate) async fn wrong_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "this call takes another method",
        "GET /api says which",
    )
}
