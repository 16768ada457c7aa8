"""A device in Python: the plugin on wasmtime, real clocks, MQTT, HTTP and files. Needs PyPI's `wasmtime` alone.

    device.py muster.wasm PLATFORM settings.json FOLDER [ready]

PLATFORM is ucloud, cmcc, krtyun or alibaba; settings.json is one object of texts, or the answer of the local clouds'
`/api/demo`. What the plugin stores is kept in FOLDER. With `ready` it ends once the device is logged in. Ends with 1
where the plugin says that a person has to decide.

What it leaves out, and `muster device` has: WebSocket, firmware (downloads are answered as forbidden), waiting for the
network and for messages at the same time (each step of a connection may take 10 s here, and a request as well).
"""
import collections
import json
import os
import select
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import host

PLATFORMS = ("ucloud", "cmcc", "krtyun", "alibaba")
DNS, UNREACHABLE, TLS, TIMED_OUT, LOST, PROTOCOL, TOO_LARGE, FORBIDDEN = range(8)
PATIENCE = 10
LARGEST = 256 * 1024  # of a packet's or a response's body


class Store:
    """One file a key: written aside, synced, renamed, and the folder synced. Only then is it stored."""

    def __init__(self, folder):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self.folder = folder

    def path(self, key):
        return os.path.join(self.folder, host.STORE[key])

    def all(self):
        found = {}
        for key in range(len(host.STORE)):
            try:
                with open(self.path(key), "rb") as file:
                    found[key] = file.read()
            except FileNotFoundError:
                pass  # any other error ends the program: the secret in the file may be the only copy
        return found

    def put(self, key, value):
        aside = self.path(key) + ".new"
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        os.rename(aside, self.path(key))
        self.sync()

    def erase(self, key):
        try:
            os.remove(self.path(key))
        except FileNotFoundError:
            pass
        self.sync()

    def sync(self):
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Mqtt:
    """One connection: MQTT 3.1.1 over TCP or TLS. Methods give the inputs that they led to; `socket` ends as None."""

    def __init__(self, token, url, client_id, user_name, password, keep_alive):
        self.token, self.socket, self.buffer = token, None, b""
        self.packets, self.next = {}, 1
        self.keep_alive, self.last_sent, self.pinged = keep_alive, time.monotonic(), None
        texts = b"".join(map(text, (client_id, user_name, password)))
        hello = text("MQTT") + b"\x04\xc2" + keep_alive.to_bytes(2, "big") + texts
        address = urlsplit(url)
        tls = address.scheme == "mqtts"
        self.socket = socket.create_connection((address.hostname, address.port or (8883 if tls else 1883)), PATIENCE)
        if tls:  # it checks the certificate and its name
            self.socket = ssl.create_default_context().wrap_socket(self.socket, server_hostname=address.hostname)
        self.connected_by = time.monotonic() + PATIENCE
        self.send(0x10, hello)

    def send(self, first, body):
        length, size = len(body), b""
        while True:
            length, low = divmod(length, 128)
            size += bytes([low | (128 if length else 0)])
            if not length:
                break
        self.socket.sendall(bytes([first]) + size + body)
        self.last_sent = time.monotonic()

    def numbered(self, first, head, body, answer):
        """Sends a packet that the server acknowledges by its number."""
        number, self.next = self.next, self.next % 65535 + 1
        self.packets[number] = answer
        self.send(first, head + number.to_bytes(2, "big") + body)

    def subscribe(self, token, topic, qos):
        self.numbered(0x82, b"", text(topic) + bytes([qos]), token)
        return []

    def publish(self, token, topic, qos, payload):
        if qos == 0:
            self.send(0x30, text(topic) + payload)
            return [[4, token, [0]]]
        self.numbered(0x32, text(topic), payload, token)
        return []

    def close(self, why):
        if why == [2]:
            try:
                self.send(0xe0, b"")
            except OSError:
                pass
        self.socket.close()
        self.socket = None
        return [[2, self.token, why]]

    def due(self):
        """When something is to be done here, on the monotonic clock."""
        if self.connected_by is not None:
            return self.connected_by
        return self.pinged + PATIENCE if self.pinged is not None else self.last_sent + self.keep_alive

    def tick(self):
        if time.monotonic() < self.due():
            return []
        if self.connected_by is not None or self.pinged is not None:
            return self.close([1, [TIMED_OUT]])
        self.send(0xc0, b"")
        self.pinged = time.monotonic()
        return []

    def receive(self):
        try:
            self.socket.settimeout(0)
            data = self.socket.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError):
            return []  # what came was TLS's own
        finally:
            self.socket.settimeout(PATIENCE)
        if not data:
            return self.close([1, [LOST]])
        self.buffer += data
        inputs = []
        while self.socket is not None and (packet := self.packet()) is not None:
            inputs += self.handle(*packet)
        return inputs

    def packet(self):
        """The next whole packet of what has come: its first byte, and its body."""
        length = 0
        for i in range(1, 5):
            if i >= len(self.buffer):
                return None
            length |= (self.buffer[i] & 127) << 7 * (i - 1)
            if self.buffer[i] < 128:
                break
        else:
            raise ValueError("a length without an end")
        if length > LARGEST:
            raise ValueError("a packet that is too large")
        end = i + 1 + length
        if len(self.buffer) < end:
            return None
        first, body, self.buffer = self.buffer[0], self.buffer[i + 1:end], self.buffer[end:]
        return first, body

    def handle(self, first, body):
        number = int.from_bytes(body[:2], "big")
        match first >> 4:
            case 2 if len(body) == 2 and self.connected_by is not None:
                self.connected_by = None
                return [[1, self.token]] if body[1] == 0 else self.close([0, body[1]])
            case 3 if len(body) >= 2 + number:
                topic, at, qos = body[2:2 + number].decode(), 2 + number, first >> 1 & 3
                if qos == 1:
                    self.send(0x40, body[at:at + 2])
                return [[3, {0: topic, 1: body[at + 2 * (qos == 1):]}]]
            case 4 if number in self.packets:
                return [[4, self.packets.pop(number), [0]]]
            case 9 if number in self.packets and len(body) == 3:
                return [[4, self.packets.pop(number), [2] if body[2] > 1 else [1, body[2]]]]
            case 13:
                self.pinged = None
                return []
        raise ValueError("a packet out of place")


