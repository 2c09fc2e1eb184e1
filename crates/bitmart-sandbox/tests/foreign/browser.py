"""Opens order.html in a headless browser, from another origin than the sandbox. Run by
`cargo xtask foreign` with the browser's name; prints what the page reports."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = pathlib.Path(__file__).with_name("order.html").read_bytes()
SECONDS = 60
reported = threading.Event()
report = []


class Page(BaseHTTPRequestHandler):
    def respond(self, kind, content):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        if self.path == "/ready.json":
            self.respond("application/json", os.environ["BITMART_SANDBOX"].encode())
        elif self.path == "/":
            self.respond("text/html; charset=utf-8", PAGE)
        else:
            self.send_error(404)

    def do_POST(self):
        length = min(int(self.headers["Content-Length"]), 100_000)
        report.extend(json.loads(self.rfile.read(length)))
        self.respond("text/plain", b"")
        reported.set()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
threading.Thread(target=server.serve_forever, daemon=True).start()
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
               "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
               "--no-proxy-server", f"--user-data-dir={profile}", "--remote-debugging-port=0"]
    browser = subprocess.Popen([sys.argv[1], *options, f"http://127.0.0.1:{server.server_port}/"],
                               stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        reported.wait(SECONDS)
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()
failed = sum(not good for good, _ in report) + (not reported.is_set())
for good, name in report:
    print(f"{'ok' if good else 'FAIL':<6} {name}")
if not reported.is_set():
    print(f"FAIL   the page reported nothing within {SECONDS} s")
print(f"{sum(bool(good) for good, _ in report)} passed, {failed} failed", flush=True)
os._exit(1 if failed else 0)
