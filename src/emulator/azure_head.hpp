#pragma once
/// The head of an Azure OpenAI resource's answer.
/// Thread rule: free functions and plain values; views are valid during the call. Errors: none.
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "emulator/azure_quota.hpp"

namespace spillway::emulator {

struct HeadFacts {
    std::string_view content_type = "application/json";
    std::string_view date;               ///< IMF-fixdate
    std::string_view apim_request_id;    ///< the front end's id
    std::string_view client_request_id;  ///< x-ms-client-request-id as received; empty: the front end's
    std::string_view request_id;         ///< the model's; empty: the request did not reach it
    std::string_view region;
    std::string_view session;              ///< azureml-model-session; empty: none
    const QuotaDecision* quota = nullptr;  ///< the figures to report
    std::optional<Duration> retry_after;   ///< 429: both headers; and the resets of `quota`
    const std::map<std::string, std::string>* replaced = nullptr;  ///< lower-case names; last word
};

/// Complete field lines, each with its CRLF.
[[nodiscard]] std::string azure_head(const HeadFacts& facts);
/// Whole seconds, rounded up: the unit of retry-after and the resets.
[[nodiscard]] std::int64_t whole_seconds(Duration d) noexcept;
/// RFC 9110 §5.6.7.
[[nodiscard]] std::string imf_fixdate(std::chrono::sys_seconds t);

}  // namespace spillway::emulator
