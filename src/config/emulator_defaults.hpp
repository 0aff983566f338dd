#pragma once
/// The defaults of an emulated resource, shared by the file and the command line.
///
/// Capacity is in thousands of tokens per minute, as Azure sells it; each brings 6 requests per minute
/// (Azure's quota page: "6 RPM per 1000 TPM"). Thread rule: free functions, safe everywhere.
#include <cstdint>
#include <string>
#include <vector>

#include "config/emulator.hpp"

namespace spillway::config {

inline constexpr std::uint32_t kDefaultResources = 3;
inline constexpr std::uint64_t kDefaultCapacity = 30;
inline constexpr std::uint64_t kMaxCapacity = 1'000'000'000;
inline constexpr std::uint16_t kDefaultBasePort = 9101;

/// The requests per minute that Azure grants with `tpm`; at least 1.
[[nodiscard]] constexpr std::uint64_t requests_for(std::uint64_t tpm) noexcept {
    const auto rpm = tpm * 6 / 1000;
    return rpm == 0 ? 1 : rpm;
}

/// `deployment` with tpm, rpm and ptu_tokens_per_minute set for `capacity`.
[[nodiscard]] EmulatedDeployment with_capacity(EmulatedDeployment deployment, std::uint64_t capacity);

/// gpt-4o, gpt-4o-mini and the three embedding models, each with `capacity`.
[[nodiscard]] std::vector<EmulatedDeployment> default_deployments(std::uint64_t capacity);

/// `resource-1` for index 0.
[[nodiscard]] std::string resource_name(std::size_t index);

}  // namespace spillway::config
