#pragma once
// A gateway's snapshot from the text of its configuration; a test with a wrong one ends there.
#include <memory>
#include <stdexcept>
#include <string>

#include "config/yaml.hpp"
#include "gateway/snapshot.hpp"
#include "identity/keepers.hpp"

namespace spillway::gateway {

inline std::shared_ptr<const Snapshot> snapshot_of(const std::string& text, quota::ClientQuotas& quotas,
                                                   identity::Keepers& keepers,
                                                   store::ObjectDirectory& objects) {
    auto loaded = config::load_gateway(text, "test.yaml", config::process_sources());
    if (!loaded.value) throw std::runtime_error(config::to_string(loaded.problems));
    auto made = make_snapshot(std::move(*loaded.value), quotas, keepers, objects);
    if (!made) throw std::runtime_error(made.error().message);
    return *made;
}

}  // namespace spillway::gateway
