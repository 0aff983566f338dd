#pragma once
/// Repairs targets that result from a base URL pasted in another form than the client expects.
///
/// Clients append their own paths to a base URL, and people give them any base URL they know: the host alone,
/// `…/openai`, `…/openai/v1` or `…/v1`, with or without a final slash. So there are double slashes
/// ("//openai/…"), double prefixes ("/openai/v1/openai/deployments/…"), and the v1 API under Azure's
/// prefix ("/openai/responses" without an api-version, which no version of Azure's API serves).
///
/// Ownership: the result views `target` or `out`. Thread rule: free functions, safe everywhere. Errors: none.
#include <string>
#include <string_view>

#include "api/route.hpp"

namespace spillway::api {

/// `target` itself if nothing is wrong. An empty deployment ("/deployments//…") stays, to be refused.
[[nodiscard]] std::string_view tidy_target(std::string_view target, std::string& out);

/// A sentence that says what is wrong with a refused path.
[[nodiscard]] std::string_view path_fault(const Route& route) noexcept;

}  // namespace spillway::api
