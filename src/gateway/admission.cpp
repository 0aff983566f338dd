// Whether a client may: its deployments, its limits, and what it is told when it may not.
#include <fmt/format.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "gateway/request.hpp"
#include "telemetry/text.hpp"

namespace spillway::gateway {

namespace {

/// A burst may be faster than the leases that pay for it: it waits this often and long for the next one.
constexpr int kLeaseTries = 4;
constexpr Duration kLeaseWait = std::chrono::milliseconds(25);

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

/// What the request may use at most, as far as that can be known before.
quota::Amounts Request::wanted() const {
    api::Usage most;
    // What was learned is a mean: a tenth more covers most prompts.
    most.prompt = estimate_.error < 1
                      ? estimate_.prompt + estimate_.prompt / 10
                      : scan_.prompt_chars / 4 + scan_.prompt_token_ids + 4 * scan_.prompt_items;
    const bool writes = route_.op == api::Operation::chat || route_.op == api::Operation::completions ||
                        route_.op == api::Operation::responses;
    if (writes)
        most.completion =
            scan_.max_tokens.value_or(account_->typical_output()) * std::max<std::uint64_t>(1, scan_.n);
    return charge_of(most);
}

quota::Amounts Request::charge_of(const api::Usage& usage) const {
    const ClientTable& table = upstreams_->snapshot->clients;
    quota::Amounts out;
    out.tokens = quota::weighted(table.weights, usage);
    if (table.prices.empty()) return out;
    if (const quota::Price* price = table.prices.find(deployment_)) out.cost = quota::cost(*price, usage);
    return out;
}

/// Reserves what the request may use with all its subjects.
bool Request::admit(quota::Refusal& why) {
    const ClientTable& table = upstreams_->snapshot->clients;
    upstreams_->metrics.prefetch_row(table.index_of(*client_), deployment_ref_.index);
    subjects_.push_back(account_);
    if (table.limits_users() && !user_.empty())
        subjects_.push_back(&worker_.user_account(user_, table.user_limits()));
    if (!team_.empty())
        if (quota::Subject* team = table.team(team_)) subjects_.push_back(team);
    return reserve(why);
}

bool Request::reserve(quota::Refusal& why) {
    auto grant = worker_.books.quotas.admit(subjects_, wanted(), now_, why);
    if (grant) grant_ = std::move(*grant);
    return grant.has_value();
}

/// Where limits are shared, the next lease may have room.
asio::awaitable<bool> Request::wait_for_lease(quota::Refusal& why) {
    for (int tries = 0; tries < kLeaseTries && why.lease_short && !over(); ++tries) {
        asio::steady_timer timer(exchange_.context(), kLeaseWait);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        read_clock();
        const bool admitted = reserve(why);
        if (admitted) co_return true;
    }
    co_return false;
}

asio::awaitable<void> Request::refuse_limited(const quota::Refusal& why) {
    using std::chrono::milliseconds;
    outcome_ = "limited";
    const auto ms = std::max<std::int64_t>(1, std::chrono::ceil<milliseconds>(why.retry_in).count());
    const auto ms_text = fmt::format_int(ms);
    const auto s_text = fmt::format_int((ms + 999) / 1000);
    boost::container::small_vector<http::Field, 3> fields{
        {"retry-after", {s_text.data(), s_text.size()}},
        {"retry-after-ms", {ms_text.data(), ms_text.size()}}};
    std::string message = describe(why);
    const bool hopeless = why.status() == 403 || why.reason == quota::Reason::too_large;
    if (hopeless) fields.push_back({"x-should-retry", "false"});
    if (why.status() == 403) {
        message += " The next one begins at ";
        telemetry::Rfc3339().append(
            message, quota::period_begin(why.period, quota::period_index(why.period, wall_now()) + 1));
        message += '.';
    } else if (!hopeless) {
        message += fmt::format(" Please retry after {} seconds.", s_text.str());
    }
    const std::string_view type = why.status() == 403 ? "insufficient_quota" : "rate_limit_error";
    const std::span<const http::Field> extra(fields.data(), fields.size());
    co_await refuse(why.status(), message, type, code_of(why.reason), extra);
}

}  // namespace spillway::gateway
