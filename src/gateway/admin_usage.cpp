// What clients used: the ledger's totals.
#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "api/error.hpp"
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

}  // namespace

asio::awaitable<Admin::Reply> Admin::usage(std::string target) {
    const auto query = parse_query(target, wall_now());
    const std::string path = gateway_.snapshot()->config.ledger;
    Reply answer{200, {}};
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
        answer.body = telemetry::usage_json(*query, *totals);
    else
        answer = {500, api::error_json(totals.error().message, "server_error", "ledger")};
    co_return answer;
}

}  // namespace spillway::gateway
