//! Logins over real sockets: the local cloud beside Mosquitto, the same client in the same run.

use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant as Clock};

use muster::mqtt::{ClientEvent, ClientSession};
use muster::{Connect, Instant, Publish, QoS, Secret, SecretBytes, Subscribe, Token};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Figure;

const DEVICES: usize = 2_000;
const AT_ONCE: usize = 64;

/// Nothing if Mosquitto is not there: a figure needs its peer.
pub(super) fn figures() -> Vec<Figure> {
    let (Ok(data), Ok(folder)) = (tempfile::tempdir(), tempfile::tempdir()) else {
        return Vec::new();
    };
    let Some(mosquitto) = Mosquitto::start(folder.path()) else {
        eprintln!("network figures left out: Debian's mosquitto is not installed");
        return Vec::new();
    };
    let begin = Clock::now();
    let Some(clouds) = Clouds::start(data.path()) else { return Vec::new() };
    let up = begin.elapsed().as_secs_f64();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let Ok(runtime) = runtime else { return Vec::new() };
    let devices = clouds.devices();
    let anonymous: Arc<Vec<Login>> =
        Arc::new((0..DEVICES).map(|i| Login::plain(&format!("bench{i}"))).collect());
    // The first round activates; the second is measured.
    runtime.block_on(logins(clouds.mqtt, &devices));
    let ours = (0..3).map(|_| runtime.block_on(logins(clouds.mqtt, &devices))).fold(0.0, f64::max);
    let theirs =
        (0..3).map(|_| runtime.block_on(logins(mosquitto.port, &anonymous))).fold(0.0, f64::max);
    vec![
        Figure {
            name: "logins a second over TCP, local UCloud cloud".into(),
            unit: "1/s",
            ours,
            other: theirs,
            beside: "mosquitto (anonymous)".into(),
            ratio: ours / theirs,
            more_is_better: true,
            how: format!(
                "{DEVICES} clients, {AT_ONCE} at once, each CONNECT, SUBSCRIBE, PUBLISH QoS 1, PUBACK, DISCONNECT on \
                 loopback; ours checks the device's secret, the topic and the limits; best of 3"
            ),
        },
        Figure {
            name: "start of the local clouds".into(),
            unit: "s",
            ours: up,
            other: 15.0,
            beside: "budget".into(),
            ratio: up / 15.0,
            more_is_better: false,
            how: "from starting the built `muster up` on an empty folder to its line of addresses"
                .into(),
        },
    ]
}

/// What a client logs in with, and where it publishes.
struct Login {
    connect: Connect,
    subscribe: String,
    publish: String,
}

impl Login {
    fn plain(name: &str) -> Self {
        Self {
            connect: Connect {
                url: String::new(),
                client_id: name.into(),
                username: name.into(),
                password: Secret::new(name),
                keep_alive: 240,
            },
            subscribe: format!("/{name}/set"),
            publish: format!("/{name}/upload"),
        }
    }

    fn ucloud(product: &str, device: &str, secret: &str) -> Self {
        Self {
            connect: Connect {
                url: String::new(),
                client_id: format!("{product}.{device}"),
                username: format!("{product}|{device}|1"),
                password: Secret::new(secret),
                keep_alive: 240,
            },
            subscribe: format!("/{product}/{device}/set"),
            publish: format!("/{product}/{device}/upload"),
        }
    }
}

