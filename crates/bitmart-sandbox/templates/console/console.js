// Live updates, filters and copies of the console. All pages work without this script. Text of clients is only ever
// inserted as text.
"use strict";

const MAX_ROWS = 400;
// Milliseconds between two changes of a table, however fast updates come.
const INTERVAL = 200;

function cell(row, text, name) {
  const element = document.createElement("td");
  element.textContent = text;
  if (name) element.className = name;
  row.append(element);
  return element;
}

function requestRow(record) {
  const row = document.createElement("tr");
  if (record.refused) row.className = "refused";
  cell(row, record.time, "time");
  cell(row, record.method);
  const link = document.createElement("a");
  link.href = `/console/traffic/${Number(record.number)}`;
  link.textContent = record.path;
  cell(row, "", "path").append(link);
  cell(row, record.status);
  cell(row, record.code);
  cell(row, record.millis, "n");
  cell(row, record.account, "extra");
  cell(row, record.why, "why");
  return row;
}

function frameRow(record) {
  const row = document.createElement("tr");
  if (record.refused) row.className = "refused";
  cell(row, record.time, "time");
  cell(row, record.from);
  cell(row, record.kind);
  cell(row, String(record.bytes), "n");
  const pre = document.createElement("pre");
  pre.className = "code";
  pre.textContent = record.text;
  if (record.long) pre.tabIndex = 0;
  cell(row, "", "frame").append(pre);
  return row;
}

function setUpFilter(body) {
  const search = document.getElementById("q");
  const refused = document.getElementById("refused");
  const empty = document.getElementById("empty");
  const fits = (row) =>
    row.textContent.toLowerCase().includes(search.value.trim().toLowerCase()) &&
    (!refused || !refused.checked || row.classList.contains("refused"));
  const apply = () => {
    let shown = 0;
    for (const row of body.rows) {
      row.hidden = !fits(row);
      if (!row.hidden) shown += 1;
    }
    if (empty) empty.hidden = shown > 0;
  };
  search.addEventListener("input", apply);
  if (refused) refused.addEventListener("change", apply);
  return apply;
}

// Keeps the focus, and moves it by the arrow keys from one request to the next.
function setUpKeys(body) {
  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    let row = event.target.closest("tr");
    if (!step || !row || event.target.tagName !== "A") return;
    do row = row[step];
    while (row && row.hidden);
    if (row) {
      row.querySelector("a").focus();
      event.preventDefault();
    }
  });
}

function setUpTable(table) {
  const make = table.id === "frames" ? frameRow : requestRow;
  const body = table.tBodies[0];
  const apply = setUpFilter(body);
  const pause = document.getElementById("pause");
  let isPaused = false;
  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Paused: continue" : "Pause";
  });
  setUpKeys(body);
  let waiting = [];
  const insert = () => {
    const records = waiting;
    waiting = [];
    if (isPaused) return;
    body.prepend(...records.map(make));
    while (body.rows.length > MAX_ROWS) body.lastElementChild.remove();
    apply();
  };
  return (records) => {
    if (isPaused) return;
    if (waiting.length === 0) setTimeout(insert, INTERVAL);
    waiting = records.concat(waiting).slice(0, MAX_ROWS);
  };
}

function setStats(stats) {
  for (const [name, text] of Object.entries(stats)) {
    for (const element of document.querySelectorAll(`[data-stat="${CSS.escape(name)}"]`)) {
      element.textContent = text;
    }
  }
}

// A hidden page needs no updates, and a browser opens few connections to one address.
function listen(element) {
  const address = new URL(element.dataset.events, location.href);
  const add = element.tagName === "TABLE" ? setUpTable(element) : null;
  let source = null;
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(address);
    source.addEventListener("rows", (event) => {
      const batch = JSON.parse(event.data);
      address.searchParams.set("after", batch.last);
      if (add) add(batch.rows);
      if (batch.stats) setStats(batch.stats);
    });
  };
  const close = () => {
    if (source) source.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  open();
}

function setUpCopies() {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    const text = document.getElementById(button.dataset.copy);
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(text);
        button.textContent = "Selected: press Ctrl+C";
      }
      setTimeout(() => (button.textContent = label), 2000);
    });
  }
}

for (const element of document.querySelectorAll("[data-events]")) listen(element);
setUpCopies();
