// The block part of GitHub-flavoured Markdown: headings, lists with tasks, tables, fences, quotes, rules, paragraphs.

import { h } from "../element.js";
import { codeBlock } from "./code.js";
import { inline } from "./markdown_inline.js";
import { table } from "./table.js";

const DEEPEST = 8;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const RULE = /^ {0,3}(?:(?:- *){3,}|(?:\* *){3,}|(?:_ *){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+•]|\d{1,9}[.)])( +)(?=\S)/;
const DELIMITERS = /^ {0,3}\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$/;
const TASK = /^\[([ xX])\]\s+/;

const isBlank = (line) => line.trim() === "";
const indentOf = (line) => line.length - line.trimStart().length;

function isTable(lines, at) {
  return (
    lines[at].includes("|") && at + 1 < lines.length && lines[at + 1].includes("-") && DELIMITERS.test(lines[at + 1])
  );
}

function startsBlock(lines, at) {
  const line = lines[at];
  return [FENCE, HEADING, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line)) || isTable(lines, at);
}

function fence(lines, at) {
  const [, marks, language] = FENCE.exec(lines[at]);
  const isEnd = (line) => line.trim().startsWith(marks) && line.trim().replaceAll(marks[0], "") === "";
  let end = at + 1;
  while (end < lines.length && !isEnd(lines[end])) end += 1;
  const body = lines.slice(at + 1, end).join("\n");
  return { node: codeBlock(body, language), next: end + 1 };
}

function heading(lines, at, { workspace }) {
  const [, marks, text] = HEADING.exec(lines[at]);
  // the page's own headings are h1 and h2
  return {
    node: h(`h${Math.min(marks.length + 2, 6)}`, { class: `heading-${marks.length}` }, inline(text, workspace)),
    next: at + 1,
  };
}

function quote(lines, at, { workspace, depth }) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inside = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return { node: h("blockquote", {}, blocks(inside, { workspace, depth: depth + 1 })), next: end };
}

/** Cells of a row; a bar inside a code span or after a backslash is text. */
function cellsOf(line) {
  const trimmed = line
    .trim()
    .replace(/^\|/, "")
    .replace(/(?<!\\)\|$/, "");
  const cells = trimmed.match(/(?:`[^`]*`|\\.|[^|\\`]|`)+|(?<=\|)(?=\||$)|^(?=\|)/g) ?? [""];
  return cells.map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function alignmentOf(mark) {
  if (mark.startsWith(":") && mark.endsWith(":")) return "center";
  return mark.endsWith(":") ? "right" : "left";
}

function tableAt(lines, at, { workspace }) {
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|") && !isBlank(lines[end])) end += 1;
  const alignments = cellsOf(lines[at + 1]).map(alignmentOf);
  const rows = [lines[at], ...lines.slice(at + 2, end)].map((line) =>
    cellsOf(line).map((cell) => inline(cell, workspace)),
  );
  return { node: table(rows, alignments), next: end };
}

function itemEnd(lines, at, offset) {
  let end = at + 1;
  while (end < lines.length) {
    const line = lines[end];
    const continues = isBlank(line)
      ? end + 1 < lines.length && !isBlank(lines[end + 1]) && indentOf(lines[end + 1]) >= offset
      : indentOf(line) >= offset;
    if (!continues && (isBlank(line) || startsBlock(lines, end))) break;
    end += 1;
  }
  return end;
}

function item(lines, { workspace, depth }) {
  const task = TASK.exec(lines[0]);
  if (task) lines[0] = lines[0].replace(TASK, "");
  const children = blocks(lines, { workspace, depth: depth + 1 });
  const [first, ...rest] = children;
  const content = first?.tagName === "P" ? [[...first.childNodes], rest] : children;
  if (!task) return h("li", {}, content);
  return h(
    "li",
    { class: "task" },
    h("input", { type: "checkbox", disabled: true, checked: task[1] !== " ", "aria-label": "task" }),
    content,
  );
}

function list(lines, at, context) {
  const [, indent, marker] = ITEM.exec(lines[at]);
  const ordered = /\d/.test(marker);
  const items = [];
  let next = at;
  while (next < lines.length) {
    const match = ITEM.exec(lines[next]);
    if (!match || match[1].length > indent.length + 1 || /\d/.test(match[2]) !== ordered || RULE.test(lines[next]))
      break;
    const offset = match[1].length + match[2].length + 1;
    const end = itemEnd(lines, next, offset);
    const inside = [
      lines[next].slice(match[0].length),
      ...lines.slice(next + 1, end).map((line) => line.slice(Math.min(offset, indentOf(line)))),
    ];
    items.push(item(inside, context));
    next = end;
    while (next + 1 < lines.length && isBlank(lines[next]) && ITEM.test(lines[next + 1])) next += 1;
  }
  return { node: h(ordered ? "ol" : "ul", ordered ? { start: parseInt(marker, 10) } : {}, items), next };
}

function paragraph(lines, at, { workspace }) {
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]) && !startsBlock(lines, end)) end += 1;
  const text = lines
    .slice(at, end)
    .map((line) => line.trim())
    .join("\n");
  return { node: h("p", {}, inline(text, workspace)), next: end };
}

function builderAt(lines, at, depth) {
  const line = lines[at];
  if (FENCE.test(line)) return fence;
  if (HEADING.test(line)) return heading;
  if (RULE.test(line)) return (_lines, from) => ({ node: h("hr"), next: from + 1 });
  if (isTable(lines, at)) return tableAt;
  if (depth < DEEPEST && QUOTE.test(line)) return quote;
  if (depth < DEEPEST && ITEM.test(line)) return list;
  return paragraph;
}

function blocks(lines, context) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    if (isBlank(lines[at])) {
      at += 1;
      continue;
    }
    const { node, next } = builderAt(lines, at, context.depth)(lines, at, context);
    nodes.push(node);
    at = next;
  }
  return nodes;
}

/** Nodes of a Markdown text. */
export function markdown(text, workspace) {
  return blocks(text.replaceAll("\t", "    ").split(/\r?\n/), { workspace, depth: 0 });
}
