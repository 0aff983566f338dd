#pragma once
// A configuration made ready to serve, without a socket.
#include <gtest/gtest.h>

#include "gateway/intake.hpp"
#include "gateway/snapshot.hpp"
#include "identity/keepers.hpp"
#include "quota/history_sizes.hpp"
#include "quota/user_accounts.hpp"
#include "snapshot_of.hpp"

namespace spillway::gateway {

/// A request's head as a connection would hand it on; views into `text`.
inline http::RequestHead head_of(std::string_view method, std::string_view target,
                                 std::initializer_list<http::Field> fields = {}) {
    http::RequestHead head;
    head.method = method;
    head.target = target;
    for (const http::Field& f : fields) head.fields.add(f.name, f.value);
    return head;
}

struct Station {
    explicit Station(std::string_view more = "") {
        const std::string text =
            "clients:\n"
            "  - {name: web, key: web-key-0000000001, limits: {tokens_per_minute: 1000}}\n"
            "  - {name: bound, key: bound-key-000000001, team: red, deployments: [gpt-4o, whisper-1]}\n"
            "backends:\n"
            "  - {name: one, url: 'http://one.example', kind: azure, api_key: backend-key-1,\n"
            "     deployments: {gpt-4o: four-o}}\n"
            "  - {name: two, url: 'http://two.example/v1', kind: openai, api_key: backend-key-2,\n"
            "     organization: org-1, project: proj-1, deployments: {whisper-1: my-whisper}}\n" +
            std::string(more);
        snapshot = snapshot_of(text, quotas, keepers, objects);
    }

    /// What the request is taken for; `refusal` if it is not one that can be served.
    Asked& ask(const http::RequestHead& head, std::string_view body = "",
               std::string_view key = "web-key-0000000001") {
        refusal.reset();
        asked.clear();
        http::RequestHead with_key = head;
        if (!key.empty()) with_key.fields.add("api-key", key);
        Intake intake(*snapshot, histories, scanner, asked);
        identity::KeyHasher hasher;
        const ClientTable& clients = snapshot->clients;
        const ShownKey shown = clients.look_up(clients.presented_key(with_key, hasher), now.wall);
        refusal = intake.identify(with_key, "127.0.0.1:9", shown, now.wall);
        if (asked.client != nullptr) asked.account = asked.client->account;
        if (!refusal) refusal = intake.read(with_key, body);
        if (!refusal) refusal = intake.understand(with_key, body, now);
        return asked;
    }
    Asked& chat(std::string_view body, std::string_view key = "web-key-0000000001") {
        return ask(head_of("POST", "/v1/chat/completions"), body, key);
    }

    quota::ClientQuotas quotas;
    quota::UserAccounts users{quotas};
    quota::HistorySizes histories;
    identity::Keepers keepers;
    store::ObjectDirectory objects{1024};
    std::shared_ptr<const Snapshot> snapshot;
    api::RequestScanner scanner;
    quota::Now now{Mono(std::chrono::hours(1)), Wall(std::chrono::hours(500'000))};
    Asked asked;
    std::optional<Refusal> refusal;
};

}  // namespace spillway::gateway
