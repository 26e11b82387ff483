// How far each person has read, for as long as the tab lives. What was there when the tab opened counts as read.

const KEPT = "slacksim.read";

export class Reading {
  #marks = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");

  /** Notes that a person has read a channel up to a ts. */
  mark(user, channel, ts) {
    this.#marks[`${user}/${channel}`] = ts;
    this.#keep();
  }

  /** The messages, of all that a person may read, that they have not read yet. */
  unread(user, messages) {
    if (!this.#marks.opened) {
      this.#marks.opened =
        messages
          .map((message) => message.ts)
          .sort()
          .at(-1) ?? "0";
      this.#keep();
    }
    const readUpTo = (channel) => Math.max(Number(this.#marks[`${user}/${channel}`] ?? 0), Number(this.#marks.opened));
    return messages.filter((message) => message.user !== user && Number(message.ts) > readUpTo(message.channel));
  }

  forget() {
    this.#marks = {};
    this.#keep();
  }

  #keep() {
    sessionStorage.setItem(KEPT, JSON.stringify(this.#marks));
  }
}
