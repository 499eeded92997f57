// The page of blind labels: the film, the places to look at and the choice under one set of keys.
import { bindKeys } from "./keys.js";
import { bindPlaces } from "./places.js";
import { playerOf } from "./player.js";

const root = document.querySelector("[data-player]");
const player = playerOf(root);
const form = document.getElementById("label-form");

const walk = bindPlaces(root, player);
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
