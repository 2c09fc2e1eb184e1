// Live updates, filters and copies of the console. All pages work without this script. Text of clients is only ever
// inserted as text.
"use strict";

const MAX_ROWS = 400;
// Milliseconds from the last change of a filter until it is applied.
const TYPING = 200;

function cell(row, text, name) {
  const element = document.createElement("td");
  element.textContent = text;
  if (name) element.className = name;
  row.append(element);
  return element;
}

function linkCell(row, text, name, address) {
  const link = document.createElement("a");
  link.href = address;
  link.textContent = text;
  cell(row, "", name).append(link);
}

function requestRow(record, address) {
  const row = document.createElement("tr");
  if (record.refused) row.className = "refused";
  cell(row, record.time, "time");
  cell(row, record.method);
  linkCell(row, record.path, "path", address);
  cell(row, record.status);
  cell(row, record.code);
  cell(row, record.millis, "n");
  cell(row, record.account, "extra");
  cell(row, record.why, "why");
  return row;
}

function frameRow(record, address) {
  const row = document.createElement("tr");
  if (record.refused) row.className = "refused";
  linkCell(row, record.time, "time", address);
  cell(row, record.from);
  cell(row, record.kind);
  cell(row, String(record.bytes), "n");
  const pre = document.createElement("pre");
  pre.className = "code";
  pre.textContent = record.text;
  if (record.long) pre.tabIndex = 0;
  const content = cell(row, "", "frame");
  content.append(pre);
  if (record.refused) {
    const why = document.createElement("p");
    why.textContent = record.why;
    content.append(why);
  }
  return row;
}

// Keeps the focus, and moves it by the arrow keys from one request to the next.
function setUpKeys(body) {
  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    let row = event.target.closest("tr");
    if (!step || !row || event.target.tagName !== "A") return;
    row = row[step];
    if (row) {
      row.querySelector("a").focus();
      event.preventDefault();
    }
  });
}

// Rows wait while the list is paused. Those that no longer fit are the oldest.
function setUpTable(table) {
  const make = table.id === "frames" ? frameRow : requestRow;
  const body = table.tBodies[0];
  const empty = document.getElementById("empty");
  const pause = document.getElementById("pause");
  let waiting = [];
  let isPaused = false;
  const insert = () => {
    body.prepend(...waiting.map((record) => make(record, table.dataset.link + Number(record.number))));
    waiting = [];
    keepFocus(body, () => {
      while (body.rows.length > MAX_ROWS) body.lastElementChild.remove();
    });
    if (empty) empty.hidden = body.rows.length > 0;
  };
  const label = () => {
    const more = waiting.length < MAX_ROWS ? waiting.length : `the latest ${MAX_ROWS}`;
    pause.textContent = isPaused ? `Paused: continue with ${more} more` : "Pause";
  };
  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    if (!isPaused) insert();
    label();
  });
  setUpKeys(body);
  const add = (records) => {
    waiting = records.concat(waiting).slice(0, MAX_ROWS);
    if (isPaused) label();
    else insert();
  };
  // A new list, which is shown even during a pause.
  const replace = (records) => {
    waiting = records;
    keepFocus(body, () => body.replaceChildren());
    insert();
    label();
  };
  return { add, replace, isPaused: () => isPaused };
}

// Changes a table. If the element with the focus is moved, it keeps the focus; if it is removed, the table gets it, so
// that the keyboard goes on from there.
function keepFocus(body, change) {
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  change();
  if (!focused || focused === document.activeElement) return;
  const next = focused.isConnected ? focused : body.closest("[tabindex]");
  next.focus({ preventScroll: true });
}

// Shows the items of a list whose rows are known by their links. Rows that stay are changed in place.
function setRows(body, items, make) {
  const address = (row) => row.querySelector("a").href;
  const old = new Map([...body.rows].map((row) => [address(row), row]));
  const rows = items.map((item) => {
    const fresh = make(item);
    const row = old.get(address(fresh));
    if (!row) return fresh;
    for (const [at, { textContent }] of [...fresh.cells].entries()) {
      if (row.cells[at].textContent !== textContent) row.cells[at].textContent = textContent;
    }
    return row;
  });
  keepFocus(body, () => {
    for (const row of old.values()) if (!rows.includes(row)) row.remove();
    for (const [at, row] of rows.entries()) {
      if (body.rows[at] !== row) body.insertBefore(row, body.rows[at] || null);
    }
  });
}

function setStats(stats) {
  for (const [name, text] of Object.entries(stats)) {
    for (const element of document.querySelectorAll(`[data-stat="${CSS.escape(name)}"]`)) {
      if (element.textContent !== text) element.textContent = text;
    }
  }
}

