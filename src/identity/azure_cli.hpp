#pragma once
/// The token of a developer who has run `az login`, from `az account get-access-token`.
///
/// `az` is searched for on the PATH and started without a shell, in /bin, without input. Thread rule: any
/// thread; blocks it for at most kAzureCliTimeout. Errors: it is missing, failed or took too long; its output
/// is never shown, since it may contain a token.
#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace spillway::identity {

/// The same as in azure-identity's AzureCliCredential.
inline constexpr std::chrono::seconds kAzureCliTimeout{10};

/// Its standard output. `tenant` may be empty.
[[nodiscard]] Result<std::string> ask_azure_cli(std::string_view scope, std::string_view tenant,
                                                const std::stop_token& stop);

}  // namespace spillway::identity
