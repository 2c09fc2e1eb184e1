"""Reads the Parquet files of an archive with pyarrow, and compares every value with the JSON lines.

The program exports from the sandbox. Then extreme amounts are written into the archive and the files are rebuilt.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import datetime
from decimal import Decimal, getcontext
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

getcontext().prec = 200
PROGRAM = sys.argv[1]
passed = failed = 0


def check(name, good, why=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAIL {name}: {why}")


class Number(str):
    """The digits of a JSON number as in the file."""


def run(*words):
    words = [PROGRAM, *words, "--env", str(READY)]
    done = subprocess.run(words, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    if done.returncode not in (0, 10):
        print(f"FAIL {' '.join(words[1:4])}: {done.returncode}: {done.stderr}")
        sys.exit(1)
    return done


def text(value):
    """A nested value as text, as in the JSON lines."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(text(one) for one in value) + "]"
    if isinstance(value, dict):
        inner = (json.dumps(name) + ":" + text(one) for name, one in value.items())
        return "{" + ",".join(inner) + "}"
    return json.dumps(value, ensure_ascii=False)


def cells(row, names):
    """The columns of a row: nested members are `a.b`; a list has the order of the columns."""
    if isinstance(row, list):
        return dict(zip(names, row))
    found = {}
    for name, value in row.items():
        if isinstance(value, dict) and value:
            inner = cells(value, names)
            found.update({f"{name}.{member}": one for member, one in inner.items()})
        else:
            found[name] = value
    return found


def expected(value, kind):
    """Converts a value of the JSON lines to a column of this type."""
    if value is None or (value == "" and not pa.types.is_string(kind)):
        return None
    if pa.types.is_decimal(kind):
        return Decimal(value)
    if pa.types.is_timestamp(kind):
        if str(value).startswith("2") and "T" in str(value):
            moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
            return round(moment.timestamp() * 1000)
        number = int(value)
        if number == 0:
            return None
        return number if number > 10**11 else number * 1000
    if pa.types.is_boolean(kind):
        return value
    if pa.types.is_integer(kind):
        return int(value)
    return value if type(value) is str else text(value)


def compare(folder, name):
    """Compares a dataset; returns the types of its columns."""
    table = pq.read_table(folder / f"{name}.parquet")
    names = table.schema.names
    kinds = dict(zip(names, table.schema.types))
    for column, kind in kinds.items():
        check(f"{name}.{column}", not pa.types.is_floating(kind), "is a floating point number")
        if pa.types.is_timestamp(kind):
            check(f"{name}.{column}", (kind.unit, kind.tz) == ("ms", "UTC"), str(kind))
            table = table.set_column(names.index(column), column, table[column].cast(pa.int64()))
    there = Counter()
    for row in table.to_pylist():
        there[tuple(row[column] for column in names)] += 1
    lines = Counter()
    for line in (folder / f"{name}.jsonl").read_text().splitlines():
        row = cells(json.loads(line, parse_int=Number, parse_float=Number), names)
        check(f"{name}", set(row) <= set(names), f"{set(row) - set(names)} are no columns")
        lines[tuple(expected(row.get(column), kinds[column]) for column in names)] += 1
    check(f"{name}: rows", there == lines, f"{list((lines - there))[:1]} became {list((there - lines))[:1]}")
    return kinds


def replace(folder, name, change):
    """Changes the rows of a dataset and its recorded length."""
    path = folder / f"{name}.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    change(rows)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    state = folder / "state" / f"{name}.json"
    known = json.loads(state.read_text())
    known["bytes"] = path.stat().st_size
    state.write_text(json.dumps(known))


def extreme(rows):
    rows[0].update(price="-0.000000000000000001", size="12345678901234567890123456.789", fee="0")
    rows[1].update(price="12345678901234567890", size="0.000000000000000001", fee="9" * 80)
    rows[2].update(price="0", size="-9999999999999999999999999999", fee="")


with tempfile.TemporaryDirectory() as home:
    READY = Path(home) / "ready.json"
    READY.write_text(os.environ["BITMART_SANDBOX"])
    ENVIRONMENT = {"HOME": home, "PATH": os.environ.get("PATH", "")}
    for side, amount in [("buy", "--notional=50"), ("sell", "--size=0.001")] * 3:
        run("spot", "submit-order", "BTC_USDT", side, "market", amount, "-y")
    for side in ("1", "3"):
        run("futures", "submit-order", "BTCUSDT", side, "1", "--type=market", "--leverage=10",
            "--open-type=cross", "-y")
    folder = Path(home) / "archive"
    export = ["export", "--out", str(folder), "--format", "parquet", "--no-pauses", "--unlimited"]
    run(*export, "--days", "3", "--to", "now")
    names = [one["name"] for one in json.loads((folder / "manifest.json").read_text())["datasets"]]
    decimals = 0
    for name in names:
        kinds = compare(folder, name)
        decimals += sum(pa.types.is_decimal(kind) for kind in kinds.values())
        if name == "trades":
            for column in ("price", "size", "notional", "fee"):
                check(column, pa.types.is_decimal128(kinds[column]), str(kinds[column]))
            check("createTime", pa.types.is_timestamp(kinds["createTime"]), str(kinds["createTime"]))
            check("tradeId", pa.types.is_string(kinds["tradeId"]), str(kinds["tradeId"]))
    check("decimals", decimals > 50, f"{decimals} columns are decimals")
    replace(folder, "trades", extreme)
    # Trades are not requested again, which would overwrite these rows.
    run(*export, "--what", "balances", "--to", "now")
    kinds = compare(folder, "trades")
    check("price", kinds["price"] == pa.decimal128(38, 18), str(kinds["price"]))
    check("size", kinds["size"] == pa.decimal256(76, 18), str(kinds["size"]))
    check("fee", pa.types.is_string(kinds["fee"]), str(kinds["fee"]))
    notes = json.loads((folder / "manifest.json").read_text())["notes"]
    for column in ("size needs 46 digits", "fee is text"):
        check("notes", any(f"trades.parquet: {column}" in note for note in notes), str(notes))

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
