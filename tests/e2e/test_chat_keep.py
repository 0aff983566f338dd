"""Nothing that a person wrote is lost, whatever happens to the page, the network or the server."""

import contextlib
import json
import os
import re
import subprocess
import time

import httpx
import pytest
from playwright.sync_api import expect

import harness
from chat_page import Chat, browser, opened  # noqa: F401
from scripted_model import ScriptedModel

STORY = "\n\n".join(f"Paragraph {i} of a story about a river and its weir." for i in range(60))


@pytest.fixture
def model():
    running = ScriptedModel({"story": STORY, "short": "Done."})
    yield running
    running.close()


@pytest.fixture
def chat(tmp_path, model):
    running = Chat(tmp_path, model.url)
    yield running
    running.stop()


def half_an_answer(page, model):
    """An answer that stands still in its middle."""
    model.hold = 10
    page.ask("say:story", wait=False)
    expect(page.last_answer.locator(".text")).to_contain_text("Paragraph 5")


def another_tab(page, url):
    other = page.page.context.new_page()
    other.goto(url)
    return other


def asked_once_and_offline(chat, opened):
    page = opened(chat)
    page.ask("First")
    page.expected.append("ERR_INTERNET_DISCONNECTED|Failed to fetch|ERR_FAILED")
    page.page.context.set_offline(True)
    return page


def test_a_draft_stays_with_its_conversation_and_survives_a_reload(chat, opened):
    page = opened(chat)
    page.ask("First")
    page.question.fill("half a thought")
    page.button("New chat").click()
    expect(page.question).to_have_value("")
    page.question.fill("another one")
    page.page.locator(".entry a").first.click()
    expect(page.question).to_have_value("half a thought")
    page.page.reload()
    expect(page.question).to_have_value("half a thought")
    expect(page.question).to_be_focused()
    page.button("New chat").click()
    expect(page.question).to_have_value("another one")


def test_a_question_that_cannot_be_sent_stays_and_is_sent_again(chat, opened):
    page = asked_once_and_offline(chat, opened)
    page.question.fill("Written offline")
    page.question.press("Enter")
    unsent = page.page.locator("article[data-state=unsent]")
    expect(unsent).to_contain_text("Written offline")
    expect(unsent.get_by_role("alert")).to_contain_text("The chat server cannot be reached.")
    expect(unsent.get_by_role("alert")).to_be_in_viewport()
    expect(unsent.get_by_role("alert")).to_be_focused()
    page.axe("an unsent question")
    page.page.context.set_offline(False)
    page.page.reload()
    expect(unsent).to_contain_text("Written offline")
    page.button("Send again", unsent).click()
    page.wait_answered()
    expect(page.last_answer).to_contain_text("You said: Written offline")
    expect(page.page.locator("article.question .bubble")).to_have_text(["First", "Written offline"])
    expect(page.page.locator(".versions")).to_have_count(0)


def test_the_first_question_of_a_new_chat_stays_too(chat, opened):
    page = opened(chat)
    page.expected.append("ERR_INTERNET_DISCONNECTED")
    page.page.context.set_offline(True)
    page.question.fill("The first of all")
    page.question.press("Enter")
    unsent = page.page.locator("article[data-state=unsent]")
    expect(unsent).to_contain_text("The first of all")
    page.button("Edit", unsent).click()
    expect(page.question).to_have_value("The first of all")
    expect(page.question).to_be_focused()
    page.page.context.set_offline(False)
    page.question.press("Enter")
    page.wait_answered()
    expect(page.last_answer).to_contain_text("The first of all")


def test_a_draft_survives_what_other_tabs_write(chat, opened):
    page = opened(chat)
    page.ask("First")
    page.question.fill("half a thought")
    other = another_tab(page, chat.url)
    other.locator("#question").fill("in a new chat")
    page.page.reload()
    expect(page.question).to_have_value("half a thought")


def test_two_tabs_may_begin_a_conversation_each(chat, opened):
    page = opened(chat)
    page.question.fill("of the first tab")
    other = another_tab(page, chat.url)
    other.locator("#question").fill("of the second tab")
    page.page.reload()
    expect(page.question).to_have_value("of the first tab")
    page.question.press("Enter")
    expect(page.last_answer).to_have_attribute("data-state", "done")
    other.reload()
    expect(other.locator("#question")).to_have_value("of the second tab")
    # What a closed tab left is found by the next.
    other.close()
    other = another_tab(page, chat.url)
    expect(other.locator("#question")).to_have_value("of the second tab")


