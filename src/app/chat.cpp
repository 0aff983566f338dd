// `spillway chat`: the chat app's process.
#include <fmt/format.h>

#include <csignal>
#include <iostream>
#include <optional>
#include <string>

#include "app/stack_values.hpp"
#include "app/verbs.hpp"
#include "base/loop.hpp"
#include "base/signals.hpp"
#include "base/strings.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "chat/embedded.hpp"
#include "chat/pdf_process.hpp"
#include "chat/server.hpp"
#include "config/listen.hpp"
#include "config/units.hpp"
#include "telemetry/log.hpp"

namespace spillway::app {

namespace {

struct ChatOptions {
    std::string listen = "127.0.0.1:8082";
    std::vector<std::string> env_files;
    std::string database;
    std::vector<std::string> hosts;
    bool is_public = false;
    std::size_t max_upload_mib = 20;
    std::string log_level = "info";
    double grace_seconds = 5;
    std::optional<Duration> keep;  ///< of conversations that nobody changes
};

/// $XDG_DATA_HOME/spillway/chat.db, ~/.local/share/spillway/chat.db without it (XDG Base Directory).
std::string default_database(const config::EnvLookup& env) {
    if (const auto data = env("XDG_DATA_HOME"); data && !data->empty()) return *data + "/spillway/chat.db";
    if (const auto home = env("HOME"); home && !home->empty())
        return *home + "/.local/share/spillway/chat.db";
    return "spillway-chat.db";
}

Result<chat::ServerSettings> server_settings(const ChatOptions& options) {
    const auto colon = options.listen.rfind(':');
    if (colon == std::string::npos) return fail("--listen: HOST:PORT is expected");
    const auto port = parse_int<std::uint16_t>(std::string_view(options.listen).substr(colon + 1));
    if (!port) return fail("--listen: HOST:PORT is expected, with a port from 0 to 65535");
    chat::ServerSettings out;
    out.host = options.listen.substr(0, colon);
    if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']')
        out.host = out.host.substr(1, out.host.size() - 2);
    if (out.host.empty()) return fail("--listen: HOST is missing");
    if (!config::is_loopback(out.host) && !options.is_public)
        return fail(
            fmt::format("--listen {}: beyond this machine anyone can use the chat, and the model behind it; "
                        "put a log-in in front of it and say --public",
                        options.listen));
    out.port = *port;
    for (std::string host : options.hosts) {
        for (char& c : host) c = ascii_lower(c);
        out.hosts.push_back(std::move(host));
    }
    out.version = SPILLWAY_VERSION;
    out.uploads.bytes = options.max_upload_mib * 1024 * 1024;
    out.uploads.read_pdf = chat::read_pdf_apart;
    return out;
}

/// The files' values, the last one's first; then the process's own.
Result<config::EnvLookup> environment(const std::vector<std::string>& files, config::EnvLookup own) {
    stack::Values values;
    for (const std::string& file : files) {
        auto text = config::read_whole_file(file);
        if (!text) return fail(fmt::format("{}: {}", file, text.error().message));
        auto read = stack::parse_values(*text);
        config::wipe(*text);
        if (!read) return fail(fmt::format("{}: {}", file, read.error().message));
        for (auto& [name, value] : *read) values.insert_or_assign(name, std::move(value));
    }
    return config::EnvLookup([values = std::move(values),
                              own = std::move(own)](std::string_view name) -> std::optional<std::string> {
        if (const auto at = values.find(name); at != values.end()) return at->second;
        return own(name);
    });
}

Task<void> stop_on_signal(Loop& loop, Signals& signals, chat::ChatServer& server, telemetry::Logger& log,
                          double grace_seconds) {
    (void)co_await signals.next();
    log.info("draining: {} connections and answers are open", server.open_work());
    server.drain();
    Timer timer(loop);
    const Mono deadline = mono_now() + from_seconds(grace_seconds);
    while (server.open_work() > 0 && mono_now() < deadline) {
        (void)co_await timer.sleep_for(std::chrono::milliseconds(50));
    }
    server.close();
    // What was cut off still saves what it has.
    (void)co_await timer.sleep_for(std::chrono::milliseconds(100));
    log.info("stopped");
    loop.stop();
}

/// `90d`, or a duration as configurations have it.
std::optional<Duration> parse_keep(std::string_view text) {
    if (!text.ends_with('d')) return config::parse_duration(text);
    constexpr unsigned most_days = 36'500;
    const auto days = parse_int<unsigned>(text.substr(0, text.size() - 1));
    if (!days || *days == 0 || *days > most_days) return std::nullopt;
    return std::chrono::hours(24) * *days;
}

/// Forgets what is older than `keep`, at first and every hour, a few conversations at a time.
Task<void> forget_old(Loop& loop, chat::Store store, Duration keep, telemetry::Logger& log) {
    constexpr std::size_t at_once = 50;
    Timer timer(loop);
    std::size_t all = 0;
    for (;;) {
        const auto removed =
            store.forget(wall_now() - std::chrono::duration_cast<Wall::duration>(keep), at_once);
        if (!removed) log.warn("old conversations were not forgotten: {}", removed.error().message);
        all += removed ? *removed : 0;
        const bool more = removed && *removed == at_once;
        if (!more && all != 0) log.info("forgot {} conversations that nobody has changed in time", all);
        if (!more) all = 0;
        const Duration wait =
            more ? Duration(std::chrono::milliseconds(100)) : Duration(std::chrono::hours(1));
        (void)co_await timer.sleep_for(wait);
    }
}

int usage(const Error& error) {
    std::cerr << "spillway: " << error.message << '\n';
    return 2;
}

int run_chat(const ChatOptions& options) {
    const auto level = telemetry::parse_log_level(options.log_level);
    if (!level) return usage(level.error());
    auto settings = server_settings(options);
    if (!settings) return usage(settings.error());
    const auto env = environment(options.env_files, config::process_sources().env);
    if (!env) return usage(env.error());
    auto model = chat::model_settings(*env);
    if (!model) return usage(model.error());
    const std::string database = options.database.empty() ? default_database(*env) : options.database;
    auto store = chat::Store::open(database);
    if (!store) {
        std::cerr << "spillway: " << store.error().message << '\n';
        return 1;
    }
    std::signal(SIGPIPE, SIG_IGN);
    const auto log = telemetry::make_logger(*level);
    const std::string endpoint = model->url.to_string();
    const std::string host = settings->host;

    Loop loop;
    Signals signals(loop, {SIGINT, SIGTERM});
    chat::ChatServer server(loop, std::move(*settings), std::move(*model), std::move(*store),
                            chat::embedded_assets());
    if (const auto started = server.start(); !started) {
        std::cerr << "spillway: " << started.error().message << '\n';
        return 1;
    }
    log->info("chat on http://{}:{}, its model at {}, its history in {}", host, server.port(), endpoint,
              database);
    loop.spawn(stop_on_signal(loop, signals, server, *log, options.grace_seconds));
    if (options.keep) {
        auto second = chat::Store::open(database);
        if (second) loop.spawn(forget_old(loop, std::move(*second), *options.keep, *log));
    }
    loop.run();
    return 0;
}

}  // namespace

