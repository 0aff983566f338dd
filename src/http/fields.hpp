#pragma once
/// HTTP field lines (RFC 9110 §5) as views into the buffer they were read into.
/// Ownership: none; the buffer's owner says how long the views are valid. Thread rule: a plain value.
#include <boost/container/small_vector.hpp>
#include <string_view>

#include "base/strings.hpp"

namespace spillway::http {

struct Field {
    std::string_view name;
    std::string_view value;
    bool in_line = false;  ///< both views are part of one text "name: value\r\n"

    /// That text, to be copied as it is; empty unless in_line.
    [[nodiscard]] std::string_view line() const noexcept {
        if (!in_line) return {};
        return {name.data(), name.size() + value.size() + 4};
    }
};

/// Field lines in the order received. Names are compared without regard to case.
class Fields {
public:
    /// `in_line` as in Field.
    void add(std::string_view name, std::string_view value, bool in_line = false) {
        list_.push_back({name, value, in_line});
    }
    /// Gives the field of that name, if there is one, another value.
    void replace(std::string_view name, std::string_view value) noexcept {
        for (Field& f : list_)
            if (iequals(f.name, name)) f = {f.name, value, false};
    }
    void clear() noexcept { list_.clear(); }

    /// The first value of `name`; empty (data() == nullptr) if there is none.
    [[nodiscard]] std::string_view get(std::string_view name) const noexcept {
        for (const Field& f : list_)
            if (iequals(f.name, name)) return f.value;
        return {};
    }
    [[nodiscard]] bool has(std::string_view name) const noexcept { return get(name).data() != nullptr; }

    [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }
    [[nodiscard]] auto begin() const noexcept { return list_.begin(); }
    [[nodiscard]] auto end() const noexcept { return list_.end(); }

private:
    boost::container::small_vector<Field, 24> list_;
};

}  // namespace spillway::http
