// What a user of the console does, step by step.

const changes = require("./changes.js");

const HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(2)>\"'";

async function access({ page, context, browser, sandbox, origin, report }) {
  await page.goto(sandbox.url);
  report(page.url() === `${origin}/console`, `the one-use code opens the console: ${page.url()}`);
  report(!sandbox.url.includes(sandbox.ready.admin_token), "the address that was opened has no admin token");
  const [cookie] = await context.cookies();
  report(cookie.httpOnly && cookie.sameSite === "Strict", "the cookie is HttpOnly and SameSite=Strict");
  const stranger = await browser.newContext();
  const tab = await stranger.newPage();
  await tab.goto(sandbox.url);
  report((await tab.textContent("[role=alert]")).includes("code is not valid"), "the code works once");
  await tab.goto(`${origin}/console/traffic`);
  report(tab.url() === `${origin}/console/login`, "without a cookie there is only the form");
  await tab.fill("#token", "a".repeat(64));
  await tab.click("button");
  report((await tab.textContent("[role=alert]")).includes("not the admin token"), "a wrong token is rejected");
  await tab.fill("#token", sandbox.ready.admin_token);
  await tab.click("button");
  report(tab.url() === `${origin}/console`, "the admin token opens the console");
  await tab.click("text=Close this session");
  await tab.goto(`${origin}/console`);
  report(tab.url() === `${origin}/console/login`, "a closed session is over");
  await stranger.close();
}

async function forgery({ context, origin, report }) {
  const [{ name, value }] = await context.cookies();
  const post = (headers) =>
    fetch(`${origin}/console/call/clear_faults`, {
      method: "POST",
      redirect: "manual",
      headers: { Cookie: `${name}=${value}`, ...headers },
    });
  report((await post({})).status === 403, "a change without an Origin is rejected");
  report((await post({ Origin: "http://127.0.0.1:1" })).status === 403, "a change of another origin is rejected");
  const foreign = { Origin: origin, "Sec-Fetch-Site": "same-site" };
  report((await post(foreign)).status === 403, "a change of another port is rejected");
  report((await post({ Origin: origin })).status === 303, "a change of the console itself is accepted");
}

async function traffic({ page, sandbox, bot, origin, report, until }) {
  await page.goto(`${origin}/console/traffic`);
  const accepted = await bot.order({ client_order_id: "fromanotherprogram" }, { "User-Agent": "bot/1" });
  report(accepted.status === 200, `another program places an order: ${accepted.status}`);
  const row = page.locator("#requests tbody tr", { hasText: "/spot/v2/submit_order" });
  await row.first().waitFor();
  report((await row.first().textContent()).includes("200"), "its order appears without a reload");

  const refused = await bot.order({ size: "999999999" });
  const reason = refused.headers["x-sandbox-reason"];
  const refusedRow = page.locator("#requests tr.refused").first();
  await refusedRow.waitFor();
  report((await refusedRow.textContent()).includes(reason), `a refused order appears with its reason: ${reason}`);
  const badSign = await bot.order({}, { "X-BM-SIGN": "0".repeat(64) });
  await page.locator("#requests tr.refused", { hasText: badSign.headers["x-sandbox-reason"] }).waitFor();
  report(true, "a wrong signature appears with its reason");

  await page.fill("#q", "fromnowhere");
  await page.locator("#empty").waitFor();
  report((await page.locator("#requests tbody tr").count()) === 0, "a filter without matches says so");
  await page.fill("#q", "submit_order");
  await page.check("#refused");
  const shown = page.locator("#requests tbody tr");
  await until("the refused ones", async () => (await shown.count()) === 2);
  report((await page.locator("#requests tbody tr.refused").count()) === 2, "the filter shows the refused ones");
  await page.uncheck("#refused");
  await until("the others", async () => (await shown.count()) === 3);
  await page.locator("#requests a").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL(/traffic\/\d+$/);
  report(true, "the keyboard leads to a request");

  await page.goto(`${origin}/console/traffic?q=submit_order`);
  await page.locator("#requests tr:not(.refused) a").first().click();
  const text = await page.textContent("main");
  report(text.includes("fromanotherprogram") && text.includes("bot/1"), "a request has its body and headers");
  const { key, secret } = sandbox.ready.credentials;
  const html = await page.content();
  report(html.includes("x-bm-key: [hidden]") && !html.includes(key) && !html.includes(secret), "the key is hidden");
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  for (const [language, command] of [["curl", "sh"], ["python", "python3"]]) {
    await page.click(`summary:has-text("As ${language === "curl" ? "curl" : "Python"}")`);
    await page.click(`[data-copy=as-${language}]`);
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    // The client order id was used already: the same order again is a request of its own.
    const fresh = copied.replace("fromanotherprogram", `copied${language}`);
    const output = sandbox.shell(`${command} <<'END'\n${fresh}\nEND`);
    report(/order_id/.test(output), `the copied ${language} places the order again: ${output.trim().slice(0, 80)}`);
  }
  await page.goto(`${origin}/console/traffic`);
  await until("the copied requests", async () => (await row.count()) >= 5);
  await copyRefused({ page, sandbox, bot, origin, report });
}

