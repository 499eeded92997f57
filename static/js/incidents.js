// Incidents by keys: walk the list or the checklist, do or skip the chosen step, take the incident on.
import { bindKeys } from "./keys.js";

const rows = () => [...document.querySelectorAll("[data-row-link], [data-step]")];

function walk(by) {
  const found = rows();
  if (!found.length) return;
  const here = found.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (by > 0 ? 0 : found.length - 1) : Math.min(Math.max(here + by, 0), found.length - 1);
  found[next].focus();
  found[next].scrollIntoView({ block: "nearest" });
}

// The step that is chosen, else the first that can still be done.
function step() {
  const chosen = document.activeElement.closest("[data-step]");
  return chosen ?? document.querySelector("[data-step]:has([data-do])");
}

function doIt() {
  const button = step()?.querySelector("[data-do]");
  if (!button) return;
  const empty = [...button.form.querySelectorAll("input[required]")].find((field) => !field.value.trim());
  if (empty) empty.focus();
  else button.form.requestSubmit(button);
}

function skip() {
  const summary = step()?.querySelector("[data-skip]");
  if (!summary) return;
  summary.parentElement.open = true;
  summary.parentElement.querySelector('input[name="note"]').focus();
}

// After a step was done its place is kept, so that the keys go on from there.
document.querySelector("[data-step]:target")?.focus();

bindKeys({
  j: () => walk(1),
  k: () => walk(-1),
  x: doIt,
  s: skip,
  a: () => document.querySelector("[data-acknowledge]")?.click(),
  q: () => document.querySelector("[data-back]")?.click(),
});
