// Finds and starts the browser.

const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");

function findProgram(name) {
  const folders = (process.env.PATH || "").split(path.delimiter);
  const found = folders.map((one) => path.join(one, name)).find((one) => fs.existsSync(one));
  if (!found) throw new Error(`${name} is not on the path`);
  return found;
}

function launch(name) {
  const args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  return chromium.launch({ executablePath: findProgram(name), args });
}

module.exports = { launch };
