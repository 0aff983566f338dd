"""Chat over the user's own documents: dropped, searched, cited, opened."""

import pathlib
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


SAMPLES = pathlib.Path(__file__).parent / "samples"
ZIP, OLE = b"PK\x03\x04 and more", bytes.fromhex("d0cf11e0a1b11ae1") + b" and more"
OFFICE = "Office documents are not taken yet. Taken are: PDF, Markdown and plain text"
PICTURE = "Pictures are not taken yet. Taken are: PDF"
# Name, bytes, what is said; None: it is taken.
DROPPED = [
    ("notes.md", b"# Notes\n\nThe project is called **Falcon**.\n", None),
    ("list.txt", b"The wifi password is swordfish.\n", None),
    ("data.csv", b"team,month,tokens\nred,2026-01,100\n", None),
    ("data.json", b'{"a": 1, "b": "hello"}', None),
    ("code.py", b"def f(x):\n    return x * 2\n", None),
    ("utf16.txt", "안녕하세요. 회의는 3시에 있습니다.\n".encode("utf-16"), None),
    ("cp949.txt", "안녕하세요. 점심은 김치찌개입니다.\n".encode("cp949"), None),
    ("한글 이름 보고서.txt", "매출은 10억 원입니다.\n".encode(), None),
    ("a" * 100 + ".txt", b"long name\n", None),
    ("colours.log", b"\x1b[31mERROR\x1b[0m something failed\n", None),
    ("restricted.pdf", SAMPLES / "restricted.pdf", None),  # printing is forbidden, reading is not
    ("encrypted.pdf", SAMPLES / "encrypted.pdf", "The PDF is protected by a password."),
    ("scan.pdf", SAMPLES / "scan.pdf", "The PDF has no text: a scan, perhaps."),
    ("broken.pdf", b"%PDF-1.7 and nothing more", "The PDF cannot be read."),
    ("none.pdf", b"Hello", "The file is named PDF, but is none."),
    ("report.docx", ZIP, OFFICE),
    ("sheet.xlsx", ZIP, OFFICE),
    ("slides.pptx", ZIP, OFFICE),
    ("doc.hwpx", ZIP, OFFICE),
    ("hangul.hwp", OLE, OFFICE),
    ("old.doc", OLE, OFFICE),
    ("x.rtf", b"{\\rtf1\\ansi Hello}", OFFICE),
    ("was-a-doc.txt", OLE, "This kind of file is not taken."),
    ("picture.png", b"\x89PNG\r\n", PICTURE),
    ("photo.jpg", b"\xff\xd8\xff\xe0", PICTURE),
    ("page.html", b"<!doctype html><h1>Heading</h1>", "Web pages are not taken."),
    ("page.txt", b"  <!DOCTYPE html><h1>Heading</h1>", "This kind of file is not taken."),
    ("mail.eml", b"From: a@b.example\nSubject: Hi\n\nHello", "Mails are not taken."),
    ("all.zip", ZIP, "Archives are not taken."),
    ("call.mp3", b"ID3", "Sound and video are not taken."),
    ("latin1.txt", "Größe über café naïve façade\n".encode("latin-1"), "The text's encoding is not known"),
    ("sjis.txt", "こんにちは、会議は三時です。\n".encode("shift_jis"), "The text's encoding is not known"),
    ("eucjp.txt", "こんにちは、会議は三時です。\n".encode("euc_jp"), "The text's encoding is not known"),
    ("bytes.txt", bytes(range(256)), "The file is no text."),
    ("empty.txt", b"", "The file is empty."),
    ("blank.txt", b"  \n \n", "The file is empty."),
    ("too-large.txt", b"x" * (21 << 20), "The file is larger than 20 MB."),
    ("too-much.txt", b"".join(b"Line %d: value %d.\n" % (i, i * i) for i in range(300_000)), "The file has too much text."),
]


def test_each_kind_of_file_is_taken_or_named(local, opened):
    page = opened(local)
    answers = {}
    for name, data, _ in DROPPED:
        data = data if isinstance(data, bytes) else data.read_bytes()
        page.page.set_input_files("input[type=file]", [{"name": name, "mimeType": "", "buffer": data}])
        one = page.page.locator("li.document", has_text=name)
        expect(one).to_have_count(1)
        expect(one.locator("progress")).to_have_count(0, timeout=60_000)
        failed = one.get_by_role("alert")
        answers[name] = failed.inner_text().removeprefix(f"{name}: ") if failed.count() else None
        page.button(f"Dismiss: {name}" if failed.count() else f"Remove {name}").click()
        expect(one).to_have_count(0)
    wrong = {
        name: (answers[name], said)
        for name, _, said in DROPPED
        if (said is None) != (answers[name] is None) or (said and not answers[name].startswith(said))
    }
    assert not wrong


def test_what_cannot_be_read_is_said_in_korean(local, opened):
    page = opened(local, korean=True)
    for name, data in (("broken.pdf", b"%PDF-1.7 and nothing more"), ("bytes.txt", bytes(range(256))), ("scan.pdf", SAMPLES / "scan.pdf")):
        data = data if isinstance(data, bytes) else data.read_bytes()
        page.page.set_input_files("input[type=file]", [{"name": name, "mimeType": "", "buffer": data}])
        said = page.page.locator("li.document", has_text=name).get_by_role("alert")
        expect(said).to_have_text(re.compile(r"[가-힣]{2,}.*(니다|습니다)\."))
        assert not re.search("[a-z]{4,}", said.inner_text().removeprefix(name).replace("Markdown", ""))
