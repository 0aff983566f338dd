#include "routing/verdict.hpp"

#include <array>
#include <cstddef>

namespace spillway::routing {
namespace {

template <class Enum, std::size_t N>
std::string_view word(const std::array<std::string_view, N>& words, Enum value) noexcept {
    const auto at = static_cast<std::size_t>(value);
    return at < N ? words[at] : std::string_view();
}

}  // namespace

std::string_view to_string(Whose whose) noexcept {
    static constexpr std::array<std::string_view, 8> words{"nobody", "client",     "request",    "quota",
                                                           "pair",   "credential", "deployment", "backend"};
    return word(words, whose);
}

std::string_view to_string(Scope scope) noexcept {
    static constexpr std::array<std::string_view, 6> words{
        "nothing", "request", "operation", "deployment", "deployment and operation", "backend"};
    return word(words, scope);
}

std::string_view to_string(Consequence consequence) noexcept {
    static constexpr std::array<std::string_view, 5> words{"nothing", "strike", "trip", "rest", "learn"};
    return word(words, consequence);
}

std::string_view to_string(Disclosure disclosure) noexcept {
    static constexpr std::array<std::string_view, 2> words{"as is", "hidden"};
    return word(words, disclosure);
}

std::string_view to_string(Reason reason) noexcept {
    static constexpr std::array<std::string_view, 17> words{"",
                                                            "429",
                                                            "401",
                                                            "5xx",
                                                            "connect",
                                                            "timeout",
                                                            "broken",
                                                            "insufficient_quota",
                                                            "proxy",
                                                            "refused",
                                                            "content_filter",
                                                            "too_large",
                                                            "not_deployed",
                                                            "not_supported",
                                                            "not_found",
                                                            "local_limit",
                                                            "cancelled"};
    return word(words, reason);
}

}  // namespace spillway::routing
