"""Four sockets that are kept alive as the Python samples of the exchange's quick start do it: a protocol ping
every 10 s, no text `ping`. They must stay open for 40 s, and an order in between must reach the private ones. The
samples wait 1 s for a pong; here it may take until the next ping, since a loaded machine can hold this program up.
Run by `cargo xtask foreign`; prints a line per step, then the counts."""

import hashlib
import hmac
import json
import os
import sys
import threading
import time
import zlib

import requests
import websocket

READY = json.loads(os.environ["BITMART_SANDBOX"])
KEY, SECRET, MEMO = (READY["credentials"][name] for name in ("key", "secret", "memo"))
# How long the sockets must stay open.
SECONDS = 40
tally = {"ok": 0, "FAIL": 0}


def report(good, name, more=""):
    word = "ok" if good else "FAIL"
    tally[word] += 1
    print(f"{word:<6} {name}{': ' if more else ''}{more}", flush=True)


def sign(timestamp, text):
    return hmac.new(SECRET.encode(), f"{timestamp}#{MEMO}#{text}".encode(), hashlib.sha256).hexdigest()


def inflate(message):
    if isinstance(message, str):
        return message
    decompress = zlib.decompressobj(-zlib.MAX_WBITS)
    return (decompress.decompress(message) + decompress.flush()).decode()


class Socket:
    """One socket, its received messages, and why it ended early."""

    def __init__(self, host, side, topic):
        self.name = f"{host} {side}"
        self.received, self.ended, self.pongs, self.stopping = [], None, 0, False
        self.spot = host == "spot"
        self.topic, self.private = topic, side == "private"
        self.ws = websocket.WebSocketApp(
            READY[host]["ws_" + side],
            on_open=self.on_open,
            on_message=lambda ws, message: self.received.append(inflate(message)),
            on_pong=self.on_pong,
            on_error=self.on_error,
            on_close=lambda ws, code, text: self.on_error(ws, f"closed with {code} {text}"),
        )
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        self.ws.run_forever(ping_interval=10, ping_timeout=9, ping_payload="ping")

    def on_open(self, ws):
        # Sent from another thread, since this one reads.
        threading.Thread(target=self.log_in_and_subscribe, args=(ws,), daemon=True).start()

    def log_in_and_subscribe(self, ws):
        if self.private:
            timestamp = str(int(time.time() * 1000))
            login = [KEY, timestamp, sign(timestamp, "bitmart.WebSocket")]
            ws.send(json.dumps({"op": "login", "args": login} if self.spot
                               else {"action": "access", "args": login + ["web"]}))
            self.wait(lambda text: '"login"' in text or '"access"' in text)
        ws.send(json.dumps({"op" if self.spot else "action": "subscribe", "args": [self.topic]}))

    def on_pong(self, _ws, _payload):
        self.pongs += 1

    def on_error(self, _ws, error):
        if not self.stopping and self.ended is None:
            self.ended = str(error)

    def wait(self, wanted, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if any(wanted(text) for text in self.received):
                return True
            time.sleep(0.02)
        return False


def post(host, path, body):
    text = json.dumps(body)
    timestamp = str(int(time.time() * 1000))
    headers = {"Content-Type": "application/json", "X-BM-KEY": KEY, "X-BM-TIMESTAMP": timestamp,
               "X-BM-SIGN": sign(timestamp, text)}
    return requests.post(READY[host]["rest"] + path, data=text, headers=headers, timeout=10).json()


public = [Socket("spot", "public", "spot/ticker:BTC_USDT"), Socket("futures", "public", "futures/trade:BTCUSDT")]
spot = Socket("spot", "private", "spot/user/order:BTC_USDT")
futures = Socket("futures", "private", "futures/order")
begin = time.monotonic()
for socket in (spot, futures):
    report(socket.wait(lambda text: "subscribe" in text), f"{socket.name} subscription is acknowledged")
# Long after the first pings, an order must arrive.
while time.monotonic() < begin + SECONDS * 0.7:
    time.sleep(0.1)
placed = post("spot", "/spot/v2/submit_order",
              {"size": "0.01", "price": "500000", "side": "sell", "symbol": "BTC_USDT", "type": "limit"})
report(placed.get("code") == 1000, "spot order", json.dumps(placed))
order = str(placed.get("data", {}).get("order_id"))
report(spot.wait(lambda text: order in text), "the push of the spot order")
placed = post("futures", "/contract/private/submit-order",
              {"symbol": "BTCUSDT", "side": 1, "type": "limit", "mode": 1, "leverage": "5", "open_type": "isolated",
               "size": 1, "price": "20000"})
report(placed.get("code") == 1000, "futures order", json.dumps(placed))
order = str(placed.get("data", {}).get("order_id"))
report(futures.wait(lambda text: order in text), "the push of the futures order")
while time.monotonic() < begin + SECONDS:
    time.sleep(0.1)
for socket in [*public, spot, futures]:
    report(socket.ended is None, f"{socket.name} stays open for {SECONDS} s", socket.ended or "")
    report(socket.pongs >= 3, f"{socket.name} pings are answered", str(socket.pongs))
    socket.stopping = True
for socket in public:
    report(any('"data"' in text for text in socket.received), f"{socket.name} pushes arrive")
print(f"{tally['ok']} passed, {tally['FAIL']} failed", flush=True)
sys.stdout.flush()
os._exit(1 if tally["FAIL"] else 0)
