// HTTP-date in its three forms (RFC 9110 §5.6.7).
#include <array>
#include <chrono>
#include <limits>

#include "api/rate_limit.hpp"
#include "base/strings.hpp"

namespace spillway::api {
namespace {

constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct Parts {
    int year = 0;
    unsigned month = 0;
    unsigned day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
};

/// Takes pieces off the front of a text; once one does not fit, all fail.
class Cursor {
public:
    explicit Cursor(std::string_view text) noexcept : rest_(text) {}

    void literal(std::string_view expected) noexcept {
        if (!istarts_with(rest_, expected)) return fail();
        rest_.remove_prefix(expected.size());
    }
    [[nodiscard]] int number(std::size_t digits) noexcept {
        const auto value =
            rest_.size() >= digits ? parse_int<unsigned>(rest_.substr(0, digits)) : std::nullopt;
        if (!value) {
            fail();
            return 0;
        }
        rest_.remove_prefix(digits);
        return static_cast<int>(*value);
    }
    /// asctime writes a day below 10 with a space before it.
    [[nodiscard]] int padded_day() noexcept {
        if (rest_.starts_with(' ')) {
            rest_.remove_prefix(1);
            return number(1);
        }
        return number(2);
    }
    [[nodiscard]] unsigned month() noexcept {
        for (unsigned i = 0; i < month_names.size(); ++i)
            if (istarts_with(rest_, month_names[i])) {
                rest_.remove_prefix(month_names[i].size());
                return i + 1;
            }
        fail();
        return 0;
    }
    void time(Parts& p) noexcept {
        p.hour = number(2);
        literal(":");
        p.minute = number(2);
        literal(":");
        p.second = number(2);
    }
    [[nodiscard]] bool done() const noexcept { return good_ && rest_.empty(); }

private:
    void fail() noexcept {
        good_ = false;
        rest_ = {};
    }
    std::string_view rest_;
    bool good_ = true;
};

std::optional<Wall> to_wall(const Parts& p) noexcept {
    using namespace std::chrono;
    const year_month_day date{year{p.year}, month{p.month}, day{p.day}};
    // A leap second is 60.
    if (!date.ok() || p.hour > 23 || p.minute > 59 || p.second > 60) return std::nullopt;
    // Nanoseconds in 64 bits reach from 1677 to 2262.
    if (p.year < 1678) return Wall::min();
    if (p.year > 2261) return Wall::max();
    return Wall(sys_days{date}.time_since_epoch() + hours{p.hour} + minutes{p.minute} + seconds{p.second});
}

/// More than 50 years in the future means the century before.
std::optional<Wall> place_two_digits(Parts p, Wall now) noexcept {
    using namespace std::chrono;
    const year_month_day today{floor<days>(now)};
    const int this_year = static_cast<int>(today.year());
    p.year += this_year - this_year % 100;
    for (const int shift : {100, 0, -100}) {
        Parts candidate = p;
        candidate.year += shift;
        const int ahead = candidate.year - this_year;
        if (ahead > 50) continue;
        const auto date = to_wall(candidate);
        if (ahead < 50 || !date) return date;
        // Exactly 50 years ahead: the day decides.
        const Parts fifty{this_year + 50, static_cast<unsigned>(today.month()),
                          static_cast<unsigned>(today.day())};
        const auto limit = to_wall(fifty);
        if (!limit || *date - *limit <= now - floor<days>(now)) return date;
    }
    return std::nullopt;
}

/// Day, month and year with `between` them, then the time: what two of the forms share.
std::optional<Parts> day_first(std::string_view text, std::string_view between,
                               std::size_t year_digits) noexcept {
    Parts p;
    Cursor c(text);
    p.day = static_cast<unsigned>(c.number(2));
    c.literal(between);
    p.month = c.month();
    c.literal(between);
    p.year = c.number(year_digits);
    c.literal(" ");
    c.time(p);
    c.literal(" GMT");
    return c.done() ? std::optional(p) : std::nullopt;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<Wall> fix_date(std::string_view text) noexcept {
    const auto parts = day_first(text, " ", 4);
    return parts ? to_wall(*parts) : std::nullopt;
}

/// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<Wall> rfc850_date(std::string_view text, Wall now) noexcept {
    const auto parts = day_first(text, "-", 2);
    return parts ? place_two_digits(*parts, now) : std::nullopt;
}

/// "Sun Nov  6 08:49:37 1994"
std::optional<Wall> asctime_date(std::string_view text) noexcept {
    Parts p;
    Cursor c(text);
    p.month = c.month();
    c.literal(" ");
    p.day = static_cast<unsigned>(c.padded_day());
    c.literal(" ");
    c.time(p);
    c.literal(" ");
    p.year = c.number(4);
    return c.done() ? to_wall(p) : std::nullopt;
}

bool is_day_name(std::string_view name, bool whole) noexcept {
    constexpr std::array<std::string_view, 7> names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                    "Thursday", "Friday", "Saturday"};
    for (const std::string_view day : names)
        if (iequals(name, whole ? day : day.substr(0, 3))) return true;
    return false;
}

}  // namespace

std::optional<Wall> parse_http_date(std::string_view text, Wall now) noexcept {
    text = trim(text);
    // The day's name is not compared with the date: a wrong one does not change what is meant.
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || space == 0) return std::nullopt;
    const std::string_view rest = text.substr(space + 1);
    if (text[space - 1] != ',')
        return is_day_name(text.substr(0, space), false) ? asctime_date(rest) : std::nullopt;
    const std::string_view day = text.substr(0, space - 1);
    if (is_day_name(day, false)) return fix_date(rest);
    if (is_day_name(day, true)) return rfc850_date(rest, now);
    return std::nullopt;
}

}  // namespace spillway::api
