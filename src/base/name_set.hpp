#pragma once
/// A small set of names that are compared without regard to case (field names, RFC 9110 §5.1). Most names
/// that are looked up have a length that none in the set has, which costs a single test. Ownership: the names
/// are literals. Thread rule: immutable. Errors: none; a name of 64 bytes or more does not compile.
#include <algorithm>
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
        std::ranges::sort(names_, {}, &std::string_view::size);
        for (const std::string_view name : names_) {
            if (name.size() >= kMostSize) throw "too long a name";
            for (std::size_t size = name.size() + 1; size <= kMostSize; ++size) ++begins_[size];
        }
    }
    [[nodiscard]] bool has(std::string_view name) const noexcept {
        if (name.size() >= kMostSize) return false;
        for (std::size_t i = begins_[name.size()]; i < begins_[name.size() + 1]; ++i)
            if (iequals(names_[i], name)) return true;
        return false;
    }

private:
    static constexpr std::size_t kMostSize = 64;
    std::array<std::string_view, N> names_;             ///< by length
    std::array<std::uint8_t, kMostSize + 1> begins_{};  ///< where those of a length begin
};
template <class... Names>
NameSet(Names...) -> NameSet<sizeof...(Names)>;

}  // namespace spillway
