// Before the page is painted: what needs JavaScript may show.
document.documentElement.classList.add("js");
