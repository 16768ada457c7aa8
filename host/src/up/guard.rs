//! Keeps other web pages out of the operator's side.
//!
//! The operator API has no password: whoever can reach it over loopback is the person at this machine. Any page in
//! that person's browser reaches loopback too, so a request has to show that it does not come from one: `Host` must
//! be a literal address or `localhost` (a name that resolves to 127.0.0.1 is how DNS rebinding works), `Origin` and
//! `Sec-Fetch-Site` must speak of this very address, and anything that changes something needs a content type that a
//! page cannot send to a stranger without asking first. No CORS header is ever sent, so nobody gets to ask.

use axum::extract::{Extension, Request};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::http::Arrival;

/// Around every route of the operator API.
pub(crate) async fn api(
    Extension(arrival): Extension<Arrival>,
    request: Request,
    next: Next,
) -> Response {
    match check(&arrival, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(arrival: &Arrival, request: &Request) -> Result<(), ApiError> {
    let headers = request.headers();
    operator(arrival, headers)?;
    if let Some(site) = headers.get("sec-fetch-site")
        && !matches!(site.as_bytes(), b"same-origin" | b"none")
    {
        return Err(foreign("Sec-Fetch-Site"));
    }
    if request.method() == Method::POST {
        let wanted = if request.uri().path() == "/api/firmware" {
            "application/octet-stream"
        } else {
            "application/json"
        };
        let given = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let kind = given.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case(wanted) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "content_type",
                format!("this takes Content-Type {wanted}, not `{kind}`"),
                format!("send the header `Content-Type: {wanted}`"),
            ));
        }
    }
    Ok(())
}

/// Whether this connection, and the page that a browser speaks for, may act as the operator.
pub(crate) fn operator(arrival: &Arrival, headers: &HeaderMap) -> Result<(), ApiError> {
    if !arrival.operators {
        return Err(ApiError::forbidden(
            "the console and the operator API are not served at this address",
            "use http://127.0.0.1 on the machine itself, or start `muster up` with --operator-listen ADDR",
        ));
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|value| value.to_str().ok()), hosts.next())
    else {
        return Err(ApiError::forbidden(
            "the request has to name one Host",
            "send the header `Host: 127.0.0.1`",
        ));
    };
    if !literal(host) {
        return Err(ApiError::forbidden(
            format!("`{host}` is a name, and names may be made to point anywhere"),
            "use the address itself: http://127.0.0.1 or http://localhost",
        ));
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let own = format!("http://{host}");
        if !origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()) {
            return Err(foreign("Origin"));
        }
    }
    Ok(())
}

fn foreign(header: &str) -> ApiError {
    ApiError::forbidden(
        format!("the request comes from another web page ({header})"),
        "use the console, the `muster cloud` command, or a client that is not a web page",
    )
}

/// Whether a `Host` is an IP address or `localhost`, with or without a port.
fn literal(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    match bare {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::Ipv4Addr>().is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn only_addresses_and_localhost_are_hosts() {
        for good in [
            "127.0.0.1",
            "127.0.0.1:7878",
            "localhost",
            "LOCALHOST:1",
            "[::1]",
            "[::1]:7878",
            "10.0.0.2:80",
        ] {
            assert!(literal(good), "{good}");
        }
        for bad in [
            "",
            ":7878",
            "evil.example",
            "127.0.0.1.evil.example:7878",
            "localhost.evil.example",
            "::1",
            "[x]",
            "127.1",
        ] {
            assert!(!literal(bad), "{bad}");
        }
    }
}
