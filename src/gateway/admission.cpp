#include "gateway/admission.hpp"

#include <algorithm>

#include "gateway/key_ring.hpp"

namespace spillway::gateway {

quota::Amounts amounts_of(const ClientTable& clients, const api::Usage& usage, std::string_view deployment) {
    quota::Amounts out;
    out.tokens = quota::weighted(clients.weights, usage);
    if (clients.prices.empty()) return out;
    if (const quota::Price* price = clients.prices.find(deployment)) out.cost = quota::cost(*price, usage);
    return out;
}

namespace {

bool runs_a_model(const Asked& asked) noexcept {
    return asked.operation().needs_model || (asked.scanned && asked.route.tail.ends_with("/runs"));
}

}  // namespace

/// What the request may use at most, as far as that can be known before.
quota::Amounts Admission::most(const Asked& asked) const {
    api::Usage usage;
    usage.prompt = asked.estimate.reserve;
    if (asked.operation().writes_text)
        usage.completion =
            quota::most_output(asked.scan.max_tokens.value_or(asked.account->typical_output()), asked.scan.n);
    quota::Amounts out = amounts_of(clients_, usage, asked.deployment);
    // Of sound, or a thread's run, nothing can be told before; but once a limit is met, it is met.
    if (out.tokens == 0 && runs_a_model(asked)) out.tokens = 1;
    return out;
}

bool Admission::reserve(const Asked& asked, quota::Now now, quota::Refusal& why) {
    subjects_.clear();
    subjects_.emplace_back(asked.account);
    if (is_key(*asked.client))
        if (quota::Subject* const key = static_cast<const KeyClient*>(asked.client)->limits)
            subjects_.emplace_back(key);
    if (!asked.team.empty())
        if (quota::Subject* const team = clients_.team(asked.team)) subjects_.emplace_back(team);
    auto grant = quotas_.admit(subjects_, most(asked), now, why);
    if (!grant) return false;
    if (clients_.limits_users() && !asked.user.empty()) {
        const std::string_view owner = asked.user_is_clients ? asked.account->name() : std::string_view();
        const auto user = users_.find(owner, asked.user, clients_.user_limits(), now);
        if (!quotas_.add_user(*grant, user, now, why)) return false;
    }
    subjects_ = grant->subjects();
    grant_ = std::move(*grant);
    return true;
}

std::optional<quota::Amounts> Admission::settle(const Asked& asked, const Report& report, quota::Now now) {
    if (!grant_) return std::nullopt;
    quota::Amounts charged;
    if (report.served()) {
        charged = amounts_of(clients_, report.usage, asked.deployment);
        if (!asked.scan.max_tokens) subjects_.front()->learn_output(report.usage.completion);
    } else {
        // A backend that took the request and was not waited for to the end made the answer all the same.
        const auto times = std::count_if(report.tried.begin(), report.tried.end(), [](const Tried& t) {
            return t.kind == routing::OutcomeKind::timeout;
        });
        if (times > 0) {
            const api::Usage likely{asked.estimate.prompt, asked.estimate.output, asked.estimate.total(), 0,
                                    0};
            charged = amounts_of(clients_, likely, asked.deployment);
            charged.tokens = std::min(charged.tokens * times, grant_.reserved().tokens);
            charged.cost = std::min(charged.cost * times, grant_.reserved().cost);
        }
    }
    grant_.settle(charged, now);
    return charged;
}

}  // namespace spillway::gateway
