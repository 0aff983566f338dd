// What clients used: their limits now, and the ledger's totals.
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "api/error.hpp"
#include "api/json_text.hpp"
#include "gateway/admin.hpp"
#include "telemetry/usage_report.hpp"

namespace spillway::gateway {

namespace {

/// A query from `from=&to=&by=&client=…`; the last day by client if nothing is said.
Result<telemetry::UsageQuery> parse_query(std::string_view target, Wall now) {
    telemetry::UsageQuery query;
    query.from = now - std::chrono::hours(24);
    query.to = now;
    query.by.client = true;
    const auto url = boost::urls::parse_origin_form(target);
    if (!url) return fail("the query is malformed");
    for (const auto& parameter : url->params()) {
        const auto moment = [&](Wall& out) -> Result<void> {
            const auto parsed = telemetry::parse_moment(parameter.value, now);
            if (!parsed) return fail(parameter.key + ": " + parsed.error().message);
            out = *parsed;
            return {};
        };
        Result<void> read;
        if (parameter.key == "from") {
            read = moment(query.from);
        } else if (parameter.key == "to") {
            read = moment(query.to);
        } else if (parameter.key == "by") {
            const auto groups = telemetry::parse_groups(parameter.value);
            if (groups)
                query.by = *groups;
            else
                read = fail("by: " + groups.error().message);
        } else if (parameter.key == "client") {
            query.client = parameter.value;
        } else if (parameter.key == "user") {
            query.user = parameter.value;
        } else if (parameter.key == "team") {
            query.team = parameter.value;
        } else if (parameter.key == "deployment") {
            query.deployment = parameter.value;
        } else if (parameter.key == "backend") {
            query.backend = parameter.value;
        } else {
            read = fail("expected from, to, by, client, user, team, deployment or backend, not " +
                        parameter.key);
        }
        if (!read) return read.error();
    }
    return query;
}

template <class Limit>
void append_limit(std::string& out, std::string_view name, Limit& limit, double unit) {
    if (limit.limit() == 0) return;
    const auto now = quota::read_clocks();
    fmt::format_to(std::back_inserter(out), ",\"{}\":{{\"limit\":{},\"used\":{},\"shared\":{}}}", name,
                   static_cast<double>(limit.limit()) * unit,
                   static_cast<double>(limit.used_everywhere(now)) * unit, limit.shared());
}

}  // namespace

std::string Admin::clients_json() const {
    std::string out = "{\"clients\":[";
    bool first = true;
    gateway_.books().quotas.each([&](quota::Subject& s) {
        out += first ? "{\"kind\":" : ",{\"kind\":";
        first = false;
        api::append_json_string(out, quota::to_string(s.kind()));
        out += ",\"name\":";
        api::append_json_string(out, s.name());
        const auto now = quota::read_clocks();
        fmt::format_to(std::back_inserter(out),
                       ",\"in_flight\":{},\"tokens_last_minute\":{},\"refused\":{},\"shadow\":{},"
                       "\"shadow_refused\":{}",
                       s.in_flight().used_here(now), s.tokens().used_here(now), s.refusals(), s.shadow(),
                       s.shadow_refusals());
        append_limit(out, "tokens_per_minute", s.tokens(), 1);
        append_limit(out, "requests_per_minute", s.requests(), 1);
        append_limit(out, "concurrency", s.in_flight(), 1);
        for (const quota::Period p : quota::kPeriods) {
            append_limit(out, fmt::format("tokens_{}", quota::to_string(p)), s.period_tokens(p), 1);
            append_limit(out, fmt::format("budget_{}", quota::to_string(p)), s.period_cost(p),
                         quota::kMoneyUnit);
        }
        out += '}';
    });
    out += "]}\n";
    return out;
}

asio::awaitable<std::pair<unsigned, std::string>> Admin::usage(std::string target) {
    const auto query = parse_query(target, wall_now());
    const std::string path = gateway_.snapshot()->config.ledger;
    std::pair<unsigned, std::string> answer{200, {}};
    if (!gateway_.books().ledger) {
        answer = {404, api::error_json("No ledger is kept: set ledger.path.", "invalid_request_error",
                                       "no_ledger")};
        co_return answer;
    }
    if (!query) {
        answer = {400, api::error_json(query.error().message, "invalid_request_error", "bad_query")};
        co_return answer;
    }
    auto read = [path, question = *query]() -> asio::awaitable<Result<std::vector<telemetry::UsageTotal>>> {
        co_return telemetry::query_usage(path, question);
    };
    const auto totals = co_await asio::co_spawn(readers_, read, asio::use_awaitable);
    if (totals)
        answer.second = telemetry::usage_json(*query, *totals);
    else
        answer = {500, api::error_json(totals.error().message, "server_error", "ledger")};
    co_return answer;
}

}  // namespace spillway::gateway
