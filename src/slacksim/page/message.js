// One message. Its article stays the same node for as long as the message exists: only what is inside is replaced.

import { avatar } from "./avatar.js";
import { fullTimeOf, lastSeenOf, timeOf } from "./clock.js";
import { h, icon } from "./element.js";
import { content } from "./render/blocks.js";
import { emoji } from "./render/emoji.js";
import { link } from "./render/links.js";

const FACES_SHOWN = 3;
const PENDING = /^.{1,80}(?:…|\.\.\.)$/;

/** An empty article for `fill`. */
export function shell(message, isAside) {
  return h("article", {
    class: "message",
    tabindex: "-1",
    "data-testid": isAside ? "ephemeral" : "message",
    data: { ts: message.ts },
  });
}

function head(message, { workspace }) {
  const author = workspace.author(message);
  return h(
    "header",
    { class: "message-head" },
    h("span", { class: "author" }, author.real_name || author.name),
    author.is_bot ? h("span", { class: "badge" }, "APP") : null,
    author.is_guest ? h("span", { class: "badge badge-guest" }, "GUEST") : null,
    h("time", { class: "time", title: fullTimeOf(message.ts) }, timeOf(message.ts)),
  );
}

function files(message) {
  const links = (message.files ?? []).map((file) =>
    h(
      "span",
      { class: "picture", "data-testid": "file" },
      icon(file.mimetype?.startsWith("image/") ? "picture" : "clip"),
      link(file.permalink ?? file.url_private ?? "", file.title ?? file.name ?? "file"),
    ),
  );
  return links.length ? h("div", { class: "files" }, links) : null;
}

function reactions(message, { workspace, session, channelId }) {
  if (!message.reactions?.length) return null;
  const chips = message.reactions.map(({ name, users, count }) => {
    const who = users.map((id) => workspace.userName(id)).join(", ");
    const label = `${who} reacted with :${name}:`;
    return h(
      "button",
      {
        type: "button",
        class: "reaction",
        title: label,
        "aria-label": label,
        "aria-pressed": String(users.includes(workspace.me)),
        "data-testid": `reaction-${name}`,
        onclick: () => session.react(channelId, message, name),
      },
      h("span", { class: "reaction-face" }, emoji(name) ?? `:${name}:`),
      h("span", { class: "reaction-count" }, String(count ?? users.length)),
    );
  });
  return h("div", { class: "reactions" }, chips);
}

function threadLink(message, { workspace, session, channelId }) {
  const replies = workspace.replies(channelId, message.ts);
  const status = workspace.status(channelId, message.ts);
  if (!replies.length && !status) return null;
  const people = [...new Set(replies.map((reply) => reply.user))].slice(0, FACES_SHOWN);
  const count = `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`;
  return h(
    "button",
    {
      type: "button",
      class: "thread-link",
      "data-testid": "thread-link",
      onclick: () => session.openThread(message.ts),
    },
    h(
      "span",
      { class: "faces" },
      people.map((id) => avatar(workspace.user(id), "small")),
    ),
    h("span", { class: "thread-count" }, count),
    h(
      "span",
      { class: "thread-last" },
      status ? `${workspace.userName(workspace.bot.id)} ${status}` : lastSeenOf(replies.at(-1).ts),
    ),
  );
}

function blockContext(message, { workspace, session, channelId }) {
  const keyOf = (element) => `${message.ts}/${element.action_id}/${element.value ?? ""}`;
  return {
    workspace,
    isPressed: (element) => workspace.pressed.has(keyOf(element)),
    press: ({ action_id, value }) => session.click(channelId, message.ts, { action_id, value }),
  };
}

function shownText(message) {
  const said = (message.blocks ?? []).filter((block) => block.type === "markdown" || block.type === "section");
  return said.length ? said.map((block) => block.text?.text ?? block.text ?? "").join("\n") : (message.text ?? "");
}

/** Whether a message is a placeholder that will become an answer. */
export function isPending(message, workspace) {
  return workspace.author(message).is_bot && PENDING.test(shownText(message).replaceAll(/[_*]/g, ""));
}

/** Draws a message into its article. `view`: workspace, session, channelId, inThread, follows, isAside. */
export function fill(node, message, view) {
  const { workspace } = view;
  node.dataset.user = message.user ?? "";
  node.classList.toggle("message-follows", view.follows);
  node.classList.toggle("message-aside", view.isAside);
  node.classList.toggle("message-pending", isPending(message, workspace));
  node.classList.toggle("message-system", Boolean(message.subtype?.startsWith("channel_")));
  const gutter = h(
    "div",
    { class: "gutter" },
    view.follows
      ? h("time", { class: "time", title: fullTimeOf(message.ts) }, timeOf(message.ts))
      : avatar(workspace.author(message)),
  );
  const main = h(
    "div",
    { class: "message-main" },
    view.isAside ? h("p", { class: "aside-note" }, icon("eye"), "Only visible to you") : null,
    view.follows ? null : head(message, view),
    h("div", { class: "prose", "data-testid": "message-text" }, content(message, blockContext(message, view))),
    message.edited && !workspace.author(message).is_bot
      ? h("span", { class: "edited", "data-testid": "edited" }, "(edited)")
      : null,
    files(message),
    reactions(message, view),
    view.inThread ? null : threadLink(message, view),
  );
  node.querySelector(":scope > .gutter")?.remove();
  node.querySelector(":scope > .message-main")?.remove();
  node.prepend(gutter, main);
}
