#include "api/target_check.hpp"

#include <algorithm>

#include "base/strings.hpp"

namespace spillway::api {
namespace {

int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// The byte that the escape at text[at] stands for; false if it is malformed.
bool decode_escape(std::string_view text, std::size_t at, char& out) noexcept {
    if (text.size() - at < 3) return false;
    const int high = hex_value(text[at + 1]);
    const int low = hex_value(text[at + 2]);
    if (high < 0 || low < 0) return false;
    out = static_cast<char>(high * 16 + low);
    return true;
}

/// Watches segments go by as a server would see them that decodes escapes before it looks for dots.
class DotSegments {
public:
    /// False if a segment "." or ".." ends here (or goes on as path parameters, "..;").
    [[nodiscard]] bool see(char c) noexcept {
        const bool dots = only_dots_ && (length_ == 1 || length_ == 2);
        if (c == '/') {
            only_dots_ = true;
            length_ = 0;
            return !dots;
        }
        only_dots_ = only_dots_ && c == '.';
        ++length_;
        return !(dots && c == ';');
    }
    [[nodiscard]] bool end() noexcept { return see('/'); }

private:
    bool only_dots_ = true;
    std::size_t length_ = 0;
};

/// Whether what an escape stands for may be hidden behind it.
bool may_hide(char c, bool in_deployment, bool slashes) noexcept {
    if (is_control(c) || c == '\\') return false;
    if (c == '/') return slashes && !in_deployment;
    return in_deployment || !is_alnum(c);
}

}  // namespace

bool is_safe_query(std::string_view query) noexcept {
    return std::none_of(query.begin(), query.end(),
                        [](char c) { return is_control(c) || c == ' ' || c == '#'; });
}

bool is_safe_path(const Route& route) noexcept {
    const std::string_view path = route.path;
    if (!is_safe_query(path) || path.find('\\') != std::string_view::npos ||
        path.find("//") != std::string_view::npos)
        return false;
    // Names of models may hold slashes ("meta-llama/Llama-3"); they are asked for as …/models/{name}.
    const bool slashes = istarts_with(route.tail, "/models/");
    const std::size_t deployment_end = path.size() - route.tail.size();
    const std::size_t deployment_begin = deployment_end - route.deployment.size();
    DotSegments segments;
    for (std::size_t i = 0; i < path.size(); ++i) {
        char c = path[i];
        if (c == '%') {
            const bool in_deployment = i >= deployment_begin && i < deployment_end;
            if (!decode_escape(path, i, c) || !may_hide(c, in_deployment, slashes)) return false;
            i += 2;
            // "%2541": an escape of an escape, for a server that decodes twice.
            if (c == '%' && path.size() - i > 2 && hex_value(path[i + 1]) >= 0 && hex_value(path[i + 2]) >= 0)
                return false;
        }
        if (!segments.see(c)) return false;
    }
    return segments.end();
}

bool decode_segment(std::string_view raw, std::string& out) {
    out.clear();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        char c = raw[i];
        if (c == '%') {
            if (!decode_escape(raw, i, c)) return false;
            i += 2;
        }
        if (c == '/' || c == '\\' || is_control(c)) return false;
        out.push_back(c);
    }
    return !out.empty() && out != "." && out != "..";
}

}  // namespace spillway::api
