#pragma once
/// Who calls, and what they may: one configuration's clients, known by key, token or trusted field, with
/// their accounts in the quotas.
///
/// Order: a trusted proxy's field, then a key, then a token. The user is named by the token, else by the
/// trusted field, else (if so configured) by the body; the team by the token, the field, or the client.
/// Ownership: points into the ClientQuotas, which must outlive it. Thread rule: immutable; safe from any
/// thread. Errors: make() says what cannot be used.
#include <boost/asio/ip/network_v6.hpp>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/huge_pages.hpp"
#include "base/strings.hpp"
#include "config/gateway.hpp"
#include "http/message.hpp"
#include "identity/client_keys.hpp"
#include "identity/jwt.hpp"
#include "quota/client_price.hpp"
#include "quota/client_quota.hpp"

namespace spillway::gateway {

/// Small, and all else of it together in its account: each request of one of many clients waits for it.
struct Client {
    quota::Subject* account = nullptr;
    std::uint32_t rules = 0;  ///< ClientTable's
};

struct Caller {
    const Client* client = nullptr;  ///< null: nobody that is known
    std::string user;
    std::string team;
};

class ClientTable {
public:
    /// Sets the limits of clients, teams and known users in `quotas`, if all else is right.
    [[nodiscard]] static Result<ClientTable> make(const config::GatewayConfig& config,
                                                  quota::ClientQuotas& quotas);
    ClientTable() = default;

    /// The key that a request shows; some work before identify() gives its memory time to come.
    [[nodiscard]] identity::ClientKeys::Shown shown_key(const http::RequestHead& head,
                                                        identity::KeyHasher& hasher) const {
        return keys_.shown(hasher, identity::presented_key(head.fields));
    }
    [[nodiscard]] Caller identify(const http::RequestHead& head, std::string_view peer,
                                  const identity::ClientKeys::Shown& shown, Wall now) const;
    [[nodiscard]] bool allows(const Client& client, std::string_view deployment) const;
    [[nodiscard]] std::size_t size() const noexcept { return clients_.size(); }
    /// A client's index, known by where it lies: without waiting for what is there.
    [[nodiscard]] std::uint32_t index_of(const Client& client) const noexcept {
        return static_cast<std::uint32_t>(&client - clients_.data());
    }
    /// The team of a caller that named none; may be empty.
    [[nodiscard]] const std::string& team_of(const Client& client) const { return rules_[client.rules].team; }
    /// Null: the team has no limits.
    [[nodiscard]] quota::Subject* team(std::string_view name) const;
    /// Whether users have limits, and so accounts.
    [[nodiscard]] bool limits_users() const noexcept { return user_limits_.has_value(); }
    [[nodiscard]] const quota::SubjectLimits& user_limits() const noexcept { return *user_limits_; }
    /// Fields by which a proxy names callers: never passed on.
    [[nodiscard]] bool is_naming_field(std::string_view name) const noexcept;

    quota::TokenWeights weights;
    quota::Prices prices;

private:
    using Index = std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>>;
    /// What few clients have.
    struct Rules {
        std::string team;
        std::vector<std::string> deployments;  ///< sorted
    };
    [[nodiscard]] bool trusted(std::string_view peer) const;
    [[nodiscard]] const Client* at(const Index& index, std::string_view name) const;

    identity::ClientKeys keys_;
    std::pmr::vector<Client> clients_{huge_pages()};    ///< as in the configuration, or the anonymous one
    std::vector<Rules> rules_ = std::vector<Rules>(1);  ///< the first: none
    Index by_claim_;
    Index by_header_;
    std::unordered_map<std::string, quota::Subject*, StringHash, std::equal_to<>> teams_;
    std::optional<identity::JwtVerifier> tokens_;
    config::TrustedHeadersConfig fields_;
    std::vector<boost::asio::ip::network_v6> proxies_;
    std::optional<quota::SubjectLimits> user_limits_;
};

}  // namespace spillway::gateway
