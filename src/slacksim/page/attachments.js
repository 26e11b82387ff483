// The files that go out with the next message, picked by a button; each can be taken out again.

import { h, iconButton } from "./element.js";

export class Attachments {
  #onChange;

  /** `testid` is the composer's; `onChange` is called when there are more or fewer. */
  constructor({ testid, onChange }) {
    this.#onChange = onChange;
    this.files = [];
    this.picker = h("input", {
      type: "file",
      multiple: true,
      hidden: true,
      "data-testid": `${testid}-files`,
      onchange: () => this.#add([...this.picker.files]),
    });
    this.button = iconButton("clip", "Attach files", { onclick: () => this.picker.click() });
    this.list = h("div", { class: "attached" });
  }

  clear() {
    this.files = [];
    this.#show();
  }

  #add(files) {
    this.files = [...this.files, ...files];
    this.picker.value = "";
    this.#show();
  }

  #takeOut(file) {
    this.files = this.files.filter((each) => each !== file);
    this.#show();
  }

  #show() {
    const chips = this.files.map((file) => {
      const remove = iconButton("close", `Take out ${file.name}`, { onclick: () => this.#takeOut(file) });
      return h("span", { class: "attached-file" }, file.name, remove);
    });
    this.list.replaceChildren(...chips);
    this.#onChange();
  }
}
