// The inline part of GitHub-flavoured Markdown that answers use.

import { h, icon } from "../element.js";
import { emoji } from "./emoji.js";
import { isWebUrl, link, trimUrl, unescape } from "./links.js";
import { reference } from "./references.js";
import { scan } from "./scanner.js";

const STARTERS = /[\\`![<*_~:h\n]/;
const DEEPEST = 6;
const ESCAPE = /\\([\\`*_{}[\]()#+\-.!|~<>:])/y;
// a label may hold one level of brackets: [[1]](https://…)
const LABEL = String.raw`\[((?:[^[\]\\]|\\.|\[[^[\]]*\])*)\]`;
const TARGET = String.raw`\(\s*<?((?:[^\s()<>]|\([^\s()]*\))*)>?(?:\s+"[^"]*")?\s*\)`;
const LINK = new RegExp(LABEL + TARGET, "y");
const IMAGE = new RegExp(`!${LABEL}${TARGET}`, "y");

/** Images are never fetched: a labelled link stands in their place. */
export function picture(url, label) {
  return h("span", { class: "picture" }, icon("picture"), link(url, label || "image"));
}

function bareLink([text]) {
  const url = trimUrl(text);
  return isWebUrl(url) ? [link(unescape(url), unescape(url)), text.slice(url.length)] : null;
}

/** Nodes of one paragraph of Markdown; its line ends are kept as line breaks, as Slack shows them. */
export function inline(text, workspace, depth = 0) {
  if (depth > DEEPEST) return [unescape(text)];
  const inner = (value) => inline(value, workspace, depth + 1);
  const rules = [
    [/\\?\n/y, () => h("br")],
    [ESCAPE, ([, character]) => character],
    [/(`+)(?!`)([\s\S]*?[^`])\1(?!`)/y, ([, , code]) => h("code", {}, unescape(code.replace(/^ (.+) $/, "$1")))],
    [IMAGE, ([, label, url]) => picture(unescape(url), unescape(label))],
    [LINK, ([, label, url]) => link(unescape(url), inner(label))],
    [/<([^<>\n]+)>/y, ([, inside]) => reference(inside, workspace)],
    [/\*\*(?=\S)([\s\S]*?\S)\*\*(?!\*)/y, ([, body]) => h("strong", {}, inner(body))],
    [/(?<![\p{L}\p{N}_])__(?=\S)([\s\S]*?\S)__(?![\p{L}\p{N}_])/uy, ([, body]) => h("strong", {}, inner(body))],
    [/\*(?=[^\s*])([^*\n]*[^\s*])\*(?!\*)/y, ([, body]) => h("em", {}, inner(body))],
    [/(?<![\p{L}\p{N}_])_(?=[^\s_])([^_\n]*[^\s_])_(?![\p{L}\p{N}_])/uy, ([, body]) => h("em", {}, inner(body))],
    [/~~(?=\S)([^~\n]*\S)~~/y, ([, body]) => h("s", {}, inner(body))],
    [/:([a-z0-9_+-]+):/y, ([, name]) => emoji(name)],
    [/(?<![\p{L}\p{N}])https?:\/\/[^\s<>|*`]+/uy, bareLink],
  ];
  return scan(text, rules, STARTERS);
}
