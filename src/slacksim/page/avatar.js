import { h, icon } from "./element.js";

const FALLBACK = "6b7378";

function initialsOf(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  return (words.length > 1 ? [words[0], words.at(-1)] : words).map((word) => [...word][0].toUpperCase()).join("");
}

/** Black or white, whichever reads better on the colour (WCAG relative luminance, crossing at 0.179). */
function inkOn(hex) {
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const level = parseInt(hex.slice(at, at + 2), 16) / 255;
    return level <= 0.03928 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#10120f" : "#ffffff";
}

/** A square of the user's colour with initials; the workspace's own app wears its emblem. */
export function avatar(user, size = "medium") {
  const given = String(user?.color ?? "").replace("#", "");
  const color = /^[0-9a-f]{6}$/i.test(given) ? given : FALLBACK;
  const name = user?.real_name || user?.name || "?";
  const node = h(
    "span",
    { class: `avatar avatar-${size}`, "aria-hidden": "true" },
    user?.is_bot ? icon("pediment") : initialsOf(name),
  );
  if (user?.is_bot) node.classList.add("avatar-app");
  else {
    node.style.backgroundColor = `#${color}`;
    node.style.color = inkOn(color);
  }
  return node;
}
