// What can be filled in: the input block of a modal, by the kind of its element.

import { h } from "../element.js";

const textOf = (object) => object?.text ?? "";
const SEVERAL = new Set(["checkboxes", "multi_static_select"]);

function text(element, attributes) {
  const given = { ...attributes, placeholder: textOf(element.placeholder), maxlength: element.max_length };
  if (!element.multiline) return h("input", { ...given, type: "text", value: element.initial_value });
  return h("textarea", { ...given, rows: "4" }, element.initial_value ?? "");
}

function select(element, attributes) {
  const chosen = [element.initial_option, ...(element.initial_options ?? [])].map((option) => option?.value);
  const options = (element.options ?? []).map((option) =>
    h("option", { value: option.value, selected: chosen.includes(option.value) }, textOf(option.text)),
  );
  const several = SEVERAL.has(element.type);
  const none = several ? null : h("option", { value: "" }, textOf(element.placeholder) || "Choose one");
  return h("select", { ...attributes, multiple: several }, none, options);
}

function choices(element, { name, required }) {
  const several = SEVERAL.has(element.type);
  const chosen = [element.initial_option, ...(element.initial_options ?? [])].map((option) => option?.value);
  const rows = (element.options ?? []).map((option) =>
    h(
      "label",
      { class: "choice" },
      h("input", {
        type: several ? "checkbox" : "radio",
        name,
        value: option.value,
        checked: chosen.includes(option.value),
        required: required && !several,
      }),
      textOf(option.text),
    ),
  );
  return h("div", { class: "choices" }, rows);
}

const INPUTS = {
  plain_text_input: text,
  static_select: select,
  multi_static_select: select,
  radio_buttons: choices,
  checkboxes: choices,
};

/** The field of an input block; null for kinds that are not known. */
export function field(block) {
  const { element } = block;
  const control = INPUTS[element?.type];
  if (!control) return null;
  const isGroup = control === choices;
  const id = `input-${block.block_id}`;
  const attributes = { name: element.action_id, required: !block.optional, "data-testid": `input-${element.action_id}` };
  const label = [textOf(block.label), block.optional ? h("span", { class: "optional" }, " (optional)") : null];
  return h(
    isGroup ? "fieldset" : "div",
    { class: "field" },
    isGroup ? h("legend", {}, label) : h("label", { for: id }, label),
    control(element, isGroup ? attributes : { ...attributes, id }),
    block.hint ? h("p", { class: "hint" }, textOf(block.hint)) : null,
  );
}

/** What a form of such fields holds, by action_id. */
export function filled(blocks, form) {
  const data = new FormData(form);
  const inputs = blocks.filter((block) => block.type === "input").map((block) => block.element);
  return Object.fromEntries(
    inputs.map(({ action_id: id, type }) => [id, SEVERAL.has(type) ? data.getAll(id) : (data.get(id) ?? "")]),
  );
}
