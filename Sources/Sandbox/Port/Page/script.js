// The page of the embedded Port. It asks for the state once a second (304 where nothing has changed) and redraws the cards
// that differ. Everything that comes from the registry becomes text nodes, never markup.
"use strict";

const byId = (id) => document.getElementById(id);
const content = byId("content");
const headers = { "x-port-page": "1" };
const known = new Map(); // drawn cards by key: {text, node}
const open = new Set(); // keys of the details that are open
const asked = new Map(); // runs that this page has made, by entity
let state = null;
let tag = null;
let said = new Map(); // what has been told of, by key

// MARK: Nodes

function node(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return made;
}

// Only addresses of the web become links.
function link(address, text) {
  let url = null;
  try { url = new URL(address); } catch { /* no address */ }
  if (!url || !["http:", "https:"].includes(url.protocol)) return text === address ? text : `${text}: ${address}`;
  return node("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, text, " ↗");
}

function badge(value, color, title) {
  const name = /^[a-zA-Z]+$/.test(color ?? "") ? color : "silver";
  return node("span", { class: `badge ${name}`, title }, String(value).replaceAll("_", " "));
}

function time(text) {
  const date = new Date(text);
  if (isNaN(date)) return String(text);
  return node("time", { datetime: date.toISOString(), title: date.toLocaleString(), "data-time": date.toISOString() }, ago(date));
}

function ago(date) {
  const seconds = Math.round((Date.now() - date) / 1000);
  if (seconds < 5) return "just now";
  const [amount, unit] = seconds < 60 ? [seconds, "s"] : seconds < 3600 ? [seconds / 60, "min"]
    : seconds < 86400 ? [seconds / 3600, "h"] : [seconds / 86400, "d"];
  return `${Math.floor(amount)} ${unit} ago`;
}

function more(key, title, ...children) {
  const made = node("details", { open: open.has(key) }, node("summary", {}, title), ...children);
  made.addEventListener("toggle", () => made.open ? open.add(key) : open.delete(key));
  return made;
}

// MARK: Entities

const facts = ["environment", "owner", "region", "version", "plan_summary", "description"];

function titleOf(blueprint, key) { return blueprint.properties[key]?.title ?? key; }

function card(blueprint, entity) {
  const key = `${blueprint.identifier} ${entity.identifier}`;
  const values = entity.properties;
  const shown = new Set(["waiting_for", "last_error"]);
  const names = Object.keys(values).filter((name) => values[name] !== null && values[name] !== "").sort((a, b) =>
    titleOf(blueprint, a).localeCompare(titleOf(blueprint, b)));

  // The state stands beside the title, what else has colours below it with its name.
  const colored = names.filter((name) => blueprint.properties[name]?.enumColors);
  const badges = colored.filter((name) => name.includes("status"));
  const choices = colored.filter((name) => !badges.includes(name) && values[name] !== "nothing");
  const colorOf = (name) => badge(values[name], blueprint.properties[name].enumColors[values[name]], titleOf(blueprint, name));
  const links = names.filter((name) => blueprint.properties[name]?.format === "url" && typeof values[name] === "string");
  const relations = Object.entries(entity.relations).filter(([, value]) => value && value.length);
  for (const name of [...badges, ...choices, ...links]) shown.add(name);
  for (const [name] of relations) shown.add(name);

  const head = facts.filter((name) => values[name] && typeof values[name] === "string");
  for (const name of head) shown.add(name);
  const rest = names.filter((name) => !shown.has(name));
  const buttons = state.actions.filter((action) => entity.actions.includes(action.identifier));
  const run = lastRun(blueprint, entity);

  return node("li", { class: "card", id: anchor(blueprint.identifier, entity.identifier), "data-entity": entity.identifier },
    node("div", { class: "head" },
      node("div", {},
        node("h3", {}, entity.title || entity.identifier),
        node("span", { class: "mono" }, entity.identifier)),
      node("div", { class: "badges" }, badges.map(colorOf))),
    head.length + relations.length + choices.length > 0 && node("dl", { class: "facts" },
      relations.map(([name, value]) => [
        node("dt", {}, blueprint.relations[name]?.title ?? name),
        node("dd", {}, [value].flat().flatMap((target, index) => [
          index ? ", " : null,
          node("a", { href: `#${anchor(blueprint.relations[name]?.target, target)}` }, target),
        ]).filter((part) => part))]),
      choices.map((name) => [node("dt", {}, titleOf(blueprint, name)), node("dd", {}, colorOf(name))]),
      head.map((name) => [node("dt", {}, titleOf(blueprint, name)), node("dd", {}, values[name])])),
    values.waiting_for && values.waiting_for !== "nothing" && node("p", { class: "callout wait" }, `Waiting for ${values.waiting_for}`),
    values.last_error && node("p", { class: "callout bad" }, values.last_error),
    links.length > 0 && node("p", { class: "links" }, links.map((name) => link(values[name], titleOf(blueprint, name)))),
    buttons.length > 0 && node("div", { class: "buttons" }, buttons.map((action) => node("button", {
      type: "button", class: kind(action), "data-action": action.identifier, "data-focus": `${key} ${action.identifier}`,
      "aria-label": `${action.title}: ${entity.title || entity.identifier}`, onclick: () => ask(action, blueprint, entity),
    }, action.title))),
    run && runBox(run, false),
    rest.length > 0 && more(`${key} details`, "Details", node("dl", { class: "facts" }, rest.map((name) => [
      node("dt", {}, titleOf(blueprint, name)), node("dd", {}, value(blueprint.properties[name], values[name])),
    ]))));
}

function anchor(blueprint, identifier) { return encodeURIComponent(`${blueprint} ${identifier}`); }

function value(schema, value) {
  if (typeof value === "object") return node("pre", {}, JSON.stringify(value, null, 1));
  if (schema?.format === "date-time") return time(value);
  if (schema?.format === "markdown" || String(value).includes("\n")) return node("pre", {}, value);
  return String(value);
}

function kind(action) {
  if (action.operation === "DELETE" || /destroy|delete/i.test(action.title)) return "danger";
  return /apply|approve/i.test(action.title) ? "primary" : "";
}

// MARK: Runs

const colors = { SUCCESS: "green", FAILURE: "red", DECLINED: "orange", WAITING_FOR_APPROVAL: "yellow", IN_PROGRESS: "blue" };
const isOver = (run) => ["SUCCESS", "FAILURE", "DECLINED"].includes(run.status);

// The newest run of an entity, while it is under way, or because it was made here.
function lastRun(blueprint, entity) {
  const run = state.runs.find((run) => run.entity?.identifier === entity.identifier && run.blueprint?.identifier === blueprint.identifier);
  return run && (!isOver(run) || asked.get(`${blueprint.identifier} ${entity.identifier}`) === run.id) ? run : null;
}

function runBox(run, inList) {
  const links = [run.link].flat().filter((address) => address);
  const log = run.log.length > 0 && node("ol", { class: "log", tabindex: "0", "aria-label": "Log" },
    run.log.map((line) => node("li", {}, line.message)));
  return node(inList ? "li" : "div", { class: "run", "data-run": run.id, "data-status": run.status },
    node("div", { class: "head" },
      node("div", {}, node("strong", {}, run.action.title ?? run.action.identifier),
        inList && run.entity && [" on ", node("a", { href: `#${anchor(run.blueprint?.identifier, run.entity.identifier)}` },
          run.entity.title || run.entity.identifier)]),
      node("div", { class: "badges" }, run.statusLabel && badge(run.statusLabel, "silver"),
        badge(run.status.toLowerCase(), colors[run.status]))),
    run.status === "IN_PROGRESS" && node("div", { class: "bar" }),
    node("p", { class: "who" }, run.createdBy, " · ", time(run.createdAt)),
    run.summary && node("p", {}, run.summary),
    links.length > 0 && node("p", { class: "links" }, links.map((address) => link(address, "Run"))),
    run.status === "WAITING_FOR_APPROVAL" && node("div", { class: "buttons" },
      ["APPROVE", "DECLINE"].map((decision) => node("button", {
        type: "button", class: decision === "APPROVE" ? "primary" : "", "data-focus": `${run.id} ${decision} ${inList}`,
        onclick: (event) => decide(run, decision, event.target),
      }, decision === "APPROVE" ? "Approve the run" : "Decline"))),
    log && (inList ? more(`${run.id} log`, `Log (${run.log.length})`, log) : log));
}

async function decide(run, status, button) {
  button.disabled = true;
  const answer = await send(`/page/runs/${encodeURIComponent(run.id)}/approval`, { status, user: user() });
  if (answer.message) tell(answer.message);
  refresh();
}

// MARK: Pressing

let question = null;

function user() {
  try { return localStorage.getItem("user") || undefined; } catch { return undefined; }
}

function ask(action, blueprint, entity) {
  const name = entity.title || entity.identifier;
  question = { action, blueprint, entity, fields: [] };
  byId("ask-title").textContent = `${action.title}: ${name}?`;
  byId("ask-text").textContent = action.description || (name === entity.identifier ? "" : entity.identifier);
  byId("ask-yes").textContent = action.title;
  byId("ask-yes").className = `primary ${kind(action)}`;
  byId("ask-yes").disabled = false;
  byId("ask-user").value = user() ?? "";
  byId("ask-user").placeholder = "developer@port-sandbox.local";
  byId("ask-error").hidden = true;
  byId("ask-inputs").replaceChildren(...Object.entries(action.inputs).map(([key, schema]) => input(action, key, schema)));
  byId("ask").showModal();
  (question.fields[0]?.field ?? byId(kind(action) === "danger" ? "ask-no" : "ask-yes")).focus();
}

function input(action, key, schema) {
  const isRequired = action.required.includes(key);
  let field;
  if (schema.enum) {
    field = node("select", {}, !isRequired && node("option", { value: "" }, ""), schema.enum.map((choice) => node("option", {}, String(choice))));
  } else if (schema.type === "boolean") {
    field = node("input", { type: "checkbox" });
  } else {
    field = node("input", { type: schema.type === "number" ? "number" : "text", step: "any" });
  }
  field.required = isRequired && schema.type !== "boolean";
  if (schema.default != null) schema.type === "boolean" ? field.checked = schema.default : field.value = typeof schema.default === "object" ? JSON.stringify(schema.default) : schema.default;
  question.fields.push({ key, schema, field });
  return node("label", { class: "field" }, schema.title ?? key, field);
}

function inputs() {
  const values = {};
  for (const { key, schema, field } of question.fields) {
    if (schema.type === "boolean") values[key] = field.checked;
    else if (field.value === "") continue;
    else if (schema.type === "number") values[key] = Number(field.value);
    else if (["object", "array"].includes(schema.type)) values[key] = JSON.parse(field.value);
    else values[key] = field.value;
  }
  return values;
}

byId("ask-no").addEventListener("click", () => byId("ask").close());

byId("ask").querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { action, blueprint, entity } = question;
  byId("ask-yes").disabled = true;
  try { localStorage.setItem("user", byId("ask-user").value.trim()); } catch { /* not kept, then */ }
  let answer;
  try {
    answer = await send("/page/runs", {
      action: action.identifier, entity: entity.identifier, properties: inputs(), user: byId("ask-user").value.trim() || undefined,
    });
  } catch (error) {
    answer = { message: error.message };
  }
  if (answer.ok) {
    asked.set(`${blueprint.identifier} ${entity.identifier}`, answer.run.id);
    byId("ask").close();
    tell(`${action.title}: sent`);
    refresh();
  } else {
    byId("ask-error").textContent = answer.message ?? "The server refused it.";
    byId("ask-error").hidden = false;
    byId("ask-yes").disabled = false;
  }
});

