//! Whoever asks slowly, too much, nonsense or by the dozen is cut off; the device does not notice.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::clouds::Clouds;
use super::living::{Living, say, service};

#[test]
fn slow_and_hostile_guests_hold_nothing_up() {
    let clouds = Clouds::start();
    let store = clouds.store("d");
    let mut device =
        Living::start(service("krtyun", &store, &["--local", &clouds.local()]), &store);
    device.until("heartbeat");

    let socket = device.socket.clone();
    for (question, status) in [
        ("nonsense\r\n\r\n", "400"),
        ("POST /health HTTP/1.1\r\n\r\n", "405"),
        ("GET /credential.json HTTP/1.1\r\n\r\n", "404"),
        ("GET /../credential.json HTTP/1.1\r\n\r\n", "404"),
        ("\u{0}\u{1}\r\n\r\n", "400"),
    ] {
        let answer = say(&socket, question.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{question:?}: {answer}");
    }
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    assert!(say(&socket, long.as_bytes()).starts_with("HTTP/1.1 431 "));
    assert!(say(&socket, b"HEAD /health HTTP/1.1\r\n\r\n").ends_with("\r\n\r\n"), "no body");

    // Eight that say nothing take all places; the next is sent away at once, and told why.
    let begin = Instant::now();
    let mut silent: Vec<UnixStream> =
        (0..8).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    for guest in &mut silent {
        guest.write_all(b"GET /hea").unwrap();
        guest.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    }
    let sent_away = say(&socket, b"");
    assert!(
        sent_away.starts_with("HTTP/1.1 503 ") && sent_away.contains("too many"),
        "{sent_away}"
    );
    // Meanwhile the device does what it is for.
    device.signal("-USR1");
    device.until("heartbeat");
    // And they are shown out.
    for mut guest in silent {
        let mut answer = String::new();
        guest.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());

    // Hundreds that never read what they asked for.
    let deaf: Vec<UnixStream> = (0..300)
        .filter_map(|_| {
            let mut guest = UnixStream::connect(&socket).ok()?;
            guest.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").ok()?;
            Some(guest)
        })
        .collect();
    device.signal("-USR1");
    device.until("heartbeat");
    drop(deaf);
    device.until_health("reachable", |health| health["healthy"] == true);
}
