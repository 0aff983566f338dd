#include "base/find_byte.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace spillway {
namespace {

struct Digit {
    static bool has(unsigned char c) noexcept { return c >= '0' && c <= '9'; }
#if defined(__SSE2__)
    static __m128i has(__m128i bytes) noexcept { return sixteen_bytes::within(bytes, '0', '9'); }
#endif
};

/// In memory of its own, so that the address sanitizer sees a read beyond it.
std::ptrdiff_t find(const std::string& text) {
    const auto exact = std::make_unique<char[]>(text.size());
    std::copy(text.begin(), text.end(), exact.get());
    return find_byte<Digit>(exact.get(), exact.get() + text.size()) - exact.get();
}

TEST(FindByte, FindsTheFirstAtEveryPlaceOfEveryLength) {
    for (std::size_t length = 0; length <= 70; ++length) {
        const std::string none(length, 'x');
        ASSERT_EQ(find(none), static_cast<std::ptrdiff_t>(length));
        for (std::size_t at = 0; at < length; ++at) {
            std::string text = none;
            text[at] = '7';
            ASSERT_EQ(find(text), static_cast<std::ptrdiff_t>(at)) << length;
            for (std::size_t i = at; i < length; ++i) text[i] = '0';
            ASSERT_EQ(find(text), static_cast<std::ptrdiff_t>(at)) << length;
        }
    }
}

TEST(FindByte, TellsEveryByteAsTheClassDoes) {
    for (int c = 0; c < 256; ++c) {
        const auto byte = static_cast<char>(c);
        const bool in = Digit::has(static_cast<unsigned char>(c));
        for (const std::size_t length : {1U, 5U, 12U, 16U, 20U})
            ASSERT_EQ(find(std::string(length, byte)), in ? 0 : static_cast<std::ptrdiff_t>(length)) << c;
    }
}

}  // namespace
}  // namespace spillway
