// What a person does in the workspace: act as someone, go somewhere, say something; and what the stream brings.

import { readAddress, writeAddress } from "./address.js";
import { api } from "./api.js";
import { Archive } from "./archive.js";
import { Reading } from "./reading.js";
import { Stream } from "./stream.js";
import { toast } from "./toast.js";

const REMEMBERED_USER = "slacksim.user";
const WIDE = matchMedia("(min-width: 900px)");

export class Session {
  #workspace;
  #stream;
  #reading = new Reading();
  #asked = new Set();
  #archive;

  constructor(workspace) {
    this.#workspace = workspace;
    this.#archive = new Archive(workspace);
    this.#stream = new Stream({
      onEvent: (kind, data) => this.#receive(kind, data),
      onReturn: () => this.#catchUp(),
      onState: (connected) => {
        workspace.connected = connected;
        workspace.emit("stream");
      },
    });
  }

  async start() {
    await this.#loadWorld();
    const { world } = this.#workspace;
    const people = world.users.filter((user) => !user.is_bot);
    const wanted = [readAddress().user, localStorage.getItem(REMEMBERED_USER)];
    const me = wanted.map((id) => people.find((user) => user.id === id || user.name === id)).find(Boolean) ?? people[0];
    await this.#become(me.id, readAddress());
    addEventListener("popstate", () => this.#follow(readAddress()));
  }

  /** Acts as another person, in the same channel when they may see it, otherwise in their first one. */
  async actAs(userId) {
    if (userId === this.#workspace.me) return;
    const { channelId, threadTs } = this.#workspace;
    await this.#become(userId, { channel: channelId, thread: threadTs });
  }

  async openChannel(channelId, { thread = null, highlight = null } = {}) {
    const workspace = this.#workspace;
    workspace.channelId = channelId;
    workspace.threadTs = thread;
    workspace.goHome(false);
    workspace.highlighted = highlight;
    workspace.emit("place");
    writeAddress({ user: workspace.me, channel: channelId, thread });
    await this.#archive.fetch(channelId);
    this.#markRead(channelId);
    if (workspace.isTalk(channelId)) this.attempt(() => api.home({ user: workspace.me, tab: "messages" }));
  }

  openThread(ts, highlight = null) {
    const workspace = this.#workspace;
    workspace.threadTs = ts;
    workspace.highlighted = highlight;
    workspace.emit("place");
    writeAddress({ user: workspace.me, channel: workspace.channelId, thread: ts });
  }

  closeThread() {
    this.openThread(null);
  }

  /** Opens the message that a permalink names: its channel, its thread when it is in one, and marks it. */
  async openPlace({ channel, ts, thread }) {
    if (!this.#workspace.visibleChannels.some((each) => each.id === channel)) {
      toast(`${this.#workspace.userName(this.#workspace.me)} cannot see that conversation.`);
      return;
    }
    await this.openChannel(channel, { thread, highlight: ts });
    if (!ts) return;
    const message = this.#workspace.message(channel, ts);
    if (!message) toast("That message is no longer there.");
    else if (message.thread_ts) this.openThread(message.thread_ts, ts);
  }

  async openDirect(userIds) {
    const [only] = userIds;
    const known = userIds.length === 1 && this.#workspace.directWith(only);
    if (known) return this.openChannel(known.id);
    return this.attempt(async () => {
      const { channel } = await api.open(this.#workspace.me, userIds);
      await this.#loadWorld();
      await this.openChannel(typeof channel === "string" ? channel : channel.id);
    });
  }

  /** Makes the acting person a member of a public channel, so that they can write there. */
  join(channelId) {
    return this.attempt(async () => {
      await api.join(this.#workspace.me, channelId);
      await this.#loadWorld();
    });
  }

  /** Sends a slash command, which nobody else sees: the answer comes as an aside. */
  command(channel, text) {
    return api.command({ user: this.#workspace.me, channel, text });
  }

  async openHome() {
    const user = this.#workspace.me;
    this.#workspace.goHome(true);
    const answer = await this.attempt(() => api.home({ user }));
    if (answer && this.#workspace.me === user && !this.#workspace.home) this.#workspace.showHome(answer.view);
  }

  leaveHome() {
    this.#workspace.goHome(false);
  }

  pressAtHome(action_id) {
    return this.attempt(() => api.home({ user: this.#workspace.me, action_id }));
  }

  async speak({ channel, text, threadTs, files = [] }) {
    const user = this.#workspace.me;
    const uploads = await Promise.all(files.map((file) => api.upload(user, file)));
    const shared = uploads.length && { files: uploads.map((upload) => upload.file) };
    const { ts } = await api.speak({ user, channel, text, ...(threadTs && { thread_ts: threadTs }), ...shared });
    const workspace = this.#workspace;
    if (user !== workspace.me) return;
    if (!workspace.message(channel, ts))
      workspace.putMessage(channel, { ts, user, text, ...(threadTs && { thread_ts: threadTs }) });
    if (threadTs) return;
    this.#asked.add(ts);
    // an answer may have begun before the workspace said that the question arrived
    for (const reply of workspace.replies(channel, ts)) this.#showAnswer(channel, reply);
  }

  edit(channel, ts, text) {
    return this.attempt(() => api.edit({ channel, ts, text, user: this.#workspace.me }));
  }

  remove(channel, ts) {
    return this.attempt(() => api.remove({ channel, ts, user: this.#workspace.me }));
  }

  react(channel, message, name) {
    const user = this.#workspace.me;
    const remove = (message.reactions ?? []).some((each) => each.name === name && each.users.includes(user));
    return this.attempt(() => api.react({ channel, ts: message.ts, user, name, ...(remove && { remove }) }));
  }

  click(channel, ts, element) {
    this.#workspace.pressed.add(`${ts}/${element.action_id}/${element.value ?? ""}`);
    this.#workspace.emit("messages");
    return this.attempt(() => api.click({ user: this.#workspace.me, channel, ts, ...element }));
  }

  pressInModal(viewId, element) {
    return this.attempt(() => api.pressInModal({ user: this.#workspace.me, view_id: viewId, ...element }));
  }

  submitModal(viewId, values) {
    return this.attempt(() => api.submitModal({ user: this.#workspace.me, view_id: viewId, values }));
  }

  leaveModal(viewId) {
    return this.attempt(() => api.leaveModal({ user: this.#workspace.me, view_id: viewId }));
  }

  /** Runs an action and shows its refusal as one line. */
  async attempt(action) {
    try {
      return await action();
    } catch (error) {
      toast(error.message);
      return undefined;
    }
  }

  async #become(userId, place) {
    const workspace = this.#workspace;
    workspace.me = userId;
    workspace.forgetPerson();
    workspace.showHome(null);
    this.#asked.clear();
    localStorage.setItem(REMEMBERED_USER, userId);
    workspace.emit("me");
    this.#stream.open(userId);
    this.#archive.fetchAsides();
    this.#fetchModal(userId);
    await this.#follow(place);
    await this.#findUnread(userId);
  }

  async #follow({ channel, thread, ts }) {
    const workspace = this.#workspace;
    if (channel && ts) {
      if (!workspace.channelId) await this.#openFirst();
      return this.openPlace({ channel, thread, ts });
    }
    if (!workspace.visibleChannels.some((each) => each.id === channel)) return this.#openFirst();
    return this.openChannel(channel, { thread });
  }

  #openFirst() {
    const open = this.#workspace.visibleChannels.filter((channel) => !channel.is_archived);
    const mine = open.find((channel) => channel.members.includes(this.#workspace.me)) ?? open[0];
    return mine ? this.openChannel(mine.id) : undefined;
  }

  async #loadWorld() {
    this.#workspace.world = await api.world();
    this.#workspace.emit("world");
  }

  async #fetchModal(userId) {
    const answer = await this.attempt(() => api.modal(userId));
    if (answer && this.#workspace.me === userId) this.#workspace.showModal(answer.view);
  }

  async #findUnread(userId) {
    const answer = await this.attempt(() => api.everything(userId));
    const workspace = this.#workspace;
    if (!answer || workspace.me !== userId) return;
    for (const message of this.#reading.unread(userId, answer.messages)) {
      if (message.channel !== workspace.channelId)
        workspace.markUnread(message.channel, this.#callsMe(message.channel, message));
    }
  }

  #markRead(channelId) {
    const last = this.#workspace.messages(channelId).at(-1);
    if (last) this.#reading.mark(this.#workspace.me, channelId, last.ts);
    this.#workspace.markRead(channelId);
  }

  async #startOver() {
    this.#reading.forget();
    await this.attempt(() => this.#loadWorld());
    await this.#become(this.#workspace.me, { channel: this.#workspace.channelId });
  }

  async #catchUp() {
    this.#workspace.forgetStatuses();
    this.#fetchModal(this.#workspace.me);
    await this.attempt(() => this.#loadWorld());
    await this.#archive.fetch(this.#workspace.channelId);
    await this.#archive.fetchAsides();
  }

  #receive(kind, data) {
    const workspace = this.#workspace;
    const { channel, message } = data;
    if (kind === "reset") return this.#startOver();
    if (kind === "channel") return this.attempt(() => this.#loadWorld());
    if (kind === "home") return workspace.showHome(data.view);
    if (kind === "view") return workspace.showModal(data.view);
    if (kind === "ephemeral") return this.#archive.fetchAsides();
    if (kind === "suggestions") return workspace.suggest(channel, data.suggestions);
    if (kind === "status") return workspace.setStatus(channel, data.thread_ts, data.status ?? "");
    if (kind === "deleted") return this.#archive.drop(channel, data.ts);
    this.#archive.put(channel, message);
    return kind === "message" && this.#notice(channel, message);
  }

  #notice(channel, message) {
    const workspace = this.#workspace;
    if (channel !== workspace.channelId) {
      if (message.user !== workspace.me) workspace.markUnread(channel, this.#callsMe(channel, message));
      return;
    }
    this.#markRead(channel);
    this.#showAnswer(channel, message);
  }

  /** Opens the thread of an answer to what was asked here in this tab, where there is room for it. */
  #showAnswer(channel, message) {
    const { threadTs, channelId } = this.#workspace;
    const isAnswer = this.#asked.has(message.thread_ts) && this.#workspace.author(message).is_bot;
    if (isAnswer && !threadTs && channelId === channel && WIDE.matches) this.openThread(message.thread_ts);
  }

  #callsMe(channelId, message) {
    const kind = this.#workspace.channel(channelId)?.kind;
    return kind === "im" || kind === "mpim" || (message.text ?? "").includes(`<@${this.#workspace.me}`);
  }
}
