#include "base/find_text.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>

namespace spillway {
namespace {

/// In memory of its own, so that the address sanitizer sees a read beyond it.
std::size_t place(const std::string& text, std::string_view wanted, std::size_t from = 0) {
    const auto exact = std::make_unique<char[]>(text.size());
    std::copy(text.begin(), text.end(), exact.get());
    return find_text({exact.get(), text.size()}, wanted, from);
}

TEST(FindText, FindsItAtEveryPlaceOfEveryLength) {
    const std::string_view key = "\"error\"";
    for (std::size_t length = 0; length <= 70; ++length) {
        ASSERT_EQ(place(std::string(length, 'r'), key), std::string::npos);
        for (std::size_t at = 0; at + key.size() <= length; ++at) {
            std::string text(length, '"');
            text.replace(at, key.size(), key);
            ASSERT_EQ(place(text, key), at) << length;
            ASSERT_EQ(place(text, key, at), at) << length;
            ASSERT_EQ(place(text, key, at + 1), std::string::npos) << length;
        }
    }
}

TEST(FindText, SaysWhatTheStandardLibrarySays) {
    std::mt19937 random(7);
    for (int round = 0; round < 20'000; ++round) {
        std::string text(random() % 80, ' ');
        for (char& c : text) c = "ab\""[random() % 3];
        std::string wanted(2 + random() % 5, ' ');
        for (char& c : wanted) c = "ab\""[random() % 3];
        const std::size_t from = random() % 90;
        ASSERT_EQ(place(text, wanted, from), text.find(wanted, from)) << text << " " << wanted << " " << from;
    }
}

}  // namespace
}  // namespace spillway
