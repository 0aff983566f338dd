"""The chat page in light and dark, on desktop and phone, in English and Korean: usable, and without a serious
finding of axe-core. SPILLWAY_PICTURES=1 takes the documentation's screenshots."""

import re

import pytest
from playwright.sync_api import expect

from chat_page import Chat, browser, local, opened  # noqa: F401
from scripted_model import ScriptedModel
from test_chat_render import ANSWERS

TEXTS = {
    False: {"menu": "Open the menu", "new": "New chat", "settings": "Settings", "close": "Close",
            "code": "Write a Python function that reverses a string", "thoughts": "Show the thought process",
            "rename": "Rename “say:table”", "delete": "Delete “say:table”", "shortcuts": "Keyboard shortcuts", "hide": "Close the menu"},
    True: {"menu": "메뉴 열기", "new": "새 대화", "settings": "설정", "close": "닫기",
           "code": "문자열을 뒤집는 Python 함수를 작성해 주세요", "thoughts": "사고 과정 보기",
           "rename": "“say:table” 이름 바꾸기", "delete": "“say:table” 삭제", "shortcuts": "키보드 단축키", "hide": "메뉴 닫기"},
}  # fmt: skip


@pytest.mark.parametrize("korean", [False, True], ids=["en", "ko"])
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_looks(local, opened, dark, phone, korean):
    page = opened(local, dark=dark, phone=phone, korean=korean)
    texts = TEXTS[korean]
    look = "-".join(["ko" if korean else "en", "phone" if phone else "desktop", "dark" if dark else "light"])
    assert page.page.evaluate("document.documentElement.lang") == ("ko" if korean else "en")
    page.looks_right(f"welcome, {look}", korean)

    page.ask(texts["code"])
    expect(page.last_answer.locator("pre")).to_be_visible()
    page.looks_right(f"conversation, {look}", korean)
    if look in ("en-desktop-light", "ko-phone-dark"):
        page.picture(f"chat-{look}")

    page.button(texts["thoughts"], page.last_answer).click()
    panel = page.page.get_by_role("complementary")
    expect(panel).to_be_visible()
    page.looks_right(f"thought process, {look}", korean)
    if phone:
        box = panel.bounding_box()
        assert box["width"] == page.page.viewport_size["width"]
    page.button(texts["close"], panel).click()
    expect(panel).to_have_count(0)

    if phone:
        page.button(texts["menu"]).click()
        expect(page.page.get_by_role("navigation")).to_be_visible()
        page.looks_right(f"menu, {look}", korean)
    page.button(texts["settings"]).click()
    dialog = page.page.get_by_role("dialog", name=texts["settings"])
    expect(dialog).to_be_visible()
    page.looks_right(f"settings, {look}", korean)
    page.button(texts["close"], dialog).click()


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    model = ScriptedModel({**ANSWERS, "busy": (429, {"retry-after": "50"}, "429")})
    chat = Chat(tmp_path_factory.mktemp("looks"), model.url)
    yield chat, model
    chat.stop()
    model.close()


@pytest.mark.parametrize("look", [f"{a}-{b}-{c}" for a in ("en", "ko") for b in ("desktop", "phone") for c in ("light", "dark")])
def test_looks_of_what_happens(scripted, opened, look):
    """Tables and formulas, files taken and refused, a source, what is asked back, and each way to fail."""
    chat, model = scripted
    korean, phone, dark = look.startswith("ko"), "phone" in look, look.endswith("dark")
    page = opened(chat, dark=dark, phone=phone, korean=korean)
    texts = TEXTS[korean]
    page.expected.append("ERR_INTERNET_DISCONNECTED")

    def right(what, states=False):
        page.looks_right(f"{what}, {look}", korean, ["notes", "md", "say", "scripted"], states)

    page.ask("say:table")
    expect(page.last_answer.locator("td").first).to_be_visible()
    model.finish = "length"
    page.ask("say:math")
    model.finish = "stop"
    expect(page.last_answer.locator("math")).to_have_count(4)
    expect(page.last_answer.locator(".ending")).to_be_visible()
    right("table, formulas, cut by length", states=True)

    page.drop(("notes.md", b"# Notes\n\nThe ferry leaves at noon.", "text/markdown"))
    page.page.set_input_files("input[type=file]", [{"name": "report.docx", "mimeType": "", "buffer": b"PK"}])
    expect(page.page.locator(".document.failed")).to_be_visible()
    right("files")
    page.page.locator(".document button.name").first.click()
    expect(page.page.get_by_role("complementary")).to_be_visible()
    right("a source")
    page.page.keyboard.press("Escape")
    for close in page.page.locator(".document .small").all()[:0:-1]:
        close.click()

    if phone:
        page.button(texts["menu"]).click()
    entry = page.page.locator(".entry").first
    entry.hover()
    page.button(texts["rename"], entry).click()
    right("a new name")
    page.page.keyboard.press("Escape")
    page.button(texts["delete"], entry).click()
    expect(page.page.get_by_role("dialog")).to_be_visible()
    right("to be deleted?", states=True)
    page.page.keyboard.press("Escape")
    page.button(texts["shortcuts"]).click()
    expect(page.page.get_by_role("dialog")).to_be_visible()
    right("shortcuts")
    page.page.keyboard.press("Escape")
    if phone:
        page.button(texts["hide"]).click()

    page.ask("say:busy")
    expect(page.page.get_by_role("alert").locator(".wait")).to_be_visible()
    right("refused")
    page.page.context.set_offline(True)
    page.question.fill("say:table")
    page.question.press("Enter")
    unsent = page.page.locator("article[data-state=unsent]")
    expect(unsent.get_by_role("alert")).to_be_visible()
    right("not sent", states=True)
    page.page.context.set_offline(False)


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
