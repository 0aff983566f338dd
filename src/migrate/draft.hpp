#pragma once
/// A draft of the gateway's file, before names are assigned and duplicates merged.
///
/// It contains no secret: of a key in the input it keeps only a fingerprint, to detect whether two are equal.
/// Thread rule: plain values. Errors: what cannot be written is noted and left out.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/section.hpp"

namespace spillway::migrate {

/// A key that the gateway will read from its environment.
struct KeyRef {
    std::string env;              ///< the variable's name, if the input has it
    std::size_t fingerprint = 0;  ///< of a key in the input itself
    int line = 0;
    std::string path;

    [[nodiscard]] bool given() const noexcept { return !env.empty() || fingerprint != 0; }
    [[nodiscard]] bool same(const KeyRef& other) const noexcept {
        return env == other.env && fingerprint == other.fingerprint;
    }
};

/// How the gateway authenticates, if not by a key: `auth` in docs/configuration.md.
struct AuthDraft {
    std::string kind;
    std::string tenant;
    std::string client_id;
    KeyRef client_secret;
    [[nodiscard]] bool same(const AuthDraft& other) const noexcept {
        return kind == other.kind && tenant == other.tenant && client_id == other.client_id &&
               client_secret.same(other.client_secret);
    }
};

struct BackendDraft {
    std::string name;  ///< a possible name
    std::string url;   ///< any text
    std::string kind;  ///< empty: from the URL
    unsigned priority = 1;
    std::optional<double> weight;
    KeyRef key;
    AuthDraft auth;
    std::string deployment;
    std::map<std::string, std::string> deployments;
    std::vector<std::string> models;
    std::optional<std::uint64_t> tpm;
    std::optional<std::uint64_t> rpm;
    std::optional<double> first_token;  ///< seconds
    std::optional<double> stall;        ///< seconds
    bool verify = true;
    int line = 0;
    std::string path;

    /// Serves requests for `model` with `deployment`.
    void serve(const std::string& model, const std::string& deployment);
};

struct LimitsDraft {
    std::optional<std::uint64_t> tokens_per_minute;
    std::optional<std::uint64_t> requests_per_minute;
    std::optional<std::uint64_t> concurrency;
    std::map<std::string, std::uint64_t> tokens;  ///< by hour, day, week, month

    [[nodiscard]] bool empty() const noexcept {
        return !tokens_per_minute && !requests_per_minute && !concurrency && tokens.empty();
    }
};

struct ClientDraft {
    std::string name;
    KeyRef key;
    std::string team;
    std::vector<std::string> deployments;
    LimitsDraft limits;
};

struct TeamDraft {
    std::string name;
    LimitsDraft limits;
};

struct PriceDraft {
    double prompt = 0;
    std::optional<double> cached;
    double completion = 0;
};

struct Draft {
    std::vector<BackendDraft> backends;
    std::vector<ClientDraft> clients;
    std::vector<TeamDraft> teams;
    std::map<std::string, PriceDraft> prices;  ///< by model, per million tokens
    std::optional<std::uint64_t> max_attempts;
    std::optional<double> cool_down;        ///< seconds
    std::optional<double> request_timeout;  ///< seconds
    std::string redis_url;
    KeyRef redis_password;
};

/// Assigns names, merges equal backends, and leaves out what `check` would refuse, with a note.
void settle(Draft& draft, Notes& notes);

/// Writes the gateway's file. `draft` must be settled.
[[nodiscard]] std::string render(const Draft& draft);

/// `MY_EU_KEY` for `my-eu`: the name of an environment variable.
[[nodiscard]] std::string env_name(std::string_view hint, std::string_view end);

/// A valid name for backends, clients and teams, made from `text`; empty if nothing of it is usable.
[[nodiscard]] std::string as_name(std::string_view text);

}  // namespace spillway::migrate
