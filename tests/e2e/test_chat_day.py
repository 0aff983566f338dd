"""A person's day with the chat page, as one test: whatever happens to the page, the network and the server, nothing
that was written is lost, and nothing that is said is false."""

from playwright.sync_api import expect

from chat_page import Chat, browser, opened  # noqa: F401
from scripted_model import ScriptedModel
from test_chat_render import ANSWERS, long_answer

STORY = "\n\n".join(f"Paragraph {i} of a story about a river and its weir." for i in range(60))


def test_a_day(tmp_path, opened):  # noqa: F811
    model = ScriptedModel({**ANSWERS, "story": STORY, "short": "Done.", "long": long_answer(40_000)})
    chat = Chat(tmp_path, model.url)
    page = opened(chat)
    page.expected.append("ERR_|Failed to (load|fetch)")
    asked = []

    def ask(text, **options):
        asked.append(text)
        page.ask(text, **options)

    try:
        # In the morning: a table and a formula.
        expect(page.question).to_be_focused()
        ask("say:table")
        expect(page.last_answer.locator("td").first).to_have_text("Korea Central")
        ask("say:math")
        expect(page.last_answer.locator("math")).to_have_count(4)

        # The server is killed in the middle of an answer, and comes back.
        model.hold = 10
        ask("say:story", wait=False)
        expect(page.last_answer.locator(".text")).to_contain_text("Paragraph 5")
        page.page.wait_for_timeout(1500)
        chat.kill()
        page.question.fill("half a thought")
        model.go.set()
        chat = Chat(tmp_path, model.url, port=int(chat.url.rsplit(":", 1)[1]))
        page.page.reload()
        expect(page.question).to_have_value("half a thought")
        expect(page.last_answer).to_have_attribute("data-state", "failed")
        expect(page.last_answer).to_contain_text("Paragraph 2")
        expect(page.last_answer).to_contain_text("The answer broke off")
        for offered in ("Continue", "Send again"):
            expect(page.button(offered, page.last_answer)).to_be_enabled()

        # Offline: the question waits for the network.
        model.hold = None
        page.page.context.set_offline(True)
        page.question.fill("say:short")
        page.question.press("Enter")
        unsent = page.page.locator("article[data-state=unsent]")
        expect(unsent).to_contain_text("say:short")
        expect(unsent.get_by_role("alert")).to_contain_text("The chat server cannot be reached.")
        page.page.context.set_offline(False)
        page.button("Send again", unsent).click()
        asked.append("say:short")
        page.wait_answered()
        expect(page.last_answer.locator(".text")).to_have_text("Done.")

        # The tab is reloaded in the middle of an answer; a second tab sees the same.
        model.go.clear()
        model.hold = 10
        ask("say:story", wait=False)
        expect(page.last_answer.locator(".text")).to_contain_text("Paragraph 5")
        page.page.reload()
        expect(page.last_answer.locator(".text")).to_contain_text("Paragraph 5")
        other = page.page.context.new_page()
        other.goto(page.page.url)
        expect(other.locator("article.answer").last).to_have_attribute("aria-busy", "true")
        model.go.set()
        for tab in (page.page, other):
            answer = tab.locator("article.answer").last
            expect(answer).to_have_attribute("data-state", "done")
            assert answer.locator(".text p").all_text_contents() == STORY.split("\n\n")
        other.close()

        # A long answer; and in the evening all of it is there, in its order.
        model.hold = None
        ask("say:long")
        page.page.reload()
        expect(page.page.locator("article.question .bubble")).to_have_text(asked)
        expect(page.answers).to_have_count(len(asked))
        expect(page.last_answer).to_have_attribute("data-state", "done")
        parts = page.last_answer.locator("h2").all_text_contents()
        assert parts == [f"Part {i + 1}" for i in range(model.answers["long"].count("## Part"))]
        expect(page.page.locator(".versions")).to_have_count(0)
        expect(page.page.get_by_role("alert")).to_have_count(0)
        page.no_sideways_scroll()
    finally:
        chat.stop()
        model.close()
