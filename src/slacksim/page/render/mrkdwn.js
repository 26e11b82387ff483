// Slack's own markup, for `text` and for mrkdwn objects in blocks.

import { h } from "../element.js";
import { codeBlock } from "./code.js";
import { emoji } from "./emoji.js";
import { link, trimUrl, unescape } from "./links.js";
import { reference } from "./references.js";
import { scan } from "./scanner.js";

const STARTERS = /[`<*_~:h]/;
const DEEPEST = 6;

function span(mark) {
  return new RegExp(
    `(?<![\\p{L}\\p{N}${mark}])[${mark}](?=[^\\s${mark}])([^\\n${mark}]*[^\\s${mark}])[${mark}](?![\\p{L}\\p{N}${mark}])`,
    "uy",
  );
}

function styled(tag, workspace, depth) {
  return ([, inner]) => h(tag, {}, inline(inner, workspace, depth + 1));
}

/** Nodes of one line of mrkdwn. */
export function inline(text, workspace, depth = 0) {
  if (depth > DEEPEST) return [unescape(text)];
  const rules = [
    [/`([^`\n]+)`/y, ([, code]) => h("code", {}, unescape(code))],
    [/<([^<>\n]+)>/y, ([, inside]) => reference(inside, workspace)],
    [span("*"), styled("strong", workspace, depth)],
    [span("_"), styled("em", workspace, depth)],
    [span("~"), styled("s", workspace, depth)],
    [/:([a-z0-9_+-]+):/y, ([, name]) => emoji(name)],
    [/(?<![\p{L}\p{N}])https?:\/\/[^\s<>|]+/uy, bareLink],
  ];
  return scan(text, rules, STARTERS);
}

function bareLink([text]) {
  const url = trimUrl(text);
  return [link(unescape(url), unescape(url)), text.slice(url.length)];
}

const QUOTE = /^(?:>|&gt;) ?/;
const BULLET = /^(\s*)(?:[•◦▪*-]|\d{1,3}[.)])\s+(?=\S)/;

function kindOf(line) {
  if (QUOTE.test(line)) return "quote";
  if (BULLET.test(line)) return /^\s*\d/.test(line) ? "numbers" : "bullets";
  return "text";
}

function paragraph(lines, workspace) {
  const parts = lines.flatMap((line, index) => [index ? h("br") : null, inline(line, workspace)]);
  return h("p", {}, parts);
}

function items(lines, workspace) {
  return lines.map((line) => {
    const item = h("li", {}, inline(line.replace(BULLET, ""), workspace));
    item.style.marginInlineStart = `${Math.min(Math.floor(BULLET.exec(line)[1].length / 2), DEEPEST) * 1.25}em`;
    return item;
  });
}

const BUILDERS = {
  quote: (lines, workspace) =>
    h(
      "blockquote",
      {},
      paragraph(
        lines.map((line) => line.replace(QUOTE, "")),
        workspace,
      ),
    ),
  bullets: (lines, workspace) => h("ul", {}, items(lines, workspace)),
  numbers: (lines, workspace) => h("ol", { start: parseInt(lines[0], 10) }, items(lines, workspace)),
  text: paragraph,
};

function proseNodes(text, workspace) {
  const groups = [];
  for (const line of text.replace(/^\n+|\n+$/g, "").split("\n")) {
    const kind = line.trim() ? kindOf(line) : "gap";
    if (groups.at(-1)?.kind === kind) groups.at(-1).lines.push(line);
    else groups.push({ kind, lines: [line] });
  }
  return groups.filter(({ kind }) => kind !== "gap").map(({ kind, lines }) => BUILDERS[kind](lines, workspace));
}

/** Nodes of a whole mrkdwn text: fences, quotes, lists and paragraphs. */
export function mrkdwn(text, workspace) {
  return text.split(/```([\s\S]*?)```/).flatMap((piece, index) => {
    if (index % 2) return [codeBlock(unescape(piece.replace(/^\n|\n$/g, "")))];
    return piece.trim() ? proseNodes(piece, workspace) : [];
  });
}
