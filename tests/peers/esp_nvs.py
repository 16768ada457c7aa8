"""Images of an NVS partition by Espressif's generator.

Argument: {"folder": F, "cases": N}. Case i is F/i.csv with its partition in F/i.json ({"size": bytes, "format": 1 or
2}); its image becomes F/i.bin. Prints {"refused": [i, ...]}: what the generator does not make.
"""
import contextlib
import io
import json
import os
import sys
from types import SimpleNamespace

from esp_idf_nvs_partition_gen import nvs_partition_gen as generator

given = json.loads(sys.argv[1])
os.chdir(given["folder"])
refused = []
for case in range(given["cases"]):
    with open(f"{case}.json", encoding="utf8") as file:
        partition = json.load(file)
    args = SimpleNamespace(input=f"{case}.csv", output=f"{case}.bin", size=str(partition["size"]),
                           version=partition["format"], outdir=os.getcwd())
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            generator.generate(args)
    except (Exception, SystemExit):
        refused.append(case)
        with contextlib.suppress(FileNotFoundError):
            os.remove(f"{case}.bin")
print(json.dumps({"refused": refused}))
