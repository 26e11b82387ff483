// Keeps the page's copy of conversations true: fetches them, and applies what the stream brings.

import { api, Refusal } from "./api.js";
import { toast } from "./toast.js";

export class Archive {
  #workspace;
  #underWay = new Map();

  constructor(workspace) {
    this.#workspace = workspace;
  }

  /** Fetches a channel. Changes that arrive meanwhile are made again on top: the answer may be older than they are. */
  async fetch(channelId) {
    const user = this.#workspace.me;
    const meanwhile = [];
    this.#underWay.set(channelId, meanwhile);
    try {
      const { messages } = await api.messages(channelId, user);
      if (this.#workspace.me !== user) return;
      this.#workspace.replaceMessages(channelId, messages);
      for (const change of meanwhile) change();
    } catch (error) {
      if (this.#workspace.me === user)
        toast(
          error instanceof Refusal && error.status === 403
            ? "This person may not read that conversation."
            : error.message,
        );
    } finally {
      if (this.#underWay.get(channelId) === meanwhile) this.#underWay.delete(channelId);
    }
  }

  /** Fetches what only the acting person was shown. */
  async fetchAsides() {
    const user = this.#workspace.me;
    try {
      const { ephemerals } = await api.ephemerals(user);
      if (this.#workspace.me === user) this.#workspace.replaceAsides(ephemerals);
    } catch (error) {
      toast(error.message);
    }
  }

  put(channelId, message) {
    this.#apply(channelId, () => this.#workspace.putMessage(channelId, message));
  }

  drop(channelId, ts) {
    this.#apply(channelId, () => this.#workspace.dropMessage(channelId, ts));
  }

  #apply(channelId, change) {
    change();
    this.#underWay.get(channelId)?.push(change);
  }
}
