
(() => {
  "use strict";
  const LABEL_ANEW = 5 * 60 * 1000;     // a label read again within so long is the same tap
  const KEPT = 35 * 24 * 3600 * 1000;   // how long this phone knows what it has read
  const KEPT_MOST = 300, BATCH = 50, PATIENCE = 15000, FIRST_PAUSE = 2000, LONGEST_PAUSE = 300000;
  const AGAIN = [408, 425, 429], FINAL = [400, 413, 415, 422];

  const facts = JSON.parse(document.getElementById("landing").dataset.facts);
  const part = (id) => document.getElementById(id);
  const has = (object, name) => Object.prototype.hasOwnProperty.call(object, name);
  const say = (name, values = {}) => facts.words[name].replace(/\{(\w+)\}/g, (all, key) => has(values, key) ? String(values[key]) : all);

  // --- what this phone keeps -----------------------------------------------------------------------------------

  const inMemory = new Map();
  let keeps = true;

  function load(name) {
    try {
      const found = JSON.parse(localStorage.getItem("fgw." + name));
      return found === null && inMemory.has(name) ? inMemory.get(name) : found;
    } catch {
      return inMemory.has(name) ? inMemory.get(name) : null;
    }
  }

  function save(name, value) {
    inMemory.set(name, value);
    try {
      localStorage.setItem("fgw." + name, JSON.stringify(value));
      inMemory.delete(name);
    } catch {
      keeps = false;
    }
  }

  function table(name) {
    const found = load(name);
    return found !== null && typeof found === "object" && !Array.isArray(found) ? found : {};
  }

  function note(name, key, value) {
    const oldest = Date.now() - KEPT;
    const kept = Object.entries({...table(name), [key]: value})
      .filter(([, one]) => one !== null && typeof one === "object" && one.at > oldest)
      .sort(([, one], [, other]) => other.at - one.at).slice(0, KEPT_MOST);
    save(name, Object.fromEntries(kept));
  }

  function list(found) {
    return Array.isArray(found) ? found.filter((one) => one !== null && one !== undefined) : [];
  }

  function queue() {
    return list(load("queue")).filter((one) => typeof one.guard === "string" && one.tap && typeof one.tap.id === "string");
  }

  function guard() {
    const found = load("guard");
    return typeof found === "string" && found ? found : null;
  }

  function uuid() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    const hex = Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  function device() {
    const found = load("device");
    if (typeof found === "string" && /^web-[0-9a-f]{16}$/.test(found)) return found;
    const made = "web-" + uuid().replace(/-/g, "").slice(0, 16);
    save("device", made);
    return made;
  }

  // --- the tap of this page ------------------------------------------------------------------------------------

  let mine = null;       // {id, at}
  let doubt = false;     // an old label: a person has to say that they are there
  let asking = false;    // who it is, although somebody is remembered
  let wrong = "";        // what is wrong with that
  let trouble = "";      // why the last try failed
  let sending = false;

  function isReturn() {
    const [entry] = performance.getEntriesByType("navigation");
    const type = entry ? entry.type : "navigate";
    let before = false;
    try {
      before = sessionStorage.getItem("fgw." + facts.key) !== null;
      sessionStorage.setItem("fgw." + facts.key, "1");
    } catch { /* the kind of navigation has to do */ }
    return before || type === "reload" || type === "back_forward";
  }

  function begin() {
    if (facts.tap !== null) {
      const known = table("seen")[facts.key];
      const returned = isReturn();
      const same = known && typeof known.id === "string" && (facts.how === "nfc" || Date.now() - known.at < LABEL_ANEW);
      if (same) mine = {id: known.id, at: known.at};
      else if (facts.how === "qr" && returned) doubt = true;
      else make(Math.round(performance.timeOrigin));
      if (mine && guard()) enqueue();
    }
    render();
    flush();
  }

  function make(at) {
    const now = Date.now();
    mine = {id: uuid(), at: at > now - 120000 && at <= now ? at : now};
    note("seen", facts.key, mine);
    doubt = false;
  }

  function enqueue() {
    const items = queue();
    if (table("told")[mine.id] || items.some((one) => one.tap.id === mine.id)) return;
    const name = guard();
    items.push({guard: name, tap: {id: mine.id, ts: mine.at, ...facts.tap, guard: name, how: facts.how}});
    save("queue", items);
  }

  // --- sending -------------------------------------------------------------------------------------------------

  let tries = 0, timer = 0, one = false;

  async function flush() {
    clearTimeout(timer);
    if (sending || !queue().length) return;
    sending = true;
    render();
    try {
      await (navigator.locks ? navigator.locks.request("fgw.queue", drain) : drain());
    } finally {
      sending = false;
      render();
    }
  }

  async function drain() {
    for (let items = queue(); items.length; items = queue()) {
      const batch = items.filter((each) => each.guard === items[0].guard).slice(0, one ? 1 : BATCH);
      const answer = await post(batch, items.length - batch.length);
      trouble = answer.words || "";
      if (answer.again) return later(answer.after);
      if (answer.stuck) {
        if (answer.stuck === 401) { asking = true; wrong = say("who_again"); }
        return;
      }
      if (answer.refused && batch.length > 1) { one = true; continue; }
      settle(batch, answer);
      tries = 0;
      render();
    }
    one = false;
  }

  async function post(batch, left) {
    const headers = {"Content-Type": "application/json", "Accept": "application/json"};
    const token = table("tokens")[batch[0].guard];
    if (typeof token === "string" && token) headers.Authorization = "Bearer " + token;
    const body = JSON.stringify({device: device(), sent: Date.now(), queued: left, taps: batch.map((each) => each.tap)});
    const stop = new AbortController();
    const late = setTimeout(() => stop.abort(), PATIENCE);
    try {
      const answer = await fetch("api/v1/taps", {method: "POST", headers, body, signal: stop.signal, cache: "no-store", redirect: "error"});
      const found = await answer.json().catch(() => null);
      const words = found && typeof found.detail === "string" ? found.detail : String(answer.status);
      if (answer.status >= 500 || AGAIN.includes(answer.status)) return {again: true, after: Number(answer.headers.get("Retry-After")) * 1000 || 0, words};
      if (FINAL.includes(answer.status) && found) return {refused: true, words};
      if (!answer.ok) return {stuck: answer.status, words};
      if (!found || !Array.isArray(found.results)) return {again: true, after: 0, words: say("answer_odd")};
      const results = new Map(found.results.filter((each) => each && typeof each.id === "string").map((each) => [each.id.toLowerCase(), each]));
      if (!batch.every((each) => results.has(each.tap.id.toLowerCase()))) return {again: true, after: 0, words: say("answer_odd")};
      return {results};
    } catch {
      return {again: true, after: 0, words: say("unreached")};
    } finally {
      clearTimeout(late);
    }
  }

  function settle(batch, answer) {
    for (const each of batch) {
      const found = answer.results ? answer.results.get(each.tap.id.toLowerCase()) : {status: "refused", detail: answer.words};
      note("told", each.tap.id, {
        at: Date.now(), status: String(found.status), grade: String(found.grade || ""), detail: String(found.detail || ""),
        flags: list(found.flags).map((flag) => ({name: String(flag.flag), counts: flag.counts === true, title: flag.title || {}})),
        outcomes: list(found.rounds).map((round) => String(round.outcome || "")),
      });
    }
    const done = new Set(batch.map((each) => each.tap.id));
    save("queue", queue().filter((each) => !done.has(each.tap.id)));
    trouble = "";
  }

  function later(after) {
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** tries) * (0.5 + Math.random());
    tries = Math.min(tries + 1, 10);
    timer = setTimeout(flush, Math.max(pause, Math.min(after, LONGEST_PAUSE)));
  }

  // --- showing -------------------------------------------------------------------------------------------------

  function render() {
    const items = queue(), name = guard();
    const told = mine && table("told")[mine.id];
    const waits = mine && items.some((each) => each.tap.id === mine.id);
    part("who").hidden = !((mine && !told && !waits && !name) || asking);
    part("who-wrong").textContent = wrong;
    part("once-more").hidden = !doubt;
    part("old").textContent = say("old_label");
    part("you").hidden = !name || !part("who").hidden;
    part("name").textContent = name ? say("you", {guard: name}) : "";
    part("queue").hidden = !items.length || sending;
    part("waiting").textContent = say("waiting", {count: items.length});
    if (told) judged(told);
    else if (waits && sending) show("wait", "…", say("sending"), "");
    else if (waits) show("wait", "⏳", say("queued"), trouble ? say("stuck", {words: trouble}) : "", [say(keeps ? "queued_more" : "unkept")]);
    else part("judgement").hidden = true;
    part("made").textContent = mine ? say("made_at", {time: new Date(mine.at).toLocaleTimeString(facts.lang, {timeZone: facts.zone})}) : "";
  }

  function judged(told) {
    const flags = list(told.flags), grade = told.grade;
    const counts = flags.every((flag) => flag.counts);
    const reasons = [
      ...list(told.outcomes).filter((name) => has(facts.outcomes, name)).map((name) => facts.outcomes[name]),
      ...flags.map((flag) => String(flag.title[facts.lang.slice(0, 2)] || flag.name)),
    ];
    if (told.status === "refused") show("bad", "✕", say("refused"), told.detail, [...reasons, say("refused_more")]);
    else if (told.status === "duplicate") show(counts ? "good" : "odd", "✓", say("duplicate"), counts && grade ? say("duplicate_counts", {grade}) : counts ? "" : say("duplicate_kept"), reasons);
    else if (counts) show("good", "✓", say("counted"), say("counts", {grade}), reasons);
    else show("odd", "!", say("kept"), "", reasons);
  }

  function show(tone, mark, verdict, detail, reasons = []) {
    part("judgement").className = "box " + tone;
    part("mark").textContent = mark;
    part("verdict").textContent = verdict;
    part("detail").textContent = detail;
    part("reasons").replaceChildren(...reasons.map((words) => {
      const line = document.createElement("li");
      line.textContent = words;
      return line;
    }));
    part("judgement").hidden = false;
  }

  // --- what a person does --------------------------------------------------------------------------------------

  part("who").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = part("guard").value.trim(), token = part("token").value.trim();
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) { wrong = say("guard_wrong"); render(); return; }
    save("guard", name);
    save("tokens", {...table("tokens"), [name]: token});
    part("token").value = "";
    asking = false;
    wrong = "";
    if (mine) enqueue();
    tries = 0;
    render();
    flush();
  });
  part("change").addEventListener("click", () => { asking = true; part("guard").value = guard() || ""; render(); part("guard").focus(); });
  part("send").addEventListener("click", () => { tries = 0; flush(); });
  part("record-again").addEventListener("click", () => { make(Date.now()); if (guard()) enqueue(); render(); flush(); });
  window.addEventListener("online", () => { tries = 0; flush(); });
  window.addEventListener("storage", render);
  document.addEventListener("visibilitychange", () => { if (begun && document.visibilityState === "visible") flush(); });

  let begun = false;
  function start() {
    if (begun || document.prerendering || document.visibilityState !== "visible") return;
    begun = true;
    begin();
  }
  document.addEventListener("visibilitychange", start);
  document.addEventListener("prerenderingchange", start);
  start();
})();
