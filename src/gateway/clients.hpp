#pragma once
/// Identifies callers and their rights: one configuration's clients, by key, token, client certificate or
/// trusted field, with their accounts in the quotas.
///
/// Order: a trusted proxy's field, then a key, then a token (of a configured issuer, or verified with the
/// configured keys); what a certificate says beside them is in caller_proofs.hpp. The user is named by the
/// token, else by the trusted field, else (if so configured) by the body; the team by the token, the field,
/// or the client. Ownership: points into the ClientQuotas, which must outlive it. Thread rule: immutable;
/// safe from any thread. Errors: make() says what cannot be used.
#include <cstddef>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/huge_pages.hpp"
#include "base/ip.hpp"
#include "base/strings.hpp"
#include "config/gateway.hpp"
#include "http/message.hpp"
#include "identity/client_certificates.hpp"
#include "identity/client_keys.hpp"
#include "identity/jwt.hpp"
#include "quota/client_price.hpp"
#include "quota/client_quota.hpp"

namespace spillway::identity {
class IssuerKeys;
class Keepers;
}  // namespace spillway::identity

namespace spillway::gateway {

/// What only few clients have.
struct ClientRules {
    std::string team;
    std::vector<std::string> deployments;  ///< sorted
    std::vector<IpNetwork> networks;       ///< empty: any
};

/// Client::rules of a KeyClient (key_ring.hpp): it has its own, or none.
inline constexpr std::uint32_t kKeyRules = 0xffffffffU;
inline constexpr std::uint32_t kKeyWithoutRules = 0xfffffffeU;

class KeyRing;

/// Kept small, with everything else in its account: with many clients, each request waits for this memory.
struct Client {
    quota::Subject* account = nullptr;
    std::uint32_t rules = 0;  ///< ClientTable's
};

/// Whether it is a KeyClient.
[[nodiscard]] inline bool is_key(const Client& client) noexcept {
    return client.rules >= kKeyWithoutRules;
}

/// A key that a request presents, and whose it is as far as keys tell: null if nobody's.
struct ShownKey {
    identity::ClientKeys::Presented key;
    const Client* holder = nullptr;
};

struct Caller {
    const Client* client = nullptr;  ///< null: unknown
    bool elsewhere = false;          ///< known, but not permitted from this address
    bool ambiguous = false;          ///< a proxy's naming field was repeated
    std::string fault;               ///< of the certificate, if that is why it is unknown
    std::string user;
    std::string team;
};

class ClientTable {
public:
    /// Also sets the limits of clients, teams and known users in `quotas`, if everything else is valid.
    [[nodiscard]] static Result<ClientTable> make(const config::GatewayConfig& config,
                                                  quota::ClientQuotas& quotas, identity::Keepers& keepers);
    ClientTable() = default;

    /// The key that a request presents, for look_up(). `any_made`: there are keys made at run time.
    [[nodiscard]] identity::ClientKeys::Presented presented_key(const http::RequestHead& head,
                                                                identity::KeyHasher& hasher,
                                                                bool any_made = false) const {
        return keys_.hash(hasher, identity::presented_key(head.fields), any_made);
    }
    /// The memory where look_up() starts.
    [[nodiscard]] std::span<const std::byte> place_of(
        const identity::ClientKeys::Presented& key) const noexcept {
        return keys_.place_of(key);
    }
    /// Does not read the memory of a configured client that it finds.
    [[nodiscard]] ShownKey look_up(const identity::ClientKeys::Presented& key, Wall now,
                                   const KeyRing* made_keys = nullptr) const;
    /// `certificate`: the connection's; null if it has none.
    [[nodiscard]] Caller identify(const http::RequestHead& head, std::string_view peer, const ShownKey& shown,
                                  Wall now, const KeyRing* made_keys = nullptr,
                                  http::PeerCertificate* certificate = nullptr) const;
    [[nodiscard]] bool allows(const Client& client, std::string_view deployment) const;
    /// The deployments it may use, sorted; empty: all.
    [[nodiscard]] const std::vector<std::string>& deployments_of(const Client& client) const {
        return rules_of(client).deployments;
    }
    [[nodiscard]] std::size_t size() const noexcept { return clients_.size(); }
    /// A client's index, from its address: without reading its memory. Keys' clients come after the
    /// configured ones.
    [[nodiscard]] std::uint32_t index_of(const Client& client) const noexcept {
        const auto index = static_cast<std::size_t>(&client - clients_.data());
        return index < clients_.size() ? static_cast<std::uint32_t>(index)
                                       : static_cast<std::uint32_t>(clients_.size()) + number_of_key(client);
    }
    /// The team of a caller that names none; may be empty.
    [[nodiscard]] const std::string& team_of(const Client& client) const { return rules_of(client).team; }
    /// Null: the team has no limits.
    [[nodiscard]] quota::Subject* team(std::string_view name) const;
    /// Whether users have limits, and so accounts.
    [[nodiscard]] bool limits_users() const noexcept { return user_limits_.has_value(); }
    [[nodiscard]] const quota::SubjectLimits& user_limits() const noexcept { return *user_limits_; }
    /// Whether a proxy names callers by this field, which is then never forwarded.
    [[nodiscard]] bool is_naming_field(std::string_view name) const noexcept;

    quota::TokenWeights weights;
    quota::Prices prices;

private:
    using Networks = std::vector<IpNetwork>;
    using Index = std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>>;
    [[nodiscard]] static std::uint32_t number_of_key(const Client& client) noexcept;
    [[nodiscard]] static const ClientRules& rules_of_key(const Client& client) noexcept;
    [[nodiscard]] const ClientRules& rules_of(const Client& client) const noexcept {
        if (client.rules == kKeyRules) return rules_of_key(client);
        return rules_[is_key(client) ? 0 : client.rules];
    }
    [[nodiscard]] bool may_call_from(const Client& client, std::string_view peer) const;
    [[nodiscard]] const Client* at(const Index& index, std::string_view name) const;
    /// Whom a key or token means; also fills in what else a token says.
    [[nodiscard]] const Client* by_key(const ShownKey& shown, Wall now, const KeyRing* made_keys,
                                       Caller& caller) const;
    /// Adds to whom the key means (caller.client) what the certificate says.
    void check_certificate(Caller& caller, bool key_came, http::PeerCertificate* certificate) const;
    /// Whom a valid token identifies.
    [[nodiscard]] Result<identity::TokenClaims> verify(std::string_view token, Wall now) const;
    struct Issuer {
        std::shared_ptr<identity::IssuerKeys> keys;
        config::TokenPolicy policy;
    };

    identity::ClientKeys keys_;
    identity::ClientCertificates certificates_;
    std::vector<const quota::Subject*> both_needed_;  ///< accounts that need key and certificate; sorted
    std::pmr::vector<Client> clients_{huge_pages()};  ///< in the configuration's order, or the anonymous one
    std::vector<ClientRules> rules_ = std::vector<ClientRules>(1);  ///< the first: none
    bool open_to_all_ = false;  ///< without clients, whoever comes may, even if keys were made
    Index by_claim_;
    Index by_header_;
    std::unordered_map<std::string, quota::Subject*, StringHash, std::equal_to<>> teams_;
    std::vector<quota::SubjectRef> held_;  ///< keeps all accounts pointed to alive
    Index by_name_;                        ///< only if an issuer's rules name clients
    std::optional<identity::JwtVerifier> tokens_;
    std::vector<Issuer> issuers_;
    config::TrustedHeadersConfig fields_;
    Networks proxies_;
    std::optional<quota::SubjectLimits> user_limits_;
};

}  // namespace spillway::gateway
