#pragma once
/// Admission of a request: reserves what it needs with all its subjects (client, user, team), and settles
/// what it used.
///
/// Ownership: the tables must outlive it; what is not settled is released on destruction. Thread rule: one
/// thread. Errors: quota::Refusal says why it is not admitted.
#include <optional>

#include "gateway/asked.hpp"
#include "gateway/clients.hpp"
#include "gateway/report.hpp"
#include "quota/client_quota.hpp"
#include "quota/user_accounts.hpp"

namespace spillway::gateway {

/// What `usage` of a deployment counts, and costs.
[[nodiscard]] quota::Amounts amounts_of(const ClientTable& clients, const api::Usage& usage,
                                        std::string_view deployment);

class Admission {
public:
    Admission(const ClientTable& clients, quota::ClientQuotas& quotas, quota::UserAccounts& users) noexcept
        : clients_(clients), quotas_(quotas), users_(users) {}

    /// Reserves the most that the request may use with its client, team and user, or nothing with any. The
    /// user comes last, so that a refusal creates no account. May be repeated if Refusal::lease_short.
    [[nodiscard]] bool reserve(const Asked& asked, quota::Now now, quota::Refusal& why);
    [[nodiscard]] bool admitted() const noexcept { return static_cast<bool>(grant_); }
    /// Once, at the request's end; returns the charge, if it was admitted.
    std::optional<quota::Amounts> settle(const Asked& asked, const Report& report, quota::Now now);
    /// Instead of settle(): the work continues, and the receiver of the grant settles it.
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
