#include "api/tidy_target.hpp"

#include <gtest/gtest.h>

namespace spillway::api {
namespace {

std::string tidied(std::string_view target) {
    std::string out;
    return std::string(tidy_target(target, out));
}

TEST(TidyTarget, WhatIsTidyStays) {
    for (const std::string_view target :
         {"/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21", "/openai/v1/responses",
          "/v1/chat/completions", "/chat/completions", "/openai/responses?api-version=preview",
          "/openai/files?x=1&API-Version=2024-10-21", "/openaiX/openai/v1", "/v1x/v1/models", "/models", "/",
          "/openai", "/openai/v1", "/v1/files/v1", "/openai/batches/openai/x?api-version=1"}) {
        std::string out;
        const std::string_view tidy = tidy_target(target, out);
        EXPECT_EQ(tidy.data(), target.data()) << target << " -> " << tidy;
    }
}

TEST(TidyTarget, BaseUrlsThatPeopleGiveLeadToWhatTheirClientsMean) {
    const std::pair<std::string_view, std::string_view> known[] = {
        {"//openai/deployments/d/chat/completions?api-version=1",
         "/openai/deployments/d/chat/completions?api-version=1"},
        {"/openai//deployments/d//chat///completions", "/openai/deployments/d/chat/completions"},
        {"/openai/v1//responses", "/openai/v1/responses"},
        {"/openai/openai/deployments/d/embeddings?api-version=1",
         "/openai/deployments/d/embeddings?api-version=1"},
        {"/openai/v1/openai/deployments/d/embeddings", "/openai/deployments/d/embeddings"},
        {"/openai/v1//openai/deployments/d/embeddings", "/openai/deployments/d/embeddings"},
        {"/v1/openai/deployments/d/embeddings", "/openai/deployments/d/embeddings"},
        {"/v1/openai/v1/models", "/openai/v1/models"},
        {"/openai/v1/v1/chat/completions", "/v1/chat/completions"},
        {"/v1/v1/chat/completions", "/v1/chat/completions"},
        {"/openai/v1/openai/v1/openai/v1/responses", "/openai/v1/responses"},
        {"/openai/responses", "/openai/v1/responses"},
        {"/openai/files", "/openai/v1/files"},
        {"/openai/openai/v1", "/openai/v1"},
        {"/openai/embeddings?timeout=1", "/openai/v1/embeddings?timeout=1"},
        {"/openai//responses/resp_123", "/openai/v1/responses/resp_123"},
        {"/v1/openai/chat/completions", "/openai/v1/chat/completions"},
        {"/OpenAI/V1/openai/models", "/openai/v1/models"},
    };
    for (const auto& [given, meant] : known) EXPECT_EQ(tidied(given), meant) << given;
}

TEST(TidyTarget, NothingIsMadeOfADeploymentWithoutAName) {
    const std::string tidy = tidied("//openai/deployments//chat/completions?api-version=1");
    const Route route = classify(tidy);
    EXPECT_TRUE(route.bad);
    EXPECT_EQ(path_fault(route), "The request's path names no deployment.");
}

TEST(TidyTarget, WhatIsWrongIsSaid) {
    EXPECT_NE(path_fault(classify("/openai/deployments/meta%2Fllama/chat/completions")).find("%2F"),
              std::string_view::npos);
    EXPECT_NE(path_fault(classify("/v1/%61bc")).find("escape"), std::string_view::npos);
    EXPECT_NE(path_fault(classify("/v1/models?a#b")).find("query"), std::string_view::npos);
    EXPECT_EQ(path_fault(classify("/v1/../x")), "The request's path is not valid.");
}

TEST(ModelInference, IsAskedForAsItIs) {
    const Route route = classify("/models/chat/completions?api-version=2024-05-01-preview");
    EXPECT_FALSE(route.bad);
    EXPECT_EQ(route.style, PathStyle::model_inference);
    EXPECT_EQ(route.operation, &operations::chat);
    EXPECT_EQ(route.tail, "/chat/completions");
    EXPECT_EQ(classify("/models/gpt-4o", "GET").style, PathStyle::bare);
}

}  // namespace
}  // namespace spillway::api
