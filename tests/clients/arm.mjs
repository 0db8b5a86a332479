// @azure/arm-appservice against the portal: every call about WebJobs, with two ways to sign in.
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { WebSiteManagementClient } from "@azure/arm-appservice";
import { ClientSecretCredential } from "@azure/identity";

const { PORTAL_URL, PORTAL_USER, PORTAL_SECRET, PORTAL_APP: app } = process.env;
const group = "rg1";
const subscription = "11111111-2222-3333-4444-555555555555";

const bearer = {
  getToken: async () => ({ token: PORTAL_SECRET, expiresOnTimestamp: Date.now() + 3600_000 }),
};
const secret = new ClientSecretCredential("contoso", PORTAL_USER, PORTAL_SECRET, {
  authorityHost: PORTAL_URL,
  disableInstanceDiscovery: true,
});

function client(credential) {
  return new WebSiteManagementClient(credential, subscription, {
    endpoint: PORTAL_URL,
    retryOptions: { maxRetries: 0 },
  });
}

function basic() {
  const made = client(bearer);
  made.pipeline.removePolicy({ name: "bearerTokenAuthenticationPolicy" });
  const header = "Basic " + Buffer.from(`${PORTAL_USER}:${PORTAL_SECRET}`).toString("base64");
  made.pipeline.addPolicy({
    name: "basicAuth",
    sendRequest(request, next) {
      request.headers.set("Authorization", header);
      return next(request);
    },
  });
  return made;
}

async function all(pages) {
  const found = [];
  for await (const item of pages) found.push(item);
  return found;
}

async function until(probe) {
  for (;;) {
    const value = await probe();
    if (value) return value;
    await pause(200);
  }
}

async function rejects(action, statusCode, code) {
  await assert.rejects(action, (error) => {
    assert.equal(error.statusCode, statusCode);
    assert.equal(error.code, code);
    return true;
  });
}

for (const apps of [basic().webApps, client(bearer).webApps, client(secret).webApps]) {
  const names = (await all(apps.listWebJobs(group, app))).map((job) => job.name);
  assert.ok(names.includes(`${app}/nightly`) && names.includes(`${app}/worker`), names.join());
  assert.equal((await apps.getWebJob(group, app, "nightly")).webJobType, "Triggered");
  assert.ok((await all(apps.listTriggeredWebJobs(group, app))).length >= 2);
  assert.ok((await all(apps.listContinuousWebJobs(group, app))).length >= 1);
  const worker = await apps.getContinuousWebJob(group, app, "worker");
  assert.equal(worker.webJobType, "Continuous");

  await apps.runTriggeredWebJob(group, app, "nightly");
  const run = await until(async () => {
    const { latestRun } = await apps.getTriggeredWebJob(group, app, "nightly");
    return latestRun.endTime && latestRun;
  });
  assert.equal(run.status, "Success");
  assert.ok(run.startTime instanceof Date && run.webJobId);
  const [entry] = await all(apps.listTriggeredWebJobHistory(group, app, "nightly"));
  assert.equal(entry.runs[0].webJobId, run.webJobId);
  const same = await apps.getTriggeredWebJobHistory(group, app, "nightly", run.webJobId);
  assert.equal(same.runs[0].status, "Success");
}

const apps = client(secret).webApps;
await apps.runTriggeredWebJob(group, app, "slow");
await rejects(() => apps.runTriggeredWebJob(group, app, "slow"), 409, "Conflict");
await rejects(() => apps.getTriggeredWebJob(group, app, "nothing"), 404, "NotFound");
await apps.stopContinuousWebJob(group, app, "worker");
await until(async () => (await apps.getContinuousWebJob(group, app, "worker")).status === "Stopped");
await apps.startContinuousWebJob(group, app, "worker");
assert.equal((await all(apps.listWebJobs(group, "many"))).length, 105);
for (let twice = 0; twice < 2; twice++) {
  await apps.deleteTriggeredWebJob(group, app, "gone");
  await apps.deleteContinuousWebJob(group, app, "gone");
}
