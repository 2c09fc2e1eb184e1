"""An order with requests and a socket of websocket-client, over TLS: REQUESTS_CA_BUNDLE and SSL_CERT_FILE name the
sandbox's root. Run by `cargo xtask foreign`; prints a line per step, then the counts."""

import hashlib
import hmac
import json
import os
import sys
import time

import requests
import websocket

READY = json.loads(os.environ["BITMART_SANDBOX"])
KEYS = READY["credentials"]
failed = 0


def step(name, call):
    global failed
    try:
        response, good = call()
    except Exception as error:  # a certificate that is not trusted ends here
        response, good = repr(error), False
    failed += not good
    print(f"{'ok' if good else 'FAIL':<6} {name}{'' if good else f': {response}'}", flush=True)


def order():
    body = json.dumps({"size": "100", "price": "500000", "side": "sell", "symbol": "BTC_USDT", "type": "limit"})
    timestamp = str(int(time.time() * 1000))
    message = f"{timestamp}#{KEYS['memo']}#{body}"
    headers = {"Content-Type": "application/json", "X-BM-KEY": KEYS["key"], "X-BM-TIMESTAMP": timestamp,
               "X-BM-SIGN": hmac.new(KEYS["secret"].encode(), message.encode(), hashlib.sha256).hexdigest()}
    url = READY["spot"]["rest"] + "/spot/v2/submit_order"
    response = requests.post(url, data=body, headers=headers, timeout=10).json()
    return response, response["code"] == 1000


def socket():
    ws = websocket.create_connection(READY["spot"]["ws_public"], timeout=10)
    ws.send('{"op": "subscribe", "args": ["spot/ticker:BTC_USDT"]}')
    response = ws.recv()
    ws.close()
    return response, '"subscribe"' in response


steps = {"order": order, "socket": socket}
for name, call in steps.items():
    step(name, call)
print(f"{len(steps) - failed} passed, {failed} failed", flush=True)
sys.exit(1 if failed else 0)