function setSockets(sockets) {
  const table = document.getElementById("sockets");
  setRows(table.tBodies[0], sockets, (socket) => {
    const row = document.createElement("tr");
    linkCell(row, socket.name, "", `/console/sockets/${Number(socket.number)}`);
    for (const text of [socket.opened, socket.state, socket.account]) cell(row, text);
    for (const count of [socket.frames_in, socket.frames_out]) cell(row, String(count), "n");
    return row;
  });
  table.parentElement.hidden = sockets.length === 0;
  document.getElementById("no-sockets").hidden = sockets.length > 0;
}

function setRefusals(refusals) {
  const table = document.getElementById("refusals");
  setRows(table.tBodies[0], refusals, ([code, times]) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    const link = document.createElement("a");
    link.href = `/console/traffic?q=${Number(code)}`;
    link.textContent = code;
    head.append(link);
    row.append(head);
    cell(row, String(times), "n");
    return row;
  });
  table.hidden = refusals.length === 0;
  document.getElementById("no-refusals").hidden = refusals.length > 0;
}

// Requests a second between two updates of the overview.
function rateMeter() {
  let before = null;
  return (stats) => {
    const now = { total: Number(stats.total), at: performance.now() };
    const rate = before && Math.round(((now.total - before.total) * 1000) / (now.at - before.at));
    before = now;
    return rate === null ? "–" : String(Math.max(rate, 0));
  };
}

// Requests what is new a few times a second, while the page is visible. A stream would be a connection for each page:
// a browser opens six to one address, and the next page would wait for ever. The filter of a list is applied by the
// sandbox, before it decides which rows are too many. Another filter begins another list.
function follow(element) {
  const address = new URL(element.dataset.updates, location.href);
  const table = element.tagName === "TABLE" ? setUpTable(element) : null;
  const search = document.getElementById("q");
  const refused = document.getElementById("refused");
  const offline = document.getElementById("offline");
  const unstored = document.getElementById("unstored");
  const ended = document.getElementById("ended");
  const rate = rateMeter();
  let run = null;
  const setFilter = () => {
    if (search) address.searchParams.set("q", search.value);
    if (refused && refused.checked) address.searchParams.set("refused", "1");
    else address.searchParams.delete("refused");
  };
  const show = (update) => {
    for (const [name, value] of [["after", update.last], ["skipped", update.skipped], ["version", update.version]]) {
      if (value !== undefined) address.searchParams.set(name, value);
    }
    if (table && address.searchParams.has("begin")) table.replace(update.rows);
    else if (table) table.add(update.rows);
    address.searchParams.delete("begin");
    if (update.stats.total !== undefined) update.stats.rate = rate(update.stats);
    setStats(update.stats);
    if (update.sockets) setSockets(update.sockets);
    if (update.refusals) setRefusals(update.refusals);
  };
  const poll = async (signal) => {
    let status = 0;
    try {
      const response = await fetch(address, { signal, redirect: "error" });
      status = response.status;
      const update = status === 200 ? await response.json() : null;
      if (signal.aborted) return;
      if (update) show(update);
    } catch (error) {
      if (signal.aborted) return;
      if (status === 200) console.error(error);
      status = 0;
    }
    unstored.hidden = status !== 503;
    offline.hidden = status === 503 || (status > 0 && status < 500);
    ended.hidden = status !== 401;
  };
  const stop = () => {
    if (run) run.abort();
    run = null;
  };
  const start = async () => {
    if (run || document.hidden) return;
    run = new AbortController();
    const { signal } = run;
    while (!signal.aborted) {
      await poll(signal);
      await new Promise((resolve) => setTimeout(resolve, Number(element.dataset.every)));
    }
  };
  const begin = () => {
    address.searchParams.set("after", 0);
    address.searchParams.set("begin", 1);
  };
  let timer = null;
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      stop();
      setFilter();
      begin();
      start();
    }, TYPING);
  };
  // While a page is hidden it requests nothing. Then it shows the rows that are kept, which may be more than an update
  // has. A paused list stays.
  const resume = () => {
    if (table && !run && !table.isPaused()) begin();
    start();
  };
  if (table) {
    setFilter();
    search.addEventListener("input", restart);
    if (refused) refused.addEventListener("change", restart);
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : resume()));
  addEventListener("pagehide", stop);
  addEventListener("pageshow", resume);
  start();
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

for (const element of document.querySelectorAll("[data-updates]")) follow(element);
setUpCopies();
