#include "gateway/asked.hpp"

namespace spillway::gateway {

void Asked::clear() {
    constexpr std::size_t most = 16 * 1024;
    for (std::string* text : {&id, &user, &team, &deployment, &target, &affinity.sealed, &conversation}) {
        if (text->capacity() > most) *text = {};
        text->clear();
    }
    client = nullptr;
    account = nullptr;
    route = {};
    scan = {};
    scanned = false;
    form_model = {};
    user_is_clients = false;
    history = 0;
    deployment_ref = {};
    shape = {};
    estimate = {};
    affinity.ids.clear();
    affinity.pinned.reset();
    affinity.names_model = affinity.preferred = affinity.own = false;
    team_is_named = false;
    object = {};
    affinity.prefix = 0;
}

}  // namespace spillway::gateway
