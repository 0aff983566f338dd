#pragma once
/// Whether a client may: what the request needs is reserved with all its subjects (client, user, team), and
/// settled with what it really used.
///
/// Ownership: the tables must outlive it; what is not settled is given back when it goes. Thread rule: one
/// thread. Errors: none; quota::Refusal says why not.
#include <optional>

#include "gateway/asked.hpp"
#include "gateway/clients.hpp"
#include "gateway/report.hpp"
#include "quota/client_quota.hpp"
#include "quota/user_accounts.hpp"

namespace spillway::gateway {

/// What `usage` of a deployment counts and costs.
[[nodiscard]] quota::Amounts amounts_of(const ClientTable& clients, const api::Usage& usage,
                                        std::string_view deployment);

class Admission {
public:
    Admission(const ClientTable& clients, quota::ClientQuotas& quotas, quota::UserAccounts& users) noexcept
        : clients_(clients), quotas_(quotas), users_(users) {}

    /// Takes what the request may use at most from its client, team and user, or nothing from any. The user
    /// comes last: who is refused before makes no account. May be tried again when Refusal::lease_short.
    [[nodiscard]] bool reserve(const Asked& asked, quota::Now now, quota::Refusal& why);
    [[nodiscard]] bool admitted() const noexcept { return static_cast<bool>(grant_); }
    /// Once, at the request's end: what was charged, if it was admitted.
    std::optional<quota::Amounts> settle(const Asked& asked, const Report& report, quota::Now now);
    /// Instead: the work goes on, and whoever has the grant settles it.
    [[nodiscard]] quota::Grant hand_over() noexcept { return std::move(grant_); }
    [[nodiscard]] const quota::Subjects& subjects() const noexcept { return subjects_; }

private:
    [[nodiscard]] quota::Amounts most(const Asked& asked) const;

    const ClientTable& clients_;
    quota::ClientQuotas& quotas_;
    quota::UserAccounts& users_;
    quota::Subjects subjects_;
    quota::Grant grant_;
};

}  // namespace spillway::gateway
