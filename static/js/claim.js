// The claim page: video, timeline, evidence and form under one set of keys.
import { bindDecision } from "./decision.js";
import { bindKeys } from "./keys.js";
import { bindPlaces } from "./places.js";
import { playerOf } from "./player.js";
import { bindTimeline } from "./timeline.js";

const root = document.querySelector("[data-player]");
const player = playerOf(root);
const timeline = root.querySelector("[data-timeline]");
if (timeline) bindTimeline(timeline, player);

const walkEvidence = bindPlaces(root, player, (item) => history.replaceState(null, "", `#t=${item.dataset.seek}`));
// A redirect inherits the fragment of the page it leaves: the next claim must not open at this one's moment.
document.addEventListener("submit", () => history.replaceState(null, "", location.pathname + location.search));
const deepLink = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
if (deepLink) player.video.addEventListener("loadedmetadata", () => player.seek(Number(deepLink[1])), { once: true });

const decision = bindDecision(document.querySelector("[data-decision]"));
const submit = (id) => { decision.leave(); document.getElementById(id)?.requestSubmit(); };
bindKeys({
  "Ctrl+Enter": decision.saveAndNext,
  Space: player.toggle,
  ArrowLeft: () => player.jump(-1),
  ArrowRight: () => player.jump(1),
  "Shift+ArrowLeft": () => player.jump(-5),
  "Shift+ArrowRight": () => player.jump(5),
  ",": () => player.step(-1),
  ".": () => player.step(1),
  e: () => walkEvidence(1),
  "Shift+e": () => walkEvidence(-1),
  a: () => decision.choose("a"),
  r: () => decision.choose("r"),
  i: () => decision.choose("i"),
  w: () => decision.write(),
  1: () => decision.sentence(1),
  2: () => decision.sentence(2),
  3: () => decision.sentence(3),
  n: () => submit("skip-form"),
  q: () => document.querySelector("[data-key-queue]").click(),
});
