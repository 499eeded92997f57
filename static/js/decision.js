// The form: what differs from the AI asks for its reason, ready sentences, nothing sent twice, nothing lost by a slip.

export function bindDecision(form) {
  const fields = [...form.querySelectorAll("[data-field]")];
  const override = form.querySelector("[data-override]");
  const reasoning = form.elements.namedItem("reasoning");
  const marker = form.querySelector("[data-fault-you]");
  let touched = false;
  let sent = false;

  function valueOf(field) {
    if (field.dataset.field === "fault") return field.querySelector("input").value;
    return field.querySelector("input:checked")?.value ?? "";
  }
  function differs(field) {
    const mine = valueOf(field);
    const theirs = field.dataset.suggested;
    if (mine === "") return false;
    return field.dataset.field === "fault" ? Math.abs(Number(mine) - Number(theirs)) >= 0.05 : mine !== theirs;
  }
  function mark() {
    if (!override) return; // nothing to decide here
    let any = false;
    for (const field of fields) {
      const different = differs(field);
      any ||= different;
      field.classList.toggle("is-different", different);
      field.querySelector(".differs").hidden = !different;
      if (field.dataset.field === "fault" && marker) {
        marker.setAttribute("visibility", different ? "visible" : "hidden");
        const track = marker.ownerSVGElement.getBoundingClientRect().width;
        const share = Math.min(Math.max(Number(valueOf(field)), 0), 100) / 100;
        marker.setAttribute("transform", `translate(${share * track} 0)`);
      }
    }
    const text = override.querySelector("textarea");
    override.hidden = !any && text.value === "" && text.getAttribute("aria-invalid") !== "true";
    text.required = any;
  }
  function offerSentences() {
    const box = form.querySelector("[data-snippets]");
    const outcome = form.elements.namedItem("decision")?.value;
    if (!box) return;
    box.hidden = !outcome;
    box.querySelectorAll("[data-for]").forEach((b) => { b.hidden = b.dataset.for !== outcome; });
  }
  function insert(text) {
    reasoning.value = reasoning.value.trim() ? `${reasoning.value.trim()} ${text}` : text;
    reasoning.dispatchEvent(new Event("input", { bubbles: true }));
  }

  form.addEventListener("input", () => { touched = true; mark(); });
  form.addEventListener("change", () => { touched = true; mark(); offerSentences(); });
  form.addEventListener("submit", (event) => {
    if (sent) { event.preventDefault(); return; }
    sent = true;
    form.querySelectorAll('[type="submit"]').forEach((b) => b.setAttribute("aria-disabled", "true"));
  });
  form.querySelectorAll(".snippet").forEach((b) => b.addEventListener("click", () => insert(b.dataset.text)));
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    sent = false; // back from the next page: the form is alive again
    form.querySelectorAll("[aria-disabled]").forEach((b) => b.removeAttribute("aria-disabled"));
  });
  addEventListener("beforeunload", (event) => {
    if (touched && !sent && reasoning?.value.trim()) event.preventDefault();
  });
  addEventListener("resize", mark);
  mark();
  offerSentences();
  (document.getElementById("conflict") ?? form.querySelector('[aria-invalid="true"], .errorlist ~ input'))?.focus();

  return {
    choose(key) {
      const radio = form.querySelector(`[data-key="${key}"]`);
      if (!radio) return;
      radio.checked = true;
      radio.focus();
      radio.dispatchEvent(new Event("change", { bubbles: true }));
    },
    sentence(digit) {
      const outcome = form.elements.namedItem("decision")?.value;
      const found = form.querySelector(`[data-for="${outcome}"][data-digit="${digit}"]`);
      if (found) insert(found.dataset.text);
    },
    write() { reasoning?.focus(); },
    leave() { touched = false; },
    saveAndNext() {
      const button = form.querySelector("[data-save-next]");
      if (button) form.requestSubmit(button);
    },
  };
}
