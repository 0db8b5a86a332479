// Requests to our own server.

import { $, $$ } from "./dom.js";

// Whoever signs in again, in another tab say, gets another one: the page's own is out of date then.
const token = () => /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? $("[name=csrfmiddlewaretoken]")?.value ?? "";

// A second click this soon is the same wish; later the first was given up.
const TWICE_MS = 3000;

/** Forms that leave the page carry the token of now, and are sent once. */
export function guardForms() {
  document.addEventListener("submit", (event) => {
    const { target: form, defaultPrevented } = event;
    if (defaultPrevented || form.method !== "post") return;
    const isAgain = Date.now() - Number(form.dataset.leaving ?? 0) < TWICE_MS;
    if (isAgain) event.preventDefault();
    form.dataset.leaving = Date.now();
    if (form.elements.csrfmiddlewaretoken) form.elements.csrfmiddlewaretoken.value = token();
  });
  // The page as it was left, when somebody comes back to it.
  addEventListener("pageshow", () => {
    for (const form of $$("form[data-leaving]")) delete form.dataset.leaving;
  });
}

/** A failure with words for the viewer. */
export class Failure extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }

  /** What helps: the way to the sign-in page and back here. */
  get more() {
    if (this.status !== 401) return {};
    const next = encodeURIComponent(location.pathname + location.search);
    return { url: `${document.body.dataset.signIn}?next=${next}`, link: gettext("Sign in") };
  }
}

const offline = () => gettext("The portal does not answer. Check the connection and try again.");
const signedOut = () => gettext("You have been signed out. Sign in again: you come back here, and what you typed is kept.");

function isSignIn(url) {
  return new URL(url, location.href).pathname.endsWith("/sign-in");
}

/** A part of a page as text; null when it has not changed since `etag`. */
export async function fragment(url, etag = "") {
  const headers = { "X-Fragment": "1" };
  if (etag) headers["If-None-Match"] = etag;
  const response = await fetch(url, { headers, cache: "no-store" }).catch(() => {
    throw new Failure(offline());
  });
  if (response.status === 304) return null;
  if (response.redirected && isSignIn(response.url)) throw new Failure(signedOut(), 401);
  if (!response.ok) throw new Failure(await words(response), response.status);
  return { html: await response.text(), etag: response.headers.get("ETag") ?? "" };
}

async function words(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).error;
  } catch {
    const title = new DOMParser().parseFromString(text, "text/html").querySelector(".empty p");
    return title?.textContent || gettext("The portal could not do this.");
  }
}

/** JSON of a GET. */
export async function read(url, signal) {
  const response = await fetch(url, {
    headers: { Accept: "application/json" },
    cache: "no-store",
    signal,
  }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new Failure(offline());
  });
  if (response.redirected && isSignIn(response.url)) throw new Failure(signedOut(), 401);
  if (!response.ok) throw new Failure(await words(response), response.status);
  return response.json();
}

/** POST a form; resolves to `{ok, status, data}`. `onProgress` gets 0..1 while uploading. */
export function send(url, body, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", token());
    if (onProgress) {
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) onProgress(event.loaded / event.total);
      });
    }
    request.addEventListener("load", () => {
      if (isSignIn(request.responseURL)) return reject(new Failure(signedOut(), 401));
      try {
        const data = JSON.parse(request.responseText);
        resolve({ ok: request.status < 400, status: request.status, data });
      } catch {
        const tooLarge = request.status === 413;
        const text = tooLarge
          ? gettext("The file is larger than this server accepts.")
          : gettext("The portal could not do this.");
        reject(new Failure(text, request.status));
      }
    });
    request.addEventListener("error", () => reject(new Failure(offline())));
    request.send(body ?? new FormData());
  });
}
