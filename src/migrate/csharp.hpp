#pragma once
/// The part of C# (ECMA-334 §6) that policy expressions of API Management require: where one ends, and object
/// initializers.
///
/// Thread rule: pure. Errors: none; incomplete text ends where it ends.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spillway::migrate::csharp {

/// Length of the comment, string or character literal at the start of `s`; 0 if there is none.
[[nodiscard]] std::size_t skip_opaque(std::string_view s) noexcept;

/// Length from the bracket at the start of `s` to its counterpart, inclusive.
[[nodiscard]] std::size_t balanced(std::string_view s) noexcept;

struct Member {
    std::string name;
    std::string value;     ///< of a literal
    bool literal = false;  ///< a string, number or boolean; else an expression
};

struct Object {
    std::size_t at = 0;  ///< its offset in the code
    std::vector<Member> members;
    [[nodiscard]] const Member* find(std::string_view name) const noexcept;
};

/// Each `new JObject() { {"name", value}, … }`, in this form, with `["name"] = value`, or as an anonymous
/// type with `name = value`.
[[nodiscard]] std::vector<Object> objects(std::string_view code);

}  // namespace spillway::migrate::csharp
