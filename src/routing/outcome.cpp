#include "routing/outcome.hpp"

#include "routing/blame.hpp"

namespace spillway::routing {

std::string_view to_string(OutcomeKind kind) noexcept {
    switch (kind) {
        case OutcomeKind::served:
            return "served";
        case OutcomeKind::client_error:
            return "client_error";
        case OutcomeKind::throttled:
            return "throttled";
        case OutcomeKind::unauthorized:
            return "unauthorized";
        case OutcomeKind::server_error:
            return "server_error";
        case OutcomeKind::connect_error:
            return "connect_error";
        case OutcomeKind::timeout:
            return "timeout";
        case OutcomeKind::broken:
            return "broken";
        case OutcomeKind::cancelled:
            return "cancelled";
    }
    return "";
}

OutcomeKind kind_of(const Verdict& verdict) noexcept {
    switch (verdict.whose) {
        case Whose::nobody:
            return verdict.reason == Reason::none ? OutcomeKind::served : OutcomeKind::cancelled;
        case Whose::client:
            return OutcomeKind::client_error;
        case Whose::request:
            return verdict.reason == Reason::timeout ? OutcomeKind::timeout : OutcomeKind::client_error;
        case Whose::quota:
            return OutcomeKind::throttled;
        case Whose::credential:
            return OutcomeKind::unauthorized;
        case Whose::pair:
            return OutcomeKind::server_error;
        case Whose::deployment:
            return verdict.reason == Reason::broken ? OutcomeKind::broken : OutcomeKind::server_error;
        case Whose::backend:
            break;
    }
    return OutcomeKind::connect_error;
}

Verdict verdict_of(OutcomeKind kind) noexcept {
    Evidence e;
    switch (kind) {
        case OutcomeKind::served:
            e.status = 200;
            break;
        case OutcomeKind::client_error:
            e.status = 400;
            break;
        case OutcomeKind::throttled:
            e.status = 429;
            break;
        case OutcomeKind::unauthorized:
            e.status = 401;
            break;
        case OutcomeKind::server_error:
            e.status = 500;
            break;
        case OutcomeKind::connect_error:
            e.came = Came::no_connection;
            break;
        case OutcomeKind::timeout:
            e.came = Came::timed_out;
            break;
        case OutcomeKind::broken:
            e.came = Came::cut;
            break;
        case OutcomeKind::cancelled:
            e.came = Came::client_left;
            break;
    }
    return blame(e, {});
}

}  // namespace spillway::routing