async function send(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body),
    });
    return await answer.json();
  } catch {
    return { ok: false, message: "The server cannot be reached." };
  }
}

// MARK: Drawing

function tell(text) { byId("news").textContent = text; }

// Says aloud what has changed since the last drawing, but not what was there at first.
function announce() {
  const now = new Map();
  for (const run of state.runs) now.set(run.id, `${run.action.title ?? run.action.identifier}: ${run.status.toLowerCase().replaceAll("_", " ")}`);
  for (const blueprint of state.blueprints) {
    const name = Object.keys(blueprint.properties).find((name) => blueprint.properties[name].enumColors && name.includes("status"));
    for (const entity of blueprint.entities) {
      if (name) now.set(`${blueprint.identifier} ${entity.identifier}`, `${entity.title || entity.identifier}: ${entity.properties[name]}`);
    }
  }
  const news = [...now].filter(([key, text]) => said.size > 0 && said.get(key) !== text).map(([, text]) => text);
  said = now;
  if (news.length > 0) tell(news.slice(0, 3).join(". "));
}

// A card is drawn anew only if what it shows has changed, so that nobody loses their place.
function drawn(key, data, make) {
  const text = JSON.stringify(data);
  if (known.get(key)?.text !== text) known.set(key, { text, node: make() });
  return known.get(key).node;
}

