#pragma once
/// `spillway check --connect`: tests step by step whether the gateway could reach a backend.
///
/// It blocks, with a time limit for each step; nothing is generated, so it costs no tokens. Thread rule: any
/// thread. Errors: a failed step, with its reason; later ones are not tried. Steps contain no
/// secret.
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

/// As lines for people.
[[nodiscard]] std::string to_string(const ProbeReport& report);
/// `{"backends":[{"name":…,"url":…,"ok":…,"steps":[{"name":…,"result":…,"detail":…}]}]}`
[[nodiscard]] std::string to_json(const std::vector<ProbeReport>& reports);

}  // namespace spillway::app
