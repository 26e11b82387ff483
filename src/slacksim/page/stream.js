// Server-Sent Events for the acting person. After a break a new stream is opened, a little later each time:
// the browser's own reconnecting waits three seconds, and gives up when the server refuses.

const KINDS = ["message", "changed", "deleted", "reaction", "ephemeral", "channel", "status", "suggestions", "view", "home", "reset"];
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

export class Stream {
  #source = null;
  #timer = null;
  #wait = FIRST_WAIT;
  #opened = false;

  /** `onEvent(kind, data)`, `onReturn()` after a gap in which events may have been missed, `onState(connected)`. */
  constructor({ onEvent, onReturn, onState }) {
    Object.assign(this, { onEvent, onReturn, onState });
  }

  open(user) {
    this.close();
    this.#opened = false;
    this.#connect(user);
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  #connect(user) {
    const source = new EventSource(`/_sim/stream?user=${encodeURIComponent(user)}`);
    this.#source = source;
    source.onopen = () => {
      this.#wait = FIRST_WAIT;
      this.onState(true);
      if (this.#opened) this.onReturn();
      this.#opened = true;
    };
    source.onerror = () => {
      if (this.#source !== source) return;
      source.close();
      this.onState(false);
      this.#retry(user);
    };
    for (const kind of KINDS) source.addEventListener(kind, (event) => this.onEvent(kind, JSON.parse(event.data)));
  }

  #retry(user) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(user), this.#wait);
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
  }
}
