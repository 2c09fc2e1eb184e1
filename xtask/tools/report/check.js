// Opens every page of a folder in a headless browser, at two widths, light and dark. There must be no error, no
// request, nothing wider than the window, and no serious or critical finding of axe-core. Run by
// `cargo xtask test report` with the name of the browser and the folder. Prints counts at the end.

const fs = require("fs");
const path = require("path");
const { pathToFileURL } = require("url");
const axe = require("axe-core");
const { chromium } = require("playwright-core");

const [browserName, folder] = process.argv.slice(2);
const severe = new Set(["serious", "critical"]);
let passed = 0;
let failed = 0;

function report(good, what) {
  console.log(`${good ? "ok" : "FAIL"} ${what}`);
  if (good) passed += 1;
  else failed += 1;
}

function findProgram(name) {
  const folders = (process.env.PATH || "").split(path.delimiter);
  const found = folders.map((one) => path.join(one, name)).find((one) => fs.existsSync(one));
  if (!found) throw new Error(`${name} is not on the path`);
  return found;
}

// As a reader opens it, with its content security policy and without scripts.
async function checkLoading(browser, file, url) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  const messages = [];
  const requests = [];
  page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => messages.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(url, { waitUntil: "load" });
  await page.waitForLoadState("networkidle");
  report(messages.length === 0, `${file}: nothing on the console ${messages.join("; ")}`);
  const others = requests.filter((one) => one !== url);
  report(others.length === 0, `${file}: no request ${others.join(" ")}`);
  await context.close();
}

// Without the content security policy, which forbids the scripts of axe-core.
async function checkLayout(browser, file, url, width, colorScheme) {
  const viewport = { width, height: 900 };
  const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
  const page = await context.newPage();
  await page.goto(url, { waitUntil: "load" });
  const where = `${file}, ${width} pixels, ${colorScheme}`;
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  report(wide <= width, `${where}: it is ${wide} wide`);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const one of violations) {
    const at = one.nodes.slice(0, 3).map((node) => node.target.join(" ")).join(" | ");
    const line = `${where}: axe ${one.impact} ${one.id}: ${one.help} at ${at} (${one.nodes.length})`;
    if (severe.has(one.impact)) report(false, line);
    else console.log(`note ${line}`);
  }
  report(!violations.some((one) => severe.has(one.impact)), `${where}: axe-core ${axe.version}`);
  await context.close();
}

async function main() {
  const files = fs.readdirSync(folder).filter((name) => name.endsWith(".html")).sort();
  report(files.length > 0, `there are pages in ${folder}`);
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  const browser = await chromium.launch({ executablePath: findProgram(browserName), args });
  try {
    for (const file of files) {
      const url = pathToFileURL(path.join(folder, file)).href;
      await checkLoading(browser, file, url);
      for (const width of [360, 1400]) {
        for (const colorScheme of ["light", "dark"]) {
          await checkLayout(browser, file, url, width, colorScheme);
        }
      }
    }
  } finally {
    await browser.close();
  }
}

main()
  .catch((error) => report(false, String(error)))
  .finally(() => {
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed > 0 ? 1 : 0;
  });
