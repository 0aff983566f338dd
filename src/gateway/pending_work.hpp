#pragma once
/// Charges work whose usage is known only after its answer (quota/pending_usage.hpp): keeps a request's
/// reservation, settles it when a later answer shows the usage, and then writes the ledger's row.
///
/// Ownership: its arguments must outlive the call. Thread rule: the worker's thread. Errors: none.
#include <optional>

#include "api/usage.hpp"
#include "gateway/admission.hpp"
#include "gateway/asked.hpp"
#include "gateway/report.hpp"
#include "quota/pending_usage.hpp"
#include "telemetry/ledger.hpp"

namespace spillway::gateway {

class Books;

class PendingCharges {
public:
    /// `ledger` may be null.
    PendingCharges(Books& books, const ClientTable& clients, telemetry::Ledger::Writer* ledger) noexcept
        : books_(books), clients_(clients), ledger_(ledger) {}

    /// The answer's work continues under report.work.id.
    void keep(quota::Grant grant, const Asked& asked, const Report& report, std::string_view backend,
              Wall began, quota::Now now);
    /// An answer has shown the result of report.work: charges it if this is the first time.
    void seen(const Report& report, quota::Now now);
    /// Charges work that is too old.
    void expire(quota::Now now);
    /// Charges all remaining work, at the end.
    void finish(quota::Now now);

private:
    void charge(quota::PendingWork work, const std::optional<api::Usage>& usage, bool failed, quota::Now now);

    Books& books_;
    const ClientTable& clients_;
    telemetry::Ledger::Writer* ledger_;
};

}  // namespace spillway::gateway
