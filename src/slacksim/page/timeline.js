// A list of messages that keeps its nodes, follows its end, and carries one toolbar to the message in hand.

import { dayKeyOf, dayOf } from "./clock.js";
import { h } from "./element.js";
import { editor } from "./editor.js";
import { fill, isPending, shell } from "./message.js";
import { Toolbar } from "./toolbar.js";

const SAME_BREATH = 300;
const NEAR_END = 80;
const TALL = 0.75;

export class Timeline {
  #view;
  #list;
  #entries = new Map();
  #stuck = true;
  #editing = null;
  #grown = null;
  #toolbar;

  /** `view`: workspace, session, inThread; `label` names the list for screen readers. */
  constructor(view, label) {
    this.#view = view;
    this.#list = h("div", { class: "timeline-list" });
    this.empty = h("p", { class: "empty" });
    this.node = h(
      "div",
      { class: "timeline", role: "log", "aria-label": label, tabindex: "0" },
      this.empty,
      this.#list,
    );
    this.#toolbar = new Toolbar(view, (message) => this.#edit(message));
    this.node.addEventListener("scroll", () => (this.#stuck = this.#distance() < NEAR_END));
    this.node.addEventListener("pointerover", (event) => this.#handToolbar(event.target));
    this.node.addEventListener("focusin", (event) => this.#handToolbar(event.target));
    this.node.addEventListener("keydown", (event) => this.#step(event));
    new ResizeObserver(() => this.#stuck && this.#keepUp()).observe(this.#list);
  }

  /** Shows messages of a channel; a node stays with its ts. `footnote(message)` gives a divider after a message. */
  show(channelId, messages, footnote = () => null) {
    const items = this.#itemsOf(messages, footnote);
    const kept = new Set(items.map((item) => item.key));
    for (const [key, entry] of this.#entries) if (!kept.has(key)) this.#forget(key, entry);
    let place = this.#list.firstChild;
    this.empty.hidden = items.length > 0;
    for (const item of items) {
      const entry = this.#entries.get(item.key) ?? this.#admit(item);
      this.#refresh(entry, item, channelId);
      if (entry.node === place) place = place.nextSibling;
      else this.#list.insertBefore(entry.node, place);
    }
  }

  /** Goes to the newest message. */
  follow() {
    this.#stuck = true;
    this.#toEnd();
  }

  /** Scrolls to a message and marks it for a moment; false when it is not here. */
  reveal(ts, { mark = true } = {}) {
    const node = this.#entries.get(ts)?.node;
    if (!node) return false;
    this.#stuck = false;
    node.scrollIntoView({ block: "center" });
    this.node.querySelector(".message-highlight")?.classList.remove("message-highlight");
    if (mark) node.classList.add("message-highlight");
    return true;
  }

  #itemsOf(messages, footnote) {
    const items = [];
    let previous = null;
    for (const message of messages) {
      const newDay = !previous || dayKeyOf(previous.ts) !== dayKeyOf(message.ts);
      if (newDay && !this.#view.inThread)
        items.push({ key: `day-${dayKeyOf(message.ts)}`, divider: dayOf(message.ts) });
      items.push({ key: message.ts, message, follows: !newDay && this.#follows(message, previous) });
      const note = footnote(message);
      if (note) items.push({ key: "note", divider: note });
      previous = note ? null : message;
    }
    return items;
  }

  #follows(message, previous) {
    const plain = [message, previous].every(
      (each) => !each.subtype && !each.isAside && !isPending(each, this.#view.workspace),
    );
    return plain && !previous.reply_count && message.user === previous.user && message.ts - previous.ts < SAME_BREATH;
  }

  #admit({ key, message }) {
    const node = message
      ? shell(message, Boolean(message.isAside))
      : h("div", { class: "divider", role: "separator" }, h("span"));
    const entry = { node, drawn: null };
    this.#entries.set(key, entry);
    return entry;
  }

  #forget(key, { node }) {
    if (this.#editing === key) this.#editing = null;
    this.#entries.delete(key);
    node.remove();
  }

  #refresh(entry, { message, divider, follows }, channelId) {
    if (divider) {
      entry.node.firstChild.textContent = divider;
      return;
    }
    const view = { ...this.#view, channelId, follows, isAside: Boolean(message.isAside) };
    const inputs = this.#inputs(message, view);
    const isSame = entry.drawn?.every((input, index) => input === inputs[index]);
    if (isSame || this.#editing === message.ts) return;
    const isChange = entry.drawn !== null && entry.message.text !== message.text;
    Object.assign(entry, { drawn: inputs, message, channelId });
    fill(entry.node, message, view);
    if (!isChange) return;
    entry.node.classList.add("message-changed");
    this.#grown = entry.node;
  }

  /** All that a message's look depends on; by identity, so that a list of thousands is compared in no time. */
  #inputs(message, { workspace, channelId, follows }) {
    const replies = this.#view.inThread ? [] : workspace.replies(channelId, message.ts);
    const pressed = [...workspace.pressed].filter((key) => key.startsWith(message.ts)).join();
    return [
      message.isAside ? message.ts : message,
      follows,
      replies.map((reply) => reply.ts).join(),
      pressed,
      workspace.status(channelId, message.ts),
      workspace.me,
      workspace.world,
    ];
  }

  #edit(message) {
    const entry = this.#entries.get(message.ts);
    this.#editing = message.ts;
    const done = () => {
      this.#editing = null;
      entry.drawn = null;
      this.#view.workspace.emit("messages");
    };
    entry.node
      .querySelector(".prose")
      .replaceChildren(editor(message, { ...this.#view, channelId: entry.channelId }, done));
    entry.node.querySelector("textarea").focus();
  }

  #handToolbar(target) {
    const node = target.closest?.(".message");
    const entry = node && this.#entries.get(node.dataset.ts);
    if (entry && !entry.message.isAside && this.#editing !== entry.message.ts)
      this.#toolbar.attach(node, entry.message, entry.channelId);
  }

  #step(event) {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    if (event.target.closest("textarea, input, .table-frame, pre")) return;
    const nodes = [...this.#list.querySelectorAll(".message")];
    const at = nodes.indexOf(event.target.closest(".message"));
    const next = at < 0 ? nodes.at(-1) : nodes[at + (event.key === "ArrowUp" ? -1 : 1)];
    next?.focus();
    event.preventDefault();
  }

  #distance() {
    return this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight;
  }

  /** Follows the end; an answer that grew taller than the view is shown from its beginning instead. */
  #keepUp() {
    const grown = this.#grown;
    this.#grown = null;
    if (!grown || grown.offsetHeight < this.node.clientHeight * TALL) return this.#toEnd();
    this.#stuck = false;
    return grown.scrollIntoView({ block: "start" });
  }

  #toEnd() {
    this.node.scrollTop = this.node.scrollHeight;
  }
}
