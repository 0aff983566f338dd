#pragma once
/// The flags of `spillway load`, and the plan that follows from them.
/// Thread rule: for one thread. Errors: messages for the user that name the flag; never with a key.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "app/stack_command.hpp"
#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/threshold.hpp"

namespace spillway::app {

struct LoadOptions {
    std::shared_ptr<stack::Common> stack;  ///< used when no URL is given
    std::string url;
    std::string api_key;
    std::string api_key_env;
    std::string deployment = "gpt-4o";
    std::string model;
    std::string style = "azure";
    std::vector<std::string> fields;
    load::Plan plan;

    double users = 0;
    double rate = 0;
    std::string user_stages;
    std::string rate_stages;
    Duration duration = std::chrono::seconds(60);
    Duration ramp_up{};
    std::string arrivals = "poisson";
    bool no_stream = false;
    bool no_usage = false;
    bool insecure = false;

    std::vector<std::string> thresholds;
    std::string name;
    std::string html_file;
    std::string json_file;
    std::string csv_file;
    bool quiet = false;
    bool no_fail = false;
};

void add_load_options(CLI::App& verb, LoadOptions& options);

struct PreparedLoad {
    load::Plan plan;
    std::vector<load::Threshold> thresholds;
    std::vector<std::pair<std::string, std::string>> settings;  ///< for the report; no secret
    std::string name;
};
[[nodiscard]] Result<PreparedLoad> prepare_load(const LoadOptions& options);

}  // namespace spillway::app
