// azure-mgmt-website (WebSiteExtensionsClient) against the portal; it knows only /api/jobs/.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import website from "azure-mgmt-website";

const { SCM_URL, PORTAL_APP, PUBLISHING_USER, PUBLISHING_PASSWORD, SCRIPT, ZIP } = process.env;

function client(password) {
  const credentials = website.createBasicAuthenticationCloudCredentials({
    siteName: PORTAL_APP,
    username: PUBLISHING_USER,
    password,
  });
  return website.createWebSiteExtensionsClient(PORTAL_APP, credentials, SCM_URL);
}

// Calls without a body give back the request, which today's Node.js sends only when it ends.
function call(group, name, ...values) {
  return new Promise((resolve, reject) => {
    const request = group[name](...values, (error, result) =>
      error ? reject(error) : resolve(result),
    );
    request?.end?.();
  });
}

const { triggeredWebJobs: triggered, continuousWebJobs: continuous, settings } = client(
  PUBLISHING_PASSWORD,
);
await call(triggered, "uploadFile", "by-script", "run.sh", readFileSync(SCRIPT));
await call(triggered, "uploadZip", "by-zip", "job.zip", readFileSync(ZIP));
await call(continuous, "uploadZip", "always", "job.zip", readFileSync(ZIP));
assert.ok((await call(triggered, "list")).triggeredWebJobs.length >= 2);
assert.ok((await call(continuous, "list")).continuousWebJobs.length >= 1);
assert.equal((await call(triggered, "get", "by-zip")).triggeredWebJob.name, "by-zip");
assert.equal((await call(triggered, "run", "by-zip")).statusCode, 202);
const { triggeredWebJobRuns: runs } = await call(triggered, "listRuns", "by-zip");
assert.ok(runs.length >= 1);
const { triggeredJobRun: run } = await call(triggered, "getRun", "by-zip", runs[0].id);
assert.equal(run.id, runs[0].id);
assert.ok(new Date(run.startTime) > new Date("2020-01-01"));
await call(triggered, "setSettings", "by-zip", { shutdownGraceTimeInSeconds: 7 });
assert.ok(await call(triggered, "getSettings", "by-zip"));
assert.equal((await call(continuous, "get", "always")).continuousWebJob.name, "always");
await call(continuous, "setSettings", "always", { isSingleton: true });
assert.equal((await call(continuous, "getSettings", "always")).isSingleton, true);
await call(continuous, "stop", "always");
await call(continuous, "start", "always");
await call(settings, "update", { settings: { COLOUR: "blue" } });
assert.ok(await call(settings, "list"));
await call(triggered, "deleteMethod", "by-zip");
await call(continuous, "deleteMethod", "always");
await assert.rejects(() => call(triggered, "get", "by-zip"), { statusCode: 404 });
await assert.rejects(() => call(client("wrong").triggeredWebJobs, "list"), /Sign in with/);
