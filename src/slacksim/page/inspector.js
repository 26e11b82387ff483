// The drawer that shows what the workspace and the app said to each other, and breaks it on request.

import { api } from "./api.js";
import { h, iconButton } from "./element.js";
import { toast } from "./toast.js";

const EVERY = 1500;
const SHOWN = 100;
const POST = "chat.postMessage";

const FAULTS = [
  {
    label: "Drop the next post’s response",
    note: "Posted, but the connection dies.",
    run: () => api.fault({ method: POST, mode: "drop_after", times: 1 }),
    testid: "fault-drop",
  },
  {
    label: "Answer the next post with 429",
    note: "Too many requests, with Retry-After.",
    run: () => api.fault({ method: POST, mode: "429", times: 1 }),
    testid: "fault-429",
  },
  {
    label: "Answer the next post with 500",
    note: "An internal error; nothing is posted.",
    run: () => api.fault({ method: POST, mode: "500", times: 1 }),
    testid: "fault-500",
  },
  {
    label: "Disconnect the app",
    note: "Closes its socket; it comes back.",
    run: () => api.disconnect("refresh_requested"),
    testid: "fault-disconnect",
  },
];

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

function timeOf(record) {
  const seconds = Number(record.time ?? record.at ?? record.ts);
  return Number.isFinite(seconds) ? clock.format(new Date(seconds * 1000)) : "";
}

const rest = (record, known) =>
  JSON.stringify(Object.fromEntries(Object.entries(record).filter(([name]) => !known.includes(name))), null, 2);

function row(record, { what, outcome, isBad, known }) {
  return h(
    "details",
    { class: "record" },
    h(
      "summary",
      {},
      h("span", { class: "record-time" }, timeOf(record)),
      h("span", { class: "record-what" }, what),
      h("span", { class: isBad ? "record-outcome record-bad" : "record-outcome" }, outcome),
    ),
    h("pre", { tabindex: "0" }, rest(record, known)),
  );
}

function callRow(record) {
  const error = record.error ?? record.response?.error;
  const outcome = [
    record.fault,
    error,
    record.status,
    record.ms !== undefined ? `${Math.round(record.ms)} ms` : null,
  ].filter((part) => part !== null && part !== undefined && part !== "");
  return row(record, {
    what: record.method,
    outcome: outcome.join(" · "),
    isBad: Boolean(error || record.fault || record.status >= 400),
    known: ["method"],
  });
}

function deliveryRow(record) {
  const attempts = record.attempts ?? [];
  const outcome = record.acked ? "acked" : (attempts.at(-1)?.outcome ?? "waiting").replaceAll("_", " ");
  const tries = attempts.length > 1 ? `${attempts.length} attempts · ` : "";
  const what = record.payload?.event?.type ?? record.payload?.type ?? record.type;
  return row(record, {
    what,
    outcome: tries + outcome,
    isBad: record.given_up || (!record.acked && outcome !== "sent" && outcome !== "waiting"),
    known: [],
  });
}

export class Inspector {
  #timer = null;
  #lines = new Map();

  constructor(workspace, onClose) {
    this.deliveries = h("div", { class: "records", "data-testid": "deliveries" });
    this.calls = h("div", { class: "records", "data-testid": "calls" });
    const column = (title, body) =>
      h("section", { class: "inspector-column" }, h("h3", { class: "rail-heading" }, title), body);
    this.node = h(
      "aside",
      { class: "inspector", "aria-label": "Inspector", "data-testid": "inspector", hidden: true },
      h(
        "header",
        { class: "pane-head" },
        h(
          "div",
          { class: "pane-title" },
          h("h2", { class: "channel-title" }, "Inspector"),
          h("p", { class: "channel-topic" }, "What the workspace and the app say to each other"),
        ),
        iconButton("close", "Close inspector", { onclick: onClose }),
      ),
      h(
        "div",
        { class: "inspector-columns" },
        column("Events delivered", this.deliveries),
        column("Web API calls", this.calls),
        column("Faults", this.#faults()),
      ),
    );
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && onClose());
    workspace.subscribe(["messages", "status"], () => this.#refresh());
  }

  toggle(isOpen) {
    this.node.hidden = !isOpen;
    clearInterval(this.#timer);
    if (!isOpen) return;
    this.#timer = setInterval(() => this.#refresh(), EVERY);
    this.#refresh();
  }

  #faults() {
    const buttons = FAULTS.map(({ label, note, run, testid }) =>
      h(
        "button",
        { type: "button", class: "fault", "data-testid": testid, onclick: () => this.#do(run, `${label}: set.`) },
        h("span", { class: "fault-label" }, label),
        h("span", { class: "switch-note" }, note),
      ),
    );
    const reset = h(
      "button",
      { type: "button", class: "fault fault-reset", "data-testid": "reset", onclick: () => this.#reset() },
      h("span", { class: "fault-label" }, "Start over"),
      h("span", { class: "switch-note" }, "The workspace as it was at the start."),
    );
    return h("div", { class: "faults" }, buttons, reset);
  }

  async #do(action, done) {
    try {
      await action();
      toast(done);
    } catch (error) {
      toast(error.message);
    }
  }

  async #reset() {
    if (!confirm("Put the workspace back as it was at the start? What was said since is gone.")) return;
    await this.#do(api.reset, "The workspace starts over.");
  }

  async #refresh() {
    if (this.node.hidden) return;
    const [calls, deliveries] = await Promise.allSettled([api.calls(SHOWN), api.deliveries(SHOWN)]);
    this.#show(this.calls, calls.value?.calls, callRow, "No call yet.");
    this.#show(this.deliveries, deliveries.value?.deliveries, deliveryRow, "No event yet.");
  }

  /** Redraws a list only when its records changed, so that an opened one stays open. */
  #show(node, records = [], build, empty) {
    const recent = records.slice(-SHOWN).reverse();
    const signature = JSON.stringify(recent);
    if (this.#lines.get(node) === signature) return;
    this.#lines.set(node, signature);
    node.replaceChildren(...(recent.length ? recent.map(build) : [h("p", { class: "records-empty" }, empty)]));
  }
}
