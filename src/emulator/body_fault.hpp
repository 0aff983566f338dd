#pragma once
/// What is wrong with a request's body, in the words of Azure's own checks, which name the place:
/// "messages[0].content".
///
/// Thread rule: free functions and plain values.
#include <simdjson.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace spillway::emulator {

struct BodyFault {
    std::string message;  ///< empty: nothing is wrong
    std::string param;
    std::string code;

    explicit operator bool() const noexcept { return !message.empty(); }
};

/// "expected a string, but got an integer instead".
[[nodiscard]] BodyFault wrong_type(std::string_view place, std::string_view expected,
                                   const simdjson::dom::element& got);
[[nodiscard]] BodyFault missing_member(std::string_view place);
/// `supported`: names with a space between.
[[nodiscard]] BodyFault wrong_value(std::string_view place, std::string_view got, std::string_view supported);
/// A number beyond its bound, the least one if it is too `small`; `kind`: "integer" or "decimal".
[[nodiscard]] BodyFault beyond_bound(std::string_view place, std::string_view kind, bool small,
                                     std::string_view bound, std::string_view got);
[[nodiscard]] BodyFault empty_list(std::string_view place);
[[nodiscard]] BodyFault long_list(std::string_view place, std::size_t most, std::size_t got);
/// A name as tools and schemas have: at most 64 letters, digits, `_` and `-`.
[[nodiscard]] BodyFault name_fault(std::string_view place, std::string_view name);
/// Whether `name` is one of `names`, which have a space between.
[[nodiscard]] bool is_among(std::string_view names, std::string_view name) noexcept;
/// "'a', 'b', and 'c'"; one of two or more names that have a space between.
[[nodiscard]] std::string quoted_names(std::string_view names, std::string_view last = "and");

/// The member's text; empty if it is none.
[[nodiscard]] std::string_view text_of(const simdjson::dom::element& holder, std::string_view key) noexcept;
/// Whether the member is there and not null.
[[nodiscard]] bool has_member(const simdjson::dom::element& holder, std::string_view key) noexcept;

}  // namespace spillway::emulator
