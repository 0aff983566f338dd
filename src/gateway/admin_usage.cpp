// What clients used: the ledger's totals.
#include <fmt/format.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "api/error.hpp"
#include "base/loop.hpp"
#include "base/strings.hpp"
#include "base/task.hpp"
#include "gateway/admin.hpp"
#include "gateway/admin_view.hpp"
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
        } else if (parameter.key == "percentiles") {
            query.percentiles = parameter.value == "true";
            if (!query.percentiles && parameter.value != "false")
                read = fail("percentiles: expected true or false");
        } else if (parameter.key == "client") {
            query.client = parameter.value;
        } else if (parameter.key == "key") {
            query.key = parameter.value;
        } else if (parameter.key == "user") {
            query.user = parameter.value;
        } else if (parameter.key == "team") {
            query.team = parameter.value;
        } else if (parameter.key == "deployment") {
            query.deployment = parameter.value;
        } else if (parameter.key == "backend") {
            query.backend = parameter.value;
        } else {
            read = fail(
                "expected from, to, by, percentiles, client, key, user, team, deployment or backend, not " +
                parameter.key);
        }
        if (!read) return read.error();
    }
    return query;
}

}  // namespace

Task<Admin::Reply> Admin::usage(std::string target) {
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
    const auto read = [path, question = *query] { return telemetry::query_usage(path, question); };
    const auto totals = co_await run_on(readers_, read);
    if (totals)
        answer.body = telemetry::usage_json(*query, *totals);
    else
        answer = {500, api::error_json(totals.error().message, "server_error", "ledger")};
    co_return answer;
}

/// A page of clients, users and teams: `after` is what the page before called `next`.
std::string Admin::clients_json(std::string_view target) const {
    constexpr std::size_t most = 1'000;
    std::string after;
    std::size_t limit = most;
    if (const auto url = boost::urls::parse_origin_form(target)) {
        for (const auto& parameter : url->params()) {
            if (parameter.key == "after") after = parameter.value;
            if (parameter.key == "limit")
                limit =
                    std::clamp<std::size_t>(parse_int<std::size_t>(parameter.value).value_or(most), 1, most);
        }
    }
    return clients_page(gateway_.books().quotas, after, limit) + '\n';
}

}  // namespace spillway::gateway
