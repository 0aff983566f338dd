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

TEST(SessionAffinity, FindsIdsInPathsAndTexts) {
    EXPECT_EQ(id_in_path("/openai/v1/responses/resp_0123456789/input_items"), "resp_0123456789");
    EXPECT_EQ(id_in_path("/openai/v1/files"), "");
    EXPECT_EQ(id_in_json(R"({"object":"file","id":"file-0123456789","x":"resp"})"), "file-0123456789");
    EXPECT_EQ(id_in_json(R"({"id":"file-01 2345"})"), "");
    EXPECT_EQ(id_in_json(R"({"id":"unfinished)"), "");
}

TEST(SessionAffinity, ARequestGoesWhereItsIdLives) {
    SessionAffinity table(1024);
    table.learn("file-0123456789", 4);
    Affinity path;
    find_affinity(path, table, api::operations::other, "/v1/files/file-0123456789", "", false);
    EXPECT_EQ(path.id, "file-0123456789");
    EXPECT_EQ(path.pinned, 4U);
    Affinity body;
    find_affinity(body, table, api::operations::other, "/v1/batches", R"({"input":"file-0123456789"})", true);
    EXPECT_EQ(body.pinned, 4U);
    Affinity chat;
    find_affinity(chat, table, api::operations::embeddings, "/v1/embeddings",
                  R"({"input":"file-0123456789"})", true);
    EXPECT_TRUE(chat.id.empty()) << "an operation that names no ids is not searched for them";
    Affinity given{.id = "resp_0123456789", .pinned = {}, .prefix = 0};
    find_affinity(given, table, api::operations::responses, "/v1/responses", "{}", true);
    EXPECT_EQ(given.id, "resp_0123456789");
    EXPECT_FALSE(given.pinned) << "an id that was never seen may live anywhere";
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
    find_affinity(back, table, api::operations::responses, "/v1/responses",
                  R"({"input":[{"encrypted_content":")" + two + R"("}]})", true);
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
