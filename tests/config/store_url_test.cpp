#include "config/store_url.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/describe.hpp"
#include "config/fake_sources.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kUrl = "postgresql://spillway:Zx9-word@db.example/spillway?sslmode=verify-full";

Loaded<GatewayConfig> load(const std::string& store) {
    return load_gateway(
        "backends: [{url: http://127.0.0.1}]\nstore: " + store + "\n", "f",
        fake_sources({{"STORE", std::string(kUrl)}}, {{"store.url", std::string(kUrl) + "\n"}}));
}

TEST(StoreUrl, IsGivenLikeASecret) {
    for (const std::string& store : {"{url: \"" + std::string(kUrl) + "\"}", std::string("{url_env: STORE}"),
                                     std::string("{url_file: store.url}")}) {
        const auto loaded = load(store);
        ASSERT_EQ(to_string(loaded.problems), "") << store;
        EXPECT_EQ(loaded.value->store.url.reveal(), kUrl);
        EXPECT_TRUE(loaded.value->store.enabled());
        EXPECT_THAT(describe(*loaded.value), HasSubstr("url: \"***\""));
        EXPECT_THAT(describe(*loaded.value), Not(HasSubstr("Zx9-word")));
    }
}

TEST(StoreUrl, IsGivenInsteadOfAPath) {
    for (const auto* const store : {"{url_env: STORE, path: a.db}", "{url_env: STORE, path: off}"}) {
        const auto loaded = load(store);
        EXPECT_FALSE(loaded.value);
        EXPECT_THAT(to_string(loaded.problems), HasSubstr("f:2:18: store.url_env: is given besides path"));
    }
}

TEST(StoreUrl, IsRefusedWithoutBeingQuoted) {
    for (const auto* const url :
         {"mysql://u:Zx9-word@h/d", "postgresql://", "h:5432", "postgresql://u:Zx9@word@h/d",
          "postgresql://u:Zx9/word@h/d", "postgresql://u:Zx9?word@h/d", "postgresql://u:Zx9%word@h/d"}) {
        const auto loaded = load("{url: \"" + std::string(url) + "\"}");
        EXPECT_FALSE(loaded.value) << url;
        EXPECT_THAT(to_string(loaded.problems), HasSubstr("f:2:14: store.url: "));
        EXPECT_THAT(to_string(loaded.problems), Not(HasSubstr("Zx9")));
    }
    EXPECT_EQ(postgres_url_fault("postgresql://u:p%40%2F@h1:5432,h2:5432/d?target_session_attrs=read-write"),
              "");
    EXPECT_EQ(postgres_url_fault("postgresql:///d?host=/run/postgresql"), "");
}

TEST(StoreUrl, OverANetworkAsksForACheckedCertificate) {
    EXPECT_THAT(to_string(load("{url: \"postgresql://db.example/d\"}").problems),
                HasSubstr("does not say sslmode=verify-full"));
    for (const auto* const url :
         {"postgresql://u@127.0.0.1:5432/d", "postgresql://localhost/d", "postgresql://[::1]/d",
          "postgresql:///d?host=/run/postgresql", "postgresql://%2Frun%2Fpostgresql/d",
          "postgresql://h/d?sslmode=verify-full"})
        EXPECT_TRUE(is_verified_or_near(url)) << url;
    for (const auto* const url :
         {"postgresql://h/d?sslmode=require", "postgresql://127.0.0.1,h/d", "postgresql:///d?host=h"})
        EXPECT_FALSE(is_verified_or_near(url)) << url;
}

}  // namespace
}  // namespace spillway::config
