// The sign-in page, before anybody can sign in: what was sent from the page before did not arrive.
for (const key of Object.keys(sessionStorage)) if (key.endsWith("#sent")) sessionStorage.removeItem(key);
