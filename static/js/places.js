// Places in the film that a page names: pressed or walked through, they show their moment and stay marked.
export function bindPlaces(root, player, shown = () => {}) {
  const places = [...document.querySelectorAll("[data-seek]")];
  const show = (place) => {
    player.video.pause();
    player.seek(Number(place.dataset.seek));
    places.forEach((other) => other.removeAttribute("aria-current"));
    place.setAttribute("aria-current", "true");
    shown(place);
    root.scrollIntoView({ block: "nearest" });
  };
  places.forEach((place) => place.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, if a person wants one
    event.preventDefault();
    show(place);
  }));
  return function walk(by) {
    if (!places.length) return;
    const here = places.findIndex((place) => place.hasAttribute("aria-current"));
    show(places[here < 0 ? (by > 0 ? 0 : places.length - 1) : (here + by + places.length) % places.length]);
  };
}
