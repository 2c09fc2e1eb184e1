// Follows the traffic in a headless browser while another program sends requests, and uses the page meanwhile. Run by
// `cargo xtask load --page` with the name of the browser and an address that opens the console. Prints `ready`, and
// when its input ends a line of JSON: milliseconds, and the browser's processor time in seconds.

const { launch } = require("./browser.js");

const [browserName, url] = process.argv.slice(2);
// Of the requests of the load, one of a hundred is refused with this code.
const REFUSED = "50020";

// Types a filter. Returns the milliseconds until all rows fit it.
function filter(page, text) {
  return page.evaluate(async (text) => {
    const begun = performance.now();
    const input = document.getElementById("q");
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    const rows = () => [...document.querySelectorAll("#requests tbody tr")];
    const fits = (all) => all.length > 0 && all.every((row) => row.textContent.includes(text));
    // Without a filter most rows are accepted.
    while (!(text ? fits(rows()) : rows().some((row) => row.className !== "refused"))) {
      if (performance.now() - begun > 30000) throw new Error(`no rows with "${text}"`);
      await new Promise(requestAnimationFrame);
    }
    return performance.now() - begun;
  }, text);
}

// Clicks the newest request. Returns the milliseconds until its page is there, and returns to the list.
async function click(page) {
  const begun = performance.now();
  const list = page.url();
  await Promise.all([
    page.waitForURL(/traffic\/\d+$/),
    page.evaluate(() => document.querySelector("#requests tbody a").click()),
  ]);
  await page.getByText("Response body").first().waitFor();
  const time = performance.now() - begun;
  await page.goto(list);
  return time;
}

// Follows for two seconds. Returns the longest time between two pictures, and how old the newest row is.
function watch(page) {
  return page.evaluate(async () => {
    const begun = performance.now();
    let [last, gap] = [begun, 0];
    while (last - begun < 2000) {
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      [last, gap] = [now, Math.max(gap, now - last)];
    }
    const time = document.querySelector("#requests tbody .time").textContent;
    const day = new Date().toISOString().slice(0, 10);
    return { gap, age: Date.now() - Date.parse(`${day}T${time}Z`) };
  });
}

async function processorTime(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  return processInfo.reduce((sum, one) => sum + one.cpuTime, 0);
}

async function main() {
  const browser = await launch(browserName);
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(url);
    await page.goto(new URL("/console/traffic", url).href);
    let isEnded = false;
    process.stdin.on("end", () => (isEnded = true)).resume();
    console.log("ready");
    const before = await processorTime(browser);
    const result = { filter: [], click: [], gap: [], age: [] };
    do {
      const { gap, age } = await watch(page);
      result.gap.push(gap);
      result.age.push(age);
      result.filter.push(await filter(page, REFUSED));
      result.click.push(await click(page));
      result.filter.push(await filter(page, ""));
    } while (!isEnded);
    result.processor = (await processorTime(browser)) - before;
    console.log(JSON.stringify(result));
  } finally {
    await browser.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
