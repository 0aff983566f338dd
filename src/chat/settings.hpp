#pragma once
/// The chat's model, from the environment variables of the public Azure chat samples
/// (azure-search-openai-demo and others):
///
///   OPENAI_HOST                      azure (default) | azure_custom | openai | local
///   AZURE_OPENAI_SERVICE             azure: the resource's name; its address is NAME.openai.azure.com
///   AZURE_OPENAI_CUSTOM_URL          azure_custom: a gateway's address, to which /openai/… is added
///   AZURE_OPENAI_CHATGPT_DEPLOYMENT  the chat deployment (else AZURE_OPENAI_CHATGPT_MODEL, else gpt-4o)
///   AZURE_OPENAI_EMB_DEPLOYMENT      the embedding deployment (else AZURE_OPENAI_EMB_MODEL_NAME, else
///                                    text-embedding-3-small); set to nothing: documents by words only
///   AZURE_OPENAI_API_VERSION         2024-10-21
///   AZURE_OPENAI_API_KEY_OVERRIDE    the key for azure and azure_custom (else AZURE_OPENAI_API_KEY; for
///                                    azure_custom also SPILLWAY_API_KEY)
///   OPENAI_API_KEY, OPENAI_ORGANIZATION, OPENAI_BASE_URL    for openai and local
///
/// Ownership: plain values. Errors name the variable, never its value.
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/backend.hpp"
#include "config/secret.hpp"
#include "config/sources.hpp"

namespace spillway::chat {

struct ModelSettings {
    std::string host;  ///< the value of OPENAI_HOST in use
    config::BackendUrl url;
    std::string chat_target;        ///< origin-form, with the base path and the api-version
    std::string embeddings_target;  ///< empty: no embeddings
    std::string chat_model;         ///< shown to the user, and the body's `model`
    std::string embedding_model;
    config::Secret auth_line;  ///< a whole field line with its CRLF; empty: no credentials
    std::string organization;
};

[[nodiscard]] Result<ModelSettings> model_settings(const config::EnvLookup& env);

}  // namespace spillway::chat
