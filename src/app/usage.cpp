// `spillway usage`: what the ledger says was used.
#include <filesystem>
#include <iostream>

#include "app/stack_command.hpp"
#include "app/verbs.hpp"
#include "telemetry/usage_report.hpp"

namespace spillway::app {

namespace {

struct UsageOptions {
    std::string ledger;
    std::string by = "client";
    std::string since = "24h";
    std::string until;
    std::string client;
    std::string user;
    std::string team;
    std::string key;
    std::string deployment;
    std::string backend;
    bool json = false;
    std::shared_ptr<stack::Common> stack;
};

int wrong(std::string_view option, const Error& error) {
    std::cerr << "spillway: " << option << ": " << error.message << '\n';
    return 2;
}

/// Told of none, the local stack's.
Result<std::string> ledger_file(const UsageOptions& options) {
    if (!options.ledger.empty()) return options.ledger;
    const auto folder = stack::folder_of(*options.stack);
    if (!folder) return folder.error();
    std::string file = folder->file(stack::ledger_name);
    std::error_code error;
    if (!std::filesystem::exists(file, error))
        return fail("which? Say --ledger; there is no local stack " + options.stack->name);
    return file;
}

int run_usage(const UsageOptions& options) {
    const Wall now = wall_now();
    telemetry::UsageQuery query;
    const auto by = telemetry::parse_groups(options.by);
    if (!by) return wrong("--by", by.error());
    const auto from = telemetry::parse_moment(options.since, now);
    if (!from) return wrong("--since", from.error());
    const auto to = options.until.empty() ? Result<Wall>(now) : telemetry::parse_moment(options.until, now);
    if (!to) return wrong("--until", to.error());
    query.by = *by;
    query.from = *from;
    query.to = *to;
    query.client = options.client;
    query.user = options.user;
    query.team = options.team;
    query.key = options.key;
    query.deployment = options.deployment;
    query.backend = options.backend;
    const auto ledger = ledger_file(options);
    if (!ledger) return stack::complain(ledger.error().message, 2);
    const auto totals = telemetry::query_usage(*ledger, query);
    if (!totals) {
        std::cerr << "spillway: " << totals.error().message << '\n';
        return 1;
    }
    std::cout << (options.json ? telemetry::usage_json(query, *totals)
                               : telemetry::usage_table(query, *totals));
    return 0;
}

}  // namespace

void add_usage(CLI::App& app, Run& run) {
    auto* verb = app.add_subcommand("usage", "Show what the ledger says was used");
    auto options = std::make_shared<UsageOptions>();
    verb->add_option("-l,--ledger", options->ledger, "The ledger's file; by default the local stack's");
    options->stack = stack::add_common(*verb);
    verb->add_option("--by", options->by,
                     "Group by: client, key, user, team, deployment, backend, model, hour, minute")
        ->capture_default_str();
    verb->add_option("--since", options->since, "From: a date, a time, or a time ago (24h, 7d)")
        ->capture_default_str();
    verb->add_option("--until", options->until, "To, in the same forms; now if not given");
    verb->add_option("--client", options->client, "Only this client");
    verb->add_option("--key", options->key, "Only this key, by the id that it was made with");
    verb->add_option("--user", options->user, "Only this user");
    verb->add_option("--team", options->team, "Only this team");
    verb->add_option("--deployment", options->deployment, "Only this deployment");
    verb->add_option("--backend", options->backend, "Only this backend");
    verb->add_flag("--json", options->json, "As JSON");
    verb->callback([options, &run] { run = [options] { return run_usage(*options); }; });
}

}  // namespace spillway::app
