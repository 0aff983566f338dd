#pragma once
/// Charges work whose usage comes after its answer (quota/pending_usage.hpp): keeps what a request reserved,
/// settles it when a later answer shows what was used, and writes the ledger's row then.
///
/// Ownership: everything handed in must outlive the call. Thread rule: the worker's thread. Errors: none.
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

    /// The answer said that its work goes on under report.work.id.
    void keep(quota::Grant grant, const Asked& asked, const Report& report, std::string_view backend,
              Wall began, quota::Now now);
    /// An answer showed how the work of report.work came out: charged if it is seen for the first time.
    void seen(const Report& report, quota::Now now);
    /// Charges what is too old.
    void expire(quota::Now now);
    /// Charges all that is left, at the end.
    void finish(quota::Now now);

private:
    void charge(quota::PendingWork work, const std::optional<api::Usage>& usage, bool failed, quota::Now now);

    Books& books_;
    const ClientTable& clients_;
    telemetry::Ledger::Writer* ledger_;
};

}  // namespace spillway::gateway