async fn logins(port: u16, devices: &Arc<Vec<Login>>) -> f64 {
    let next = Arc::new(AtomicUsize::new(0));
    let begin = Clock::now();
    let workers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (next, devices) = (next.clone(), devices.clone());
            tokio::spawn(async move {
                while let Some(login) = devices.get(next.fetch_add(1, Ordering::Relaxed)) {
                    one(port, login).await.expect("the login succeeds");
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("the workers do not panic");
    }
    devices.len() as f64 / begin.elapsed().as_secs_f64()
}

async fn one(port: u16, login: &Login) -> Result<(), String> {
    let error = |e: std::io::Error| e.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(error)?;
    stream.set_nodelay(true).map_err(error)?;
    let now = Instant(0);
    let mut session = ClientSession::new(&login.connect, now);
    let mut buffer = [0; 1024];
    loop {
        while let Some(bytes) = session.poll_transmit() {
            stream.write_all(&bytes).await.map_err(error)?;
        }
        if session.wants_close() {
            return Ok(());
        }
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer));
        let length = read.await.map_err(|_| "no answer in 10 s".to_owned())?.map_err(error)?;
        if length == 0 {
            return Err("the server closed the connection".into());
        }
        session.receive(&buffer[..length], now);
        while let Some(event) = session.poll_event() {
            match event {
                ClientEvent::Connected { .. } => {
                    let subscribe =
                        Subscribe { topic: login.subscribe.clone(), qos: QoS::AtLeastOnce };
                    let payload = SecretBytes::new(b"{\"test\":\"18\"}".to_vec());
                    let publish =
                        Publish { topic: login.publish.clone(), qos: QoS::AtLeastOnce, payload };
                    session.subscribe(Token(1), &subscribe).map_err(|e| format!("{e:?}"))?;
                    session.publish(Token(2), &publish).map_err(|e| format!("{e:?}"))?;
                }
                ClientEvent::Acked(Token(2), _) => session.disconnect(),
                ClientEvent::Acked(..) | ClientEvent::Message(_) => {}
                other => return Err(format!("{other:?}")),
            }
        }
    }
}

/// A Mosquitto of our own on a free port.
struct Mosquitto {
    process: Child,
    port: u16,
}

impl Mosquitto {
    fn start(folder: &Path) -> Option<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
        let config = folder.join("mosquitto.conf");
        std::fs::write(&config, format!("listener {port} 127.0.0.1\nallow_anonymous true\n"))
            .ok()?;
        let program = ["/usr/sbin/mosquitto", "mosquitto"]
            .into_iter()
            .find(|p| !p.starts_with('/') || Path::new(p).exists())?;
        let process = Process::new(program)
            .arg("-c")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mosquitto = Self { process, port };
        let begin = Clock::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begin.elapsed() > Duration::from_secs(10) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(mosquitto)
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The local clouds, as their command starts them.
struct Clouds {
    process: Child,
    http: String,
    mqtt: u16,
}

impl Clouds {
    fn start(data: &Path) -> Option<Self> {
        let mut process = Process::new(env!("CARGO_BIN_EXE_muster"))
            .args(["up", "--port", "0", "--json", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        let stdout = process.stdout.take()?;
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).ok()?;
        let addresses: Value = serde_json::from_str(&line).ok()?;
        let http = addresses["http"].as_str()?.to_owned();
        let mqtt = addresses["mqtt"]["ucloud"].as_str()?.rsplit_once(':')?.1.parse().ok()?;
        Some(Self { process, http, mqtt })
    }

    fn operate(&self, operation: &Value) -> Value {
        let mut response = ureq::post(format!("{}/api/operate", self.http))
            .content_type("application/json")
            .send(operation.to_string())
            .expect("the operator's API answers");
        let text = response
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_string()
            .expect("the answer is text");
        serde_json::from_str(&text).expect("the answer is JSON")
    }

    fn devices(&self) -> Arc<Vec<Login>> {
        let product = self
            .operate(&json!({ "platform": "ucloud", "action": "create_product", "name": "bench" }));
        let product = product["id"].as_str().expect("the product has an id").to_owned();
        let mut csv = String::from("device_sn,device_secret\n");
        let secret = |i: usize| format!("benchsecret{i:05}");
        for i in 0..DEVICES {
            csv.push_str(&format!("bench{i:05},{}\n", secret(i)));
        }
        self.operate(&json!({ "platform": "ucloud", "action": "import_devices", "product": product, "csv": csv }));
        Arc::new(
            (0..DEVICES)
                .map(|i| Login::ucloud(&product, &format!("bench{i:05}"), &secret(i)))
                .collect(),
        )
    }
}

impl Drop for Clouds {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
