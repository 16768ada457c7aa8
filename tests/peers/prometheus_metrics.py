"""Metrics as the reader of Prometheus' own Python client reads them.

Argument: {"file": F}, a page of metrics. Prints {"families": {name: {"type", "help", "samples": [[name, labels, value],
...]}}}; what cannot be read ends with the reader's own error.
"""
import json
import sys

from prometheus_client.parser import text_string_to_metric_families

given = json.loads(sys.argv[1])
with open(given["file"], encoding="utf8") as file:
    page = file.read()
families = {}
for family in text_string_to_metric_families(page):
    if family.name in families:
        raise SystemExit(f"{family.name} comes twice")
    families[family.name] = {
        "type": family.type, "help": family.documentation,
        "samples": [[sample.name, sample.labels, sample.value] for sample in family.samples],
    }
print(json.dumps({"families": families}))
