// `spillway keys`: makes, lists, rotates and revokes clients' keys through a running gateway's admin plane.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "api/error.hpp"
#include "api/json_reader.hpp"
#include "app/local_stack.hpp"
#include "app/verbs.hpp"
#include "base/json.hpp"
#include "base/loop.hpp"
#include "base/strings.hpp"
#include "base/task.hpp"
#include "config/backend.hpp"
#include "http/fetch.hpp"

namespace spillway::app {
namespace {

struct KeysOptions {
    std::shared_ptr<stack::Common> stack;
    std::string url;
    std::string token;
    bool insecure = false;
    bool json = false;
    // Of a key:
    std::string id;
    std::string client;
    std::string team;
    std::string name;
    std::string note;
    std::vector<std::string> deployments;
    std::uint64_t tokens_per_minute = 0;
    std::uint64_t requests_per_minute = 0;
    std::uint64_t concurrency = 0;
    std::string limits;  ///< as JSON
    std::string expires;
    std::string expires_in;
    std::string overlap;
    std::string file;
};

struct Call {
    std::string method;
    std::string path;
    std::string body;
};

/// What the options say of a key, as the admin plane reads it.
std::string request_body(const KeysOptions& o) {
    JsonWriter json;
    json.open();
    for (const auto& [name, value] : {std::pair<std::string_view, const std::string&>{"client", o.client},
                                      {"team", o.team},
                                      {"name", o.name},
                                      {"note", o.note},
                                      {"expires", o.expires},
                                      {"expires_in", o.expires_in},
                                      {"overlap", o.overlap}})
        if (!value.empty()) json.field(name, value);
    if (!o.deployments.empty()) {
        json.key("deployments").open_list();
        for (const std::string& deployment : o.deployments) json.text(deployment);
        json.close_list();
    }
    if (!o.limits.empty()) {
        json.key("limits").raw(o.limits);
    } else if (o.tokens_per_minute + o.requests_per_minute + o.concurrency > 0) {
        json.key("limits").open();
        for (const auto& [name, value] :
             {std::pair<std::string_view, std::uint64_t>{"tokens_per_minute", o.tokens_per_minute},
              {"requests_per_minute", o.requests_per_minute},
              {"concurrency", o.concurrency}})
            if (value != 0) json.field(name, value);
        json.close();
    }
    return json.close().take();
}

class AdminCaller {
public:
    AdminCaller(const KeysOptions& options, const config::BackendUrl& url)
        : options_(options), url_(url), origin_(loop_, origin_options()) {}

    Result<http::FetchedAnswer> call(const Call& call) {
        std::optional<http::NetResult<http::FetchedAnswer>> answer;
        loop_.spawn([&]() -> Task<> {
            constexpr std::chrono::seconds patience{30};
            constexpr std::size_t most = std::size_t{256} * 1024 * 1024;
            const std::string target = url_.base_path + call.path;
            const std::string bearer = "Bearer " + options_.token;
            const std::array<http::Field, 2> fields{
                {{"content-type", "application/json"}, {"authorization", bearer}}};
            const std::span<const http::Field> sent(fields.data(), options_.token.empty() ? 1 : 2);
            answer = co_await http::fetch(origin_, call.method, target, sent, call.body, patience, most);
            loop_.stop();
        });
        loop_.run();
        if (!answer || !*answer)
            return fail(fmt::format("{}: {} (is the gateway running? --url names its admin plane)",
                                    url_.to_string(), answer ? answer->error().message : "no answer"));
        return std::move(**answer);
    }

private:
    [[nodiscard]] http::OriginOptions origin_options() const {
        http::OriginOptions out;
        out.host = url_.host;
        out.port = url_.port;
        out.tls = url_.tls;
        out.tls_verify = !options_.insecure;
        return out;
    }

