// The control API of the local workspace. Each call resolves to its JSON or throws `Refusal` with a line to show.

export class Refusal extends Error {
  constructor(status, code) {
    super(`The workspace refused: ${code} (HTTP ${status})`);
    this.status = status;
    this.code = code;
  }
}

async function call(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The workspace does not answer. It is tried again in a moment.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok || body.ok === false) throw new Refusal(response.status, body.error ?? "unknown_error");
  return body;
}

function get(name, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return call(`/_sim/${name}?${new URLSearchParams(given)}`);
}

function post(name, body = {}) {
  return call(`/_sim/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

export const api = {
  world: () => get("world"),
  messages: (channel, user) => get("messages", { channel, as_user: user }),
  everything: (user) => get("messages", { as_user: user }),
  ephemerals: (user) => get("ephemerals", { user }),
  calls: (limit) => get("calls", { limit }),
  deliveries: (limit) => get("deliveries", { limit }),
  upload: (user, file) =>
    call(`/_sim/files?${new URLSearchParams({ user, name: file.name })}`, {
      method: "POST",
      headers: { "Content-Type": file.type || "application/octet-stream" },
      body: file,
    }),
  speak: (body) => post("messages", body),
  edit: (body) => post("edit", body),
  remove: (body) => post("delete", body),
  react: (body) => post("react", body),
  click: (body) => post("click", body),
  command: (body) => post("command", body),
  home: (body) => post("home", body),
  modal: (user) => get("view", { user }),
  pressInModal: (body) => post("press", body),
  submitModal: (body) => post("submit", body),
  leaveModal: (body) => post("leave", body),
  join: (user, channel) => post("members", { user, channel }),
  open: (user, users) => post("open", { user, users }),
  fault: (body) => post("faults", body),
  disconnect: (reason) => post("disconnect", { reason }),
  reset: () => post("reset"),
};
