//! To a host of the list: resolve once, look at each address, connect to that very address, and TLS if asked for.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::allow::AllowList;
use super::refusal::{Kind, Refusal};
use crate::device::http::io_failure;
use crate::device::tls;

/// All of it, well before whoever asked gives up: a page waits 20 seconds, and is to hear the reason.
const REACHED_WITHIN: Duration = Duration::from_secs(15);
/// TCP to one address, so that a dead one leaves time for the next.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// There.
pub(crate) struct Reached {
    pub(crate) stream: Box<dyn Stream>,
    /// The address that it is connected to.
    pub(crate) at: SocketAddr,
    /// This machine's own end.
    pub(crate) from: Option<IpAddr>,
}

/// Connects, to where the list leads.
pub(crate) struct Dialer {
    allowed: AllowList,
    tls: Arc<ClientConfig>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Dialer").field(&self.allowed).finish()
    }
}

impl Dialer {
    pub(crate) fn new(allowed: AllowList, tls: Arc<ClientConfig>) -> Self {
        Self { allowed, tls }
    }

    pub(crate) fn allowed(&self) -> &AllowList {
        &self.allowed
    }

    pub(crate) async fn dial(&self, target: &Target) -> Result<Reached, Refusal> {
        self.check(target)?;
        within(REACHED_WITHIN, target, self.reach(target)).await
    }

    async fn reach(&self, target: &Target) -> Result<Reached, Refusal> {
        let addresses = resolve(target).await?;
        let permitted: Vec<_> =
            addresses.iter().filter(|at| self.allowed.permits(at.ip(), at.port())).collect();
        if permitted.is_empty() {
            return Err(private(target, &addresses));
        }
        let mut last = None;
        for &at in permitted.into_iter().take(ADDRESSES) {
            match within(CONNECTED_WITHIN, target, connect(target, at)).await {
                Ok(tcp) => {
                    let from = tcp.local_addr().ok().map(|own| own.ip());
                    return Ok(Reached { stream: self.secured(target, tcp).await?, at, from });
                }
                Err(refusal) => last = Some(refusal),
            }
        }
        Err(last.unwrap_or_else(|| no_address(target)))
    }

    /// Whether the list holds it.
    pub(crate) fn check(&self, target: &Target) -> Result<(), Refusal> {
        if self.allowed.holds(&target.host, target.port) {
            return Ok(());
        }
        Err(Refusal::new(
            Kind::Host,
            format!("{target} is not on the relay's list"),
            format!("if it is right, start `muster up` with --relay --relay-allow {target}"),
        ))
    }

    async fn secured(&self, target: &Target, tcp: TcpStream) -> Result<Box<dyn Stream>, Refusal> {
        if !target.tls {
            return Ok(Box::new(tcp));
        }
        let refused = |message: String| Refusal::new(Kind::Tls, message, TLS_NEXT);
        let name = ServerName::try_from(target.host.clone())
            .map_err(|_| refused(format!("{} is no name that TLS can check", target.host)))?;
        let connecting = async {
            let connector = TlsConnector::from(Arc::clone(&self.tls));
            connector.connect(name, tcp).await.map_err(|e| refused(untrusted(&e, target)))
        };
        Ok(Box::new(connecting.await?))
    }
}

const TLS_NEXT: &str =
    "check host and port; an authority of your own is given with --relay-ca FILE";

/// What is wrong with the server's TLS, in the words that a device has for it.
fn untrusted(error: &io::Error, target: &Target) -> String {
    let at = target.to_string();
    match tls::inside(error) {
        Some(rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired)) => {
            format!("{at} asks for a client certificate, and the relay shows none")
        }
        Some(error) => tls::explain(error, &at, "--relay-ca FILE"),
        None => format!("{at} ended the TLS handshake: {error}"),
    }
}

async fn resolve(target: &Target) -> Result<Vec<SocketAddr>, Refusal> {
    if let Ok(ip) = target.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, target.port)]);
    }
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let addresses: Vec<_> = found
        .map_err(|e| {
            let message = format!("the name {} cannot be resolved: {e}", target.host);
            Refusal::new(Kind::Dns, message, DNS_NEXT)
        })?
        .collect();
    if addresses.is_empty() { Err(no_address(target)) } else { Ok(addresses) }
}

const DNS_NEXT: &str = "check the host in the settings, and whether this machine is online";

fn no_address(target: &Target) -> Refusal {
    Refusal::new(Kind::Dns, format!("the name {} has no address", target.host), DNS_NEXT)
}

/// All that a name leads to is private.
fn private(target: &Target, addresses: &[SocketAddr]) -> Refusal {
    let found: Vec<SocketAddr> =
        addresses.iter().map(|at| SocketAddr::new(at.ip().to_canonical(), at.port())).collect();
    let shown: Vec<String> = found.iter().map(|at| at.ip().to_string()).collect();
    let flags: Vec<String> = found.iter().map(|at| format!("--relay-allow {at}")).collect();
    Refusal::new(
        Kind::Address,
        format!("{target} leads to {}, which is not of the public Internet", shown.join(", ")),
        format!("if that is meant, allow the address itself: {}", flags.join(" or ")),
    )
}

async fn connect(target: &Target, at: SocketAddr) -> Result<TcpStream, Refusal> {
    let stream = TcpStream::connect(at).await.map_err(|error| {
        let (_, message) = io_failure(&error, &target.to_string());
        Refusal::new(
            Kind::Refused,
            message,
            "check host and port, and whether a firewall is between",
        )
    })?;
    // Small packets that wait for an answer: no reason to hold them back.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

async fn within<T>(
    time: Duration,
    target: &Target,
    step: impl Future<Output = Result<T, Refusal>>,
) -> Result<T, Refusal> {
    timeout(time, step).await.unwrap_or_else(|_| Err(late(target)))
}

pub(crate) fn late(target: &Target) -> Refusal {
    Refusal::new(
        Kind::TimedOut,
        format!("{target} did not answer in time"),
        "check host and port, and whether a firewall swallows what it does not let through",
    )
}