def test_what_two_tabs_could_not_send_stays_each_ones_own(chat, opened):
    page = opened(chat)
    page.expected.append("ERR_FAILED")
    other = another_tab(page, chat.url)
    context = page.page.context

    def refuse(route):
        return route.abort() if route.request.method == "POST" else route.continue_()

    context.route("**/api/conversations", refuse)
    shown = "article[data-state=unsent]"
    for tab, text in ((page.page, "The first tab's"), (other, "The second tab's")):
        tab.locator("#question").fill(text)
        tab.locator("#question").press("Enter")
        expect(tab.locator(shown)).to_contain_text(text)
    for tab, text in ((page.page, "The first tab's"), (other, "The second tab's")):
        tab.reload()
        expect(tab.locator(shown)).to_contain_text(text)
        expect(tab.locator(shown)).to_have_count(1)
    # A third has neither while they are there, and takes over what a closed one left.
    third = another_tab(page, chat.url)
    third.wait_for_timeout(600)
    expect(third.locator(shown)).to_have_count(0)
    third.close()
    other.close()
    third = another_tab(page, chat.url)
    expect(third.locator(shown)).to_contain_text("The second tab's")
    context.unroute("**/api/conversations")
    third.get_by_role("button", name="Send again").click()
    expect(third.locator("article.answer")).to_have_attribute("data-state", "done")
    expect(page.page.locator(shown)).to_contain_text("The first tab's")
    page.button("Send again").click()
    expect(page.last_answer).to_contain_text("The first tab's")
    page.wait_answered()
    page.page.reload()
    expect(page.last_answer).to_contain_text("The first tab's")
    expect(page.page.locator(shown)).to_have_count(0)


def test_a_failed_question_is_not_lost_to_the_next(chat, opened):
    page = asked_once_and_offline(chat, opened)
    for text in ("One written offline", "Another one"):
        page.question.fill(text)
        page.question.press("Enter")
        expect(page.page.locator("article[data-state=unsent]")).to_contain_text(text)
    expect(page.question).to_have_value("One written offline")
    page.page.context.set_offline(False)


def held_while_opened(page):
    """The requests for a conversation from now on, which wait until they are told to go on."""
    held = []
    page.page.route(re.compile(r"/api/conversations/[0-9a-f]{32}$"), lambda route: held.append(route))
    return held


def wait_for(page, held, count):
    # The page's requests are seen only while it is being waited for.
    harness.wait_until(lambda: page.page.wait_for_timeout(10) or len(held) == count, 15)


def test_what_is_asked_at_once_after_a_reload_goes_into_the_conversation_in_view(chat, opened):
    page = opened(chat)
    page.ask("First")
    held = held_while_opened(page)
    page.page.reload()
    wait_for(page, held, 1)
    expect(page.page.locator(".entry")).to_have_count(1)  # the page is there, but for what was said
    expect(page.question).to_have_count(0)
    held[0].continue_()
    page.ask("Second")
    expect(page.page.locator("article.question .bubble")).to_have_text(["First", "Second"])
    expect(page.page.locator(".entry")).to_have_count(1)


def test_the_conversation_that_was_chosen_last_is_shown(chat, opened):
    page = opened(chat)
    for text in ("First", "Second"):
        page.button("New chat").click()
        page.ask(text)
    page.button("New chat").click()
    held = held_while_opened(page)
    for count, name in enumerate(("First", "Second"), 1):
        page.page.locator(".entry a", has_text=name).click()
        wait_for(page, held, count)
    for route in reversed(held):
        answered(page, route)
    expect(page.page.locator("article.question .bubble")).to_have_text("Second")


def answered(page, route):
    with page.page.expect_response(route.request.url):
        route.continue_()
    page.page.wait_for_timeout(200)


def test_another_conversation_may_be_chosen_while_that_of_the_address_is_opened(chat, opened):
    page = opened(chat)
    for text in ("First", "Second"):
        page.button("New chat").click()
        page.ask(text)
    held = held_while_opened(page)
    page.page.reload()
    wait_for(page, held, 1)
    page.page.locator(".entry a", has_text="First").click()
    wait_for(page, held, 2)
    answered(page, held[0])
    expect(page.question).to_have_count(0)  # that answer is nobody's any more
    answered(page, held[1])
    page.ask("Third")
    expect(page.page.locator("article.question .bubble")).to_have_text(["First", "Third"])
    page.page.reload()
    wait_for(page, held, 3)
    page.button("New chat").click()
    page.ask("Fourth")
    answered(page, held[2])
    expect(page.page.locator("article.question .bubble")).to_have_text("Fourth")
    expect(page.page.locator(".entry")).to_have_count(3)


