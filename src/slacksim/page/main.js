// Puts the parts of the page together.

import { permalinkPlace } from "./address.js";
import { Conversation } from "./conversation.js";
import { h } from "./element.js";
import { Inspector } from "./inspector.js";
import { Modal } from "./modal.js";
import { Rail } from "./rail.js";
import { Session } from "./session.js";
import { Workspace } from "./state.js";
import { Thread } from "./thread.js";

const page = document.getElementById("workspace");
const workspace = new Workspace();
const session = new Session(workspace);
const view = { workspace, session };

function showRail(isShown) {
  page.classList.toggle("rail-open", isShown);
}

function toggleInspector(isOpen = inspector.node.hidden) {
  inspector.toggle(isOpen);
  page.classList.toggle("inspector-open", isOpen);
  page.querySelector(".inspector-toggle").setAttribute("aria-expanded", String(isOpen));
}

const rail = new Rail(view, () => showRail(false));
const conversation = new Conversation(view, { onMenu: () => showRail(true), onInspect: () => toggleInspector() });
const thread = new Thread(view);
const inspector = new Inspector(workspace, () => toggleInspector(false));
const veil = h("div", { class: "veil", onclick: () => showRail(false) });
page.append(rail.node, conversation.node, thread.node, inspector.node, veil, new Modal(view).node);

page.addEventListener("keydown", (event) => event.key === "Escape" && showRail(false));

// links to messages of this workspace open in place; a modified click still opens a tab
document.addEventListener("click", (event) => {
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  const anchor = event.target.closest("a[href]");
  const place = anchor && isPlain && permalinkPlace(anchor.href, workspace.world.team.url);
  if (place) {
    event.preventDefault();
    session.openPlace(place);
  }
  const channel = event.target.closest("[data-open-channel]");
  if (channel) session.openChannel(channel.dataset.openChannel);
});

async function start() {
  try {
    await session.start();
    page.dataset.ready = "true";
  } catch (error) {
    page.replaceChildren(
      h(
        "p",
        { class: "failure", role: "alert" },
        error.message,
        " ",
        h("button", { type: "button", class: "solid-button", onclick: () => location.reload() }, "Try again"),
      ),
    );
  }
}

start();
