// The only way this page makes elements. Text becomes text nodes; markup in data stays text.

const SVG = "http://www.w3.org/2000/svg";

function present(child) {
  return child !== null && child !== undefined && child !== false && child !== "";
}

/** An element with attributes, `data` (its dataset), `on<event>` listeners, and children (nodes, strings or nested arrays). */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "data") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter(present));
  return node;
}

const SHAPES = {
  pediment: "M12 3.5 3.5 8.5h17zM6 11v6M10 11v6M14 11v6M18 11v6M4 20h16",
  lock: "M6.5 11h11v8.5h-11zM9 11V8a3 3 0 0 1 6 0v3",
  hash: "M9.5 4.5 8 19.5M16 4.5 14.5 19.5M4.5 9.5h15.5M4 14.5h15.5",
  people:
    "M9 11.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3.5 19c.4-3 2.500-4.800 5.500-4.800s5.100 1.800 5.500 4.800M15.500 5.800a2.800 2.800 0 0 1 0 5.400M17 14.500c2 .600 3.200 2.200 3.500 4.500",
  reply: "M9.5 6 4.5 11l5 5M4.500 11H14a5.500 5.500 0 0 1 5.500 5.500V18",
  smile:
    "M12 20.500a8.500 8.500 0 1 0 0-17 8.500 8.500 0 0 0 0 17zM8.500 14c.8 1.300 2 2 3.500 2s2.700-.7 3.500-2M9.300 9.500v.4M14.700 9.500v.4",
  pencil: "M4.500 19.500l1-4L16.500 4.500l3 3L8.500 18.500z",
  trash: "M5 7h14M9.500 7V4.500h5V7M7 7l.8 12.500h8.400L17 7",
  close: "M6 6l12 12M18 6 6 18",
  chevron: "M7 10l5 5 5-5",
  menu: "M4 7h16M4 12h16M4 17h16",
  send: "M4.500 12 20 4.500 15 20l-3.500-6.500zM11.500 13.500 20 4.500",
  plus: "M12 5.500v13M5.500 12h13",
  gauge: "M4 18.500a9 9 0 1 1 16 0M12 14l3.500-4.500",
  clip: "M18.500 11.500 12 18a4 4 0 0 1-5.700-5.700l7.200-7.200a2.700 2.700 0 0 1 3.800 3.800l-7 7a1.300 1.300 0 0 1-1.900-1.900l6-6",
  eye: "M3 12c2.500-4 5.500-6 9-6s6.500 2 9 6c-2.500 4-5.500 6-9 6s-6.500-2-9-6zM12 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  check: "M5 12.500l4.500 4.500L19 7.500",
  picture: "M4 5.500h16v13H4zM4 15.500l4.500-4.500 4 4 3-2.500 4.500 4M15.500 9.500v.2",
  up: "M7.500 20V10.500L11.500 4c1.300 0 2 .900 2 2.200L13 10h5.500c1 0 1.700.9 1.500 1.900l-1.300 6.400c-.2 1-1 1.700-2 1.700zM4 10.500h3.500V20H4z",
  down: "M16.500 4v9.500L12.500 20c-1.300 0-2-.9-2-2.200L11 14H5.500c-1 0-1.700-.9-1.500-1.900l1.300-6.400C5.500 4.700 6.300 4 7.300 4zM20 13.500h-3.500V4H20z",
};

/** A line drawing of 24 by 24 units in the colour of the text; decoration, hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** A button that shows only a drawing; `label` is its name for tooltips and screen readers. */
export function iconButton(name, label, attributes = {}) {
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, ...attributes },
    icon(name),
  );
}
