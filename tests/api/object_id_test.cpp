#include "api/object_id.hpp"

#include <gtest/gtest.h>

#include "api/request_scan.hpp"

namespace spillway::api {
namespace {

TEST(ObjectId, IsKnownByHowItBegins) {
    for (const char* id : {"file-0123456789", "assistant-0123456789", "resp_0123456789", "vs_0123456789",
                           "cntr_0123456789", "conv_0123456789", "task_0123456789", "chatcmpl-0123456789"})
        EXPECT_TRUE(is_object_id(id)) << id;
    for (const char* text : {"", "file-", "file-a b c d e", "my-file-0123456789", "gpt-4o-2024-08-06"})
        EXPECT_FALSE(is_object_id(text)) << text;
}

TEST(ObjectId, AListKeepsEachOnceAndEndsSomewhere) {
    IdList ids;
    ids.add("file-0123456789");
    ids.add("file-0123456789");
    EXPECT_EQ(ids.size(), 1U);
    for (std::size_t i = 0; i < IdList::kMost; ++i) {
        EXPECT_FALSE(ids.overflows());
        ids.add("file-" + std::to_string(i));
    }
    EXPECT_TRUE(ids.overflows());
    EXPECT_EQ(ids.size(), IdList::kMost);
    IdList copy;
    copy.add(ids);
    EXPECT_TRUE(copy.overflows()) << "what did not fit is missing there too";
    ids.clear();
    EXPECT_FALSE(ids.overflows());
    EXPECT_TRUE(ids.empty());
}

TEST(ObjectId, ARequestWithManyIdsIsReadInReasonableTime) {
    std::string body = R"({"model":"m","tools":[{"type":"file_search","vector_store_ids":["vs_0000000000")";
    for (int i = 0; i < 200'000; ++i) body += ",\"vs_" + std::to_string(1'000'000'000 + i) + '"';
    body += "]}]}";
    RequestScanner scanner;
    RequestScan scan;
    body.reserve(body.size() + 64);
    ASSERT_EQ(scanner.scan(body, scan), ScanError::none);
    EXPECT_TRUE(scanner.ids().overflows());
}

TEST(ObjectId, AnAnswerTellsItsOwnAndWhatBelongsToIt) {
    IdList told;
    const ObjectAnswer answer = read_object_answer(
        R"({"id":"batch_0123456789","input_file_id":"file-0000000001","output_file_id":"file-0000000002",)"
        R"("metadata":{"file_id":"file-0000000003"}})",
        told);
    EXPECT_EQ(answer.id, "batch_0123456789");
    EXPECT_FALSE(answer.list);
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told.view()[1], "file-0000000002");
    EXPECT_TRUE(read_object_answer(R"({"object":"list","data":[{"id":"file-0000000001"}]})", told).list);
}

}  // namespace
}  // namespace spillway::api
