#pragma once
/// What is recorded about a request while it is served, and what results from it: the client's header fields,
/// a line of the access log, a row of the ledger, metrics.
///
/// Ownership: records view their sources. Thread rule: the request's thread. Errors: none.
#include <boost/container/small_vector.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "api/answer_model.hpp"
#include "api/usage.hpp"
#include "api/work_state.hpp"
#include "base/clock.hpp"
#include "gateway/asked.hpp"
#include "gateway/ending.hpp"
#include "gateway/metrics.hpp"
#include "quota/client_quota.hpp"
#include "routing/router.hpp"
#include "telemetry/access_log.hpp"
#include "telemetry/ledger.hpp"

namespace spillway::gateway {

/// A finished attempt.
struct Tried {
    routing::BackendIndex backend = routing::no_backend;
    unsigned status = 0;  ///< of the backend's answer; 0: none
    routing::OutcomeKind kind = routing::OutcomeKind::served;
    routing::Verdict verdict{};
    Duration took{};
    std::string detail{};  ///< what exactly failed, if more than the verdict says
};

/// A backend's own answer about a failure, kept in case no other can serve.
struct FailedAnswer {
    unsigned status = 0;
    std::string content_type;
    std::string body;
    bool no_retry = false;  ///< it had x-should-retry: false
};

struct Report {
    Ending ending = Ending::ok;
    int status = 0;  ///< sent to the client; 0: none yet
    std::optional<routing::BackendIndex> served_by;
    std::size_t attempts = 0;  ///< started
    boost::container::small_vector<Tried, 2> tried;
    std::optional<FailedAnswer> failed_answer;  ///< of the last attempt
    api::Usage usage;
    bool usage_known = false;
    boost::container::small_vector<char, 64> model_text;  ///< see model()
    std::uint64_t output_events = 0;                      ///< of a stream: about one token each
    double avoided = 0;                                   ///< 429s, see routing::Choice
    bool spilled = false;                                 ///< of the last attempt; see routing::Lease
    std::optional<Duration> first_byte;                   ///< from the request's first byte to the answer's
    bool sent_at_once = false;                            ///< the whole answer was sent in one write
    /// The object of the answer, if it has an id and lives beyond the answer.
    struct Work {
        std::string id;
        api::WorkStatus status = api::WorkStatus::other;
        bool looked_at = false;  ///< created by an earlier request, so its usage is not this one's
        std::optional<api::Usage> usage;
    };
    Work work;

    [[nodiscard]] bool served() const noexcept { return served_by && status < 400; }
    /// As named by the answer; empty if it is not.
    [[nodiscard]] std::string_view model() const noexcept { return {model_text.data(), model_text.size()}; }
    /// `text` is an answer or part of one.
    void note_model(std::string_view text) {
        if (!model_text.empty()) return;
        const std::string_view found = api::find_model(text);
        model_text.assign(found.begin(), found.end());
    }
    void note_usage(const api::Usage& used) noexcept {
        usage = used;
        usage_known = true;
    }
};

/// The request as seen by its connection.
struct Wire {
    Wall began{};
    Duration took{};  ///< from its first byte to the answer's last
    std::string_view peer;
    std::string_view method;
    std::string_view target;
    std::uint64_t bytes_sent = 0;
};

/// Appends x-spillway-backend, x-spillway-attempts, x-request-id and, if the client has its own limits,
/// x-ratelimit-… for those.
void append_report_fields(std::string& out, const Report& report, std::string_view request_id,
                          std::string_view backend, const quota::Subjects& subjects, quota::Now now);
/// Whether answers have x-ratelimit-… fields for the client's own limits.
[[nodiscard]] bool has_own_terms(const quota::Subjects& subjects);

[[nodiscard]] telemetry::UsageRow usage_row(const Asked& asked, const Report& report,
                                            std::string_view backend, const quota::Amounts& charged,
                                            const Wire& wire);
/// `attempts` must outlive it.
[[nodiscard]] telemetry::AccessRecord access_record(const Asked& asked, const Report& report,
                                                    std::string_view backend, std::string_view client,
                                                    std::span<const telemetry::AttemptRecord> attempts,
                                                    const Wire& wire);
/// The counter of Answers that counts this request.
[[nodiscard]] telemetry::Counter& answer_counter(const Answers& answers, const Report& report);
/// The labels of a request's metrics; `client_index` of a known client. Deployments beyond the router's
/// `bound` count as "_other".
[[nodiscard]] Metrics::Labels metrics_labels(const Asked& asked, std::uint32_t client_index,
                                             std::uint32_t bound) noexcept;

}  // namespace spillway::gateway
