#include "gateway/head_refusal.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/limit_refusal.hpp"
#include "routing/router.hpp"

namespace spillway::gateway {

Refusal busy_refusal(Duration retry_in) {
    return {.status = 503,
            .message = fmt::format("All backends have as many requests in flight as they sustain. Please "
                                   "retry after {} seconds.",
                                   retry_seconds(retry_in)),
            .type = "server_error",
            .code = "overloaded",
            .retry_in = retry_in};
}

std::optional<HeadRefusal> refuse_by_head(const Snapshot& snapshot, BusyClients& busy,
                                          const ComingBodies& coming, const Asked& asked, quota::Now now) {
    quota::Subject& account = *asked.account;
    auto& flight = account.in_flight();
    if (const auto most = flight.limit();
        most > 0 && !account.shadow() && flight.used_everywhere(now) >= most) {
        account.count_refusal();
        const quota::Refusal why{.subject = &account,
                                 .reason = quota::Reason::concurrency,
                                 .retry_in = BusyClients::pause,
                                 .limit = most,
                                 .wanted = 1,
                                 .used = flight.used_everywhere(now)};
        return HeadRefusal{Ending::limited, limit_refusal(why, now.wall)};
    }
    std::optional<routing::DeploymentRef> deployment;
    if (asked.deployment.empty())
        deployment = busy.expected(&account, now.mono);
    else if (snapshot.clients.allows(*asked.client, asked.deployment))
        deployment = snapshot.router->deployment(asked.deployment, now.mono);
    const auto held = static_cast<std::uint32_t>(std::max<std::int64_t>(flight.used_here(now), 0));
    if (!deployment || !snapshot.router->busy(*deployment, held, now.mono, coming.count(now.mono)))
        return std::nullopt;
    return HeadRefusal{Ending::no_backend, busy_refusal(BusyClients::pause)};
}

}  // namespace spillway::gateway
