#pragma once
/// As much of C# (ECMA-334 §6) as policy expressions of API Management need: where one ends, and what object
/// initializers say.
///
/// Thread rule: pure. Errors: none; text that ends early ends there.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::migrate::csharp {

/// Bytes of the comment, text or character literal that `s` begins with; 0 if it begins with none.
[[nodiscard]] std::size_t skip_opaque(std::string_view s) noexcept;

/// Bytes from the bracket that `s` begins with to its counterpart, both included.
[[nodiscard]] std::size_t balanced(std::string_view s) noexcept;

struct Member {
    std::string name;
    std::string value;     ///< of a literal
    bool literal = false;  ///< a text, number or truth; else an expression
};

struct Object {
    std::size_t at = 0;  ///< where it begins in the code
    std::vector<Member> members;
    [[nodiscard]] const Member* find(std::string_view name) const noexcept;
};

/// Each `new JObject() { {"name", value}, … }`, whether it is written so, as `["name"] = value` or as an
/// anonymous type's `name = value`.
[[nodiscard]] std::vector<Object> objects(std::string_view code);

}  // namespace spillway::migrate::csharp
