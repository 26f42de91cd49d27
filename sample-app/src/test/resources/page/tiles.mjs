// Runs the script of index.html while the notes cannot be read: node tiles.mjs INDEX_HTML
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import vm from "node:vm";

const script = /<script>\n([\s\S]*?)<\/script>/.exec(readFileSync(process.argv[2], "utf8"))[1];

async function load(broken) {
  const elements = {};
  const element = id => elements[id] ??= {
    textContent: "…", value: "", hidden: false, dataset: {}, addEventListener() {}, replaceChildren() {}
  };
  const answers = {
    "api/replication": {state: "REPLICATING", captured: "5", replicated: "4", replica: "file:///r", lagMillis: 7, schemaSince: "x"},
    "api/notes": []
  };
  vm.runInNewContext(script, {
    document: {getElementById: element, createElement: () => ({})},
    fetch: async path => path === broken ? {ok: false, status: 500} : {ok: true, json: async () => answers[path]},
    setInterval() {}, Date, Error, Promise, console
  });
  await new Promise(resolve => setTimeout(resolve, 20));
  return element;
}

// The tiles of the replication do not depend on the notes, as after a restore behind the migrations.
let at = await load("api/notes");
assert.deepEqual(["state", "captured", "replicated", "lag"].map(id => at(id).textContent), ["REPLICATING", "5", "4", "7 ms"]);
assert.equal(at("restore-box").dataset.schemaSince, "x");
assert.match(at("error").textContent, /api\/notes: HTTP 500/);

at = await load("api/replication");
assert.equal(at("state").textContent, "…");
assert.match(at("error").textContent, /api\/replication: HTTP 500/);
at = await load("none");
assert.equal(at("error").textContent, "");
console.log("ok");
