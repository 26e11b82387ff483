// One loop for both inline syntaxes: at each place the rules are tried in turn; what none takes is text.

import { unescape } from "./links.js";

/**
 * Nodes and strings of a line of marked-up text.
 * A rule is [sticky pattern, build(match)]; build returns a node, a list, or null to decline.
 */
export function scan(text, rules, starters) {
  const parts = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const taken = starters.test(text[at]) ? take(text, at, rules) : null;
    if (!taken) {
      plain += text[at];
      at += 1;
      continue;
    }
    if (plain) parts.push(unescape(plain));
    plain = "";
    parts.push(taken.built);
    at += taken.length;
  }
  if (plain) parts.push(unescape(plain));
  return parts;
}

function take(text, at, rules) {
  for (const [pattern, build] of rules) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    const built = match && build(match);
    if (built) return { built, length: match[0].length };
  }
  return null;
}
