// Request targets: one that is not refused stays below the base path however often it is decoded, and is
// classified the same after it was respelt for a backend.
#include <string>

#include "api/dialect.hpp"
#include "api/route.hpp"
#include "base/strings.hpp"
#include "check.hpp"

using namespace spillway;

namespace {

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
            out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

void expect_no_dots(std::string_view path) {
    while (!path.empty()) {
        std::string_view segment = path.substr(0, path.find_first_of("/\\"));
        path.remove_prefix(std::min(path.size(), segment.size() + 1));
        segment = segment.substr(0, segment.find(';'));
        SPILLWAY_EXPECT(segment != "." && segment != "..");
    }
}

void check(const api::Route& route, const api::Dialect& dialect, std::string_view base) {
    std::string out;
    dialect.append_target(out, base, route, "new name");
    SPILLWAY_EXPECT(out.starts_with(base));
    SPILLWAY_EXPECT(out.find_first_of(std::string_view("\0\r\n #", 5)) == std::string::npos);
    const std::string_view path = std::string_view(out).substr(0, out.find('?'));
    expect_no_dots(path);
    expect_no_dots(decoded(path));
    expect_no_dots(decoded(decoded(path)));
    if (route.style == api::PathStyle::unknown) return;
    const api::Route again = api::classify(out);
    SPILLWAY_EXPECT(!again.bad);
    SPILLWAY_EXPECT(again.operation == route.operation);
    if (dialect.deployment_in_path(base, route)) {
        SPILLWAY_EXPECT(again.deployment == "new%20name");
        SPILLWAY_EXPECT(again.tail == route.tail);
    } else {
        SPILLWAY_EXPECT(again.deployment.empty() || &dialect == &api::openai_dialect() || !base.empty());
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view target = fuzz::as_text(data, size);
    std::string segment;
    if (api::decode_segment(target, segment))
        SPILLWAY_EXPECT(!segment.empty() && segment.find('/') == std::string::npos);
    const api::Route route = api::classify(target);
    if (route.bad) return 0;
    SPILLWAY_EXPECT(route.path.size() + route.query.size() + (route.has_query ? 1 : 0) == size);
    SPILLWAY_EXPECT(route.deployment.empty() || api::decode_segment(route.deployment, segment));
    check(route, api::azure_dialect(), "");
    check(route, api::azure_dialect(), "/openai");
    check(route, api::azure_dialect(), "/openai/v1");
    check(route, api::openai_dialect(), "");
    check(route, api::openai_dialect(), "/v1");
    return 0;
}
