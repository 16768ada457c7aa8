//! `muster up`: the local clouds on real sockets, with trusted storage.
//!
//! | module | what it does |
//! | --- | --- |
//! | `engine` | the one thread that owns the clouds: batches, commits, then answers |
//! | `store` | SQLite, the lock on the data folder |
//! | `listen` | sockets, who may come in where, slow peers |
//! | `mqtt`, `ws` | one MQTT connection over TCP or WebSocket |
//! | `http`, `guard`, `api`, `firmware` | the HTTP port |
//! | `console` | the page that operates all of it, with its files |
//! | `relay` | takes the console to clouds that a browser cannot reach; off unless asked for |
//! | `demo`, `page` | what is there on the first start, and the page that explains it |

mod api;
mod console;
mod demo;
mod engine;
mod error;
mod firmware;
mod guard;
mod http;
mod journal;
mod listen;
mod mqtt;
mod page;
mod relay;
mod store;
mod ws;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use muster::PlatformName;
use muster::cloud::CloudConfig;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::exit::Exit;
use console::Console;
use engine::{Clock, Engine, Keeper};
use journal::Journal;
use listen::Doors;
pub(crate) use listen::raise_open_files;
use store::{DataDir, Store};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Port of HTTP: the vendors' paths, firmware, MQTT over WebSocket, the console and the operator API.
    /// 0 makes every port a free one that is not set on its own.
    #[arg(long, default_value_t = 7878)]
    port: u16,
    /// Where the clouds keep what they know [default: the user's data folder].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print one line of JSON with all addresses once they accept connections, and nothing else.
    #[arg(long)]
    json: bool,
    /// Port of UCloud's MQTT [default: 18831].
    #[arg(long, value_name = "PORT")]
    mqtt_ucloud: Option<u16>,
    /// Port of krtyun's MQTT [default: 18832].
    #[arg(long, value_name = "PORT")]
    mqtt_krtyun: Option<u16>,
    /// Port of Alibaba's MQTT [default: 18833].
    #[arg(long, value_name = "PORT")]
    mqtt_alibaba: Option<u16>,
    /// Where devices may come in: an address of this machine, or 0.0.0.0 for all of them.
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,
    /// Where operators may come in. There is no password: whoever gets there may do everything.
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    operator_listen: IpAddr,
    /// What devices are told as the address of firmware [default: http://ADDR:PORT/firmware].
    #[arg(long, value_name = "URL")]
    firmware_url: Option<String>,
    /// Connections at once, MQTT and HTTP each.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max_connections: u32,
    /// Serve the console from this folder, as it is at that moment, and not the one that is built in.
    #[arg(long, value_name = "DIR")]
    console: Option<PathBuf>,
    #[command(flatten)]
    relay: relay::RelayArgs,
}

/// Where everything is, as `--json` prints it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Addresses {
    pub(crate) http: String,
    pub(crate) mqtt: BTreeMap<PlatformName, String>,
    pub(crate) ws: BTreeMap<PlatformName, String>,
    pub(crate) api: String,
    pub(crate) firmware: String,
    pub(crate) data: PathBuf,
}

/// What every door shares.
#[derive(Debug)]
pub(crate) struct Up {
    pub(crate) engine: Engine,
    pub(crate) journal: Arc<Journal>,
    pub(crate) addresses: Addresses,
    pub(crate) doors: Doors,
    pub(crate) data: PathBuf,
    pub(crate) uploads: Semaphore,
    pub(crate) mqtt_slots: Arc<Semaphore>,
    pub(crate) clock: Clock,
    pub(crate) console: Option<Console>,
    pub(crate) relay: Option<relay::Relay>,
    app_secret: Option<String>,
}

/// The file in the data folder that holds what `--json` prints, while the clouds run: for `--local`.
pub(crate) const LINE: &str = "up.json";

/// The platforms that have MQTT, with the port each has by default.
const MQTT_PORTS: [(PlatformName, u16); 3] =
    [(PlatformName::Ucloud, 18831), (PlatformName::Krtyun, 18832), (PlatformName::Alibaba, 18833)];

