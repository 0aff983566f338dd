"""Writes the man page and shell completions from the program's own help: make_manual.py PROGRAM FOLDER."""

import gzip
import pathlib
import re
import subprocess
import sys

# Those of a group stand deeper.
OPTION = re.compile(r"^ {2,4}((?:-\w,)?(?:--?[\w-]+)(?:,--[\w-]+)*)(.*?)(?:  +(.*))?$")


def help_of(program, *verbs):
    done = subprocess.run([program, *verbs, "--help"], capture_output=True, text=True, check=True)
    return done.stdout


def examples_of(text):
    """The lines that a help text ends with."""
    return text.split("\nExamples:\n")[1].rstrip().splitlines() if "\nExamples:\n" in text else []


def parse(text):
    """(description, [(option, value, help)], [(verb, help)]) of one help text."""
    lines = text.split("\nExamples:\n")[0].splitlines()
    description = lines[0] if lines and not lines[0].startswith("Usage") else ""
    options, verbs, section = [], [], ""
    for line in lines[1:]:
        if line and not line.startswith(" "):
            section = line
        elif "ubcommand" in section and (match := re.match(r"^  (\S+)\s+(.*)$", line)):
            verbs.append((match[1].split(",")[0], match[2]))
        elif match := OPTION.match(line):
            options.append([match[1], match[2].strip(), match[3] or ""])
        elif options and line.startswith(" " * 20) and "Option" in section:
            options[-1][2] = (options[-1][2] + " " + line.strip()).strip()
    return description, options, verbs


def roff(text):
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + escaped if escaped.startswith((".", "'")) else escaped


def manual(version, tree, examples):
    out = [f'.TH SPILLWAY 1 "" "Spillway {version}" "User commands"', ".SH NAME",
           "spillway \\- one endpoint in front of several Azure OpenAI resources", ".SH SYNOPSIS",
           ".B spillway", ".I verb", "[\\fIoptions\\fR]", ".SH DESCRIPTION", roff(tree[()][0]) + ".",
           "Each verb has its own options.", ".SH VERBS"]  # fmt: skip
    for path, (description, options, _) in tree.items():
        if not path:
            continue
        out += [f".SS {roff('spillway ' + ' '.join(path))}", roff(description)]
        for names, value, told in options:
            out += [".TP", f"\\fB{roff(names)}\\fR {roff(value)}".rstrip(), roff(told) or "\\&"]
        if examples.get(path):
            out += [".PP", ".EX", *map(roff, examples[path]), ".EE"]
    out += [".SH FILES", ".TP", "\\fI/etc/spillway/gateway.yaml\\fR", "configuration of the service", ".SH EXIT STATUS",
            "0: good; 1: failed; 2: wrong usage or configuration.", ".SH SEE ALSO",
            "The documentation in /usr/share/doc/spillway."]  # fmt: skip
    return "\n".join(out) + "\n"


def long_names(options):
    return [name for names, _, _ in options for name in names.split(",") if name.startswith("--")]


def bash(tree):
    cases = []
    for path, (_, options, verbs) in tree.items():
        words = " ".join([*(v for v, _ in verbs), *long_names(options)])
        cases.append(f"        '{' '.join(path)}') words='{words}' ;;")
    return "\n".join(
        ["# bash completion for spillway", "_spillway() {", "    local current=${COMP_WORDS[COMP_CWORD]} path='' words='' i",
         "    for ((i = 1; i < COMP_CWORD; ++i)); do",
         "        [[ ${COMP_WORDS[i]} == -* ]] && break", '        path+="${path:+ }${COMP_WORDS[i]}"', "    done",
         '    case "$path" in', *cases, "    esac",
         '    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")',
         "    [[ ${#COMPREPLY[@]} -gt 0 ]] || compopt -o default", "}", "complete -F _spillway spillway", ""]
    )  # fmt: skip


def zsh(tree):
    verbs = " ".join(f"'{verb}:{told.replace(chr(39), '').replace(':', ' ')}'" for verb, told in tree[()][2])
    cases = []
    for path, (_, options, inner) in sorted(tree.items(), key=lambda one: -len(one[0])):
        if path:
            words = " ".join([*(v for v, _ in inner), *long_names(options)])
            cases.append(f"        '{' '.join(path)} '*) compadd -- {words}; _files ;;")
    return "\n".join(
        ["#compdef spillway", "_spillway() {", f"    local -a verbs=({verbs})",
         "    if ((CURRENT == 2)); then _describe verb verbs; return; fi", '    case "${words[2,CURRENT-1]} " in', *cases, "    esac", "}",
         '_spillway "$@"', ""]
    )  # fmt: skip


def fish(tree):
    out = ["# fish completion for spillway"]
    for verb, told in tree[()][2]:
        told = told.replace("'", "")
        out.append(f"complete -c spillway -n __fish_use_subcommand -f -a {verb} -d '{told}'")
    for path, (_, options, inner) in tree.items():
        if not path:
            continue
        seen = "; and ".join(f"__fish_seen_subcommand_from {verb}" for verb in path)
        for verb, told in inner:
            told = told.replace("'", "")
            out.append(f"complete -c spillway -n '{seen}' -f -a {verb} -d '{told}'")
        for name in long_names(options):
            out.append(f"complete -c spillway -n '{seen}' -l {name[2:]}")
    return "\n".join(out) + "\n"


def main(program, folder):
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    tree = {(): parse(help_of(program))}
    examples = {}
    for verb, _ in tree[()][2]:
        text = help_of(program, verb)
        tree[(verb,)] = parse(text)
        examples[(verb,)] = examples_of(text)
        for inner, _ in tree[(verb,)][2]:
            tree[(verb, inner)] = parse(help_of(program, verb, inner))
    if len(tree) < 8:
        sys.exit("too few verbs were found in the help")
    out = pathlib.Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    # No time in it: two builds are the same bytes.
    (out / "spillway.1.gz").write_bytes(gzip.compress(manual(version, tree, examples).encode(), 9, mtime=0))
    (out / "spillway.bash").write_text(bash(tree))
    (out / "_spillway").write_text(zsh(tree))
    (out / "spillway.fish").write_text(fish(tree))


main(*sys.argv[1:])
