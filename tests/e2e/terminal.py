"""A program on a terminal of its own (a real pty, seen through pyte), and what a person would see there."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pyte
from wcwidth import wcswidth

import harness


class Screen(pyte.Screen):
    """Counts what does not fit: lines that wrap, and rows that scroll away."""

    def __init__(self, columns, rows):
        self.wrapped = self.scrolled = 0
        super().__init__(columns, rows)

    def draw(self, data):
        if self.cursor.x + wcswidth(data) > self.columns:
            self.wrapped += 1
        super().draw(data)

    def index(self):
        if self.cursor.y == self.lines - 1:
            self.scrolled += 1
        super().index()

    def reflow(self, columns, rows):
        """As VTE, kitty, tmux and Windows Terminal do it: lines that no longer fit go on in the next row."""
        above = "\r\n".join(line.rstrip() for line in self.display[: self.cursor.y])
        self.resize(rows, columns)
        self.reset()
        pyte.Stream(self).feed(above + "\r\n")
        self.wrapped = self.scrolled = 0


class Terminal:
    def __init__(self, columns, rows, *arguments, env=None, reflows=False):
        self.reflows = reflows
        self.screen = Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.master, slave = pty.openpty()
        self.tell_size(columns, rows)
        self.process = subprocess.Popen(
            [harness.SPILLWAY, *map(str, arguments)],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env={**os.environ, "TERM": "xterm", "NO_COLOR": "1", **(env or {})},
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)

    def tell_size(self, columns, rows):
        """The kernel tells the program (SIGWINCH)."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def size(self, columns, rows):
        if self.reflows:
            self.screen.reflow(columns, rows)
        else:
            self.screen.resize(rows, columns)
        self.tell_size(columns, rows)

    @property
    def beyond(self):
        return self.screen.wrapped + self.screen.scrolled

    def forget(self):
        """What was beyond the edges so far, as when it was drawn for the size before."""
        self.screen.wrapped = self.screen.scrolled = 0

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, seconds):
        """False when the program has ended."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.stream.feed(os.read(self.master, 65536))
                except OSError:
                    return False
        return True

    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    def text(self):
        return "\n".join(self.lines())

    def sees(self, text, seconds=5):
        end = time.monotonic() + seconds
        while text not in self.text():
            assert time.monotonic() < end, f"no {text!r} in:\n{self.text()}"
            self.read(0.1)

    def wait(self, seconds):
        """Reads to the end; returns the exit status."""
        end = time.monotonic() + seconds
        while self.read(0.1):
            assert time.monotonic() < end, f"still running:\n{self.text()}"
        return self.process.wait(5)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
