// The dialog that starts a direct message with one person or a few.

import { avatar } from "./avatar.js";
import { h, iconButton } from "./element.js";

export class People {
  #view;
  #chosen = new Set();

  constructor(view, onMove) {
    this.#view = view;
    this.onMove = onMove;
    this.filter = h("input", {
      type: "search",
      class: "people-filter",
      placeholder: "Find a person",
      "aria-label": "Find a person",
      oninput: () => this.#draw(),
    });
    this.list = h("ul", { class: "people-list" });
    this.start = h(
      "button",
      { type: "button", class: "solid-button", "data-testid": "start-message", onclick: () => this.#open() },
      "Start",
    );
    this.node = h(
      "dialog",
      { class: "people", "aria-label": "New message" },
      h(
        "div",
        { class: "people-head" },
        h("h2", { class: "channel-title" }, "New message"),
        iconButton("close", "Close", { onclick: () => this.node.close() }),
      ),
      this.filter,
      this.list,
      h("div", { class: "editor-row" }, this.start),
    );
  }

  show() {
    this.#chosen.clear();
    this.filter.value = "";
    this.#draw();
    this.node.showModal();
  }

  #draw() {
    const { workspace } = this.#view;
    const query = this.filter.value.trim().toLowerCase();
    const others = workspace.world.users.filter(
      (user) => user.id !== workspace.me && `${user.real_name} ${user.name}`.toLowerCase().includes(query),
    );
    this.list.replaceChildren(...others.map((user) => this.#row(user)));
    this.start.disabled = this.#chosen.size === 0;
  }

  #row(user) {
    const box = h("input", {
      type: "checkbox",
      checked: this.#chosen.has(user.id),
      "data-testid": `person-${user.name}`,
    });
    box.addEventListener("change", () => {
      if (box.checked) this.#chosen.add(user.id);
      else this.#chosen.delete(user.id);
      this.start.disabled = this.#chosen.size === 0;
    });
    return h(
      "li",
      {},
      h(
        "label",
        { class: "people-row" },
        box,
        avatar(user, "small"),
        h("span", { class: "switch-name" }, user.real_name || user.name),
        h("span", { class: "switch-note" }, user.title),
      ),
    );
  }

  #open() {
    this.node.close();
    this.#view.session.openDirect([...this.#chosen]);
    this.onMove();
  }
}
