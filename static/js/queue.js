// Walking the queue by keys. The focused link is the chosen row, so nothing is lost when the list refreshes.
import { bindKeys } from "./keys.js";

function step(by) {
  const links = [...document.querySelectorAll("[data-row-link]")];
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  const next = here < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(here + by, 0), links.length - 1);
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
}

bindKeys({
  j: () => step(1),
  k: () => step(-1),
  n: () => document.getElementById("take-next").requestSubmit(),
});
