"""BitMart's Python SDK as a program of `cargo xtask peers`: commands on standard input, a line of JSON for each on
standard output. src/lib.rs has the table of commands."""

import json
import logging
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from bitmart.api_spot import APISpot
from bitmart.websocket.spot_socket_client import SpotSocketClient

logging.disable(logging.CRITICAL)
PLAIN, TLS, MARKET = (json.loads(os.environ[name]) for name in ("PEER_PLAIN", "PEER_TLS", "PEER_MARKET"))
KEYS = PLAIN["credentials"]
TOPIC = "spot/depth50:BTC_USDT"
FIELDS = ("symbol", "last", "v_24h", "qv_24h", "open_24h", "high_24h", "low_24h", "fluctuation", "bid_px", "bid_sz",
          "ask_px", "ask_sz", "ts")


class Clients(threading.local):
    """The SDK blocks, and its session is not made for several threads: each thread has its own clients."""

    def __init__(self):
        self.plain, self.tls, self.market = (
            APISpot(KEYS["key"], KEYS["secret"], KEYS["memo"], url=ready["spot"]["rest"], timeout=(5, 10))
            for ready in (PLAIN, TLS, MARKET))


clients = Clients()
pool = ThreadPoolExecutor(64)


def order(tls):
    client = clients.tls if tls else clients.plain
    response, _ = client.post_submit_order("BTC_USDT", "buy", "limit", size="0.001", price="50000")
    if response["code"] != 1000:
        raise RuntimeError(response)


def ticker():
    response, _ = clients.market.get_v3_ticker("BTC_USDT")
    return response["data"]


def timed(call, count):
    times = []
    for _ in range(count):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return times


def orders(tls, in_flight, count):
    begin = time.perf_counter_ns()
    if in_flight == 1:
        each = timed(lambda: order(tls), count)
    else:
        shares = [count // in_flight + (task < count % in_flight) for task in range(in_flight)]
        tasks = [pool.submit(timed, lambda: order(tls), share) for share in shares]
        each = [one for task in tasks for one in task.result()]
    return {"elapsed": time.perf_counter_ns() - begin, "each": each}


def books(url, count, each):
    done, received = threading.Event(), 0

    def note(message):
        nonlocal received
        if "data" in message and received < count:
            for book in message["data"]:
                each(book)
            received += 1
            if received == count:
                done.set()

    client = SpotSocketClient(url, on_message=note)
    client.subscribe(TOPIC)
    if not done.wait(60):
        raise RuntimeError(f"{received} frames in a minute")
    threading.Thread(target=client.stop, daemon=True).start()


def values(book):
    return [book["symbol"], str(book["ms_t"]), *(text for level in book["asks"] + book["bids"] for text in level)]


def respond(words):
    match words:
        case ["order"]:
            order(False)
            return {"values": []}
        case ["ticker"]:
            data = ticker()
            return {"values": [data[field] for field in FIELDS]}
        case ["books", url, count]:
            seen = []
            books(url, int(count), lambda book: seen.extend(values(book)))
            return {"values": seen}
        case ["orders", kind, in_flight, count]:
            return orders(kind == "tls", int(in_flight), int(count))
        case ["tickers", count]:
            begin = time.perf_counter_ns()
            each = timed(ticker, int(count))
            return {"elapsed": time.perf_counter_ns() - begin, "each": each}
        case ["frames", url, count]:
            begin = time.perf_counter_ns()
            books(url, int(count), lambda book: None)
            return {"elapsed": time.perf_counter_ns() - begin}
    raise RuntimeError(f"no such command: {words}")


for line in sys.stdin:
    try:
        response = respond(line.split())
    except Exception as error:
        response = {"error": repr(error)}
    print(json.dumps(response), flush=True)
# The ping timers of the SDK never end by themselves.
os._exit(0)
