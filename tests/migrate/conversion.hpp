#pragma once
/// A conversion and its result, as the gateway reads it.
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "config/yaml.hpp"
#include "migrate/migrate.hpp"

namespace spillway::migrate {

inline config::EnvLookup no_env() {
    return [](std::string_view) -> std::optional<std::string> { return std::nullopt; };
}

inline Converted converted(const std::string& text, std::optional<Kind> kind = std::nullopt) {
    auto out = convert(text, kind, no_env());
    EXPECT_TRUE(out) << (out ? "" : out.error().message);
    return out ? *out : Converted{};
}

/// The file as the gateway reads it; each variable that it names is set.
inline config::GatewayConfig loaded(const std::string& yaml) {
    config::Sources sources;
    sources.env = [](std::string_view name) { return std::optional("value-of-" + std::string(name)); };
    sources.read_file = [](const std::string&) -> Result<std::string> { return fail("no files"); };
    auto out = config::load_gateway(yaml, "gateway.yaml", sources);
    EXPECT_TRUE(out.ok()) << config::to_string(out.problems) << yaml;
    return out.ok() ? *out.value : config::GatewayConfig{};
}

}  // namespace spillway::migrate
