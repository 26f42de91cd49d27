// Restores by the actuator endpoint "litestream"; see docs/actuator.md.
(() => {
  const element = id => document.getElementById(id);
  const chosen = name => document.querySelector(`input[name=${name}]:checked`).value;
  const size = bytes => bytes < 1_000_000 ? Math.round(bytes / 1_000) + " kB" : (bytes / 1_000_000).toFixed(1) + " MB";
  const short = txid => txid.replace(/^0+(?=.)/, "");
  const PHASES = {
    SYNCING: "replicating what is new", PLANNING: "looking for files", READING: "reading", CHECKING: "checking",
    PUBLISHING: "writing to the disk", COPYING: "copying into the database", DONE: "done"
  };
  let base; // of this database at the endpoint
  let current; // path of the restore that is shown
  let before; // TXID that undoes it

  async function call(path, method = "GET", body = undefined) {
    const response = await fetch(path, {
      method,
      headers: body ? {"Content-Type": "application/json"} : {},
      body: body && JSON.stringify(body)
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.error ?? path + ": HTTP " + response.status);
    return answer;
  }

  function localInput(time) {
    const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
    return local.toISOString().slice(0, 19);
  }

  async function showPoints() {
    const points = await call(base + "/restore-points");
    if (!points.earliest) {
      element("points").textContent = "There is nothing to restore yet.";
      return;
    }
    const files = points.levels.reduce((sum, level) => sum + level.files, 0);
    const from = new Date(points.earliest.time);
    const to = new Date(points.latest.time);
    const point = (time, state) => `${time.toLocaleString()} (TXID ${short(state.txid)})`;
    element("points").textContent =
      `From ${point(from, points.earliest)} to ${point(to, points.latest)}, in ${files} file${files === 1 ? "" : "s"}.`;
    element("moment").min = localInput(from);
    if (!element("moment").value) element("moment").value = localInput(new Date());
    element("txid").placeholder = points.latest.txid;
  }

  function request() {
    const body = {};
    if (chosen("state") === "txid") {
      body.txid = element("txid").value || element("txid").placeholder;
    } else {
      body.timestamp = new Date(element("moment").value).toISOString();
    }
    if (chosen("to") === "inPlace") {
      body.inPlace = true;
    } else {
      body.target = element("target").value;
      body.force = element("force").checked;
    }
    return body;
  }

  // The application works with the newest schema only; an older one comes back with its older state.
  function leadsBehindSchema(body) {
    const since = element("restore-box").dataset.schemaSince;
    if (!body.inPlace || !since) return false;
    return body.txid !== undefined || new Date(body.timestamp) < new Date(since);
  }

  function isConfirmed(body) {
    const since = new Date(element("restore-box").dataset.schemaSince).toLocaleString();
    return !leadsBehindSchema(body) || confirm(`The newest migration of the schema ran at ${since}. A state from before it `
      + "does not fit this application: the notes cannot be read until you undo the restore. Restore it all the same?");
  }

  async function begin(body) {
    element("progress").hidden = false;
    element("restore-error").textContent = "";
    element("phase").textContent = "";
    element("bar").removeAttribute("value");
    element("bar").hidden = element("cancel").hidden = false;
    element("undo").hidden = true;
    try {
      const accepted = await call(base + "/restore", "POST", body);
      current = base + "/" + accepted.location;
      await watch();
    } catch (e) {
      fail(e);
    }
  }

  function fail(e) {
    element("bar").hidden = element("cancel").hidden = true;
    element("restore-error").textContent = e.message;
  }

  async function watch() {
    let restore = await call(current);
    while (restore.state === "RUNNING") {
      showProgress(restore);
      await new Promise(resolve => setTimeout(resolve, 200));
      restore = await call(current);
    }
    showEnd(restore);
    await showPoints();
  }

  function showProgress(restore) {
    let text = PHASES[restore.phase];
    if (restore.phase === "READING") {
      element("bar").value = restore.bytes / restore.totalBytes;
      text += `: ${size(restore.bytes)} of ${size(restore.totalBytes)}, `
        + `file ${restore.files} of ${restore.totalFiles}, ${size(restore.bytesPerSecond)}/s`;
    } else {
      element("bar").removeAttribute("value"); // nobody knows how long
    }
    if (restore.estimatedEnd) text += `, until ${new Date(restore.estimatedEnd).toLocaleTimeString()}`;
    element("phase").textContent = text;
  }

  function showEnd(restore) {
    element("bar").hidden = element("cancel").hidden = true;
    if (restore.state !== "SUCCEEDED") {
      element("phase").textContent = "";
      element("restore-error").textContent =
        restore.state === "CANCELLED" ? "Cancelled; nothing was changed." : restore.error;
      return;
    }
    const result = restore.result;
    const where = restore.inPlace ? "in the database" : "in data-restored/" + restore.target;
    element("phase").textContent = `The state of ${new Date(result.time).toLocaleString()} `
      + `(TXID ${short(result.txid)}) is ${where}.`;
    before = result.before;
    element("undo").hidden = !restore.inPlace;
    if (restore.inPlace) refresh();
  }

  // The page may have been loaded again: the endpoint remembers what it restored, and what it is doing.
  async function showLast() {
    const {restores} = await call(base + "/restores");
    const last = restores[0];
    if (!last || (last.state !== "RUNNING" && !(last.inPlace && last.state === "SUCCEEDED"))) return;
    element("progress").hidden = false;
    current = base + "/restores/" + last.id;
    if (last.state === "RUNNING") await watch(); else showEnd(last);
  }

  // What is typed chooses its radio button.
  for (const [input, radio] of [["moment", "moment"], ["txid", "txid"], ["target", "file"]]) {
    element(input).addEventListener("input", () => {
      document.querySelector(`input[type=radio][value=${radio}]`).checked = true;
    });
  }
  element("restore-form").addEventListener("submit", event => {
    event.preventDefault();
    if (chosen("state") === "moment" && !element("moment").value) {
      element("progress").hidden = false;
      fail(new Error("Choose a moment."));
      return;
    }
    const body = request();
    if (isConfirmed(body)) begin(body);
  });
  // Asks the replica: when somebody turns to it, not all the time.
  element("restore-box").addEventListener("pointerenter", () => showPoints().catch(() => {}));
  element("cancel").addEventListener("click", () => call(current, "DELETE").catch(fail));
  element("undo").addEventListener("click", () => begin({txid: before, inPlace: true}));

  call("actuator/litestream").then(answer => {
    base = "actuator/litestream/" + encodeURIComponent(answer.databases[0].name);
    return showPoints().then(showLast);
  }).catch(e => { element("points").textContent = "What can be restored is not known: " + e.message; });
})();
