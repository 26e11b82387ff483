import { h } from "./element.js";
import { fromWire, toWire } from "./wire_text.js";

/** A form in the place of a message's text: Enter saves, Escape leaves it as it was. */
export function editor(message, { workspace, session, channelId }, done) {
  const field = h(
    "textarea",
    { class: "edit-field", rows: "2", "aria-label": "Edit message", "data-testid": "edit-field" },
    fromWire(message.text, workspace),
  );
  const save = async () => {
    const text = toWire(field.value.trim(), workspace);
    if (text && text !== message.text) await session.edit(channelId, message.ts, text);
    done();
  };
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") done();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      save();
    } else return;
    event.stopPropagation();
  });
  return h(
    "div",
    { class: "editor" },
    field,
    h(
      "div",
      { class: "editor-row" },
      h("button", { type: "button", class: "quiet-button", onclick: done }, "Cancel"),
      h("button", { type: "button", class: "solid-button", onclick: save }, "Save"),
    ),
  );
}
