// Where a person writes. Enter sends, Shift+Enter makes a new line; each place keeps its draft.

import { Attachments } from "./attachments.js";
import { Completion } from "./completion.js";
import { h, icon } from "./element.js";
import { toast } from "./toast.js";
import { toWire } from "./wire_text.js";

export class Composer {
  #view;
  #drafts = new Map();
  #target = null;

  /** `testid` names the text field; `onSent` is called after a message went out. */
  constructor(view, { testid, onSent }) {
    this.#view = view;
    this.onSent = onSent;
    this.field = h("textarea", { class: "composer-field", rows: "1", "data-testid": testid });
    this.send = h(
      "button",
      {
        type: "submit",
        class: "send",
        "aria-label": "Send",
        title: "Send (Enter)",
        "data-testid": `${testid}-send`,
        disabled: true,
      },
      icon("send"),
    );
    this.status = h("div", {
      class: "status-line",
      role: "status",
      "aria-live": "polite",
      "data-testid": `${testid}-status`,
    });
    this.completion = new Completion(this.field, view.workspace, () => this.#fit());
    this.attachments = new Attachments({ testid, onChange: () => this.#fit() });
    const { button, picker, list } = this.attachments;
    const line = h("div", { class: "composer-line" }, button, picker, this.field, this.send);
    const form = h("form", { class: "composer-box" }, this.completion.node, list, line);
    form.addEventListener("submit", (event) => this.#submit(event));
    this.field.addEventListener("input", () => this.#fit());
    this.field.addEventListener("keydown", (event) => this.#onKey(event));
    this.form = form;
    this.closed = h("div", { class: "composer-closed", hidden: true });
    this.node = h("div", { class: "composer" }, form, this.closed, this.status);
  }

  /** Aims at a channel or a thread of it; in its place stands a line when the acting person cannot write there. */
  aim({ channel, threadTs, placeholder }) {
    const key = `${this.#view.workspace.me}/${channel}/${threadTs ?? ""}`;
    if (this.#target?.key !== key) {
      if (this.#target) this.#drafts.set(this.#target.key, this.field.value);
      this.field.value = this.#drafts.get(key) ?? "";
    }
    this.#target = { key, channel, threadTs };
    this.#closeFor(this.#view.workspace.channel(channel));
    this.field.placeholder = placeholder;
    this.field.setAttribute("aria-label", placeholder);
    this.#fit();
  }

  showStatus(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  /** Replaces what is written and puts the cursor at its end. */
  write(text) {
    this.field.value = text;
    this.field.focus();
    this.field.setSelectionRange(text.length, text.length);
    this.#fit();
  }

  #closeFor(channel) {
    const { workspace, session } = this.#view;
    const isMember = channel.members.includes(workspace.me);
    this.form.hidden = channel.is_archived || !isMember;
    this.closed.hidden = !this.form.hidden;
    if (this.closed.hidden) return;
    const join = h(
      "button",
      { type: "button", class: "solid-button", "data-testid": "join", onclick: () => session.join(channel.id) },
      `Join #${channel.name}`,
    );
    this.closed.replaceChildren(
      ...(channel.is_archived
        ? ["This channel is archived."]
        : [`${workspace.userName(workspace.me)} is not a member here.`, join]),
    );
  }

  #fit() {
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
    this.send.disabled = !this.field.value.trim() && !this.attachments.files.length;
  }

  #onKey(event) {
    if (event.isComposing || this.completion.takes(event)) return;
    if (event.key === "Enter" && !event.shiftKey) this.#submit(event);
  }

  async #send(target, typed, files) {
    if (typed.startsWith("/")) return this.#view.session.command(target.channel, typed);
    const text = toWire(typed, this.#view.workspace);
    await this.#view.session.speak({ channel: target.channel, threadTs: target.threadTs, text, files });
    return this.onSent();
  }

  async #submit(event) {
    event.preventDefault();
    const typed = this.field.value;
    const files = this.attachments.files;
    if (!typed.trim() && !files.length) return;
    const target = this.#target;
    this.completion.close();
    this.field.value = "";
    this.attachments.clear();
    this.#fit();
    try {
      await this.#send(target, typed.trim(), files);
    } catch (error) {
      toast(error.message);
      if (this.#target.key === target.key && !this.field.value) this.write(typed);
    }
  }
}
