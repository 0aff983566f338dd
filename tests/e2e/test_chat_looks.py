"""The chat page in light and dark, on desktop and phone, in English and Korean: usable, and without a serious
finding of axe-core. SPILLWAY_PICTURES=1 takes the documentation's screenshots."""

import re

import pytest
from playwright.sync_api import expect

from chat_page import browser, local, opened  # noqa: F401

TEXTS = {
    False: {"menu": "Open the menu", "new": "New chat", "settings": "Settings", "close": "Close",
            "code": "Write a Python function that reverses a string", "thoughts": "Show the thought process"},
    True: {"menu": "메뉴 열기", "new": "새 대화", "settings": "설정", "close": "닫기",
           "code": "문자열을 뒤집는 Python 함수를 작성해 주세요", "thoughts": "사고 과정 보기"},
}  # fmt: skip


@pytest.mark.parametrize("korean", [False, True], ids=["en", "ko"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_looks(local, opened, dark, phone, korean):
    page = opened(local, dark=dark, phone=phone, korean=korean)
    texts = TEXTS[korean]
    look = "-".join(["ko" if korean else "en", "phone" if phone else "desktop", "dark" if dark else "light"])
    assert page.page.evaluate("document.documentElement.lang") == ("ko" if korean else "en")
    page.axe_in_all_states(f"welcome, {look}")

    page.ask(texts["code"])
    expect(page.last_answer.locator("pre")).to_be_visible()
    page.no_sideways_scroll()
    page.axe_in_all_states(f"conversation, {look}")
    if look in ("en-desktop-light", "ko-phone-dark"):
        page.picture(f"chat-{look}")

    page.button(texts["thoughts"], page.last_answer).click()
    panel = page.page.get_by_role("complementary")
    expect(panel).to_be_visible()
    page.no_sideways_scroll()
    page.axe_in_all_states(f"thought process, {look}")
    if phone:
        box = panel.bounding_box()
        assert box["width"] == page.page.viewport_size["width"]
    page.button(texts["close"], panel).click()
    expect(panel).to_have_count(0)

    if phone:
        page.button(texts["menu"]).click()
        expect(page.page.get_by_role("navigation")).to_be_visible()
        page.axe_in_all_states(f"menu, {look}")
    page.button(texts["settings"]).click()
    dialog = page.page.get_by_role("dialog", name=texts["settings"])
    expect(dialog).to_be_visible()
    page.no_sideways_scroll()
    page.axe_in_all_states(f"settings, {look}")
    page.button(texts["close"], dialog).click()


def test_touch_targets_are_large_enough(local, opened):
    page = opened(local, phone=True)
    page.ask("Say hello.")
    small = page.page.evaluate(
        """() => [...document.querySelectorAll('button, a')].filter(e => e.offsetParent && !e.closest('.text'))
            .map(e => [e.getAttribute('aria-label') || e.textContent, e.getBoundingClientRect()])
            .filter(([, r]) => r.width < 24 || r.height < 24).map(([name]) => name)"""
    )
    assert small == [], small  # WCAG 2.2, 2.5.8


def test_zoomed_text_still_fits(local, opened):
    page = opened(local, phone=True)
    page.page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.ask("Tell me about estuaries")
    page.no_sideways_scroll()
    expect(page.last_answer).to_contain_text(re.compile("estuaries"))
