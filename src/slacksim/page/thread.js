// The right side: one thread.

import { Composer } from "./composer.js";
import { h, iconButton } from "./element.js";
import { Timeline } from "./timeline.js";

export class Thread {
  #view;
  #reveal = null;
  #shown = null;

  constructor(view) {
    this.#view = view;
    const { workspace, session } = view;
    this.where = h("p", { class: "channel-topic" });
    this.timeline = new Timeline({ ...view, inThread: true }, "Thread");
    this.composer = new Composer(view, { testid: "thread-composer", onSent: () => this.timeline.follow() });
    const head = h(
      "header",
      { class: "pane-head" },
      h("div", { class: "pane-title" }, h("h2", { class: "channel-title" }, "Thread"), this.where),
      iconButton("close", "Close thread", { "data-testid": "close-thread", onclick: () => session.closeThread() }),
    );
    this.node = h(
      "aside",
      { class: "thread", "data-testid": "thread-pane", "aria-label": "Thread", hidden: true },
      head,
      this.timeline.node,
      this.composer.node,
    );
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && session.closeThread());
    workspace.subscribe(["place"], () => this.#arrive());
    workspace.subscribe(["world", "me", "place", "messages", "status"], () => this.#draw());
  }

  #arrive() {
    const { workspace } = this.#view;
    const place = workspace.threadTs && `${workspace.channelId}/${workspace.threadTs}`;
    this.node.hidden = !place;
    this.#reveal = workspace.highlighted;
    if (place && place !== this.#shown) {
      this.timeline.follow();
      if (matchMedia("(hover: hover)").matches) this.composer.field.focus();
    }
    this.#shown = place;
  }

  #draw() {
    const { workspace } = this.#view;
    const { channelId, threadTs } = workspace;
    const channel = workspace.channel(channelId);
    if (!threadTs || !channel) return;
    const root = workspace.message(channelId, threadTs);
    const replies = workspace.replies(channelId, threadTs);
    const asides = workspace
      .asides(channelId)
      .filter((aside) => aside.thread_ts === threadTs)
      .map((aside) => ({ ...aside, isAside: true, user: workspace.bot.id }));
    const messages = [...(root ? [root] : []), ...[...replies, ...asides].sort((one, other) => one.ts - other.ts)];
    const count = `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`;
    this.where.textContent = `${["public", "private"].includes(channel.kind) ? "#" : ""}${workspace.channelName(channelId)}`;
    this.timeline.show(channelId, messages, (message) => (message === root && replies.length ? count : null));
    if (this.#reveal && this.timeline.reveal(this.#reveal)) this.#reveal = null;
    this.composer.aim({ channel: channelId, threadTs, placeholder: "Reply in thread" });
    const status = workspace.status(channelId, threadTs);
    this.composer.showStatus(status && `${workspace.userName(workspace.bot.id)} ${status}`);
  }
}
