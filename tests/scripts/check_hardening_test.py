"""scripts/check-hardening finds what a program was built without, in what readelf says of one that lacks it."""

import importlib.machinery
import importlib.util
import pathlib
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/check-hardening"
loader = importlib.machinery.SourceFileLoader("check_hardening", str(SCRIPT))
check = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_hardening", loader))
loader.exec_module(check)

HARDENED = """
  Type:                              DYN (Position-Independent Executable file)
  GNU_RELRO      0x4ff000 0x0000000000501000 0x0000000000501000 0x006a30 0x007000 R   0x1
  GNU_STACK      0x000000 0x0000000000000000 0x0000000000000000 0x000000 0x000000 RW  0x0
 0x000000000000001e (FLAGS)              BIND_NOW
 0x000000006ffffffb (FLAGS_1)            Flags: NOW PIE
    11: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND __stack_chk_fail@GLIBC_2.4 (3)
    12: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND __memcpy_chk@GLIBC_2.3.4 (4)
    13: 0000000000000000     0 FUNC    GLOBAL DEFAULT  UND _ZSt21__glibcxx_assert_failPKciS0_S0_@GLIBCXX_3.4.30 (5)
"""


class Hardening(unittest.TestCase):
    def test_hardened(self):
        self.assertEqual(check.faults(HARDENED), [])

    def test_each_lack_is_named(self):
        for line, fault in {
            "DYN (Position": "position-independent",
            "GNU_RELRO": "read-only relocations",
            "GNU_STACK": "stack not executable",
            "stack_chk_fail": "stack protector",
            "memcpy_chk": "checked C calls",
            "glibcxx_assert": "checked C++ containers",
        }.items():
            without = "\n".join(text for text in HARDENED.splitlines() if line not in text)
            self.assertEqual([fault in found for found in check.faults(without)], [True], line)

    def test_others(self):
        lazy = HARDENED.replace("BIND_NOW", "").replace("NOW PIE", "PIE")
        self.assertIn("no lazy binding", check.faults(lazy)[0])
        self.assertIn("stack not executable", check.faults(HARDENED.replace(" RW  0x0", " RWE 0x0"))[0])
        self.assertIn("RPATH", check.faults(HARDENED + " 0x0f (RUNPATH)  Library runpath: [/tmp]\n")[0])


if __name__ == "__main__":
    unittest.main()