pub(crate) fn speaks_mqtt(platform: PlatformName) -> bool {
    MQTT_PORTS.iter().any(|&(name, _)| name == platform)
}

/// The product that is there from the first start.
pub(crate) fn demo_product(platform: PlatformName) -> &'static str {
    muster::cloud::demo::DEMOS
        .iter()
        .find(|demo| demo.platform == platform)
        .map_or("", |demo| demo.product)
}

/// Values of ours always serialize.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Runs the command.
pub fn run(args: Args) -> Result<(), Exit> {
    listen::raise_open_files();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| {
            Exit::local(
                format!("cannot start the I/O threads: {e}"),
                "close some programs, then try again",
            )
        })?;
    let result = runtime.block_on(up(args));
    // Connections that are still open do not hold the process up.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

async fn up(args: Args) -> Result<(), Exit> {
    let stop = Stop::listen()?;
    let clock = Clock::start();
    let data = match &args.data {
        Some(data) => std::path::absolute(data)
            .map_err(|e| Exit::usage(format!("--data {}: {e}", data.display()), "name a folder"))?,
        None => store::default_dir()?,
    };
    let console = Console::new(args.console.clone())?;
    let relay = relay::Relay::new(&args.relay, args.operator_listen.is_loopback())?;
    let folder = DataDir::take(&data)?;
    firmware::prepare(&data)?;

    let sockets = Sockets::bind(&args).await?;
    let addresses = sockets.addresses(&args, data.clone())?;
    let journal = Arc::new(Journal::new());
    let limit = args.max_connections as usize;
    let mut config = CloudConfig::default();
    config.limits.connections = limit;
    let mut keeper = Keeper::new(
        Store::open(&folder)?,
        config,
        Arc::clone(&journal),
        clock,
        addresses.firmware.clone(),
    )?;
    let app_secret = demo::seed(&mut keeper)?;
    let engine = keeper.start().map_err(|e| {
        Exit::local(
            format!("cannot start the clouds' thread: {e}"),
            "close some programs, then try again",
        )
    })?;

    let mqtt_slots = Arc::new(Semaphore::new(limit));
    let up = Arc::new(Up {
        engine: engine.clone(),
        journal,
        addresses,
        doors: sockets.doors,
        data,
        uploads: Semaphore::new(firmware::UPLOADS),
        mqtt_slots: Arc::clone(&mqtt_slots),
        clock,
        console,
        relay,
        app_secret,
    });
    let http_slots = Arc::new(Semaphore::new(limit));
    for listener in sockets.http {
        tokio::spawn(http::serve(Arc::clone(&up), listener, Arc::clone(&http_slots)));
    }
    for (platform, listener) in sockets.mqtt {
        tokio::spawn(mqtt::serve(Arc::clone(&up), listener, platform, Arc::clone(&mqtt_slots)));
    }

    warn(&args);
    let line = up.data.join(LINE);
    store::replace(&line, format!("{}\n", json(&up.addresses)).as_bytes()).map_err(|e| {
        Exit::local(
            format!("cannot write {}: {e}", line.display()),
            "check the rights of the data folder, or choose another: --data DIR",
        )
    })?;
    announce(&up, args.json).await?;
    stop.wait().await;
    let _ = std::fs::remove_file(&line);
    if !args.json {
        eprintln!("stopping; what the clouds know is in {}", up.data.display());
    }
    engine.stop().await;
    // Held until here: nobody else may open the database before it is closed.
    drop(folder);
    Ok(())
}

/// What a person may not have meant.
fn warn(args: &Args) {
    if args.listen.is_unspecified() && args.firmware_url.is_none() {
        eprintln!(
            "warning: devices on other machines are told to fetch firmware from 127.0.0.1\n  \
             next: say how they reach this machine: --firmware-url http://ADDR:PORT/firmware"
        );
    }
    if !args.operator_listen.is_loopback() {
        eprintln!(
            "warning: the operator API has no password, and whoever reaches {} may do everything",
            args.operator_listen
        );
    }
}