function sectionOf(blueprint) {
  const buttons = state.actions.filter((action) => action.blueprint === blueprint.identifier);
  const cards = blueprint.entities.map((entity) => drawn(`${blueprint.identifier} ${entity.identifier}`,
    [entity, blueprint.properties, buttons, lastRun(blueprint, entity)], () => card(blueprint, entity)));
  const isSearch = byId("search").value.trim() !== "";
  const count = blueprint.found > cards.length ? `${cards.length} of ${blueprint.found}: search to see others`
    : isSearch ? `${blueprint.found} of ${blueprint.total}` : String(blueprint.total);
  return node("section", { "data-blueprint": blueprint.identifier },
    node("h2", {}, blueprint.title ?? blueprint.identifier, node("small", {}, count)),
    cards.length > 0 ? node("ul", { class: "cards" }, cards) : node("p", { class: "empty" },
      isSearch && blueprint.total > 0 ? "Nothing here has these words." : [
        node("strong", {}, "Nothing here yet"),
        buttons.length > 0 || Object.keys(blueprint.relations ?? {}).length > 0
          ? ["Submit a blueprint: ", node("code", {}, "pine up FILE")]
          : ["They appear when PORC has read its templates: ", node("code", {}, "porc dev --templates FOLDER")],
      ]));
}

