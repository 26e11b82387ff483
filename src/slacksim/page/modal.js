// The modal that stands before the acting person, until it is sent or left.

import { h, iconButton } from "./element.js";
import { shown } from "./render/blocks.js";
import { field, filled } from "./render/inputs.js";

/** Shows what the app says is wrong without losing what was typed. */
function complain(modal, form, errors) {
  for (const node of form.querySelectorAll(".input-error")) node.remove();
  for (const { block_id, element } of modal.blocks) {
    const input = errors[block_id] && form.querySelector(`[name="${CSS.escape(element?.action_id ?? "")}"]`);
    input?.closest(".field").append(h("p", { class: "input-error", role: "alert" }, errors[block_id]));
  }
}

export class Modal {
  #view;
  #drawn = null;

  constructor(view) {
    this.#view = view;
    this.node = h("dialog", { class: "modal", "data-testid": "modal" });
    this.node.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.#leave();
    });
    view.workspace.subscribe(["modal"], () => this.#arrive());
  }

  #arrive() {
    const { modal } = this.#view.workspace;
    if (modal?.hash === this.#drawn) return;
    this.#drawn = modal?.hash ?? null;
    if (!modal) return this.node.close();
    this.#draw(modal);
    if (!this.node.open) this.node.showModal();
  }

  #draw(modal) {
    const { workspace, session } = this.#view;
    const context = {
      workspace,
      isPressed: () => false,
      press: ({ action_id, value }) => session.pressInModal(modal.id, { action_id, value }),
    };
    const body = modal.blocks.map((block) =>
      block.type === "input" ? field(block) : shown(block, context),
    );
    const title = modal.title?.text ?? "";
    this.node.setAttribute("aria-label", title);
    this.node.replaceChildren(
      h(
        "form",
        { onsubmit: (event) => this.#send(event, modal) },
        h(
          "header",
          { class: "modal-head" },
          h("h2", {}, title),
          iconButton("close", "Close", { "data-testid": "modal-close", onclick: () => this.#leave() }),
        ),
        h("div", { class: "modal-body prose" }, body),
        h(
          "footer",
          { class: "modal-foot" },
          h(
            "button",
            { type: "button", class: "quiet-button", onclick: () => this.#leave() },
            modal.close?.text ?? "Cancel",
          ),
          modal.submit
            ? h("button", { type: "submit", class: "solid-button", "data-testid": "modal-submit" }, modal.submit.text)
            : null,
        ),
      ),
    );
  }

  async #send(event, modal) {
    event.preventDefault();
    const answer = await this.#view.session.submitModal(modal.id, filled(modal.blocks, event.target));
    if (answer) complain(modal, event.target, answer.errors);
  }

  #leave() {
    const { workspace, session } = this.#view;
    if (workspace.modal) session.leaveModal(workspace.modal.id);
  }
}
