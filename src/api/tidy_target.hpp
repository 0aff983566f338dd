#pragma once
/// Targets as people paste them, read as they are meant.
///
/// Clients join a base URL to paths of their own, and people give them any of the base URLs that they know:
/// the host alone, `…/openai`, `…/openai/v1` or `…/v1`, with a slash at the end or without. So slashes are
/// doubled ("//openai/…"), prefixes are ("/openai/v1/openai/deployments/…"), and the v1 API is asked for
/// below Azure's prefix ("/openai/responses" without an api-version, which no version of Azure's API serves).
///
/// Ownership: the result views `target` or `out`. Thread rule: free functions, safe everywhere. Errors: none.
#include <string>
#include <string_view>

#include "api/route.hpp"

namespace spillway::api {

/// `target` itself if it is tidy. A deployment without a name ("/deployments//…") stays, to be refused.
[[nodiscard]] std::string_view tidy_target(std::string_view target, std::string& out);

/// What is wrong with a path that is refused, in a sentence.
[[nodiscard]] std::string_view path_fault(const Route& route) noexcept;

}  // namespace spillway::api
