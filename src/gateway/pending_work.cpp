#include "gateway/pending_work.hpp"

#include "gateway/books.hpp"
#include "gateway/key_ring.hpp"

namespace spillway::gateway {

void PendingCharges::keep(quota::Grant grant, const Asked& asked, const Report& report,
                          std::string_view backend, Wall began, quota::Now now) {
    quota::PendingWork work{.grant = std::move(grant),
                            .began = began,
                            .request_id = asked.id,
                            .client = std::string(asked.account->name()),
                            .key = std::string(key_id(*asked.client)),
                            .user = asked.user,
                            .team = asked.team,
                            .backend = std::string(backend),
                            .deployment = asked.deployment,
                            .model = std::string(report.model()),
                            .operation = asked.operation().name};
    if (auto displaced = books_.pending.keep(report.work.id, std::move(work), now.mono))
        charge(std::move(*displaced), std::nullopt, false, now);
}

void PendingCharges::seen(const Report& report, quota::Now now) {
    auto work = books_.pending.finish(report.work.id);
    if (!work) return;
    if (report.work.usage && work->operation == api::operations::responses.name)
        books_.histories.learn(report.work.id, report.work.usage->total);
    charge(std::move(*work), report.work.usage, report.work.status == api::WorkStatus::failed, now);
}

void PendingCharges::expire(quota::Now now) {
    constexpr std::size_t at_once = 16;
    for (quota::PendingWork& work : books_.pending.expired(now.mono, at_once))
        charge(std::move(work), std::nullopt, false, now);
}

void PendingCharges::finish(quota::Now now) {
    for (quota::PendingWork& work : books_.pending.drain()) charge(std::move(work), std::nullopt, false, now);
}

/// What is not known is charged as it was reserved; what failed used nothing.
void PendingCharges::charge(quota::PendingWork work, const std::optional<api::Usage>& usage, bool failed,
                            quota::Now now) {
    quota::Amounts charged = work.grant.reserved();
    if (usage)
        charged = amounts_of(clients_, *usage, work.deployment);
    else if (failed)
        charged = {};
    work.grant.settle(charged, now);
    if (ledger_ == nullptr) return;
    const api::Usage used = usage.value_or(api::Usage{});
    telemetry::UsageRow row;
    row.time = work.began;
    row.request_id = work.request_id;
    row.client = work.client;
    row.key = work.key;
    row.user = work.user;
    row.team = work.team;
    row.backend = work.backend;
    row.deployment = work.deployment;
    row.model = work.model;
    row.operation = work.operation;
    row.status = 200;
    row.prompt_tokens = used.prompt;
    row.completion_tokens = used.completion;
    row.cached_tokens = used.cached;
    row.reasoning_tokens = used.reasoning;
    row.charged_tokens = static_cast<std::uint64_t>(charged.tokens);
    row.cost = static_cast<std::uint64_t>(charged.cost);
    row.estimated = !usage;
    row.took = now.wall - work.began;
    ledger_->append(row);
}

}  // namespace spillway::gateway
