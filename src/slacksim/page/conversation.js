// The middle of the page: one channel or direct message.

import { avatar } from "./avatar.js";
import { Composer } from "./composer.js";
import { h, icon, iconButton } from "./element.js";
import { Home, Tabs } from "./home.js";
import { Timeline } from "./timeline.js";
import { Welcome } from "./welcome.js";

const isTopLevel = (message) =>
  !message.thread_ts || message.thread_ts === message.ts || message.subtype === "thread_broadcast";

export class Conversation {
  #view;
  #reveal = null;
  #shown = null;

  constructor(view, { onMenu, onInspect }) {
    const { workspace } = view;
    this.#view = view;
    this.title = h("h1", { class: "channel-title" });
    this.topic = h("p", { class: "channel-topic" });
    this.timeline = new Timeline({ ...view, inThread: false }, "Messages");
    this.composer = new Composer(view, { testid: "composer", onSent: () => this.#afterSent() });
    this.welcome = new Welcome(workspace, (text) => this.composer.write(text));
    const head = h(
      "header",
      { class: "pane-head" },
      iconButton("menu", "Channels and people", {
        class: "icon-button menu-button",
        "data-testid": "open-rail",
        onclick: onMenu,
      }),
      h("div", { class: "pane-title" }, this.title, this.topic),
      new Tabs(view).node,
      h(
        "button",
        {
          type: "button",
          class: "quiet-button inspector-toggle",
          "data-testid": "inspector-toggle",
          "aria-expanded": "false",
          onclick: onInspect,
        },
        icon("gauge"),
        h("span", {}, "Inspector"),
      ),
    );
    this.node = h(
      "main",
      { class: "conversation", "data-testid": "channel-pane" },
      head,
      new Home(view).node,
      this.timeline.node,
      this.welcome.node,
      this.composer.node,
    );
    workspace.subscribe(["place", "me"], () => this.#arrive());
    workspace.subscribe(["home"], () => this.node.classList.toggle("conversation-home", workspace.isAtHome));
    workspace.subscribe(["world", "me", "place", "messages", "status"], () => this.#draw());
  }

  #afterSent() {
    this.timeline.follow();
    if (!this.welcome.node.hidden) this.welcome.finish();
  }

  #arrive() {
    const { workspace } = this.#view;
    const place = `${workspace.me}/${workspace.channelId}`;
    if (place !== this.#shown) this.timeline.follow();
    this.#shown = place;
    this.#reveal = workspace.highlighted && { ts: workspace.highlighted, root: workspace.threadTs };
    if (matchMedia("(hover: hover)").matches && !workspace.threadTs) this.composer.field.focus();
  }

  #draw() {
    const { workspace } = this.#view;
    const channel = workspace.channel(workspace.channelId);
    if (!channel) return;
    const name = workspace.channelName(channel.id);
    this.#drawHead(channel, name);
    const asides = workspace
      .asides(channel.id)
      .filter((aside) => !aside.thread_ts)
      .map((aside) => ({ ...aside, isAside: true, user: workspace.bot.id }));
    const messages = [...workspace.messages(channel.id).filter(isTopLevel), ...asides].sort(
      (one, other) => one.ts - other.ts,
    );
    this.timeline.show(channel.id, messages);
    this.#tryReveal();
    this.welcome.draw(channel, messages);
    const isDirect = channel.kind === "im" || channel.kind === "mpim";
    this.timeline.empty.textContent = `Nothing was said ${isDirect ? "with" : "in"} ${name} yet.`;
    this.composer.aim({ channel: channel.id, placeholder: isDirect ? `Message ${name}` : `Message #${name}` });
    const status = workspace.status(channel.id, null);
    this.composer.showStatus(status && `${workspace.userName(workspace.bot.id)} ${status}`);
  }

  #drawHead(channel, name) {
    const { workspace } = this.#view;
    const other =
      channel.kind === "im" &&
      workspace.user(channel.members.find((member) => member !== workspace.me) ?? workspace.me);
    const mark = {
      public: () => icon("hash"),
      private: () => icon("lock"),
      mpim: () => icon("people"),
      im: () => avatar(other, "small"),
    }[channel.kind]();
    this.title.replaceChildren(mark, h("span", { class: "channel-name", "data-testid": "channel-title" }, name));
    const members = channel.kind === "im" ? other.title : `${channel.members.length} members`;
    this.topic.textContent = [channel.topic, members].filter(Boolean).join("  ·  ");
    document.title = `${channel.kind === "public" || channel.kind === "private" ? "#" : ""}${name} · ${workspace.world.team.name}`;
  }

  #tryReveal() {
    if (!this.#reveal) return;
    const { ts, root } = this.#reveal;
    if (this.timeline.reveal(ts) || (root && this.timeline.reveal(root, { mark: false }))) this.#reveal = null;
  }
}