// What was refused is sent again as it was, and is refused again.
async function copyRefused({ page, sandbox, bot, origin, report }) {
  for (const [body, code] of [['{"symbol":"BTC_USDT","side":"buy","type":"limit","size":"1"}', ""], ['{"symbol":', 30018]]) {
    const refused = await bot.sendText("/spot/v2/submit_order", body);
    const expected = JSON.parse(refused.text).code;
    await page.goto(`${origin}/console/traffic?refused=1`);
    await page.locator("#requests a").first().click();
    report(!code || code === expected, `a request is refused with ${expected}`);
    for (const [id, command] of [["as-curl", "sh"], ["as-python", "python3"]]) {
      const copied = await page.locator(`#${id}`).textContent();
      const output = sandbox.shell(`${command} <<'END'\n${copied}\nEND`);
      report(output.includes(`"code":${expected}`), `${id} sends it again, to be refused: ${output.trim().slice(0, 80)}`);
    }
  }
}

// The first page changes while it is open.
async function overview({ page, bot, origin, report, until }) {
  await bot.order({ size: "999999999" });
  await page.goto(`${origin}/console`);
  const times = async () => Number(await page.locator("#refusals tr", { hasText: "50020" }).locator("td").textContent());
  const before = await times();
  const orders = async () => Number(await page.textContent("[data-stat=orders]"));
  const open = await orders();
  await bot.order({ size: "999999999" });
  await bot.order({ price: "10000" });
  await until("the figures", async () => (await times()) === before + 1 && (await orders()) === open + 1);
  report((await times()) === before + 1, "the first page counts refusals and open orders while it is open");
}

// A page whose stream of updates is broken says so, until it works again.
async function offline({ browser, sandbox, report }) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(sandbox.run("sandbox", "console", "--print").trim());
  await page.route("**/console/updates*", (route) => route.abort());
  await page.goto(new URL("/console/traffic", sandbox.url).href);
  await page.locator("#offline").waitFor();
  await page.unroute("**/console/updates*");
  await page.locator("#offline").waitFor({ state: "hidden" });
  report(await page.locator("#offline").isHidden(), "a page without updates says so, until they come again");
  await page.route("**/console/updates*", (route) => route.fulfill({ status: 503 }));
  await page.locator("#unstored").waitFor();
  report(await page.locator("#offline").isHidden(), "a sandbox that cannot store a change is not called unreachable");
  await page.unroute("**/console/updates*");
  await page.locator("#unstored").waitFor({ state: "hidden" });
  await context.close();
}

