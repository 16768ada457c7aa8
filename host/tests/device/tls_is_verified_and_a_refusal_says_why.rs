//! MQTT over TLS and over secure WebSocket with a real Mosquitto, HTTPS with a server of rustls: whom a device trusts,
//! what it shows, and what a person reads when one of both is not enough.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use muster::http::Request;
use muster::{Command, Download, Token};
use rustls::server::Acceptor;
use rustls::{ServerConfig, ServerConnection};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::hostile::{Plugin, waiting};
use super::mosquitto::{Broker, certificates};
use super::process::{Ended, run, write};

/// One listener with this certificate over TLS, and one over secure WebSocket.
fn both(certificate: &str, more: &str) -> [String; 2] {
    let lines =
        format!("certfile {{at}}/{certificate}.pem\nkeyfile {{at}}/{certificate}.key\n{more}");
    [lines.clone(), format!("protocol websockets\n{lines}")]
}

fn broker(listeners: &[String]) -> Broker {
    Broker::with(&listeners.iter().map(String::as_str).collect::<Vec<_>>())
}

fn urls(broker: &Broker) -> Vec<String> {
    let scheme = |at: usize| if at.is_multiple_of(2) { "mqtts" } else { "wss" };
    broker
        .more
        .iter()
        .enumerate()
        .map(|(at, p)| format!("{}://localhost:{p}", scheme(at)))
        .collect()
}

/// One try to get ready, with this `[tls]` in the profile.
fn tries(broker: &Broker, url: &str, tls: &str, more: &[&str]) -> Ended {
    let text = format!(
        "broker = \"{url}\"\nproduct_id = \"20191210\"\ndevice_id = \"10001\"\n\
         device_secret = \"TheDeviceSecret\"\n[tls]\n{tls}\n"
    );
    let file = write(broker.dir.path(), "profile.toml", &text).display().to_string();
    let args = [&["--config", &file, "--until", "ready", "--for", "3s"][..], more].concat();
    run("krtyun", &broker.dir.path().join("d"), &args)
}

fn ready(broker: &Broker, url: &str, tls: &str, more: &[&str]) {
    let ended = tries(broker, url, tls, more);
    assert_eq!(ended.code, Some(0), "{url} {tls} {more:?}: {}", ended.story());
}

fn refused(broker: &Broker, url: &str, tls: &str, says: &str) {
    let ended = tries(broker, url, tls, &[]);
    assert_eq!(ended.code, Some(3), "{url} {tls}: {}", ended.story());
    assert!(ended.shows(says), "{url} {tls}: {}", ended.story());
    assert!(!ended.shows("TheDeviceSecret"), "{url} {tls}: {}", ended.story());
}

/// Certificates that are wrong in one way each, with the reason and the next move.
const WRONG: [(&str, &str); 4] = [
    (
        "expired",
        "the certificate of localhost:P has expired; if it has not, check this machine's clock",
    ),
    ("early", "the certificate of localhost:P is not valid yet; check this machine's clock"),
    (
        "misnamed",
        "the certificate is for another name than localhost:P; check the address in the settings",
    ),
    (
        "foreign",
        "the certificate of localhost:P comes from a CA that is not trusted here; if it is your own, give it with --ca \
         FILE",
    ),
];

fn port(url: &str) -> &str {
    url.trim_end_matches('/').rsplit_once(':').unwrap().1
}

#[test]
fn a_brokers_certificate_has_to_be_right_in_every_way() {
    let broker = broker(&WRONG.map(|(certificate, _)| both(certificate, "")).concat());
    for (pair, (_, says)) in urls(&broker).chunks(2).zip(WRONG) {
        for url in pair {
            refused(&broker, url, "ca = \"ca.pem\"", &says.replace('P', port(url)));
        }
    }
    // Nobody got as far as to log in.
    let log = broker.log().join("\n");
    assert!(!log.contains("New client connected"), "{log}");
}

