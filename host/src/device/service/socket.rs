//! The health socket: HTTP/1.1 on a Unix socket, as much of it as `curl --unix-socket`, a probe and a scraper need.
//!
//! One answer a connection. Whoever connects gets two seconds to ask and two to listen, four kilobytes for the question,
//! and one of eight places; beyond that it is told so and cut off. All of it is one task beside the driver's on the same
//! thread, and none of it waits for the other.
//!
//! A socket file outlives a process that was killed. It is replaced if nobody answers there; a living one never is, nor
//! anything that is no socket. The new one is bound under another name and renamed, so that it never is there with wider
//! permissions than it will have.

#[cfg(not(unix))]
use std::path::PathBuf;

use super::{Board, Moment, metrics};
use crate::exit::Exit;

/// Of a question, its headers included.
const MOST_ASKED: usize = 4096;
/// At a time.
const MOST_GUESTS: usize = 8;
const ASK_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);
const LISTEN_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);

/// What a question gets.
struct Reply {
    status: u16,
    kind: &'static str,
    body: String,
}

const JSON: &str = "application/json";
const PLAIN: &str = "text/plain; charset=utf-8";

impl Reply {
    fn plain(status: u16, body: &str) -> Self {
        Self { status, kind: PLAIN, body: format!("{body}\n") }
    }

    /// `body`: not for HEAD.
    fn to_bytes(&self, body: bool) -> Vec<u8> {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            431 => "Request Header Fields Too Large",
            _ => "Service Unavailable",
        };
        let mut text = format!(
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             Connection: close\r\n\r\n",
            self.status,
            self.kind,
            self.body.len()
        );
        if self.status == 405 {
            text = text.replacen("\r\n", "\r\nAllow: GET, HEAD\r\n", 1);
        }
        if body {
            text.push_str(&self.body);
        }
        text.into_bytes()
    }
}

/// What was asked: method and path.
fn parse(head: &[u8]) -> Option<(&str, &str)> {
    let line = std::str::from_utf8(head).ok()?.lines().next()?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let right = words.next().is_none() && version.starts_with("HTTP/1.") && target.starts_with('/');
    right.then(|| (method, target.split('?').next().unwrap_or(target)))
}

fn answer(head: &[u8], board: &Board) -> Vec<u8> {
    let Some((method, path)) = parse(head) else {
        return Reply::plain(400, "this is no HTTP/1.1 request").to_bytes(true);
    };
    if !matches!(method, "GET" | "HEAD") {
        return Reply::plain(405, "nothing can be changed here").to_bytes(true);
    }
    let json = |right: bool, value: serde_json::Value| Reply {
        status: if right { 200 } else { 503 },
        kind: JSON,
        body: format!("{value}\n"),
    };
    let now = Moment::now();
    let reply = match path {
        "/health" => {
            let (healthy, value) = board.lock().health(now);
            json(healthy, value)
        }
        "/ready" => {
            let (ready, value) = board.lock().ready();
            json(ready, value)
        }
        "/metrics" => {
            let body = metrics::render(&board.lock(), now);
            Reply { status: 200, kind: "text/plain; version=0.0.4; charset=utf-8", body }
        }
        "/" => Reply::plain(200, "/health\n/ready\n/metrics"),
        _ => Reply::plain(404, "there are /health, /ready and /metrics"),
    };
    let mut status = board.lock();
    *status.counters.answers.entry(reply.status).or_default() += 1;
    drop(status);
    reply.to_bytes(method == "GET")
}

#[cfg(not(unix))]
pub(super) struct Door;

#[cfg(not(unix))]
impl Door {
    pub(super) fn open(_: PathBuf, _: u32) -> Result<Self, Exit> {
        Err(Exit::usage(
            "there are no Unix sockets on this system",
            "set `socket = \"none\"` under [service] in the profile",
        ))
    }

    pub(super) fn serve(&mut self, _: Board) -> Result<(), Exit> {
        Ok(())
    }
}

