#pragma once
/// `spillway check --connect`: whether a backend can be reached as the gateway would reach it, step by step.
///
/// It blocks, with an end to each step; no request is generated, so it costs no quota of tokens. Thread rule:
/// any thread. Errors: a step that failed, with its reason; those after it are not tried. No secret is in a
/// step.
#include <string>
#include <vector>

#include "config/backend.hpp"

namespace spillway::app {

struct ProbeStep {
    enum class Result { good, doubtful, failed };
    std::string name;  ///< name, connect, tls, certificate, credential, models
    Result result = Result::good;
    std::string detail;
};

struct ProbeReport {
    std::string backend;
    std::string url;
    std::vector<ProbeStep> steps;
    [[nodiscard]] bool failed() const noexcept;
};

[[nodiscard]] ProbeReport probe_backend(const config::BackendConfig& backend);

/// Lines for people.
[[nodiscard]] std::string to_string(const ProbeReport& report);
/// `{"backends":[{"name":…,"url":…,"ok":…,"steps":[{"name":…,"result":…,"detail":…}]}]}`
[[nodiscard]] std::string to_json(const std::vector<ProbeReport>& reports);

}  // namespace spillway::app