def test_an_edit_survives_a_reload(chat, opened):
    page = opened(chat)
    page.ask("First")
    page.page.locator("article.question").first.hover()
    page.button("Edit the question").first.click()
    editor = page.page.locator(".editor textarea")
    editor.fill("First, but better")
    page.page.reload()
    page.page.locator("article.question").first.hover()
    page.button("Edit the question").first.click()
    expect(editor).to_have_value("First, but better")


def test_an_answer_goes_on_while_the_page_is_away(chat, model, opened):
    page = opened(chat)
    half_an_answer(page, model)
    page.page.reload()
    expect(page.last_answer.locator(".text")).to_contain_text("Paragraph 5")
    expect(page.last_answer).to_have_attribute("aria-busy", "true")
    model.go.set()
    page.wait_answered()
    expect(page.last_answer).to_have_attribute("data-state", "done")
    assert page.last_answer.locator(".text p").all_inner_texts() == STORY.split("\n\n")
    assert len(model.bodies) == 1  # it was asked for once


def test_a_closed_page_finds_the_whole_answer_later(chat, model, opened):
    page = opened(chat)
    half_an_answer(page, model)
    address = page.page.url
    page.page.goto("about:blank")
    model.go.set()
    page.page.wait_for_timeout(1000)
    page.page.goto(address)
    expect(page.last_answer).to_have_attribute("data-state", "done")
    assert page.last_answer.locator(".text p").all_inner_texts() == STORY.split("\n\n")


def test_a_lost_connection_is_taken_up_where_it_was(chat, model, opened):
    page = opened(chat)
    half_an_answer(page, model)
    page.expected.append("ERR_INTERNET_DISCONNECTED|ERR_NETWORK")
    page.page.context.set_offline(True)
    page.page.wait_for_timeout(500)
    model.go.set()
    page.page.context.set_offline(False)
    page.wait_answered()
    assert page.last_answer.locator(".text p").all_inner_texts() == STORY.split("\n\n")
    expect(page.page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("came", [0, 0.5], ids=["nothing came", "half came"])
def test_an_answer_that_ended_while_the_connection_was_lost_is_there_whole(chat, opened, came):
    """What stands between cuts it (caddyserver/caddy #5431), and there is no turn left that could be followed."""

    def cut(route):
        answer = route.fetch()
        lines = answer.text().splitlines(keepends=True)
        route.fulfill(response=answer, body="".join(lines[: int(len(lines) * came)]))

    page = opened(chat)
    page.expected.append("404")
    page.page.route("**/turns", cut)
    page.ask("say:story")
    expect(page.last_answer).to_have_attribute("data-state", "done")
    assert page.last_answer.locator(".text p").all_inner_texts() == STORY.split("\n\n")
    expect(page.page.locator("article.question")).to_have_count(1)
    expect(page.page.get_by_role("alert")).to_have_count(0)


def test_what_came_is_there_after_the_server_was_killed(tmp_path, model, opened):
    chat = Chat(tmp_path, model.url)
    page = opened(chat)
    page.expected.append("ERR_|Failed to load")
    half_an_answer(page, model)
    page.page.wait_for_timeout(300)
    model.pace, model.hold = 0.05, None
    model.go.set()
    expect(page.last_answer.locator(".text")).to_contain_text("Paragraph 30", timeout=20_000)
    chat.kill()
    port = int(chat.url.rsplit(":", 1)[1])
    again = Chat(tmp_path, model.url, port=port)
    try:
        page.page.reload()
        expect(page.last_answer).to_have_attribute("data-state", "failed")
        expect(page.last_answer).to_contain_text("Paragraph 5")
        expect(page.last_answer).to_contain_text("The answer broke off")
        model.pace = 0
        page.button("Continue", page.last_answer).click()
        page.wait_answered()
        expect(page.page.locator("article.question")).to_have_count(2)
        assert "Paragraph 5" in json.dumps(model.bodies[-1]["messages"])  # it knows where it stopped
        page.ask("say:short")
        expect(page.last_answer).to_contain_text("Done.")
        expect(page.page.locator("article.question")).to_have_count(3)
    finally:
        again.stop()


def test_what_broke_off_is_asked_again(tmp_path, model, opened):
    chat = Chat(tmp_path, model.url)
    page = opened(chat)
    page.expected.append("ERR_|Failed to load")
    half_an_answer(page, model)  # and the model falls silent
    page.page.wait_for_timeout(1000)
    chat.kill()
    again = Chat(tmp_path, model.url, port=int(chat.url.rsplit(":", 1)[1]))
    model.hold = None
    model.go.set()
    try:
        page.page.reload()
        expect(page.last_answer).to_have_attribute("data-state", "failed")
        expect(page.last_answer).to_contain_text("Paragraph 5")  # all that was shown
        page.button("Send again", page.last_answer).click()
        page.wait_answered()
        assert page.last_answer.locator(".text p").all_inner_texts() == STORY.split("\n\n")
        expect(page.page.locator("article.question")).to_have_count(1)
    finally:
        again.stop()


def test_two_tabs_see_the_same(chat, model, opened):
    page = opened(chat)
    page.ask("First")
    other = another_tab(page, page.page.url)
    expect(other.locator("article.answer")).to_have_count(1)
    half_an_answer(page, model)
    expect(other.locator("article.answer").last).to_contain_text("Paragraph 5")
    expect(other.locator("article.answer").last).to_have_attribute("aria-busy", "true")
    model.go.set()
    expect(other.locator("article.answer").last).to_have_attribute("data-state", "done")
    other.fill("#question", "From the other tab")
    other.press("#question", "Enter")
    expect(page.last_answer).to_contain_text("From the other tab")
    expect(page.page.locator(".versions")).to_have_count(0)
    other.get_by_role("button", name="New chat").click()
    other.locator(".entry").first.hover()
    other.get_by_role("button", name=re.compile("^Delete “First")).click()
    other.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.page.get_by_role("alert")).to_contain_text("This conversation was deleted.")
    other.close()


