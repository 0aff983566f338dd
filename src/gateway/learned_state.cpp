#include "gateway/learned_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <span>
#include <type_traits>
#include <variant>

#include "base/hex.hpp"
#include "base/strings.hpp"

namespace spillway::gateway {
namespace {

using quota::MeterLevel;
using quota::MinuteUsage;
using quota::UsageChange;
using routing::BackendMemory;

constexpr std::string_view kReplica = "replica";
constexpr std::string_view kName = "name";
constexpr std::string_view kBackend = "backend";
constexpr std::string_view kDeployment = "deployment";
constexpr std::string_view kUsage = "usage";
constexpr std::string_view kSessions = "sessions";
constexpr std::int64_t kLongestMs = std::int64_t{24} * 60 * 60 * 1000;
constexpr std::size_t kSessionsInLine = 64;

std::string hex_of(std::string_view text) {
    return to_hex({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
}

/// The words of one line; `good` until one is not what it should be.
struct Words {
    std::string_view line;
    bool good = true;

    [[nodiscard]] std::string_view next(char end = ' ') {
        const std::size_t at = std::min(line.find(end), line.size());
        const std::string_view out = line.substr(0, at);
        line.remove_prefix(std::min(at + 1, line.size()));
        return out;
    }
    template <class Int>
    [[nodiscard]] Int number(char end = ' ') {
        const auto value = parse_int<Int>(next(end));
        good = good && value.has_value();
        return value.value_or(Int{});
    }
    [[nodiscard]] std::string text() {
        const std::string_view hex = next();
        std::string out(hex.size() / 2, '\0');
        good = good && read_hex(hex, {reinterpret_cast<unsigned char*>(out.data()), out.size()});
        return out;
    }
};

std::string to_text(const BackendMemory::Rest& rest) {
    return fmt::format("{} {}", std::chrono::ceil<std::chrono::milliseconds>(rest.cooling).count(),
                       static_cast<unsigned>(rest.reason));
}

BackendMemory::Rest read_rest(Words& words) {
    BackendMemory::Rest out;
    const auto ms = words.number<std::int64_t>();
    const auto reason = words.number<std::uint8_t>();
    words.good = words.good && ms >= 0 && ms <= kLongestMs &&
                 reason <= static_cast<std::uint8_t>(routing::Reason::proxy);
    out.cooling = std::chrono::milliseconds(ms);
    out.reason = static_cast<routing::Reason>(reason);
    return out;
}

std::string to_text(const MeterLevel& level) {
    const auto common = [&](const quota::Level& l) {
        return fmt::format("{}:{}:{}:{}:{}:{}:{}", level.kind().index(), l.limit,
                           static_cast<unsigned>(l.basis), l.length, l.generation, l.count, l.time);
    };
    return std::visit(
        [&]<class Kind>(const Kind& kind) {
            if constexpr (std::is_same_v<Kind, quota::WindowLevel>)
                return fmt::format("{}:{}:{}:", common(kind), kind.gap, kind.carry);
            else
                return common(kind) + ":0:0:";
        },
        level.kind());
}

MeterLevel read_level(Words& words) {
    constexpr std::int32_t longest = 1 << 16;  // 17 minutes of ticks
    Words w{words.next()};
    const auto kind = w.number<std::size_t>(':');
    quota::Level level{Duration(1)};
    level.limit = w.number<std::uint32_t>(':');
    const auto basis = w.number<std::uint8_t>(':');
    level.basis = static_cast<quota::Basis>(basis);
    level.length = w.number<std::int32_t>(':');
    level.generation = w.number<std::uint8_t>(':');
    level.count = w.number<std::uint32_t>(':');
    level.time = w.number<std::int64_t>(':');
    const auto gap = w.number<std::int32_t>(':');
    const auto carry = w.number<std::uint32_t>(':');
    words.good = words.good && w.good && level.length > 0 && level.length <= longest && gap >= 0 &&
                 gap <= level.length && basis <= static_cast<std::uint8_t>(quota::Basis::reported) &&
                 level.time >= 0;
    quota::WindowLevel window{Duration(1)};
    quota::BucketLevel bucket{Duration(1)};
    static_cast<quota::Level&>(window) = level;
    static_cast<quota::Level&>(bucket) = level;
    window.gap = gap;
    window.carry = carry;
    if (kind == 0) return MeterLevel(window);
    if (kind == 1) return MeterLevel(quota::StrictLevel(bucket));
    words.good = words.good && kind == 2;
    return MeterLevel(quota::LenientLevel(bucket));
}

void write(std::string& out, const BackendMemory& backend) {
    const std::string name = hex_of(backend.name);
    out += fmt::format("{} {} {} {} {} {}\n", kBackend, name, backend.resource,
                       static_cast<unsigned>(backend.mode), fmt::join(backend.counts, " "),
                       to_text(backend.whole));
    for (const auto& one : backend.deployments)
        if (one.levels)
            out += fmt::format("{} {} {} {} {} {} {} {}\n", kDeployment, name, hex_of(one.name),
                               to_text(one.quota), to_text(one.failures),
                               static_cast<std::int64_t>(one.levels->utilization * 1e6F),
                               to_text(one.levels->tokens), to_text(one.levels->requests));
}

void read_backend(Words words, routing::RouterMemory& out) {
    BackendMemory backend;
    backend.name = words.text();
    backend.resource = words.number<std::uint64_t>();
    const auto mode = words.number<std::uint8_t>();
    backend.mode = static_cast<routing::Mode>(mode);
    for (auto& count : backend.counts) count = words.number<std::uint64_t>();
    backend.whole = read_rest(words);
    if (words.good && mode <= static_cast<std::uint8_t>(routing::Mode::off))
        out.backends.push_back(std::move(backend));
}

void read_deployment(Words words, routing::RouterMemory& out) {
    const std::string backend = words.text();
    BackendMemory::Deployment one;
    one.name = words.text();
    one.quota = read_rest(words);
    one.failures = read_rest(words);
    const auto utilization = words.number<std::int64_t>();
    const MeterLevel tokens = read_level(words);
    const MeterLevel requests = read_level(words);
    one.levels = quota::Mirror::Levels{tokens, requests, static_cast<float>(utilization) / 1e6F};
    const auto at = std::ranges::find(out.backends, backend, &BackendMemory::name);
    if (words.good && at != out.backends.end()) at->deployments.push_back(std::move(one));
}

std::string to_text(const std::vector<MinuteUsage::Second>& seconds) {
    std::string out;
    for (const auto& [second, amount] : seconds)
        fmt::format_to(std::back_inserter(out), "{}:{},", second, amount);
    return out;
}

std::vector<MinuteUsage::Second> read_seconds(Words& words) {
    std::vector<MinuteUsage::Second> out;
    Words all{words.next()};
    while (words.good && !all.line.empty()) {
        Words one{all.next(',')};
        out.push_back({one.number<std::int64_t>(':'), one.number<std::int64_t>()});
        words.good = words.good && one.good && out.back().second >= 0;
    }
    return out;
}

void write(std::string& out, const UsageChange& usage) {
    fmt::format_to(std::back_inserter(out), "{} {} {} {} {} {} {} {} {} {}\n", kUsage,
                   quota::to_string(usage.kind), hex_of(usage.owner), hex_of(usage.name), usage.first ? 1 : 0,
                   usage.in_flight, fmt::join(usage.period_tokens, " "), fmt::join(usage.period_cost, " "),
                   to_text(usage.tokens), to_text(usage.requests));
}

void read_usage(Words words, std::vector<UsageChange>& out) {
    using quota::SubjectKind;
    UsageChange usage;
    const std::string_view kind = words.next();
    for (const auto one : {SubjectKind::client, SubjectKind::user, SubjectKind::team, SubjectKind::key})
        if (kind == quota::to_string(one)) usage.kind = one;
    usage.owner = words.text();
    usage.name = words.text();
    usage.first = words.number<int>() == 1;
    usage.in_flight = words.number<std::int64_t>();
    for (auto& n : usage.period_tokens) n = words.number<std::int64_t>();
    for (auto& n : usage.period_cost) n = words.number<std::int64_t>();
    usage.tokens = read_seconds(words);
    usage.requests = read_seconds(words);
    if (words.good && kind == quota::to_string(usage.kind)) out.push_back(std::move(usage));
}

}  // namespace

std::string write_learned(const Learned& learned) {
    std::string out;
    if (!learned.replica.empty()) out += fmt::format("{} {}\n", kReplica, hex_of(learned.replica));
    for (const std::string& name : learned.router.names) out += fmt::format("{} {}\n", kName, hex_of(name));
    for (const auto& backend : learned.router.backends) write(out, backend);
    for (const auto& usage : learned.usage) write(out, usage);
    for (const auto& [backend, hashes] : learned.sessions)
        for (std::size_t i = 0; i < hashes.size(); i += kSessionsInLine) {
            const auto part = std::span(hashes).subspan(i, std::min(kSessionsInLine, hashes.size() - i));
            out += fmt::format("{} {} {}\n", kSessions, hex_of(backend), fmt::join(part, " "));
        }
    return out;
}

Learned read_learned(std::string_view text) {
    Learned out;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) break;  // cut
        Words words{text.substr(0, end)};
        text.remove_prefix(end + 1);
        const std::string_view kind = words.next();
        if (kind == kReplica || kind == kName) {
            std::string said = words.text();
            if (!words.good) continue;
            if (kind == kReplica)
                out.replica = std::move(said);
            else
                out.router.names.push_back(std::move(said));
        } else if (kind == kBackend) {
            read_backend(words, out.router);
        } else if (kind == kDeployment) {
            read_deployment(words, out.router);
        } else if (kind == kUsage) {
            read_usage(words, out.usage);
        } else if (kind == kSessions) {
            Learned::Sessions sessions{words.text(), {}};
            while (words.good && !words.line.empty())
                sessions.hashes.push_back(words.number<std::uint64_t>());
            if (words.good) out.sessions.push_back(std::move(sessions));
        }
    }
    return out;
}

}  // namespace spillway::gateway
