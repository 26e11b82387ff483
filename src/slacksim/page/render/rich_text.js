// Slack's rich_text block, which its own composer produces.

import { h } from "../element.js";
import { codeBlock } from "./code.js";
import { emoji } from "./emoji.js";
import { link } from "./links.js";
import { channelReference, userReference } from "./references.js";

const STYLES = [
  ["code", "code"],
  ["strike", "s"],
  ["italic", "em"],
  ["bold", "strong"],
];

function styled(node, style = {}) {
  return STYLES.reduce((inner, [name, tag]) => (style[name] ? h(tag, {}, inner) : inner), node);
}

const LEAVES = {
  text: (element) => element.text.split("\n").flatMap((line, index) => [index ? h("br") : null, line]),
  link: (element) => link(element.url, element.text || element.url),
  user: (element, workspace) => userReference(element.user_id, workspace),
  channel: (element, workspace) => channelReference(element.channel_id, "", workspace),
  emoji: (element) => emoji(element.name) ?? `:${element.name}:`,
  broadcast: (element) => h("span", { class: "mention mention-me" }, `@${element.range}`),
  date: (element) => element.fallback ?? "",
};

function leaf(element, workspace) {
  const build = LEAVES[element.type];
  return build ? styled(build(element, workspace), element.style) : (element.text ?? "");
}

function section(element, workspace) {
  return (element.elements ?? []).map((each) => leaf(each, workspace));
}

const textOf = (element) => (element.elements ?? []).map((each) => each.text ?? each.url ?? "").join("");

function list(element, workspace) {
  const node = h(
    element.style === "ordered" ? "ol" : "ul",
    {},
    element.elements.map((each) => h("li", {}, section(each, workspace))),
  );
  node.style.marginInlineStart = `${Math.min(element.indent ?? 0, 8) * 1.25}em`;
  return node;
}

const PARTS = {
  rich_text_section: (element, workspace) => h("p", {}, section(element, workspace)),
  rich_text_list: list,
  rich_text_preformatted: (element) => codeBlock(textOf(element)),
  rich_text_quote: (element, workspace) => h("blockquote", {}, h("p", {}, section(element, workspace))),
};

/** Nodes of a rich_text block. */
export function richText(block, workspace) {
  return (block.elements ?? []).map(
    (element) => PARTS[element.type]?.(element, workspace) ?? h("p", {}, textOf(element)),
  );
}

/** The leaves of one cell of a table block. */
export function richCell(block, workspace) {
  return (block.elements ?? []).map((element) => section(element, workspace));
}
