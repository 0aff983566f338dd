"""Both pages by keyboard and by touch: the focus never falls to the body, there is a way past the navigation, and
touch shows what a mouse shows."""


import pytest
from playwright.sync_api import expect

from chat_page import Chat, browser, opened  # noqa: F401
from scripted_model import ScriptedModel
from test_dashboard import TOKEN, Dashboard

STORY = "\n\n".join(f"Paragraph {i} of a story about a river and its weir." for i in range(60))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    model = ScriptedModel({"story": STORY, "short": "Done.", "table": "| a | b |\n|---|---|\n| 1 | 2 |",
                           "busy": (429, {"retry-after": "50"}, "429")})
    chat = Chat(tmp_path_factory.mktemp("keyboard"), model.url)
    yield chat, model
    chat.stop()
    model.close()


@pytest.fixture
def page(served, opened):  # noqa: F811
    return opened(served[0])


def before(page, first):
    """What Tab comes to before `first`, and whether it is the page's first stop."""
    first.focus()
    page.page.keyboard.press("Shift+Tab")
    found = page.focus()
    stops = page.page.evaluate(
        "() => [...document.querySelectorAll('a[href], button, input, select, textarea, [tabindex=\"0\"]')].indexOf(document.activeElement)"
    )
    return found, stops == 0


def test_the_chat_has_a_way_past_the_history(page):
    page.ask("First")
    expect(page.question).to_be_focused()
    assert before(page, page.button("New chat")) == ("Go to the question", True)
    expect(page.page.locator(".skip")).to_be_in_viewport()
    assert page.page.locator(".skip").evaluate("e => getComputedStyle(e).clipPath") == "none"
    page.page.keyboard.press("Enter")
    expect(page.question).to_be_focused()


def test_the_dashboard_has_a_way_past_its_views(stack, opened):  # noqa: F811
    page = opened(stack(resources=1).gateway, page=Dashboard)
    expect(page.backend("r1")).to_be_visible()
    views = page.page.get_by_role("navigation")
    assert before(page, views.get_by_role("link", name="Live")) == ("Go to the content", True)
    page.page.keyboard.press("Enter")
    assert page.page.evaluate("document.activeElement.tagName") == "MAIN"
    page.page.keyboard.press("Tab")
    assert page.page.evaluate("document.activeElement.closest('main') !== null")


def test_stopping_an_answer_keeps_the_focus(served, page):
    _, model = served
    model.go.clear()
    model.hold = 5
    page.ask("say:story", wait=False)
    expect(page.last_answer.locator(".text")).to_contain_text("Paragraph 1")
    page.button("Stop").focus()
    page.page.keyboard.press("Enter")
    expect(page.last_answer).to_have_attribute("data-state", "stopped")
    model.hold = None
    model.go.set()
    page.wait_answered()
    page.keeps_focus()
    expect(page.question).to_be_focused()


def test_conversations_that_go_leave_the_focus_in_the_list(page):
    for text in ("First", "Second", "Third"):
        page.button("New chat").click()
        page.ask(text)
    for text, left in (("Second", 2), ("Third", 1), ("First", 0)):
        entry = page.page.locator(".entry", has_text=text)
        entry.hover()
        page.button(f"Delete “{text}”", entry).focus()
        page.page.keyboard.press("Enter")
        dialog = page.page.get_by_role("dialog")
        page.button("Cancel", dialog).focus()
        page.page.keyboard.press("Enter")
        expect(dialog).to_have_count(0)
        page.keeps_focus()
        page.button(f"Delete “{text}”", entry).focus()
        page.page.keyboard.press("Enter")
        page.button("Delete", dialog).focus()
        page.page.keyboard.press("Enter")
        expect(page.page.locator(".entry")).to_have_count(left)
        page.keeps_focus()


def test_an_error_below_the_window_is_scrolled_to(page):
    page.ask("say:story")
    page.page.evaluate("document.querySelector('article').scrollIntoView()")
    page.ask("say:busy")
    alert = page.page.get_by_role("alert")
    expect(alert).to_be_focused()
    expect(alert).to_be_in_viewport(ratio=1)
    covered = page.page.evaluate(
        "() => [...document.querySelectorAll('[role=alert] button')].filter(b => { const r = b.getBoundingClientRect();"
        " return !b.contains(document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2)); }).length"
    )
    assert covered == 0, "its buttons are below the field"


