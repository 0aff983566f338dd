#include "identity/key_token.hpp"

#include <gtest/gtest.h>

namespace spillway::identity {
namespace {

TEST(KeyToken, IsKnownByItsForm) {
    const std::string key = make_key();
    EXPECT_TRUE(key.starts_with("sk-spillway-"));
    EXPECT_EQ(key.size(), 12U + 36U + 6U);
    EXPECT_TRUE(is_made_key(key));
    EXPECT_NE(make_key(), key);
    for (std::size_t i = 12; i < key.size(); ++i) {
        std::string typo = key;
        typo[i] = typo[i] == 'x' ? 'y' : 'x';
        EXPECT_FALSE(is_made_key(typo)) << i;
    }
    EXPECT_FALSE(is_made_key(""));
    EXPECT_FALSE(is_made_key("sk-spillway-"));
    EXPECT_FALSE(is_made_key(key + "0"));
}

TEST(KeyToken, ChecksWithTheUsualCrc) {
    // 36 zeros: zlib.crc32(b"sk-spillway-" + b"0" * 36) in base 62, computed apart.
    const std::string key = make_key(std::array<unsigned char, 36>{});
    EXPECT_EQ(key.substr(0, 48), "sk-spillway-" + std::string(36, '0'));
    EXPECT_EQ(key.substr(48), "4YBkcP");
    EXPECT_TRUE(make_key(std::array<unsigned char, 8>{}).empty()) << "not enough";
}

TEST(KeyToken, IsKeptAsWhatOnlyTheStoreCanCompute) {
    StoreSecret one{};
    StoreSecret other{};
    other[0] = 1;
    EXPECT_EQ(mac_of_key(one, "k"), mac_of_key(one, "k"));
    EXPECT_NE(mac_of_key(one, "k"), mac_of_key(one, "l"));
    EXPECT_NE(mac_of_key(one, "k"), mac_of_key(other, "k"));
}

TEST(KeyToken, IdsDiffer) {
    EXPECT_NE(random_id("key_"), random_id("key_"));
    EXPECT_EQ(random_id("key_").size(), 20U);
}

}  // namespace
}  // namespace spillway::identity
