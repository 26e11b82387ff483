import { h } from "../element.js";

function cell(tag, content, alignment) {
  const node = h(tag, {}, content);
  node.style.textAlign = alignment ?? "left";
  return node;
}

/** A table from rows of cell contents, the first row its head; wide ones scroll inside the message. */
export function table([head, ...body], alignments = []) {
  const fit = (row) => head.map((_, index) => row[index] ?? []);
  return h(
    "div",
    { class: "table-frame", tabindex: "0", role: "region", "aria-label": "Table" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          head.map((content, index) => cell("th", content, alignments[index])),
        ),
      ),
      h(
        "tbody",
        {},
        body.map((row) =>
          h(
            "tr",
            {},
            fit(row).map((content, index) => cell("td", content, alignments[index])),
          ),
        ),
      ),
    ),
  );
}
