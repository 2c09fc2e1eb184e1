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

// Rows wait while the list is paused, or was changed just before. Those that no longer fit are the oldest.
function setUpTable(table) {
  const make = table.id === "frames" ? frameRow : requestRow;
  const body = table.tBodies[0];
  const empty = document.getElementById("empty");
  const pause = document.getElementById("pause");
  let waiting = [];
  let isPaused = false;
  let timer = null;
  const insert = () => {
    timer = null;
    if (isPaused) return;
    body.prepend(...waiting.map((record) => make(record, table.dataset.link + Number(record.number))));
    waiting = [];
    while (body.rows.length > MAX_ROWS) body.lastElementChild.remove();
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
    insert();
    label();
  });
  setUpKeys(body);
  const add = (records) => {
    waiting = records.concat(waiting).slice(0, MAX_ROWS);
    if (isPaused) label();
    else if (!timer) timer = setTimeout(insert, INTERVAL);
  };
  // A new list, which is shown even during a pause.
  const replace = (records) => {
    const wasPaused = isPaused;
    [isPaused, waiting] = [false, records];
    body.replaceChildren();
    insert();
    isPaused = wasPaused;
    label();
  };
  return { add, replace };
}

function setStats(stats) {
  for (const [name, text] of Object.entries(stats)) {
    for (const element of document.querySelectorAll(`[data-stat="${CSS.escape(name)}"]`)) {
      element.textContent = text;
    }
  }
}

function setSockets(rows) {
  const table = document.getElementById("sockets");
  table.tBodies[0].replaceChildren(
    ...rows.map((socket) => {
      const row = document.createElement("tr");
      linkCell(row, socket.name, "", `/console/sockets/${Number(socket.number)}`);
      for (const text of [socket.opened, socket.state, socket.account]) cell(row, text);
      for (const count of [socket.frames_in, socket.frames_out]) cell(row, String(count), "n");
      return row;
    }),
  );
  table.parentElement.hidden = rows.length === 0;
  document.getElementById("no-sockets").hidden = rows.length > 0;
}

function setRefusals(rows) {
  const table = document.getElementById("refusals");
  table.tBodies[0].replaceChildren(
    ...rows.map(([code, times]) => {
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
    }),
  );
  table.hidden = rows.length === 0;
  document.getElementById("no-refusals").hidden = rows.length > 0;
}

// The filter of a list is applied by the sandbox, before it decides which rows are too many. Another filter begins
// another list. A hidden page needs no updates, and a browser opens few connections to one address.
function listen(element) {
  const address = new URL(element.dataset.events, location.href);
  const table = element.tagName === "TABLE" ? setUpTable(element) : null;
  const search = document.getElementById("q");
  const refused = document.getElementById("refused");
  const offline = document.getElementById("offline");
  let source = null;
  let isNew = false;
  const setFilter = () => {
    if (search) address.searchParams.set("q", search.value);
    if (refused && refused.checked) address.searchParams.set("refused", "1");
    else address.searchParams.delete("refused");
  };
  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(address);
    source.addEventListener("open", () => (offline.hidden = true));
    source.addEventListener("error", () => (offline.hidden = false));
    source.addEventListener("rows", (event) => {
      const batch = JSON.parse(event.data);
      address.searchParams.set("after", batch.last);
      if (table && isNew) table.replace(batch.rows);
      else if (table) table.add(batch.rows);
      isNew = false;
      if (batch.stats) setStats(batch.stats);
      if (batch.sockets) setSockets(batch.sockets);
      if (batch.refusals) setRefusals(batch.refusals);
    });
  };
  const close = () => {
    if (source) source.close();
    source = null;
  };
  let timer = null;
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      close();
      setFilter();
      address.searchParams.set("after", 0);
      isNew = true;
      open();
    }, INTERVAL);
  };
  if (table) {
    setFilter();
    search.addEventListener("input", restart);
    if (refused) refused.addEventListener("change", restart);
  }
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
