import { h } from "./element.js";

const SHOWN_FOR = 5000;

/** One line at the bottom of the page for a few seconds. */
export function toast(text) {
  const node = h("div", { class: "toast", role: "status", "data-testid": "toast" }, text);
  document.body.append(node);
  setTimeout(() => node.remove(), SHOWN_FOR);
}
