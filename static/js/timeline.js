// The drawn signals as a slider: press, drag or arrow keys seek; the line shows where the video is.

export function bindTimeline(element, player) {
  const duration = Number(element.dataset.duration);
  const head = element.querySelector("[data-head]");
  const drawing = element.querySelector("svg");

  player.onMove((seconds) => {
    const share = `${Math.min(seconds / duration, 1) * 100}%`;
    head.setAttribute("x1", share);
    head.setAttribute("x2", share);
    element.setAttribute("aria-valuenow", seconds.toFixed(1));
    element.setAttribute("aria-valuetext", `${seconds.toFixed(1)} of ${duration.toFixed(1)} seconds`);
  });

  function seekTo(event) {
    const box = drawing.getBoundingClientRect();
    player.seek(((event.clientX - box.left) / box.width) * duration);
  }
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    seekTo(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) seekTo(event);
  });
  element.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -5, PageUp: 5 }[event.key];
    if (event.key === "Home") player.seek(0);
    else if (event.key === "End") player.seek(duration);
    else if (by) player.jump(event.shiftKey ? by * 5 : by);
    else return;
    event.preventDefault();
  });
}
