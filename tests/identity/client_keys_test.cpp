#include "identity/client_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/hex.hpp"

namespace spillway::identity {
namespace {

using testing::HasSubstr;

std::vector<ClientSpec> specs(KeyHasher& hash) {
    return {{"team-a", {hash("key-a"), hash("key-a-next")}}, {"team-b", {hash("key-b")}}};
}

std::optional<std::uint32_t> find(const ClientKeys& keys, KeyHasher& hash, std::string_view key) {
    return keys.find(keys.hash(hash, key));
}

TEST(KeyHasher, IsSha256AndReusable) {
    KeyHasher hash;
    // FIPS 180-2 appendix B and the empty message.
    EXPECT_EQ(to_hex(hash("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(hash("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(hash("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(ConstantTimeEqual, Compares) {
    EXPECT_TRUE(constant_time_equal("", ""));
    EXPECT_TRUE(constant_time_equal("secret", "secret"));
    EXPECT_FALSE(constant_time_equal("secret", "secreT"));
    EXPECT_FALSE(constant_time_equal("secret", "secre"));
    EXPECT_FALSE(constant_time_equal("", "x"));
}

TEST(ClientKeys, FindsTheClientOfAKey) {
    KeyHasher hash;
    const ClientKeys keys = ClientKeys::make(specs(hash)).value();
    EXPECT_FALSE(keys.anonymous());
    EXPECT_EQ(find(keys, hash, "key-a"), 0U);
    EXPECT_EQ(find(keys, hash, "key-a-next"), 0U);
    EXPECT_EQ(find(keys, hash, "key-b"), 1U);
    EXPECT_EQ(find(keys, hash, "key-c"), std::nullopt);
    EXPECT_EQ(find(keys, hash, "key-"), std::nullopt);
    EXPECT_EQ(find(keys, hash, ""), std::nullopt);
}

TEST(ClientKeys, FindsEachOfMany) {
    KeyHasher hash;
    std::vector<ClientSpec> many;
    for (int i = 0; i < 1000; ++i)
        many.push_back({"client-" + std::to_string(i), {hash("key-" + std::to_string(i))}});
    const ClientKeys keys = ClientKeys::make(many).value();
    for (std::uint32_t i = 0; i < 1000; ++i) {
        EXPECT_EQ(find(keys, hash, "key-" + std::to_string(i)), i);
        EXPECT_EQ(find(keys, hash, "no-" + std::to_string(i)), std::nullopt);
    }
}

TEST(ClientKeys, WithoutClientsEveryoneIsAnonymous) {
    KeyHasher hash;
    const ClientKeys keys = ClientKeys::make({}).value();
    EXPECT_TRUE(keys.anonymous());
    EXPECT_EQ(find(keys, hash, "anything"), 0U);
    EXPECT_EQ(find(keys, hash, ""), 0U);
}

TEST(ClientKeys, RefusesAmbiguousConfiguration) {
    KeyHasher hash;
    const auto error = [](std::vector<ClientSpec> s) {
        const auto made = ClientKeys::make(s);
        return made ? std::string() : made.error().message;
    };
    EXPECT_THAT(error({{"a", {hash("k")}}, {"b", {hash("k")}}}), HasSubstr("'a' and 'b'"));
    EXPECT_THAT(error({{"a", {hash("k"), hash("k")}}}), HasSubstr("twice"));
    EXPECT_THAT(error({{"a", {hash("k")}}, {"a", {hash("l")}}}), HasSubstr("two clients"));
    EXPECT_THAT(error({{"", {hash("k")}}}), HasSubstr("no name"));
    // Never anonymous by accident: clients were named, so a key must be shown.
}

http::Fields fields(std::initializer_list<http::Field> list) {
    http::Fields f;
    for (const http::Field& field : list) f.add(field.name, field.value);
    return f;
}

TEST(PresentedKey, IsTakenFromTheKnownFields) {
    EXPECT_EQ(presented_key(fields({{"API-Key", "k1"}})), "k1");
    EXPECT_EQ(presented_key(fields({{"Ocp-Apim-Subscription-Key", " k2 "}})), "k2");
    EXPECT_EQ(presented_key(fields({{"Authorization", "Bearer k3"}})), "k3");
    EXPECT_EQ(presented_key(fields({{"authorization", " bearer   k4 "}})), "k4");
}

TEST(PresentedKey, PrefersApiKeyUnlessEmpty) {
    EXPECT_EQ(presented_key(fields(
                  {{"authorization", "Bearer b"}, {"ocp-apim-subscription-key", "o"}, {"api-key", "a"}})),
              "a");
    EXPECT_EQ(presented_key(fields(
                  {{"authorization", "Bearer b"}, {"ocp-apim-subscription-key", "o"}, {"api-key", ""}})),
              "o");
    EXPECT_EQ(presented_key(fields({{"authorization", "Bearer b"}, {"api-key", "  "}})), "b");
}

TEST(PresentedKey, IsEmptyForAnythingElse) {
    EXPECT_EQ(presented_key(fields({})), "");
    EXPECT_EQ(presented_key(fields({{"authorization", "Basic dXNlcg=="}})), "");
    EXPECT_EQ(presented_key(fields({{"authorization", "Bearer"}})), "");
    EXPECT_EQ(presented_key(fields({{"authorization", "Bearer   "}})), "");
    EXPECT_EQ(presented_key(fields({{"authorization", "Bearerkey"}})), "");
    EXPECT_EQ(presented_key(fields({{"authorization", ""}})), "");
    EXPECT_EQ(presented_key(fields({{"x-key", "k"}})), "");
}

TEST(CredentialField, NamesWhatIsNeverForwarded) {
    for (const char* name : {"Authorization", "API-KEY", "Ocp-Apim-Subscription-Key", "x-api-key"})
        EXPECT_TRUE(is_credential_field(name)) << name;
    for (const char* name : {"content-type", "api-key2", ""}) EXPECT_FALSE(is_credential_field(name)) << name;
}

TEST(ClientKeys, ClientsWithoutKeysAreNobodysByKey) {
    const auto keys = ClientKeys::make(std::array{ClientSpec{"a", {}}}).value();
    KeyHasher hasher;
    EXPECT_FALSE(keys.anonymous());
    EXPECT_EQ(find(keys, hasher, "any"), std::nullopt);
    EXPECT_EQ(find(keys, hasher, ""), std::nullopt);
}

}  // namespace
}  // namespace spillway::identity
