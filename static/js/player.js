// The video: seeking, picture steps by real timestamps, speed, clock. The timeline and the evidence move it.

const DEFAULT_PICTURE = 1 / 30;

export function playerOf(root) {
  const video = root.querySelector("video");
  const clock = root.querySelector("[data-clock]");
  let picture = { at: 0, lasts: DEFAULT_PICTURE };

  function watchPictures(_now, shown) {
    const apart = shown.mediaTime - picture.at;
    // Playing shows how long pictures last; a jump over more than a fifth of a second is a seek, not a picture.
    if (!video.paused && apart > 0.001 && apart < 0.2) picture.lasts = apart;
    picture.at = shown.mediaTime;
    video.requestVideoFrameCallback(watchPictures);
  }
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(watchPictures);

  const player = {
    video,
    seek(seconds) {
      const end = Number.isFinite(video.duration) ? video.duration : Infinity;
      video.currentTime = Math.min(Math.max(seconds, 0), end);
    },
    jump(by) { player.seek(video.currentTime + by); },
    toggle() {
      if (video.paused) video.play().catch(() => { /* the browser refused or the file is gone; its own controls say so */ });
      else video.pause();
    },
    step(by) {
      video.pause();
      player.seek(video.currentTime + by * picture.lasts);
    },
    onMove(listener) {
      const tell = () => listener(video.currentTime);
      for (const name of ["timeupdate", "seeking", "seeked", "loadedmetadata"]) video.addEventListener(name, tell);
      const follow = () => { tell(); if (!video.paused) requestAnimationFrame(follow); };
      video.addEventListener("play", () => requestAnimationFrame(follow));
    },
  };

  player.onMove((seconds) => {
    const hundredths = Math.round(seconds * 100);
    const rest = String(Math.floor((hundredths % 6000) / 100)).padStart(2, "0");
    clock.textContent = `${Math.floor(hundredths / 6000)}:${rest}.${String(hundredths % 100).padStart(2, "0")}`;
  });
  for (const name of ["play", "pause", "ended"]) {
    video.addEventListener(name, () => root.classList.toggle("is-playing", !video.paused));
  }
  // With the keys, the buttons and the timeline at work, the browser's own controls would only cover the picture.
  if (root.querySelector("[data-timeline]")) {
    video.controls = false;
    video.addEventListener("click", () => player.toggle());
  }
  video.addEventListener("volumechange", () => root.classList.toggle("is-muted", video.muted));
  const wholeScreen = () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen());
  const mute = () => { video.muted = !video.muted; };
  const does = { mute, fullscreen: wholeScreen, play: player.toggle, step: () => player.step(1), "step-back": () => player.step(-1) };
  root.querySelectorAll("[data-do]").forEach((b) => b.addEventListener("click", () => does[b.dataset.do]()));
  const speed = root.querySelector("[data-speed]");
  speed.addEventListener("change", () => { video.playbackRate = Number(speed.value); });
  return player;
}
