#pragma once
/// Remembers which deployments at which backends refused `stream_options` added by the gateway, which then
/// does not add it again. A table of fixed size whose entries overwrite each other; a lost one costs an
/// attempt. Thread rule: any thread, no lock. Errors: none.
#include <array>
#include <atomic>
#include <cstdint>

#include "routing/router.hpp"

namespace spillway::gateway {

class RefusedParameters {
public:
    [[nodiscard]] bool has(routing::BackendIndex backend, routing::DeploymentRef deployment) const noexcept {
        return slot(backend, deployment).load(std::memory_order_relaxed) == key(backend, deployment);
    }
    void learn(routing::BackendIndex backend, routing::DeploymentRef deployment) noexcept {
        slots_[index(backend, deployment)].store(key(backend, deployment), std::memory_order_relaxed);
    }

private:
    static constexpr std::size_t kSlots = 1024;
    static std::uint64_t key(routing::BackendIndex backend, routing::DeploymentRef deployment) noexcept {
        return (std::uint64_t{backend} + 1) << 32U | deployment.index;
    }
    static std::size_t index(routing::BackendIndex backend, routing::DeploymentRef deployment) noexcept {
        return (backend * 61U + deployment.index) % kSlots;
    }
    const std::atomic<std::uint64_t>& slot(routing::BackendIndex backend,
                                           routing::DeploymentRef deployment) const noexcept {
        return slots_[index(backend, deployment)];
    }
    std::array<std::atomic<std::uint64_t>, kSlots> slots_{};
};

}  // namespace spillway::gateway
