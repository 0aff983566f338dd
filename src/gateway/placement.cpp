#include "gateway/placement.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/models_list.hpp"

namespace spillway::gateway {
namespace {

Refusal not_there(const Asked& asked, const std::string& id) {
    if (&asked.operation() == &api::operations::responses && id.starts_with("resp_"))
        return {.status = 404,
                .message = fmt::format("Previous response with id '{}' not found.", id),
                .code = "previous_response_not_found"};
    api::MissingObject missing = api::missing_object(id);
    return {.status = 404, .message = std::move(missing.message), .code = missing.code};
}

Refusal apart(const Snapshot& snapshot, const std::string& one, routing::BackendIndex at,
              const std::string& other, routing::BackendIndex other_at) {
    const auto& backends = snapshot.config.backends;
    return {.status = 400,
            .message = fmt::format(
                "{} is kept by the resource '{}' and {} by '{}'. What one request uses has to be on one "
                "resource: upload it there anew, or name one of them only.",
                one, backends[at].name, other, backends[other_at].name),
            .code = "things_on_different_resources"};
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
    std::uint64_t x = (a ^ (b + 0x9e3779b97f4a7c15U + (a << 6U) + (a >> 2U))) * 0xff51afd7ed558ccdU;
    x ^= x >> 33U;
    return x * 0xc4ceb9fe1a85ec53U;
}

}  // namespace

store::Owner owner_of(const Asked& asked) noexcept {
    const std::string_view client = asked.account->name();
    const std::string_view team = asked.team_is_named ? std::string_view(asked.team) : std::string_view();
    return {client, team, store::hash_owner(client, team)};
}

Placement decide_place(const Snapshot& snapshot, const Asked& asked, std::span<const std::string> ids,
                       std::span<const std::optional<store::ObjectPlace>> known) {
    Placement out;
    const store::OwnerHash owner = owner_of(asked).hash;
    out.own = !ids.empty();
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const store::OwnerHash whose = known[i] ? known[i]->owner : 0;
        if (whose != owner) out.own = false;
        if (!snapshot.isolated || whose == 0 || whose == owner) continue;
        out.refusal = not_there(asked, ids[i]);
        return out;
    }
    std::size_t first = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto at = known[i] ? snapshot.backend_of(known[i]->resource) : std::nullopt;
        if (!at) continue;
        if (!out.pinned) {
            out.pinned = at;
            first = i;
        } else if (*out.pinned != *at) {
            out.refusal = apart(snapshot, ids[first], *out.pinned, ids[i], *at);
            return out;
        }
    }
    return out;
}

std::optional<routing::BackendIndex> home_of(const Snapshot& snapshot,
                                             std::span<const store::ResourceNumber> places,
                                             store::OwnerHash owner) noexcept {
    for (const store::ResourceNumber place : places)
        if (const auto at = snapshot.backend_of(place)) return at;
    const auto& backends = snapshot.config.backends;
    if (backends.empty()) return std::nullopt;
    const auto best = std::ranges::min(backends, {}, &config::BackendConfig::priority).priority;
    std::optional<routing::BackendIndex> home;
    std::uint64_t most = 0;
    for (std::size_t i = 0; i < backends.size(); ++i) {
        if (backends[i].priority != best) continue;
        const std::uint64_t score = mix(owner, std::hash<std::string_view>{}(backends[i].name));
        if (home && score <= most) continue;
        home = static_cast<routing::BackendIndex>(i);
        most = score;
    }
    return home;
}

bool is_listing(const Asked& asked, std::string_view method, const Snapshot& snapshot) noexcept {
    const auto& all = snapshot.resources;
    const bool several = std::ranges::any_of(all, [&](auto resource) { return resource != all.front(); });
    if (asks_for_models(asked, method)) return several;
    if (method != "GET" || !asked.operation().names_ids || asked.object.models || asked.object.ids > 0)
        return false;
    return snapshot.isolated || (several && asked.object.known);
}

std::vector<routing::BackendIndex> list_places(const Snapshot& snapshot,
                                               const store::ObjectDirectory& objects, const Asked& asked) {
    const store::OwnerHash owner = snapshot.isolated ? owner_of(asked).hash : 1;
    const std::vector<store::ResourceNumber> kept = objects.places(owner);
    std::vector<routing::BackendIndex> out;
    const auto add = [&](std::optional<routing::BackendIndex> backend) {
        if (backend && std::ranges::find(out, *backend) == out.end()) out.push_back(*backend);
    };
    add(home_of(snapshot, kept, owner));
    for (const store::ResourceNumber place : kept) add(snapshot.backend_of(place));
    // Answers are kept wherever they were made; and all see what anyone made anywhere.
    if (!snapshot.isolated || !asked.object.makes)
        for (const store::ResourceNumber resource : snapshot.resources) add(snapshot.backend_of(resource));
    if (!asked.object.known && !asked.object.models) out.resize(std::min<std::size_t>(out.size(), 1));
    return out;
}

bool needs_place(const Asked& asked, std::string_view method) noexcept {
    return !asked.affinity.ids.empty() || (asked.object.makes && method == "POST");
}

Task<std::optional<Refusal>> find_place(const Snapshot& snapshot, store::ObjectDirectory& objects,
                                        Asked& asked) {
    const std::span<const std::string> ids = asked.affinity.ids.view();
    if (ids.empty()) {
        const store::OwnerHash owner = snapshot.isolated ? owner_of(asked).hash : 1;
        asked.affinity.pinned = home_of(snapshot, objects.places(owner), owner);
        asked.affinity.preferred = true;
        co_return std::nullopt;
    }
    store::ObjectDirectory::Found known;
    std::vector<std::string> missing;
    for (const std::string& id : ids) {
        known.push_back(objects.find(id));
        // Of what memory has no owner, the store may know one.
        if (!known.back() || known.back()->owner == 0) missing.push_back(id);
    }
    if (!missing.empty() && objects.persistent()) {
        const auto found = co_await objects.look_up(std::move(missing));
        if (found) {
            std::size_t next = 0;
            for (auto& place : known)
                if (!place || place->owner == 0)
                    if (const auto& better = (*found)[next++]) place = better;
        } else if (snapshot.isolated) {
            co_return Refusal{.status = 503,
                              .message = "Whose the named things are cannot be looked up now.",
                              .type = "server_error",
                              .code = "store_unavailable",
                              .retry_in = std::chrono::seconds(1)};
        }
    }
    Placement placed = decide_place(snapshot, asked, ids, known);
    asked.affinity.own = placed.own;
    if (placed.pinned) asked.affinity.pinned = placed.pinned;
    co_return std::move(placed.refusal);
}

}  // namespace spillway::gateway
