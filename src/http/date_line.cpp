#include "http/date_line.hpp"

#include <fmt/format.h>

#include <array>
#include <iterator>

namespace spillway::http {

std::string_view DateLine::text(Wall now) {
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto second = std::chrono::floor<std::chrono::seconds>(now);
    if (second == second_ && !text_.empty()) return text_;
    second_ = second;
    const auto day = std::chrono::floor<std::chrono::days>(second);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(second - day);
    text_.clear();
    fmt::format_to(std::back_inserter(text_), "Date: {}, {:02} {} {:04} {:02}:{:02}:{:02} GMT\r\n",
                   days[std::chrono::weekday(day).c_encoding()], static_cast<unsigned>(date.day()),
                   months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                   time.hours().count(), time.minutes().count(), time.seconds().count());
    return text_;
}

}  // namespace spillway::http
