"""PyPI paho-mqtt over TCP: registration at krtyun, confirmation, and login with the secret received."""
import json

from peer import Paho, argument, finish

a = argument()
product, device = a["product"], a["device"]
topic = f"/sys/{product}/{device}/thing/register"

first = Paho(a["host"], a["port"], product, device, a["secret"], keepalive=60)
first.subscribe(f"{topic}/set")
first.publish(f"{topic}/post", json.dumps({"CMD": 20, "ID": "py1", "PRODUCT_ID": product, "DEVICE_ID": device}))
issue = json.loads(first.message())
first.publish(f"{topic}/post", json.dumps({"CMD": 21, "ID": issue["ID"], "BACK": "OK"}))
closed = first.closed()

second = Paho(a["host"], a["port"], product, device, issue["DEVICE_SECRET"], keepalive=60)
second.publish(f"/sys/{product}/{device}/thing/ota/post", '{"CMD":10,"HW_VERSION":"1.0.0","FW_VERSION":"2.0.0",}')
code = second.code
second.close()
finish({"closed_by_platform": closed, "login": code, "Password": issue["DEVICE_SECRET"], "ID": issue["ID"]})
