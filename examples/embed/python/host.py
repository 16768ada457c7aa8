"""A host of the plugin in Python: the device, the conversation and the replay of the hosts in C and Node.

    host.py wasmtime|wasm3 muster.wasm                 from the factory to ready, twice
    host.py wasmtime|wasm3 muster.wasm life.txt …      replays recorded calls (tests/conformance)

An engine is a function that loads a module and gives a function that starts an instance: an object with `call`,
`read` and `write`. Everything else is free of any runtime. docs/abi.md has the bytes. Needs Python 3.10.
"""
import os
import sys

EXPORT = "muster:agent/agent@1.0.0#"
SCHEMA, UCLOUD = 1, 0
EVENTS = ("step", "registered", "ready", "heartbeat", "update", "retrying", "stopped", "warning", "properties set",
          "properties posted", "bind token", "permit", "topology", "scheduled")
STEPS = ("connect to register", "subscribe for secret", "request secret", "store secret", "confirm secret",
         "leave registration", "login", "subscribe", "report version", "heartbeat", "report token", "download",
         "install", "erase secret", "post properties")
STORE = ("credential", "schedule", "firmware")
SETTINGS = [["broker", "mqtts://broker.example:8883"], ["product_sn", "example-product1"],
            ["product_secret", "the-product-secret"], ["device_sn", "example1"]]


def wasmtime_engine(wasm):
    """PyPI `wasmtime`. Fuel ends a plugin that does not end by itself; the store's limits bound its memory."""
    import wasmtime
    config = wasmtime.Config()
    config.consume_fuel = True
    engine = wasmtime.Engine(config)
    module = wasmtime.Module(engine, wasm)
    if module.imports:
        raise ValueError("the module wants to import something")

    class Instance:
        def __init__(self):
            self.store = wasmtime.Store(engine)
            self.store.set_limits(memory_size=1 << 20, instances=1, memories=1, tables=1)
            self.store.set_fuel(50_000_000)
            self.exports = wasmtime.Instance(self.store, module, []).exports(self.store)
            self.memory = self.exports["memory"]

        def call(self, name, *args):
            self.store.set_fuel(50_000_000)
            return self.exports[name](self.store, *args)

        def read(self, at, length):
            inside(at, length, self.memory.data_len(self.store))
            return bytes(self.memory.read(self.store, at, at + length))

        def write(self, at, data):
            inside(at, len(data), self.memory.data_len(self.store))
            self.memory.write(self.store, data, at)

    return Instance


def wasm3_engine(wasm):
    """PyPI `pywasm3`. It has no limit on time: for plugins that are trusted to end."""
    import wasm3

    class Instance:
        def __init__(self):
            self.environment = wasm3.Environment()
            self.runtime = self.environment.new_runtime(64 * 1024)
            self.runtime.load(self.environment.parse_module(wasm))

        def call(self, name, *args):
            return self.runtime.find_function(name)(*args)

        def read(self, at, length):
            memory = self.runtime.get_memory(0)
            inside(at, length, len(memory))
            return bytes(memory[at:at + length])

        def write(self, at, data):
            memory = self.runtime.get_memory(0)
            inside(at, len(data), len(memory))
            memory[at:at + len(data)] = data

    return Instance


def inside(at, length, size):
    if at + length > size:
        raise ValueError("an address outside of the memory")


ENGINES = {"wasmtime": wasmtime_engine, "wasm3": wasm3_engine}


class Plugin:
    """An instance's five functions of bytes."""

    def __init__(self, instance):
        self.instance = instance

    def __call__(self, function, request=None):
        instance, args = self.instance, ()
        if request is not None:
            # A runtime without unsigned numbers gives addresses as they are in two's complement.
            at = instance.call("cabi_realloc", 0, 0, 1, len(request)) & 0xffffffff
            instance.write(at, request)
            args = (at, len(request))
        pair = instance.call(EXPORT + function, *args) & 0xffffffff
        numbers = instance.read(pair, 8)
        at, length = int.from_bytes(numbers[:4], "little"), int.from_bytes(numbers[4:], "little")
        reply = instance.read(at, length)
        instance.write(at, bytes(length))  # it may hold a credential
        instance.call("cabi_post_" + EXPORT + function, pair)
        return reply


