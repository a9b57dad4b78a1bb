// What htmx cannot do: start the components, move focus, light up a source, copy, print, and say
// when a connection was lost. The pages work without any of it.
import { createAll, Button, ErrorSummary } from "./vendor/nhsuk-frontend.min.js";

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");

function prepare() {
  const summary = document.querySelector("[data-module='nhsuk-error-summary']");
  if (summary && !summary.hasAttribute("data-nhsuk-error-summary-init")) createAll(ErrorSummary);
  for (const button of document.querySelectorAll("[data-copy], [data-print]")) button.hidden = false;
}

// ---------------------------------------------------------------- markers and their sources

function cardOf(marker) {
  return document.getElementById(`source-${marker.dataset.source}`);
}

function light(event, lit) {
  const marker = event.target.closest?.(".lamp-marker");
  if (marker) cardOf(marker)?.classList.toggle("lamp-card--lit", lit);
}

for (const name of ["focusin", "mouseover"]) document.addEventListener(name, (e) => light(e, true));
for (const name of ["focusout", "mouseout"]) document.addEventListener(name, (e) => light(e, false));

let cameFrom = null;

document.addEventListener("click", (event) => {
  const marker = event.target.closest("a.lamp-marker");
  const card = marker && cardOf(marker);
  if (!card) return;
  event.preventDefault();
  cameFrom = marker;
  const folded = card.closest("details");
  if (folded) folded.open = true;
  card.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !cameFrom) return;
  if (document.activeElement?.closest(".lamp-card")) cameFrom.focus();
  cameFrom = null;
});

// Enter asks; Shift+Enter makes a new line.
document.addEventListener("keydown", (event) => {
  if (event.target.id !== "question" || event.key !== "Enter" || event.shiftKey) return;
  if (event.isComposing) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

// ---------------------------------------------------------------- what stands beside a document

// Contents and versions have a column of their own where there is room for one.
if (matchMedia("(min-width: 1180px)").matches) {
  for (const fold of document.querySelectorAll("details[data-open-wide]")) fold.open = true;
  const here = document.querySelector(".lamp-contents [aria-current]");
  const contents = here?.closest("nav");
  if (contents) contents.scrollTop = here.offsetTop - contents.clientHeight / 2;
  const hit = document.querySelector(".lamp-hits [aria-current]");
  if (hit) hit.closest("details").open = true;
  if (hit) hit.closest("ol").scrollTop = hit.offsetTop - hit.closest("ol").offsetTop;
}

// ---------------------------------------------------------------- copy and print

document.addEventListener("click", async (event) => {
  if (event.target.closest("[data-print]")) window.print();
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.querySelector(button.dataset.copy).content.textContent;
  try {
    await navigator.clipboard.writeText(text);
    say("Copied with sources");
  } catch {
    say("The browser did not allow copying");
  }
});

function say(text) {
  const status = document.getElementById("ask-status");
  if (status) status.textContent = text;
}

// ---------------------------------------------------------------- a streamed answer

let running = null;

document.addEventListener("htmx:sse:before:connection", (event) => {
  running = event.detail.connection;
});

document.addEventListener("htmx:sse:close", (event) => {
  // A newer question has taken the place of this one, or everything was said.
  if (event.detail.connection !== running) return;
  running = null;
  if (event.detail.reason !== "message") showLost();
});

document.addEventListener("htmx:error", (event) => {
  if (event.target.id === "ask") showLost();
});

function showLost() {
  const answer = document.getElementById("answer");
  const lost = document.getElementById("connection-lost");
  if (!answer || !lost || document.getElementById("answer-interrupted")) return;
  answer.prepend(lost.content.cloneNode(true));
  answer.setAttribute("aria-busy", "false");
  say("The answer was cut short");
}

// htmx would push the address of an answer again with every message of its stream.
document.addEventListener("htmx:before:history:update", (event) => {
  if (event.detail.history.path === location.pathname) event.preventDefault();
});

// ---------------------------------------------------------------- before the session ends

// The server may end a session up to a minute before its time, so the warning comes two before.
const WARNING_S = 120;
const ending = document.getElementById("session-ending");
let warning = null;
let end = null;

function watchSession() {
  clearTimeout(warning);
  clearTimeout(end);
  ending.replaceChildren();
  const idle = Number(ending.dataset.idleS);
  warning = setTimeout(() => {
    ending.append(document.getElementById("session-ending-words").content.cloneNode(true));
  }, Math.max(1, idle - WARNING_S) * 1000);
  end = setTimeout(leave, (idle + 5) * 1000);
}

async function leave() {
  // Another page of this browser may have kept the session; looking does not keep it.
  const answer = await fetch("/account/alive", { redirect: "manual" });
  if (answer.ok) watchSession();
  else location.reload();
}

async function stay() {
  const answer = await fetch("/account/stay", { redirect: "manual" });
  if (answer.ok) watchSession();
  else location.reload();
}

if (ending) {
  document.addEventListener("htmx:before:request", (e) => e.target.id === "ask" && watchSession());
  document.addEventListener("click", (event) => event.target.closest("[data-stay]") && stay());
  watchSession();
}

// A page that the browser kept for its back button must not outlive its session.
addEventListener("pageshow", (event) => event.persisted && location.reload());

document.addEventListener("htmx:after:swap", prepare);
createAll(Button);
prepare();

// ---------------------------------------------------------------- files and folders that are dropped

const panel = document.querySelector("[data-drop]");

// A browser gives a folder at most a hundred entries at a time, and an empty list at its end.
async function entriesIn(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    found.push(...some);
  }
}

async function filesBelow(entry, most) {
  if (entry.name.startsWith(".") || entry.name.startsWith("~$")) return [];
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const files = [];
  for (const one of await entriesIn(entry)) {
    files.push(...(await filesBelow(one, most)));
    if (files.length > most) break;
  }
  return files;
}

async function filesDropped(transfer, most) {
  // Before the first wait: afterwards the browser has taken the items back.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const files = [];
  for (const entry of entries) files.push(...(await filesBelow(entry, most)));
  return files;
}

function choose(files, most) {
  const chosen = new DataTransfer();
  for (const file of files.slice(0, most)) chosen.items.add(file);
  panel.querySelector("#file").files = chosen.files;
  const count = chosen.files.length;
  const words = count === 1 ? "1 file is" : `${count} files are`;
  panel.querySelector("[data-drop-status]").textContent = files.length > most
    ? `The first ${words} chosen: drop the others once these are loaded.`
    : `${words} chosen. Press “Load files”.`;
}

if (panel) {
  panel.querySelector("[data-drop-words]").hidden = false;
  const most = Number(panel.dataset.maxFiles);
  panel.addEventListener("dragover", (event) => {
    event.preventDefault();
    panel.classList.add("lamp-panel--over");
  });
  panel.addEventListener("dragleave", () => panel.classList.remove("lamp-panel--over"));
  panel.addEventListener("drop", async (event) => {
    event.preventDefault();
    panel.classList.remove("lamp-panel--over");
    choose(await filesDropped(event.dataTransfer, most), most);
  });
}
