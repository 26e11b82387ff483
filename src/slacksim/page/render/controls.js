// What can be pressed inside a message: buttons, icon buttons and feedback.

import { h, icon } from "../element.js";
import { isWebUrl } from "./links.js";

const labelOf = (object) => object?.text?.text ?? object?.text ?? "";

/** The view of one message that a control needs: `isPressed(actionId, value)` and `press({action_id, value})`. */
function button(element, { press, isPressed }) {
  const label = labelOf(element) || "Button";
  const attributes = {
    class: `block-button ${element.style ? `block-button-${element.style}` : ""}`,
    "data-testid": `action-${element.action_id}`,
  };
  if (element.url && isWebUrl(element.url)) {
    return h("a", { ...attributes, href: element.url, target: "_blank", rel: "noopener noreferrer" }, label);
  }
  const question = labelOf(element.confirm);
  const onclick = () => (!question || confirm(question)) && press(element);
  return h(
    "button",
    {
      type: "button",
      "aria-label": element.accessibility_label,
      "aria-pressed": isPressed(element) ? "true" : null,
      onclick,
      ...attributes,
    },
    label,
  );
}

function thumb(direction, element, side, { press, isPressed }) {
  const chosen = { action_id: element.action_id, value: side.value };
  return h(
    "button",
    {
      type: "button",
      class: "icon-button feedback",
      title: labelOf(side),
      "aria-label": side.accessibility_label ?? labelOf(side),
      "aria-pressed": String(isPressed(chosen)),
      "data-testid": `feedback-${direction === "up" ? "positive" : "negative"}`,
      onclick: () => press(chosen),
    },
    icon(direction),
  );
}

function feedback(element, context) {
  return [
    thumb("up", element, element.positive_button ?? {}, context),
    thumb("down", element, element.negative_button ?? {}, context),
  ];
}

function iconButton(element, { press }) {
  const attributes = {
    type: "button",
    class: "icon-button",
    title: labelOf(element),
    "aria-label": element.accessibility_label ?? labelOf(element),
    "data-testid": `action-${element.action_id}`,
  };
  return h(
    "button",
    { ...attributes, onclick: () => press(element) },
    icon(element.icon === "trash" ? "trash" : "check"),
  );
}

const CONTROLS = { button, feedback_buttons: feedback, icon_button: iconButton };

/** The elements of an actions or context_actions block; kinds that are not known are left out. */
export function controls(block, context) {
  const row = (block.elements ?? []).map((element) => CONTROLS[element.type]?.(element, context));
  return h("div", { class: block.type === "actions" ? "actions" : "actions actions-quiet" }, row);
}
