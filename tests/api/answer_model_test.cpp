#include "api/answer_model.hpp"

#include <gtest/gtest.h>

#include <string>

namespace spillway::api {
namespace {

TEST(FindModel, ReadsItWhereverItStands) {
    EXPECT_EQ(find_model(R"({"id":"1","model":"gpt-4o-2024-11-20","choices":[]})"), "gpt-4o-2024-11-20");
    EXPECT_EQ(find_model(R"({"choices":[{"message":{"content":"hi"}}], "model" : "gpt-4o"})"), "gpt-4o");
    EXPECT_EQ(find_model("event: response.created\ndata: {\"response\":{\"id\":\"r\",\"model\":\"o3\"}}\n\n"),
              "o3");
}

TEST(FindModel, PassesOverAnEmptyOne) {
    EXPECT_EQ(find_model(R"(data: {"model":"","prompt_filter_results":[]})"
                         "\n\n"
                         R"(data: {"model":"gpt-4o"})"),
              "gpt-4o");
}

TEST(FindModel, IsNotDeceivedByWhatIsSaid) {
    EXPECT_EQ(find_model(R"({"content":"\"model\":\"fake\"","model":"real"})"), "real");
    EXPECT_EQ(find_model(R"({"kind":"model","model":"real"})"), "real");
    EXPECT_EQ(find_model(R"({"model":{"id":1}})"), "");
    EXPECT_EQ(find_model(R"({"model":"cut)"), "");
    EXPECT_EQ(find_model(R"({"model":"a\nb"})"), "");
    EXPECT_EQ(find_model(R"({"model":")" + std::string(65, 'x') + "\"}"), "");
    EXPECT_EQ(find_model(""), "");
}

}  // namespace
}  // namespace spillway::api
