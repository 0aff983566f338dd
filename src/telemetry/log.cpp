#include "telemetry/log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "telemetry/descriptor_sink.hpp"

namespace spillway::telemetry {

Result<spdlog::level::level_enum> parse_log_level(std::string_view name) {
    using spdlog::level::level_enum;
    constexpr std::array<std::pair<std::string_view, level_enum>, 7> kLevels{
        {{"trace", level_enum::trace},
         {"debug", level_enum::debug},
         {"info", level_enum::info},
         {"warn", level_enum::warn},
         {"error", level_enum::err},
         {"critical", level_enum::critical},
         {"off", level_enum::off}}};
    for (const auto& [text, level] : kLevels)
        if (text == name) return level;
    return fail(fmt::format("unknown log level '{}'", name));
}

std::shared_ptr<Logger> make_logger(spdlog::level::level_enum level) {
    auto logger = std::make_shared<Logger>("spillway", std::make_shared<DescriptorSink>(STDERR_FILENO));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    logger->set_level(level);
    logger->flush_on(spdlog::level::warn);
    return logger;
}

}  // namespace spillway::telemetry
