#pragma once
/// Fields that an intermediary must not forward (RFC 9110 §7.6.1): Connection, all that it names, and the
/// well-known ones; also Proxy-Authenticate and Proxy-Authorization (meant for this hop) and Trailer
/// (trailers are not forwarded).
/// Thread rule: free functions, safe everywhere.
#include <string>
#include <string_view>
#include <utility>

#include "http/fields.hpp"
#include "http/message.hpp"

namespace spillway::api {

/// Hop-by-hop by its name alone.
[[nodiscard]] bool is_hop_by_hop(std::string_view name) noexcept;
/// Also if `connection_value`, the value of a Connection field, names it.
[[nodiscard]] bool is_hop_by_hop(std::string_view name, std::string_view connection_value) noexcept;

/// Whether a comma-separated list (RFC 9110 §5.6.1) has `token`, without regard to case.
[[nodiscard]] bool list_has_token(std::string_view list, std::string_view token) noexcept;

/// Appends "name: value\r\n" for each end-to-end field of `fields` for which skip(name) is false; all
/// Connection fields count. Adjacent lines of the buffer that are in this form already are copied
/// together.
template <class Skip>
void append_end_to_end(std::string& out, const http::Fields& fields, Skip&& skip) {
    bool names_more = false;
    for (const http::Field& f : fields) names_more = names_more || iequals(f.name, "connection");
    const auto named = [&](std::string_view name) {
        if (!names_more) return false;
        for (const http::Field& f : fields)
            if (iequals(f.name, "connection") && list_has_token(f.value, name)) return true;
        return false;
    };
    std::string_view lines;
    for (const http::Field& f : fields) {
        if (is_hop_by_hop(f.name) || named(f.name) || skip(f.name)) continue;
        const std::string_view line = f.line();
        if (!lines.empty() && lines.data() + lines.size() == line.data()) {
            lines = {lines.data(), lines.size() + line.size()};
            continue;
        }
        out.append(lines);
        lines = line;
        if (line.empty()) http::append_field(out, f.name, f.value);
    }
    out.append(lines);
}

}  // namespace spillway::api
