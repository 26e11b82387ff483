import { h } from "../element.js";

const SAID_FOR = 1500;

async function copy(event, text) {
  const button = event.currentTarget;
  await navigator.clipboard.writeText(text);
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), SAID_FOR);
}

/** A fenced block with its language and a button that copies it. */
export function codeBlock(text, language = "") {
  return h(
    "div",
    { class: "code-block" },
    h(
      "div",
      { class: "code-bar" },
      h("span", { class: "code-language" }, language),
      h("button", { type: "button", class: "quiet-button", onclick: (event) => copy(event, text) }, "Copy"),
    ),
    h("pre", { tabindex: "0" }, h("code", {}, text)),
  );
}
