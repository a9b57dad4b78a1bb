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

document.addEventListener("htmx:after:swap", prepare);
createAll(Button);
prepare();