#[cfg(unix)]
pub(super) use unix::Door;

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::io;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
    use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Semaphore;
    use tokio::time::timeout;

    use super::{ASK_WITHIN, Board, Exit, LISTEN_WITHIN, MOST_ASKED, MOST_GUESTS, Reply, answer};

    /// The socket; its file goes when it is dropped.
    pub(in super::super) struct Door {
        path: PathBuf,
        /// Device and inode: a file that took its place is not ours to remove.
        is: (u64, u64),
        listener: Option<UnixListener>,
    }

    const NEXT: &str = "set another path as `socket` under [service] in the profile, or \"none\"";

    impl Door {
        pub(in super::super) fn open(path: PathBuf, mode: u32) -> Result<Self, Exit> {
            let no = |e: io::Error| {
                let why = match e.kind() {
                    // The system's word for it is "invalid".
                    io::ErrorKind::InvalidInput => "its path is too long for a socket".to_owned(),
                    _ => e.to_string(),
                };
                Exit::local(format!("cannot listen at {}: {why}", path.display()), NEXT)
            };
            // A rename would take one that nobody can connect to.
            SocketAddr::from_pathname(&path).map_err(no)?;
            make_room(&path)?;
            let temporary = path.with_file_name(format!(".{}", std::process::id()));
            super::super::super::store::remove(&temporary).map_err(no)?;
            let listener = UnixListener::bind(&temporary).map_err(no)?;
            let placed = || {
                fs::set_permissions(&temporary, fs::Permissions::from_mode(mode))?;
                listener.set_nonblocking(true)?;
                fs::rename(&temporary, &path)?;
                fs::symlink_metadata(&path)
            };
            match placed() {
                Ok(found) => {
                    let is = (found.dev(), found.ino());
                    Ok(Self { path, is, listener: Some(listener) })
                }
                Err(e) => {
                    let _ = fs::remove_file(&temporary);
                    Err(no(e))
                }
            }
        }

        pub(in super::super) fn serve(&mut self, board: Board) -> Result<(), Exit> {
            let Some(listener) = self.listener.take() else { return Ok(()) };
            let listener = tokio::net::UnixListener::from_std(listener).map_err(|e| {
                Exit::local(format!("cannot listen at {}: {e}", self.path.display()), NEXT)
            })?;
            tokio::spawn(receive(listener, board));
            Ok(())
        }
    }

    impl Drop for Door {
        fn drop(&mut self) {
            if fs::symlink_metadata(&self.path).is_ok_and(|it| (it.dev(), it.ino()) == self.is) {
                let _ = fs::remove_file(&self.path);
            }
        }
    }

    /// Removes what a killed process left.
    fn make_room(path: &Path) -> Result<(), Exit> {
        let at = path.display();
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Exit::local(format!("cannot look at {at}: {e}"), NEXT)),
        };
        if !found.file_type().is_socket() {
            return Err(Exit::local(format!("{at} is there and is no socket: it was left"), NEXT));
        }
        match UnixStream::connect(path) {
            // What is there is replaced by the rename.
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(Exit::local(format!("cannot tell who listens at {at}: {e}"), NEXT)),
            Ok(_) => Err(Exit::local(format!("another process listens at {at}"), NEXT)),
        }
    }

    async fn receive(listener: tokio::net::UnixListener, board: Board) {
        let places = Arc::new(Semaphore::new(MOST_GUESTS));
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file handles: others give theirs back.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            match places.clone().try_acquire_owned() {
                Ok(place) => {
                    let board = board.clone();
                    tokio::spawn(async move {
                        serve(stream, &board).await;
                        drop(place);
                    });
                }
                Err(_) => {
                    let busy = Reply::plain(503, "too many ask at once").to_bytes(true);
                    let _ = stream.try_write(&busy);
                }
            }
        }
    }

    async fn serve(mut stream: tokio::net::UnixStream, board: &Board) {
        let reply = match timeout(ASK_WITHIN, read(&mut stream)).await {
            Ok(Ok(Some(head))) => answer(&head, board),
            Ok(Ok(None)) => Reply::plain(431, "the question is too long").to_bytes(true),
            // Gone, or never said a whole question.
            Ok(Err(_)) => return,
            Err(_) => Reply::plain(408, "the question did not come in time").to_bytes(true),
        };
        let _ = timeout(LISTEN_WITHIN, async {
            stream.write_all(&reply).await?;
            stream.shutdown().await
        })
        .await;
    }

    /// Up to the empty line; `None` if that does not come soon enough.
    async fn read(stream: &mut tokio::net::UnixStream) -> io::Result<Option<Vec<u8>>> {
        let mut head = Vec::with_capacity(512);
        let mut chunk = [0; 512];
        loop {
            let n = stream.read(&mut chunk).await?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            head.extend(chunk.iter().take(n));
            if head.windows(4).any(|four| four == b"\r\n\r\n") {
                return Ok(Some(head));
            }
            if head.len() > MOST_ASKED {
                return Ok(None);
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_stale_socket_is_replaced_a_living_one_and_a_file_never() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("health.sock");
            drop(UnixListener::bind(&path).unwrap());
            assert!(path.exists(), "what a killed process leaves");
            let door = Door::open(path.clone(), 0o600).unwrap();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600);
            let second = Door::open(path.clone(), 0o600).err().unwrap().to_string();
            assert!(second.contains("another process listens"), "{second}");
            drop(door);
            assert!(!path.exists());
            fs::write(&path, "precious").unwrap();
            assert!(Door::open(path.clone(), 0o600).is_err());
            assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }

        #[test]
        fn the_file_of_a_successor_is_left_to_it() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("s");
            let first = Door::open(path.clone(), 0o600).unwrap();
            fs::remove_file(&path).unwrap();
            let _second = Door::open(path.clone(), 0o660).unwrap();
            drop(first);
            assert!(path.exists());
        }

        #[test]
        fn a_path_that_is_too_long_is_said_to_be() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("x".repeat(120));
            let error = Door::open(path, 0o600).err().unwrap().to_string();
            assert!(error.contains("too long for a socket"), "{error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_read_or_refused() {
        assert_eq!(parse(b"GET /health HTTP/1.1\r\n\r\n"), Some(("GET", "/health")));
        assert_eq!(parse(b"GET /metrics?x=1 HTTP/1.0\r\n\r\n"), Some(("GET", "/metrics")));
        for bad in
            ["", "GET", "GET /", "GET / HTTP/2", "GET x HTTP/1.1", "GET / HTTP/1.1 x", "\u{0}"]
        {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(parse(b"\xff\xfe / HTTP/1.1"), None);
    }
}
