"""Each check of scripts/check-structure finds what it is there to find, and lets pass what is right."""

import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/check-structure"
loader = importlib.machinery.SourceFileLoader("check_structure", str(SCRIPT))
checks = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_structure", loader))
loader.exec_module(checks)

CLASS = """
#pragma once
/// int in_a_comment_;
class Big {{
public:
    Big();
    [[nodiscard]] int size() const noexcept {{ return a0_; }}
    static constexpr int kOne = 1;
    using Name = int;
    struct Inner {{
        int not_of_big = 0;
    }};
    enum class Kind : int {{ one, two }};

private:
    void run(int x, int y);
{members}
    std::function<void(int, int)> callback_;
    std::atomic<int> lock_{{0}};
    alignas(64) std::array<int, 4> cells_{{}};
}};
"""


class Structure(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def found(self, name):
        return list(checks.CHECKS[name](self.root))

    def test_members(self):
        members = "\n".join(f"    int a{i}_ = {i};" for i in range(17))
        self.write("src/gateway/big.hpp", CLASS.format(members=members))
        self.assertEqual(self.found("members"), [])  # 17 and the last three
        self.write("src/gateway/big.hpp", CLASS.format(members=members + "\n    int b_, c_;"))
        self.assertEqual(len(self.found("members")), 1)
        self.assertIn("Big has 22 data members", self.found("members")[0])

    def test_friends(self):
        self.write("src/gateway/a.hpp", "class A {\n    friend bool operator==(const A&, const A&) = default;\n};\n")
        self.assertEqual(self.found("friends"), [])
        self.write("src/gateway/a.hpp", "class A {\n    friend class B;  // because\n};\n")
        self.assertEqual(self.found("friends"), ["src/gateway/a.hpp:2: friend class B"])

    def test_operations(self):
        self.write("src/api/operation.cpp", "if (op == Operation::chat) {}\n")
        self.write("src/gateway/a.cpp", "// Operation::chat\n")
        self.assertEqual(self.found("operations"), [])
        self.write("src/gateway/a.cpp", "bool b = op == api::Operation::chat;\n")
        self.write("src/quota/b.cpp", "auto m = b.kind == config::BackendKind::openai ? x : y;\n")
        self.assertEqual(len(self.found("operations")), 2)

    def test_asio_detail(self):
        self.write("src/http/a.hpp", "boost::asio::awaitable<int> f();\n")
        self.assertEqual(self.found("asio_detail"), [])
        self.write("src/http/a.hpp", "namespace boost::asio::detail {}\n")
        self.assertEqual(len(self.found("asio_detail")), 1)

    def test_prefetch(self):
        self.write("src/base/warm.hpp", "void prefetch(const void* p) { __builtin_prefetch(p); }\n")
        self.write("src/base/warm.cpp", "prefetch(p);\n")
        self.write("src/http/a.cpp", "// nothing to prefetch(here)\n")
        self.assertEqual(self.found("prefetch"), [])
        self.write("src/http/a.cpp", "prefetch_for_read(&x);\n")
        self.assertEqual(len(self.found("prefetch")), 2)

    def test_lines(self):
        self.write("src/base/a.cpp", "\n" * 400)
        self.assertEqual(self.found("lines"), [])
        self.write("web/chat/src/a.ts", "\n" * 401)
        self.assertEqual(len(self.found("lines")), 1)

    def test_metrics(self):
        self.write("src/gateway/metrics.cpp", 'counter("spillway_things_total", "…");\n')
        self.assertEqual(len(self.found("metrics")), 1)
        self.write("docs/metrics.md", "| `spillway_things_total` | counter |\n")
        self.assertEqual(self.found("metrics"), [])
        self.write("docs/metrics.md", "| `spillway_things_total` |\n| `spillway_gone_total` |\n")
        self.assertEqual(self.found("metrics"), ["docs/metrics.md: spillway_gone_total is nowhere in the program"])

    def test_log_fields(self):
        self.write("src/telemetry/access_line.cpp", 'append_text(out, R"(,"client":")", r.client);\n')
        self.write("docs/access-log.md", "| `request_id` |\n")
        self.assertEqual(len(self.found("log_fields")), 1)
        self.write("docs/access-log.md", "| `client` |\n")
        self.assertEqual(self.found("log_fields"), [])

    def test_error_codes(self):
        self.write("src/http/a.cpp", 'refuse(408, "The body, it did not come.", "request_timeout");\n')
        self.write("src/gateway/a.cpp", 'return Refusal{.status = 400, .message = "No.", .code = "bad_path"};\n')
        self.assertEqual(len(self.found("error_codes")), 2)
        self.write("docs/errors.md", "`request_timeout` and `bad_path`\n")
        self.assertEqual(self.found("error_codes"), [])

    def test_settings(self):
        self.write("src/config/settings_retry.cpp", '    .add(\n        "max_wait", &RetryConfig::max_wait)\n')
        self.write("docs/configuration.md", "no such key\n")
        self.assertEqual(len(self.found("settings")), 1)
        self.write("docs/configuration.md", "| `retry.max_wait` | 5s |\n")
        self.assertEqual(self.found("settings"), [])

    def test_every_check_has_a_test(self):
        tested = {name[len("test_") :] for name in dir(self) if name.startswith("test_")}
        self.assertEqual(set(checks.CHECKS) - tested, set())


if __name__ == "__main__":
    unittest.main()
