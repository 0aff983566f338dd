// What it takes to add an operation and a kind of backend: a row, and a class with a line in the list.
#include <gtest/gtest.h>

#include <vector>

#include "api/dialect.hpp"

namespace spillway::api {
namespace {

constexpr Operation ranking{
    .name = "ranking", .tail = "/ranking", .method = "POST", .body = BodyKind::json, .needs_model = true};

TEST(ANewOperation, IsARow) {
    std::vector<const Operation*> table(kOperations.begin(), kOperations.end());
    table.push_back(&ranking);
    EXPECT_EQ(&find_operation("/ranking/", "POST", table), &ranking);
    EXPECT_EQ(&find_operation("/ranking", "GET", table), &operations::other);
    EXPECT_EQ(&find_operation("/chat/completions", "POST", table), &operations::chat);
}

/// Speaks at a path of its own, with the model in the body.
class InferenceDialect final : public Dialect {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "inference"; }
    [[nodiscard]] bool deployment_in_path(std::string_view, const Route&) const noexcept override {
        return false;
    }
    void append_target(std::string& out, std::string_view base_path, const Route& route,
                       std::string_view) const override {
        out.append(base_path).append("/models").append(route.tail);
    }
    [[nodiscard]] QuotaModel quota_model(bool) const noexcept override { return QuotaModel::strict_bucket; }
};

TEST(ANewDialect, IsAClass) {
    const InferenceDialect dialect;
    std::string out;
    dialect.append_target(out, "/x", classify("/openai/deployments/d/chat/completions?api-version=1"), "d");
    EXPECT_EQ(out, "/x/models/chat/completions");
    EXPECT_EQ(dialect.usage(R"({"usage":{"prompt_tokens":1,"total_tokens":1}})")->prompt, 1U)
        << "what it does not say is as with the others";
}

TEST(Dialects, AreFoundByTheKindOfTheConfiguration) {
    EXPECT_EQ(dialect(config::BackendKind::azure).name(), "azure");
    EXPECT_EQ(dialect(config::BackendKind::openai).name(), "openai");
    EXPECT_EQ(config::find_kind("openai"), config::BackendKind::openai);
    EXPECT_FALSE(config::find_kind("nothing"));
    EXPECT_EQ(azure_dialect().quota_model(false), QuotaModel::window);
    EXPECT_EQ(azure_dialect().quota_model(true), QuotaModel::lenient_bucket);
    EXPECT_EQ(openai_dialect().quota_model(false), QuotaModel::strict_bucket);
}

}  // namespace
}  // namespace spillway::api
