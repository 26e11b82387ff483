// Whom the person at the keyboard acts as.

import { avatar } from "./avatar.js";
import { h, icon } from "./element.js";

export class Switcher {
  #view;
  #onMove;

  constructor(view, onMove) {
    this.#view = view;
    this.#onMove = onMove;
    this.button = h("button", {
      type: "button",
      class: "switch",
      "aria-haspopup": "listbox",
      "aria-expanded": "false",
      "data-testid": "user-switch",
      onclick: () => this.#toggle(),
    });
    this.list = h("ul", { class: "switch-list", role: "listbox", "aria-label": "Act as", hidden: true });
    this.node = h("div", { class: "switcher" }, this.button, this.list);
    this.node.addEventListener("keydown", (event) => this.#onKey(event));
    this.node.addEventListener("focusout", (event) => !this.node.contains(event.relatedTarget) && this.#close());
    view.workspace.subscribe(["world", "me"], () => this.#draw());
  }

  #draw() {
    const { workspace } = this.#view;
    const me = workspace.user(workspace.me);
    this.button.replaceChildren(
      avatar(me),
      h(
        "span",
        { class: "switch-text" },
        h("span", { class: "switch-note" }, "Acting as"),
        h("span", { class: "switch-name", "data-testid": "acting-as" }, me.real_name || me.name),
        h("span", { class: "switch-note" }, me.title),
      ),
      icon("chevron"),
    );
    this.list.replaceChildren(
      ...workspace.world.users.filter((user) => !user.is_bot).map((user) => this.#option(user)),
    );
  }

  #option(user) {
    const isMe = user.id === this.#view.workspace.me;
    const onclick = () => {
      this.#close();
      this.button.focus();
      this.#view.session.actAs(user.id);
      this.#onMove();
    };
    return h(
      "li",
      { role: "presentation" },
      h(
        "button",
        {
          type: "button",
          role: "option",
          class: "switch-option",
          "aria-selected": String(isMe),
          "data-testid": `user-option-${user.name}`,
          onclick,
        },
        avatar(user, "small"),
        h(
          "span",
          { class: "switch-text" },
          h("span", { class: "switch-name" }, user.real_name || user.name),
          h("span", { class: "switch-note" }, user.is_guest ? `${user.title} · guest` : user.title),
        ),
        isMe ? icon("check") : null,
      ),
    );
  }

  #toggle() {
    if (!this.list.hidden) return this.#close();
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    return this.list.querySelector("[aria-selected=true]")?.focus();
  }

  #close() {
    this.list.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  #onKey(event) {
    if (this.list.hidden) return;
    if (event.key === "Escape") {
      this.#close();
      this.button.focus();
      event.stopPropagation();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const options = [...this.list.querySelectorAll("button")];
    options[(options.indexOf(document.activeElement) + step + options.length) % options.length].focus();
    event.preventDefault();
  }
}
