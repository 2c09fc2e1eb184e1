"""Makes on purpose each mistake that clients in other languages make, with nothing but Python's standard library, and
checks that the sandbox names it: in the header X-Sandbox-Reason, and in the close frame of a WebSocket. The body must
stay the documented one, and nothing may show a secret. Run by `cargo xtask foreign`; prints a line a step, then the
tally."""

import base64
import hashlib
import hmac
import json
import os
import re
import socket
import struct
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from decimal import Decimal

READY = json.loads(os.environ["BITMART_SANDBOX"])
KEY, SECRET, MEMO = (READY["credentials"][name] for name in ("key", "secret", "memo"))
SUBMIT, FUTURES = "/spot/v2/submit_order", "/contract/private/submit-order"
ORDER = {"size": "100", "price": "500000", "side": "sell", "symbol": "BTC_USDT", "type": "limit"}
CONTRACT_ORDER = {"symbol": "BTCUSDT", "side": 1, "type": "limit", "mode": 1, "leverage": "5",
                  "open_type": "isolated", "size": 1, "price": "20000"}
# As BitMart documents them: HTTP status and message of each code, and the message of each code of a login.
DOCUMENTED = {
    30002: (401, "Header X-BM-KEY not found"),
    30005: (401, "Header X-BM-SIGN is wrong"),
    30007: (401, "Header X-BM-TIMESTAMP range. Within a minute"),
    40007: (400, "Parse parameter error"),
    40013: (400, 'Access too often" CLIENT_TIME_INVALID, "Please check your system time.'),
    40027: (400, "You contract account available balance not enough"),
    40039: (400, "The timestamp is invalid"),
    42000: (200, "Insufficient balance"),
    50020: (400, "Balance not enough"),
    50021: (400, "Invalid price"),
    50028: (400, "Missing parameters"),
    50029: (400, "The parameters do not match"),
    60000: (400, "Parameter Error"),
}
LOGINS = {
    91002: "API KEY not found",
    91011: "Param sign is wrong",
    91022: "Param timestamp range. Within a minute",
}
# Longest wait for a response in seconds, and so the most seconds between two readings of the clock.
PATIENCE = 15
# Without the proxy that the environment may name.
OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
tally = {"ok": 0, "FAIL": 0}


def report(good, name, more=""):
    word = "ok" if good else "FAIL"
    tally[word] += 1
    print(f"{word:<6} {name}{'' if good else f': {more}'}", flush=True)


def now():
    return int(time.time() * 1000)


def sign(timestamp, text, secret=SECRET, memo=MEMO):
    return hmac.new(secret.encode(), f"{timestamp}#{memo}#{text}".encode(), hashlib.sha256).hexdigest()


