// What scripts/check-extension added is there, for the configuration and for requests.
#include <gtest/gtest.h>

#include "api/dialect.hpp"
#include "api/route.hpp"
#include "config/yaml.hpp"

namespace spillway::api {
namespace {

TEST(Extended, TheConfigurationKnowsTheNewKind) {
    const auto loaded = config::load_gateway(
        "backends:\n  - {name: s, url: 'http://s.example/x', kind: sample, api_key: k, models: ['*']}\n",
        "test.yaml", config::process_sources());
    ASSERT_TRUE(loaded.value) << config::to_string(loaded.problems);
    const config::BackendConfig& backend = loaded.value->backends.at(0);
    EXPECT_EQ(dialect(backend.kind).name(), "sample");
    std::string target;
    dialect(backend.kind).append_target(target, "/x", classify("/v1/rerank", "POST"), "");
    EXPECT_EQ(target, "/x/models/rerank");
}

TEST(Extended, RequestsAreKnownByTheNewOperation) {
    const Route route = classify("/v1/rerank", "POST");
    EXPECT_EQ(route.operation, &operations::rerank);
    EXPECT_EQ(route.operation->name, "rerank");
    EXPECT_TRUE(route.operation->needs_model);
    EXPECT_EQ(operation_index(*route.operation), kOperations.size()) << "counted apart from the others";
    EXPECT_EQ(classify("/v1/rerank", "GET").operation, &operations::other);
}

}  // namespace
}  // namespace spillway::api
