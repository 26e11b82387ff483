// The list above a composer while a person types @… or #….

import { avatar } from "./avatar.js";
import { h, icon } from "./element.js";

const OPENING = /(?:^|[\s(])([@#])([\p{L}\p{N}._ -]{0,30})$/u;
const MOST = 7;

export class Completion {
  #field;
  #workspace;
  #onInsert;
  #options = [];
  #chosen = 0;

  constructor(field, workspace, onInsert) {
    this.#field = field;
    this.#workspace = workspace;
    this.#onInsert = onInsert;
    const id = `completion-${field.dataset.testid}`;
    this.node = h("ul", {
      class: "completion",
      id,
      role: "listbox",
      "aria-label": "Suggestions",
      "data-testid": "completion",
      hidden: true,
    });
    field.setAttribute("aria-controls", id);
    field.setAttribute("aria-autocomplete", "list");
    field.addEventListener("input", () => this.#look());
    field.addEventListener("click", () => this.#look());
    field.addEventListener("blur", () => this.close());
  }

  /** Handles a key while the list is open; true when it was for the list. */
  takes(event) {
    if (this.node.hidden) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#choose((this.#chosen + step + this.#options.length) % this.#options.length);
    else if (event.key === "Enter" || event.key === "Tab") this.#insert(this.#options[this.#chosen]);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  close() {
    this.node.hidden = true;
    this.#field.removeAttribute("aria-activedescendant");
    this.#options = [];
  }

  #opening() {
    return OPENING.exec(this.#field.value.slice(0, this.#field.selectionStart));
  }

  #look() {
    const match = this.#opening();
    const query = match?.[2].toLowerCase() ?? "";
    const found = match ? this.#candidates(match[1], query) : [];
    const isComplete = found.length === 1 && found[0].name.toLowerCase() === query.trimEnd();
    if (found.length === 0 || isComplete) return this.close();
    this.#options = found;
    this.node.replaceChildren(...found.map((option, index) => this.#row(option, index)));
    this.node.hidden = false;
    return this.#choose(0);
  }

  #candidates(mark, query) {
    const all = mark === "@" ? this.#people() : this.#channels();
    const starts = ({ names }) =>
      names.some((name) =>
        name
          .toLowerCase()
          .split(/\s+/)
          .some((_, at, words) => words.slice(at).join(" ").startsWith(query)),
      );
    return all.filter(starts).slice(0, MOST);
  }

  #people() {
    const people = [...this.#workspace.world.users].sort((one, other) => Number(other.is_bot) - Number(one.is_bot));
    return people.map((user) => ({
      mark: "@",
      name: user.real_name || user.name,
      names: [user.real_name ?? "", user.name],
      note: user.title,
      face: avatar(user, "small"),
    }));
  }

  #channels() {
    const named = this.#workspace.visibleChannels.filter((channel) => ["public", "private"].includes(channel.kind));
    return named.map((channel) => ({
      mark: "#",
      name: channel.name,
      names: [channel.name],
      note: channel.topic,
      face: icon(channel.kind === "private" ? "lock" : "hash"),
    }));
  }

  #row(option, index) {
    const row = h(
      "li",
      { role: "option", id: `${this.node.id}-${index}`, class: "completion-option" },
      option.face,
      h("span", { class: "completion-name" }, option.name),
      h("span", { class: "completion-note" }, option.note),
    );
    row.addEventListener("mousedown", (event) => {
      event.preventDefault();
      this.#insert(option);
    });
    return row;
  }

  #choose(index) {
    this.#chosen = index;
    [...this.node.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    this.#field.setAttribute("aria-activedescendant", this.node.children[index].id);
    this.node.children[index].scrollIntoView({ block: "nearest" });
  }

  #insert(option) {
    const match = this.#opening();
    this.close();
    if (!match) return;
    const end = this.#field.selectionStart;
    const start = end - match[2].length - 1;
    this.#field.setRangeText(`${option.mark}${option.name} `, start, end, "end");
    this.#onInsert();
  }
}
