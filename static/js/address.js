// What a page shows is in its address: a link, a reload and the back button bring it back.

const followers = [];
// While true the browser goes back from what `enter` entered: what is written has to wait.
let leaving = false;
let waiting = [];

/** What the address says of `name`; null when it says nothing. */
export const asked = (name) => new URLSearchParams(location.search).get(name);

function write(values, how) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(values)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  // Both may stand in a query as they are, and a person reads them better.
  address.search = address.search.replaceAll("%2F", "/").replaceAll("%2C", ",");
  if (address.href === location.href) return;
  if (how === "pushState") history.pushState({ entered: true }, "", address);
  else history.replaceState(history.state, "", address);
}

/** Note `values` by name; an empty one is left out. */
export function keep(values) {
  if (leaving) waiting.push(() => keep(values));
  else write(values, "replaceState");
}

/** As `keep`, as a step of its own, from which the back button leads back. */
export function enter(name, value) {
  if (leaving) waiting.push(() => enter(name, value));
  else write({ [name]: value }, asked(name) === null ? "pushState" : "replaceState");
}

/** Leave what was entered, or came with a link, the same way as the back button. */
export function leave(name) {
  if (leaving || asked(name) === null) return;
  if (!history.state?.entered) {
    keep({ [name]: "" });
    return;
  }
  leaving = true;
  history.back();
}

/** Go to `url`; back from there leads to the page as it was before something was entered. */
export function goOn(url) {
  if (history.state?.entered) location.replace(url);
  else location.assign(url);
}

/** Call `follow` when the back or forward button has changed the address. */
export function onBack(follow) {
  followers.push(follow);
}

addEventListener("popstate", () => {
  const works = leaving ? waiting : followers;
  leaving = false;
  waiting = [];
  for (const work of works) work();
});
