// kudu-api against the portal. It knows only https://{site}.scm.azurewebsites.net/, so the test
// has a tunnel that leads there; the upload has no Content-Length.
import assert from "node:assert/strict";
import { promisify } from "node:util";
import kudu from "kudu-api";

const { PORTAL_APP, PUBLISHING_USER, PUBLISHING_PASSWORD, SCRIPT, ZIP } = process.env;

function jobsOf(password) {
  return kudu({ website: PORTAL_APP, username: PUBLISHING_USER, password }).webjobs;
}
const api = jobsOf(PUBLISHING_PASSWORD);
const call = (name, ...values) => promisify(api[name])(...values);

assert.equal((await call("uploadTriggered", "by-script", SCRIPT)).name, "by-script");
assert.equal((await call("uploadTriggered", "by-zip", ZIP)).run_command, "run.sh");
assert.equal((await call("uploadContinuous", "always", ZIP)).type, "continuous");
const names = (await call("listAll")).map((job) => job.name);
for (const name of ["by-script", "by-zip", "always"]) assert.ok(names.includes(name), names.join());
assert.ok((await call("listTriggered")).every((job) => job.type === "triggered"));
assert.ok((await call("listContinuous")).every((job) => job.type === "continuous"));
assert.equal((await call("listTriggeredAsSwagger")).swagger, "2.0");
assert.equal((await call("getTriggered", "by-zip")).latest_run, null);

const started = await call("runTriggered", "by-zip", "one two");
assert.equal(started.statusCode, 202);
assert.match(started.headers.location, /\/api\/triggeredwebjobs\/by-zip\/history\/\d{18}$/);
await call("runTriggered", "by-script", undefined);
const { runs } = await call("listTriggeredHistory", "by-zip");
assert.equal(runs[0].arguments, "one two");
assert.equal((await call("getTriggeredHistory", "by-zip", runs[0].id)).id, runs[0].id);

assert.equal((await call("getContinuous", "always")).name, "always");
await call("stopContinuous", "always");
await call("startContinuous", "always");
await call("setContinuousSettings", "always", { is_singleton: true });
assert.deepEqual(await call("getContinuousSettings", "always"), { is_singleton: true });
await call("deleteContinuous", "always");
await call("deleteTriggered", "by-zip");

await assert.rejects(() => call("getTriggered", "by-zip"), /Status code 404/);
await assert.rejects(() => call("runTriggered", "nothing", undefined), /Status code 404/);
await assert.rejects(
  () => promisify(jobsOf("wrong").listAll)(),
  /Status code 401/,
);
