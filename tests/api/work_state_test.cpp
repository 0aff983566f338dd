#include "api/work_state.hpp"

#include <gtest/gtest.h>

namespace spillway::api {
namespace {

TEST(WorkState, OfResponsesAndBatches) {
    const WorkState queued = read_work_state(
        R"({"id":"resp_1","object":"response","status":"queued","background":true,"usage":null,"output":[]})");
    EXPECT_EQ(queued.id, "resp_1");
    EXPECT_EQ(queued.status, WorkStatus::under_way);
    EXPECT_EQ(read_work_state(R"({"status":"in_progress","id":"r"})").status, WorkStatus::under_way);
    EXPECT_EQ(read_work_state(R"({"id":"batch_1","status":"validating"})").status, WorkStatus::under_way);
    EXPECT_EQ(read_work_state(R"({"id":"r","status":"completed"})").status, WorkStatus::over);
    EXPECT_EQ(read_work_state(R"({"id":"r","status":"cancelled"})").status, WorkStatus::over);
    EXPECT_EQ(read_work_state(R"({"id":"r","status":"failed"})").status, WorkStatus::failed);
}

TEST(WorkState, OfWhatIsNone) {
    EXPECT_EQ(read_work_state(R"({"id":"chatcmpl-1","choices":[]})").status, WorkStatus::other);
    EXPECT_EQ(read_work_state(R"({"output":[{"id":"m","status":"completed"}]})").id, "");
    EXPECT_EQ(read_work_state(R"({"output":[{"id":"m","status":"completed"}]})").status, WorkStatus::other);
    EXPECT_EQ(read_work_state(R"({"id":5,"status":{}})").id, "");
    EXPECT_EQ(read_work_state(R"({"id":"r","status":"queued")").id, "");  // cut
    EXPECT_EQ(read_work_state("").id, "");
    EXPECT_EQ(read_work_state("<html>").id, "");
}

}  // namespace
}  // namespace spillway::api