function draw() {
  const active = document.activeElement;
  const lines = [...content.querySelectorAll(".log")].map((log) => log.scrollTop);
  const parts = state.blueprints.map(sectionOf);
  if (parts.length === 0) {
    parts.push(node("p", { class: "empty" }, node("strong", {}, "This registry is empty"),
      "PORC makes its blueprints when it starts: ", node("code", {}, "porc dev"), ", or ", node("code", {}, "porc port setup"), "."));
  }
  if (state.runs.length > 0) {
    parts.push(node("section", { id: "runs" }, node("h2", {}, "Recent action runs"),
      node("ul", { class: "runs" }, state.runs.map((run) => drawn(run.id, run, () => runBox(run, true))))));
  }
  content.replaceChildren(...parts);
  const live = new Set(state.runs.map((run) => run.id).concat(state.blueprints.flatMap((blueprint) =>
    blueprint.entities.map((entity) => `${blueprint.identifier} ${entity.identifier}`))));
  for (const key of known.keys()) if (!live.has(key)) known.delete(key);
  [...content.querySelectorAll(".log")].forEach((log, index) => { log.scrollTop = lines[index] ?? 0; });
  if (active !== document.activeElement) {
    const again = active.isConnected ? active
      : [...content.querySelectorAll("[data-focus]")].find((button) => button.dataset.focus === active.dataset.focus);
    again?.focus({ preventScroll: true });
  }
  announce();
}

function connected(isLive, text) {
  byId("connection").textContent = text;
  byId("connection").className = `connection ${isLive ? "live" : "lost"}`;
}

// MARK: Staying current

let timer = null;
let reading = null;

async function read() {
  const query = byId("search").value.trim();
  try {
    const answer = await fetch(`/page/state?q=${encodeURIComponent(query)}`, {
      headers: tag ? { ...headers, "if-none-match": tag } : headers, cache: "no-store", signal: AbortSignal.timeout(10000),
    });
    if (answer.status === 200) {
      state = await answer.json();
      tag = answer.headers.get("etag");
      draw();
    } else if (answer.status !== 304) {
      const reason = await answer.json();
      connected(false, reason.message);
      return 3000;
    }
    connected(true, "live");
    return 1000;
  } catch {
    connected(false, "no connection");
    return 2000;
  }
}

// One reading at a time: what is asked for meanwhile comes after it.
async function refresh() {
  clearTimeout(timer);
  while (reading) await reading;
  reading = read();
  const pause = await reading;
  reading = null;
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(refresh, pause);
}

document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
byId("search").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(refresh, 150); });
setInterval(() => {
  for (const element of document.querySelectorAll("[data-time]")) {
    const text = ago(new Date(element.dataset.time));
    if (element.textContent !== text) element.textContent = text;
  }
}, 5000);
refresh();
