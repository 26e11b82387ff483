// Slack's angle brackets: <@U1>, <#C1|name>, <!here>, <!date^…>, <https://…|label>.

import { h } from "../element.js";
import { link, unescape } from "./links.js";

export function userReference(id, workspace) {
  const mine = id === workspace.me;
  return h(
    "span",
    { class: mine ? "mention mention-me" : "mention", data: { user: id } },
    `@${workspace.userName(id)}`,
  );
}

export function channelReference(id, label, workspace) {
  const visible = workspace.visibleChannels.some((channel) => channel.id === id);
  if (!visible) return h("span", { class: "mention" }, `#${label || "private channel"}`);
  return h("button", { type: "button", class: "mention", data: { openChannel: id } }, `#${workspace.channelName(id)}`);
}

function special(body, label) {
  if (body.startsWith("!date^")) return label || body;
  const word = body.slice(1).split("^")[0];
  return h("span", { class: "mention mention-me" }, label || `@${word}`);
}

/** The node for what stood between `<` and `>`; null when it is none of Slack's forms. */
export function reference(inside, workspace) {
  const bar = inside.indexOf("|");
  const target = bar < 0 ? inside : inside.slice(0, bar);
  const label = bar < 0 ? "" : unescape(inside.slice(bar + 1));
  if (/^@[UWB][A-Z0-9]+$/.test(target)) return userReference(target.slice(1), workspace);
  if (/^#[CGD][A-Z0-9]+$/.test(target)) return channelReference(target.slice(1), label, workspace);
  if (/^!(here|channel|everyone|subteam\^|date\^)/.test(target)) return special(target, label);
  if (/^https?:\/\//.test(target)) return link(unescape(target), label || unescape(target));
  if (/^mailto:/.test(target)) return label || target.slice("mailto:".length);
  return null;
}
