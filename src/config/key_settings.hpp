#pragma once
/// What is said of a key that is made at run time: whose it is, and what it may.
///
/// Read by the same codecs as the configuration: a request's JSON is YAML too, and faults are told with line,
/// key and what was expected. Thread rule: values. Errors: in Loaded::problems.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "config/problem.hpp"
#include "config/quota.hpp"
#include "config/secret.hpp"

namespace spillway::config {

struct KeySettings {
    std::string client;  ///< whose it is: a configured client, or one that is known by its keys alone
    std::string team;
    std::string name;
    std::string note;
    std::vector<std::string> deployments;  ///< that it may ask for; empty: all
    QuotaConfig limits;                    ///< of this key alone, beside its client's
    friend bool operator==(const KeySettings&, const KeySettings&) = default;
};

/// What a request to make, change or import a key may say.
struct KeyRequest {
    KeySettings settings;
    std::optional<Wall> expires;  ///< a time, or so long from `now`
    bool never_expires = false;   ///< `expires: never`
    Duration overlap{};           ///< rotate: for which the old key is still good
    Secret key;                   ///< import: the key …
    std::string key_sha256;       ///< … or its SHA-256
};

/// Over what `start` says already.
[[nodiscard]] Loaded<KeyRequest> read_key_request(std::string_view json, KeyRequest start, Wall now);
/// As read_key_request() reads it, on one line.
[[nodiscard]] std::string key_settings_json(const KeySettings& settings);

}  // namespace spillway::config
