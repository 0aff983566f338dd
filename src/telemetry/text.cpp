#include "telemetry/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/json.hpp"
#include "base/strings.hpp"

namespace spillway::telemetry {
namespace {

constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

bool harmless_parameter(std::string_view name) noexcept {
    constexpr std::array<std::string_view, 8> kNames{"api-version", "deployment", "model",  "limit",
                                                     "order",       "after",      "before", "stream"};
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string_view without_authority(std::string_view target) noexcept {
    if (!istarts_with(target, "http://") && !istarts_with(target, "https://")) return target;
    target.remove_prefix(target.find("//") + 2);
    const std::size_t end = target.find_first_of("/?");
    return end == std::string_view::npos ? std::string_view("/") : target.substr(end);
}

}  // namespace

void append_json_target(Pen& out, std::string_view target, std::size_t max_bytes) {
    target = without_authority(target);
    const std::size_t mark = target.find('?');
    append_json_text(out, target.substr(0, mark), max_bytes);
    if (mark == std::string_view::npos) return;
    std::string_view query = target.substr(mark + 1);
    const std::size_t limit = out.written() + max_bytes;
    char separator = '?';
    while (!query.empty()) {
        if (out.written() >= limit) {
            out.text(kEllipsis);
            return;
        }
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = pair.find('=');
        out.byte(separator);
        separator = '&';
        // A bare word may itself be the secret.
        const std::string_view name =
            equals == std::string_view::npos ? std::string_view{} : pair.substr(0, equals);
        if (harmless_parameter(name)) {
            append_json_text(out, pair, max_bytes);
        } else if (equals == std::string_view::npos) {
            out.text("***");
        } else {
            append_json_text(out, name, max_bytes);
            out.text("=***");
        }
    }
}

void append_milliseconds(Pen& out, Duration d) {
    const std::int64_t us =
        std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(d).count());
    out.number(us / 1000);
    const auto rest = static_cast<int>(us % 1000);
    const char digits[4] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                            static_cast<char>('0' + rest % 10)};
    out.text({digits, sizeof digits});
}

void Rfc3339::append(Pen& out, Wall time) {
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    if (second != second_) {
        const auto day = std::chrono::floor<std::chrono::days>(second);
        const std::chrono::year_month_day date(day);
        const std::chrono::hh_mm_ss clock(second - day);
        text_.clear();
        fmt::format_to(std::back_inserter(text_), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
                       static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                       clock.seconds().count());
        second_ = second;
    }
    const auto ms =
        static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(time - second).count());
    const char tail[5] = {'.', static_cast<char>('0' + ms / 100), static_cast<char>('0' + ms / 10 % 10),
                          static_cast<char>('0' + ms % 10), 'Z'};
    out.text(text_);
    out.text({tail, sizeof tail});
}

void Rfc3339::append(std::string& out, Wall time) {
    Pen pen(out, 32);
    append(pen, time);
}

}  // namespace spillway::telemetry
