//! A real Mosquitto on free ports, and a CA of its own.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::process::PATIENCE;

pub struct Broker {
    process: Option<Child>,
    log: Arc<Mutex<Vec<String>>>,
    pub tcp: u16,
    pub tls: u16,
    pub websocket: u16,
    /// WebSocket over TLS.
    pub secure_websocket: u16,
    /// TLS with a certificate for another name.
    pub misnamed: u16,
    /// Further listeners, in their order.
    pub more: Vec<u16>,
    pub dir: tempfile::TempDir,
}

impl Broker {
    /// TCP, TLS and WebSocket; TLS with a certificate for localhost by `ca.pem` in `dir`.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The same and further listeners, each with these lines; `{at}` stands for `dir`.
    pub fn with(listeners: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        certificates(dir.path());
        // All at once: what is given back may be handed out again.
        let [tcp, tls, websocket, secure_websocket, misnamed, more @ ..] = free_ports::<21>();
        let at = dir.path().display();
        let mut config = format!(
            "user root\nallow_anonymous true\nlog_dest stderr\nlog_type all\nconnection_messages true\n\
             listener {tcp} 127.0.0.1\n\
             listener {tls} 127.0.0.1\ncertfile {at}/server.pem\nkeyfile {at}/server.key\n\
             listener {websocket} 127.0.0.1\nprotocol websockets\n\
             listener {secure_websocket} 127.0.0.1\nprotocol websockets\n\
             certfile {at}/server.pem\nkeyfile {at}/server.key\n\
             listener {misnamed} 127.0.0.1\ncertfile {at}/misnamed.pem\nkeyfile {at}/misnamed.key\n"
        );
        let more = more[..listeners.len()].to_vec();
        for (port, lines) in more.iter().zip(listeners) {
            let lines = lines.replace("{at}", &at.to_string());
            config += &format!("listener {port} 127.0.0.1\n{lines}\n");
        }
        super::process::write(dir.path(), "mosquitto.conf", &config);
        let mut broker = Self {
            process: None,
            log: Arc::default(),
            tcp,
            tls,
            websocket,
            secure_websocket,
            misnamed,
            more,
            dir,
        };
        broker.again();
        broker
    }

    /// Starts it on the same ports.
    pub fn again(&mut self) {
        let program = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"]
            .into_iter()
            .find(|path| Path::new(path).exists())
            .unwrap_or("mosquitto");
        let mut process = Command::new(program)
            .arg("-c")
            .arg(self.dir.path().join("mosquitto.conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| {
                panic!(
                    "{program}: {e}; install Debian's package mosquitto: apt-get install mosquitto"
                )
            });
        let out = BufReader::new(process.stderr.take().unwrap());
        let log = self.log.clone();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                log.lock().unwrap().push(line);
            }
        });
        self.process = Some(process);
        let ports = [self.tcp, self.tls, self.websocket, self.secure_websocket, self.misnamed];
        for port in ports.into_iter().chain(self.more.iter().copied()) {
            let deadline = Instant::now() + PATIENCE;
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                assert!(Instant::now() < deadline, "Mosquitto does not listen: {:?}", self.log());
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Waits until at least `count` lines of the log hold all of these.
    pub fn wait_for(&self, parts: &[&str], count: usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            let found = log.iter().filter(|line| parts.iter().all(|part| line.contains(part)));
            if found.count() >= count {
                return;
            }
            assert!(Instant::now() < deadline, "no {parts:?} in {log:#?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Settings of a krtyun device with a secret: it needs no cloud behind the broker.
    pub fn device_file(&self, url: &str, keep_alive: u16) -> String {
        let text = format!(
            "broker = \"{url}\"\nproduct_id = \"20191210\"\ndevice_id = \"10001\"\n\
             device_secret = \"TheDeviceSecret\"\nkeep_alive = {keep_alive}\n"
        );
        let path = super::process::write(self.dir.path(), "device.toml", &text);
        path.display().to_string()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Ports that were free a moment ago, all different.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let held: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// Two authorities, `ca.pem` and `other-ca.pem`, and what they issued.
///
/// By the first for localhost and 127.0.0.1: `server`, `expired` and `early`; for another name: `misnamed`; for a
/// device: `device` and `expired-device`. By the second: `foreign`, as `server`, and `foreign-device`.
pub fn certificates(dir: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ca, other) = (authority("Muster test CA"), authority("Another CA"));
    super::process::write(dir, "ca.pem", &ca.pem());
    super::process::write(dir, "other-ca.pem", &other.pem());
    let local = &["localhost", "127.0.0.1"][..];
    let always = (1975, 4096);
    for (file, issuer, names, years) in [
        ("server", &ca, local, always),
        ("expired", &ca, local, (1975, 2020)),
        ("early", &ca, local, (4000, 4096)),
        ("misnamed", &ca, &["other.example"], always),
        ("foreign", &other, local, always),
        ("device", &ca, &["device-10001"], always),
        ("expired-device", &ca, &["device-10001"], (1975, 2020)),
        ("foreign-device", &other, &["device-10001"], always),
    ] {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let certificate = params.signed_by(&key, issuer).unwrap();
        super::process::write(dir, &format!("{file}.pem"), &certificate.pem());
        super::process::write(dir, &format!("{file}.key"), &key.serialize_pem());
    }
}
