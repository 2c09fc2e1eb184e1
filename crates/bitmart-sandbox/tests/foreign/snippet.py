"""Runs the Python of docs/coming-from.md, in the file that is its argument, with BitMart's SDK: only the address is
changed. Run by `cargo xtask foreign`; prints a line per step, then the counts."""

import json
import os
import pathlib
import sys

from bitmart.api_spot import APISpot

READY = json.loads(os.environ["BITMART_SANDBOX"])
keys = READY["credentials"]
code = pathlib.Path(sys.argv[1]).read_text().replace("http://127.0.0.1:8801", READY["spot"]["rest"])
printed = []
exec(code, {"APISpot": APISpot, "api_key": keys["key"], "secret_key": keys["secret"], "memo": keys["memo"],
            "print": printed.append})
good = len(printed) == 1 and printed[0][0]["code"] == 1000
print("ok     order" if good else f"FAIL   order: {printed}")
print(f"{int(good)} passed, {int(not good)} failed")
sys.exit(not good)
