// Between what a person types (@Ada Lindqvist, #general) and what Slack carries (<@U…>, <#C…|general>).

import { trimUrl } from "./render/links.js";

const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const longestFirst = (one, other) => other.length - one.length;

function anyOf(names) {
  return [...names].sort(longestFirst).map(literal).join("|");
}

function replaceNames(text, mark, ids, build) {
  if (ids.size === 0) return text;
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}_])${mark}(${anyOf(ids.keys())})(?![\\p{L}\\p{N}_-])`, "giu");
  return text.replace(pattern, (_, name) => build(ids.get(name.toLowerCase())));
}

function userIds(workspace) {
  const names = workspace.world.users.flatMap((user) =>
    [user.real_name, user.name].map((name) => [name?.toLowerCase(), user.id]),
  );
  return new Map(names.filter(([name]) => name).reverse());
}

function channelIds(workspace) {
  const named = workspace.visibleChannels.filter((channel) => channel.kind === "public" || channel.kind === "private");
  return new Map(named.map((channel) => [channel.name.toLowerCase(), channel]));
}

function prose(text, workspace) {
  const linked = escape(text).replace(/https?:\/\/[^\s|]+?(?=&[lg]t;|[\s|]|$)/g, (found) => {
    const url = trimUrl(found);
    return `<${url}>${found.slice(url.length)}`;
  });
  const mentioned = replaceNames(linked, "@", userIds(workspace), (id) => `<@${id}>`);
  return replaceNames(mentioned, "#", channelIds(workspace), (channel) => `<#${channel.id}|${channel.name}>`);
}

/** Typed text as Slack carries it; code is escaped but otherwise left alone. */
export function toWire(text, workspace) {
  return text
    .split(/(```[\s\S]*?```|`[^`\n]+`)/)
    .map((piece, index) => (index % 2 ? escape(piece) : prose(piece, workspace)))
    .join("");
}

/** What a person would have typed for a text that Slack carries, to edit it. */
export function fromWire(text, workspace) {
  const typed = text.replace(
    /<(?:@(\w+)(?:\|[^>]*)?|#(\w+)(?:\|[^>]*)?|(https?:[^>|]+)(?:\|[^>]*)?)>/g,
    (_, user, channel, url) => {
      if (user) return `@${workspace.userName(user)}`;
      return channel ? `#${workspace.channelName(channel)}` : url;
    },
  );
  return unescape(typed);
}