def text(value):
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


class Moved(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like another: to follow it would be to leave the allowed hosts."""

    def redirect_request(self, *_):
        return None


def request(method, url, headers, body):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Moved)
    asked = urllib.request.Request(url, data=body or None, headers=dict(headers), method=method)
    try:
        answer = opener.open(asked, timeout=PATIENCE)
    except urllib.error.HTTPError as status:
        answer = status
    with answer:
        data = answer.read(LARGEST + 1)
        if len(data) > LARGEST:
            return [1, [TOO_LARGE]]
        return [0, {0: answer.status, 1: [list(pair) for pair in answer.headers.items()], 2: data}]


def failure(error):
    """What the plugin calls it."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, socket.gaierror):
        return [DNS]
    if isinstance(reason, ssl.SSLError):
        return [TLS]
    if isinstance(reason, TimeoutError):
        return [TIMED_OUT]
    if isinstance(reason, (ConnectionResetError, BrokenPipeError)):
        return [LOST]
    return [UNREACHABLE] if isinstance(reason, OSError) else [PROTOCOL]


def server(url):
    """Scheme and host, or neither where it is no URL."""
    try:
        return urlsplit(url).scheme, urlsplit(url).hostname
    except ValueError:
        return None, None


class Device(host.Device):
    """The device of host.py, where nothing is played any more."""

    def __init__(self, platform, settings, folder):
        self.platform, self.settings = PLATFORMS.index(platform), settings
        self.store, self.mqtt = Store(folder), None
        self.inputs, self.ready = collections.deque(), False
        # All that this device may reach: the hosts that its own settings name.
        self.hosts = {server(value)[1] for value in settings.values()} - {None}

    def now(self):
        return {0: time.monotonic_ns() // 1_000_000, 1: time.time_ns() // 1_000_000}

    def run(self, plugin, until_ready):
        about = host.decode(plugin("describe"))
        if not about[1] <= host.SCHEMA <= about[0]:
            raise ValueError("another byte schema")
        born = {0: host.SCHEMA, 1: self.platform, 2: [list(pair) for pair in self.settings.items()],
                3: self.store.all(), 4: os.urandom(32), 5: self.now()}
        due = self.drain(plugin("open", host.encode(born)))
        while not (until_ready and self.ready):
            if not self.inputs:
                self.wait(due)
            due = self.drain(plugin("handle", host.encode({0: self.now(), 1: self.inputs.popleft()})))
        if self.mqtt is not None:
            self.mqtt.close([2])

    def wait(self, due):
        """Until something has happened."""
        while not self.inputs:
            now = time.monotonic()
            times = [] if due is None else [due / 1000]
            times += [] if self.mqtt is None else [self.mqtt.due()]
            if not times:
                raise ValueError("nothing is left to wait for")
            if due is not None and due / 1000 <= now:
                self.inputs.append([0])
                return
            # What TLS has decrypted already is not on the socket any more.
            sockets = [] if self.mqtt is None else [self.mqtt.socket]
            pending = any(isinstance(one, ssl.SSLSocket) and one.pending() for one in sockets)
            # A timer that is a little early would go round here without end.
            left = 0 if pending else max(0, min(times) - now) + 0.001
            readable = select.select(sockets, [], [], left)[0] or pending
            if self.mqtt is not None:
                self.link(lambda: self.mqtt.receive() if readable else self.mqtt.tick())

    def link(self, act):
        """Something on the connection, and its end if that fails."""
        try:
            self.inputs.extend(act())
        except OSError as error:
            self.inputs.extend(self.mqtt.close([1, failure(error)]))
        except ValueError:
            self.inputs.extend(self.mqtt.close([1, [PROTOCOL]]))
        if self.mqtt.socket is None:
            self.mqtt = None

    def allowed(self, url, *schemes):
        scheme, name = server(url)
        return scheme in schemes and name in self.hosts

    def connect(self, token, url, *rest):
        if not self.allowed(url, "mqtt", "mqtts"):
            return [[2, token, [1, [FORBIDDEN]]]]
        try:
            self.mqtt = Mqtt(token, url, *rest)
        except (OSError, ValueError) as error:
            return [[2, token, [1, failure(error)]]]
        return []

    def stored(self, token, act):
        try:
            act()
        except OSError as error:
            print("storage:", error.strerror, file=sys.stderr)
            return [[6, token, [1, [0]]]]
        return [[6, token, [0]]]

    def command(self, number, token, *fields):
        match number, fields:
            case 0, [connect]:
                host.say("command  CONNECT to", connect[0])
                self.inputs.extend(self.connect(token, *(connect[i] for i in range(5))))
            case 1, []:
                host.say("command  DISCONNECT")
                if self.mqtt is not None and self.mqtt.token == token:
                    self.link(lambda: self.mqtt.close([2]))
                else:
                    self.inputs.append([2, token, [2]])
            case 2, [subscribe]:
                host.say("command  SUBSCRIBE to", subscribe[0])
                if self.mqtt is not None:  # otherwise its end is among the inputs
                    self.link(lambda: self.mqtt.subscribe(token, subscribe[0], subscribe[1]))
            case 3, [publish]:
                host.say("command  PUBLISH to", publish[0])
                if self.mqtt is not None:
                    self.link(lambda: self.mqtt.publish(token, publish[0], publish[1], publish[2]))
            case 4, [asked]:
                host.say("command ", asked[0], asked[1].split("?")[0])  # its query may hold a signature
                answer = [1, [FORBIDDEN]]
                if self.allowed(asked[1], "http", "https"):
                    try:
                        answer = request(*(asked[i] for i in range(4)))
                    except (OSError, ValueError) as error:
                        answer = [1, failure(error)]
                self.inputs.append([5, token, answer])
            case 5, [key, value]:
                host.say(f"command  STORE {host.STORE[key]}")
                self.inputs.extend(self.stored(token, lambda: self.store.put(key, value)))
            case 6, [key]:
                host.say(f"command  ERASE {host.STORE[key]}")
                self.inputs.extend(self.stored(token, lambda: self.store.erase(key)))
            case 7, [_]:
                host.say("command  DOWNLOAD")
                self.inputs.append([8, token, [1, [FORBIDDEN]]])
            case 8, []:
                host.say("command  CANCEL DOWNLOAD")
            case 9, [_]:
                host.say("command  INSTALL")
                self.inputs.append([9, token, [1, [1]]])
            case _:
                raise ValueError(f"command {number} is not in this host's power")

    def event(self, number, *fields):
        super().event(number, *fields)
        if number in (5, 7):
            host.say("         because of", list(fields))  # numbers of docs/abi.md
        if number == 6:
            sys.exit(f"stopped; error {fields[0]}, advice {fields[1]} of docs/abi.md")


def main():
    if len(sys.argv) not in (5, 6) or sys.argv[2] not in PLATFORMS or sys.argv[5:] not in ([], ["ready"]):
        sys.exit(__doc__)
    _, wasm, platform, settings, folder, *until = sys.argv
    with open(wasm, "rb") as file:
        instance = host.wasmtime_engine(file.read())
    with open(settings, encoding="utf-8") as file:
        settings = json.load(file)
    settings = settings[platform]["settings"] if platform in settings else settings
    Device(platform, settings, folder).run(host.Plugin(instance()), until == ["ready"])


if __name__ == "__main__":
    main()
