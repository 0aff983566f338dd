"""The commands that the documents show: each is one that the program knows, each file of ours is there.

What they do is tested where it is told of: test_readme.py runs the README's, deploy's are in tests/deploy."""

import functools
import re
import shlex
import subprocess

import pytest

import harness

PAGES = [harness.ROOT / "README.md", *sorted((harness.ROOT / "docs").rglob("*.md"))]


def commands(page):
    """Of the page's shell blocks: lists of words, split at pipes and the like, without comments."""
    for block in re.findall(r"^ *```(?:sh|bash|console)\n(.*?)^ *```", page.read_text(), re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.shlex(re.sub(r"(^|\s)#.*", "", line), posix=True, punctuation_chars=";&|()<>")
            words.whitespace_split, words.commenters = True, ""
            command = []
            try:
                for word in words:
                    if set(word) <= set(";&|()<>"):
                        yield command
                        command = []
                    else:
                        command.append(word)
            except ValueError:  # a text of several lines
                continue
            yield command


def of_program(page, program):
    for command in commands(page):
        if program in [word.rsplit("/", 1)[-1] for word in command[:2]]:  # with a variable set, perhaps
            names = [word.rsplit("/", 1)[-1] for word in command]
            yield command[names.index(program) + 1 :]


@functools.cache
def help_of(*verbs):
    done = subprocess.run([harness.SPILLWAY, *verbs, "--help"], capture_output=True, text=True, check=False, timeout=20)
    return done.stdout if done.returncode == 0 else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_verbs_and_options_are_the_programs(page):
    for words in of_program(page, "spillway"):
        verbs = []
        for word in words:
            if not re.fullmatch(r"[a-z]+", word) or not re.search(rf"^  {word}\b", help_of(*verbs), re.M):
                break
            verbs.append(word)
        assert verbs or words[0].startswith("--"), words
        for option in (word.split("=")[0] for word in words if word.startswith("--")):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", help_of(*verbs)), f"{' '.join(words)}: {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_of_ours_are_there(page):
    for command in commands(page):
        for word in command:
            if re.fullmatch(r"(scripts|bench|deploy|tests|fuzz|docs|web|\.ci)/[\w./-]+", word):
                made = "/.venv/" in word or "/node_modules/" in word
                assert made or (harness.ROOT / word).exists(), " ".join(command)


def test_the_documents_show_commands():
    assert sum(len(list(of_program(page, "spillway"))) for page in PAGES) > 30
