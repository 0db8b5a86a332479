"""What is not French on a French page, whoever put it there: templates, answers or scripts."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.support.french import breaking_among, english_among

# Every text, with what is read out or shown by the way, but not what jobs printed or people wrote.
_TEXTS = """() => {
  const found = new Set([document.title]);
  const skipped = "script, style, template, noscript, code, pre, .line, [lang=en], [lang=en] *";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement.matches(skipped)) found.add(node.data);
  }
  const names = ["title", "alt", "placeholder", "aria-label", "aria-valuetext", "data-label"];
  for (const name of names) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      if (!element.matches(skipped)) found.add(element.getAttribute(name));
    }
  }
  return [...found].map(text => text.replace(/[ \\n\\t]+/g, " ").trim()).filter(Boolean);
}"""


def expect_french(page: Page) -> None:
    """Nothing on the page is English, and no sign that stands apart begins a line."""
    texts: list[str] = page.evaluate(_TEXTS)
    assert page.locator("html").get_attribute("lang") == "fr"
    assert not (english := english_among(texts)), f"{page.url} has English left: {english}"
    assert not (broken := breaking_among(texts)), f"{page.url} is set as English is: {broken}"
