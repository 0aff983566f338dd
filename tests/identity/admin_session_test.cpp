#include "identity/admin_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "identity/jose.hpp"

namespace spillway::identity {
namespace {

using namespace std::chrono_literals;
using config::AdminRole;

const Wall kNow(1'750'000'000s);

config::AdminRolesConfig roles() {
    return {.viewer = {{"groups", {"support", "sales"}}},
            .operate = {{"groups", {"oncall"}}, {"tid", {"one"}}},
            .manage = {{"roles", {"Spillway.Admin"}}}};
}

Person person(const std::string& claims) {
    const std::string text =
        encode_base64url(R"({"alg":"RS256"})") + '.' + encode_base64url(claims) + ".c2ln";
    return person_of(ParsedToken::parse(text).value(), roles(), kNow);
}

std::optional<AdminRole> role(const std::string& claims) {
    return role_of(roles(), person(claims).held);
}

TEST(AdminSession, TheHighestRoleWhoseClaimsAreAllThere) {
    EXPECT_EQ(role(R"({"sub":"1"})"), std::nullopt);
    EXPECT_EQ(role(R"({"sub":"1","groups":["other"]})"), std::nullopt);
    EXPECT_EQ(role(R"({"sub":"1","groups":["other","sales"]})"), AdminRole::viewer);
    EXPECT_EQ(role(R"({"sub":"1","groups":"support"})"), AdminRole::viewer);
    EXPECT_EQ(role(R"({"sub":"1","groups":["oncall"]})"), std::nullopt) << "one of two conditions";
    EXPECT_EQ(role(R"({"sub":"1","groups":["oncall"],"tid":"one"})"), AdminRole::operate);
    EXPECT_EQ(role(R"({"sub":"1","groups":["sales"],"roles":["Spillway.Admin"]})"), AdminRole::manage);
    EXPECT_EQ(role_of({}, {{"groups", {"sales"}}}), std::nullopt) << "no condition is no role";
}

TEST(AdminSession, KeepsOnlyWhatRolesAskFor) {
    const Person one = person(R"({"sub":"1","groups":["other","sales","oncall"],"tid":"two","roles":["x"]})");
    EXPECT_EQ(one.held, (config::ClaimConditions{{"groups", {"sales", "oncall"}}}));
}

TEST(AdminSession, AChangedMappingIsFelt) {
    const Person one = person(R"({"sub":"1","groups":["sales"]})");
    auto other = roles();
    other.viewer = {};
    EXPECT_EQ(role_of(other, one.held), std::nullopt) << "the role was removed";
    other.manage = {{"groups", {"sales"}}};
    EXPECT_EQ(role_of(other, one.held), AdminRole::manage);
}

TEST(AdminSession, IsReadAsItWasWrittenUntilItsTimeIsOver) {
    const Person one =
        person(R"({"sub":"1","name":"Ada \"L\" 이","groups":["sales"],"roles":["Spillway.Admin"]})");
    const std::string text = write_session(one);
    const auto read = read_session(text, 8h, kNow + 8h - 1s);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->subject, "1");
    EXPECT_EQ(read->name, "Ada \"L\" 이");
    EXPECT_EQ(read->held, one.held);
    EXPECT_FALSE(read_session(text, 8h, kNow + 8h));
    EXPECT_FALSE(read_session(text, 1h, kNow + 1h)) << "a shorter life is felt at once";
    EXPECT_TRUE(read_session(text, 8h, kNow - 30s)) << "another replica's clock";
    EXPECT_FALSE(read_session(text, 8h, kNow - 2min));
    EXPECT_FALSE(read_session("{}", 8h, kNow));
    EXPECT_FALSE(read_session("", 8h, kNow));
    EXPECT_FALSE(read_session(R"({"sub":"","begun":1750000000,"held":{}})", 8h, kNow));
}

TEST(AdminSession, APersonIsOneWordInTheAuditLog) {
    EXPECT_EQ(audit_name(person(R"({"sub":"1","preferred_username":"ada@x","email":"e","name":"n"})")),
              "oidc:ada@x");
    EXPECT_EQ(audit_name(person(R"({"sub":"1","email":"e@x","name":"n"})")), "oidc:e@x");
    EXPECT_EQ(audit_name(person(R"({"sub":"1","name":"이 에이다"})")), "oidc:이_에이다");
    EXPECT_EQ(audit_name(person(R"({"sub":"42"})")), "oidc:42");
    EXPECT_EQ(audit_name(person(R"({"sub":"1","name":"ada changed\nbackend"})")), "oidc:ada_changed_backend");
}

TEST(AdminSession, KnowsWhatTheProviderLeftOut) {
    const std::string text =
        encode_base64url(R"({"alg":"RS256"})") + '.' +
        encode_base64url(R"({"sub":"1","_claim_names":{"groups":"src1"},"_claim_sources":{"src1":{}}})") +
        ".c2ln";
    const auto token = ParsedToken::parse(text).value();
    EXPECT_TRUE(token.is_elsewhere("groups"));
    EXPECT_FALSE(token.is_elsewhere("roles"));
}

}  // namespace
}  // namespace spillway::identity
