// The kind of backend that scripts/check-extension adds: `/models/…`, the model in the body, a bucket that
// refills all the time. What it does not say is as with the others.
#include "api/dialect.hpp"

namespace spillway::api {
namespace {

class SampleDialect final : public Dialect {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "sample"; }
    [[nodiscard]] bool deployment_in_path(std::string_view, const Route&) const noexcept override {
        return false;
    }
    void append_target(std::string& out, std::string_view base_path, const Route& route,
                       std::string_view) const override {
        out.append(base_path).append("/models").append(route.tail);
    }
    [[nodiscard]] QuotaModel quota_model(bool) const noexcept override { return QuotaModel::strict_bucket; }
};

}  // namespace

const Dialect& sample_dialect() noexcept {
    static const SampleDialect dialect;
    return dialect;
}

}  // namespace spillway::api
