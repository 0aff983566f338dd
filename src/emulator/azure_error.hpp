#pragma once
/// The error bodies of an Azure OpenAI resource, as reported by clients.
/// Thread rule: free functions.
#include <string>
#include <string_view>

#include "emulator/azure_quota.hpp"
#include "emulator/request.hpp"

namespace spillway::emulator {

struct ErrorAnswer {
    unsigned status = 500;
    std::string body;
};

[[nodiscard]] ErrorAnswer wrong_key();      ///< 401
[[nodiscard]] ErrorAnswer keys_disabled();  ///< 403 AuthenticationTypeDisabled
[[nodiscard]] ErrorAnswer wrong_token();    ///< 401, in the form of the front end
[[nodiscard]] ErrorAnswer no_deployment();  ///< 404 DeploymentNotFound
[[nodiscard]] ErrorAnswer no_resource();    ///< 404: path or api-version
[[nodiscard]] ErrorAnswer wrong_method();   ///< 405
[[nodiscard]] ErrorAnswer wrong_model(Operation operation, std::string_view model);  ///< 400
[[nodiscard]] ErrorAnswer early_for_responses();  ///< 400: an api-version before the Responses API
[[nodiscard]] ErrorAnswer bad_request(std::string_view message);  ///< 400
/// 400, with what is wrong by name; both may be empty.
[[nodiscard]] ErrorAnswer invalid_request(std::string_view message, std::string_view param,
                                          std::string_view code);
[[nodiscard]] ErrorAnswer prompt_filtered();                                   ///< 400 content_filter
[[nodiscard]] ErrorAnswer sealed_elsewhere(std::string_view seal);             ///< 400
[[nodiscard]] ErrorAnswer no_response(std::string_view id, bool as_previous);  ///< 404, or 400
/// 429 with the seconds to wait in its message.
[[nodiscard]] ErrorAnswer throttled(Operation operation, std::string_view api_version, Limit limit,
                                    std::int64_t seconds);
/// The body for a fault with this status; an empty message means Azure's own.
[[nodiscard]] ErrorAnswer status_error(unsigned status, std::string_view message);

}  // namespace spillway::emulator
