#include "config/settings.hpp"
#include "config/yaml.hpp"

namespace spillway::config {

Loaded<GatewayConfig> load_gateway(std::string_view text, std::string file_name, const Sources& sources) {
    yaml::Context context(text, std::move(file_name), sources);
    GatewayConfig config;
    if (const auto document = yaml::parse(text, context))
        gateway_fields().read_all(context, {*document, ""}, config);
    Loaded<GatewayConfig> out;
    if (!context.failed()) out.value = std::move(config);
    out.problems = context.take_problems();
    return out;
}

}  // namespace spillway::config