def encode(value):
    """CBOR: numbers from zero, bytes, text, lists, dicts and None, each in its shortest form."""
    def head(major, n):
        if n < 24:
            return bytes([major << 5 | n])
        more = next(more for more in range(4) if n < 1 << (8 << more))
        return bytes([major << 5 | 24 + more]) + n.to_bytes(1 << more, "big")

    match value:
        case None:
            return b"\xf6"
        case int():
            return head(0, value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(map(encode, value))
        case dict():
            return head(5, len(value)) + b"".join(encode(k) + encode(v) for k, v in sorted(value.items()))
    raise TypeError(value)


def decode(data):
    """The value of bytes that are one item and nothing else."""
    value, end = item(data, 0, 16)
    if end != len(data):
        raise ValueError("bytes after the reply's end")
    return value


def item(data, at, deep):
    if deep == 0 or at >= len(data):
        raise ValueError("a reply that ends too early, or nests too deep")
    major, n, at = data[at] >> 5, data[at] & 31, at + 1
    if 24 <= n < 28:
        size = 1 << n - 24
        n, at = int.from_bytes(data[at:at + size], "big"), at + size
    if major == 0 and at <= len(data):
        return n, at
    if major in (2, 3) and at + n <= len(data):
        part = data[at:at + n]
        return (part if major == 2 else part.decode()), at + n
    if major in (4, 5) and n <= len(data) - at:
        items = []
        for _ in range(n * (major - 3)):
            value, at = item(data, at, deep - 1)
            items.append(value)
        return (items if major == 4 else dict(zip(items[::2], items[1::2]))), at
    if major == 7 and n in (20, 21, 22):
        return {20: False, 21: True, 22: None}[n], at
    raise ValueError("a reply that is not CBOR of the schema")


def say(*words):
    """What a plugin says must not steer a terminal."""
    print("".join(c if c.isprintable() else "?" for c in " ".join(map(str, words))))


class Device:
    """One device: what is on stable storage, and a network and a cloud of a few lines."""

    def __init__(self):
        self.stored, self.now, self.ready = {}, 0, False

    def power_on(self, plugin):
        about = decode(plugin("describe"))
        if not about[1] <= SCHEMA <= about[0]:
            raise ValueError("another byte schema")
        say("plugin  ", about[4])
        self.inputs, self.ready = [], False
        seed = os.urandom(32)
        now = {0: self.now}  # a real host asks its clocks; the one of the day is not known here
        due = self.drain(plugin("open", encode({0: SCHEMA, 1: UCLOUD, 2: SETTINGS, 3: self.stored, 4: seed, 5: now})))
        while not self.ready or self.inputs:
            if not self.inputs and due is None:
                raise ValueError("nothing is left to wait for")
            self.now = self.now + 10 if self.inputs or due < self.now else due
            happened = self.inputs.pop(0) if self.inputs else [0]
            due = self.drain(plugin("handle", encode({0: {0: self.now}, 1: happened})))

    def drain(self, reply):
        """Carries out what one input led to. When to come back."""
        kind, outputs = decode(reply)
        if kind != 0:
            raise ValueError(f"the plugin refuses: {outputs}")
        *outputs, (last, due) = outputs[0]
        if last != 2:
            raise ValueError("the drain does not end with its one deadline")
        for output in outputs:
            match output:
                case [0, command]:
                    self.command(*command)
                case [1, event]:
                    self.event(*event)
                case _:
                    raise ValueError("an unknown kind of output")
        return due

    def command(self, number, token, *fields):
        match number, fields:
            case 0, [connect]:
                say(f"command  CONNECT to {connect[0]} as {connect[1]}, user name {connect[2]}")
                self.inputs.append([1, token])
            case 1, []:
                say("command  DISCONNECT")
                self.inputs.append([2, token, [2]])
            case 2, [subscribe]:
                say(f"command  SUBSCRIBE to {subscribe[0]}")
                self.inputs.append([4, token, [1, 1]])
            case 3, [publish]:
                say(f"command  PUBLISH to {publish[0]}")
                self.inputs.append([4, token, [0]])
                if publish[0].endswith("/password"):
                    answer = b'{"RetCode":"0","Password":"made-up",' + publish[2][1:]
                    self.inputs.append([3, {0: publish[0] + "_reply", 1: answer}])
            case 5, [key, value]:
                say(f"command  STORE {STORE[key]}")
                self.stored[key] = value  # a real host makes it durable before it says so
                self.inputs.append([6, token, [0]])
            case _:
                raise ValueError(f"command {number} is not in this host's power")

    def event(self, number, *fields):
        name = EVENTS[number] if number < len(EVENTS) else "of a kind that this host does not know"
        step = f": {STEPS[fields[0]]}" if number == 0 and fields[0] < len(STEPS) else ""
        say(f"event    {name}{step}")
        self.ready |= number == 2


def replay(fresh, path):
    plugin, calls = fresh(), 0
    with open(path, encoding="utf-8") as file:
        lines = iter([line.rstrip("\n") for line in file if not line.startswith("#")])
    for line in lines:
        if line == "new":
            plugin = fresh()
            continue
        function, _, request = line.partition(" ")
        takes = function not in ("describe", "save")
        reply = plugin(function, bytes.fromhex(request) if takes else None)
        if reply != bytes.fromhex(next(lines).removeprefix("= ")):
            sys.exit(f"{path}: call {calls}, `{function}`: other bytes than recorded")
        calls += 1
    print(f"{os.path.basename(path)}: {calls} calls alike")


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ENGINES:
        sys.exit(__doc__)
    with open(sys.argv[2], "rb") as file:
        instance = ENGINES[sys.argv[1]](file.read())

    def fresh():
        return Plugin(instance())

    for path in sys.argv[3:]:
        replay(fresh, path)
    if len(sys.argv) == 3:
        device = Device()
        for which in ("first", "second"):
            print(which, "power-on")
            device.power_on(fresh())


if __name__ == "__main__":
    main()
