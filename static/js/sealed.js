// A text that may be secret, kept in this tab sealed: the portal opens it, for the same person alone.

import { Failure, send } from "./net.js";

/** The portal's answer, which has an `error` when it refuses; undefined when there is none. */
async function ask(fields) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  try {
    return (await send(document.body.dataset.drafts, body)).data;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return undefined;
  }
}

export class Sealed {
  constructor(key) {
    this.key = key;
    // What is kept, as it was before it was sealed.
    this.text = null;
    this.turn = 0;
    // Why what was kept cannot be opened any more, in words.
    this.why = "";
  }

  /** Keep `text`; without an answer of the portal what was kept before is left as it is. */
  async keep(text) {
    if (text === this.text) return;
    this.turn += 1;
    const { turn } = this;
    const answer = await ask({ text });
    if (!answer || answer.error || turn !== this.turn) return;
    sessionStorage.setItem(this.key, answer.sealed);
    this.text = text;
  }

  /** The text; null when none is kept, or none that can be opened; undefined without an answer. */
  async recall() {
    const sealed = sessionStorage.getItem(this.key);
    if (!sealed) return null;
    const { turn } = this;
    const answer = await ask({ sealed });
    if (!answer) return undefined;
    if (answer.error) {
      this.forget();
      this.why = answer.error;
      return null;
    }
    // Something newer has been kept meanwhile.
    if (turn !== this.turn) return null;
    this.text = answer.text;
    return this.text;
  }

  forget() {
    this.turn += 1;
    this.text = null;
    sessionStorage.removeItem(this.key);
  }
}
