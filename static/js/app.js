// What every page needs: menus, messages, the list of keys, and polling that neither flickers nor wastes.
import { bindKeys, keysAreOn, switchKeys } from "./keys.js";

const MESSAGE_MS = 8000;

// On a phone the links are wider than the screen: show the one that people are at.
const links = document.querySelector(".topnav"), here = links?.querySelector("[aria-current]");
if (here) links.scrollLeft = here.offsetLeft - links.offsetLeft - (links.clientWidth - here.offsetWidth) / 2;

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    const inside = menu.contains(event.target);
    if (event.type === "keydown" ? event.key === "Escape" : !inside) {
      menu.open = false;
      if (event.type === "keydown" && inside) menu.querySelector("summary").focus();
    }
  }
}
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", closeMenus);

function settleMessage(toast) {
  toast.querySelector(".toast-close").addEventListener("click", () => toast.remove());
  if (toast.matches(".toast-error, .toast-warning")) return;
  let timer = setTimeout(() => toast.remove(), MESSAGE_MS);
  toast.addEventListener("pointerenter", () => clearTimeout(timer));
  toast.addEventListener("focusin", () => clearTimeout(timer));
  toast.addEventListener("pointerleave", () => { timer = setTimeout(() => toast.remove(), MESSAGE_MS); });
}
document.querySelectorAll(".toast").forEach(settleMessage);

const dialog = document.getElementById("shortcuts");
if (dialog) {
  const on = dialog.querySelector("#keys-on");
  on.checked = keysAreOn();
  on.addEventListener("change", () => switchKeys(on.checked));
  document.querySelectorAll('[data-open="shortcuts"]').forEach((b) => b.addEventListener("click", () => dialog.showModal()));
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  bindKeys({ "?": () => dialog.showModal() });
}

// The list carries the tag of what it shows; an unchanged list is answered with 304 and left as it is.
document.addEventListener("htmx:configRequest", (event) => {
  const tag = event.detail.elt.dataset.etag;
  if (tag) event.detail.headers["If-None-Match"] = tag;
});
document.addEventListener("htmx:beforeRequest", (event) => {
  const polls = event.detail.elt.getAttribute("hx-trigger")?.startsWith("every") && event.detail.requestConfig.verb === "get";
  if (polls && document.hidden) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 304) event.detail.shouldSwap = false;
});
