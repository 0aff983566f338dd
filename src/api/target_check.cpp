#include "api/target_check.hpp"

#include "base/find_byte.hpp"
#include "base/hex.hpp"
#include "base/strings.hpp"

namespace spillway::api {
namespace {

constexpr bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// What no target may hold.
struct Unsafe {
    static bool has(unsigned char c) noexcept { return c <= ' ' || c == 0x7f || c == '#'; }
#if defined(__SSE2__)
    static __m128i has(__m128i v) noexcept {
        using namespace sixteen_bytes;
        return _mm_or_si128(at_most(v, ' '), _mm_or_si128(equal(v, 0x7f), equal(v, '#')));
    }
#endif
};

/// What is no plain text in a path or a segment of it.
struct Odd {
    static bool has(unsigned char c) noexcept { return Unsafe::has(c) || c == '%' || c == '\\'; }
#if defined(__SSE2__)
    static __m128i has(__m128i v) noexcept {
        using namespace sixteen_bytes;
        return _mm_or_si128(Unsafe::has(v), _mm_or_si128(equal(v, '%'), equal(v, '\\')));
    }
#endif
};

/// What a segment's text is not copied with.
struct OddInSegment {
    static bool has(unsigned char c) noexcept { return Odd::has(c) || c == '/'; }
#if defined(__SSE2__)
    static __m128i has(__m128i v) noexcept { return _mm_or_si128(Odd::has(v), sixteen_bytes::equal(v, '/')); }
#endif
};

template <class Class>
bool has_any(std::string_view text) noexcept {
    const char* const end = text.data() + text.size();
    return find_byte<Class>(text.data(), end) != end;
}

/// Whether a segment is empty or begins with a dot.
bool has_odd_segment(std::string_view path) noexcept {
    const char* p = path.data();
    const char* const end = p + path.size();
#if defined(__SSE2__)
    using namespace sixteen_bytes;
    for (; end - p > size; p += size) {
        const __m128i next = load(p + 1);
        const __m128i odd = _mm_or_si128(equal(next, '/'), equal(next, '.'));
        if (bits(_mm_and_si128(equal(load(p), '/'), odd)) != 0) return true;
    }
#endif
    for (; end - p > 1; ++p)
        if (p[0] == '/' && (p[1] == '/' || p[1] == '.')) return true;
    return false;
}

/// The byte that the escape at text[at] stands for; false if it is malformed.
bool decode_escape(std::string_view text, std::size_t at, char& out) noexcept {
    if (text.size() - at < 3) return false;
    const int byte = hex_byte(text[at + 1], text[at + 2]);
    if (byte < 0) return false;
    out = static_cast<char>(byte);
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
    return !has_any<Unsafe>(query);
}

bool is_safe_path(const Route& route) noexcept {
    const std::string_view path = route.path;
    // The usual case: nothing that could be read in two ways.
    if (path.starts_with('/') && !has_any<Odd>(path) && !has_odd_segment(path)) return true;
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
            if (c == '%' && path.size() - i > 2 && hex_byte(path[i + 1], path[i + 2]) >= 0) return false;
        }
        if (!segments.see(c)) return false;
    }
    return segments.end();
}

bool decode_segment(std::string_view raw, std::string& out) {
    out.clear();
    const char* const end = raw.data() + raw.size();
    const auto plain = static_cast<std::size_t>(find_byte<OddInSegment>(raw.data(), end) - raw.data());
    out.append(raw.substr(0, plain));
    for (std::size_t i = plain; i < raw.size(); ++i) {
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