// A hidden page requests nothing. Shown again, it has the rows that are kept, more than an update has.
async function hiddenPage({ page, bot, origin, report, until }) {
  await page.goto(`${origin}/console/traffic`);
  await page.locator("#requests tr").first().waitFor();
  const hide = (isHidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { value, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, isHidden);
  await hide(true);
  for (let number = 0; number < 60; number += 1) await bot.send("GET", `/spot/while/hidden/${number}`);
  await hide(false);
  const rows = page.locator("#requests tr", { hasText: "while/hidden" });
  await until("the rows of a hidden page", async () => (await rows.count()) >= 50);
  report((await rows.count()) === 60, `a page that was hidden shows ${await rows.count()} of 60 requests`);
  report((await page.textContent("[data-stat=skipped]")).trim() === "", "none of them was too fast for it");
}

// A browser opens at most six connections to one address: no window may keep one.
async function manyWindows({ browser, sandbox, bot, report, until }) {
  const context = await browser.newContext();
  context.setDefaultTimeout(20000);
  const windows = [await context.newPage()];
  await windows[0].goto(sandbox.run("sandbox", "console", "--print").trim());
  await windows[0].goto(new URL("/console/traffic", sandbox.url).href);
  while (windows.length < 8) {
    const page = await context.newPage();
    windows.push(page);
    const problem = await page.goto(new URL("/console/traffic", sandbox.url).href).then(() => "", String);
    report(problem === "", `window ${windows.length} loads ${problem.split("\n")[0]}`);
    // A page that never loads answers no question either.
    if (problem) return;
  }
  await bot.send("GET", "/spot/for/all/windows");
  const totals = () => Promise.all(windows.map((page) => page.textContent("[data-stat=total]")));
  const isFresh = async () => {
    const rows = windows.map((page) => page.locator("#requests tr", { hasText: "for/all/windows" }).count());
    return !(await Promise.all(rows)).includes(0) && new Set(await totals()).size === 1;
  };
  await until("the request in every window", isFresh);
  const shown = (await totals()).join(" ");
  report(windows.length === 8, `all of ${windows.length} windows show the latest request: ${shown}`);
  await context.close();
}

// Rows change while somebody moves through them by the keyboard.
async function keyboardFocus({ page, sandbox, bot, origin, report, until }) {
  const topic = { op: "subscribe", args: ["spot/ticker:BTC_USDT"] };
  const open = () => bot.socket([topic], sandbox.ready.spot.ws_public);
  const sockets = [await open(), await open()];
  await page.goto(`${origin}/console/traffic`);
  await page.locator("#sockets a").nth(1).focus();
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  const before = await focused();
  const rows = page.locator("#sockets tbody tr");
  const count = await rows.count();
  sockets.push(await open());
  await until("the third WebSocket", async () => (await rows.count()) === count + 1);
  report((await focused()) === before && /^spot/.test(before), `the focus stays at ${before}: ${await focused()}`);
  for (const socket of sockets) socket.destroy();
}

// The page stays usable while another program sends more than it can show.
async function load({ page, bot, origin, report, until }) {
  await page.goto(`${origin}/console/traffic`);
  const flood = bot.flood(["/system/time", "/spot/quotation/v3/ticker?symbol=BTC_USDT", "/spot/no/such/path"]);
  try {
    await until("the load", () => flood.sent >= 1000);
    const before = flood.sent;
    await page.fill("#q", "quotation");
    const count = () => page.evaluate(() => {
      const all = [...document.querySelectorAll("#requests tbody tr")];
      const shown = all.filter((row) => !row.hidden);
      const others = shown.filter((row) => !/quotation/.test(row.textContent));
      return { all: all.length, shown: shown.length, others: others.length };
    });
    // The page asks the sandbox for the rows of a filter, while rows without it are still shown.
    await until("the filter", async () => {
      const rows = await count();
      return rows.shown > 0 && rows.others === 0;
    });
    await until("more of the load", () => flood.sent >= before + 1000);
    const rows = await count();
    report(rows.all <= 400, `under load the page has a bounded number of rows: ${rows.all}`);
    report(rows.shown > 0 && rows.others === 0, `under load the filter stays: ${rows.shown} shown`);
    await page.fill("#q", "rare/path");
    await page.locator("#empty").waitFor();
    await bot.send("GET", "/spot/rare/path");
    await page.locator("#requests tbody tr", { hasText: "rare/path" }).waitFor();
    report((await page.locator("#requests tbody tr").count()) === 1, "under load a filter finds the one refusal");
    await page.fill("#q", "");
    await until("the load without a filter", async () => (await page.locator("#requests tbody tr").count()) > 100);
    await page.click("#pause");
    const first = await page.locator("#requests tbody tr").first().textContent();
    const paused = flood.sent;
    await until("the load of a pause", () => flood.sent >= paused + 1000);
    report((await page.locator("#requests tbody tr").first().textContent()) === first, "under load a pause holds the list");
    const label = await page.textContent("#pause");
    report(/continue with (\d+|the latest 400) more/.test(label), `a pause counts what comes: ${label}`);
    const more = Math.min(400, Number(/\d+/.exec(label)[0]));
    await page.click("#pause");
    const at = await page.evaluate(
      (text) => [...document.querySelectorAll("#requests tbody tr")].findIndex((row) => row.textContent === text),
      first,
    );
    report(at === -1 || at >= more, `what came during a pause is shown after it: ${at}, ${more}`);
    await page.locator("#requests tbody a").first().click();
    await page.waitForURL(/traffic\/\d+$/);
    report((await page.textContent("main")).includes("Response body"), "under load a request opens");
  } finally {
    await flood.stop();
  }
  await page.goto(`${origin}/console/traffic`);
  const total = Number(/(\d+) requests recorded/.exec(await page.textContent("#counts"))[1]);
  report(total >= flood.sent, `each of ${flood.sent} requests of the load is recorded: ${total}`);
  await page.click("text=Clear the records");
}

async function injection({ page, bot, origin, report }) {
  await page.goto(`${origin}/console/traffic`);
  const path = `/spot/${encodeURIComponent(HOSTILE)}?a=${encodeURIComponent(HOSTILE)}&b=<script>alert(3)</script>`;
  await bot.send("GET", path, undefined, { "User-Agent": HOSTILE });
  await bot.order({ client_order_id: HOSTILE }, { "User-Agent": HOSTILE });
  const live = page.locator("#requests tr.refused", { hasText: "script" }).first();
  await live.waitFor();
  for (const address of ["/console/traffic", await live.locator("a").getAttribute("href")]) {
    await page.goto(origin + address);
    const found = await page.evaluate(() => document.querySelectorAll("main script, main img, [onerror]").length);
    report(found === 0, `${address}: markup of a client stays text`);
  }
  await page.goto(`${origin}/console/traffic?q=${encodeURIComponent(HOSTILE)}`);
  report((await page.locator("main img, main script").count()) === 0, "markup in a filter stays text");
}

async function sockets({ page, sandbox, bot, origin, report }) {
  const stream = await bot.socket([bot.login(), { op: "subscribe", args: ["spot/user/orders:ALL_SYMBOLS"] }]);
  const bad = await bot.socket([{ op: "login", args: ["nokey", String(Date.now()), "nosign"] }]);
  await page.goto(`${origin}/console/traffic`);
  await page.click("text=/spot\\/user \\d+/ >> nth=1");
  await page.locator("#frames tr", { hasText: "subscribe" }).first().waitFor();
  await bot.order({ client_order_id: "onawebsocket" });
  const pushed = page.locator("#frames tr", { hasText: "onawebsocket" }).first();
  await pushed.waitFor();
  report((await pushed.textContent()).includes("spot/user/order"), "a frame appears without a reload, with its content");
  const html = await page.content();
  report(html.includes("[hidden]") && !html.includes(sandbox.ready.credentials.key), "the key of a login is hidden");
  await page.goto(`${origin}/console/traffic`);
  await page.click("text=/spot\\/user \\d+/ >> nth=0");
  const text = await page.textContent("main");
  report(text.includes("closed by the sandbox with code") && text.includes("refused with"), "a refused login says why");
  const address = page.url();
  stream.destroy();
  bad.destroy();
  const topic = { op: "subscribe", args: ["spot/depth50:BTC_USDT"] };
  const public_ = await bot.socket([topic], sandbox.ready.spot.ws_public);
  await page.goto(`${origin}/console/traffic`);
  await page.click("text=/spot\\/api \\d+/ >> nth=0");
  const push = page.locator("#frames tr", { hasText: "binary" }).first();
  await push.waitFor();
  report(/"asks":\[\["\d/.test(await push.textContent()), "a compressed push is shown decompressed");
  await push.locator("a").click();
  const whole = JSON.parse(await page.textContent("main pre"));
  report(whole.data[0].asks.length > 10, "the page of a frame has all of it");
  const frame = page.url();
  public_.destroy();
  return [address, frame];
}

async function run(all) {
  const { page, origin } = all;
  await access(all);
  await forgery(all);
  await traffic(all);
  await load(all);
  await injection(all);
  await overview(all);
  await offline(all);
  await hiddenPage(all);
  await manyWindows(all);
  await keyboardFocus(all);
  const [socket, frame] = await sockets(all);
  await changes.accounts(all);
  await changes.faults(all);
  await changes.scenarios(all);
  await changes.markets(all);
  await changes.snapshots(all);
  await all.bot.order({ size: "999999999" });
  await page.goto(`${origin}/console/traffic?q=50020`);
  const request = await page.locator("#requests a").first().getAttribute("href");
  return [
    ["overview", "/console"],
    ["traffic", "/console/traffic"],
    ["request", request],
    ["socket", new URL(socket).pathname],
    ["frame", new URL(frame).pathname],
    ["faults", "/console/faults"],
    ["scenarios", "/console/scenarios"],
    ["accounts", "/console/accounts"],
    ["account", "/console/accounts/1"],
    ["markets", "/console/markets"],
    ["market", "/console/markets/BTCUSDT"],
    ["snapshots", "/console/snapshots?from=before+%3Cb%3Ethe%3C%2Fb%3E+order"],
    ["login", "/console/login"],
  ];
}

module.exports = { run };
