"""Holds the CDDL of docs/abi.md to real bytes: cddl.py abi.md shapes.txt life.txt …

Every example of shapes.txt has to be what it is called (or not, after `no`), and every recorded call a request and a
reply. Every rule of the page that shapes.txt names is compared, and it is an error if the page has a rule that no byte
reached.
"""
import re
import sys

from cddl_verifier import Validator

page, shapes, *lives = sys.argv[1:]
cddl = re.findall(r"^```cddl\n(.*?)^```", open(page, encoding="utf-8").read(), re.M | re.S)
validator = Validator("\n".join(cddl))
rules = set(re.findall(r"^([a-z-]+) +=", "\n".join(cddl), re.M))
counts = {"examples": 0, "counterexamples": 0, "calls": 0}
reached, wrong = set(), []


def check(rule, data, right, where):
    reached.add(rule)
    if validator.validate(data, root_type=rule).valid != right:
        wrong.append(f"{where}: {data.hex()} is{' not' * right} a `{rule}` by the page")


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if not line.startswith("#")]


for number, line in enumerate(lines(shapes)):
    *no, rule, data = line.split(" ")
    check(rule, bytes.fromhex(data), not no, f"{shapes}, example {number}")
    counts["counterexamples" if no else "examples"] += 1
for life in lives:
    entries = [line for line in lines(life) if line != "new"]
    for call, reply in zip(entries[::2], entries[1::2]):
        function, _, request = call.partition(" ")
        replies = {"describe": "describe-reply", "save": "save-reply"}
        check(replies.get(function, "reply"), bytes.fromhex(reply[2:]), True, life)
        if request and not life.endswith("refusals.txt"):
            check(function, bytes.fromhex(request), True, life)
        counts["calls"] += 1

# What only stands within others.
inside = {"drain", "settings", "stored", "token", "headers"}
if rules - reached - inside:
    wrong.append(f"nothing reached: {sorted(rules - reached - inside)}")
if reached - rules:
    wrong.append(f"no such rule: {sorted(reached - rules)}")
print("\n".join(wrong[:20]) or ", ".join(f"{n} {what}" for what, n in counts.items()))
sys.exit(bool(wrong))
