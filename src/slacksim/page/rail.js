// The left side: who acts, the channels and the direct messages that they see.

import { avatar } from "./avatar.js";
import { h, icon, iconButton } from "./element.js";
import { People } from "./people.js";
import { Switcher } from "./switcher.js";

const LISTED_PEOPLE = 12;

export class Rail {
  #view;
  #onMove;

  /** `onMove` is called when a person chose where to go. */
  constructor(view, onMove) {
    this.#view = view;
    this.#onMove = onMove;
    const { workspace } = view;
    this.people = new People(view, onMove);
    this.team = h("div", { class: "team" });
    this.channels = h("ul", { class: "rail-list" });
    this.directs = h("ul", { class: "rail-list" });
    this.state = h("p", { class: "stream-state", role: "status", "data-testid": "stream-state" });
    this.node = h(
      "nav",
      { class: "rail", "aria-label": "Workspace", "data-testid": "rail" },
      this.team,
      new Switcher(view, onMove).node,
      h(
        "div",
        { class: "rail-scroll" },
        h("h2", { class: "rail-heading" }, "Channels"),
        this.channels,
        h(
          "div",
          { class: "rail-heading-row" },
          h("h2", { class: "rail-heading" }, "Direct messages"),
          iconButton("plus", "New message", { "data-testid": "new-message", onclick: () => this.people.show() }),
        ),
        this.directs,
      ),
      this.state,
      this.people.node,
    );
    workspace.subscribe(["world", "me", "place", "unread", "stream"], () => this.#draw());
  }

  #draw() {
    const { workspace } = this.#view;
    const { team } = workspace.world;
    this.team.replaceChildren(
      h("span", { class: "emblem" }, icon("pediment")),
      h("div", {}, h("p", { class: "team-name" }, team.name), h("p", { class: "team-note" }, "Local workspace")),
    );
    const focused = document.activeElement?.dataset.testid;
    this.channels.replaceChildren(...this.#channelRows());
    this.directs.replaceChildren(...this.#groupRows(), ...this.#peopleRows());
    if (focused) this.node.querySelector(`.rail-list [data-testid="${CSS.escape(focused)}"]`)?.focus();
    this.state.classList.toggle("stream-lost", !workspace.connected);
    this.state.textContent = workspace.connected ? "Live" : "Reconnecting…";
  }

  #channelRows() {
    const named = this.#view.workspace.visibleChannels.filter((channel) =>
      ["public", "private"].includes(channel.kind),
    );
    return named.map((channel) => {
      const mark = icon(channel.kind === "private" ? "lock" : "hash");
      return this.#row({
        channelId: channel.id,
        label: channel.name,
        mark,
        testid: `channel-${channel.name}`,
        faded: channel.is_archived,
        go: () => this.#view.session.openChannel(channel.id),
      });
    });
  }

  #groupRows() {
    const { workspace, session } = this.#view;
    const groups = workspace.visibleChannels.filter((channel) => channel.kind === "mpim");
    return groups.map((channel) =>
      this.#row({
        channelId: channel.id,
        label: workspace.channelName(channel.id),
        mark: icon("people"),
        testid: `group-${channel.id}`,
        go: () => session.openChannel(channel.id),
      }),
    );
  }

  #peopleRows() {
    const { workspace, session } = this.#view;
    const others = workspace.world.users.filter((user) => user.id !== workspace.me);
    const few = others.length <= LISTED_PEOPLE;
    const listed = others.filter((user) => few || user.is_bot || workspace.directWith(user.id));
    listed.sort((one, other) => Number(other.is_bot) - Number(one.is_bot));
    return listed.map((user) =>
      this.#row({
        channelId: workspace.directWith(user.id)?.id,
        label: user.real_name || user.name,
        mark: avatar(user, "small"),
        testid: `dm-${user.name}`,
        isApp: user.is_bot,
        go: () => session.openDirect([user.id]),
      }),
    );
  }

  #row({ channelId, label, mark, testid, go, faded = false, isApp = false }) {
    const { workspace } = this.#view;
    const unread = channelId && workspace.unread.get(channelId);
    const isOpen = channelId && channelId === workspace.channelId;
    const classes = ["rail-row", unread && "rail-unread", faded && "rail-faded"].filter(Boolean).join(" ");
    const onclick = () => {
      go();
      this.#onMove();
    };
    return h(
      "li",
      {},
      h(
        "button",
        { type: "button", class: classes, "aria-current": isOpen ? "page" : null, "data-testid": testid, onclick },
        mark,
        h("span", { class: "rail-label" }, label),
        isApp ? h("span", { class: "badge" }, "APP") : null,
        unread &&
          h(
            "span",
            { class: unread.mentions ? "unread-count" : "unread-dot", "data-testid": "unread", "aria-label": "unread" },
            unread.mentions ? String(unread.mentions) : "",
          ),
      ),
    );
  }
}
