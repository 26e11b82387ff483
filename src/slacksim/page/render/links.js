import { h } from "../element.js";

/** The text of a URL that may become a link: http and https only. */
export function isWebUrl(text) {
  return URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
}

/** A link in a new tab; anything but http and https stays text. */
export function link(url, children) {
  if (!isWebUrl(url)) return h("span", {}, children);
  return h("a", { class: "link", href: url, target: "_blank", rel: "noopener noreferrer" }, children);
}

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&nbsp;": "\u00a0" };

/** Slack escapes three characters in text; models also send the other two. */
export function unescape(text) {
  return text.replace(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => ENTITIES[entity]);
}

/** A bare URL without the punctuation of the sentence around it. */
export function trimUrl(text) {
  const url = text.replace(/[.,;:!?'"]+$/, "");
  return url.endsWith(")") && !url.includes("(") ? url.slice(0, -1) : url;
}