def post(host, path, content, key=KEY, timestamp=None, signed=None, **wrong):
    """Sends a body as json.dumps writes it, with the named mistake; returns status, body and reason."""
    text = json.dumps(content)
    timestamp = now() if timestamp is None else timestamp
    headers = {
        "Content-Type": "application/json",
        "X-BM-KEY": key,
        "X-BM-TIMESTAMP": str(timestamp),
        "X-BM-SIGN": sign(timestamp, text if signed is None else signed, **wrong),
    }
    request = urllib.request.Request(READY[host]["rest"] + path, text.encode(), headers)
    try:
        response = OPEN(request, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return response.status, response.read().decode(), response.headers.get("X-Sandbox-Reason") or ""


def check_rejected(name, code, words, response):
    """Checks one rejection: exactly the documented response, and a reason that contains these words."""
    status, text, reason = response
    body = json.loads(text)
    good = (
        (status, body.get("message")) == DOCUMENTED[code]
        and body.get("code") == code
        and set(body) <= {"code", "message", "trace", "data"}
        and not body.get("data")
        and isinstance(body["trace"], str)
        and words in reason
        and SECRET not in text + reason
    )
    report(good, f"{name} is {code}", f"{status} {text} {reason!r}")
    return reason


def reported_seconds(reason):
    found = re.search(r" is (\d+\.\d{3}) s (behind|ahead of) ", reason)
    return (float(found[1]), found[2]) if found else (0.0, "")


def check_headers(host, path, content):
    """Requests with a wrong key, signature or timestamp."""
    def wrong(name, code, words, **mistake):
        return check_rejected(f"{host}: {name}", code, words, post(host, path, content, **mistake))

    wrong("a key of elsewhere", 30002, "take the key of its ready line", key="0123456789")
    wrong("the placeholder of a sample", 30002, "placeholder of a sample", key="your_api_key")
    wrong("the secret sent as the key", 30002, "the secret of a key, not the key", key=SECRET)
    wrong("no memo", 30005, "an empty memo", memo="")
    wrong("a memo with a blank", 30005, "a memo with a blank", memo=MEMO + " ")
    wrong("another memo", 30005, "the secret or the memo is a different one", memo="some other memo")
    wrong("a secret in quotes", 30005, "a secret in quotes", secret=f'"{SECRET}"')
    wrong("another secret", 30005, "the secret or the memo is a different one", secret="0123456789abcdef")
    compact = json.dumps(content, separators=(",", ":"))
    wrong("signed without spaces, sent with them", 30005, "the JSON without spaces", signed=compact)
    wrong("signed as str(dict)", 30005, "a Python dict converted with str(body)", signed=str(content))
    ordered = json.dumps(content, sort_keys=True)
    wrong("signed in the order of the alphabet", 30005, "its members sorted", signed=ordered)
    query = urllib.parse.urlencode(content)
    wrong("signed as a query string", 30005, "a query string (a=1&b=2)", signed=query)
    wrong("signed without a body", 30005, "an empty body", signed="")
    behind, ahead = (30007, 30007) if host == "spot" else (40039, 40013)
    wrong("seconds for milliseconds", behind, "is in seconds: it must be in milliseconds", timestamp=now() // 1000)
    wrong("microseconds for milliseconds", ahead, "is in microseconds", timestamp=now() * 1000)
    for name, code, off_by, way in (("late", behind, -90, "behind"), ("early", ahead, 90 + PATIENCE, "ahead of")):
        reason = wrong(name, code, f" {way} the clock of the sandbox", timestamp=now() + off_by * 1000)
        off, response = reported_seconds(reason)
        late = off - 90 if off_by < 0 else 90 + PATIENCE - off
        report(response == way and -0.001 <= late < PATIENCE, f"{host}: by how much it is {name}", reason)


def check_shortage(name, code, wallet, currency, response):
    """Checks a rejection for lack of funds; returns what is available and what is required."""
    reason = check_rejected(name, code, wallet, response)
    found = re.search(r"has (\S+) (\S+) free, and this takes (\S+): (\S+) (\S+) are missing$", reason)
    if not found:
        return report(False, f"{name}: how much is missing", reason)
    free, takes, missing = (Decimal(found[at]) for at in (1, 3, 4))
    good = takes - free == missing > 0 and found[2] == found[5] == currency
    report(good, f"{name}: how much is missing", reason)
    return free, takes


def check_lack_of_funds():
    """Requests for more than the wallets have: the reason says how much is missing."""
    request = urllib.request.Request(READY["spot"]["rest"] + "/spot/v1/wallet", headers={"X-BM-KEY": KEY})
    with OPEN(request, timeout=PATIENCE) as response:
        wallet = json.load(response)["data"]["wallet"]
    free = {row["id"]: Decimal(row["available"]) for row in wallet}
    size = free["BTC"] + Decimal("1.5")
    response = post("spot", SUBMIT, {**ORDER, "size": str(size)})
    reported = check_shortage("more BTC than there are", 50020, "the spot wallet", "BTC", response)
    report(reported == (free["BTC"], size), "the numbers are those of wallet and order")
    response = post("futures", FUTURES, {**CONTRACT_ORDER, "leverage": "1", "size": 10_000})
    check_shortage("more margin than there is", 40027, "the futures wallet", "USDT", response)
    amount = free["USDT"] + 1
    transfer = {"currency": "USDT", "amount": str(amount), "type": "spot_to_contract"}
    response = post("spot", "/account/v1/transfer-contract", transfer)
    reported = check_shortage("a transfer to futures", 42000, "the spot wallet", "USDT", response)
    report(reported == (free["USDT"], amount), "the numbers are those of wallet and transfer")


def check_fields():
    """Wrong fields: the reason names them, and the text does not."""
    check_rejected("an invalid field", 50021, "price: must be above 0", post("spot", SUBMIT, {**ORDER, "price": "-1"}))
    check_rejected("no field", 50028, "symbol is required", post("spot", SUBMIT, {}))
    response = post("spot", SUBMIT, {**ORDER, "Size": "1"})
    check_rejected("a field in the wrong case", 50029, 'did you mean "size"?', response)
    response = post("futures", FUTURES, {**CONTRACT_ORDER, "amount": 1})
    check_rejected("an unknown field of futures", 40007, 'unknown field "amount"', response)
    response = post("spot", "/account/v1/set-deposit-account", {"account_type": "GIFT"})
    check_rejected("an unknown value", 60000, "must be SPOT, CONTRACT or FUND", response)


class Socket:
    """A minimal client of RFC 6455."""

    def __init__(self, url):
        address = urllib.parse.urlsplit(url)
        self.stream = socket.create_connection((address.hostname, address.port), PATIENCE)
        nonce = base64.b64encode(os.urandom(16)).decode()
        self.stream.sendall((f"GET {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
                             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             f"Sec-WebSocket-Key: {nonce}\r\n\r\n").encode())
        self.reader = self.stream.makefile("rb")
        status = self.reader.readline().split()
        assert status[1] == b"101", status
        while self.reader.readline().strip():
            pass

    def send(self, content):
        text, mask = json.dumps(content).encode(), os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
        length = struct.pack(">B", 0x80 | len(text)) if len(text) < 126 else struct.pack(">BH", 0x80 | 126, len(text))
        self.stream.sendall(b"\x81" + length + mask + masked)

    def receive(self):
        """The next frame: opcode and payload."""
        opcode, length = self.reader.read(2)
        if length == 126:
            length, = struct.unpack(">H", self.reader.read(2))
        return opcode & 15, self.reader.read(length)

    def text(self):
        opcode, payload = self.receive()
        assert opcode == 1, (opcode, payload)
        return json.loads(payload)

    def closed(self):
        opcode, payload = self.receive()
        assert opcode == 8, (opcode, payload)
        return struct.unpack(">H", payload[:2])[0], payload[2:].decode()


def check_login_rejected(name, code, words, key=KEY, timestamp=None, text="bitmart.WebSocket", **wrong):
    """Checks a login that fails on both hosts: the documented frame, and a close frame that contains these words."""
    timestamp = now() if timestamp is None else timestamp
    args = [key, str(timestamp), sign(timestamp, text, **wrong)]
    for host, login in (("spot", {"op": "login", "args": args}), ("futures", {"action": "access", "args": args})):
        ws = Socket(READY[host]["ws_private"])
        ws.send(login)
        response, (closed, reason) = ws.text(), ws.closed()
        if host == "spot":
            documented = response == {"event": "login", "errorCode": str(code), "errorMessage": LOGINS[code]}
        else:
            # Futures send a text and no code.
            is_failure = (response["action"], response["success"]) == ("access", False)
            documented = is_failure and "auth failed" in response["error"]
        good = documented and closed == 1000 and words in reason and SECRET not in json.dumps(response) + reason
        outcome = f" is {code}" if host == "spot" else ""
        report(good, f"{host} login: {name}{outcome}", f"{response} {closed} {reason!r}")


def check_logins():
    check_login_rejected("a key of elsewhere", 91002, "take the key of its ready line", key="0123456789")
    check_login_rejected("no memo", 91011, "an empty memo", memo="")
    words = "the secret or the memo is a different one"
    check_login_rejected("another secret", 91011, words, secret="0123456789abcdef")
    check_login_rejected("signed without bitmart.WebSocket", 91011, "another text than bitmart.WebSocket", text="")
    check_login_rejected("seconds for milliseconds", 91022, "is in seconds", timestamp=now() // 1000)
    check_login_rejected("late", 91022, "s behind the clock of the sandbox", timestamp=now() - 90_000)
    check_login_rejected("early", 91022, "s ahead of the clock of the sandbox", timestamp=now() + 105_000)


def check_topics():
    """A private topic at the public address, and the reverse: the text of the error is the documented one."""
    for host, side, topic, field, expected in (
        ("spot", "public", "spot/user/order:BTC_USDT", "errorMessage", "User not logged in / User must be logged in"),
        ("spot", "private", "spot/ticker:BTC_USDT", "errorMessage", "Invalid channel param"),
        ("futures", "public", "futures/order", "error", "futures/order need authenication"),
        ("futures", "private", "futures/trade:BTCUSDT", "error", "group [futures/trade:BTCUSDT] not exist"),
    ):
        ws = Socket(READY[host]["ws_" + side])
        ws.send({"op" if host == "spot" else "action": "subscribe", "args": [topic]})
        response = ws.text()[field]
        report(response == expected, f"{topic} at the {side} address", response)


status, text, reason = post("spot", SUBMIT, ORDER)
report((status, json.loads(text)["code"], reason) == (200, 1000, ""), "what is right has no reason", text)
check_headers("spot", SUBMIT, ORDER)
check_headers("futures", FUTURES, CONTRACT_ORDER)
check_lack_of_funds()
check_fields()
check_logins()
check_topics()
print(f"{tally['ok']} passed, {tally['FAIL']} failed", flush=True)
sys.exit(1 if tally["FAIL"] else 0)
