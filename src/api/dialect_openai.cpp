// OpenAI and what is compatible with it (API reference): `/v1/…`, the model in the body, quotas that refill
// all the time.
#include "api/dialect.hpp"

namespace spillway::api {
namespace {

class OpenAiDialect final : public Dialect {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "openai"; }
    [[nodiscard]] bool deployment_in_path(std::string_view, const Route&) const noexcept override {
        return false;
    }
    void append_target(std::string& out, std::string_view base_path, const Route& route,
                       std::string_view deployment) const override {
        if (route.style == PathStyle::unknown)
            append_azure_target(out, base_path, route, deployment);
        else
            append_v1_target(out, base_path, route);
    }
    [[nodiscard]] QuotaModel quota_model(bool provisioned) const noexcept override {
        return provisioned ? QuotaModel::lenient_bucket : QuotaModel::strict_bucket;
    }
};

}  // namespace

const Dialect& openai_dialect() noexcept {
    static const OpenAiDialect dialect;
    return dialect;
}

}  // namespace spillway::api
