// The sign-in page, before anybody can sign in: what was sent from the page before did not arrive.
// drafts.js puts these marks beside what was typed, and would take them for applied.
for (const key of Object.keys(sessionStorage)) if (key.endsWith("#sent")) sessionStorage.removeItem(key);
