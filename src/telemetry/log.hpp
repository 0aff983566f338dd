#pragma once
/// The process log: start-up, warnings and state changes, to standard error. Never per request.
/// Passed explicitly; nothing is registered with spdlog's global registry.
/// Ownership: shared. Thread rule: the logger is safe from any thread.
#include <spdlog/logger.h>

#include <memory>
#include <string_view>

#include "base/result.hpp"

namespace spillway::telemetry {

using Logger = spdlog::logger;

/// "trace", "debug", "info", "warn", "error", "critical" or "off".
[[nodiscard]] Result<spdlog::level::level_enum> parse_log_level(std::string_view name);

/// Writes to standard error without ever waiting for its reader (see DescriptorSink).
[[nodiscard]] std::shared_ptr<Logger> make_logger(spdlog::level::level_enum level = spdlog::level::info);

}  // namespace spillway::telemetry
