"""Chat over the user's own documents: dropped, searched, cited, opened."""

import re

import pytest
from playwright.sync_api import expect

from chat_page import browser, local, opened, pdf_of  # noqa: F401

PAGES = [
    "The mill was built in 1887 by the brothers Aldan. It stands at the upper bend of the river.",
    "Opening hours: the mill is open from Tuesday to Sunday. On Monday the mill wheel is maintained.",
    "The emergency sluice is opened when the gauge shows more than 340 centimetres. Only the warden has the key.",
    "물레방아는 해마다 4월에 점검합니다. 점검 비용은 마을 조합이 부담합니다.",
]
NOTES = """# Garden notes

The roses are cut back in March.

## Watering

The greenhouse is watered at six in the morning. In August it is watered twice.
"""


@pytest.fixture(scope="module")
def handbook(browser):
    return "handbook.pdf", pdf_of(browser, PAGES), "application/pdf"


def test_a_dropped_pdf_is_cited_with_the_right_page(local, opened, handbook):
    page = opened(local)
    page.drop(handbook)
    expect(page.page.locator(".document")).to_contain_text("4 pages")
    page.ask("When is the emergency sluice opened?")
    answer = page.last_answer
    expect(answer).to_contain_text("more than 340 centimetres")
    cite = answer.locator("button.cite").first
    expect(cite).to_have_accessible_name(re.compile(r"handbook\.pdf, page 3$"))
    expect(answer.locator(".sources button")).to_have_count(1)

    cite.click()
    panel = page.page.get_by_role("complementary", name="Source")
    expect(panel).to_contain_text("handbook.pdf, page 3")
    expect(panel.locator("mark")).to_contain_text("Only the warden has the key")
    page.axe("a source")
    page.picture("chat-citation")
    page.button("Next page", panel).click()
    expect(panel.locator(".page-text")).to_contain_text("물레방아는")
    address = panel.get_by_role("link", name="Open the file").get_attribute("href")
    assert address.endswith("#page=4")
    got = page.page.request.get(f"{local.url}/{address.split('#')[0]}")
    assert got.headers["content-type"] == "application/pdf"
    assert got.body() == handbook[1]


def test_the_search_is_part_of_the_thought_process(local, opened, handbook):
    page = opened(local)
    page.drop(handbook)
    page.ask("On which day is the mill wheel maintained?")
    expect(page.last_answer.locator("button.cite").first).to_have_accessible_name(re.compile("page 2$"))
    page.ask("And who built it?")  # only the question before says what "it" is
    page.button("Show the thought process", page.last_answer).click()
    panel = page.page.get_by_role("complementary")
    expect(panel).to_contain_text("Search in the documents")
    expect(panel).to_contain_text("By words and by meaning (text-embedding-3-small)")
    expect(panel).to_contain_text("With the question before: On which day")
    expect(panel.locator(".hits")).to_contain_text("handbook.pdf, page 1")
    page.axe("the thought process")
    page.picture("chat-thoughts")
    panel.locator(".hits button", has_text="page 1").click()
    expect(page.page.get_by_role("complementary", name="Source")).to_contain_text("brothers Aldan")


def test_korean_questions_find_korean_pages(local, opened, handbook):
    page = opened(local, korean=True)
    page.drop(handbook)
    page.ask("물레방아 점검은 언제 하나요?")
    expect(page.last_answer).to_contain_text("해마다 4월에 점검합니다")
    expect(page.last_answer.locator("button.cite").first).to_have_accessible_name("출처 1 열기: handbook.pdf, 4쪽")


def test_markdown_and_text_are_cited_with_their_line(local, opened):
    page = opened(local)
    page.drop(("notes.md", NOTES.encode(), "text/markdown"), ("메모.txt", "창고 열쇠는 서랍에 있습니다.".encode("cp949"), "text/plain"))
    page.ask("When is the greenhouse watered?")
    expect(page.last_answer.locator("button.cite").first).to_have_accessible_name(re.compile(r"notes\.md, line 1$"))
    page.ask("창고 열쇠는 어디에 있나요?")
    expect(page.last_answer).to_contain_text("서랍에 있습니다")
    page.page.reload()  # documents belong to the conversation
    expect(page.page.locator(".document .name")).to_have_count(2)
    page.button("Remove notes.md").click()
    expect(page.page.locator(".document .name")).to_have_count(1)
    page.answers.first.locator("button.cite").first.click()
    expect(page.page.get_by_role("complementary")).to_contain_text("The document was removed.")
    page.expected.append("404")


def test_files_can_be_picked_as_well(local, opened):
    page = opened(local)
    page.page.get_by_label("Add files").first.set_input_files(
        files=[{"name": "a.txt", "mimeType": "text/plain", "buffer": b"The ferry leaves at noon."}]
    )
    expect(page.page.locator(".document .name")).to_contain_text("a.txt")
    page.ask("When does the ferry leave?")
    expect(page.last_answer).to_contain_text("The ferry leaves at noon.")


def test_what_cannot_be_read_is_said(local, opened):
    page = opened(local)
    page.page.get_by_label("Add files").first.set_input_files(
        files=[
            {"name": "broken.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 and nothing more"},
            {"name": "picture.txt", "mimeType": "text/plain", "buffer": bytes(range(256))},
        ]
    )
    alerts = page.page.locator(".document [role=alert]")
    expect(alerts).to_have_text(["broken.pdf: the PDF cannot be read", re.compile("^picture.txt: ")])
    page.button("Dismiss: broken.pdf").click()
    expect(alerts).to_have_count(1)
