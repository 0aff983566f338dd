#pragma once
/// HTTP field lines (RFC 9110 §5) as views into the buffer they were read into.
/// Ownership: none; the buffer's owner says how long the views hold. Thread rule: a plain value.
#include <boost/container/small_vector.hpp>
#include <string_view>

#include "base/strings.hpp"

namespace spillway::http {

struct Field {
    std::string_view name;
    std::string_view value;
};

/// Field lines in the order received. Names compare without regard to case.
class Fields {
public:
    void add(std::string_view name, std::string_view value) { list_.push_back({name, value}); }
    void clear() noexcept { list_.clear(); }

    /// The first value of `name`; empty (data() == nullptr) when there is none.
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
