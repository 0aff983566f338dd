#pragma once
/// The token of a developer who has logged in with `az login`: what `az account get-access-token` prints.
///
/// `az` is looked for on the PATH and started without a shell, in /bin, with no input. Thread rule: any
/// thread, which it blocks, at most kAzureCliTimeout. Errors: that it is not there, failed or took too long;
/// what it printed is not shown, since it may hold a token.
#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::identity {

/// As azure-identity's AzureCliCredential.
inline constexpr std::chrono::seconds kAzureCliTimeout{10};

/// Its standard output. `tenant` may be empty.
[[nodiscard]] Result<std::string> ask_azure_cli(std::string_view scope, std::string_view tenant,
                                                const std::stop_token& stop);

}  // namespace spillway::identity
