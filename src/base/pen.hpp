#pragma once
/// Appends many small pieces to a string: the string is enlarged once, and cut back to what was written when
/// the pen is destroyed. Until then the string itself must not be used.
///
/// `about` is an estimate of the bytes to come; beyond it the string grows as usual.
/// Ownership: the string must outlive the pen. Thread rule: a plain value. Errors: std::bad_alloc, as from
/// the string itself.
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace spillway {

class Pen {
public:
    Pen(std::string& out, std::size_t about) : out_(out) {
        const std::size_t written = out.size();
        out.resize(written + about);
        at_ = out.data() + written;
        end_ = at_ + about;
    }
    Pen(const Pen&) = delete;
    Pen& operator=(const Pen&) = delete;
    ~Pen() { out_.resize(written()); }

    void text(std::string_view s) {
        need(s.size());
        if (!s.empty()) std::memcpy(at_, s.data(), s.size());
        at_ += s.size();
    }
    void byte(char c) {
        need(1);
        *at_++ = c;
    }
    template <std::integral Int>
    void number(Int n) {
        need(24);
        at_ = std::to_chars(at_, end_, n).ptr;
    }
    /// The string's length with what was written so far.
    [[nodiscard]] std::size_t written() const noexcept { return static_cast<std::size_t>(at_ - out_.data()); }

private:
    void need(std::size_t bytes) {
        if (static_cast<std::size_t>(end_ - at_) < bytes) grow(bytes);
    }
    void grow(std::size_t bytes);

    std::string& out_;
    char* at_ = nullptr;
    char* end_ = nullptr;
};

}  // namespace spillway
