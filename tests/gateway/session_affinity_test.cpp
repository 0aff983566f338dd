#include "gateway/session_affinity.hpp"

#include <gtest/gtest.h>

namespace spillway::gateway {
namespace {

TEST(SessionAffinity, RemembersWhoHasAnId) {
    SessionAffinity table(1024);
    EXPECT_FALSE(table.find("resp_000000001"));
    table.learn("resp_000000001", 0);
    table.learn("resp_000000002", 7);
    table.learn("resp_000000003", 70'000);  // more than an entry can hold
    EXPECT_EQ(table.find("resp_000000001"), 0U);
    EXPECT_EQ(table.find("resp_000000002"), 7U);
    EXPECT_FALSE(table.find("resp_000000003"));
}

TEST(SessionAffinity, FindsIdsInTexts) {
    EXPECT_EQ(id_in_json(R"({"object":"file","id":"file-0123456789","x":"resp"})"), "file-0123456789");
    EXPECT_EQ(id_in_json(R"({"id":"file-01 2345"})"), "");
    EXPECT_EQ(id_in_json(R"({"id":"unfinished)"), "");
}

TEST(SessionAffinity, EncryptedReasoningGoesBackToWhoMadeIt) {
    const std::string one(40, 'a');
    const std::string two(200, 'b');
    const std::string answer = R"({"output":[{"encrypted_content" : ")" + one +
                               R"("},{"encrypted_content":")" + two + R"("},)" +
                               R"({"encrypted_content":null},{"encrypted_content":"short"}]})";
    SessionAffinity table(1024);
    table.learn_sealed(answer, 2);
    Affinity back;
    find_sealed(back, table, R"({"input":[{"encrypted_content":")" + two + R"("}]})");
    EXPECT_EQ(back.pinned, 2U);
}

TEST(SessionAffinity, NotFoundMeansElsewhere) {
    EXPECT_TRUE(says_not_here(404, ""));
    EXPECT_TRUE(says_not_here(400, R"({"error":{"code":"previous_response_not_found"}})"));
    EXPECT_TRUE(says_not_here(400, R"(Encrypted content for item x could not be verified)"));
    EXPECT_FALSE(says_not_here(400, R"({"error":{"code":"invalid_prompt"}})"));
    EXPECT_FALSE(says_not_here(500, ""));
}

TEST(PrefixAffinity, LongPromptsThatBeginAlikeAreAlike) {
    const std::string begin(5000, 'p');
    EXPECT_EQ(prefix_affinity(begin, 100), 0U);
    EXPECT_EQ(prefix_affinity("short", 5000), 0U);
    EXPECT_NE(prefix_affinity(begin, 5000), 0U);
    EXPECT_EQ(prefix_affinity(begin + "one", 5000), prefix_affinity(begin + "two", 5000));
}

}  // namespace
}  // namespace spillway::gateway
