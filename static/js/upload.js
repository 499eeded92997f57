// Sends the form with a progress bar; without this script the form works as any other.

const MB = 1_000_000;

function bindUpload(form) {
  const box = form.querySelector("[data-progress]");
  const bar = box.querySelector("progress");
  const words = box.querySelector("[data-progress-words]");
  const file = form.querySelector('input[type="file"]');
  const drop = form.querySelector("[data-drop]");
  const button = form.querySelector('[type="submit"]');

  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.toggle("is-over", name === "dragover");
    });
  }
  drop.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length) file.files = event.dataTransfer.files;
  });

  function settle(said) {
    button.disabled = false;
    words.textContent = said;
    bar.hidden = true;
  }
  function answered(request) {
    if (request.responseURL && new URL(request.responseURL).pathname !== location.pathname) {
      location.assign(request.responseURL);
      return;
    }
    const fresh = new DOMParser().parseFromString(request.responseText, "text/html").getElementById("claim-form");
    if (!fresh) { settle("The server gave no usable answer. Try again."); return; }
    // The chosen file stays: only what the server says about the fields is taken over.
    const kept = file;
    const slot = fresh.querySelector('input[type="file"]');
    slot.replaceWith(kept);
    form.replaceWith(fresh);
    bindUpload(fresh);
    fresh.querySelector('[role="alert"]')?.scrollIntoView({ block: "center" });
    (fresh.querySelector('[aria-invalid="true"]') ?? kept).focus({ preventScroll: true });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    box.hidden = false;
    bar.hidden = false;
    button.disabled = true;
    words.textContent = "Sending…";
    request.upload.addEventListener("progress", (sent) => {
      if (!sent.lengthComputable) return;
      bar.value = (sent.loaded / sent.total) * 100;
      const done = sent.loaded === sent.total;
      words.textContent = done ? "Sent. The file is being checked…" : `${(sent.loaded / MB).toFixed(1)} of ${(sent.total / MB).toFixed(1)} MB sent`;
    });
    request.addEventListener("load", () => answered(request));
    request.addEventListener("error", () => settle("The connection broke. Nothing was handed in; try again."));
    request.open("POST", location.pathname);
    request.send(new FormData(form));
  });
}

bindUpload(document.querySelector("[data-upload]"));
