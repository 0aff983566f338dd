#pragma once
/// A small set of names that are compared without regard to case (field names, RFC 9110 §5.1). Most names
/// that are looked up have a length that none in the set has, which costs a single test. Ownership: the names
/// are literals. Thread rule: immutable. Errors: none; a name of 64 bytes or more does not compile.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/strings.hpp"

namespace spillway {

template <std::size_t N>
class NameSet {
public:
    template <class... Names>
    consteval explicit NameSet(Names... names) : names_{names...} {
        for (const std::string_view name : names_) lengths_ |= std::uint64_t{1} << name.size();
    }
    [[nodiscard]] bool has(std::string_view name) const noexcept {
        if (name.size() >= 64 || (lengths_ >> name.size() & 1U) == 0) return false;
        for (const std::string_view n : names_)
            if (iequals(n, name)) return true;
        return false;
    }

private:
    std::array<std::string_view, N> names_;
    std::uint64_t lengths_ = 0;
};
template <class... Names>
NameSet(Names...) -> NameSet<sizeof...(Names)>;

}  // namespace spillway