void add_chat(CLI::App& app, Run& run) {
    auto* verb = app.add_subcommand("chat", "Run the chat app: a page and its server");
    auto options = std::make_shared<ChatOptions>();
    verb->add_option("--listen", options->listen, "HOST:PORT of the page")->capture_default_str();
    verb->add_option("--env-file", options->env_files,
                     "A file of NAME=\"value\" lines that go before the environment; can be given again");
    verb->add_option("--database", options->database,
                     "SQLite file of the history; by default in $XDG_DATA_HOME/spillway");
    verb->add_option_function<std::string>(
            "--keep",
            [options](const std::string& text) {
                options->keep = parse_keep(text);
                if (!options->keep)
                    throw CLI::ValidationError("--keep", text + " is not a time such as 90d or 12h");
            },
            "Forget conversations that nobody has changed for so long, as 90d or 12h; by default none")
        ->type_name("TIME");
    verb->add_flag("--public", options->is_public, "Allow --listen beyond this machine: there is no log-in");
    verb->add_option("--host", options->hosts,
                     "A name that browsers may use for it, besides loopback; can be given again");
    verb->add_option("--max-upload-mib", options->max_upload_mib, "The largest file that can be dropped in")
        ->check(CLI::Range(1, 200))
        ->capture_default_str();
    verb->add_option("--log-level", options->log_level, "trace, debug, info, warn, error, critical or off");
    verb->add_option("--grace", options->grace_seconds, "Seconds that answers under way may take at the end");
    verb->footer(
        "The model is set as in the public Azure chat samples: OPENAI_HOST (azure, azure_custom, openai, "
        "local), AZURE_OPENAI_CUSTOM_URL, AZURE_OPENAI_CHATGPT_DEPLOYMENT, AZURE_OPENAI_EMB_DEPLOYMENT, "
        "AZURE_OPENAI_API_KEY_OVERRIDE, OPENAI_API_KEY; see docs/chat.md");
    verb->callback([options, &run] { run = [options] { return run_chat(*options); }; });
}

void add_read_pdf(CLI::App& app, Run& run) {
    auto* verb = app.add_subcommand(chat::kPdfVerb, "Read a PDF from standard input, for the chat app");
    verb->group("");  // nobody calls it by hand
    auto pages = std::make_shared<std::size_t>(0);
    verb->add_option("pages", *pages, "The most that it may have")->required();
    verb->callback([pages, &run] { run = [pages] { return chat::serve_pdf(*pages); }; });
}

}  // namespace spillway::app
