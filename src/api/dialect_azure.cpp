// Azure OpenAI (REST API reference, data plane): deployments in the path, or the v1 API with the model in the
// body where the configured base path names it. Quotas of standard deployments are windows of a minute.
#include "api/dialect.hpp"

namespace spillway::api {
namespace {

class AzureDialect final : public Dialect {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "azure"; }
    [[nodiscard]] bool deployment_in_path(std::string_view base_path,
                                          const Route& route) const noexcept override {
        return route.style == PathStyle::azure_deployment && !is_v1_base(base_path);
    }
    void append_target(std::string& out, std::string_view base_path, const Route& route,
                       std::string_view deployment) const override {
        if (route.style != PathStyle::unknown && is_v1_base(base_path))
            append_v1_target(out, base_path, route);
        else
            append_azure_target(out, base_path, route, deployment);
    }
    [[nodiscard]] QuotaModel quota_model(bool provisioned) const noexcept override {
        return provisioned ? QuotaModel::lenient_bucket : QuotaModel::window;
    }
    [[nodiscard]] bool keys_share_things() const noexcept override { return true; }
};

}  // namespace

const Dialect& azure_dialect() noexcept {
    static const AzureDialect dialect;
    return dialect;
}

}  // namespace spillway::api
