//! Sockets: binding, who may do what on which of them, and clients that do not read.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

use crate::exit::Exit;

/// A peer that takes nothing for this long is cut off.
const STALL: Duration = Duration::from_secs(30);

/// Where devices come in, and where operators do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doors {
    /// `--listen`.
    pub(crate) devices: IpAddr,
    /// `--operator-listen`.
    pub(crate) operators: IpAddr,
}

impl Doors {
    /// The addresses of the HTTP port: both roles share it.
    pub(crate) fn http(&self) -> Vec<IpAddr> {
        let mut all = vec![self.devices, self.operators];
        // An unspecified address takes the others of its family in; some systems refuse to bind both.
        let wide =
            |ip: &IpAddr| all.iter().any(|w| w.is_unspecified() && w.is_ipv4() == ip.is_ipv4());
        let covered: Vec<bool> = all.iter().map(|ip| !ip.is_unspecified() && wide(ip)).collect();
        let mut keep = covered.iter();
        all.retain(|_| !keep.next().copied().unwrap_or(false));
        all.dedup();
        all
    }

    /// Whether operators may come in on a connection that arrived at `local`.
    pub(crate) fn operators_at(&self, local: SocketAddr) -> bool {
        let local = local.ip().to_canonical();
        let same_family = self.operators.is_ipv4() == local.is_ipv4();
        local == self.operators
            || (self.operators.is_unspecified() && same_family)
            // `--operator-listen ::` on a system where it takes IPv4 in as well.
            || (self.operators.is_unspecified() && self.operators.is_ipv6())
            || (self.operators.is_loopback() && local.is_loopback())
    }
}

/// The address to print for a listener: one that can be dialled.
pub(crate) fn dialable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(v4) if v4.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(v6) if v6.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        ip => ip,
    }
}

/// Binds `port` on all of `ips`. Port 0 is a free one, the same on each.
pub(crate) async fn bind(
    ips: &[IpAddr],
    port: u16,
    what: &str,
    flag: &str,
) -> Result<Vec<TcpListener>, Exit> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let mut port_now = port;
        let mut bound = Vec::new();
        let mut failed = None;
        for &ip in ips {
            match TcpListener::bind((ip, port_now)).await {
                Ok(listener) => {
                    port_now = listener.local_addr().map_or(port_now, |at| at.port());
                    bound.push(listener);
                }
                Err(error) => {
                    failed = Some((ip, error));
                    break;
                }
            }
        }
        match failed {
            None => return Ok(bound),
            // A port that is free on one address may be taken on the other.
            Some((_, error))
                if port == 0 && attempts < 16 && error.kind() == io::ErrorKind::AddrInUse => {}
            Some((ip, error)) => {
                let next = if error.kind() == io::ErrorKind::AddrInUse {
                    format!(
                        "stop the program that has the port, or choose another: {flag} PORT (0 takes a free one)"
                    )
                } else {
                    format!(
                        "choose an address of this machine (--listen, --operator-listen) and a port: {flag} PORT"
                    )
                };
                let at = SocketAddr::new(ip, port_now);
                return Err(Exit::local(
                    format!("cannot listen on {at} for {what}: {error}"),
                    next,
                ));
            }
        }
    }
}

/// Accepts for ever. Errors such as "too many open files" pass; a busy loop over them does not help.
pub(crate) async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut said = false;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) => {
                if !said {
                    eprintln!("warning: cannot accept a connection: {error}");
                    said = true;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Allows as many open files as the system lets us: thousands of devices in one process.
pub(crate) fn raise_open_files() {
    #[cfg(unix)]
    {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: both calls only read or write the structure that they are given.
        unsafe {
            if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0
                && limit.rlim_cur < limit.rlim_max
            {
                // macOS refuses "unlimited" here.
                limit.rlim_cur = limit.rlim_max.min(1 << 20);
                let _ = libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
            }
        }
    }
}

/// A stream whose writes fail once the peer took nothing for [`STALL`].
#[derive(Debug)]
pub(crate) struct Patient<S> {
    inner: S,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Patient<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, stalled: None }
    }

    /// The stream itself.
    pub(crate) fn get_ref(&self) -> &S {
        &self.inner
    }

    fn check<T>(&mut self, cx: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stalled = None;
            return poll;
        }
        let sleep = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(STALL)));
        match sleep.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.check(cx, poll)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.inner).poll_flush(cx);
        self.check(cx, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.check(cx, poll)
    }
}
