// Uses the console in a headless browser as its user would, while another program trades. Run by
// `cargo xtask test console` with the name of the browser, the program `bitmart`, a folder for screenshots and a Python
// with BitMart's SDK. Prints counts at the end.

const fs = require("fs");
const os = require("os");
const path = require("path");
const { execFileSync, spawn } = require("child_process");
const axe = require("axe-core");
const { launch } = require("./browser.js");
const { Bot } = require("./exchange.js");
const journeys = require("./journeys.js");

const [browserName, program, folder, python] = process.argv.slice(2);
const WIDTHS = [360, 800, 1600];
let passed = 0;
let failed = 0;

function report(good, what) {
  console.log(`${good ? "ok" : "FAIL"} ${what}`);
  if (good) passed += 1;
  else failed += 1;
}

async function until(what, check) {
  const end = Date.now() + 30000;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`timeout: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// Runs `bitmart sandbox up --open` in a home of its own. The browser that it opens is a script, which writes down the
// address.
async function startSandbox() {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), "bitmart-console-"));
  const opened = path.join(home, "opened");
  for (const name of ["xdg-open", "open"]) {
    fs.writeFileSync(path.join(home, name), `#!/bin/sh\nprintf '%s' "$1" > "${opened}.new"\nmv "${opened}.new" "${opened}"\n`);
    fs.chmodSync(path.join(home, name), 0o755);
  }
  const env = { ...process.env, HOME: home, PATH: `${home}${path.delimiter}${process.env.PATH}` };
  delete env.BITMART_ENVIRONMENT;
  const words = ["sandbox", "up", "--open", "--forget", "--no-limits"];
  const child = spawn(program, words, { env, stdio: ["ignore", "ignore", "inherit"] });
  const url = await until("the address of the console", () => fs.existsSync(opened) && fs.readFileSync(opened, "utf8"));
  const ready = JSON.parse(fs.readFileSync(path.join(home, ".bitmart", "sandbox", "ready.json"), "utf8"));
  const run = (...arguments_) => execFileSync(program, arguments_, { env, encoding: "utf8" });
  const shell = (script) => {
    const values = { ...env, PATH: `${path.dirname(program)}${path.delimiter}${env.PATH}` };
    return execFileSync("sh", ["-c", `eval "$(bitmart sandbox env)"\n${script}`], { env: values, encoding: "utf8" });
  };
  const stop = () => {
    child.kill();
    fs.rmSync(home, { recursive: true, force: true });
  };
  return { url, ready, home, run, shell, stop };
}

// Everything that a page says on its console, and every request to elsewhere.
function watch(context, origin, problems) {
  context.on("page", (page) => {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(`${page.url()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => problems.push(`${page.url()}: ${error}`));
    page.on("dialog", (dialog) => {
      problems.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== origin) problems.push(`a request to ${request.url()}`);
    });
  });
}

// Without the content security policy, which forbids the scripts of axe-core.
async function checkPages(browser, sandbox, pages) {
  for (const width of WIDTHS) {
    for (const colorScheme of ["light", "dark"]) {
      const viewport = { width, height: 900 };
      const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
      const page = await context.newPage();
      await page.goto(sandbox.run("sandbox", "console", "--print").trim());
      for (const [name, address] of pages) {
        await page.goto(new URL(address, sandbox.url).href, { waitUntil: "load" });
        const where = `${name}, ${width} pixels, ${colorScheme}`;
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        report(wide <= width, `${where}: it is ${wide} wide`);
        await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate(() =>
          globalThis.axe.run(document, { resultTypes: ["violations"] }),
        );
        const lines = violations.map(
          (one) => `${one.impact} ${one.id} at ${one.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" | ")}`,
        );
        report(lines.length === 0, `${where}: axe-core ${axe.version} ${lines.join("; ")}`);
        if (colorScheme === "light" || width === 1600) {
          await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = false)));
          await page.screenshot({ path: path.join(folder, `${name}-${width}-${colorScheme}.png`) });
        }
      }
      await context.close();
    }
  }
}

// The first block of code in a language of docs/console.md.
function documented(language) {
  const page = fs.readFileSync(path.join(__dirname, "../../../docs/console.md"), "utf8");
  return page.split("```" + language + "\n")[1].split("```")[0];
}

// The pictures of docs/console.md, from a sandbox without the hostile requests of the test.
async function takePictures(browser) {
  const sandbox = await startSandbox();
  try {
    const context = await browser.newContext({ viewport: { width: 900, height: 620 }, colorScheme: "light" });
    const page = await context.newPage();
    await page.goto(sandbox.url);
    const own = new Bot(sandbox.ready);
    await own.order({ client_order_id: "first" });
    // What the page says: a bot in Python sends an order that is refused.
    const bot = documented("python");
    const output = sandbox.shell(`"${python}" - <<'END'\n${bot}END`);
    report(/50020/.test(output), `the documented bot is refused: ${output.trim().split("\n").pop()}`);
    const origin = new URL(sandbox.url).origin;
    const shoot = (name) => page.screenshot({ path: path.join(folder, `docs-${name}.png`) });
    await page.goto(`${origin}/console/traffic`);
    await shoot("traffic");
    await page.locator("#requests tr", { hasText: "50020" }).locator("a").click();
    await shoot("request");
    await context.close();
  } finally {
    sandbox.stop();
  }
}

async function main() {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const sandbox = await startSandbox();
  const browser = await launch(browserName);
  try {
    const origin = new URL(sandbox.url).origin;
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    context.setDefaultTimeout(20000);
    const problems = [];
    watch(context, origin, problems);
    const page = await context.newPage();
    const bot = new Bot(sandbox.ready);
    const pages = await journeys.run({ page, context, browser, sandbox, bot, origin, report, until, folder });
    report(problems.length === 0, `no error on the page and no request elsewhere ${problems.join("; ")}`);
    await checkPages(browser, sandbox, pages);
    await takePictures(browser);
  } finally {
    await browser.close();
    sandbox.stop();
  }
}

main()
  .catch((error) => report(false, error.stack || String(error)))
  .finally(() => {
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed > 0 ? 1 : 0;
  });
