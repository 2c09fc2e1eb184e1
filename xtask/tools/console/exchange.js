// Another program: it sends requests and opens WebSockets as a bot does, without a library.

const crypto = require("crypto");
const http = require("http");

class Bot {
  constructor(ready) {
    this.ready = ready;
  }

  // Sends requests as fast as it can until it is stopped.
  flood(paths) {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    const load = { sent: 0, stop: null };
    let isStopped = false;
    const one = () =>
      new Promise((resolve) => {
        const request = http.get(this.ready.spot.rest + paths[load.sent % paths.length], { agent }, (response) => {
          response.resume();
          response.on("end", resolve);
          response.on("error", resolve);
        });
        load.sent += 1;
        request.on("error", resolve);
      });
    const worker = async () => {
      while (!isStopped) await one();
    };
    const workers = Array.from({ length: 8 }, worker);
    load.stop = async () => {
      isStopped = true;
      await Promise.all(workers);
      agent.destroy();
    };
    return load;
  }

  sign(timestamp, text) {
    const { secret, memo } = this.ready.credentials;
    return crypto.createHmac("sha256", secret).update(`${timestamp}#${memo}#${text}`).digest("hex");
  }

  // Returns status, headers and body; null if the connection closes without a response.
  send(method, path, body, headers = {}) {
    return this.sendText(path, body === undefined ? "" : JSON.stringify(body), method, headers);
  }

  // The body may be anything.
  sendText(path, text, method = "POST", headers = {}) {
    const timestamp = String(Date.now());
    const signed = {
      "Content-Type": "application/json",
      "X-BM-KEY": this.ready.credentials.key,
      "X-BM-TIMESTAMP": timestamp,
      "X-BM-SIGN": this.sign(timestamp, text),
      ...headers,
    };
    return new Promise((resolve) => {
      const request = http.request(this.ready.spot.rest + path, { method, headers: signed }, (response) => {
        const parts = [];
        response.on("data", (part) => parts.push(part));
        response.on("end", () => {
          const json = Buffer.concat(parts).toString();
          resolve({ status: response.statusCode, headers: response.headers, text: json });
        });
        response.on("error", () => resolve(null));
      });
      request.on("error", () => resolve(null));
      request.end(text);
    });
  }

  order(fields = {}, headers = {}) {
    const order = { symbol: "BTC_USDT", side: "buy", type: "limit", price: "50000", size: "0.001" };
    return this.send("POST", "/spot/v2/submit_order", { ...order, ...fields }, headers);
  }

  // Opens a WebSocket, the private one by default, and sends messages. Resolves when the sandbox answers the last one.
  socket(messages, address = this.ready.spot.ws_private) {
    const url = new URL(address);
    const headers = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": crypto.randomBytes(16).toString("base64"),
    };
    return new Promise((resolve, reject) => {
      const request = http.get({ port: url.port, host: url.hostname, path: url.pathname + url.search, headers });
      request.on("error", reject);
      request.on("upgrade", (_response, stream) => {
        let sent = 0;
        const next = () => {
          if (sent === messages.length) return resolve(stream);
          stream.write(frame(JSON.stringify(messages[sent])));
          sent += 1;
        };
        stream.on("data", next);
        stream.on("error", () => {});
        next();
      });
    });
  }

  login() {
    const timestamp = String(Date.now());
    const { key } = this.ready.credentials;
    return { op: "login", args: [key, timestamp, this.sign(timestamp, "bitmart.WebSocket")] };
  }
}

// A masked text frame of less than 64 KiB.
function frame(text) {
  const payload = Buffer.from(text);
  const mask = crypto.randomBytes(4);
  const length = payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 255];
  const masked = payload.map((byte, at) => byte ^ mask[at % 4]);
  return Buffer.concat([Buffer.from([0x81, ...length]), mask, masked]);
}

module.exports = { Bot };
