#include "gateway/key_calls.hpp"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <utility>

#include "api/error.hpp"
#include "api/json_reader.hpp"
#include "base/json.hpp"
#include "base/strings.hpp"
#include "config/key_digest.hpp"
#include "config/key_settings.hpp"
#include "gateway/key_view.hpp"
#include "gateway/stored_key.hpp"
#include "identity/key_token.hpp"

namespace spillway::gateway {
namespace {

using config::KeyRequest;
using store::KeyRow;

constexpr std::size_t kMostImported = 100'000;

KeyAnswer failed(unsigned status, std::string_view message, std::string_view code) {
    return {.status = status,
            .body = api::error_json(message, status >= 500 ? "server_error" : "invalid_request_error", code)};
}
KeyAnswer store_failed(const Error& error) {
    if (error.message == store::kMacTaken)
        return failed(409, "One of the keys is another's already.", "key_taken");
    return failed(503, fmt::format("The store cannot do that now: {}", error.message), "store_unavailable");
}
KeyAnswer no_such_key() {
    return failed(404, "There is no such key.", "no_such_key");
}

KeyAnswer shown(unsigned status, const KeyRow& row, Wall now, std::string_view secret = {}) {
    JsonWriter json;
    write_fields(json, KeyView{row, now, secret}, key_fields());
    return {.status = status, .body = json.take() + '\n'};
}

/// What the audit log says of it.
std::string audited(const KeyRow& row, Wall now) {
    std::string out = fmt::format("{} {}", to_string(state_of(row, now)), row.settings);
    if (row.expires) out += " expires " + time_text(*row.expires);
    return out;
}

using Problems = std::vector<config::Problem>;

Problems problem(std::string_view key, std::string_view message) {
    config::Problem one;
    one.key = key;
    one.message = message;
    return {one};
}

/// In OpenAI's form, and beside it each problem with the member it is of, for a form's fields.
KeyAnswer bad(const Problems& problems) {
    JsonWriter json;
    json.open().key("error").open();
    json.field("message", trim(config::to_string(problems))).field("type", "invalid_request_error");
    json.key("param");
    if (problems.front().key.empty())
        json.null();
    else
        json.text(problems.front().key);
    json.field("code", "bad_key_request").key("problems").open_list();
    for (const config::Problem& one : problems)
        if (one.severity == config::Severity::error)
            json.open().field("param", one.key).field("message", one.message).close();
    json.close_list().close().close();
    return {.status = 400, .body = json.take() + '\n'};
}

config::Loaded<KeyRequest> read(std::string_view body, KeyRequest start, Wall now) {
    return config::read_key_request(trim(body).empty() ? "{}" : body, std::move(start), now);
}

KeyRow new_row(const KeyRequest& request, const store::Mac& mac, Wall now) {
    KeyRow row;
    row.id = identity::random_id("key_");
    row.settings = config::key_settings_json(request.settings);
    row.made = now;
    row.expires = request.expires;
    row.macs.push_back({mac, now, std::nullopt});
    return row;
}

class Calls {
public:
    Calls(KeyKeeper& keys, std::string_view body, Wall now) : keys_(keys), body_(body), now_(now) {}

    KeyAnswer make() {
        const auto loaded = read(body_, {}, now_);
        const auto& request = loaded.value;
        if (!request) return bad(loaded.problems);
        if (request->settings.client.empty()) return bad(problem("client", "is needed: whose key it is"));
        if (request->expires && *request->expires <= now_)
            return bad(problem("expires", "is past, so nobody could use the key"));
        const auto secret = keys_.secret();
        if (!secret) return store_failed(secret.error());
        const std::string key = identity::make_key();
        const KeyRow row = new_row(*request, identity::mac_of_key(*secret, key), now_);
        if (auto done = keys_.put({row}); !done) return store_failed(done.error());
        return changed(shown(201, row, now_, key), "create", row, {}, audited(row, now_));
    }

    KeyAnswer list(std::string_view query) {
        const auto rows = keys_.list();
        if (!rows) return store_failed(rows.error());
        std::string_view client;
        constexpr std::string_view name = "client=";
        if (const auto at = query.find(name); at != std::string_view::npos) {
            client = query.substr(at + name.size());
            client = client.substr(0, client.find('&'));
        }
        JsonWriter json;
        json.open().key("keys").open_list();
        for (const KeyRow& row : *rows) {
            if (!client.empty() && client_of(row) != client) continue;
            write_fields(json, KeyView{row, now_}, key_fields());
        }
        json.close_list().close();
        return {.status = 200, .body = json.take() + '\n'};
    }

    KeyAnswer one(std::string_view id, std::string_view method, std::string_view verb) {
        const auto found = keys_.find(id);
        if (!found) return store_failed(found.error());
        if (!*found) return no_such_key();
        KeyRow row = **found;
        const bool reads = method == "GET" || method == "HEAD";
        if (verb.empty() && reads) return shown(200, row, now_);
        if (verb.empty() && method == "PATCH") return change(std::move(row));
        if (verb.empty() && method == "DELETE") return revoke(std::move(row));
        if (verb == "rotate" && method == "POST") return rotate(std::move(row));
        return failed(
            405, "A key can be read, changed (PATCH), revoked (DELETE) and rotated (POST …/rotate).", "405");
    }

