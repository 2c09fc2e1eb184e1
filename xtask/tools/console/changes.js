// What a user of the console changes: money, faults, prices, scenarios, and the state as a whole.

const ORDER = "/spot/v2/submit_order";

async function accounts({ page, bot, origin, report }) {
  await page.goto(`${origin}/console/accounts/1`);
  await page.selectOption("#fund-wallet", "funding");
  await page.fill("#fund-amount", "123.45");
  await page.click("text=Set the balance");
  const text = await page.textContent("main");
  report(text.includes("123.45"), "an account is funded");
  report((await page.locator("[role=status]").textContent()).includes("set balance"), "the result is reported");
  await page.click("text=Freeze the account");
  const frozen = await bot.order();
  report(JSON.parse(frozen.text).code === 53000, "a frozen account is rejected");
  await page.click("text=Unfreeze the account");
  report((await bot.order()).status === 200, "an unfrozen account orders again");
  await bot.order({ type: "market", price: undefined, size: undefined, notional: "100" });
  await page.reload();
  report((await page.textContent("#ledger")).includes("buy BTC_USDT"), "the ledger has the trade");
}

async function faults({ page, bot, origin, report }) {
  await page.goto(`${origin}/console/faults`);
  await page.selectOption("#inject-fault", "drop-after");
  await page.fill("#inject-on", ORDER);
  await page.fill("#inject-times", "1");
  await page.click("text=Inject the fault");
  report((await page.textContent("#active")).includes(ORDER), "a fault is in force");
  report((await bot.order()) === null, "the fault strikes: an order gets no response");
  await page.reload();
  report((await page.locator("#active").count()) === 0, "the fault is used up");
  await page.goto(`${origin}/console/traffic?refused=1`);
  const struck = page.locator("#requests tr", { hasText: "fault drop-after struck" });
  report((await struck.count()) === 1, "the traffic shows that the fault struck");
  await page.goto(`${origin}/console/faults`);
  await page.fill("#inject-on", "/no/such/path");
  await page.click("text=Inject the fault");
  report((await page.textContent("[role=status]")).includes("needs a REST path"), "a wrong target is explained");
}

async function scenarios({ page, sandbox, bot, origin, report, until }) {
  await page.goto(`${origin}/console/faults`);
  await page.click("text=Play Over the limit");
  await until("the preset", async () => {
    await page.reload();
    return (await page.textContent("main")).includes("maintenance");
  });
  report((await bot.order()).status === 429, "a preset is played");
  await page.click("text=Clear all faults");
  await page.goto(`${origin}/console/scenarios`);
  await page.fill("#text", 'name = "wrong"\n[[step]]\ncall = "rain"\n');
  await page.click("button:text-is('Play')");
  report((await page.textContent("[role=status]")).includes('no call "rain"'), "a mistake in a scenario is explained");
  report((await page.inputValue("#text")).includes('call = "rain"'), "the rejected text can be mended");
  await page.fill("#text", 'name = "a wait"\n[[step]]\ncall = "pause_market_makers"\npaused = true\nwait_ms = 86400000\n');
  await page.click("button:text-is('Play')");
  await page.click("text=Stop it");
  await until("the stop", async () => {
    await page.reload();
    return (await page.textContent("main")).includes("It ended early: it was stopped");
  });
  const file = `${sandbox.home}/scenario.toml`;
  const text = 'name = "a halt"\n[[step]]\ncall = "halt_market"\nsymbol = "ETH_USDT"\nhalted = true\nwait_ms = 300\n';
  require("fs").writeFileSync(file, text);
  sandbox.run("sandbox", "play", file);
  await page.goto(`${origin}/console/markets/ETH_USDT`);
  report((await page.textContent("main dl")).includes("halted"), "the program plays the same file");
  await page.click("text=Resume");
  report((await page.textContent("main dl")).includes("trading"), "the page resumes the market");
}

async function markets({ page, origin, report, until }) {
  await page.goto(`${origin}/console/markets`);
  report((await page.locator("#markets svg.spark").count()) === 30, "every market has its line of prices");
  await page.goto(`${origin}/console/markets/BTCUSDT?minutes=5`);
  report((await page.locator("svg.plot rect").count()) > 50, "a market has candles");
  report((await page.textContent("#brackets")).includes("100"), "a contract has leverage brackets");
  await page.click("summary:has-text('Set the brackets')");
  const rows = JSON.parse(await page.inputValue("#brackets-form-brackets"));
  rows[0].leverage -= 5;
  await page.fill("#brackets-form-brackets", JSON.stringify(rows));
  await page.click("button:text-is('Set the brackets')");
  const highest = await page.locator("#brackets tbody th").first().textContent();
  report(highest === String(rows[0].leverage), `the highest leverage of a contract is set to ${highest}`);
  await page.fill("#move-price", "70000");
  await page.click("text=Move the price");
  await until("the new price", async () => {
    await page.goto(`${origin}/console/markets/BTC_USDT`);
    const asks = await page.locator("#ladder tbody tr").first().textContent();
    return /^ask(69|70|71)\d{3}/.test(asks.replace(/\s/g, ""));
  });
  report(true, "the price moves, that of the pair as well");
}

async function snapshots({ page, bot, origin, report }) {
  await page.goto(`${origin}/console/snapshots`);
  await page.fill("#save-name", "before <b>the</b> order");
  await page.click("text=Save the state");
  const placed = JSON.parse((await bot.order({ client_order_id: "afterthesnapshot" })).text).data.order_id;
  await page.click("button:text-is('Compare')");
  report((await page.textContent("#orders")).includes(placed), "a comparison shows the new order");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("text=Download the current")]);
  const saved = JSON.parse(require("fs").readFileSync(await download.path(), "utf8"));
  report(saved.format >= 4, "the state can be downloaded");
  await page.click("text=/Go back to/");
  report((await page.textContent("[role=status]")).includes("go back"), "the exchange goes back");
  const query = await bot.send("POST", "/spot/v4/query/order", { orderId: placed });
  report(JSON.parse(query.text).code === 50005, "the order was never placed");
  report((await bot.order({ client_order_id: "afterthesnapshot" })).status === 200, "its id is free again");
  report((await page.locator("main b").count()) === 0, "markup in a name stays text");
}

module.exports = { accounts, faults, scenarios, markets, snapshots };