/// All listeners.
struct Sockets {
    doors: Doors,
    http: Vec<TcpListener>,
    http_at: SocketAddr,
    mqtt: Vec<(PlatformName, TcpListener)>,
    mqtt_at: BTreeMap<PlatformName, SocketAddr>,
}

impl Sockets {
    async fn bind(args: &Args) -> Result<Self, Exit> {
        let doors = Doors { devices: args.listen, operators: args.operator_listen };
        let http = listen::bind(&doors.http(), args.port, "HTTP", "--port").await?;
        let port = port_of(http.first());
        let mut mqtt = Vec::new();
        let mut mqtt_at = BTreeMap::new();
        for (platform, default) in MQTT_PORTS {
            let (given, flag) = match platform {
                PlatformName::Ucloud => (args.mqtt_ucloud, "--mqtt-ucloud"),
                PlatformName::Krtyun => (args.mqtt_krtyun, "--mqtt-krtyun"),
                _ => (args.mqtt_alibaba, "--mqtt-alibaba"),
            };
            let wanted = given.unwrap_or(if args.port == 0 { 0 } else { default });
            for listener in
                listen::bind(&[args.listen], wanted, &format!("{platform} MQTT"), flag).await?
            {
                let at = SocketAddr::new(listen::dialable(args.listen), port_of(Some(&listener)));
                mqtt_at.insert(platform, at);
                mqtt.push((platform, listener));
            }
        }
        let http_at = SocketAddr::new(listen::dialable(args.listen), port);
        Ok(Self { doors, http, http_at, mqtt, mqtt_at })
    }

    fn addresses(&self, args: &Args, data: PathBuf) -> Result<Addresses, Exit> {
        let http = format!("http://{}", self.http_at);
        let operators =
            SocketAddr::new(listen::dialable(args.operator_listen), self.http_at.port());
        let firmware = match &args.firmware_url {
            None => format!("{http}/firmware"),
            Some(url) => {
                let good = (url.starts_with("http://") || url.starts_with("https://"))
                    && url.len() <= 256
                    && url
                        .bytes()
                        .all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'"' | b'\\'));
                if !good {
                    return Err(Exit::usage(
                        format!("--firmware-url {url} is not an HTTP address without a query"),
                        "write it like http://192.168.1.5:7878/firmware",
                    ));
                }
                url.trim_end_matches('/').to_owned()
            }
        };
        Ok(Addresses {
            mqtt: self
                .mqtt_at
                .iter()
                .map(|(&platform, at)| (platform, format!("mqtt://{at}")))
                .collect(),
            ws: self
                .mqtt_at
                .keys()
                .map(|&platform| (platform, format!("ws://{}/mqtt/{platform}", self.http_at)))
                .collect(),
            api: format!("http://{operators}/api"),
            http,
            firmware,
            data,
        })
    }
}

fn port_of(listener: Option<&TcpListener>) -> u16 {
    listener.and_then(|listener| listener.local_addr().ok()).map_or(0, |at| at.port())
}

/// Says where everything is: one line of JSON, or a page of text.
async fn announce(up: &Up, as_json: bool) -> Result<(), Exit> {
    let text = if as_json {
        format!("{}\n", json(&up.addresses))
    } else {
        let demo = demo::settings(&up.engine, &up.addresses, up.app_secret.as_deref())
            .await
            .map_err(|e| {
                Exit::local(
                    format!("the demo data cannot be read: {}", e.message()),
                    "start with another --data DIR",
                )
            })?;
        let relay = up.relay.as_ref().map(relay::Relay::summary);
        page::terminal(&up.addresses, &demo, up.console.is_some(), relay.as_deref())
    };
    let mut out = std::io::stdout().lock();
    // A closed stdout is no reason to stop serving.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    Ok(())
}

/// Ctrl-C, or SIGTERM.
struct Stop {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    fn listen() -> Result<Self, Exit> {
        Ok(Self {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .map_err(|e| Exit::local(format!("cannot listen for signals: {e}"), ""))?,
        })
    }

    #[cfg(unix)]
    async fn wait(mut self) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn wait(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
