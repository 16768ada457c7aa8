"""PyPI paho-mqtt over TCP: dynamic registration at UCloud, then static login with the secret received."""
import json

from peer import Paho, argument, finish

a = argument()
product, device = a["product"], a["device"]
topic = f"/$system/{product}/{device}"

first = Paho(a["host"], a["port"], f"{product}.{device}", f"{product}|{device}|2", a["secret"], keepalive=240)
granted = first.subscribe(f"{topic}/password_reply")
first.publish(f"{topic}/password", json.dumps({"RequestID": 100}))
reply = json.loads(first.message())
first.close()

second = Paho(a["host"], a["port"], f"{product}.{device}", f"{product}|{device}|1", reply["Password"], keepalive=240)
second.publish(f"/{product}/{device}/upload", '{"test":"18"}')
second.close()

third = Paho(a["host"], a["port"], f"{product}.{device}", f"{product}|{device}|2", a["secret"], keepalive=240)
finish({"granted": granted, "registered_again": third.code, **reply})
