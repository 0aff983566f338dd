"""The chat page's conversation: each feature as a user meets it."""

import re

import httpx
from playwright.sync_api import expect

from chat_page import browser, faulty, local, opened  # noqa: F401


def test_an_answer_streams_and_tells_who_gave_it(faulty, opened):
    # Three seconds of text: a browser on a busy machine may need half a second for its first frame.
    _, chat = faulty(emulator_args=["--ttft", "10ms", "--tokens-per-second", "50"])
    page = opened(chat)
    # Text is there, and grows, while the answer is still being written.
    page.page.evaluate(
        """() => {
            window.lengths = [];
            const look = () => {
                const text = document.querySelector('article.answer[aria-busy=true] .text')?.textContent ?? '';
                if (text.length > (window.lengths.at(-1) ?? 0)) window.lengths.push(text.length);
            };
            new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
        }"""
    )
    page.ask("Write a long story about a river [[tokens:150]]")
    assert len(page.page.evaluate("window.lengths")) >= 3
    backend = page.last_answer.locator(".backend")
    expect(backend).to_contain_text(re.compile(r"r[123] · 1 attempt"))
    expect(page.page.get_by_role("status").filter(has_text="The answer is there.")).to_be_attached()


def test_markdown_is_shown_with_coloured_code(local, opened):
    page = opened(local)
    page.ask("Write a Python function that reverses a string")
    answer = page.last_answer
    expect(answer.locator("pre .hljs-keyword").first).to_have_text("def")
    expect(answer.locator(".code-head span")).to_have_text("python")
    expect(answer.locator("li strong")).to_be_visible()
    expect(answer.locator("th")).to_have_count(2)
    colours = answer.evaluate(
        "a => ['.hljs-keyword', '.hljs-string'].map(s => getComputedStyle(a.querySelector(s)).color)"
    )
    assert colours[0] != colours[1]
    page.button("Copy the code", answer).click()
    assert page.page.evaluate("navigator.clipboard.readText()").startswith("def reverse(text")
    page.button("Copy the message", answer).click()
    assert "```python" in page.page.evaluate("navigator.clipboard.readText()")


def test_html_in_an_answer_does_nothing(local, opened):
    page = opened(local)
    page.page.on("dialog", lambda d: (page.troubles.append("a script ran"), d.dismiss()))
    page.ask("Tell me about <img src=x onerror=alert(1)><script>alert(2)</script> [a](javascript:alert(3)) ![b](http://127.0.0.1:1/x)")
    text = page.last_answer.locator(".text")
    expect(text).to_contain_text("<img src=x")
    expect(text.locator("img, script, iframe")).to_have_count(0)
    assert text.evaluate("t => [...t.querySelectorAll('a')].every(a => /^https?:/.test(a.href))")


def test_stop_keeps_what_came(local, opened):
    page = opened(local)
    page.ask("Tell me a story [[tokens:16000]]", wait=False)
    expect(page.last_answer.locator(".text")).not_to_be_empty()
    page.button("Stop").click()
    page.wait_answered()
    expect(page.last_answer).to_have_attribute("data-state", "stopped")
    shown = page.last_answer.locator(".text").inner_text()
    assert len(shown) < 60_000  # the whole would be some 75,000
    # The server keeps it as well (the page may have shown a few words less than came).
    page.page.wait_for_timeout(300)
    page.page.reload()
    expect(page.last_answer).to_have_attribute("data-state", "stopped")
    assert page.last_answer.locator(".text").inner_text()[:20] == shown[:20]


def test_regenerate_and_go_between_versions(local, opened):
    page = opened(local)
    page.ask("Say hello.")
    page.button("Answer anew", page.last_answer).click()
    expect(page.last_answer.locator(".versions")).to_contain_text("2/2")
    page.wait_answered()
    page.button("Previous version", page.last_answer).click()
    expect(page.last_answer.locator(".versions")).to_contain_text("1/2")
    page.page.reload()
    expect(page.last_answer.locator(".versions")).to_contain_text("1/2")


def test_edit_a_question(local, opened):
    page = opened(local)
    page.ask("Tell me about lakes")
    page.ask("Tell me about ponds")
    first = page.page.locator("article.question").first
    first.hover()
    page.button("Edit the question", first).click()
    field = page.page.get_by_label("Edited question")
    expect(field).to_be_focused()
    field.fill("Tell me about rivers")
    page.button("Ask again").click()
    page.wait_answered()
    expect(page.page.locator("article.question")).to_have_count(1)
    expect(page.last_answer).to_contain_text("rivers")
    expect(first.locator(".versions")).to_contain_text("2/2")
    page.button("Previous version", first).click()
    expect(page.page.locator("article.question")).to_have_count(2)
    expect(page.last_answer).to_contain_text("ponds")


def test_history_is_kept_renamed_and_deleted(local, opened):
    page = opened(local)
    page.ask("Tell me about bridges")
    page.button("New chat").click()
    page.ask("Tell me about towers")
    entries = page.page.locator(".entry a")
    expect(entries).to_have_text(["Tell me about towers", "Tell me about bridges"])
    page.page.reload()
    expect(page.last_answer).to_contain_text("towers")
    entries.nth(1).click()
    expect(page.last_answer).to_contain_text("bridges")
    page.page.go_back()
    expect(page.last_answer).to_contain_text("towers")

    page.button("Rename “Tell me about bridges”").click()
    page.page.get_by_label("New name").fill("Bridges")
    page.page.get_by_label("New name").press("Enter")
    expect(entries.nth(1)).to_have_text("Bridges")
    page.page.reload()
    expect(entries.nth(1)).to_have_text("Bridges")

    page.button("Delete “Bridges”").click()
    page.button("Delete", page.page.get_by_role("dialog")).click()
    expect(entries).to_have_count(1)

    page.button("Settings").click()
    page.button("Delete all conversations").click()
    page.button("Delete", page.page.get_by_role("dialog", name="Delete all conversations and documents?")).click()
    expect(page.page.get_by_text("No conversations yet")).to_be_attached()