    KeyAnswer import() {
        std::vector<KeyRow> rows;
        const auto secret = keys_.secret();
        if (!secret) return store_failed(secret.error());
        api::JsonReader reader(body_);
        Problems faults;
        const auto item = [&] {
            (void)reader.peek();
            const std::size_t begin = reader.offset();
            if (!reader.skip()) return false;
            auto loaded = read(body_.substr(begin, reader.offset() - begin), {}, now_);
            const std::string which = fmt::format("keys[{}]", rows.size());
            const auto& request = loaded.value;
            if (!request) {
                for (config::Problem& one : loaded.problems)
                    one.key = which + (one.key.empty() ? "" : ".") + one.key;
                faults = std::move(loaded.problems);
                return false;
            }
            const auto mac = mac_of(*request, *secret);
            if (!mac || request->settings.client.empty()) {
                faults = problem(which, "needs a client, and one of key and key_sha256");
                return false;
            }
            rows.push_back(new_row(*request, *mac, now_));
            if (rows.size() <= kMostImported) return true;
            faults = problem("keys", fmt::format("at most {} at once", kMostImported));
            return false;
        };
        const bool whole =
            reader.peek() == api::JsonKind::object && reader.object([&](const api::JsonString& key) {
                if (key.raw != "keys" || reader.peek() != api::JsonKind::array) return reader.skip();
                return reader.array(item);
            });
        if (!whole)
            return bad(faults.empty() ? problem("keys", R"(expected {"keys": [{"client": …, "key": …}, …]})")
                                      : faults);
        if (auto done = keys_.put(rows); !done) return store_failed(done.error());
        JsonWriter json;
        json.open().field("imported", rows.size()).key("ids").open_list();
        for (const KeyRow& row : rows) json.text(row.id);
        json.close_list().close();
        return {.status = 201,
                .body = json.take() + '\n',
                .what = "keys: import",
                .before = {},
                .after = fmt::format("{} keys", rows.size())};
    }

private:
    static KeyAnswer changed(KeyAnswer answer, std::string_view verb, const KeyRow& row, std::string before,
                             std::string after) {
        answer.what = fmt::format("key {}: {}", row.id, verb);
        answer.before = std::move(before);
        answer.after = std::move(after);
        return answer;
    }

    [[nodiscard]] static std::string client_of(const KeyRow& row) {
        auto settings = read_stored_settings(row.settings);
        return settings.value ? std::move(settings.value->client) : std::string();
    }

    static std::optional<store::Mac> mac_of(const KeyRequest& request, const store::Mac& secret) {
        if (!request.key.empty()) return identity::mac_of_key(secret, request.key.reveal());
        if (const auto digest = config::parse_key_sha256(request.key_sha256))
            return identity::mac_of_digest(secret, *digest);
        return std::nullopt;
    }

    KeyAnswer change(KeyRow row) {
        const std::string before = audited(row, now_);
        auto known = read(row.settings, {}, now_);
        auto& start = known.value;
        if (!start) return bad(known.problems);
        start->expires = row.expires;
        const auto loaded = read(body_, *start, now_);
        const auto& request = loaded.value;
        if (!request) return bad(loaded.problems);
        if (request->settings.client != start->settings.client)
            return bad(problem("client", "a key stays its client's; make another"));
        row.settings = config::key_settings_json(request->settings);
        row.expires = request->expires;
        if (auto done = keys_.put({row}); !done) return store_failed(done.error());
        return changed(shown(200, row, now_), "change", row, before, audited(row, now_));
    }

    KeyAnswer revoke(KeyRow row) {
        const std::string before = audited(row, now_);
        if (!row.revoked) row.revoked = now_;
        if (auto done = keys_.put({row}); !done) return store_failed(done.error());
        return changed(shown(200, row, now_), "revoke", row, before, audited(row, now_));
    }

    KeyAnswer rotate(KeyRow row) {
        const auto loaded = read(body_, {}, now_);
        const auto& request = loaded.value;
        if (!request) return bad(loaded.problems);
        if (row.revoked) return failed(409, "The key is revoked.", "key_revoked");
        const std::string before = audited(row, now_);
        const auto secret = keys_.secret();
        if (!secret) return store_failed(secret.error());
        const Wall end = now_ + std::chrono::duration_cast<Wall::duration>(request->overlap);
        std::erase_if(row.macs, [&](const store::KeyMacRow& mac) { return mac.ends && *mac.ends <= now_; });
        for (store::KeyMacRow& mac : row.macs)
            if (!mac.ends || *mac.ends > end) mac.ends = end;
        const std::string key = identity::make_key();
        row.macs.push_back({identity::mac_of_key(*secret, key), now_, std::nullopt});
        if (auto done = keys_.put({row}); !done) return store_failed(done.error());
        return changed(shown(200, row, now_, key), "rotate", row, before,
                       audited(row, now_) + ", the old one ends " + time_text(end));
    }

    KeyKeeper& keys_;
    const std::string_view body_;
    const Wall now_;
};

}  // namespace

KeyAnswer call_keys(KeyKeeper& keys, std::string_view method, std::string_view path, std::string_view query,
                    std::string_view body, Wall now) {
    Calls calls(keys, body, now);
    if (path.empty() || path == "/") {
        if (method == "GET" || method == "HEAD") return calls.list(query);
        if (method == "POST") return calls.make();
        return failed(405, "Keys can be listed (GET) and made (POST).", "405");
    }
    path.remove_prefix(1);
    if (path == "import" && method == "POST") {
        KeyAnswer answer = calls.import();
        ::malloc_trim(0);  // what many rows took goes back to the system
        return answer;
    }
    const std::string_view id = path.substr(0, path.find('/'));
    const std::string_view verb = path.substr(std::min(id.size() + 1, path.size()));
    return calls.one(id, method, verb);
}

}  // namespace spillway::gateway
