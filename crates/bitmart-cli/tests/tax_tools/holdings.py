"""Imports the files of `bitmart tax` with the tools themselves and prints what they say is held.

    holdings.py bittytax|rp2 FOLDER

prints a JSON object of coins and amounts. Needs no network.
"""

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path


def bittytax(folder):
    """Reads the records, and adds them up as the audit of the tool does."""
    # The tool keeps its configuration in the home folder, and compares with this argument list.
    from bittytax.audit import AuditRecords
    from bittytax.import_records import ImportRecords

    records = ImportRecords()
    with open(folder / "taxes.csv", encoding="utf-8", newline="") as file:
        records.import_csv(file, "taxes.csv")
    assert records.failure_cnt == 0, f"{records.failure_cnt} rows are not understood"
    rows = sum(1 for _ in csv.reader(open(folder / "taxes.csv", encoding="utf-8"))) - 1
    assert records.success_cnt == rows, f"{records.success_cnt} of {rows} rows"
    audit = AuditRecords(records.get_records())
    assert list(audit.wallets) == ["BitMart"], audit.wallets
    return {coin: total.total for coin, total in audit.totals.items()}


def rp2(folder):
    """Through dali into the spreadsheet that rp2 reads, rp2's own report, and its balances."""
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        wallet(folder, place)
        dali = place / "dali.ini"
        dali.write_text(
            "[dali.plugin.input.csv.manual BitMart]\n"
            f"in_csv_file = {folder / 'taxes-in.csv'}\n"
            f"out_csv_file = {folder / 'taxes-out.csv'}\n"
            f"intra_csv_file = {folder / 'taxes-intra.csv'}\n"
            "[dali.plugin.input.csv.manual wallet]\n"
            f"in_csv_file = {place / 'wallet-in.csv'}\n"
            f"intra_csv_file = {place / 'wallet-intra.csv'}\n"
        )
        tools = Path(sys.executable).parent
        run(place, tools / "dali_us", "-o", place / "out", "-p", "t_", dali)
        config, sheet = place / "out/t_crypto_data.ini", place / "out/t_crypto_data.ods"
        assert sheet.exists(), "dali made no spreadsheet"
        run(place, tools / "rp2_us", "-m", "fifo", "-o", place / "report", "-n", config, sheet)
        assert list((place / "report").glob("*.ods")), "rp2 made no report"
        return balances(config, sheet)


def wallet(folder, place):
    """The wallet at the other end of each deposit and withdrawal, which a person has data of as well."""
    with open(folder / "taxes-intra.csv", encoding="utf-8", newline="") as file:
        moves = list(csv.DictReader(file))
    with (
        open(place / "wallet-in.csv", "w", encoding="utf-8", newline="") as bought,
        open(place / "wallet-intra.csv", "w", encoding="utf-8", newline="") as moved,
    ):
        bought, moved = csv.writer(bought), csv.writer(moved)
        bought.writerow(["header"] * 13)
        moved.writerow(["header"] * 11)
        for number, move in enumerate(moves):
            head = [move["unique_id"], move["timestamp"], move["asset"]]
            # There is no network to ask for the price of what was never traded.
            price = "60000" if move["spot_price"] == "__unknown" else ""
            if move["crypto_received"]:
                amount = move["crypto_received"]
                buy = [f"bought-{number}", "2026-01-01 00:00:00+00:00", move["asset"]]
                bought.writerow(buy + ["Wallet", "account", "Buy", "1", amount, "", "", "", "", ""])
                moved.writerow(head + ["Wallet", "account", "", "", price, amount, "", "theirs"])
            else:
                # What arrives there is not more than what was sent.
                amount = move["crypto_sent"]
                moved.writerow(head + ["", "", "Wallet", "account", price, "", amount, "theirs"])


def run(place, *words):
    environment = {**os.environ, "HOME": str(place)}
    words = [str(word) for word in words]
    done = subprocess.run(words, cwd=place, env=environment, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert "Fatal exception" not in said and "ERROR" not in said, said[-3000:]


def balances(config, sheet):
    from rp2.balance import BalanceSet
    from rp2.configuration import Configuration
    from rp2.ods_parser import open_ods, parse_ods
    from rp2.plugin.country.us import US

    configuration = Configuration(str(config), US())
    handle = open_ods(configuration, str(sheet))
    held = {}
    for coin in configuration.assets:
        data = parse_ods(configuration, coin, handle)
        for balance in BalanceSet(configuration, data, configuration.to_date):
            if balance.exchange == "BitMart":
                held[coin] = held.get(coin, Decimal(0)) + Decimal(str(balance.final_balance))
    return held


def main():
    tool, folder = sys.argv[1], Path(sys.argv[2])
    said = io.StringIO()
    # What the tools print is not the answer.
    with contextlib.redirect_stdout(said):
        held = {"bittytax": bittytax, "rp2": rp2}[tool](folder)
    amounts = {coin: f"{amount.normalize():f}" for coin, amount in held.items() if amount}
    print(json.dumps(amounts))


if __name__ == "__main__":
    main()
