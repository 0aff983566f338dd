#include "gateway/learned_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/hex.hpp"
#include "base/strings.hpp"

namespace spillway::gateway {
namespace {

constexpr std::string_view kCooling = "cooling";
constexpr std::int64_t kLongestMs = std::int64_t{24} * 60 * 60 * 1000;

std::string hex_of(std::string_view text) {
    return to_hex({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
}

bool text_of(std::string_view hex, std::string& out) {
    out.resize(hex.size() / 2);
    return read_hex(hex, {reinterpret_cast<unsigned char*>(out.data()), out.size()});
}

std::string_view word(std::string_view& line) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view out = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return out;
}

}  // namespace

std::string write_learned(const std::vector<quota::PeerReport>& reports) {
    std::string out;
    for (const quota::PeerReport& report : reports) {
        const auto ms = std::chrono::ceil<std::chrono::milliseconds>(report.cooling).count();
        if (ms <= 0) continue;
        out += fmt::format("{} {} {} {} {}\n", kCooling, ms, report.reason, hex_of(report.backend),
                           hex_of(report.deployment));
    }
    return out;
}

std::vector<quota::PeerReport> read_learned(std::string_view text) {
    std::vector<quota::PeerReport> out;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) break;  // cut
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        if (word(line) != kCooling) continue;
        const auto ms = parse_int<std::int64_t>(word(line));
        const auto reason = parse_int<std::uint8_t>(word(line));
        quota::PeerReport report;
        if (!ms || *ms <= 0 || *ms > kLongestMs || !reason) continue;
        if (!text_of(word(line), report.backend) || !text_of(word(line), report.deployment)) continue;
        report.cooling = std::chrono::milliseconds(*ms);
        report.reason = *reason;
        out.push_back(std::move(report));
    }
    return out;
}

}  // namespace spillway::gateway