    const KeysOptions& options_;
    const config::BackendUrl& url_;
    Loop loop_;
    http::Origin origin_;
};

/// A key as the admin plane shows it: its members' raw texts.
struct ShownKey {
    std::string id, state, client, team, name, note, made, expires, key;
};

ShownKey read_key(api::JsonReader& reader) {
    ShownKey out;
    const auto take = [&](std::string& to) {
        if (reader.peek() != api::JsonKind::string) return reader.skip();
        api::JsonString text;
        if (!reader.string(text)) return false;
        std::string buffer;
        to = text.text(buffer);
        return true;
    };
    (void)reader.object([&](const api::JsonString& member) {
        if (member.raw == "id") return take(out.id);
        if (member.raw == "state") return take(out.state);
        if (member.raw == "made") return take(out.made);
        if (member.raw == "expires") return take(out.expires);
        if (member.raw == "key") return take(out.key);
        if (member.raw != "settings") return reader.skip();
        return reader.object([&](const api::JsonString& setting) {
            if (setting.raw == "client") return take(out.client);
            if (setting.raw == "team") return take(out.team);
            if (setting.raw == "name") return take(out.name);
            if (setting.raw == "note") return take(out.note);
            return reader.skip();
        });
    });
    return out;
}

void print_list(std::string_view body) {
    std::vector<ShownKey> keys;
    api::JsonReader reader(body);
    (void)reader.object([&](const api::JsonString&) {
        return reader.array([&] {
            keys.push_back(read_key(reader));
            return true;
        });
    });
    fmt::print("{:<21} {:<8} {:<20} {:<20} {}\n", "ID", "STATE", "CLIENT", "EXPIRES", "NAME");
    for (const ShownKey& key : keys)
        fmt::print("{:<21} {:<8} {:<20} {:<20} {}\n", key.id, key.state, key.client,
                   key.expires.empty() ? "never" : key.expires, key.name);
}

void print_one(std::string_view body) {
    api::JsonReader reader(body);
    const ShownKey key = read_key(reader);
    const auto line = [](std::string_view name, const std::string& value) {
        if (!value.empty()) fmt::print("{:<9}{}\n", name, value);
    };
    line("id", key.id);
    line("state", key.state);
    line("client", key.client);
    line("team", key.team);
    line("name", key.name);
    line("note", key.note);
    line("made", key.made);
    line("expires", key.expires.empty() ? "never" : key.expires);
    if (key.key.empty()) return;
    line("key", key.key);
    fmt::print(stderr, "The key is shown this once: it is not kept, and cannot be shown again.\n");
}

/// The local stack's, or where a gateway's admin plane is unless its configuration says otherwise.
std::string default_url(const stack::Common& common) {
    const auto local = stack::stored_settings(common);
    return fmt::format("http://127.0.0.1:{}", local ? local->admin_port : 8081);
}

int run_call(const KeysOptions& given, const Call& call) {
    KeysOptions options = given;
    if (options.token.empty())
        if (const char* const token = std::getenv("SPILLWAY_ADMIN_TOKEN")) options.token = token;
    if (options.url.empty()) options.url = default_url(*options.stack);
    const auto url = config::parse_backend_url(options.url);
    if (!url) {
        fmt::print(stderr, "spillway keys: --url: {}\n", url.error().message);
        return 2;
    }
    AdminCaller caller(options, *url);
    const auto answer = caller.call(call);
    if (!answer) {
        fmt::print(stderr, "spillway keys: {}\n", answer.error().message);
        return 1;
    }
    if (answer->status >= 300) {
        const auto error = api::parse_error(answer->body);
        const std::string_view hint = answer->status == 401 ? " (--token, or $SPILLWAY_ADMIN_TOKEN)" : "";
        fmt::print(stderr, "spillway keys: {}{}\n", error ? error->message : trim(answer->body), hint);
        return 1;
    }
    if (options.json)
        fmt::print("{}", answer->body);
    else if (call.method == "GET" && call.path.find("/api/keys/") == std::string::npos)
        print_list(answer->body);
    else if (call.path.ends_with("/import"))
        fmt::print("{}", answer->body);
    else
        print_one(answer->body);
    return 0;
}

Result<std::string> read_file(const std::string& path) {
    std::ostringstream text;
    if (path == "-") {
        text << std::cin.rdbuf();
        return text.str();
    }
    const std::ifstream file(path, std::ios::binary);
    if (!file) return fail(fmt::format("cannot read {}", path));
    text << file.rdbuf();
    return text.str();
}

/// `{"keys": […]}`, a JSON list, or a JSON object on each line.
std::string import_body(std::string_view text) {
    text = trim(text);
    if (text.starts_with('[')) return fmt::format(R"({{"keys":{}}})", text);
    if (text.find("\"keys\"") < 16) return std::string(text);
    std::string out = R"({"keys":[)";
    while (!text.empty()) {
        const std::string_view line = trim(text.substr(0, text.find('\n')));
        text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
        if (line.empty()) continue;
        if (out.back() != '[') out += ',';
        out += line;
    }
    return out + "]}";
}

using Options = std::shared_ptr<KeysOptions>;

CLI::App* add_verb(CLI::App& keys, const Options& o, std::string_view name, std::string_view help) {
    auto* verb = keys.add_subcommand(std::string(name), std::string(help));
    verb->parse_complete_callback([o, stack = stack::add_common(*verb)] { o->stack = stack; });
    verb->add_option("--url", o->url,
                     "The gateway's admin plane; else the local stack's, or http://127.0.0.1:8081");
    verb->add_option("--token", o->token, "Its token; else $SPILLWAY_ADMIN_TOKEN");
    verb->add_flag("--insecure", o->insecure, "Do not check its certificate");
    verb->add_flag("--json", o->json, "The answer as JSON");
    return verb;
}

void add_settings(CLI::App* verb, const Options& o) {
    verb->add_option("--team", o->team, "Its team");
    verb->add_option("--name", o->name, "What it is called");
    verb->add_option("--note", o->note, "Anything");
    verb->add_option("--deployments", o->deployments, "The deployments it may ask for; else all")
        ->delimiter(',');
    verb->add_option("--tokens-per-minute", o->tokens_per_minute, "Of this key alone");
    verb->add_option("--requests-per-minute", o->requests_per_minute, "Of this key alone");
    verb->add_option("--concurrency", o->concurrency, "Of this key alone");
    verb->add_option("--limits", o->limits, R"(All limits as JSON: {"budget": {"month": 100}, …})");
    verb->add_option("--expires", o->expires, "When it ends: 2027-01-31, 2027-01-31T12:00:00Z, or never");
    verb->add_option("--expires-in", o->expires_in, "So long from now: 90d, 12h");
}

}  // namespace

void add_keys(CLI::App& app, Run& run) {
    auto* keys =
        app.add_subcommand("keys", "Make, list, rotate and revoke clients' keys of a running gateway");
    keys->require_subcommand(1);
    const auto o = std::make_shared<KeysOptions>();
    const auto runs = [o, &run](CLI::App* verb, auto call) {
        verb->callback([o, &run, call] { run = [o, call] { return run_call(*o, call(*o)); }; });
    };
    const auto id = [&](CLI::App* verb) { verb->add_option("id", o->id, "The key's id")->required(); };
    const auto at = [](const KeysOptions& options) { return "/api/keys/" + options.id; };

    auto* create = add_verb(*keys, o, "create", "Make a key; it is shown this once");
    create->add_option("--client", o->client, "Whose it is: a configured client, or a new name")->required();
    add_settings(create, o);
    runs(create, [](const KeysOptions& k) { return Call{"POST", "/api/keys", request_body(k)}; });

    auto* list = add_verb(*keys, o, "list", "List them");
    list->add_option("--client", o->client, "Only this client's");
    runs(list, [](const KeysOptions& k) {
        return Call{"GET", "/api/keys" + (k.client.empty() ? "" : "?client=" + k.client), {}};
    });

    auto* show = add_verb(*keys, o, "show", "Show one");
    id(show);
    runs(show, [at](const KeysOptions& k) { return Call{"GET", at(k), {}}; });

    auto* change = add_verb(*keys, o, "change", "Change what one may");
    id(change);
    add_settings(change, o);
    runs(change, [at](const KeysOptions& k) { return Call{"PATCH", at(k), request_body(k)}; });

    auto* rotate = add_verb(*keys, o, "rotate", "Give one a new key; the old one ends after the overlap");
    id(rotate);
    rotate->add_option("--overlap", o->overlap, "For which both are good: 1h, 0s (default: 0s)");
    runs(rotate, [at](const KeysOptions& k) { return Call{"POST", at(k) + "/rotate", request_body(k)}; });

    auto* revoke = add_verb(*keys, o, "revoke", "End one at once, for good");
    id(revoke);
    runs(revoke, [at](const KeysOptions& k) { return Call{"DELETE", at(k), {}}; });

    auto* expire = add_verb(*keys, o, "expire", "Say when one ends");
    id(expire);
    auto* when = expire->add_option_group("when");
    when->add_option("--at", o->expires, "2027-01-31, 2027-01-31T12:00:00Z, or never");
    when->add_option("--in", o->expires_in, "So long from now: 90d, 12h");
    when->require_option(1);
    runs(expire, [at](const KeysOptions& k) { return Call{"PATCH", at(k), request_body(k)}; });

    auto* import = add_verb(*keys, o, "import", "Take over keys that there are already");
    import
        ->add_option(
            "file", o->file,
            R"(A JSON list, or a line each, of {"client", "key" or "key_sha256", …}; "-": standard input)")
        ->required();
    import->callback([o, &run] {
        run = [o] {
            const auto text = read_file(o->file);
            if (!text) {
                fmt::print(stderr, "spillway keys: {}\n", text.error().message);
                return 1;
            }
            return run_call(*o, {"POST", "/api/keys/import", import_body(*text)});
        };
    });
}

}  // namespace spillway::app
