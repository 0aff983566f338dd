#pragma once
/// What becomes the gateway's file, before names are given and doubles are joined.
///
/// It holds no secret: of a key that stands in the input only a fingerprint is kept, to tell whether two are
/// the same. Thread rule: plain values. Errors: what cannot be written is noted and left out.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrate/section.hpp"

namespace spillway::migrate {

/// A key that the gateway is to find in its environment.
struct KeyRef {
    std::string env;              ///< the variable's name, if the input gives it
    std::size_t fingerprint = 0;  ///< of a key that stands in the input itself
    int line = 0;
    std::string path;

    [[nodiscard]] bool given() const noexcept { return !env.empty() || fingerprint != 0; }
    [[nodiscard]] bool same(const KeyRef& other) const noexcept {
        return env == other.env && fingerprint == other.fingerprint;
    }
};

/// Who the gateway is to the backend, if not by a key: `auth` of docs/configuration.md.
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
    std::string name;  ///< what it might be called
    std::string url;   ///< any text
    std::string kind;  ///< empty: as the URL says
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

    /// Serves `model`, as clients ask for it, with `deployment`.
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

/// Gives names, joins what is one backend, leaves out what `check` would refuse, and says so.
void settle(Draft& draft, Notes& notes);

/// The gateway's file. `draft` has been settled.
[[nodiscard]] std::string render(const Draft& draft);

/// `MY_EU_KEY` of `my-eu`: an environment variable's name.
[[nodiscard]] std::string env_name(std::string_view hint, std::string_view end);

/// A name as backends, clients and teams have it, made of `text`; empty if nothing of it can be used.
[[nodiscard]] std::string as_name(std::string_view text);

}  // namespace spillway::migrate