#[test]
fn a_profile_pins_the_authority_of_each_server() {
    let broker = broker(&[both("server", ""), both("foreign", "")].concat());
    let urls = urls(&broker);
    let ca = broker.dir.path().join("ca.pem").display().to_string();
    for at in [0, 1] {
        let (own, foreign) = (urls[at].as_str(), urls[at + 2].as_str());
        // Files are looked for beside the profile.
        ready(&broker, own, "ca = \"ca.pem\"", &[]);
        ready(&broker, own, "mqtt_ca = \"ca.pem\"\nca = \"other-ca.pem\"", &[]);
        ready(&broker, foreign, "mqtt_ca = \"other-ca.pem\"\nhttp_ca = \"ca.pem\"", &[]);
        let untrusted = "a CA that is not trusted here";
        refused(&broker, own, "mqtt_ca = \"other-ca.pem\"\nca = \"ca.pem\"", untrusted);
        refused(&broker, own, "http_ca = \"ca.pem\"", untrusted);
        // Without a word about it the public roots apply, and none of them knows this broker.
        refused(&broker, own, "", untrusted);
        ready(&broker, own, "mqtt_ca = \"other-ca.pem\"", &["--ca", &ca]);
    }
}

#[test]
fn a_broker_may_ask_for_a_client_certificate() {
    let asks = "cafile {at}/ca.pem\nrequire_certificate true";
    let broker = broker(&both("server", asks));
    let ca = "ca = \"ca.pem\"";
    let with = |name: &str| format!("{ca}\ncertificate = \"{name}.pem\"\nkey = \"{name}.key\"");
    for url in urls(&broker) {
        ready(&broker, &url, &with("device"), &[]);
        let at = |file: &str| broker.dir.path().join(file).display().to_string();
        let [cert, key] = [at("device.pem"), at("device.key")];
        ready(&broker, &url, &with("foreign-device"), &["--cert", &cert, "--key", &key]);
        let says = format!(
            "localhost:{} asks for a client certificate; give one with --cert FILE --key FILE",
            port(&url)
        );
        refused(&broker, &url, ca, &says);
        let says = format!("localhost:{} does not accept the client certificate", port(&url));
        refused(&broker, &url, &with("foreign-device"), &says);
        refused(&broker, &url, &with("expired-device"), &says);
    }
}

#[test]
fn a_client_certificate_that_cannot_be_used_is_told_before_anything_is_tried() {
    let broker = Broker::start();
    write(broker.dir.path(), "empty.pem", "");
    for (tls, code, says) in [
        ("certificate = \"device.pem\"", 2, "`certificate` and `key` go together"),
        ("key = \"device.key\"", 2, "`certificate` and `key` go together"),
        ("certificate = \"nowhere.pem\"\nkey = \"device.key\"", 4, "nowhere.pem"),
        ("certificate = \"empty.pem\"\nkey = \"device.key\"", 4, "there is none in it"),
        ("certificate = \"device.pem\"\nkey = \"device.pem\"", 4, "it holds none in PEM"),
        ("certificate = \"device.pem\"\nkey = \"server.key\"", 4, "cannot be used"),
        ("mqtt_ca = \"device.key\"", 4, "device.key holds no certificate"),
        ("verify = false", 2, "unknown field `verify`"),
    ] {
        let ended = tries(&broker, "mqtts://localhost:1", tls, &[]);
        assert_eq!(ended.code, Some(code), "{tls}: {}", ended.story());
        assert!(ended.stderr.contains(says), "{tls}: {}", ended.stderr);
        assert!(ended.stderr.contains("\n  next: "), "{tls}: {}", ended.stderr);
        assert!(!ended.stderr.contains("PRIVATE"), "{tls}: {}", ended.stderr);
    }
}

/// A TLS server that says whom it was asked for, and what it was sent over TLS.
struct Server {
    port: u16,
    names: Receiver<Option<String>>,
    requests: Receiver<String>,
}

