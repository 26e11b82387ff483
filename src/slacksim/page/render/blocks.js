// Block Kit. A message of blocks shows its blocks; when none of them says anything, its text is shown.

import { h, icon } from "../element.js";
import { controls } from "./controls.js";
import { emoji } from "./emoji.js";
import { link, unescape } from "./links.js";
import { markdown } from "./markdown.js";
import { mrkdwn } from "./mrkdwn.js";
import { richCell, richText } from "./rich_text.js";
import { table } from "./table.js";

function plain(text) {
  return unescape(text).replace(/:([a-z0-9_+-]+):/g, (shortcode, name) => emoji(name) ?? shortcode);
}

function textObject(object, workspace) {
  if (!object) return null;
  return object.type === "mrkdwn" ? mrkdwn(object.text ?? "", workspace) : h("p", {}, plain(object.text ?? ""));
}

function picture(element) {
  const url = element.image_url ?? element.slack_file?.url ?? "";
  const label = element.alt_text || element.title?.text || "image";
  return h("div", { class: "picture picture-block" }, icon("picture"), link(url, label));
}

function section(block, context) {
  const { workspace } = context;
  const fields = (block.fields ?? []).map((field) => h("div", {}, textObject(field, workspace)));
  const accessory =
    block.accessory?.type === "image"
      ? picture(block.accessory)
      : block.accessory && controls({ elements: [block.accessory] }, context);
  return h(
    "div",
    { class: "section" },
    h(
      "div",
      { class: "section-text" },
      textObject(block.text, workspace),
      fields.length ? h("div", { class: "fields" }, fields) : null,
    ),
    accessory,
  );
}

function contextLine(block, { workspace }) {
  const parts = (block.elements ?? []).map((element) =>
    h("span", { class: "context-part" }, element.type === "image" ? picture(element) : textObject(element, workspace)),
  );
  return h("div", { class: "context" }, parts);
}

function tableBlock(block, { workspace }) {
  const content = (cell) => (cell?.type === "rich_text" ? richCell(cell, workspace) : (cell?.text ?? ""));
  const rows = (block.rows ?? []).map((row) => row.map(content));
  return rows.length
    ? table(
        rows,
        (block.column_settings ?? []).map((column) => column?.align),
      )
    : null;
}

const TASK_MARKS = { pending: "○", in_progress: "◔", complete: "✓", error: "✕" };

function taskCard(block) {
  const mark = h("span", { class: "task-mark", "aria-hidden": "true" }, TASK_MARKS[block.status] ?? "○");
  return h("div", { class: "task", "data-testid": "task", "data-status": block.status }, mark, plain(block.title ?? ""));
}

function plan(block) {
  return h("div", { class: "plan" }, h("p", { class: "plan-title" }, plain(block.title ?? "")), (block.tasks ?? []).map(taskCard));
}

const BLOCKS = {
  markdown: (block, { workspace }) => markdown(block.text ?? "", workspace),
  section,
  context: contextLine,
  divider: () => h("hr"),
  header: (block) => h("h3", { class: "heading-2" }, plain(block.text?.text ?? "")),
  actions: controls,
  context_actions: controls,
  rich_text: (block, { workspace }) => richText(block, workspace),
  image: picture,
  table: tableBlock,
  task_card: taskCard,
  plan,
};

const SAYS_SOMETHING = new Set(["markdown", "section", "header", "rich_text", "table"]);

/** The node of one block; null for kinds that are not known. */
export function shown(block, context) {
  return BLOCKS[block.type]?.(block, context) ?? null;
}

/** A person's own words: the text is what they typed, the single rich_text block only repeats it. */
function isTyped(message) {
  return (
    Boolean(message.text) && !message.bot_id && message.blocks?.length === 1 && message.blocks[0].type === "rich_text"
  );
}

/** Nodes of what a message says. `context`: workspace, press, isPressed. */
export function content(message, context) {
  if (isTyped(message)) return mrkdwn(message.text, context.workspace);
  const known = (message.blocks ?? []).filter((block) => BLOCKS[block.type]);
  const speaks = known.some((block) => SAYS_SOMETHING.has(block.type));
  const text = speaks || !message.text ? [] : mrkdwn(message.text, context.workspace);
  return [text, known.map((block) => shown(block, context))];
}
