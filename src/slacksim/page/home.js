// The app's Home tab, which stands in place of the messages of the direct message with it.

import { h } from "./element.js";
import { shown } from "./render/blocks.js";

/** The two tabs of the direct message with the app; hidden everywhere else. */
export class Tabs {
  #view;

  constructor(view) {
    this.#view = view;
    this.messages = this.#tab("Messages", "tab-messages", () => view.session.leaveHome());
    this.home = this.#tab("Home", "tab-home", () => view.session.openHome());
    this.node = h("div", { class: "tabs", role: "tablist", hidden: true }, this.messages, this.home);
    view.workspace.subscribe(["world", "me", "place", "home"], () => this.#draw());
  }

  #tab(label, testid, onclick) {
    return h("button", { type: "button", role: "tab", class: "quiet-button", "data-testid": testid, onclick }, label);
  }

  #draw() {
    const { workspace } = this.#view;
    this.node.hidden = !workspace.isTalk(workspace.channelId);
    this.messages.setAttribute("aria-selected", String(!workspace.isAtHome));
    this.home.setAttribute("aria-selected", String(workspace.isAtHome));
  }
}

export class Home {
  #view;

  constructor(view) {
    this.#view = view;
    this.node = h("section", { class: "home", "aria-label": "Home", "data-testid": "home", hidden: true });
    view.workspace.subscribe(["me", "place", "home"], () => this.#draw());
  }

  #draw() {
    const { workspace, session } = this.#view;
    this.node.hidden = !workspace.isAtHome;
    const context = {
      workspace,
      isPressed: () => false,
      press: ({ action_id }) => session.pressAtHome(action_id),
    };
    const blocks = workspace.home?.blocks.map((block) => shown(block, context));
    this.node.replaceChildren(...(blocks ?? [h("p", { class: "empty" }, "The app has published nothing here yet.")]));
  }
}
