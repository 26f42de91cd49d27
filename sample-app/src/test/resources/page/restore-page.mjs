// Runs restore.js with a page of its own: node restore-page.mjs RESTORE_JS
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import vm from "node:vm";

const script = readFileSync(process.argv[2], "utf8");
const SINCE = "2026-03-01T12:00:00Z";
const POINT = time => ({time, txid: "0000000000000005"});

/** Loads the page once. answers: what the endpoint remembers; agrees: the answer to a question. */
async function load({restores = [], agrees = true, choices = {}}) {
  const page = {posts: [], questions: [], elements: {}};
  const element = id => page.elements[id] ??= {
    id, value: "", hidden: true, checked: false, textContent: "", dataset: {}, listeners: {},
    addEventListener(type, listener) { this.listeners[type] = listener; },
    removeAttribute() {},
    async fire(type) { await this.listeners[type]({preventDefault() {}}); }
  };
  element("restore-box").dataset.schemaSince = SINCE;
  const chosen = {state: "moment", to: "file", ...choices};
  const answers = {
    "actuator/litestream": {databases: [{name: "app.db"}]},
    "actuator/litestream/app.db/restore-points": {earliest: POINT(SINCE), latest: POINT(SINCE), levels: []},
    "actuator/litestream/app.db/restores": {restores}
  };
  restores.forEach(restore => answers["actuator/litestream/app.db/restores/" + restore.id] = restore);
  const context = {
    document: {
      getElementById: element,
      querySelector: query => ({value: chosen[/name=(\w+)]/.exec(query)?.[1]]})
    },
    async fetch(path, {method, body}) {
      if (method === "POST") {
        page.posts.push(JSON.parse(body));
        restores.unshift({id: "new", state: "SUCCEEDED", inPlace: true, result: {time: SINCE, txid: "1", before: "9"}});
        answers["actuator/litestream/app.db/restores/new"] = restores[0];
        return {ok: true, json: async () => ({location: "restores/new"})};
      }
      assert.ok(answers[path], path);
      return {ok: true, json: async () => answers[path]};
    },
    confirm(question) { page.questions.push(question); return agrees; },
    refresh() {}, setTimeout, Date, console
  };
  vm.runInNewContext(script, context);
  await settle();
  page.element = element;
  return page;
}

const settle = () => new Promise(resolve => setTimeout(resolve, 20));

// A page that is loaded again offers to undo the last restore in place, and does it.
const done = {id: "r1", state: "SUCCEEDED", inPlace: true, result: {time: SINCE, txid: "1", before: "00000000000000ab"}};
let page = await load({restores: [done]});
assert.equal(page.element("undo").hidden, false);
assert.equal(page.element("progress").hidden, false);
await page.element("undo").fire("click");
await settle();
assert.deepEqual(page.posts, [{txid: "00000000000000ab", inPlace: true}]);
assert.deepEqual(page.questions, []);

// Nothing to undo: no restore, one into a file, one that failed.
for (const restores of [[], [{...done, inPlace: false}], [{...done, state: "FAILED", error: "x"}]]) {
  page = await load({restores});
  assert.equal(page.element("undo").hidden, true, JSON.stringify(restores));
}

// Asks before it restores in place behind the newest migration, and only then.
const cases = [
  [{to: "inPlace"}, "2026-03-01T11:59:59Z", true],
  [{to: "inPlace"}, "2026-03-01T12:00:01Z", false],
  [{to: "inPlace", state: "txid"}, "", true],
  [{to: "file"}, "2026-03-01T11:59:59Z", false]
];
for (const [choices, moment, asks] of cases) {
  for (const agrees of [true, false]) {
    const text = JSON.stringify({choices, moment, agrees});
    page = await load({choices, agrees});
    page.element("moment").value = moment;
    page.element("txid").value = "2";
    page.element("target").value = "a.db";
    await page.element("restore-form").fire("submit");
    await settle();
    assert.equal(page.questions.length, asks ? 1 : 0, text);
    assert.equal(page.posts.length, asks && !agrees ? 0 : 1, text);
  }
}
console.log("ok");
