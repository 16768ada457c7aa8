//! HTTP by ureq, on threads of the blocking pool: requests of the core, the local cloud's demo, firmware.

use std::io;
use std::time::Duration;

use muster::http::{MAX_BODY, Request, Response};
use muster::{Answer, Failure};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::tls::{self, Trust};

/// The core asks again after 10 s on its own; an answer later than this is nobody's.
const REQUEST_WITHIN: Duration = Duration::from_secs(20);
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// What names a CA of one's own.
const CA: &str = "--ca FILE";
/// A download may take hours, but not stand still.
const READ_WITHIN: Duration = Duration::from_secs(20);

/// The clients. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Http {
    requests: ureq::Agent,
    downloads: ureq::Agent,
}

impl Http {
    pub(crate) fn new(trust: &Trust) -> Self {
        let roots = match trust {
            Trust::Public => RootCerts::WebPki,
            Trust::Own(own) => {
                let own: Vec<_> = own.iter().map(|c| Certificate::from_der(c).to_owned()).collect();
                RootCerts::new_with_certs(&own)
            }
        };
        let tls = TlsConfig::builder().root_certs(roots).build();
        let base = || {
            ureq::Agent::config_builder()
                .tls_config(tls.clone())
                .http_status_as_error(false)
                .timeout_connect(Some(CONNECT_WITHIN))
                .timeout_resolve(Some(CONNECT_WITHIN))
                .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")))
                .accept_encoding("identity")
        };
        Self {
            // A signed request means what it says to the host it was signed for: no redirects.
            requests: base().max_redirects(0).timeout_global(Some(REQUEST_WITHIN)).build().into(),
            // Each redirect is asked about before it is followed.
            downloads: base()
                .max_redirects(0)
                .timeout_per_read(Some(READ_WITHIN))
                .timeout_recv_response(Some(READ_WITHIN))
                .build()
                .into(),
        }
    }

    /// Carries out a request of the core. With a failure comes a detail for the person.
    pub(crate) fn request(&self, request: &Request) -> (Answer, Option<String>) {
        match self.try_request(request) {
            Ok(response) => (Answer::Response(response), None),
            Err(error) => {
                let (failure, detail) = failure(&error, &request.url);
                (Answer::Failed(failure), Some(detail))
            }
        }
    }

    fn try_request(&self, request: &Request) -> Result<Response, ureq::Error> {
        let mut builder =
            ureq::http::Request::builder().method(request.method.as_str()).uri(&request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let mut response = self.requests.run(builder.body(request.body.as_slice())?)?;
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MAX_BODY as u64).read_to_vec()?;
        Ok(Response { status, headers, body })
    }

    /// A small GET of our own.
    pub(super) fn get(&self, url: &str, within: Duration) -> Result<Vec<u8>, String> {
        let run = || {
            let mut response = self
                .requests
                .get(url)
                .config()
                .timeout_global(Some(within))
                .proxy(None)
                .http_status_as_error(true)
                .build()
                .call()?;
            response.body_mut().with_config().limit(MAX_BODY as u64).read_to_vec()
        };
        run().map_err(|error| failure(&error, url).1)
    }

    /// Begins a download at byte `from`. The body is not read yet; an answer may be a redirect.
    pub(super) fn download(
        &self,
        url: &str,
        from: u64,
        etag: Option<&str>,
    ) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let mut request = self.downloads.get(url);
        if from > 0 {
            request = request.header("Range", format!("bytes={from}-"));
            if let Some(etag) = etag {
                request = request.header("If-Range", etag);
            }
        }
        request.call()
    }
}

/// Which failure the core is told, and what a person is. Nothing of a URL but its host: a query may hold a signature.
pub(super) fn failure(error: &ureq::Error, url: &str) -> (Failure, String) {
    let host = host(url);
    use ureq::Error as E;
    match error {
        E::HostNotFound => (Failure::Dns, format!("the name {host} cannot be resolved")),
        E::ConnectionFailed => (Failure::Unreachable, format!("nobody listens at {host}")),
        E::Timeout(_) => (Failure::TimedOut, format!("{host} did not answer in time")),
        E::BodyExceedsLimit(limit) => {
            (Failure::TooLarge, format!("{host} answered with more than {limit} bytes"))
        }
        E::Rustls(error) => (Failure::Tls, tls::explain(error, host, CA)),
        E::Tls(why) => (Failure::Tls, format!("TLS with {host} failed: {why}")),
        E::Io(error) => io_failure(error, host),
        E::StatusCode(status) => {
            (Failure::Status(*status), format!("{host} answered with HTTP status {status}"))
        }
        E::BadUri(_) => (Failure::Forbidden, "the address is not one that HTTP knows".into()),
        E::TooManyRedirects | E::RedirectFailed => {
            (Failure::Protocol, format!("{host} redirects without an end"))
        }
        other => (Failure::Protocol, format!("{host} did not answer as HTTP demands: {other}")),
    }
}

/// The same for an error of the operating system, which may wrap one of TLS.
pub(crate) fn io_failure(error: &io::Error, host: &str) -> (Failure, String) {
    use io::ErrorKind as K;
    if let Some(tls) = tls::inside(error) {
        return (Failure::Tls, tls::explain(tls, host, CA));
    }
    match error.kind() {
        K::ConnectionRefused => (Failure::Unreachable, format!("nobody listens at {host}")),
        K::HostUnreachable | K::NetworkUnreachable | K::NetworkDown | K::AddrNotAvailable => {
            (Failure::Unreachable, format!("there is no way to {host}: {error}"))
        }
        K::TimedOut | K::WouldBlock => {
            (Failure::TimedOut, format!("{host} did not answer in time"))
        }
        K::InvalidData => (Failure::Protocol, format!("{host} answered with nonsense: {error}")),
        _ => (Failure::Lost, format!("the connection to {host} broke: {error}")),
    }
}

/// Where a redirect from `base` to `to` leads.
pub(crate) fn join(base: &str, to: &str) -> String {
    let scheme_end = base.find("://").map_or(0, |at| at + 3);
    let authority_end =
        base[scheme_end..].find(['/', '?', '#']).map_or(base.len(), |at| scheme_end + at);
    let (origin, rest) = base.split_at(authority_end);
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    if to.contains("://") {
        to.to_owned()
    } else if to.starts_with("//") {
        format!("{}{}", &base[..scheme_end.saturating_sub(2)], to)
    } else if to.starts_with('/') {
        format!("{origin}{to}")
    } else {
        let folder = path.rfind('/').map_or("/", |at| &path[..=at]);
        format!("{origin}{folder}{to}")
    }
}

/// Host and port of a URL.
pub(super) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn redirects_lead_where_they_say() {
        for (base, to, right) in [
            ("http://h/a/b?x=1", "https://o:8/c", "https://o:8/c"),
            ("http://h:1/a/b?x=/y", "c?d", "http://h:1/a/c?d"),
            ("http://h:1/a/b", "/c", "http://h:1/c"),
            ("https://h?q", "c", "https://h/c"),
            ("https://h", "//o/c", "https://o/c"),
        ] {
            assert_eq!(join(base, to), right);
        }
    }
}