def test_a_question_in_a_conversation_that_was_deleted_elsewhere_is_kept(chat, opened):
    page = opened(chat)
    page.ask("First")
    identity = page.page.url.rsplit("/", 1)[1]
    assert page.page.evaluate("id => fetch(`api/conversations/${id}`, {method: 'DELETE'}).then(r => r.status)", identity) == 200
    page.expected.append("404")
    page.question.fill("Where has it gone?")
    page.question.press("Enter")
    unsent = page.page.locator("article[data-state=unsent]")
    expect(unsent).to_contain_text("This conversation was deleted.")
    expect(unsent).not_to_contain_text("deployment")
    page.button("Send in a new chat", unsent).click()
    page.wait_answered()
    expect(page.last_answer).to_contain_text("You said: Where has it gone?")


def test_a_long_paste_becomes_a_file_and_a_picture_is_named(chat, opened):
    page = opened(chat)
    paste = """([text, picture]) => {
        const data = new DataTransfer();
        if (text) data.setData('text/plain', text);
        if (picture) data.items.add(new File([new Uint8Array(8)], 'image.png', {type: 'image/png'}));
        const event = new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});
        document.querySelector('#question').dispatchEvent(event);
    }"""
    page.page.evaluate(paste, ["word " * 8000, False])
    expect(page.page.locator(".document:not([data-stage])", has_text="Pasted text")).to_be_visible()
    expect(page.question).to_have_value("")
    page.page.evaluate(paste, ["", True])
    expect(page.page.locator(".document.failed")).to_contain_text("Pictures are not taken yet. Taken are: PDF")


def test_files_that_are_not_taken_are_named_in_the_pages_language(chat, opened):
    page = opened(chat, korean=True)
    page.page.set_input_files("input[type=file]", [{"name": "보고서.docx", "mimeType": "", "buffer": b"PK\x03\x04"}])
    expect(page.page.locator(".document.failed")).to_contain_text("오피스 문서는 아직 지원하지 않습니다. 지원 형식: PDF")
    page.page.set_input_files("input[type=file]", [{"name": "was-a-docx.txt", "mimeType": "", "buffer": b"PK\x03\x04.."}])
    expect(page.page.locator(".document.failed").last).to_contain_text("지원하지 않는 파일 형식입니다.")


def test_the_next_question_need_not_wait_for_suggestions(chat, model, opened):
    page = opened(chat)
    page.suggest_follow_ups()
    model.go.clear()
    model.hold = 1  # what is said in one piece is said; suggestions have more
    page.ask("say:short", wait=False)
    expect(page.last_answer).to_have_attribute("data-state", "done")
    expect(page.page.locator(".follow-ups")).to_have_count(0)
    page.ask("say:short", wait=False)
    expect(page.answers).to_have_count(2)
    expect(page.last_answer).to_have_attribute("data-state", "done")
    model.go.set()


