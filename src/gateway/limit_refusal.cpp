#include "gateway/limit_refusal.hpp"

#include <fmt/format.h>

#include "quota/client_price.hpp"
#include "telemetry/text.hpp"

namespace spillway::gateway {
namespace {

std::string describe(const quota::Refusal& why) {
    using quota::Reason;
    const auto who = fmt::format("{} '{}'", quota::to_string(why.subject->kind()), why.subject->name());
    const double money = quota::kMoneyUnit;
    switch (why.reason) {
        case Reason::concurrency:
            return fmt::format("The {} has {} requests in flight, its limit.", who, why.limit);
        case Reason::requests:
            return fmt::format("The {} has used its limit of {} requests per minute.", who, why.limit);
        case Reason::tokens:
            return fmt::format(
                "The {} would pass its limit of {} tokens per minute: {} are used, {} asked for.", who,
                why.limit, why.used, why.wanted);
        case Reason::too_large:
            return fmt::format(
                "The request asks for up to {} tokens, and the {} has a limit of {} per minute. "
                "Shorten the prompt or lower max_tokens.",
                why.wanted, who, why.limit);
        case Reason::token_quota:
            return fmt::format("The {} has a quota of {} tokens per {}: {} are used, {} asked for.", who,
                               why.limit, quota::to_string(why.period), why.used, why.wanted);
        case Reason::budget:
            return fmt::format("The {} has a budget of {:.6g} per {}: {:.6g} is spent, {:.6g} asked for.",
                               who, static_cast<double>(why.limit) * money, quota::to_string(why.period),
                               static_cast<double>(why.used) * money,
                               static_cast<double>(why.wanted) * money);
        case Reason::busy_quota:
            return fmt::format("What is left of the {}'s quota per {} is reserved by its requests in flight.",
                               who, quota::to_string(why.period));
        case Reason::users_full:
            return fmt::format("There is no place for one more user: {} are told apart at a time.",
                               why.limit);
        case Reason::fair_share:
            break;
    }
    return fmt::format("The {} has used its fair share while others need capacity.", who);
}

std::string_view code_of(quota::Reason reason) noexcept {
    switch (reason) {
        case quota::Reason::token_quota:
            return "quota_exceeded";
        case quota::Reason::budget:
            return "budget_exceeded";
        case quota::Reason::too_large:
            return "request_too_large";
        default:
            return "rate_limit_exceeded";
    }
}

}  // namespace

Refusal limit_refusal(const quota::Refusal& why, Wall now) {
    Refusal out;
    out.status = why.status();
    out.message = describe(why);
    out.code = code_of(why.reason);
    out.retry_in = why.retry_in;
    out.final = why.status() == 403 || why.reason == quota::Reason::too_large;
    out.type = why.status() == 403 ? "insufficient_quota" : "rate_limit_error";
    if (why.status() == 403) {
        out.message += " The next one begins at ";
        telemetry::Rfc3339().append(
            out.message, quota::period_begin(why.period, quota::period_index(why.period, now) + 1));
        out.message += '.';
    } else if (!out.final) {
        out.message += fmt::format(" Please retry after {} seconds.", retry_seconds(why.retry_in));
    }
    return out;
}

}  // namespace spillway::gateway
