#include "api/rate_limit.hpp"

#include <algorithm>
#include <array>

#include "base/strings.hpp"

namespace spillway::api {
namespace {

using std::chrono::nanoseconds;

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// "12.5" read without floating point: whole part (saturated) and billionths.
struct Decimal {
    std::uint64_t whole = 0;
    std::uint64_t billionths = 0;
};
constexpr std::uint64_t whole_limit = 1'000'000'000'000'000'000;

/// Takes digits, or digits with a fraction, off the front of `s`.
std::optional<Decimal> read_decimal(std::string_view& s) noexcept {
    Decimal value;
    std::size_t at = 0;
    for (; at < s.size() && is_digit(s[at]); ++at) {
        const auto digit = static_cast<std::uint64_t>(s[at] - '0');
        value.whole = value.whole >= whole_limit / 10 ? whole_limit : value.whole * 10 + digit;
    }
    std::size_t digits = at;
    if (at < s.size() && s[at] == '.') {
        std::uint64_t place = 100'000'000;
        for (++at; at < s.size() && is_digit(s[at]); ++at, ++digits, place /= 10)
            value.billionths += static_cast<std::uint64_t>(s[at] - '0') * place;
    }
    if (digits == 0) return std::nullopt;
    s.remove_prefix(at);
    return value;
}

/// `value` times a unit of `unit` nanoseconds (a power of ten, or a multiple of a second).
Duration times(const Decimal& value, std::uint64_t unit) noexcept {
    constexpr std::uint64_t billion = 1'000'000'000;
    if (value.whole >= static_cast<std::uint64_t>(max_wait.count()) / unit) return max_wait;
    const std::uint64_t part =
        unit >= billion ? value.billionths * (unit / billion) : value.billionths * unit / billion;
    return std::min<Duration>(max_wait, nanoseconds(value.whole * unit + part));
}

/// The number of nanoseconds in the unit `s` begins with, which is taken off; 0 if it is none.
std::uint64_t read_unit(std::string_view& s) noexcept {
    struct Unit {
        std::string_view name;
        std::uint64_t nanoseconds;
    };
    static constexpr std::array<Unit, 8> units{{{"ms", 1'000'000},
                                                {"us", 1'000},
                                                {"\xc2\xb5s", 1'000},
                                                {"ns", 1},
                                                {"d", 86'400'000'000'000},
                                                {"h", 3'600'000'000'000},
                                                {"m", 60'000'000'000},
                                                {"s", 1'000'000'000}}};
    for (const Unit& unit : units) {
        if (!s.starts_with(unit.name)) continue;
        s.remove_prefix(unit.name.size());
        return unit.nanoseconds;
    }
    return 0;
}

/// A count: not negative; a fraction is cut.
std::optional<std::int64_t> parse_count(std::string_view text) noexcept {
    text = trim(text);
    const auto value = read_decimal(text);
    if (!value || !text.empty()) return std::nullopt;
    return static_cast<std::int64_t>(value->whole);
}

std::optional<double> parse_percent(std::string_view text) noexcept {
    text = trim(text);
    if (text.ends_with('%')) text = trim(text.substr(0, text.size() - 1));
    const auto value = read_decimal(text);
    if (!value || !text.empty()) return std::nullopt;
    return static_cast<double>(value->whole) + static_cast<double>(value->billionths) / 1e9;
}

std::optional<Duration> parse_milliseconds(std::string_view text) noexcept {
    text = trim(text);
    const auto value = read_decimal(text);
    if (!value || !text.empty()) return std::nullopt;
    return times(*value, 1'000'000);
}

std::optional<Duration> parse_retry_after(std::string_view text, Wall now) noexcept {
    if (const auto wait = parse_wait(text)) return wait;
    const auto date = parse_http_date(text, now);
    if (!date) return std::nullopt;
    if (*date <= now) return Duration::zero();
    const auto since = [](Wall t) { return t.time_since_epoch().count(); };
    // As unsigned numbers, the distance of two times never overflows.
    const auto away = static_cast<std::uint64_t>(since(*date)) - static_cast<std::uint64_t>(since(now));
    return away >= static_cast<std::uint64_t>(max_wait.count()) ? max_wait : nanoseconds(away);
}

/// What follows "x-ratelimit-" or "x-rate-limit-" in a field's name; empty if it is neither.
std::string_view rate_limit_suffix(std::string_view name) noexcept {
    // One letter distinguishes most fields.
    if (name.size() < 12 || ascii_lower(name[2]) != 'r') return {};
    constexpr std::string_view usual = "x-ratelimit-";
    constexpr std::string_view other = "x-rate-limit-";
    if (name.starts_with(usual) || istarts_with(name, usual)) return name.substr(usual.size());
    if (istarts_with(name, other)) return name.substr(other.size());
    return {};
}

template <class T>
void keep_first(std::optional<T>& value, std::optional<T> read) noexcept {
    if (!value) value = read;
}

/// Azure says "limit -1, reset 0" of what it does not count: that reset means nothing.
void drop_sentinel(std::optional<Duration>& reset, bool uncounted) noexcept {
    if (uncounted && reset == Duration::zero()) reset.reset();
}

}  // namespace

bool is_rate_limit_field(std::string_view name) noexcept {
    return rate_limit_suffix(name).data() != nullptr;
}

std::optional<Duration> parse_wait(std::string_view text) noexcept {
    text = trim(text);
    auto value = read_decimal(text);
    if (!value) return std::nullopt;
    if (text.empty()) return times(*value, 1'000'000'000);
    Duration sum{};
    for (;;) {
        const std::uint64_t unit = read_unit(text);
        if (unit == 0) return std::nullopt;
        sum = std::min(max_wait, sum + times(*value, unit));  // two of at most a year: no overflow
        if (text.empty()) return sum;
        value = read_decimal(text);
        if (!value) return std::nullopt;
    }
}

std::optional<Duration> retry_after(const http::Fields& fields, Wall now) noexcept {
    std::optional<Duration> milliseconds;
    std::optional<Duration> plain;
    std::optional<Duration> requests;
    std::optional<Duration> tokens;
    const auto reset = [](std::string_view value) {
        auto wait = parse_wait(value);
        drop_sentinel(wait, true);
        return wait;
    };
    for (const http::Field& f : fields) {
        if (iequals(f.name, "retry-after-ms")) {
            keep_first(milliseconds, parse_milliseconds(f.value));
        } else if (iequals(f.name, "retry-after")) {
            keep_first(plain, parse_retry_after(f.value, now));
        } else if (const auto suffix = rate_limit_suffix(f.name); !suffix.empty()) {
            if (iequals(suffix, "reset-requests")) keep_first(requests, reset(f.value));
            if (iequals(suffix, "reset-tokens")) keep_first(tokens, reset(f.value));
        }
    }
    for (const auto& wait : {milliseconds, plain, requests})
        if (wait) return wait;
    return tokens;
}

RateLimits read_rate_limits(const http::Fields& fields) noexcept {
    RateLimits out;
    bool requests_uncounted = false;
    bool tokens_uncounted = false;
    for (const http::Field& f : fields) {
        if (iequals(f.name, "azure-openai-deployment-utilization")) {
            keep_first(out.ptu_utilization, parse_percent(f.value));
            continue;
        }
        const std::string_view suffix = rate_limit_suffix(f.name);
        if (suffix.empty()) continue;
        const bool negative = trim(f.value).starts_with('-');
        if (iequals(suffix, "limit-requests")) {
            keep_first(out.limit_requests, parse_count(f.value));
            requests_uncounted = requests_uncounted || negative;
        } else if (iequals(suffix, "limit-tokens")) {
            keep_first(out.limit_tokens, parse_count(f.value));
            tokens_uncounted = tokens_uncounted || negative;
        } else if (iequals(suffix, "remaining-requests")) {
            keep_first(out.remaining_requests, parse_count(f.value));
            requests_uncounted = requests_uncounted || negative;
        } else if (iequals(suffix, "remaining-tokens")) {
            keep_first(out.remaining_tokens, parse_count(f.value));
            tokens_uncounted = tokens_uncounted || negative;
        } else if (iequals(suffix, "reset-requests")) {
            keep_first(out.reset_requests, parse_wait(f.value));
        } else if (iequals(suffix, "reset-tokens")) {
            keep_first(out.reset_tokens, parse_wait(f.value));
        }
    }
    drop_sentinel(out.reset_requests, requests_uncounted && !out.limit_requests);
    drop_sentinel(out.reset_tokens, tokens_uncounted && !out.limit_tokens);
    return out;
}

}  // namespace spillway::api
