// A first step for a newcomer: questions that fill the composer. Shown in the first channel and in an empty talk with the app.

import { h, iconButton } from "./element.js";

const DONE = "slacksim.welcome.done";
const QUESTIONS = [
  { text: "What can you do?" },
  { text: "What did we decide this week?" },
  { text: "Where do I find our deploy policy?" },
];

export class Welcome {
  #workspace;
  #isDone = Boolean(sessionStorage.getItem(DONE));
  #drawn = null;

  constructor(workspace, write) {
    this.#workspace = workspace;
    this.write = write;
    this.node = h("section", {
      class: "welcome",
      "aria-label": "Suggested questions",
      "data-testid": "welcome",
      hidden: true,
    });
  }

  draw(channel, messages) {
    const { world, bot } = this.#workspace;
    const isFirst = channel.id === this.#workspace.visibleChannels.find((each) => each.kind === "public")?.id;
    const isTalk = this.#workspace.isTalk(channel.id);
    this.node.hidden = isTalk ? messages.length > 0 : this.#isDone || !isFirst;
    const offered = isTalk ? this.#workspace.suggestions.get(channel.id) : null;
    const key = `${isTalk}/${bot.id}/${JSON.stringify(offered)}`;
    if (this.node.hidden || key === this.#drawn) return;
    this.#drawn = key;
    const questions = offered ?? (world.team.suggestions?.length ? world.team.suggestions : QUESTIONS);
    this.node.replaceChildren(...this.#card(questions, isTalk));
  }

  #card(questions, isTalk) {
    const name = this.#workspace.userName(this.#workspace.bot.id);
    const fill = (text) => this.write(isTalk ? text : `@${name} ${text}`);
    return [
      h(
        "p",
        { class: "welcome-text" },
        h("strong", {}, `Ask ${name}.`),
        " It answers in the thread, with its sources. Try one:",
      ),
      h(
        "div",
        { class: "welcome-questions" },
        questions
          .slice(0, 4)
          .map(({ text }, index) =>
            h(
              "button",
              {
                type: "button",
                class: "question",
                "data-testid": `suggestion-${index + 1}`,
                onclick: () => fill(text),
              },
              text,
            ),
          ),
      ),
      isTalk ? "" : iconButton("close", "Dismiss the suggestions", { onclick: () => this.finish() }),
    ];
  }

  /** Hides the card for as long as this tab lives: the first step is taken, or not wanted. */
  finish() {
    this.#isDone = true;
    sessionStorage.setItem(DONE, "yes");
    this.node.hidden = true;
  }
}
