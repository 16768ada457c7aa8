"""What the Python peers share."""
import json
import queue
import sys
import threading

import paho.mqtt.client as mqtt

WAIT = 10


def argument():
    return json.loads(sys.argv[1])


def finish(value):
    print(json.dumps(value))
    sys.exit(0)


class Paho:
    """A paho client whose calls wait for the broker's answer."""

    def __init__(self, host, port, client_id, username, password, keepalive):
        self.messages, self.acks = queue.Queue(), queue.Queue()
        self.connected, self.disconnected = threading.Event(), threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION1, client_id, clean_session=True,
                                  protocol=mqtt.MQTTv311)
        self.client.username_pw_set(username, password)
        self.client.on_connect = self._on_connect
        self.client.on_message = lambda _c, _u, m: self.messages.put(m.payload.decode())
        self.client.on_subscribe = lambda _c, _u, _mid, granted: self.acks.put(granted)
        self.client.on_publish = lambda _c, _u, mid: self.acks.put(mid)
        self.client.on_disconnect = lambda _c, _u, _rc: self.disconnected.set()
        self.client.connect(host, port, keepalive)
        self.client.loop_start()
        if not self.connected.wait(WAIT):
            sys.exit("no CONNACK")

    def _on_connect(self, client, _userdata, _flags, code):
        self.code = code
        self.connected.set()
        if code != 0:
            client.loop_stop()

    def subscribe(self, topic):
        self.client.subscribe(topic, 1)
        return self.acks.get(timeout=WAIT)[0]

    def publish(self, topic, payload):
        self.client.publish(topic, payload, 1)
        self.acks.get(timeout=WAIT)

    def message(self):
        return self.messages.get(timeout=WAIT)

    def closed(self):
        was = self.disconnected.wait(WAIT)
        self.client.loop_stop()
        return was

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()
