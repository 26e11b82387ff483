// What can be done with a message. There is one toolbar a list; it moves to the message under the pointer or in focus.

import { h, iconButton } from "./element.js";
import { emoji, REACTIONS } from "./render/emoji.js";

export class Toolbar {
  #view;
  #startEdit;
  #attached = null;

  constructor(view, startEdit) {
    this.#view = view;
    this.#startEdit = startEdit;
    this.node = h("div", { class: "toolbar", role: "toolbar", "aria-label": "Message actions" });
  }

  /** Puts the toolbar on a message's node, with the actions that the acting person has there. */
  attach(node, message, channelId) {
    if (this.#attached === message && this.node.parentNode === node) return;
    this.#attached = message;
    this.node.replaceChildren(...this.#buttons(message, channelId));
    node.append(this.node);
  }

  #buttons(message, channelId) {
    const { session, workspace, inThread } = this.#view;
    const own = message.user === workspace.me;
    const buttons = [
      iconButton("smile", "Add a reaction", {
        "data-testid": "add-reaction",
        "aria-haspopup": "true",
        onclick: () => this.#offerReactions(message, channelId),
      }),
    ];
    if (!inThread)
      buttons.push(
        iconButton("reply", "Reply in thread", {
          "data-testid": "reply-in-thread",
          onclick: () => session.openThread(message.thread_ts ?? message.ts),
        }),
      );
    if (own && !message.subtype) {
      buttons.push(
        iconButton("pencil", "Edit message", { "data-testid": "edit-message", onclick: () => this.#edit(message) }),
      );
      buttons.push(
        iconButton("trash", "Delete message", {
          "data-testid": "delete-message",
          onclick: () => this.#confirmDelete(message, channelId),
        }),
      );
    }
    return buttons;
  }

  #edit(message) {
    this.node.remove();
    this.#startEdit(message);
  }

  #offerReactions(message, channelId) {
    const faces = REACTIONS.map((name) =>
      h(
        "button",
        {
          type: "button",
          class: "icon-button",
          "aria-label": `React with ${name}`,
          title: `:${name}:`,
          "data-testid": `react-${name}`,
          onclick: () => this.#react(message, channelId, name),
        },
        emoji(name),
      ),
    );
    this.#replace(faces);
  }

  #react(message, channelId, name) {
    this.#detach();
    this.#view.session.react(channelId, message, name);
  }

  #confirmDelete(message, channelId) {
    this.#replace([
      h("span", { class: "toolbar-question" }, "Delete this message?"),
      h("button", { type: "button", class: "quiet-button", onclick: () => this.#detach() }, "Keep"),
      h(
        "button",
        {
          type: "button",
          class: "danger-button",
          "data-testid": "confirm-delete",
          onclick: () => this.#view.session.remove(channelId, message.ts),
        },
        "Delete",
      ),
    ]);
  }

  #replace(children) {
    this.node.replaceChildren(...children);
    children.find((child) => child.tagName === "BUTTON")?.focus();
  }

  #detach() {
    this.#attached = null;
    this.node.remove();
  }
}
