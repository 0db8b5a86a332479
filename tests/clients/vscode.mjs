// vscode-azurekudu against the portal: the same calls under every prefix that Kudu ever had.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { KuduClient } = require("vscode-azurekudu");
const { BasicAuthenticationCredentials } = require("@azure/ms-rest-js");
const { SCM_URL, PUBLISHING_USER, PUBLISHING_PASSWORD } = process.env;

function client(password) {
  const credentials = new BasicAuthenticationCredentials(PUBLISHING_USER, password);
  return new KuduClient(credentials, { baseUri: SCM_URL, noRetryPolicy: true });
}

const { jobs, process: processes, settings } = client(PUBLISHING_PASSWORD);
// What came in stands in `body`.
const get = async (name, ...values) => (await jobs[name](...values)).body;
const list = async (name) => (await get(name)).map((job) => job.name);

for (const prefix of ["", "1", "2"]) {
  assert.ok((await list(`listAllJobs${prefix}`)).includes("nightly"));
}
for (const prefix of ["", "1", "2", "3"]) {
  assert.ok((await list(`listTriggeredJobs${prefix}`)).includes("nightly"));
  assert.ok((await list(`listContinuousJobs${prefix}`)).includes("worker"));
  assert.equal((await get(`getTriggeredJob${prefix}`, "nightly")).name, "nightly");
  assert.equal((await get(`getContinuousJob${prefix}`, "worker")).name, "worker");
  const { runs } = await get(`getTriggeredJobHistory${prefix}`, "nightly");
  assert.ok(runs.length > 0);
  assert.equal((await get(`getTriggeredJobRun${prefix}`, "nightly", runs[0].id)).id, runs[0].id);
  await jobs[`setTriggeredJobSettings${prefix}`]("nightly", { stopping_wait_time: 3 });
  assert.equal((await get(`getTriggeredJobSettings${prefix}`, "nightly")).stopping_wait_time, 3);
  await jobs[`setContinuousJobSettings${prefix}`]("worker", { stopping_wait_time: 3 });
  assert.equal((await get(`getContinuousJobSettings${prefix}`, "worker")).stopping_wait_time, 3);
  await jobs[`disableContinuousJob${prefix}`]("worker");
  await jobs[`enableContinuousJob${prefix}`]("worker");
  // It takes no answer but 200 for a run, which Kudu itself never gave.
  await assert.rejects(
    () => jobs[`invokeTriggeredJob${prefix}`]("quick", { arguments: "x" }),
    (error) => [202, 409].includes(error.statusCode),
  );
  await jobs[`removeTriggeredJob${prefix}`]("gone");
  await jobs[`removeContinuousJob${prefix}`]("gone");
}
assert.equal((await get("listTriggeredJobsInSwaggerFormat")).swagger, "2.0");
for (const prefix of ["", "1", "2"]) {
  const found = (await processes[`getAllProcesses${prefix}`]()).body;
  for (const { id, description } of found) {
    assert.match(description, /^WebJob: \S+, Type: (triggered|continuous)$/);
    assert.equal((await processes[`getProcess${prefix}`](id)).body.id, id);
  }
}
assert.ok(await settings.getAll());
await assert.rejects(() => client("wrong").jobs.listAllJobs(), { statusCode: 401 });