def test_an_answer_costs_one_request_unless_suggestions_are_wanted(chat, model, opened):
    page = opened(chat)
    page.ask("say:short")
    page.ask("say:short")
    page.page.wait_for_timeout(1000)
    assert len(model.bodies) == 2
    page.suggest_follow_ups()
    page.ask("say:short")
    harness.wait_until(lambda: len(model.bodies) == 4)


def test_what_is_kept_grows_with_what_was_said(tmp_path, chat):
    """And not with its square: no answer holds all that was said before it."""
    asked = 12
    with httpx.Client(base_url=chat.url, headers={"x-spillway-page": "1"}, timeout=30) as client:
        client.post("/api/session", json={})
        parent, said = "", 0
        conversation = client.post("/api/conversations", json={}).json()["id"]
        for _ in range(asked):
            events = client.post(f"/api/conversations/{conversation}/turns", json={"parent": parent, "text": "A question. " * 80}).text
            done = next(event for event in map(json.loads, events.splitlines()) if event["type"] == "done")
            parent, said = done["message"]["id"], said + len("A question. " * 80) + len(done["message"]["text"])
        kept = client.get(f"/api/conversations/{conversation}").text
    assert said > asked * 1500
    assert len(kept) < 2.5 * said, "once as said, and once in what was asked of the model"
    harness.wait_until(lambda: (tmp_path / f"chat-{chat.url.rsplit(':', 1)[1]}.db").exists())


def test_an_answer_that_was_cut_says_so_and_goes_on(chat, model, opened):
    page = opened(chat)
    model.finish = "length"
    page.ask("say:short")
    ending = page.last_answer.locator(".ending")
    expect(ending).to_contain_text("reached its longest length")
    model.finish = "content_filter"
    page.button("Continue", ending).click()
    page.wait_answered()
    expect(page.answers).to_have_count(2)
    expect(page.last_answer.locator(".ending")).to_contain_text("The content filter ended the answer here.")
    expect(page.last_answer.get_by_role("button", name="Continue")).to_have_count(0)


def test_copied_is_said_only_when_it_was(chat, opened):
    page = opened(chat)
    page.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")  # as over plain http
    page.ask("say:short")
    page.page.evaluate("document.execCommand = () => false")
    page.button("Copy the message", page.last_answer).click()
    expect(page.button("Not copied: the browser does not allow it", page.last_answer)).to_be_visible()
    page.page.evaluate("delete document.execCommand; window.copied = ''; addEventListener('copy', () => window.copied = String(document.activeElement.value))")
    expect(page.button("Copy the message", page.last_answer)).to_be_visible()
    page.button("Copy the message", page.last_answer).click()
    expect(page.button("Copied", page.last_answer)).to_be_visible()
    assert page.page.evaluate("window.copied") == "Done."


def test_the_model_knows_a_person_by_a_pseudonym(chat, model, opened):
    one, other = opened(chat), opened(chat)
    for page in (one, one, other):
        page.ask("say:short")
    # The same question twice looks answered at once.
    harness.wait_until(lambda: len(model.bodies) == 3)
    users = [body["user"] for body in model.bodies]
    assert users[0] == users[1] != users[2]
    cookie = next(c["value"] for c in one.page.context.cookies() if c["name"] == "spillway_chat")
    assert cookie not in users[0] and re.fullmatch(r"chat-[0-9a-f]{32}", users[0])


def test_beyond_this_machine_it_listens_only_when_told(tmp_path):
    refused = subprocess.run(
        [harness.SPILLWAY, "chat", "--listen", "0.0.0.0:0", "--database", tmp_path / "x.db"],
        env={**os.environ, "OPENAI_HOST": "local", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"},
        capture_output=True, text=True, timeout=10,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "--public" in refused.stderr


def test_conversations_that_nobody_changes_are_forgotten_when_told_to(tmp_path, model):
    port = harness.free_ports(1)

    @contextlib.contextmanager
    def started(*options):
        running = Chat(tmp_path, model.url, port=port, options=options)
        try:
            yield
        finally:
            running.stop()

    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"x-spillway-page": "1"}, timeout=30) as client:

        def kept():
            return {conversation["id"] for conversation in client.get("/api/conversations").json()["conversations"]}

        with started():
            client.post("/api/session", json={})
            old = client.post("/api/conversations", json={}).json()["id"]
        time.sleep(3)
        with started("--keep", "1d"):
            assert kept() == {old}
        with started("--keep", "2s"):
            harness.wait_until(lambda: kept() == set())
            new = client.post("/api/conversations", json={}).json()["id"]
            assert kept() == {new}
