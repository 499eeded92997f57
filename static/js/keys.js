// Single-letter keys: off inside fields, during input of composed characters, with modifiers, and where a person
// switched them off (WCAG 2.1.4). Ctrl+Enter is no letter and stays.

const STORE = "claimwright-keys";
const WRITING = 'textarea, select, input:not([type="radio"]):not([type="checkbox"]):not([type="button"]), [contenteditable]';

export function keysAreOn() {
  try {
    return localStorage.getItem(STORE) !== "off";
  } catch {
    return true; // storage is closed in some private windows; the keys work all the same
  }
}

export function switchKeys(on) {
  try {
    localStorage.setItem(STORE, on ? "on" : "off");
  } catch {
    // the choice holds for this page only
  }
  document.documentElement.toggleAttribute("data-keys-off", !on);
}

function nameOf(event) {
  const key = event.key === " " ? "Space" : event.key;
  const shifted = event.shiftKey && (key.length > 1 || /^[a-z]$/i.test(key));
  return (shifted ? "Shift+" : "") + (key.length === 1 ? key.toLowerCase() : key);
}

function belongsToControl(event, name) {
  const target = event.target;
  if (target.matches("video")) return false;
  if (name.endsWith("Enter")) return target.closest("a, button, summary, input") !== null;
  if (name.endsWith("Space")) return target.closest("button, summary, input") !== null; // a link takes Enter alone
  if (name.includes("Arrow")) return target.closest('input[type="radio"], [role="slider"]') !== null;
  return false;
}

export function bindKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return;
    if (document.querySelector("dialog[open]")) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && actions["Ctrl+Enter"]) {
      event.preventDefault();
      actions["Ctrl+Enter"]();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !keysAreOn()) return;
    if (event.target.closest(WRITING)) return;
    const name = nameOf(event);
    const action = actions[name];
    if (!action || belongsToControl(event, name)) return;
    event.preventDefault();
    action(event);
  });
}