fn server(dir: &Path, certificate: &str) -> Server {
    let chain = CertificateDer::pem_file_iter(dir.join(format!("{certificate}.pem"))).unwrap();
    let chain = chain.collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(dir.join(format!("{certificate}.key"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell_name, names) = channel();
    let (tell_request, requests) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let mut acceptor = Acceptor::default();
            let accepted = loop {
                if acceptor.read_tls(&mut stream).unwrap_or(0) == 0 {
                    break None;
                }
                if let Ok(Some(accepted)) = acceptor.accept() {
                    break Some(accepted);
                }
            };
            let Some(accepted) = accepted else { continue };
            let _ = tell_name.send(accepted.client_hello().server_name().map(str::to_owned));
            let Ok(mut tls) = accepted.into_connection(config.clone()) else { continue };
            if let Some(request) = head(&mut tls, &mut stream) {
                let _ = tell_request.send(request);
            }
        }
    });
    Server { port, names, requests }
}

/// What a client sends up to an empty line; then it gets an answer of HTTP.
fn head(tls: &mut ServerConnection, stream: &mut std::net::TcpStream) -> Option<String> {
    let mut io = rustls::Stream::new(tls, stream);
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if io.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    io.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .ok()?;
    io.conn.send_close_notify();
    io.flush().ok()?;
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// A device whose plugin asks for this, of a server with this certificate.
fn asks_over_https(dir: &Path, server: &Server, command: Command) -> Ended {
    let text = format!(
        "broker = \"mqtt://127.0.0.1:1\"\nproduct_id = \"1\"\ndevice_id = \"2\"\n\
         device_secret = \"TheDeviceSecret\"\n[policy]\nhttp = [\"https://localhost:{}\"]\n\
         [tls]\nhttp_ca = \"ca.pem\"\nmqtt_ca = \"other-ca.pem\"\n",
        server.port
    );
    let config = write(dir, "profile.toml", &text).display().to_string();
    let plugin = Plugin::saying(waiting(&[command]), waiting(&[])).write(dir);
    let args = ["--config", &config, "--plugin", &plugin, "--for", "2s"];
    run("krtyun", &dir.join("d"), &args)
}

fn request(port: u16) -> Command {
    let (method, url) = ("GET".into(), format!("https://localhost:{port}/request"));
    Command::Request(Token(1), Request { method, url, headers: Vec::new(), body: Vec::new() })
}

fn download(port: u16) -> Command {
    let url = format!("https://localhost:{port}/image");
    Command::Download(Token(1), Download { url, size: None, version: "2".into(), max_size: 1000 })
}

#[test]
fn requests_and_downloads_over_https_are_held_to_the_same() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    for (command, path) in [(request as fn(u16) -> Command, "/request"), (download, "/image")] {
        let good = server(dir.path(), "server");
        let ended = asks_over_https(dir.path(), &good, command(good.port));
        assert_eq!(ended.code, Some(0), "{}", ended.story());
        let asked = good.requests.try_recv().unwrap();
        assert!(asked.starts_with(&format!("GET {path} HTTP/1.1")), "{asked}");
        for (certificate, says) in WRONG {
            let wrong = server(dir.path(), certificate);
            let ended = asks_over_https(dir.path(), &wrong, command(wrong.port));
            let says = says.replace('P', &wrong.port.to_string());
            assert!(ended.shows(&says), "{certificate}: {}", ended.story());
            assert!(wrong.requests.try_recv().is_err(), "{certificate}: it was asked all the same");
        }
    }
}

#[test]
fn a_server_is_told_whom_it_is_asked_for() {
    let broker = Broker::start();
    let dir = broker.dir.path();
    let server = server(dir, "server");
    for (url, name) in [
        (format!("mqtts://localhost:{}", server.port), Some("localhost")),
        (format!("wss://localhost:{}/mqtt", server.port), Some("localhost")),
        // TLS has names alone for it.
        (format!("mqtts://127.0.0.1:{}", server.port), None),
    ] {
        // Of the one before it, which tried more than once.
        while server.names.try_recv().is_ok() {}
        tries(&broker, &url, "ca = \"ca.pem\"", &[]);
        assert_eq!(server.names.try_iter().next().unwrap().as_deref(), name, "{url}");
    }
    while server.names.try_recv().is_ok() {}
    asks_over_https(dir, &server, request(server.port));
    assert_eq!(server.names.try_iter().next().unwrap().as_deref(), Some("localhost"));
}