def test_another_browser_sees_none_of_it(local, opened):
    one = opened(local)
    one.ask("Tell me about secrets")
    address = one.page.url
    other = opened(local)
    expect(other.page.get_by_text("No conversations yet")).to_be_visible()
    other.expected.append("403")
    other.page.goto(address)
    expect(other.page.get_by_role("alert")).to_contain_text("This conversation is not yours.")


def test_settings_reach_the_model_and_stay(local, opened):
    page = opened(local)
    page.button("Settings").click()
    dialog = page.page.get_by_role("dialog", name="Settings")
    dialog.get_by_label("System prompt").fill("You are a ferryman.")
    dialog.get_by_label("Temperature").fill("0.3")
    dialog.get_by_label("Longest answer, in tokens").fill("12")
    expect(dialog.get_by_label("Suggest follow-up questions")).not_to_be_checked()  # they cost a request each
    page.axe("settings")
    page.button("Save", dialog).click()
    expect(dialog).to_have_count(0)
    page.ask("Tell me a story")
    assert len(page.last_answer.locator(".text").inner_text().split()) < 14
    expect(page.page.locator(".follow-ups")).to_have_count(0)
    page.button("Show the thought process", page.last_answer).click()
    panel = page.page.get_by_role("complementary")
    panel.get_by_text("System", exact=True).click()
    expect(panel).to_contain_text("You are a ferryman.")
    page.page.reload()
    page.button("Settings").click()
    expect(page.page.get_by_label("System prompt")).to_have_value("You are a ferryman.")
    page.button("Restore the default").click()
    expect(page.page.get_by_label("System prompt")).to_have_value(re.compile("^You are a helpful assistant"))


def test_follow_up_questions_can_be_asked(local, opened):
    page = opened(local)
    page.suggest_follow_ups()
    page.ask("Tell me about retry budgets")
    suggestion = page.page.locator(".follow-ups button").first
    text = suggestion.inner_text()
    assert text.endswith("?")
    suggestion.click()
    page.wait_answered()
    expect(page.page.locator("article.question .bubble").last).to_have_text(text)
    expect(page.answers).to_have_count(2)


def test_the_thought_process_shows_prompt_and_facts(local, opened):
    page = opened(local)
    page.ask("Tell me about turbines")
    page.button("Show the thought process", page.last_answer).click()
    panel = page.page.get_by_role("complementary", name="Thought process")
    expect(panel.get_by_role("heading", name="Thought process")).to_be_focused()
    expect(panel).to_contain_text("Tell me about turbines")
    expect(panel.locator("dl")).to_contain_text(re.compile(r"Backend\s*r[123]"))
    expect(panel.locator("dl")).to_contain_text(re.compile(r"\d+ in, \d+ out"))
    page.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.button("Show the thought process", page.last_answer)).to_be_focused()


def test_keyboard_alone_is_enough(local, opened):
    page = opened(local)
    keys = page.page.keyboard
    page.page.locator("body").click(position={"x": 640, "y": 90})
    keys.press("/")
    expect(page.question).to_be_focused()
    keys.type("Two lines")
    keys.press("Shift+Enter")
    keys.type("[[tokens:3000]] story")
    expect(page.question).to_have_value("Two lines\n[[tokens:3000]] story")
    keys.press("Enter")
    expect(page.last_answer.locator(".text")).not_to_be_empty()
    keys.press("Escape")
    page.wait_answered()
    expect(page.last_answer).to_have_attribute("data-state", "stopped")
    page.question.focus()
    keys.press("ArrowUp")
    expect(page.page.get_by_label("Edited question")).to_be_focused()
    keys.press("Escape")
    expect(page.question).to_be_focused()
    keys.press("Control+Shift+O")
    expect(page.answers).to_have_count(0)
    expect(page.question).to_be_focused()
    page.page.get_by_role("region", name="Conversation").focus()
    keys.press("?")
    dialog = page.page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    page.axe("shortcuts")
    keys.press("Escape")
    expect(dialog).to_have_count(0)


def test_language_and_appearance_change_at_once(local, opened):
    page = opened(local)
    page.button("Settings").click()
    page.page.get_by_label("한국어").check()
    expect(page.page.get_by_role("dialog", name="설정")).to_be_visible()
    assert page.page.evaluate("document.documentElement.lang") == "ko"
    light = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.page.get_by_label("어둡게").check()
    dark = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light != dark
    page.page.reload()
    expect(page.question).to_have_attribute("placeholder", "질문을 입력하세요…")
    assert page.page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.ask("안녕하세요")
    expect(page.last_answer).to_contain_text("무엇을 도와드릴까요?")


def test_requests_from_elsewhere_are_refused(local):
    with httpx.Client(base_url=local.url) as client:
        page = client.get("/")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert client.get("/api/conversations").status_code == 401
        foreign = client.post("/api/session", json={}, headers={"origin": "http://elsewhere.example"})
        assert foreign.status_code == 403
        assert client.post("/api/session", data={"a": "b"}).status_code == 415
        assert client.get("/", headers={"host": "elsewhere.example"}).status_code == 421
        opened_session = client.post("/api/session", json={})
        assert opened_session.status_code == 200
        assert "HttpOnly" in opened_session.headers["set-cookie"]
        assert local.key not in opened_session.text