def test_what_is_opened_and_closed_gives_the_focus_back(page):
    page.ask("say:short")
    entry = page.page.locator(".entry").first
    for finish in ("Enter", "Escape"):
        page.button("Rename “say:short”", entry).focus()
        page.page.keyboard.press("Enter")
        expect(page.page.get_by_label("New name")).to_be_focused()
        page.page.keyboard.press(finish)
        page.keeps_focus()
    for name in ("Settings", "Keyboard shortcuts"):
        page.button(name).focus()
        page.page.keyboard.press("Enter")
        expect(page.page.get_by_role("dialog")).to_be_visible()
        page.page.keyboard.press("Escape")
        expect(page.page.get_by_role("dialog")).to_have_count(0)
        page.keeps_focus()
    page.button("Show the thought process", page.last_answer).focus()
    page.page.keyboard.press("Enter")
    panel = page.page.get_by_role("complementary")
    page.button("Close", panel).focus()
    page.page.keyboard.press("Enter")
    expect(panel).to_have_count(0)
    page.keeps_focus()
    page.button("Edit the question").focus()
    page.page.keyboard.press("Enter")
    expect(page.page.get_by_label("Edited question")).to_be_focused()
    page.page.keyboard.press("Enter")
    page.wait_answered()
    page.keeps_focus()
    page.button("Previous version").last.focus()
    page.page.keyboard.press("Enter")
    page.keeps_focus()
    page.button("Answer anew", page.last_answer).focus()
    page.page.keyboard.press("Enter")
    page.wait_answered()
    page.keeps_focus()


def test_notes_and_files_that_go_keep_the_focus(page):
    page.ask("First")
    page.drop(("notes.md", b"# Notes\n\nThe ferry leaves at noon.", "text/markdown"))
    page.page.set_input_files("input[type=file]", [{"name": "photo.png", "mimeType": "image/png", "buffer": b"\x89PNG"}])
    page.button("Dismiss: photo.png").focus()
    page.page.keyboard.press("Enter")
    page.keeps_focus()
    page.button("Dismiss: notes.md").focus()  # that it is found by its words only
    page.page.keyboard.press("Enter")
    page.keeps_focus()
    page.button("Remove notes.md").focus()
    page.page.keyboard.press("Enter")
    expect(page.page.locator(".document")).to_have_count(0)
    page.keeps_focus()
    page.expected.append("ERR_INTERNET_DISCONNECTED")
    page.page.context.set_offline(True)
    page.question.fill("Written offline")
    page.question.press("Enter")
    unsent = page.page.locator("article[data-state=unsent]")
    expect(unsent.get_by_role("alert")).to_be_focused()
    page.page.context.set_offline(False)
    page.button("Send again", unsent).focus()
    page.page.keyboard.press("Enter")
    expect(unsent).to_have_count(0)
    page.wait_answered()
    page.keeps_focus()


def test_who_clicks_beside_everything_is_left_alone(page):
    page.ask("First")
    page.page.locator("h1").click()
    page.page.wait_for_timeout(200)
    assert page.focus() == ""


def test_changing_a_backend_keeps_the_focus(stack, opened):  # noqa: F811
    page = opened(stack(resources=2).gateway, page=Dashboard)
    for verb in ("Drain", "Disable"):
        page.button(f"{verb} r1").focus()
        page.page.keyboard.press("Enter")
        page.button(verb, page.page.get_by_role("dialog")).focus()
        page.page.keyboard.press("Enter")
        expect(page.button("Enable r1")).to_be_visible()
        page.keeps_focus()
    page.button("Enable r1").focus()
    page.page.keyboard.press("Enter")
    expect(page.button("Enable r1")).to_have_count(0)
    page.keeps_focus()
    for view in ("Usage", "Configuration", "Live"):
        page.page.get_by_role("link", name=view, exact=True).focus()
        page.page.keyboard.press("Enter")
        page.expected.append("404")  # no ledger is kept
        page.keeps_focus()


def test_logging_in_and_out_keeps_the_focus(stack, opened):  # noqa: F811
    one = stack(resources=1, admin={"token": TOKEN})
    page = opened(one.gateway, page=Dashboard)
    page.expected.append("401")
    field = page.page.get_by_label("Admin token")
    expect(field).to_be_focused()
    field.fill(TOKEN)
    field.press("Enter")
    expect(page.backend("r1")).to_be_visible()
    page.keeps_focus()
    page.button("Log out").focus()
    page.page.keyboard.press("Enter")
    expect(field).to_be_visible()
    page.keeps_focus()


def test_touch_shows_what_a_mouse_shows(served, opened):  # noqa: F811
    page = opened(served[0], phone=True)
    page.ask("First")
    page.button("New chat").click()
    page.ask("Second")
    page.button("Open the menu").click()
    for entry in page.page.locator(".entry").all():
        for button in entry.get_by_role("button").all():
            expect(button).to_be_visible()
            assert button.evaluate("e => getComputedStyle(e).opacity") == "1"
    page.button("Close the menu").click()
    page.keeps_focus()
    hidden = page.page.evaluate(
        """() => [...document.querySelectorAll('button, a')].filter(e => e.getClientRects().length && !e.matches('.skip'))
            .filter(e => !e.closest('[inert]') && parseFloat(getComputedStyle(e).opacity) < 0.3)
            .map(e => e.getAttribute('aria-label') || e.textContent)"""
    )
    assert hidden == []
