// The page of blind labels: the film, the places to look at and the choice under one set of keys.
import { bindKeys } from "./keys.js";
import { playerOf } from "./player.js";

const root = document.querySelector("[data-player]");
const player = playerOf(root);
const form = document.getElementById("label-form");

const places = [...document.querySelectorAll("[data-seek]")];
function show(place) {
  player.seek(Number(place.dataset.seek));
  places.forEach((other) => other.removeAttribute("aria-current"));
  place.setAttribute("aria-current", "true");
  root.scrollIntoView({ block: "nearest" });
}
places.forEach((place) => place.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, if a person wants one
  event.preventDefault();
  show(place);
}));
function walk(by) {
  if (!places.length) return;
  const here = places.findIndex((place) => place.hasAttribute("aria-current"));
  show(places[here < 0 ? (by > 0 ? 0 : places.length - 1) : (here + by + places.length) % places.length]);
}
function choose(key) {
  const choice = form.querySelector(`[data-key="${key}"]`);
  choice.checked = true;
  choice.focus();
}

bindKeys({
  "Ctrl+Enter": () => form.requestSubmit(),
  Space: player.toggle,
  ArrowLeft: () => player.jump(-1),
  ArrowRight: () => player.jump(1),
  "Shift+ArrowLeft": () => player.jump(-5),
  "Shift+ArrowRight": () => player.jump(5),
  ",": () => player.step(-1),
  ".": () => player.step(1),
  e: () => walk(1),
  "Shift+e": () => walk(-1),
  ...Object.fromEntries(["0", "1", "2", "3", "4"].map((key) => [key, () => choose(key)])),
});
