//! A running `muster up`, and the plainest clients: bytes on sockets, so that nothing between hides what is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn muster() -> Command {
    Command::new(env!("CARGO_BIN_EXE_muster"))
}

/// A process that is killed when the test ends.
pub(crate) struct Up {
    pub(crate) child: Child,
    pub(crate) line: Value,
    /// What comes on stdout after the line.
    rest: mpsc::Receiver<String>,
}

impl Up {
    /// On free ports, with its state in `data`.
    pub(crate) fn start(data: &Path) -> Self {
        Self::spawn(muster().args(["up", "--port", "0", "--json", "--data"]).arg(data))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let (said, rest) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            while out.read_line(&mut line).is_ok_and(|n| n > 0) {
                if said.send(std::mem::take(&mut line)).is_err() {
                    break;
                }
            }
        });
        let line = match rest.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(e) => {
                let _ = child.kill();
                panic!("muster up said nothing ({e}); it ended with {:?}", child.wait());
            }
        };
        Self { child, line: serde_json::from_str(&line).unwrap(), rest }
    }

    /// `host:port` of HTTP.
    pub(crate) fn http(&self) -> &str {
        self.line["http"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    /// `host:port` of a platform's MQTT.
    pub(crate) fn mqtt(&self, platform: &str) -> &str {
        self.line["mqtt"][platform].as_str().unwrap().strip_prefix("mqtt://").unwrap()
    }

    /// The settings of a platform's demo device.
    pub(crate) fn demo(&self, platform: &str) -> Value {
        let settings = self.get("/api/demo")[platform]["settings"].clone();
        assert!(settings.is_object(), "no demo of {platform}");
        settings
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = request(
            self.http(),
            &format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.http()),
            b"",
        );
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    pub(crate) fn operate(&self, operation: &Value) -> Reply {
        let body = operation.to_string();
        let head = format!(
            "POST /api/operate HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.http(),
            body.len()
        );
        request(self.http(), &head, body.as_bytes())
    }

    /// What the operation came to; it has to be done.
    pub(crate) fn done(&self, operation: &Value) -> Value {
        let answer = self.operate(operation);
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
        answer.json()
    }

    pub(crate) fn upload(
        &self,
        platform: &str,
        product: &str,
        version: &str,
        image: &[u8],
    ) -> Reply {
        let head = format!(
            "POST /api/firmware?platform={platform}&product={product}&version={version} HTTP/1.1\r\nHost: {}\r\n\
             Content-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
            self.http(),
            image.len()
        );
        request(self.http(), &head, image)
    }

    pub(crate) fn devices(&self, platform: &str, product: &str) -> Value {
        self.done(&json!({"platform": platform, "action": "list_devices", "product": product, "limit": 1000, "reveal": true}))
    }

    /// As a power cut would: no warning.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As Ctrl-C or a service manager would. Returns what was said on stdout after the line.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
        self.rest.iter().collect()
    }

    pub(crate) fn cloud(&self, args: &[&str]) -> Output {
        let url = self.line["http"].as_str().unwrap();
        muster().arg("cloud").args(args).args(["--url", url]).output().unwrap()
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An HTTP answer as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The header lines as spelled.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) fn connect(at: &str) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// One request on a connection of its own.
pub(crate) fn request(at: &str, head: &str, body: &[u8]) -> Reply {
    let mut stream = connect(at);
    stream.write_all(head.as_bytes()).unwrap();
    // A server that refuses early may close before it has everything.
    let _ = stream.write_all(body);
    reply(&mut BufReader::new(stream), head.starts_with("HEAD"))
}

/// Reads one answer; the connection may go on.
pub(crate) fn reply(from: &mut impl BufRead, without_body: bool) -> Reply {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        assert!(from.read_line(&mut line).unwrap() > 0, "the answer broke off: {head:?}");
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut reply = Reply { status, head, body: Vec::new() };
    if without_body || status == 304 {
        return reply;
    }
    if reply.header("transfer-encoding").is_some() {
        loop {
            let mut size = String::new();
            from.read_line(&mut size).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            from.read_exact(&mut chunk).unwrap();
            if size == 0 {
                break;
            }
            reply.body.extend_from_slice(&chunk[..size]);
        }
    } else {
        let length = reply.header("content-length").unwrap_or("0").parse().unwrap();
        reply.body = vec![0; length];
        from.read_exact(&mut reply.body).unwrap();
    }
    reply
}

/// MQTT 3.1.1 by hand.
pub(crate) mod mqtt {
    use super::{Read, TcpStream, Write, connect};

    fn text(text: &str) -> Vec<u8> {
        let mut out = u16::try_from(text.len()).unwrap().to_be_bytes().to_vec();
        out.extend_from_slice(text.as_bytes());
        out
    }

    pub(crate) fn packet(first: u8, body: &[u8]) -> Vec<u8> {
        let mut out = vec![first];
        let mut length = body.len();
        loop {
            let low = u8::try_from(length % 128).unwrap();
            length /= 128;
            out.push(if length > 0 { low | 128 } else { low });
            if length == 0 {
                break;
            }
        }
        out.extend_from_slice(body);
        out
    }

    pub(crate) fn connect_packet(client: &str, user: &str, password: &str) -> Vec<u8> {
        let mut body = text("MQTT");
        body.extend_from_slice(&[4, 0xc2, 0, 60]);
        for part in [client, user, password] {
            body.extend_from_slice(&text(part));
        }
        packet(0x10, &body)
    }

    pub(crate) fn subscribe_packet(id: u16, topic: &str) -> Vec<u8> {
        let mut body = id.to_be_bytes().to_vec();
        body.extend_from_slice(&text(topic));
        body.push(1);
        packet(0x82, &body)
    }

    pub(crate) fn publish_packet(id: u16, topic: &str, payload: &str) -> Vec<u8> {
        let mut body = text(topic);
        body.extend_from_slice(&id.to_be_bytes());
        body.extend_from_slice(payload.as_bytes());
        packet(0x32, &body)
    }

    /// A client that talks in packets.
    pub(crate) struct Client(pub(crate) TcpStream);

    impl Client {
        /// Connects, and returns CONNACK's code with it.
        pub(crate) fn login(
            at: &str,
            client: &str,
            user: &str,
            password: &str,
        ) -> std::io::Result<(Self, u8)> {
            let mut client_side = Self(connect(at));
            client_side.0.write_all(&connect_packet(client, user, password))?;
            let (first, body) = client_side.read()?;
            assert_eq!((first, body.len()), (0x20, 2));
            Ok((client_side, body[1]))
        }

        pub(crate) fn send(&mut self, packet: &[u8]) -> std::io::Result<()> {
            self.0.write_all(packet)
        }

        /// The next packet: its first byte, and all after the length.
        pub(crate) fn read(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
            let mut byte = [0];
            self.0.read_exact(&mut byte)?;
            let first = byte[0];
            let (mut length, mut shift) = (0, 0);
            loop {
                self.0.read_exact(&mut byte)?;
                length |= usize::from(byte[0] & 127) << shift;
                shift += 7;
                if byte[0] < 128 {
                    break;
                }
            }
            let mut body = vec![0; length];
            self.0.read_exact(&mut body)?;
            Ok((first, body))
        }

        /// The next packet of a kind; others are passed over, and QoS 1 is acknowledged.
        pub(crate) fn wait_for(&mut self, kind: u8) -> std::io::Result<Vec<u8>> {
            loop {
                let (first, body) = self.read()?;
                if first & 0xf6 == 0x32 {
                    let at = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
                    self.0.write_all(&[0x40, 2, body[at], body[at + 1]])?;
                }
                if first >> 4 == kind {
                    return Ok(body);
                }
            }
        }

        /// The payload of the next QoS 1 PUBLISH.
        pub(crate) fn message(&mut self) -> std::io::Result<String> {
            let body = self.wait_for(3)?;
            let at = 2 + usize::from(u16::from_be_bytes([body[0], body[1]]));
            Ok(String::from_utf8(body[at + 2..].to_vec()).unwrap())
        }

        pub(crate) fn subscribe(&mut self, topic: &str) -> std::io::Result<u8> {
            self.send(&subscribe_packet(1, topic))?;
            Ok(self.wait_for(9)?[2])
        }

        /// Publishes with QoS 1 and waits for PUBACK.
        pub(crate) fn publish(
            &mut self,
            id: u16,
            topic: &str,
            payload: &str,
        ) -> std::io::Result<()> {
            self.send(&publish_packet(id, topic, payload))?;
            let ack = self.wait_for(4)?;
            assert_eq!(ack, id.to_be_bytes());
            Ok(())
        }
    }
}

/// A krtyun device that registers from the start to its confirmed secret.
pub(crate) fn register_krtyun(
    at: &str,
    product: &str,
    product_secret: &str,
    device: &str,
) -> std::io::Result<String> {
    let (mut client, code) = mqtt::Client::login(at, product, device, product_secret)?;
    assert_eq!(code, 0);
    let topic = |tail: &str| format!("/sys/{product}/{device}/thing/register/{tail}");
    assert_eq!(client.subscribe(&topic("set"))?, 1);
    let ask = json!({"CMD": 20, "ID": "7", "PRODUCT_ID": product, "DEVICE_ID": device});
    client.send(&mqtt::publish_packet(2, &topic("post"), &ask.to_string()))?;
    let issue: Value = serde_json::from_str(&client.message()?).unwrap();
    let secret = issue["DEVICE_SECRET"].as_str().unwrap().to_owned();
    let confirm = json!({"CMD": 21, "ID": issue["ID"], "BACK": "OK"});
    client.publish(3, &topic("post"), &confirm.to_string())?;
    Ok(secret)
}
