#pragma once
/// A value that must not be shown: API keys, tokens. It always prints as `***`; reveal() is the only access
/// to the bytes, so that each use can be searched for. The bytes are wiped on destruction, assignment and
/// move.
///
/// Ownership: owns its bytes; a view from reveal() holds until the Secret changes. Thread rule: a value.
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <ostream>
#include <string>
#include <string_view>

namespace spillway::config {

/// Overwrites the whole capacity, then empties `s`. The optimiser cannot remove it (OPENSSL_cleanse).
inline void wipe(std::string& s) noexcept {
    s.resize(s.capacity());  // within capacity: no allocation
    OPENSSL_cleanse(s.data(), s.size());
    s.clear();
}

class Secret {
public:
    Secret() = default;
    explicit Secret(std::string_view value) : value_(value) {}
    Secret(const Secret&) = default;
    /// Moving a short string copies it, so the source is wiped, not just emptied.
    Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { wipe(other.value_); }
    Secret& operator=(const Secret& other) {
        if (this != &other) {
            Secret copy(other);
            *this = std::move(copy);
        }
        return *this;
    }
    Secret& operator=(Secret&& other) noexcept {
        if (this != &other) {
            wipe(value_);
            value_ = std::move(other.value_);
            wipe(other.value_);
        }
        return *this;
    }
    ~Secret() { wipe(value_); }

    [[nodiscard]] std::string_view reveal() const noexcept { return value_; }
    [[nodiscard]] bool empty() const noexcept { return value_.empty(); }

    /// For tests and reloads; not constant-time, so never use it to check a credential.
    friend bool operator==(const Secret&, const Secret&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Secret& s) { return out << s.masked(); }

    /// `***`, or "" if there is no value.
    [[nodiscard]] std::string_view masked() const noexcept { return value_.empty() ? "" : "***"; }

private:
    std::string value_;
};

}  // namespace spillway::config

template <>
struct fmt::formatter<spillway::config::Secret> : fmt::formatter<std::string_view> {
    template <class Context>
    auto format(const spillway::config::Secret& s, Context& context) const {
        return fmt::formatter<std::string_view>::format(s.masked(), context);
    }
};
